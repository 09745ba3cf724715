"""Release entries (docs/formats/release.md): strict reading, and whether this terminal may run a
release. The update client and serial recovery call it, with entries that TUF has already verified.
Bounds: docs/formats/limits.toml.

A signature says who wrote an entry, not that it fits this terminal: every rule is checked here.
"""

from .compat import const
from .strict import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .board import Board
    from .rollout import Rollout

    Json = dict[str, Any]


class ReleaseRefused(Exception):
    """This terminal does not take the release. `reason` is one word for a report: "malformed",
    "not_newer", "refused", "channel", "hardware_class", "hardware_revision", "bootloader",
    "security_version", "stepping_stone", "journal", "size", "halted", "not_yet", "pace"; the text
    is for a log."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def field(
    container: object, name: str, kind: type, least: int | None = None, most: int | None = None
) -> "Any":
    """`container[name]`, of type `kind`; a number or a length must lie in least..most. Raises
    ValueError.
    """
    value = container.get(name) if isinstance(container, dict) else None
    why = fault(value, kind, least, most)
    if why:
        raise ValueError(name + " is " + why)
    return value


def _integers(container: object, name: str, least: int, most: int) -> list[int]:
    """A list of at least one and at most 16 integers, each in least..most."""
    values: list[int] = field(container, name, list, 1, 16)
    for value in values:
        if fault(value, int, least, most):
            raise ValueError(name + " holds a wrong value")
    return values


def _pace(container: object) -> list[int]:
    """From how many hours after the commit, first wave, factor, hours between waves, rate, most."""
    values: list[int] = field(container, "pace", list, 6, 6)
    for at, (least, most) in enumerate(_PACE):
        if fault(values[at], int, least, most):
            raise ValueError("pace holds a wrong value")
    return values


def _digest(container: object, name: str) -> bytes:
    text: str = field(container, name, str, 64, 64)
    digest = bytes.fromhex(text)
    if len(digest) != 32:
        raise ValueError(name + " is not a SHA-256")
    return digest


_UINT32 = const(0xFFFFFFFF)
_UINT16 = const(0xFFFF)
_MILLION = const(1000000)
_PACE = ((0, _MILLION), (1, _MILLION), (1, 100), (1, 8760), (0, _MILLION), (1, _MILLION))


class Payload:
    """One way to get the image: `kind` "full", "delta" or "patch", `path` of its target; but
    for the full one's `base_sha256` (bytes) is the image it starts from."""

    def __init__(self, kind: str, path: str, base_sha256: bytes | None) -> None:
        self.kind = kind
        self.path = path
        self.base_sha256 = base_sha256


class Release:
    """A release entry, read and typed. Attributes:

    path, channel, release, version, commit, built_s, security_version, hardware_class,
    hardware_revisions, min_bootloader, stepping_stone, journal_reads, journal_writes,
    image_size_bytes, image_sha256 (bytes), payloads (list of `Payload`), crashes_allowed,
    unconfirmed_boots_allowed, selftest_deadline_s, gate_battery_mv, gate_unsynced_records,
    gate_idle_s, text ({language: text}), pace (None or six integers), quote_bytes (the longest full
    payload that is taken where there is another; 0 for any).
    """

    @staticmethod
    def parse(path: str, target: object) -> "Release":
        """The release that the target entry `{"length", "hashes", "custom"}` at `path` describes.

        Raises:
            ReleaseRefused: "malformed": a field is missing, of the wrong type or out of range, or
                the path and the entry tell of different releases. Unknown fields and kinds of
                payload are passed over.
        """
        try:
            return Release(path, field(target, "custom", dict))
        except ValueError as error:
            raise ReleaseRefused("malformed", path + ": " + str(error))

    def __init__(self, path: str, custom: "Json") -> None:
        self.path = path
        self.release: int = field(custom, "release", int, 1, _UINT32)
        self.version: str = field(custom, "version", str, 1, 32)
        self.commit: str = field(custom, "commit", str, 7, 64)
        self.built_s: int = field(custom, "built", int, 0, _UINT32)
        self.security_version: int = field(custom, "security_version", int, 0, _UINT16)
        hardware = field(custom, "hardware", dict)
        self.hardware_class: str = field(hardware, "class", str, 1, 32)
        self.hardware_revisions = _integers(hardware, "revisions", 1, _UINT16)
        self.min_bootloader: int = field(custom, "min_bootloader", int, 0, _UINT16)
        self.stepping_stone: int = field(custom, "stepping_stone", int, 0, _UINT32)
        journal = field(custom, "journal", dict)
        self.journal_reads = _integers(journal, "reads", 1, 255)
        self.journal_writes: int = field(journal, "writes", int, 1, 255)
        image = field(custom, "image", dict)
        self.image_size_bytes: int = field(image, "size_bytes", int, 1, 0x0A0000)
        self.image_sha256 = _digest(image, "sha256")
        trial = field(custom, "trial", dict)
        self.crashes_allowed: int = field(trial, "crashes_allowed", int, 0, 100)
        self.unconfirmed_boots_allowed: int = field(
            trial, "unconfirmed_boots_allowed", int, 1, 1000
        )
        self.selftest_deadline_s: int = field(trial, "selftest_deadline_s", int, 1, 86400)
        gate = field(custom, "gate", dict)
        self.gate_battery_mv: int = field(gate, "battery_mv", int, 0, 4100)
        self.gate_unsynced_records: int = field(gate, "unsynced_records", int, 0, _UINT16)
        self.gate_idle_s: int = field(gate, "idle_s", int, 0, 3600)
        self.text: dict[str, str] = field(custom, "text", dict, 0, 8)
        for language in self.text:
            field(self.text, language, str, 0, 200)
        self.pace: list[int] | None = None
        if "pace" in custom:
            self.pace = _pace(custom)
        self.quote_bytes = 0
        if "quote_bytes" in custom:
            self.quote_bytes = field(custom, "quote_bytes", int, 1, 0x0A0000)
        # <channel>/<hardware class>/<release>.full: the path is what delegations are checked
        # against, so what it says and what the entry says must be one thing.
        self.channel = path.split("/")[0]
        folder = self.channel + "/" + self.hardware_class + "/"
        if path != folder + str(self.release) + ".full":
            raise ValueError("the path is of another release")
        self.payloads: list[Payload] = []
        for payload in field(custom, "payloads", list, 1, 16):
            kind = field(payload, "kind", str)
            name = field(payload, "path", str, 1, 200)
            if kind == "full":
                if name != path:
                    raise ValueError("the full payload has another path")
                self.payloads.append(Payload(kind, name, None))
            elif kind in ("delta", "patch"):
                if not name.startswith(folder + str(self.release) + "-from-"):
                    raise ValueError("a delta is of another release")
                self.payloads.append(Payload(kind, name, _digest(payload, "base_sha256")))
        if not self.payloads:
            raise ValueError("no payload of a known kind")

    def payloads_for(self, running_sha256: bytes | None) -> list[Payload]:
        """The payloads to try, best first: the delta from the running image (if there is one), then
        full.
        """
        out = [p for p in self.payloads if p.base_sha256 and p.base_sha256 == running_sha256]
        out.extend([p for p in self.payloads if p.kind == "full"])
        return out

    def merchant_text(self, language: str) -> str:
        """The text for the merchant in that language, else in English, else empty."""
        return self.text.get(language) or self.text.get("en") or ""


