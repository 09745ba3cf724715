"""TUF 1.0 metadata: the decisions of the client workflow (specification 1.0.31, section 5), nothing
else. Bytes go in, a verdict or a `TrustError` comes out; files, network and clock are the caller's.
The update client and serial recovery call it.

The order is the specification's: `TrustedMetadata(root)`, `update_root` until there is no newer
one, `update_timestamp`, `update_snapshot`, `update_targets`, `update_delegated`. Stored metadata
goes the same way first (its errors mean: ignore that file), then what was fetched.

What the caller must do:

1. Read at most `limit_bytes(role)` from the network (endless data).
2. After the last `update_root`, if `rotated`: delete the stored timestamp and snapshot *before*
   storing the new root (recovery from a fast-forward attack, section 5.3.11).
3. Store a file only after its update returned.
4. `Expired` is raised *after* the metadata was taken in: reading on is allowed, so that a terminal
   whose clock or server is behind still learns of newer trust. Installing is not, once the time is
   unknown or `fresh_until_s(role)` has come.
"""

from .compat import const
from .tuf_delegations import TargetsFile, TargetsRoles
from .tuf_files import (
    TOP,
    Envelope,
    Expired,
    Forked,
    Listed,
    Malformed,
    Mismatch,
    NotSigned,
    Rollback,
    Signers,
    TrustError,
    check_bytes,
    get,
    read_keys,
)
from .tuf_paths import quoted, target_name
from .tuf_signed import SignatureCheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .crypto.signatures import Key
    from .tuf_delegations import Matters
    from .tuf_files import Json

__all__ = (
    "Expired",
    "Forked",
    "Malformed",
    "Mismatch",
    "NotSigned",
    "Rollback",
    "TrustError",
    "TrustedMetadata",
    "check_target",
    "quoted",
)

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


