"""The files of TUF 1.0 metadata as they are read, one at a time: what each must hold, or the
`TrustError` that says why it is refused. What a file is worth beside the others is `tuf`'s to say.
"""

from hashlib import sha256

from . import canonical
from .compat import collect, const, sha512
from .crypto.signatures import from_hex, public_key
from .strict import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .crypto.signatures import Key

    Json = dict[str, Any]

TOP = ("root", "timestamp", "snapshot", "targets")
"""The roles that a root names; all others are delegated to."""

KEYID_HEX_DIGITS = const(16)
"""The least of its key's hash that a key id holds."""


class TrustError(Exception):
    """Metadata was refused. `role` says whose; the text says why, for a log."""

    def __init__(self, role: str, text: str) -> None:
        super().__init__(role + ": " + text)
        self.role = role


class Malformed(TrustError):
    """Not metadata of this role: not JSON, too long, a field missing or of the wrong type."""


class NotSigned(TrustError):
    """Fewer good signatures of distinct keys than the threshold."""


class Rollback(TrustError):
    """Older than what is trusted already, or a root that skips a version."""


class Mismatch(TrustError):
    """Not the file that the role above lists: version, length or hash differ, or not listed."""


class Forked(Mismatch):
    """A version that is known here, with other content: the server lost what it had published."""


class Expired(TrustError):
    """Taken in, but past its date: go on reading, install nothing."""


def get(role: str, container: object, name: str, kind: type) -> "Any":
    """`container[name]`, which must be of type `kind`. Raises Malformed."""
    value = container.get(name) if isinstance(container, dict) else None
    why = fault(value, kind)
    if why:
        raise Malformed(role, name + " is " + why)
    return value


def natural(role: str, container: object, name: str, least: int) -> int:
    """`container[name]`, a number of at least `least`. Raises Malformed."""
    value: int = get(role, container, name, int)
    if value < least:
        raise Malformed(role, name + " is too small")
    return value


