"""TUF 1.0 metadata: the decisions of the client workflow (specification 1.0.31, section 5), nothing
else. Bytes go in, a verdict or a `TrustError` comes out; files, network and clock are the caller's.
The update client and serial recovery call it.

The order is the specification's: `TrustedMetadata(root)`, `update_root` until there is no newer
one, `update_timestamp`, `update_snapshot`, `update_targets`, `update_delegated`. Stored metadata
goes the same way first (its errors mean: ignore that file), then what was fetched.

What the caller must do:

1. Read at most `limit_bytes(role)` from the network (endless data).
2. After the last `update_root`, if `rotated`: delete the stored timestamp and snapshot *before*
storing the new root
   (recovery from a fast-forward attack, section 5.3.11).
3. Store a file only after its update returned.
4. `Expired` is raised *after* the metadata was taken in: reading on is allowed, so that a terminal
   whose clock or server is behind still learns of newer trust. Installing is not: call
   `require_fresh(role)` before it.
"""

from hashlib import sha256

from . import canonical
from .compat import collect, const, sha512, threshold
from .ed25519 import verify as _verify_ed25519

LIMITS_BYTES = {
    "root": 12288,
    "timestamp": 2048,
    "snapshot": 8192,
    "targets": 12288,
    "delegated": 12288,
}
"""The most that each role's file may hold, whatever other metadata says of it."""

MAX_ROOT_ROTATIONS = const(64)
"""New roots to take in one refresh, at most."""

MAX_DELEGATIONS = const(32)
"""Roles visited in one search, at most."""

KEYID_HEX_DIGITS = const(16)
"""The least of its key's hash that a key id holds."""

KNOWN_FILES = const(12)
"""Signed files that are remembered as verified, at most: those of one refresh, old and new."""

_TOP = ("root", "timestamp", "snapshot", "targets")


class TrustError(Exception):
    """Metadata was refused. `role` says whose; the text says why, for a log."""

    def __init__(self, role, text):
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


def verify_signature(key, signature, data):
    """True if `key`, a `(scheme, public key)` as `_keys` keeps it, made `signature` (bytes) over
    `data`.

    The one place that knows signature schemes.
    """
    # Nothing of the arithmetic is kept, so sweeps before the heap is full would only take time.
    sweep_at = threshold()
    threshold(-1)
    try:
        scheme, public = key
        if scheme == "ed25519":
            return _verify_ed25519(public, signature, data)
        # Our own channels never sign with these, so only who meets such a key loads the code.
        if scheme == "ecdsa-sha2-nistp256":
            from . import p256

            return p256.verify(public, signature, data)
        if scheme == "rsassa-pss-sha256":
            from . import rsa_pss

            return rsa_pss.verify(public, signature, data)
        return False
    finally:
        threshold(sweep_at)


def _public_key(kind, scheme, text):
    """The public key in `text` as its scheme's verifier takes it, or None."""
    if scheme == "ed25519" and kind == "ed25519":
        return _hex(text, 32)
    if scheme == "ecdsa-sha2-nistp256" and kind in ("ecdsa", scheme):
        from . import p256

        return p256.public_key(text)
    if scheme == "rsassa-pss-sha256" and kind == "rsa":
        from . import rsa_pss

        return rsa_pss.public_key(text)
    return None


# --- reading ---


def _hex(text, size_bytes=None):
    """The bytes that lower- or upper-case hex stands for, or None."""
    if not isinstance(text, str) or (size_bytes is not None and len(text) != 2 * size_bytes):
        return None
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if 2 * len(data) == len(text) else None


