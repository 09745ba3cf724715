"""Reading what is in force: every root, timestamp, snapshot, targets and lists, each verified
(signatures, thresholds, versions, hashes; not expiry, not the target files). For `channels`.

Snapshot and timestamp list each file's hash, so that two contents of one version, as a repository
restored from its copy may put out, are told apart.

Source: TUF specification 1.0, sections 4 and 6; docs/formats/release.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuf.api.exceptions import RepositoryError as TufError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from updater_server.channels.errors import RepositoryDamaged
from updater_server.channels.folder import Folder
from updater_server.channels.keys import KeyIdError
from updater_server.channels.metadata_file import SignedT, check_key_ids, read
from updater_server.channels.policy import (
    BRAKE_ROLES,
    DELEGATED_ROLES,
    Policy,
    PolicyError,
)


@dataclass(frozen=True)
class InForce:
    """All of it. `roots` is the chain from version 1 on; `damaged` says of delegated roles whose
    list cannot be read why, and `delegated` lacks them.
    """

    policy: Policy
    roots: list[Metadata[Root]]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    delegated: dict[str, Metadata[Targets]]
    damaged: dict[str, str]

    @property
    def root(self) -> Metadata[Root]:
        """The newest."""
        return self.roots[-1]

    def by_role(self) -> dict[str, Metadata[Any]]:
        """Every role's, the root first, the timestamp last."""
        return {
            "root": self.root,
            "targets": self.targets,
            **self.delegated,
            "snapshot": self.snapshot,
            "timestamp": self.timestamp,
        }


def read_in_force(folder: Folder, *, strict: bool) -> InForce:
    """What is in force in `folder`. With `strict=False` a delegated role's list that cannot be read
    or does not verify is put down in `damaged`, and what does not need it goes on.

    Raises:
        RepositoryDamaged: there is no repository here, or its metadata do not verify.
    """
    if not folder.is_repository:
        raise RepositoryDamaged(f"{folder.path} holds no repository: create one first")
    try:
        policy = Policy.load(folder.policy)
    except PolicyError as error:
        raise RepositoryDamaged(str(error)) from error
    roots = _roots(folder)
    root = roots[-1].signed
    timestamp = _verified(folder, "timestamp", 0, Timestamp, root)
    named = timestamp.signed.snapshot_meta
    snapshot = _verified(folder, "snapshot", named.version, Snapshot, root, named)
    versions = {name.removesuffix(".json"): m for name, m in snapshot.signed.meta.items()}
    ours = {"targets", *DELEGATED_ROLES}
    if not ours - {*BRAKE_ROLES.values()} <= set(versions) <= ours:
        raise RepositoryDamaged("the snapshot does not list exactly our roles")
    named = versions["targets"]
    targets = _verified(folder, "targets", named.version, Targets, root, named)
    delegated, damaged = {}, {}
    for role in DELEGATED_ROLES:
        if role not in versions:
            continue
        named = versions[role]
        try:
            delegated[role] = _verified(folder, role, named.version, Targets, targets.signed, named)
        except RepositoryDamaged as error:
            if strict:
                raise
            damaged[role] = str(error)
    return InForce(policy, roots, timestamp, snapshot, targets, delegated, damaged)


def _roots(folder: Folder) -> list[Metadata[Root]]:
    """The chain of roots, each signed by the one before it and by itself."""
    first = read(folder.metadata("root", 1), Root)
    roots = [_verified(folder, "root", 1, Root, first.signed)]
    while folder.metadata("root", roots[-1].signed.version + 1).exists():
        version = roots[-1].signed.version + 1
        newer = _verified(folder, "root", version, Root, roots[-1].signed)
        try:
            newer.signed.verify_delegate("root", newer.signed_bytes, newer.signatures)
        except (TufError, ValueError) as error:
            raise RepositoryDamaged(f"{newer.signed.version}.root.json: {error}") from error
        roots.append(newer)
    return roots


def _verified(
    folder: Folder,
    role: str,
    version: int,
    kind: type[SignedT],
    delegator: Root | Targets,
    named: MetaFile | None = None,
) -> Metadata[SignedT]:
    path = folder.metadata(role, version)
    metadata = read(path, kind, named)
    try:
        check_key_ids(metadata.signed)
        delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except (TufError, KeyIdError, ValueError) as error:
        raise RepositoryDamaged(f"{path.name}: {error}") from error
    if version and metadata.signed.version != version:
        raise RepositoryDamaged(f"{path.name} says version {metadata.signed.version}")
    return metadata
