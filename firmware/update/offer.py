"""The release that is being brought in, and how far it is. `choice` makes it, `client` holds it."""

from .gate import gate_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.release import Release

    from .download import Download
    from .gate import GateFacts


class Way:
    """One payload that makes the image: `kind` "full", "delta" or "patch", its `path` on the
    server, `length` and SHA-256 (`digest`).
    """

    def __init__(self, kind: str, path: str, length: int, digest: bytes) -> None:
        self.kind = kind
        self.path = path
        self.length = length
        self.digest = digest


class Offer:
    """`ways`: the payloads to try, best first. `fresh_until_s`: what was signed holds till then.
    `is_ready`: the image is in the other slot. `download`: what came of the first way's payload, or
    None. `missed`: how often in a row the server did not have it. `waits_for`: what the log was
    last told that the switch waits for.
    """

    def __init__(self, release: "Release", ways: list[Way], fresh_until_s: int) -> None:
        self.release = release
        self.ways = ways
        self.fresh_until_s = fresh_until_s
        self.is_ready = False
        self.download: Download | None = None
        self.missed = 0
        self.waits_for: str | None = None

    def blocked(self, facts: "GateFacts") -> tuple[str, str] | None:
        """As `gate_blocks`."""
        return gate_blocks(self.release, facts)

    def try_others_first(self) -> None:
        """Perhaps only the payload of the first way is spoiled."""
        self.ways = self.ways[1:] + self.ways[:1]