def parse_time(text: str) -> int:
    """Unix seconds of "2030-01-31T12:00:00Z".

    Raises:
        ValueError: another form, or no such time.
    """
    if len(text) != 20:
        raise ValueError("not a time")
    for i, mark in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "Z")):
        if text[i] != mark:
            raise ValueError("not a time")
    fields = []
    for a, b in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19)):
        if not text[a:b].isdigit():
            raise ValueError("not a time")
        fields.append(int(text[a:b]))
    year, month, day, hour, minute, second = fields
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (year >= 1970 and 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        raise ValueError("no such time")
    lengths = b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"
    if not 1 <= day <= lengths[month - 1] - (month == 2 and not leap):
        raise ValueError("no such time")
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719162
    days += sum(lengths[: month - 1]) - (month > 2 and not leap) + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def is_bound(keyid: str, key: object) -> bool:
    """True if `keyid` is made of `key`, the map in metadata: the hex SHA-256 of its canonical form
    or the first 16 digits of it, or more. People compare ids; so no id may stand for two keys.
    """
    return len(keyid) >= KEYID_HEX_DIGITS and sha256(
        canonical.encode(key)
    ).digest().hex().startswith(keyid)


class Envelope:
    """A file of metadata with all that the roles share checked: `data` its bytes, `signed` what is
    signed, `signatures` {keyid: hex}, `version`, `expires_s` (Unix seconds).
    """

    def __init__(self, role: str, data: bytes, limit_bytes: int) -> None:
        """Read `data` as a file of `role`. Raises Malformed."""
        collect()  # so that what is kept now lies together, not between leftovers
        try:
            envelope = canonical.loads(data, limit_bytes)
        except canonical.JsonError as error:
            raise Malformed(role, str(error))
        self.role = role
        self.data = data
        self._limit_bytes = limit_bytes
        self._set_aside: bytearray | memoryview | None = None
        self.signed: Json = get(role, envelope, "signed", dict)
        if self.signed.get("_type") != (role if role in TOP else "targets"):
            raise Malformed(role, "the file is of another role")
        if not get(role, self.signed, "spec_version", str).startswith("1."):
            raise Malformed(role, "another major version of the specification")
        self.version = natural(role, self.signed, "version", 1)
        try:
            self.expires_s = parse_time(get(role, self.signed, "expires", str))
        except ValueError:
            raise Malformed(role, "expires is not a time")
        self.signatures: dict[str, str] = {}
        for entry in get(role, envelope, "signatures", list):
            keyid = get(role, entry, "keyid", str)
            if keyid in self.signatures:
                raise Malformed(role, "two signatures of one keyid")
            self.signatures[keyid] = get(role, entry, "sig", str)

    def set_aside(self) -> "bytearray | memoryview":
        """What the signatures are over. `signed`, which takes a board twice as much heap, is empty
        from now on.
        """
        if self._set_aside is None:
            # The server writes its files in canonical form: then this is a view of them.
            self._set_aside = canonical.encode_within(self.signed, self.data, b'"signed":')
            self.signed = {}
        return self._set_aside

    def take_up(self) -> None:
        """Read `signed` again if it was set aside."""
        if self._set_aside is not None:
            self._set_aside = None
            self.signed = canonical.loads(self.data, self._limit_bytes)["signed"]


def read_keys(role: str, container: "Json") -> "dict[str, Key]":
    """{keyid: key} of a map of keys, which is empty then. A key of a kind that we do not know stays
    out: it verifies nothing. Raises Malformed.
    """
    out = {}
    while container:
        keyid, key = container.popitem()
        if not is_bound(keyid, key):
            raise Malformed(role, "keyid " + keyid[:16] + " is not made of its key")
        scheme = get(role, key, "scheme", str)
        text = get(role, get(role, key, "keyval", dict), "public", str)
        public = public_key(key.get("keytype"), scheme, text)
        if public:
            out[keyid] = (scheme, public)
    return out


def _one_of(keys: "dict[str, Key]", keyid: str) -> str:
    """The name in `keys` that equals `keyid`, or that."""
    for name in keys:
        if name == keyid:
            return name
    return keyid


class Signers:
    """Who signs for a role, as its entry says: `keyids`, and of how many of them (`threshold`).

    `keys`: whose ids these are; of two that are equal a board's heap holds one.
    """

    def __init__(self, role: str, container: object, keys: "dict[str, Key]") -> None:
        """Raises Malformed."""
        keyids: list[Any] = get(role, container, "keyids", list)
        self.keyids: list[str] = []
        for keyid in keyids:
            if not isinstance(keyid, str) or keyids.count(keyid) != 1:
                raise Malformed(role, "keyids must be distinct text")
            self.keyids.append(_one_of(keys, keyid))
        self.threshold = natural(role, container, "threshold", 1)

    def with_keys(self, keys: "dict[str, Key]") -> "tuple[int, dict[str, Key | None]]":
        """What two roots must agree on, so that it is the same signers."""
        return self.threshold, {keyid: keys.get(keyid) for keyid in self.keyids}


class Listed:
    """What timestamp or snapshot says of a file: `version`, and `length` and `hashes` or None."""

    def __init__(self, role: str, entry: "Json") -> None:
        """Raises Malformed."""
        self.version = natural(role, entry, "version", 1)
        self.length: int | None = None
        self.hashes: dict[str, str] | None = None
        if "length" in entry:
            self.length = natural(role, entry, "length", 0)
        if "hashes" in entry:
            self.hashes = read_hashes(role, entry)

    def is_same(self, other: "Listed") -> bool:
        """Whether both say the same."""
        return (self.version, self.length, self.hashes) == (
            other.version,
            other.length,
            other.hashes,
        )

    def contradicts(self, other: "Listed") -> bool:
        """Whether the two cannot be of one file, by what both tell of it."""
        if self.length != other.length and None not in (self.length, other.length):
            return True
        ours, theirs = self.hashes or {}, other.hashes or {}
        return any(
            name in theirs and from_hex(ours[name]) != from_hex(theirs[name]) for name in ours
        )


def read_hashes(role: str, entry: object) -> dict[str, str]:
    """The hashes of an entry, hex, at least one. Raises Malformed."""
    hashes: dict[str, str] = get(role, entry, "hashes", dict)
    for value in hashes.values():
        if not from_hex(value):
            raise Malformed(role, "hashes must be hex")
    if not hashes:
        raise Malformed(role, "hashes are empty")
    return hashes


def check_bytes(role: str, data: bytes, length: int | None, hashes: dict[str, str] | None) -> None:
    """Return only if `data` has the length and every hash that we know, at least one; None: not
    told. Raises Mismatch.
    """
    if length is not None and len(data) != length:
        raise Mismatch(role, "length differs from what is listed")
    if hashes is None:
        return
    known = 0
    for name, make in (("sha256", sha256), ("sha512", sha512)):
        if name in hashes:
            known += 1
            if make(data).digest() != from_hex(hashes[name]):
                raise Mismatch(role, name + " differs from what is listed")
    if not known:
        raise Mismatch(role, "listed without a hash that we know")
