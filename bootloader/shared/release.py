"""Release entries (docs/formats/release.md): strict reading, and whether this terminal may run a
release. The update client and serial recovery call it, with entries that TUF has already verified;
the update client also with the channel's rollout plan. Bounds: docs/formats/limits.toml.

A signature says who wrote an entry, not that it fits this terminal: every rule is checked here.
"""

from hashlib import sha256

from .compat import const


class ReleaseRefused(Exception):
    """This terminal does not take the release. `reason` is one word for a report: "malformed",
    "not_newer", "refused", "channel", "hardware_class", "hardware_revision", "bootloader",
    "security_version", "stepping_stone", "journal", "size", "halted", "not_yet"; the text is for a
    log."""

    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason


def _field(container, name, kind, least=None, most=None):
    """`container[name]`, of type `kind`; a number or a length must lie in least..most. Raises
    ValueError.
    """
    value = container.get(name) if isinstance(container, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(name + " is missing or of the wrong type")
    size = value if kind is int else len(value)
    if (least is not None and size < least) or (most is not None and size > most):
        raise ValueError(name + " is too small or too large")
    return value


def _integers(container, name, least, most):
    """A list of at least one and at most 16 integers, each in least..most."""
    values = _field(container, name, list, 1, 16)
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(name + " holds a wrong value")
    return values


def _digest(container, name):
    text = _field(container, name, str, 64, 64)
    digest = bytes.fromhex(text)
    if len(digest) != 32:
        raise ValueError(name + " is not a SHA-256")
    return digest


_UINT32 = const(0xFFFFFFFF)
_UINT16 = const(0xFFFF)


class Facts:
    """What the terminal knows of itself when it judges a release.

    channel, hardware_class (text); hardware_revision, bootloader_version, security_version, release
    (the one that runs), journal_version (the one its journal is written in) (int); slot_size_bytes;
    refused: release numbers that failed here. rollout: the channel's `Rollout`, or None where a
    person decides (serial recovery). journal_reads: the versions that the running release reads,
    or None where nothing runs that could be gone back to.
    """

    def __init__(
        self,
        channel,
        hardware_class,
        hardware_revision,
        bootloader_version,
        security_version,
        release,
        journal_version,
        slot_size_bytes,
        refused=(),
        rollout=None,
        journal_reads=None,
    ):
        self.channel = channel
        self.hardware_class = hardware_class
        self.hardware_revision = hardware_revision
        self.bootloader_version = bootloader_version
        self.security_version = security_version
        self.release = release
        self.journal_version = journal_version
        self.slot_size_bytes = slot_size_bytes
        self.refused = refused
        self.rollout = rollout
        self.journal_reads = journal_reads


class Rollout:
    """The rollout plan of a channel as the terminal `terminal_id` (8 bytes) reads it. It is signed
    by an online key: it can hold back what the channel lists, never add to it.
    """

    def __init__(self, custom, terminal_id):
        """Read `custom` of the plan's target.

        Raises:
            ReleaseRefused: "malformed": nothing of the channel may be taken.
        """
        self._terminal_id = terminal_id
        try:
            self._releases = _field(custom, "releases", dict, 0, 64)
            for name in self._releases:
                wave = _field(self._releases, name, list, 2, 2)
                if not isinstance(wave[0], str) or len(bytes.fromhex(wave[0])) != 8:
                    raise ValueError("a salt is not 8 bytes")
                if not isinstance(wave[1], int) or not 0 <= wave[1] <= 10000:
                    raise ValueError("a threshold is not 0 to 10000")
            self._halted = _field(custom, "halted", list, 0, 16)
        except ValueError as error:
            raise ReleaseRefused("malformed", "rollout plan: " + str(error))

    def check(self, number):
        """Return only if the plan lets this terminal have release `number`; else ReleaseRefused.
        What it does not name is for nobody.
        """
        if number in self._halted:
            raise ReleaseRefused("halted", "%d is halted" % number)
        wave = self._releases.get(str(number))
        if wave is None:
            raise ReleaseRefused("not_yet", "%d is for nobody yet" % number)
        digest = sha256(bytes.fromhex(wave[0]) + self._terminal_id).digest()
        place = int.from_bytes(digest[:4], "big") % 10000
        if place >= wave[1]:
            raise ReleaseRefused(
                "not_yet", "%d is for %d of 10000, here is %d" % (number, wave[1], place)
            )


class Payload:
    """One way to get the image: `kind` "full" or "delta", `path` of its target; a delta's
    `base_sha256` (bytes) is the image it starts from."""

    def __init__(self, kind, path, base_sha256):
        self.kind = kind
        self.path = path
        self.base_sha256 = base_sha256


class Release:
    """A release entry, read and typed. Attributes:

    path, channel, release, version, commit, built_s, security_version, hardware_class,
    hardware_revisions, min_bootloader, stepping_stone, journal_reads, journal_writes,
    image_size_bytes, image_sha256 (bytes), payloads (list of `Payload`), crashes_allowed,
    unconfirmed_boots_allowed, selftest_deadline_s, gate_battery_mv, gate_unsynced_records,
    gate_idle_s, text ({language: text}).
    """

    @staticmethod
    def parse(path, target):
        """The release that the target entry `{"length", "hashes", "custom"}` at `path` describes.

        Raises:
            ReleaseRefused: "malformed": a field is missing, of the wrong type or out of range, or
            the path and the
                entry tell of different releases. Unknown fields and kinds of payload are passed
                over.
        """
        try:
            return Release(path, _field(target, "custom", dict))
        except ValueError as error:
            raise ReleaseRefused("malformed", path + ": " + str(error))

    def __init__(self, path, custom):
        self.path = path
        self.release = _field(custom, "release", int, 1, _UINT32)
        self.version = _field(custom, "version", str, 1, 32)
        self.commit = _field(custom, "commit", str, 7, 64)
        self.built_s = _field(custom, "built", int, 0, _UINT32)
        self.security_version = _field(custom, "security_version", int, 0, _UINT16)
        hardware = _field(custom, "hardware", dict)
        self.hardware_class = _field(hardware, "class", str, 1, 32)
        self.hardware_revisions = _integers(hardware, "revisions", 1, _UINT16)
        self.min_bootloader = _field(custom, "min_bootloader", int, 0, _UINT16)
        self.stepping_stone = _field(custom, "stepping_stone", int, 0, _UINT32)
        journal = _field(custom, "journal", dict)
        self.journal_reads = _integers(journal, "reads", 1, 255)
        self.journal_writes = _field(journal, "writes", int, 1, 255)
        image = _field(custom, "image", dict)
        self.image_size_bytes = _field(image, "size_bytes", int, 1, 0x0A0000)
        self.image_sha256 = _digest(image, "sha256")
        trial = _field(custom, "trial", dict)
        self.crashes_allowed = _field(trial, "crashes_allowed", int, 0, 100)
        self.unconfirmed_boots_allowed = _field(trial, "unconfirmed_boots_allowed", int, 1, 1000)
        self.selftest_deadline_s = _field(trial, "selftest_deadline_s", int, 1, 86400)
        gate = _field(custom, "gate", dict)
        self.gate_battery_mv = _field(gate, "battery_mv", int, 0, 4100)
        self.gate_unsynced_records = _field(gate, "unsynced_records", int, 0, _UINT16)
        self.gate_idle_s = _field(gate, "idle_s", int, 0, 3600)
        self.text = _field(custom, "text", dict, 0, 8)
        for language in self.text:
            _field(self.text, language, str, 0, 200)
        # <channel>/<hardware class>/<release>.full: the path is what delegations are checked
        # against, so what it says and what the entry says must be one thing.
        self.channel = path.split("/")[0]
        folder = self.channel + "/" + self.hardware_class + "/"
        if path != folder + str(self.release) + ".full":
            raise ValueError("the path is of another release")
        self.payloads = []
        for payload in _field(custom, "payloads", list, 1, 16):
            kind = _field(payload, "kind", str)
            name = _field(payload, "path", str, 1, 200)
            if kind == "full":
                if name != path:
                    raise ValueError("the full payload has another path")
                self.payloads.append(Payload(kind, name, None))
            elif kind == "delta":
                if not name.startswith(folder + str(self.release) + "-from-"):
                    raise ValueError("a delta is of another release")
                self.payloads.append(Payload(kind, name, _digest(payload, "base_sha256")))
        if not self.payloads:
            raise ValueError("no payload of a known kind")

    def payloads_for(self, running_sha256):
        """The payloads to try, best first: the delta from the running image (if there is one), then
        full.
        """
        out = [p for p in self.payloads if p.base_sha256 and p.base_sha256 == running_sha256]
        out.extend([p for p in self.payloads if p.kind == "full"])
        return out

    def merchant_text(self, language):
        """The text for the merchant in that language, else in English, else empty."""
        return self.text.get(language) or self.text.get("en") or ""


def eligible(release, facts):
    """Return only if the terminal of `facts` may run `release`.

    Raises:
        ReleaseRefused: it may not; the first rule broken is given.
    """
    number = str(release.release)
    if release.channel != facts.channel:
        raise ReleaseRefused("channel", number + " is of channel " + release.channel)
    if release.hardware_class != facts.hardware_class:
        raise ReleaseRefused("hardware_class", number + " is for " + release.hardware_class)
    if facts.hardware_revision not in release.hardware_revisions:
        raise ReleaseRefused("hardware_revision", number + " is for other revisions")
    if release.release <= facts.release:
        raise ReleaseRefused("not_newer", number + " is not newer than what runs")
    if release.release in facts.refused:
        raise ReleaseRefused("refused", number + " failed here before")
    if release.security_version < facts.security_version:
        raise ReleaseRefused("security_version", number + " has known holes that are closed here")
    if release.min_bootloader > facts.bootloader_version:
        raise ReleaseRefused("bootloader", number + " needs a newer bootloader")
    if release.stepping_stone > facts.release:
        raise ReleaseRefused(
            "stepping_stone", number + " needs release " + str(release.stepping_stone) + " first"
        )
    if facts.journal_version not in release.journal_reads:
        raise ReleaseRefused("journal", number + " cannot read the journal here")
    if facts.journal_reads is not None and release.journal_writes not in facts.journal_reads:
        raise ReleaseRefused("journal", number + " writes what the way back cannot read")
    if release.image_size_bytes > facts.slot_size_bytes:
        raise ReleaseRefused("size", number + " does not fit the slot")
    if facts.rollout:
        facts.rollout.check(release.release)


def _number_in(path, prefix):
    name = path[len(prefix) : -5]
    if path.startswith(prefix) and path.endswith(".full") and name.isdigit() and len(name) < 11:
        number = int(name)
        return number if number <= _UINT32 else 0
    return 0


def choose(targets, facts, log=None):
    """The highest release that the terminal may run, or None.

    `targets` is {path: entry} of the channel's role (`TrustedMetadata.targets`). `log(refused)` is
    called with the `ReleaseRefused` of each newer release that was passed over, so that a terminal
    can say why it stays behind.
    """
    prefix = facts.channel + "/" + facts.hardware_class + "/"
    numbers = []
    for path in targets:
        number = _number_in(path, prefix)
        if number > facts.release:
            numbers.append((number, path))
    numbers.sort()
    for _, path in reversed(numbers):
        try:
            release = Release.parse(path, targets[path])
            eligible(release, facts)
            return release
        except ReleaseRefused as refused:
            if log:
                log(refused)
    return None
