"""What a publication would hold: those of the staged changes that can come into force together, and
the snapshot and timestamp that name them. Works out, and signs with what it is given; writes
nothing. For `channels.publishing`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from updater_server.channels.audit import AuditLog
from updater_server.channels.errors import MissingSignatures, RoleTooLarge
from updater_server.channels.metadata_file import ByRole, encode, file_sha256
from updater_server.channels.policy import TOP_LEVEL_ROLES, limit_bytes
from updater_server.channels.published import Published
from updater_server.channels.signing import Signing
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Waiting

NAMING_ROLES = ("snapshot", "timestamp")
"""What every publication makes anew, to name the rest."""


class Assembly:
    """Puts the next publication together from what is `published` and what waits."""

    def __init__(
        self, published: Published, waiting: Waiting, versions: Versions, log: AuditLog
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._versions = versions
        self._log = log

    def changes(self, roles: Collection[str] | None = None) -> dict[str, Metadata[Any]]:
        """What is staged (for `roles`), the root first; never snapshot or timestamp."""
        return {
            role: metadata
            for role, metadata in self._waiting.read_all().items()
            if role not in NAMING_ROLES and (roles is None or role in roles)
        }

    def sound(self, staged: ByRole) -> tuple[dict[str, Metadata[Any]], dict[str, int]]:
        """Those of `staged` that can come into force together: each signed by enough, and nothing
        that stays in force disowned by new keys. And how many signatures the rest waits for.
        """
        chosen, lacking = dict(staged), dict[str, int]()
        while True:
            after = {**self._published.metadata, **chosen}
            signing = self._published.signing(chosen)
            found = {}
            for role in after.keys() - set(NAMING_ROLES):
                if missing := signing.missing(role, after[role]):
                    found[role] = missing
            dropped = [
                role if role in chosen else "root" if role in TOP_LEVEL_ROLES else "targets"
                for role in found
            ]
            lacking |= found
            if not any(chosen.pop(role, None) for role in dropped):
                break
        for role, metadata in chosen.items():
            signing.drop_strange_signatures(role, metadata)
        return chosen, lacking

    def signed_changes(self, roles: Collection[str] | None) -> dict[str, Metadata[Any]]:
        """What is staged (for `roles`) and can come into force.

        Raises:
            MissingSignatures: nothing has its signatures, or not all of `roles`.
            RoleTooLarge: something is more than terminals take in.
        """
        chosen, lacking = self.sound(self.changes(roles))
        if lacking and (roles is not None or not chosen):
            raise MissingSignatures(lacking)
        for role, metadata in chosen.items():
            if len(encode(metadata)) > limit_bytes(role):
                raise RoleTooLarge(
                    f"what waits for {role} is more than the {limit_bytes(role)} bytes that "
                    f"terminals take in: `release withdraw {role}` takes it back"
                )
        return chosen

    def whole(
        self, staged: ByRole, signers: Sequence[Signer], now: datetime
    ) -> dict[str, Metadata[Any]]:
        """`staged` with the snapshot and timestamp that name it, signed as far as may be; each
        after what it names.
        """
        snapshot = self._snapshot(staged, signers, now)
        everything: dict[str, Metadata[Any]] = {**staged}
        if snapshot is not None:
            everything["snapshot"] = snapshot
        named = snapshot or self._published.metadata["snapshot"]
        everything["timestamp"] = self._timestamp(named, staged, now)
        signing = self._published.signing(everything)
        signing.sign("timestamp", everything["timestamp"], signers)
        return everything

    def ready(
        self, signers: Sequence[Signer], now: datetime, roles: Collection[str] | None
    ) -> dict[str, Metadata[Any]]:
        """Everything that a publication writes now, signed.

        Raises:
            MissingSignatures, RoleTooLarge: as `signed_changes`, or snapshot or timestamp lack
                signatures.
        """
        everything = self.whole(self.signed_changes(roles), signers, now)
        signing = self._published.signing(everything)
        unsigned = {
            role: missing
            for role, metadata in everything.items()
            if (missing := signing.missing(role, metadata))
        }
        if unsigned:
            raise MissingSignatures(unsigned)
        return everything

    def _snapshot(
        self, staged: ByRole, signers: Sequence[Signer], now: datetime
    ) -> Metadata[Snapshot] | None:
        """The next snapshot, signed as far as may be; None if the one in force says it all."""
        signing = self._published.signing(staged)
        meta = dict(self._published.metadata["snapshot"].signed.meta)
        for role, metadata in staged.items():
            if role != "root":
                meta[f"{role}.json"] = _named(signing, role, metadata)
        if not staged and not self._published.is_due("snapshot", now):
            return None
        # Never under a version that it lists: who takes a role's version up takes up these.
        listed = max(about.version for about in meta.values())
        version = max(self._versions.unused("snapshot", now), listed)
        snapshot = self._prepared("snapshot", signing)
        if snapshot is None or snapshot.signed.meta != meta:
            expires = now + self._published.policy.lifetime("snapshot")
            snapshot = Metadata(Snapshot(version, None, expires, meta))
            newest = self._log.newest()
            if newest:
                snapshot.signed.unrecognized_fields["log"] = newest
        signing.sign("snapshot", snapshot, signers)
        return snapshot

    def _timestamp(
        self, snapshot: Metadata[Snapshot], staged: ByRole, now: datetime
    ) -> Metadata[Timestamp]:
        """The next timestamp, unsigned unless it was prepared."""
        signing = self._published.signing(staged)
        named = _named(signing, "snapshot", snapshot)
        prepared = self._prepared("timestamp", signing)
        # Made while the snapshot's signature was elsewhere, it names the version alone.
        if prepared and prepared.signed.snapshot_meta in (named, MetaFile(named.version)):
            return prepared
        version = max(self._published.metadata["timestamp"].signed.version + 1, named.version)
        expires = now + self._published.policy.lifetime("timestamp")
        return Metadata(Timestamp(version, None, expires, named))

    def _prepared(self, role: str, signing: Signing) -> Metadata[Any] | None:
        """A snapshot or timestamp that `Publishing.prepare` staged and its key has signed since.
        One without a signature may be anybody's: it is made anew, not signed as it lies there.
        """
        metadata = self._waiting.read_all().get(role)
        return metadata if metadata is not None and signing.good(role, metadata) else None


def _named(signing: Signing, role: str, metadata: Metadata[Any]) -> MetaFile:
    """How the snapshot or timestamp names a file: with its hash, once all have signed it. The
    first version was made once and needs none.
    """
    version = metadata.signed.version
    if version == 1 or signing.missing(role, metadata):
        return MetaFile(version)
    hashes = {"sha256": file_sha256(metadata)}
    return MetaFile(version, None, hashes)  # a length would be airtime for nothing


def without_hash(timestamp: Metadata[Timestamp]) -> Metadata[Timestamp]:
    """A copy that names the snapshot's version alone; unsigned."""
    signed = timestamp.signed
    named = MetaFile(signed.snapshot_meta.version)
    return Metadata(Timestamp(
        signed.version, signed.spec_version, signed.expires, named, signed.unrecognized_fields
    ))  # fmt: skip
