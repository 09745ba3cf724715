"""Making a repository, and what changes its keys and dates: rotation, a root of its own, signing
anew, and taking up again what was restored from a copy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)

from updater_server.channels.errors import MissingSignatures, RepositoryError
from updater_server.channels.folder import Folder
from updater_server.channels.policy import (
    BRAKE_ROLES,
    CATALOGUE_ROLE,
    CHANNELS,
    DELEGATED_ROLES,
    ROLLOUT_ROLES,
    TOP_LEVEL_ROLES,
    Policy,
    PolicyError,
    key_role,
)
from updater_server.channels.published import Published
from updater_server.channels.publishing import Publishing
from updater_server.channels.restoring import RESTORED_ROLES, version_after
from updater_server.channels.signing import Signing
from updater_server.channels.staging import Edit, Staging
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Staged, Waiting
from updater_server.channels.writing import Writer

_KeysByRole = Mapping[str, Sequence[Key]]


def create(
    folder: Folder, keys: _KeysByRole, policy: Policy, signers: Sequence[Signer], now: datetime
) -> None:
    """Make and publish an empty repository: every role at version 1.

    `keys` are the public keys by role (`channels.keys.generate_all`), `signers` enough of their
    secrets to reach every threshold.

    Raises:
        PolicyError: a role has another number of keys than the policy says.
        RepositoryError: there is a repository already.
        MissingSignatures: too few signers; nothing was written.
    """
    policy.check()
    _check_is_new(folder)
    for role in policy.roles:
        _check_count(policy, role, keys.get(role, ()))
    everything = _first_versions(keys, policy, now)
    signing = Signing(everything["root"].signed, everything["targets"].signed, {})
    missing = {}
    for role, metadata in everything.items():
        signing.sign(role, metadata, signers)
        lacking = signing.missing(role, metadata)
        if lacking:
            missing[role] = lacking
    if missing:
        raise MissingSignatures(missing)
    writer = Writer(folder)
    with writer.locked():
        _check_is_new(folder)
        writer.put_out(everything, now, what="create", policy=policy)


class Ceremony:
    """Changes keys and dates of what is `published`."""

    def __init__(
        self,
        published: Published,
        waiting: Waiting,
        versions: Versions,
        staging: Staging,
        publishing: Publishing,
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._versions = versions
        self._staging = staging
        self._publishing = publishing

    def rotate(
        self,
        keys: _KeysByRole,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> list[Staged]:
        """Stage other keys for the named roles, with everything that must be signed anew because of
        it, as it is in force. Publish afterwards: from then on the old keys sign nothing.

        A top-level role's keys stand in a new root, which needs the thresholds of the old root and
        of the new one (TUF 5.3.4); the keys of channels, `catalogue` and `rollout` in new targets.

        Raises:
            PolicyError: no such role, or another number of keys than the policy says.
            RepositoryError: something else waits for a role whose keys change.
        """
        policy = self._published.policy
        for role, fresh in keys.items():
            if role not in policy.roles:
                raise PolicyError(f"no role {role}; there are {', '.join(policy.roles)}")
            _check_count(policy, role, fresh)
        with self._staging.changing(signers, now) as at:
            self._put_new_keys(keys, at)
        return self._waiting.staged()

    def rotate_root(
        self,
        keys: _KeysByRole,
        signers: Sequence[Signer],
        now: datetime | None = None,
    ) -> int:
        """`rotate` top-level roles and publish nothing but that; returns the root's version.

        Raises:
            MissingSignatures: one of the thresholds is not reached; nothing was published.
        """
        self.rotate(keys, signers, now)
        try:
            self._publishing.publish(signers, now, ("root", "targets"))
        except MissingSignatures:
            for role in ("root", "targets"):
                self._published.folder.staged(role).unlink(missing_ok=True)
            raise
        version: int = self._published.metadata["root"].signed.version
        return version

    def date_anew(
        self, role: str, signers: Sequence[Signer] = (), now: datetime | None = None
    ) -> None:
        """Stage a role with the same content and a later expiry. Publish afterwards.

        Raises:
            PolicyError: not a role that people sign.
            RepositoryError: something else waits for it.
        """
        if role not in ("root", "targets", *DELEGATED_ROLES):
            raise PolicyError(f"{role} is not dated anew by hand: publishing does it, or no role")
        with self._staging.editing(role, "date anew", signers, now, self._versions.unchanged):
            pass

    def take_up_again(
        self,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        roles: Collection[str] = RESTORED_ROLES,
    ) -> list[Staged]:
        """Stage `roles` with their content under numbers above all that was published after the
        copy was made from which this folder was restored (channels/restoring.py); what waits keeps
        its content. Publish afterwards: snapshot and timestamp follow.

        Raises:
            PolicyError: a role that cannot be taken up again (a root's numbers have no gaps).
        """
        for role in roles:
            if role not in RESTORED_ROLES:
                raise PolicyError(f"{role} is not taken up again; {', '.join(RESTORED_ROLES)} are")
        with self._staging.changing(signers, now) as at:
            for role in sorted(roles, key=lambda role: role != "targets"):
                if role not in self._published.metadata and role in BRAKE_ROLES.values():
                    continue  # it was made before there was a brake
                metadata = self._versions.next(role, at)
                metadata.signed.version = version_after(metadata.signed.version, at)
                self._staging.put(Edit(role, metadata, "take up again"), at)
        return self._waiting.staged()

    def _unchanged(self, role: str, at: datetime) -> Metadata[Any]:
        """What is in force; the first version of a brake, where there was none."""
        if role in self._published.metadata or role not in BRAKE_ROLES.values():
            return self._versions.unchanged(role, at)
        return Metadata(Targets(expires=at + self._published.policy.lifetime(role), targets={}))

    def _put_new_keys(self, keys: _KeysByRole, at: datetime) -> None:
        """Raises RepositoryError if something else waits for a list whose keys change."""
        top = {role: fresh for role, fresh in keys.items() if role in TOP_LEVEL_ROLES}
        details = {"keys of": sorted(keys)}
        if top:
            root = self._versions.next("root", at)
            for role, fresh in top.items():
                _replace_keys(root.signed, role, fresh)
            self._staging.put(Edit("root", root, "rotate", details), at)
        others = [role for role in DELEGATED_ROLES if key_role(role) in keys]
        known = self._published.metadata
        unchanged = {role: self._unchanged(role, at) for role in others}
        if others or "targets" in keys:
            targets = self._versions.next("targets", at)
            for role in others:
                if role not in known:
                    _delegate(targets.signed, role, self._published.policy)
                _replace_keys(targets.signed, role, keys[key_role(role)])
            self._staging.put(Edit("targets", targets, "rotate", details), at)
        for role, metadata in unchanged.items():
            self._staging.put(Edit(role, metadata, "rotate", details), at)


def _first_versions(keys: _KeysByRole, policy: Policy, now: datetime) -> dict[str, Metadata[Any]]:
    """Version 1 of every role, unsigned, in the order in which they are put out."""
    root = Root(
        expires=now + policy.lifetime("root"),
        keys={key.keyid: key for role in TOP_LEVEL_ROLES for key in keys[role]},
        roles={
            role: Role([key.keyid for key in keys[role]], policy.roles[role].threshold)
            for role in TOP_LEVEL_ROLES
        },
        consistent_snapshot=True,
    )
    delegations = Delegations(
        {key.keyid: key for role in DELEGATED_ROLES for key in keys[key_role(role)]},
        {
            role: DelegatedRole(
                role,
                [key.keyid for key in keys[key_role(role)]],
                policy.roles[key_role(role)].threshold,
                terminating=True,
                paths=_delegated_paths(role),
            )
            for role in DELEGATED_ROLES
        },
    )
    expires = now + policy.lifetime("targets")
    targets = Targets(expires=expires, targets={}, delegations=delegations)
    lists = {
        role: Targets(expires=now + policy.lifetime(role), targets={}) for role in DELEGATED_ROLES
    }
    versions = {f"{role}.json": MetaFile(1) for role in ("targets", *DELEGATED_ROLES)}
    return {
        "root": Metadata(root),
        "targets": Metadata(targets),
        **{role: Metadata(signed) for role, signed in lists.items()},
        "snapshot": Metadata(Snapshot(expires=now + policy.lifetime("snapshot"), meta=versions)),
        "timestamp": Metadata(Timestamp(expires=now + policy.lifetime("timestamp"))),
    }


def _delegate(targets: Targets, role: str, policy: Policy) -> None:
    """Delegate to a role that was not there before; its keys follow."""
    assert targets.delegations and targets.delegations.roles is not None
    targets.delegations.roles[role] = DelegatedRole(
        role, [], policy.roles[key_role(role)].threshold, terminating=True,
        paths=_delegated_paths(role),
    )  # fmt: skip


def _check_is_new(folder: Folder) -> None:
    if folder.is_repository:
        raise RepositoryError(f"{folder.path} holds a repository already")


def _check_count(policy: Policy, role: str, keys: Sequence[Key]) -> None:
    count = policy.roles[role].key_count
    if len({key.keyid for key in keys}) != count:
        raise PolicyError(f"{role}: {count} different keys are needed")


def _replace_keys(delegator: Root | Targets, role: str, keys: Sequence[Key]) -> None:
    for keyid in list(delegator.get_delegated_role(role).keyids):
        delegator.revoke_key(keyid, role)
    for key in keys:
        delegator.add_key(key, role)


def _delegated_paths(role: str) -> list[str]:
    if role == CATALOGUE_ROLE:
        return [f"{role}/*"]
    for channel in CHANNELS:
        if role == ROLLOUT_ROLES[channel]:
            return [f"rollout/{channel}/*"]
        if role == BRAKE_ROLES[channel]:
            return [f"brake/{channel}/*"]
    return [f"{role}/*/*"]