class Running:
    """What a terminal that runs a release knows of itself when it judges another.

    channel; release: the one that runs; journal_version: the one its journal is written in;
    journal_reads: the versions that the running release reads; refused: numbers of releases that
    failed here; rollout: the channel's `Rollout`.
    """

    def __init__(
        self,
        channel: str,
        release: int,
        journal_version: int,
        journal_reads: "tuple[int, ...] | list[int]",
        refused: "tuple[int, ...] | list[int]",
        rollout: "Rollout",
    ) -> None:
        self.channel = channel
        self.release = release
        self.journal_version = journal_version
        self.journal_reads = journal_reads
        self.refused = refused
        self.rollout = rollout


def fits(release: Release, board: "Board", security_version: int) -> None:
    """Return only if `board`, whose boot records hold `security_version`, may run `release`,
    whatever runs there now.

    Raises:
        ReleaseRefused: it may not; the first rule broken is given.
    """
    number = str(release.release)
    if release.hardware_class != board.HARDWARE_CLASS:
        raise ReleaseRefused("hardware_class", number + " is for " + release.hardware_class)
    if board.HARDWARE_REVISION not in release.hardware_revisions:
        raise ReleaseRefused("hardware_revision", number + " is for other revisions")
    if release.security_version < security_version:
        raise ReleaseRefused("security_version", number + " has known holes that are closed here")
    if release.min_bootloader > board.BOOTLOADER_VERSION:
        raise ReleaseRefused("bootloader", number + " needs a newer bootloader")
    if release.image_size_bytes > board.partitions["slot_a"].size_bytes:
        raise ReleaseRefused("size", number + " does not fit the slot")


def is_upgrade(release: Release, running: Running) -> None:
    """Return only if what is `running` may be replaced by `release` over the air.

    Raises:
        ReleaseRefused: it may not; the first rule broken is given.
    """
    number = str(release.release)
    if release.channel != running.channel:
        raise ReleaseRefused("channel", number + " is of channel " + release.channel)
    if release.release <= running.release:
        raise ReleaseRefused("not_newer", number + " is not newer than what runs")
    if release.release in running.refused:
        raise ReleaseRefused("refused", number + " failed here before")
    if release.stepping_stone > running.release:
        raise ReleaseRefused(
            "stepping_stone", number + " needs release " + str(release.stepping_stone) + " first"
        )
    if running.journal_version not in release.journal_reads:
        raise ReleaseRefused("journal", number + " cannot read the journal here")
    if release.journal_writes not in running.journal_reads:
        raise ReleaseRefused("journal", number + " writes what the way back cannot read")
    running.rollout.check(release.release)
    running.rollout.keep_pace(release)


def _number_in(path: str, prefix: str) -> int:
    name = path[len(prefix) : -5]
    if path.startswith(prefix) and path.endswith(".full") and name.isdigit() and len(name) < 11:
        number = int(name)
        return number if number <= _UINT32 else 0
    return 0


def choose(
    targets: "Json",
    board: "Board",
    security_version: int,
    running: Running,
    log: "Callable[[ReleaseRefused], None] | None" = None,
) -> Release | None:
    """The highest release that the terminal may run, or None.

    `targets` is {path: entry} of the channel's role (`TrustedMetadata.targets`). `log(refused)` is
    called with the `ReleaseRefused` of each newer release that was passed over, so that a terminal
    can say why it stays behind.
    """
    prefix = running.channel + "/" + board.HARDWARE_CLASS + "/"
    numbers = []
    for path in targets:
        number = _number_in(path, prefix)
        if number > running.release:
            numbers.append((number, path))
    numbers.sort()
    for _, path in reversed(numbers):
        try:
            release = Release.parse(path, targets[path])
            fits(release, board, security_version)
            is_upgrade(release, running)
            return release
        except ReleaseRefused as refused:
            if log:
                log(refused)
    return None