def _get(role, container, name, kind):
    """`container[name]`, which must be of type `kind`."""
    value = container.get(name) if isinstance(container, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(role, name + " is missing or of the wrong type")
    return value


def _natural(role, container, name, least):
    value = _get(role, container, name, int)
    if value < least:
        raise Malformed(role, name + " is too small")
    return value


def parse_time(text):
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


def is_bound(keyid, key):
    """True if `keyid` is made of `key`, the map in metadata: the hex SHA-256 of its canonical form
    or the first 16 digits of it, or more. People compare ids; so no id may stand for two keys.
    """
    return len(keyid) >= KEYID_HEX_DIGITS and sha256(
        canonical.encode(key)
    ).digest().hex().startswith(keyid)


def _keys(role, container):
    """{keyid: (scheme, public key)}. A key of a kind that we do not know stays out: it verifies
    nothing.
    """
    out = {}
    for keyid, key in _get(role, container, "keys", dict).items():
        if not is_bound(keyid, key):
            raise Malformed(role, "keyid " + keyid[:16] + " is not made of its key")
        scheme = _get(role, key, "scheme", str)
        public = _get(role, _get(role, key, "keyval", dict), "public", str)
        public = _public_key(key.get("keytype"), scheme, public)
        if public:
            out[keyid] = (scheme, public)
    return out


def _role_keys(role, container):
    """(keyids, threshold) of a role's entry."""
    keyids = _get(role, container, "keyids", list)
    for keyid in keyids:
        if not isinstance(keyid, str) or keyids.count(keyid) != 1:
            raise Malformed(role, "keyids must be distinct text")
    return tuple(keyids), _natural(role, container, "threshold", 1)


def _file_entry(role, entry, least_version):
    """(version, length or None, hashes or None) of an entry in timestamp's or snapshot's `meta`."""
    version = _natural(role, entry, "version", least_version)
    length = hashes = None
    if "length" in entry:
        length = _natural(role, entry, "length", 0)
    if "hashes" in entry:
        hashes = _hashes(role, entry)
    return version, length, hashes


def _hashes(role, entry):
    hashes = _get(role, entry, "hashes", dict)
    for value in hashes.values():
        if not _hex(value):
            raise Malformed(role, "hashes must be hex")
    if not hashes:
        raise Malformed(role, "hashes are empty")
    return hashes


def _check_bytes(role, data, length, hashes):
    if length is not None and len(data) != length:
        raise Mismatch(role, "length differs from what is listed")
    if hashes is None:
        return
    known = 0
    for name, make in (("sha256", sha256), ("sha512", sha512)):
        if name in hashes:
            known += 1
            if make(data).digest() != _hex(hashes[name]):
                raise Mismatch(role, name + " differs from what is listed")
    if not known:
        raise Mismatch(role, "listed without a hash that we know")


def _differ(entry, other):
    """Whether two entries cannot be of one file, by what both tell of it."""
    if entry[1] != other[1] and None not in (entry[1], other[1]):
        return True
    ours, theirs = entry[2] or {}, other[2] or {}
    return any(name in theirs and _hex(ours[name]) != _hex(theirs[name]) for name in ours)


class _Delegation:
    """One entry of `delegations.roles`."""

    def __init__(self, role, entry):
        self.name = _get(role, entry, "name", str)
        if not self.name or self.name in _TOP:
            raise Malformed(role, "a delegated role cannot have that name")
        self.role_keys = _role_keys(role, entry)
        self.terminating = _get(role, entry, "terminating", bool)
        if ("paths" in entry) == ("path_hash_prefixes" in entry):
            raise Malformed(role, "paths or path_hash_prefixes, one of them, is needed")
        self.by_hash = "paths" not in entry
        self.patterns = _get(role, entry, "path_hash_prefixes" if self.by_hash else "paths", list)
        for pattern in self.patterns:
            if not isinstance(pattern, str):
                raise Malformed(role, "path patterns must be text")

    def matches(self, path):
        if self.by_hash:
            digest = sha256(path.encode()).digest().hex()
            return any(digest.startswith(prefix) for prefix in self.patterns)
        return any(path_matches(pattern, path) for pattern in self.patterns)


class _Targets:
    """A targets role taken in: what it lists and to whom it delegates."""

    def __init__(self, role, signed, parent, delegation):
        self.parent = parent
        self.delegation = delegation
        self.targets = _get(role, signed, "targets", dict)
        for entry in self.targets.values():
            _natural(role, entry, "length", 0)
            _hashes(role, entry)
        self.keys = {}
        self.delegations = []
        if "delegations" in signed:
            delegations = _get(role, signed, "delegations", dict)
            self.keys = _keys(role, delegations)
            names = []
            for entry in _get(role, delegations, "roles", list):
                item = _Delegation(role, entry)
                if item.name in names:
                    raise Malformed(role, "two delegations to one role")
                names.append(item.name)
                self.delegations.append(item)


# --- names and patterns ---


def _in_set(pattern, at, character):
    """A shell set that opens at `pattern[at]`: (does it hold the character, index behind it)."""
    end = at + 1
    negated = pattern[end : end + 1] == "!"
    if negated:
        end += 1
    first = end
    end = pattern.find("]", first + 1)
    if end < 0:
        return character == "[", at + 1
    found = False
    i = first
    while i < end:
        if i + 2 < end and pattern[i + 1] == "-":
            found = found or pattern[i] <= character <= pattern[i + 2]
            i += 3
        else:
            found = found or pattern[i] == character
            i += 1
    return found != negated, end + 1


def _glob(pattern, text):
    p = t = mark = 0
    star = -1
    while t < len(text):
        if p < len(pattern):
            c = pattern[p]
            if c == "*":
                star = p
                mark = t
                p += 1
                continue
            end = p + 1
            fits = c == "?" or c == text[t]
            if c == "[":
                fits, end = _in_set(pattern, p, text[t])
            if fits:
                p = end
                t += 1
                continue
        if star < 0:
            return False
        p = star + 1
        mark += 1
        t = mark
    while p < len(pattern) and pattern[p] == "*":
        p += 1
    return p == len(pattern)


def path_matches(pattern, path):
    """True if the target path fits the shell pattern (`*`, `?`, `[a-z]`, `[!a]`); none of them
    crosses a "/".
    """
    patterns = pattern.split("/")
    parts = path.split("/")
    if len(patterns) != len(parts):
        return False
    return all(_glob(patterns[i], parts[i]) for i in range(len(parts)))


def quoted(name):
    """A name as one part of a file name or URL: everything but unreserved characters as %XX."""
    out = ""
    for byte in name.encode():
        c = chr(byte)
        safe = byte < 128 and (c.isalpha() or c.isdigit() or c in "-._~")
        out += c if safe else "%%%02X" % byte
    return out


# --- the client workflow ---


class TrustedMetadata:
    """What is trusted now, from the root it was given.

    `now_s` (Unix seconds, 0 when unknown) may be set at any time. With 0 no update raises
    `Expired`, as nobody can tell; `require_fresh` then refuses. Attributes to read: `root_version`,
    `timestamp_version`, `snapshot_version` (0 when not loaded), `consistent_snapshot`, `rotated`,
    `forked` (a timestamp came that has the known one's version and other content; section 5.4.3
    has it passed over without an error).

    `known`: a list of digests, or None. Signatures that it tells of are not checked again, and it
    is told of those found good: each entry stands for these bytes, verified by these keys and this
    threshold, which stays true for ever. So who keeps the list must let nobody else write to it.

    Raises:
        TrustError: `root_bytes` is not a root that signs for itself. An expired root is taken: it
        may only serve to
            verify its successor.
    """

    def __init__(self, root_bytes, now_s, limits_bytes=LIMITS_BYTES, known=None):
        self.now_s = now_s
        self.limits_bytes = limits_bytes
        self._known = known
        self.root_version = 0
        self.timestamp_version = 0
        self.snapshot_version = 0
        self.rotated = False
        self.forked = False
        self._keys = {}
        self._roles = {}
        self._expires_s = {}
        self._snapshot_entry = None  # what the timestamp says of the snapshot
        self._meta = {}  # what the snapshot says of the targets roles
        self._targets = {}
        self._take_root(root_bytes, None)

    def _read(self, role, data):
        """(signed, {keyid: signature}) after the checks that all roles share."""
        kind = role if role in _TOP else "targets"
        limit = self.limits_bytes[role if role in _TOP else "delegated"]
        collect()  # so that what is kept now lies together, not between leftovers
        try:
            envelope = canonical.loads(data, limit)
        except canonical.JsonError as error:
            raise Malformed(role, str(error))
        signed = _get(role, envelope, "signed", dict)
        if signed.get("_type") != kind:
            raise Malformed(role, "the file is of another role")
        if not _get(role, signed, "spec_version", str).startswith("1."):
            raise Malformed(role, "another major version of the specification")
        _natural(role, signed, "version", 1)
        try:
            parse_time(_get(role, signed, "expires", str))
        except ValueError:
            raise Malformed(role, "expires is not a time")
        signatures = {}
        for entry in _get(role, envelope, "signatures", list):
            keyid = _get(role, entry, "keyid", str)
            if keyid in signatures:
                raise Malformed(role, "two signatures of one keyid")
            signatures[keyid] = _get(role, entry, "sig", str)
        return signed, signatures

    def _verify(self, role, data, keys, role_keys, signed, signatures):
        if self._known is None:
            self._check_signatures(role, data, keys, role_keys, signed, signatures)
            return
        signers = [(keyid, keys.get(keyid)) for keyid in role_keys[0]]
        fact = sha256(repr((role_keys[1], signers)).encode())
        fact.update(data)
        fact = fact.digest()
        if fact in self._known:
            self._known.remove(fact)
        else:
            self._check_signatures(role, data, keys, role_keys, signed, signatures)
        self._known.append(fact)
        del self._known[:-KNOWN_FILES]

    def _check_signatures(self, role, data, keys, role_keys, signed, signatures):
        keyids, least = role_keys
        collect()
        # The server writes its files in canonical form.
        data = canonical.encode_within(signed, data, b'"signed":')
        good = []
        for keyid in keyids:
            key = keys.get(keyid)
            # One key under two names is one signer.
            if key is None or key in good or keyid not in signatures:
                continue
            signature = _hex(signatures[keyid])
            if signature and verify_signature(key, signature, data):
                good.append(key)
                if len(good) >= least:
                    collect()
                    return
        raise NotSigned(role, "%d of %d signatures" % (len(good), least))

    def _date(self, role, signed):
        self._expires_s[role] = parse_time(signed["expires"])

    def _check_date(self, role):
        if self.now_s and self._expires_s[role] <= self.now_s:
            raise Expired(role, "expired")

    def _take_root(self, data, before):
        signed, signatures = self._read("root", data)
        keys = _keys("root", signed)
        entries = _get("root", signed, "roles", dict)
        roles = {}
        for role in _TOP:
            roles[role] = _role_keys("root", _get("root", entries, role, dict))
        if before is not None:
            self._verify("root", data, self._keys, self._roles["root"], signed, signatures)
            if signed["version"] != before + 1:
                raise Rollback("root", "version %d after %d" % (signed["version"], before))
        self._verify("root", data, keys, roles["root"], signed, signatures)
        for role in ("timestamp", "snapshot"):
            if before is not None and self._signers(role) != (
                roles[role][1],
                {keyid: keys.get(keyid) for keyid in roles[role][0]},
            ):
                self.rotated = True
        self.root_version = signed["version"]
        self.consistent_snapshot = signed.get("consistent_snapshot") is True
        self._keys = keys
        self._roles = roles
        self._date("root", signed)

    def _signers(self, role):
        keyids, threshold = self._roles[role]
        return threshold, {keyid: self._keys.get(keyid) for keyid in keyids}

    def update_root(self, data):
        """Take the next root: signed by the thresholds of the present one and of itself, version
        one higher (sections 5.3.4 and 5.3.5). Its date is judged by `update_timestamp`, when it is
        known to be the last.

        Raises:
            TrustError: refused, and the present root stays.
        """
        if self.timestamp_version:
            raise RuntimeError("roots come before the timestamp")
        self._take_root(data, self.root_version)

    def update_timestamp(self, data):
        """Take a timestamp (section 5.4). True if it is newer than the trusted one, False if it is
        the same version: then there is nothing new.

        Raises:
            Expired: root or timestamp is past its date; a newer timestamp was taken in all the
            same.
            TrustError: refused, and the present one stays.
        """
        if self.snapshot_version:
            raise RuntimeError("the timestamp comes before the snapshot")
        role = "timestamp"
        signed, signatures = self._read(role, data)
        meta = _get(role, signed, "meta", dict)
        entry = _file_entry(role, _get(role, meta, "snapshot.json", dict), 1)
        self._verify(role, data, self._keys, self._roles[role], signed, signatures)
        version = signed["version"]
        if version < self.timestamp_version:
            raise Rollback(role, "version %d after %d" % (version, self.timestamp_version))
        newer = version > self.timestamp_version
        if newer:
            if self._snapshot_entry and entry[0] < self._snapshot_entry[0]:
                raise Rollback(role, "lists an older snapshot than before")
            self.timestamp_version = version
            self._snapshot_entry = entry
            self._date(role, signed)
        elif (
            entry != self._snapshot_entry or parse_time(signed["expires"]) != self._expires_s[role]
        ):
            self.forked = True
        self._check_date("root")
        self._check_date(role)
        return newer

    def update_snapshot(self, data, trusted=False):
        """Take the snapshot that the timestamp lists (section 5.5). `trusted=True` is for the
        stored one: its hash is not compared (the timestamp may be newer), but what it lists must
        not become older afterwards.

        Raises:
            Expired: past its date; it was taken in all the same.
            Mismatch: not the listed one; a stored one was taken in all the same, for the sake of
            its versions.
            Forked: the listed one has other content than the stored one of its version, or lists
            such a file.
            TrustError: refused, and the present one stays.
        """
        role = "snapshot"
        if not self.timestamp_version or self._targets:
            raise RuntimeError("the snapshot comes after the timestamp and before the targets")
        version, length, hashes = self._snapshot_entry
        if not trusted:
            _check_bytes(role, data, length, hashes)
        signed, signatures = self._read(role, data)
        entries = _get(role, signed, "meta", dict)
        meta = {}
        for name in entries:
            meta[name] = _file_entry(role, entries[name], 1)
        self._verify(role, data, self._keys, self._roles[role], signed, signatures)
        is_listed = signed["version"] == version
        if not is_listed and not trusted:
            raise Mismatch(role, "version differs from what is listed")
        if is_listed and trusted:
            try:
                _check_bytes(role, data, length, hashes)
            except Mismatch:
                raise Forked(role, "version %d again, with other content" % version)
        for name in self._meta:
            if name not in meta:
                raise Rollback(role, name + " is no longer listed")
            if meta[name][0] < self._meta[name][0]:
                raise Rollback(role, "lists an older " + name + " than before")
            if meta[name][0] == self._meta[name][0] and _differ(meta[name], self._meta[name]):
                raise Forked(
                    role, "%s: version %d again, with other content" % (name, meta[name][0])
                )
        self._meta = meta
        self.snapshot_version = signed["version"]
        self._date(role, signed)
        self._check_snapshot_version()
        self._check_date(role)

    def _check_snapshot_version(self):
        if self.snapshot_version != self._snapshot_entry[0]:
            raise Mismatch("snapshot", "version differs from what is listed")

    def update_targets(self, data):
        """Take the top-level targets (section 5.6). Raises as `update_delegated`."""
        self.update_delegated("targets", "root", data)

    def update_delegated(self, role, parent, data):
        """Take the metadata of `role`, to which `parent` (taken in before) delegates.

        Raises:
            Expired: past its date; it was taken in all the same.
            TrustError: refused; nothing of it is used.
        """
        if not self.snapshot_version:
            raise RuntimeError("targets come after the snapshot")
        self._check_snapshot_version()
        if role == "targets":
            delegation = None
            keys = self._keys
            role_keys = self._roles[role]
        else:
            if parent not in self._targets:
                raise RuntimeError("the parent comes first")
            delegation = self._delegation(role, parent)
            if delegation is None:
                raise NotSigned(role, parent + " does not delegate to it")
            keys = self._targets[parent].keys
            role_keys = delegation.role_keys
        version, length, hashes = self._listed(role)
        _check_bytes(role, data, length, hashes)
        signed, signatures = self._read(role, data)
        self._verify(role, data, keys, role_keys, signed, signatures)
        if signed["version"] != version:
            raise Mismatch(role, "version differs from what is listed")
        self._targets[role] = _Targets(role, signed, parent, delegation)
        self._date(role, signed)
        self._check_date(role)

    def _delegation(self, role, parent):
        for item in self._targets[parent].delegations:
            if item.name == role:
                return item
        return None

    def _listed(self, role):
        try:
            return self._meta[role + ".json"]
        except KeyError:
            raise Mismatch(role, "not listed by the snapshot")

    # --- what the caller fetches ---

    def limit_bytes(self, role):
        """The most bytes to read for the next file of `role`."""
        limit = self.limits_bytes[role if role in _TOP else "delegated"]
        length = None
        if role == "snapshot":
            length = self._snapshot_entry[1]
        elif role not in ("root", "timestamp"):
            length = self._listed(role)[1]
        return limit if length is None else min(limit, length)

    def file_name(self, role):
        """The name of the next file of `role` on the server (sections 5.3.3, 5.4.1, 5.5.1, 5.6.1).

        Raises:
            Mismatch: the snapshot does not list the role.
        """
        if role == "timestamp":
            return "timestamp.json"
        if role == "root":
            return str(self.root_version + 1) + ".root.json"
        version = (self._snapshot_entry if role == "snapshot" else self._listed(role))[0]
        name = quoted(role) + ".json"
        return str(version) + "." + name if self.consistent_snapshot else name

    def target_name(self, path, entry):
        """The path of a target file on the server: with consistent snapshots its hash stands before
        its name.
        """
        if not self.consistent_snapshot:
            return path
        hashes = entry["hashes"]
        digest = hashes.get("sha256") or hashes.get("sha512") or sorted(hashes.items())[0][1]
        folder, slash, name = path.rpartition("/")
        return folder + slash + digest + "." + name

    def version(self, role):
        """The version of a targets role that is taken in or, before that, listed; Mismatch if
        neither.
        """
        return self._listed(role)[0]

    def expires_s(self, role):
        """When the metadata of a role taken in expires, Unix seconds."""
        return self._expires_s[role]

    def has(self, role):
        """True if the targets role was taken in."""
        return role in self._targets

    def require_fresh(self, role="targets"):
        """Return only if nothing from the root down to `role` is past its date: call it before
        installing.

        Raises:
            Expired: something is, or the time is not known.
        """
        if not self.now_s:
            raise Expired(role, "the time is not known")
        for name in ("root", "timestamp", "snapshot"):
            self._check_date(name)
        for _ in range(MAX_DELEGATIONS):
            self._check_date(role)
            if role == "targets":
                return
            role = self._targets[role].parent
        raise Expired(role, "delegations go round in a circle")

    # --- what was found ---

    def _permitted(self, role, path):
        for _ in range(MAX_DELEGATIONS):
            if role == "targets":
                return True
            taken = self._targets[role]
            if not taken.delegation.matches(path):
                return False
            role = taken.parent
        return False

    def targets(self, role):
        """{path: entry} of a role taken in, without what the delegations down to it do not let it
        list.
        """
        taken = self._targets[role].targets
        return {path: taken[path] for path in taken if self._permitted(role, path)}

    def find(self, path):
        """One step of the search for a target (section 5.6.7): preorder, terminating delegations
        end it.

        Returns one of
            ("found", role, entry)
            ("load", role, parent)  take that role in with `update_delegated`, then call again
            ("absent", None, None)
        """
        waiting = [("targets", "root")]
        visited = []
        while waiting and len(visited) < MAX_DELEGATIONS:
            role, parent = waiting.pop()
            if role in visited:
                continue
            taken = self._targets.get(role)
            if taken is None or taken.parent != parent:
                return "load", role, parent
            visited.append(role)
            if path in taken.targets:
                return "found", role, taken.targets[path]
            children = []
            for item in taken.delegations:
                if item.matches(path):
                    children.append((item.name, role))
                    if item.terminating:
                        waiting = []
                        break
            children.reverse()
            waiting.extend(children)
        return "absent", None, None


def check_target(path, entry, data):
    """Return only if a downloaded target is the `data` (bytes) that its entry lists: length and
    every hash that we know, at least one.

    Raises:
        Mismatch: it is not.
    """
    _check_bytes(path, data, entry["length"], entry["hashes"])
