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
    last told that the switch waits for. `is_over_quote`: the full payload is longer than its people
    signed for, and not among the ways. `sham`: the wave of whose control arm this terminal is, or
    "": then nothing is installed, it only restarts, under the gates of the release.
    """

    def __init__(
        self, release: "Release", ways: list[Way], fresh_until_s: int, sham: str = ""
    ) -> None:
        self.release = release
        self.ways = ways
        self.fresh_until_s = fresh_until_s
        self.sham = sham
        self.is_ready = sham != ""
        self.download: Download | None = None
        self.missed = 0
        self.is_over_quote = False
        self.waits_for: str | None = None

    def blocked(self, facts: "GateFacts") -> tuple[str, str] | None:
        """As `gate_blocks`; of a sham without the code, for no release waits."""
        blocked = gate_blocks(self.release, facts)
        return ("", blocked[1]) if blocked and self.sham else blocked

    def stale(self, now_s: int) -> tuple[str, str] | None:
        """Why what was signed holds no more at `now_s` (Unix s), as `gate_blocks`, or None."""
        if not now_s:
            return "clock", "the time is unknown"
        return None if now_s < self.fresh_until_s else ("expired", "the signatures expired")

    def try_others_first(self) -> None:
        """Perhaps only the payload of the first way is spoiled."""
        self.ways = self.ways[1:] + self.ways[:1]