class TrustedMetadata:
    """What is trusted now, from the root it was given.

    `now_s` (Unix seconds, 0 when unknown) may be set at any time. With 0 no update raises
    `Expired`, as nobody can tell. Attributes to read: `root_version`,
    `timestamp_version`, `snapshot_version` (0 when not loaded), `consistent_snapshot`, `rotated`,
    `forked` (a timestamp came that has the known one's version and other content; section 5.4.3
    has it passed over without an error).

    `known`: digests of what was verified before, as `SignatureCheck` takes them, or None.
    `matters(delegation)`: whether anything is asked of who is delegated to so; of the others, and
    of their files in the snapshot, nothing is kept once the targets are taken in.

    Raises:
        TrustError: `root_bytes` is not a root that signs for itself. An expired root is taken: it
            may only serve to verify its successor.
    """

    def __init__(
        self,
        root_bytes: bytes,
        now_s: int,
        known: list[bytes] | None = None,
        matters: "Matters | None" = None,
    ) -> None:
        self.now_s = now_s
        self._matters = matters
        self.root_version = 0
        self.timestamp_version = 0
        self.snapshot_version = 0
        self.rotated = False
        self.forked = False
        self._signatures = SignatureCheck(known)
        self._keys: dict[str, Key] = {}
        self._signers: dict[str, Signers] = {}
        self._expires_s: dict[str, int] = {}
        self._snapshot: Listed | None = None  # what the timestamp says of it
        self._listed: dict[str, Listed] = {}  # what the snapshot says of the targets roles
        self._targets = TargetsRoles()
        self._take_root(root_bytes, None)

    def _read(self, role: str, data: bytes) -> Envelope:
        return Envelope(role, data, LIMITS_BYTES[role if role in TOP else "delegated"])

    def _check_date(self, role: str) -> None:
        if self.now_s and self._expires_s[role] <= self.now_s:
            raise Expired(role, "expired")

    def _take_root(self, data: bytes, before: int | None) -> None:
        file = self._read("root", data)
        keys = read_keys("root", dict(get("root", file.signed, "keys", dict)))
        entries = get("root", file.signed, "roles", dict)
        signers = {}
        for role in TOP:
            signers[role] = Signers("root", get("root", entries, role, dict), keys)
        is_consistent = file.signed.get("consistent_snapshot") is True
        del entries  # else it would stay when all else is set aside
        if before is not None:
            self._signatures.check(file, self._keys, self._signers["root"])
            if file.version != before + 1:
                raise Rollback("root", "version %d after %d" % (file.version, before))
        self._signatures.check(file, keys, signers["root"])
        if before is not None:
            for role in ("timestamp", "snapshot"):
                was = self._signers[role].with_keys(self._keys)
                if was != signers[role].with_keys(keys):
                    self.rotated = True
        self.root_version = file.version
        self.consistent_snapshot = is_consistent
        self._keys = keys
        self._signers = signers
        self._expires_s["root"] = file.expires_s

    def update_root(self, data: bytes) -> None:
        """Take the next root: signed by the thresholds of the present one and of itself, version
        one higher (sections 5.3.4 and 5.3.5). Its date is judged by `update_timestamp`, when it is
        known to be the last.

        Raises:
            TrustError: refused, and the present root stays.
        """
        if self.timestamp_version:
            raise RuntimeError("roots come before the timestamp")
        self._take_root(data, self.root_version)

    def update_timestamp(self, data: bytes) -> bool:
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
        file = self._read(role, data)
        meta = get(role, file.signed, "meta", dict)
        listed = Listed(role, get(role, meta, "snapshot.json", dict))
        del meta
        self._signatures.check(file, self._keys, self._signers[role])
        if file.version < self.timestamp_version:
            raise Rollback(role, "version %d after %d" % (file.version, self.timestamp_version))
        newer = file.version > self.timestamp_version
        before = self._snapshot
        if newer:
            if before and listed.version < before.version:
                raise Rollback(role, "lists an older snapshot than before")
            self.timestamp_version = file.version
            self._snapshot = listed
            self._expires_s[role] = file.expires_s
        elif (
            before is None or not listed.is_same(before) or file.expires_s != self._expires_s[role]
        ):
            self.forked = True
        self._check_date("root")
        self._check_date(role)
        return newer

    def update_snapshot(self, data: bytes, trusted: bool = False) -> None:
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
        wanted = self._snapshot
        if wanted is None or not self._targets.is_empty():
            raise RuntimeError("the snapshot comes after the timestamp and before the targets")
        if not trusted:
            check_bytes(role, data, wanted.length, wanted.hashes)
        file = self._read(role, data)
        entries = get(role, file.signed, "meta", dict)
        listed = {}
        for name in entries:
            listed[name] = Listed(role, get(role, entries, name, dict))
        del entries
        self._signatures.check(file, self._keys, self._signers[role])
        if file.version != wanted.version:
            if not trusted:
                raise Mismatch(role, "version differs from what is listed")
        elif trusted:
            try:
                check_bytes(role, data, wanted.length, wanted.hashes)
            except Mismatch:
                raise Forked(role, "version %d again, with other content" % file.version)
        self._check_not_older(listed)
        self._listed = listed
        self.snapshot_version = file.version
        self._expires_s[role] = file.expires_s
        self._check_snapshot_version()
        self._check_date(role)

    def _check_not_older(self, listed: dict[str, Listed]) -> None:
        """Nothing that the snapshot before listed may be gone, older or another file by now."""
        role = "snapshot"
        for name in self._listed:
            if name not in listed:
                raise Rollback(role, name + " is no longer listed")
            before, now = self._listed[name], listed[name]
            if now.version < before.version:
                raise Rollback(role, "lists an older " + name + " than before")
            if now.version == before.version and now.contradicts(before):
                raise Forked(role, "%s: version %d again, with other content" % (name, now.version))

    def _check_snapshot_version(self) -> None:
        if self._snapshot is None or self.snapshot_version != self._snapshot.version:
            raise Mismatch("snapshot", "version differs from what is listed")

    def update_targets(self, data: bytes) -> None:
        """Take the top-level targets (section 5.6). Raises as `update_delegated`."""
        self.update_delegated("targets", "root", data)

    def update_delegated(self, role: str, parent: str, data: bytes) -> None:
        """Take the metadata of `role`, to which `parent` (taken in before) delegates.

        Raises:
            Expired: past its date; it was taken in all the same.
            TrustError: refused; nothing of it is used.
        """
        if not self.snapshot_version:
            raise RuntimeError("targets come after the snapshot")
        self._check_snapshot_version()
        delegation = None
        if role == "targets":
            # From here on nobody asks for the root's other roles; a board needs the room.
            signers = self._signers[role]
            keys = {keyid: self._keys[keyid] for keyid in signers.keyids if keyid in self._keys}
            self._signers = {role: signers}
            self._keys = keys
        else:
            above = self._targets.file(parent)
            if above is None:
                raise RuntimeError("the parent comes first")
            delegation = above.delegation(role)
            if delegation is None:
                raise NotSigned(role, parent + " does not delegate to it")
            keys = above.keys
            signers = delegation.signers
        wanted = self._entry(role)
        check_bytes(role, data, wanted.length, wanted.hashes)
        file = self._read(role, data)
        self._signatures.check(file, keys, signers)
        if file.version != wanted.version:
            raise Mismatch(role, "version differs from what is listed")
        file.take_up()
        taken = TargetsFile(file, self._matters)
        for name in taken.others:
            self._listed.pop(name + ".json", None)
        self._targets.take(role, taken, parent, delegation)
        self._expires_s[role] = file.expires_s
        self._check_date(role)

    def _entry(self, role: str) -> Listed:
        """What is said of the next file of `role`, which is not the root or the timestamp."""
        if role == "snapshot":
            if self._snapshot is None:
                raise RuntimeError("the snapshot comes after the timestamp")
            return self._snapshot
        try:
            return self._listed[role + ".json"]
        except KeyError:
            raise Mismatch(role, "not listed by the snapshot")

    # --- what the caller fetches ---

    def listed_version(self, role: str) -> int:
        """The version of the next file of `role`. Raises Mismatch as `file_name`."""
        return self._entry(role).version

    def limit_bytes(self, role: str) -> int:
        """The most bytes to read for the next file of `role`."""
        limit = LIMITS_BYTES[role if role in TOP else "delegated"]
        length = None if role in ("root", "timestamp") else self._entry(role).length
        return limit if length is None else min(limit, length)

    def file_name(self, role: str) -> str:
        """The name of the next file of `role` on the server (sections 5.3.3, 5.4.1, 5.5.1, 5.6.1).

        Raises:
            Mismatch: the snapshot does not list the role.
        """
        if role == "timestamp":
            return "timestamp.json"
        if role == "root":
            return str(self.root_version + 1) + ".root.json"
        version = self._entry(role).version
        name = quoted(role) + ".json"
        return str(version) + "." + name if self.consistent_snapshot else name

    def target_name(self, path: str, entry: "Json") -> str:
        """As `tuf_paths.target_name`."""
        return target_name(path, entry, self.consistent_snapshot)

    # --- what was found ---

    def fresh_until_s(self, role: str) -> int:
        """When the first of the files from the root down to `role` expires, Unix seconds: what
        `role` lists may be installed before.

        Raises:
            Expired: delegations go round, so that nobody can tell.
        """
        chain = self._targets.chain(role)
        if chain is None:
            raise Expired(role, "delegations go round in a circle")
        roles = ["root", "timestamp", "snapshot"] + chain
        return min([self._expires_s[name] for name in roles])

    def targets(self, role: str) -> "Json":
        """{path: entry} of a role taken in, without what the delegations down to it do not let it
        list.
        """
        return self._targets.targets(role)

    def find(self, path: str) -> "tuple[str, Any, Any]":
        """One step of the search for a target (section 5.6.7): preorder, terminating delegations
        end it.

        Returns one of
            ("found", role, entry)
            ("load", role, parent)  take that role in with `update_delegated`, then call again
            ("absent", None, None)
        """
        return self._targets.find(path)


def check_target(path: str, entry: "Json", data: bytes) -> None:
    """Return only if a downloaded target is the `data` (bytes) that its entry lists: length and
    every hash that we know, at least one.

    Raises:
        Mismatch: it is not.
    """
    check_bytes(path, data, entry["length"], entry["hashes"])
