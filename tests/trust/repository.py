"""A TUF repository made with python-tuf, key by key and version by version, for tests to bend.

`Repository()` has one signed version of every role; change what `repo.signed(role)` holds and
`publish(role)`. Keys come from their names, so the same test makes the same bytes.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

NOW_S = 1_790_000_000
LATER = datetime.fromtimestamp(NOW_S + 90 * 86400, tz=UTC)
BEFORE = datetime.fromtimestamp(NOW_S - 86400, tz=UTC)


def signer(name: str) -> CryptoSigner:
    """The Ed25519 key of that name."""
    seed = hashlib.sha256(name.encode()).digest()
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


def renamed(key: Key, keyid: str) -> SSlibKey:
    """The same key under another keyid."""
    return SSlibKey.from_dict(keyid, key.to_dict())


class Repository:
    """`signers[role]` are the keys that `publish` signs with; thresholds are in the metadata
    itself.
    """

    def __init__(self, *, with_hashes: bool = True, consistent_snapshot: bool = True) -> None:
        self.with_hashes = with_hashes
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.metadata: dict[str, Metadata[Any]] = {
            "root": Metadata(Root(expires=LATER, consistent_snapshot=consistent_snapshot)),
            "timestamp": Metadata(Timestamp(expires=LATER)),
            "snapshot": Metadata(Snapshot(expires=LATER)),
            "targets": Metadata(Targets(expires=LATER)),
        }
        self.published: dict[str, bytes] = {}
        for role, names, threshold in (
            ("root", ["root-1", "root-2", "root-3"], 2),
            ("timestamp", ["timestamp"], 1),
            ("snapshot", ["snapshot"], 1),
            ("targets", ["targets"], 1),
        ):
            self.set_keys(role, names, threshold)
        self.delegate("stable", ["stable-1", "stable-2", "stable-3"], 2, ["stable/*/*"])
        self.delegate("catalogue", ["catalogue"], 1, ["catalogue/*"])
        for role in ("root", "stable", "catalogue", "targets"):
            self.publish(role, first=True)
        self.publish_index(first=True)

    @property
    def root(self) -> Root:
        root = self.metadata["root"].signed
        assert isinstance(root, Root)
        return root

    def signed(self, role: str) -> Any:
        return self.metadata[role].signed

    def set_keys(self, role: str, names: list[str], threshold: int) -> None:
        """Make these the keys of a top-level role, in the root not yet published."""
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.signers[role] = [signer(name) for name in names]
        for one in self.signers[role]:
            self.root.add_key(one.public_key, role)
        self.root.roles[role].threshold = threshold

    def delegate(
        self,
        role: str,
        names: list[str],
        threshold: int,
        paths: list[str] | None,
        *,
        parent: str = "targets",
        terminating: bool = False,
        hash_prefixes: list[str] | None = None,
    ) -> None:
        """Delegate to a role that is empty so far; both are to be published."""
        targets: Targets = self.signed(parent)
        if targets.delegations is None:
            targets.delegations = Delegations(keys={}, roles={})
        assert targets.delegations.roles is not None
        targets.delegations.roles[role] = DelegatedRole(
            role, [], threshold, terminating, paths, hash_prefixes
        )
        self.signers[role] = [signer(name) for name in names]
        for one in self.signers[role]:
            targets.add_key(one.public_key, role)
        self.metadata.setdefault(role, Metadata(Targets(expires=LATER)))

    def add_target(self, role: str, path: str, data: bytes, custom: object = None) -> None:
        target = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None:
            target.unrecognized_fields["custom"] = custom
        self.signed(role).targets[path] = target

    def sign(self, role: str, signers: list[CryptoSigner] | None = None) -> bytes:
        metadata = self.metadata[role]
        metadata.signatures.clear()
        for one in self.signers[role] if signers is None else signers:
            metadata.sign(one, append=True)
        return metadata.to_bytes()

    def publish(self, role: str, *, first: bool = False) -> bytes:
        """The next version of one role, signed; the snapshot that lists it is not made."""
        if not first:
            self.signed(role).version += 1
        self.published[role] = self.sign(role)
        if role not in ("root", "timestamp", "snapshot"):
            self.signed("snapshot").meta[role + ".json"] = self._meta(role)
        return self.published[role]

    def publish_index(self, *, first: bool = False) -> None:
        """The next snapshot and timestamp."""
        self.publish("snapshot", first=first)
        self.signed("timestamp").snapshot_meta = self._meta("snapshot")
        self.publish("timestamp", first=first)

    def _meta(self, role: str) -> MetaFile:
        data = self.published[role]
        if not self.with_hashes:
            return MetaFile(self.signed(role).version)
        return MetaFile(
            self.signed(role).version, len(data), {"sha256": hashlib.sha256(data).hexdigest()}
        )
