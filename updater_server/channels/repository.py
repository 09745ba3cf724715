"""The TUF repository of the channels: a folder of static files, changed by people who hold keys.

For the release manager's tools (all of it) and the server (`open`, `releases`, `catalogue`,
`root_bytes`, `show`).

    <dir>/metadata/  N.root.json, N.<role>.json, N.snapshot.json, timestamp.json  (served)
    <dir>/targets/   <channel>/<class>/<sha256>.<release>.full, …                (served)
    <dir>/staged/    <role>.json: changed, perhaps not signed by enough people yet
    <dir>/audit.jsonl  who did what (channels/audit.py)

A change is staged, signed (by several people, if the threshold says so), then published as a whole
(channels/publishing.py): roles first, then snapshot, then timestamp, each by rename, so that a
reader never meets a reference to a file that is not there. What a cut leaves half done, whoever
opens the folder next completes.

Snapshot and timestamp list each file's hash, so that two contents of one version, as a repository
restored from its copy may put out, are told apart. A version that was on disk is never used again.

Every file is written in canonical JSON: the bytes of `signed` in the file are the bytes that were
signed, and none is wasted on white space, escapes or long key ids.

Source: TUF specification 1.0, sections 4 and 6; docs/formats/release.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key, Signature, Signer
from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.exceptions import RepositoryError as TufError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from updater_server.channels import offline, promotion, publishing
from updater_server.channels.audit import AuditDamaged, AuditLine, AuditLog
from updater_server.channels.entry import Catalogue, EntryError, PayloadReference, ReleaseEntry
from updater_server.channels.files import write_atomically
from updater_server.channels.layouts import does_not_fit
from updater_server.channels.payloads import Payload, PayloadError, expand
from updater_server.channels.policy import (
    CATALOGUE_ROLE,
    CHANNELS,
    DELEGATED_ROLES,
    ROLLOUT_ROLES,
    TOP_LEVEL_ROLES,
    Policy,
    PolicyError,
    key_role,
    limit_bytes,
)
from updater_server.channels.restoring import RESTORED_ROLES, version_after
from updater_server.channels.rollout import RolloutError, RolloutPlan

_SignedT = TypeVar("_SignedT", Root, Timestamp, Snapshot, Targets)
_CATALOGUE_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,31}")
_SIGNATURE_BYTES = 220  # of one more, as JSON
log = logging.getLogger("duka.channels")
CLOCK_AHEAD_LIMIT = timedelta(days=60)
"""Twice a timestamp's life after its signature, a clock that says so is doubted."""
CLOCK_BEHIND_LIMIT = timedelta(days=45)
"""Less than the other, so that what was signed too early is never beyond the other's reach."""
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


class RepositoryError(Exception):
    """The repository refuses; nothing was changed."""


class RepositoryDamaged(RepositoryError):
    """A file is missing, is not what was signed, or does not fit the others."""


class MissingSignatures(RepositoryError):
    """A role's threshold is not reached; `missing` says how many signatures each role still
    needs.
    """

    def __init__(self, missing: Mapping[str, int]) -> None:
        self.missing = dict(missing)
        wanted = ", ".join(f"{role}: {count} more" for role, count in missing.items())
        super().__init__(f"not signed by enough keys ({wanted})")


class ReleaseRefused(RepositoryError):
    """A release does not fit what the channel already holds."""


class RoleTooLarge(RepositoryError):
    """What was to be staged would be more than a terminal has room for."""


class Staged(NamedTuple):
    """A change that waits: which role, its next version, and how far its signatures are."""

    role: str
    version: int
    signed_by: list[str]
    missing: int


def encode(metadata: Metadata[Any]) -> bytes:
    """Canonical JSON of the whole file.

    Raises:
        RepositoryError: a string holds a control character, which canonical JSON would put raw into
            the file.
    """
    canonical = encode_canonical(metadata.to_dict())
    if canonical is None or _CONTROL_CHARACTER.search(canonical):
        raise RepositoryError("metadata must not contain control characters")
    return canonical.encode()


def _replace_keys(delegator: Root | Targets, role: str, keys: Sequence[Key]) -> None:
    for keyid in list(delegator.get_delegated_role(role).keyids):
        delegator.revoke_key(keyid, role)
    for key in keys:
        delegator.add_key(key, role)


def _delegated_paths(role: str) -> list[str]:
    if role == CATALOGUE_ROLE:
        return [f"{role}/*"]
    for channel, rollout_role in ROLLOUT_ROLES.items():
        if role == rollout_role:
            return [f"rollout/{channel}/*"]
    return [f"{role}/*/*"]


def _role_of(path: str) -> str:
    """The delegated role that lists a target path."""
    first, _, rest = path.partition("/")
    return ROLLOUT_ROLES.get(rest.partition("/")[0], "") if first == "rollout" else first


class Repository:
    """One repository folder. Not safe for two threads; two processes are kept apart by a lock on
    the folder.
    """

    def __init__(self, directory: Path) -> None:
        """Use `create` or `open`."""
        self.directory = directory
        self.policy = Policy()
        self._root: Metadata[Root]
        self._roots: list[Metadata[Root]] = []
        self._timestamp: Metadata[Timestamp]
        self._snapshot: Metadata[Snapshot]
        self._targets: Metadata[Targets]
        self._delegated: dict[str, Metadata[Targets]] = {}
        self._audit = AuditLog(directory / "audit.jsonl")
        self.damaged: dict[str, str] = {}
        self._together: dict[str, bytes] | None = None

    # --- making one ---

    @staticmethod
    def create(
        directory: Path,
        keys: Mapping[str, Sequence[Key]],
        policy: Policy,
        signers: Sequence[Signer],
        now: datetime | None = None,
    ) -> Repository:
        """Make and publish an empty repository: every role at version 1.

        `keys` are the public keys by role (`channels.keys.generate_all`), `signers` enough of their
        secrets to reach every threshold.

        Raises:
            PolicyError: a role has another number of keys than the policy says.
            RepositoryError: there is a repository already.
            MissingSignatures: too few signers; nothing was written.
        """
        policy.check()
        now = now or datetime.now(UTC)
        if (directory / "metadata" / "timestamp.json").exists():
            raise RepositoryError(f"{directory} holds a repository already")
        for role, rule in policy.roles.items():
            if len({key.keyid for key in keys.get(role, ())}) != rule.key_count:
                raise PolicyError(f"{role}: {rule.key_count} different keys are needed")

        def expires(role: str) -> datetime:
            return now + timedelta(days=policy.roles[key_role(role)].expiry_days)

        root = Root(
            expires=expires("root"),
            keys={key.keyid: key for role in TOP_LEVEL_ROLES for key in keys[role]},
            roles={
                role: Role([key.keyid for key in keys[role]], policy.roles[role].threshold)
                for role in TOP_LEVEL_ROLES
            },
            consistent_snapshot=True,
        )
        delegated_roles = {
            role: DelegatedRole(
                role,
                [key.keyid for key in keys[key_role(role)]],
                policy.roles[key_role(role)].threshold,
                terminating=True,
                paths=_delegated_paths(role),
            )
            for role in DELEGATED_ROLES
        }
        delegations = Delegations(
            {key.keyid: key for role in DELEGATED_ROLES for key in keys[key_role(role)]},
            delegated_roles,
        )
        repository = Repository(directory)
        repository.policy = policy
        repository._root = Metadata(root)
        repository._roots = [repository._root]
        repository._targets = Metadata(
            Targets(expires=expires("targets"), targets={}, delegations=delegations)
        )
        repository._delegated = {
            role: Metadata(Targets(expires=expires(role), targets={})) for role in DELEGATED_ROLES
        }
        versions = {f"{role}.json": MetaFile(1) for role in ("targets", *DELEGATED_ROLES)}
        repository._snapshot = Metadata(Snapshot(expires=expires("snapshot"), meta=versions))
        repository._timestamp = Metadata(Timestamp(expires=expires("timestamp")))

        everything: dict[str, Metadata[Any]] = {
            "root": repository._root,
            "targets": repository._targets,
            **repository._delegated,
            "snapshot": repository._snapshot,
            "timestamp": repository._timestamp,
        }
        missing = {}
        for role, metadata in everything.items():
            repository._sign(role, metadata, signers, {})
            lacking = repository._missing(role, metadata, {})
            if lacking:
                missing[role] = lacking
        if missing:
            raise MissingSignatures(missing)
        with repository._lock():
            if (directory / "metadata" / "timestamp.json").exists():
                raise RepositoryError(f"{directory} holds a repository already")
            repository._put_out(everything, now, "create")
        return repository

    @staticmethod
    def open(directory: Path, *, strict: bool = True) -> Repository:
        """Read and verify the published metadata (signatures, thresholds, versions, hashes; not
        expiry, not the target files). A publication that was cut is completed first.

        With `strict=False` a delegated role's list that cannot be read or does not verify is put
        down in `damaged`, and what does not need it goes on: a halt on one channel does not wait
        for the list of another.

        Raises:
            RepositoryDamaged: there is no repository here, or its metadata do not verify.
        """
        repository = Repository(directory)
        repository._complete()
        repository._load(strict=strict)
        return repository

    # --- changing it ---

    def add_release(
        self,
        channel: str,
        entry: ReleaseEntry,
        payloads: Sequence[Payload],
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """Stage a release on `channel`: store its payloads, list it, sign it with those of
        `signers` that may.

        `entry.payloads` is filled in here; returns the entry as listed. Publish afterwards.

        Raises:
            ReleaseRefused: number not above the channel's latest, security version below it,
                payload does not expand to `entry.image`, or the same number already names other
                bytes on another channel.
            EntryError: a field of `entry` is wrong.
        """
        if channel not in CHANNELS:
            raise ReleaseRefused(f"no channel {channel!r}; there are {', '.join(CHANNELS)}")
        hardware_class = entry.hardware.hardware_class
        base_path = f"{channel}/{hardware_class}/{entry.release}"
        files: dict[str, bytes] = {}
        references = []
        for payload in payloads:
            if payload.kind == "full":
                path = f"{base_path}.full"
                self._check_full(payload, entry)
            else:
                path = f"{base_path}-from-{payload.base_release}.delta"
            files[path] = payload.data
            references.append(PayloadReference(payload.kind, path, payload.base_sha256))
        if f"{base_path}.full" not in files:
            raise ReleaseRefused("a release needs a full payload")
        entry = msgspec.structs.replace(entry, payloads=references)
        entry.check()
        sizes = {path: len(data) for path, data in files.items()}
        too_large = does_not_fit(hardware_class, entry.image.size_bytes, sizes)
        if too_large:
            raise ReleaseRefused(f"{too_large}: no terminal could take it")
        self._check_same_bytes_elsewhere(entry)

        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            self._check_not_halted(channel, entry.release)
            metadata = self._next(channel, now)
            listed = self._entries(metadata.signed)
            earlier = [e for e in listed if e.hardware.hardware_class == hardware_class]
            if earlier:
                latest = max(earlier, key=lambda e: e.release)
                if entry.release <= latest.release:
                    raise ReleaseRefused(
                        f"{channel} already has release {latest.release}; the next must be higher"
                    )
                if entry.security_version < latest.security_version:
                    raise ReleaseRefused(
                        f"security version {entry.security_version} is below that of release "
                        f"{latest.release} ({latest.security_version}): no terminal would take it"
                    )
            custom = entry.custom()
            for path, data in files.items():
                target = TargetFile.from_data(path, data, ["sha256"])
                if path.endswith(".full"):
                    target.unrecognized_fields = {"custom": custom}
                metadata.signed.targets[path] = target
                self._store_target(target, data)
            self._drop_old_releases(metadata.signed, hardware_class)
            details = {"release": entry.release, "image": entry.image.sha256}
            self._stage(channel, metadata, signers, f"add release to {channel}", details, now)
        return entry

    def promotable(
        self,
        from_channel: str,
        to_channel: str,
        release: int,
        hardware_class: str,
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """The published entry that `promote` would list on another channel.

        Raises:
            ReleaseRefused: `to_channel` is not the one behind `from_channel`, which every release
                passes in turn; or `from_channel` does not list the release, has run out, or the
                release is halted there or before.
        """
        if (from_channel, to_channel) not in itertools.pairwise(CHANNELS):
            raise ReleaseRefused(
                f"a release goes from channel to channel in this order: {', '.join(CHANNELS)}; "
                f"{to_channel} is not the next after {from_channel}"
            )
        self._check_not_halted(from_channel, release)
        if self._list(from_channel).signed.is_expired(now or datetime.now(UTC)):
            raise ReleaseRefused(
                f"what {from_channel} lists is no longer in force: `release sign {from_channel} "
                f"--anew`, and publish"
            )
        for entry in self.releases(from_channel):
            if (entry.release, entry.hardware.hardware_class) == (release, hardware_class):
                return entry
        raise ReleaseRefused(f"{from_channel} has no release {release} for {hardware_class}")

    def promote(
        self,
        from_channel: str,
        to_channel: str,
        release: int,
        hardware_class: str,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """Stage a published release of one channel on the next: the same bytes, never a rebuild.

        Raises:
            ReleaseRefused: as `promotable` and `add_release`.
        """
        entry = self.promotable(from_channel, to_channel, release, hardware_class, now)
        payloads = self.promoted_payloads(entry, to_channel)
        return self.add_release(to_channel, entry, payloads, signers, now)

    def promoted_payloads(self, entry: ReleaseEntry, to_channel: str) -> list[Payload]:
        """The full payload of a listed release, the same bytes, and deltas from what `to_channel`
        lists.
        """
        bases = self.images(to_channel, entry.hardware.hardware_class, entry.release)
        return promotion.payloads_for(self.target_bytes(promotion.full_path(entry)), bases)

    def images(self, channel: str, hardware_class: str, below: int) -> dict[int, bytes]:
        """The images that `channel` lists for a class under a release number: what may run there.

        Raises:
            RepositoryDamaged: a payload is missing, or does not make the listed image.
        """
        found = {}
        for entry in self.releases(channel):
            if entry.hardware.hardware_class == hardware_class and entry.release < below:
                full = Payload("full", self.target_bytes(promotion.full_path(entry)))
                try:
                    self._check_full(full, entry)
                except ReleaseRefused as error:
                    raise RepositoryDamaged(f"{channel}, {entry.release}: {error}") from error
                found[entry.release] = expand(full)
        return found

    def set_catalogue(
        self,
        name: str,
        catalogue: Catalogue,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> None:
        """Stage the price list `catalogue/<name>.json`.

        Raises:
            ReleaseRefused: bad name, or its version is not above the one in force.
            EntryError: a field of the catalogue is wrong.
        """
        if not _CATALOGUE_NAME.fullmatch(name):
            raise ReleaseRefused(f"{name!r} cannot be the name of a catalogue")
        catalogue.check()
        path = f"{CATALOGUE_ROLE}/{name}.json"
        data = catalogue.encode()
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            if path in self._list(CATALOGUE_ROLE).signed.targets:
                in_force = self.catalogue(name)
                if catalogue.version <= in_force.version:
                    raise ReleaseRefused(
                        f"{path} is at version {in_force.version}; the next must be higher"
                    )
            metadata = self._next(CATALOGUE_ROLE, now)
            target = TargetFile.from_data(path, data, ["sha256"])
            metadata.signed.targets[path] = target
            self._store_target(target, data)
            details = {"version": catalogue.version, "sha256": target.hashes["sha256"]}
            self._stage(CATALOGUE_ROLE, metadata, signers, f"set prices {name}", details, now)

    def rollout(self, channel: str) -> RolloutPlan:
        """The plan in force on `channel`.

        Raises:
            RepositoryError: no such channel.
        """
        if channel not in CHANNELS:
            raise RepositoryError(f"no channel {channel!r}")
        return self._plan(channel, self._list(ROLLOUT_ROLES[channel]).signed)

    def is_let_out(self, channel: str, release: int) -> bool:
        """Whether the plan in force or waiting lets anybody have `release`, or halts it."""
        if ROLLOUT_ROLES[channel] in self.damaged:
            return True
        waiting = self._read_staged(ROLLOUT_ROLES[channel])
        plan = self._plan(channel, waiting.signed) if waiting else self.rollout(channel)
        wave = plan.releases.get(str(release))
        return release in plan.halted or bool(wave and wave.threshold)

    def set_rollout(
        self,
        channel: str,
        release: int,
        threshold: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Stage: `threshold` of 10,000 terminals may take `release`. Publish afterwards.

        Raises:
            ReleaseRefused: the channel lists no such release, or the threshold is out of bounds.
        """
        what = f"roll out on {channel}"
        details = {"release": release, "threshold": threshold}
        return self._replan(channel, release, what, details, signers, now)

    def halt(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Stage: nobody switches to `release` any more, not even who has it already. Publish
        afterwards.

        Raises:
            ReleaseRefused: the channel lists no such release.
        """
        details = {"release": release, "halted": True}
        return self._replan(channel, release, f"halt on {channel}", details, signers, now)

    def resume(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Stage: `release` is let go on again, as far as its threshold says. Publish afterwards.

        Raises:
            ReleaseRefused: it is not halted.
        """
        details = {"release": release, "halted": False}
        return self._replan(channel, release, f"resume on {channel}", details, signers, now)

    def _replan(
        self,
        channel: str,
        release: int,
        what: str,
        details: dict[str, Any],
        signers: Sequence[Signer],
        now: datetime | None,
    ) -> RolloutPlan:
        if channel not in CHANNELS:
            raise ReleaseRefused(f"no channel {channel!r}; there are {', '.join(CHANNELS)}")
        now = now or datetime.now(UTC)
        role = ROLLOUT_ROLES[channel]
        with self._lock():
            self._load()
            waiting = self._read_staged(channel) or self._list(channel)
            listed = {entry.release for entry in self._entries(waiting.signed)}
            if release not in listed:
                raise ReleaseRefused(f"{channel} lists no release {release}")
            metadata = self._next(role, now)
            plan = self._plan(channel, metadata.signed).only(listed)
            if "threshold" in details:
                try:
                    plan = plan.with_threshold(release, details["threshold"])
                except RolloutError as error:
                    raise ReleaseRefused(str(error)) from error
            else:
                if not details["halted"] and release not in plan.halted:
                    raise ReleaseRefused(f"release {release} is not halted on {channel}")
                plan = plan.with_halted(release, details["halted"])
            data = plan.encode()
            target = TargetFile.from_data(f"rollout/{channel}/plan.json", data, ["sha256"])
            target.unrecognized_fields = {"custom": plan.custom()}
            metadata.signed.targets = {target.path: target}
            self._store_target(target, data)
            self._stage(role, metadata, signers, what, details, now)
        return plan

    @staticmethod
    def _plan(channel: str, signed: Targets) -> RolloutPlan:
        target = signed.targets.get(f"rollout/{channel}/plan.json")
        return RolloutPlan.parse(target.custom) if target else RolloutPlan()

    def sign(self, role: str, signers: Sequence[Signer]) -> Staged:
        """Add signatures to a staged role; returns how far it is.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        with self._lock():
            self._load()
            metadata = self._read_staged(role)
            if metadata is None:
                raise RepositoryError(f"nothing is staged for {role}")
            before = set(metadata.signatures)
            self._sign(role, metadata, signers, self._all_staged())
            added = set(metadata.signatures) - before
            write_atomically(self._staged_path(role), encode(metadata))
            self._note(f"sign {role}", {"version": metadata.signed.version}, [*added])
        return next(staged for staged in self.staged() if staged.role == role)

    def to_sign(self, role: str) -> bytes:
        """What is staged for `role`, as `channels.offline` takes it to a machine without network.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        metadata = self._read_staged(role)
        if metadata is None:
            raise RepositoryError(f"nothing is staged for {role}")
        return offline.export(role, metadata.signed_bytes)

    def add_signature(self, role: str, keyid: str, signature: str) -> Staged:
        """Add a signature that was made elsewhere to a staged role; returns how far it is.

        Raises:
            RepositoryError: nothing is staged for `role`, the key may not sign for it, or the
                signature is of something else.
        """
        with self._lock():
            self._load()
            metadata = self._read_staged(role)
            if metadata is None:
                raise RepositoryError(f"nothing is staged for {role}")
            key = self._may_sign(role, self._all_staged()).get(keyid)
            if key is None:
                raise RepositoryError(f"key {keyid} does not sign for {role}")
            added = Signature(keyid, signature)
            try:
                key.verify_signature(added, metadata.signed_bytes)
            except UnverifiedSignatureError as error:
                raise RepositoryError(
                    f"that signature is not of what is staged for {role}: export it again"
                ) from error
            metadata.signatures[keyid] = added
            self._note(f"import signature {role}", {"version": metadata.signed.version}, [keyid])
            write_atomically(self._staged_path(role), encode(metadata))
        return next(staged for staged in self.staged() if staged.role == role)

    def staged(self) -> list[Staged]:
        """What waits to be published."""
        waiting = self._all_staged()
        return [
            Staged(
                role,
                metadata.signed.version,
                sorted(metadata.signatures),
                self._missing(role, metadata, waiting),
            )
            for role, metadata in waiting.items()
        ]

    def prepare(self, signers: Sequence[Signer] = (), now: datetime | None = None) -> list[Staged]:
        """Stage the snapshot and timestamp that would put everything staged into force, for keys
        that are elsewhere; `publish` then takes them as they are. Returns what waits.
        """
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            staged = self._changes(None)
            for role, metadata in self._publication(staged, signers, now).items():
                if role not in staged:
                    write_atomically(self._staged_path(role), encode(metadata))
                    details = {"version": metadata.signed.version}
                    self._note(f"prepare {role}", details, [*metadata.signatures], now)
        return self.staged()

    def publish(
        self,
        signers: Sequence[Signer],
        now: datetime | None = None,
        roles: Collection[str] | None = None,
    ) -> int:
        """Put everything staged (or only what is staged for `roles`) into force, with a fresh
        snapshot and timestamp; returns the timestamp's version.

        With nothing staged only the timestamp is renewed (and the snapshot, when half of its time
        has passed).

        Raises:
            MissingSignatures: a staged role, snapshot or timestamp lacks signatures; nothing was
                published.
            RepositoryDamaged: the published state does not verify.
        """
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            staged = self._changes(roles)
            everything = self._publication(staged, signers, now)
            lacking = {
                role: self._missing(role, metadata, everything)
                for role, metadata in everything.items()
            }
            for role in set(self._in_force()) - set(everything):
                # What stays must hold under the keys that come, or nothing opens the folder any
                # more.
                lacking[role] = self._missing(role, self._in_force()[role], everything)
            if any(lacking.values()):
                raise MissingSignatures({role: count for role, count in lacking.items() if count})
            self._put_out(everything, now)
            for role in everything:
                self._staged_path(role).unlink(missing_ok=True)
            self._load()
        return self._timestamp.signed.version

    def renew(self, signers: Sequence[Signer], now: datetime | None = None) -> list[str]:
        """Sign anew, with the same content, what is signed online and has passed half of its time:
        timestamp, snapshot, rollout plans (those whose keys are among `signers`). Returns the
        roles. What people have staged is left alone.

        Raises:
            MissingSignatures: the timestamp's or snapshot's key is not among `signers`.
            RepositoryError: `now` can hardly be the time (`doubt_of_clock`); nothing was signed.
        """
        now = now or datetime.now(UTC)
        held = {signer.public_key.keyid for signer in signers}
        plans = []
        with self._lock():
            self._load()
            doubt = self.doubt_of_clock(now)
            if doubt:
                raise RepositoryError(doubt)
            before = {role: metadata.signed.version for role, metadata in self._in_force().items()}
            for role in ROLLOUT_ROLES.values():
                may_sign = held & set(self._may_sign(role, {}))
                if role in self.damaged:
                    continue
                if self._is_due(role, now) and may_sign and self._read_staged(role) is None:
                    plans.append(role)
                    self._stage(role, self._next(role, now), signers, "renew", {}, now)
            top = self._is_due("timestamp", now) or self._is_due("snapshot", now)
            if not plans and not top:
                return []
        self.publish(signers, now, plans)
        return [
            role
            for role, metadata in self._in_force().items()
            if metadata.signed.version != before[role]
        ]

    def expires(self, role: str) -> int:
        """Until when what is in force for a role counts, Unix seconds."""
        return int(self._in_force()[role].signed.expires.timestamp())

    def _changes(self, roles: Collection[str] | None) -> dict[str, Metadata[Any]]:
        """What is staged for `roles`, the root first; never snapshot or timestamp."""
        return {
            role: metadata
            for role, metadata in self._all_staged().items()
            if role not in ("snapshot", "timestamp") and (roles is None or role in roles)
        }

    def _publication(
        self, staged: Mapping[str, Metadata[Any]], signers: Sequence[Signer], now: datetime
    ) -> dict[str, Metadata[Any]]:
        """`staged` with the snapshot and timestamp that name it, signed as far as may be; each
        after what it names.
        """
        snapshot = self._snapshot
        meta = dict(snapshot.signed.meta)
        for role, metadata in staged.items():
            if role != "root":
                meta[f"{role}.json"] = self._named(role, metadata, staged)
        if staged or self._is_due("snapshot", now):
            # Never under a version that it lists: who takes a role's version up takes up these.
            listed = max(about.version for about in meta.values())
            version = max(self._unused_version("snapshot"), listed)
            prepared = self._read_staged("snapshot")
            snapshot = Metadata(Snapshot(version, None, self._expiry("snapshot", now), meta))
            if prepared and prepared.signed.meta == meta:
                snapshot = prepared
            self._sign("snapshot", snapshot, signers, {**staged, "snapshot": snapshot})
        named = self._named("snapshot", snapshot, staged)
        version = max(self._timestamp.signed.version + 1, named.version)
        timestamp = Metadata(Timestamp(version, None, self._expiry("timestamp", now), named))
        prepared_timestamp = self._read_staged("timestamp")
        if prepared_timestamp:
            # Made while the snapshot's signature was elsewhere, it names the version alone.
            names = prepared_timestamp.signed.snapshot_meta
            if names in (named, MetaFile(named.version)):
                timestamp = prepared_timestamp
        everything: dict[str, Metadata[Any]] = {**staged}
        if snapshot is not self._snapshot:
            everything["snapshot"] = snapshot
        everything["timestamp"] = timestamp
        self._sign("timestamp", timestamp, signers, everything)
        return everything

    def _named(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> MetaFile:
        """How the snapshot or timestamp names a file: with its hash, once all have signed it. The
        first version was made once and needs none.
        """
        version = metadata.signed.version
        if version == 1 or self._missing(role, metadata, coming):
            return MetaFile(version)
        digest = hashlib.sha256(encode(metadata)).hexdigest()
        return MetaFile(version, None, {"sha256": digest})  # a length would be airtime for nothing

    def _unused_version(self, role: str) -> int:
        """Above the one in force, and above all that is on disk, published or not."""
        names = (self.directory / "metadata").glob(f"*.{role}.json")
        on_disk = [int(n) for n in (path.name.split(".")[0] for path in names) if n.isdigit()]
        in_force: int = self._in_force()[role].signed.version
        return max([in_force, *on_disk]) + 1

    def rotate(
        self,
        keys: Mapping[str, Sequence[Key]],
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> list[Staged]:
        """Stage other keys for the named roles, with everything that must be signed anew because of
        it. Publish afterwards: from then on the old keys sign nothing.

        A top-level role's keys stand in a new root, which needs the thresholds of the old root and
        of the new one (TUF 5.3.4); the keys of channels, `catalogue` and `rollout` in new targets.

        Raises:
            PolicyError: no such role, or another number of keys than the policy says.
        """
        now = now or datetime.now(UTC)
        for role, fresh in keys.items():
            rule = self.policy.roles.get(role)
            if rule is None:
                raise PolicyError(f"no role {role}; there are {', '.join(self.policy.roles)}")
            if len({key.keyid for key in fresh}) != rule.key_count:
                raise PolicyError(f"{role}: {rule.key_count} different keys are needed")
        with self._lock():
            self._load()
            with self._staging_together():
                self._stage_new_keys(keys, signers, now)
        return self.staged()

    def _stage_new_keys(
        self, keys: Mapping[str, Sequence[Key]], signers: Sequence[Signer], now: datetime
    ) -> None:
        top = {role: fresh for role, fresh in keys.items() if role in TOP_LEVEL_ROLES}
        details = {"keys of": sorted(keys)}
        if top:
            root = self._next_root(now)
            for role, fresh in top.items():
                _replace_keys(root.signed, role, fresh)
            self._stage("root", root, signers, "rotate", details, now)
        others = [role for role in DELEGATED_ROLES if key_role(role) in keys]
        if others or "targets" in keys:
            targets = self._next("targets", now)
            for role in others:
                _replace_keys(targets.signed, role, keys[key_role(role)])
            self._stage("targets", targets, signers, "rotate", details, now)
        for role in others:
            self._stage(role, self._next(role, now), signers, "rotate", details, now)

    def date_anew(
        self, role: str, signers: Sequence[Signer] = (), now: datetime | None = None
    ) -> None:
        """Stage a role with the same content and a later expiry. Publish afterwards.

        Raises:
            PolicyError: not a role that people sign.
        """
        now = now or datetime.now(UTC)
        if role not in ("root", "targets", *DELEGATED_ROLES):
            raise PolicyError(f"{role} is not dated anew by hand: publishing does it, or no role")
        with self._lock():
            self._load()
            metadata = self._next_root(now) if role == "root" else self._next(role, now)
            self._stage(role, metadata, signers, "date anew", {}, now)

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
        now = now or datetime.now(UTC)
        for role in roles:
            if role not in RESTORED_ROLES:
                raise PolicyError(f"{role} is not taken up again; {', '.join(RESTORED_ROLES)} are")
        with self._lock():
            self._load()
            with self._staging_together():
                for role in sorted(roles, key=lambda role: role != "targets"):
                    metadata = self._next(role, now)
                    metadata.signed.version = version_after(metadata.signed.version, now)
                    self._stage(role, metadata, signers, "take up again", {}, now)
        return self.staged()

    def rotate_root(
        self,
        keys: Mapping[str, Sequence[Key]],
        signers: Sequence[Signer],
        now: datetime | None = None,
    ) -> int:
        """`rotate` top-level roles and publish nothing but that; returns the root's version.

        Raises:
            MissingSignatures: one of the thresholds is not reached; nothing was published.
        """
        self.rotate(keys, signers, now)
        try:
            self.publish(signers, now, ("root", "targets"))
        except MissingSignatures:
            for role in ("root", "targets"):
                self._staged_path(role).unlink(missing_ok=True)
            raise
        return self._root.signed.version

    # --- reading it ---

    def root_bytes(self) -> bytes:
        """The newest root metadata file: what a technician puts on a terminal."""
        return self._metadata_path("root", self._root.signed.version).read_bytes()

    def root_digest(self) -> str:
        """SHA-256 of the newest root file, in hex: what people compare on paper."""
        return hashlib.sha256(self.root_bytes()).hexdigest()

    def releases(self, channel: str) -> list[ReleaseEntry]:
        """What `channel` lists, highest release first.

        Raises:
            RepositoryError: no such channel.
        """
        if channel not in CHANNELS:
            raise RepositoryError(f"no channel {channel!r}")
        return self._entries(self._list(channel).signed)

    def catalogue_names(self) -> list[str]:
        """Names of the catalogues in force."""
        return sorted(
            path.removeprefix(f"{CATALOGUE_ROLE}/").removesuffix(".json")
            for path in self._list(CATALOGUE_ROLE).signed.targets
        )

    def catalogue(self, name: str) -> Catalogue:
        """The price list in force under `name`.

        Raises:
            RepositoryError: none of that name.
            RepositoryDamaged: its file is missing or not what was signed.
        """
        return Catalogue.parse(self.target_bytes(f"{CATALOGUE_ROLE}/{name}.json"))

    def target_bytes(self, path: str) -> bytes:
        """A listed target's content, checked against its length and hash.

        Raises:
            RepositoryError: not listed.
            RepositoryDamaged: missing or changed on disk.
        """
        role = _role_of(path)
        target = self._list(role).signed.targets.get(path) if role in DELEGATED_ROLES else None
        if target is None:
            raise RepositoryError(f"no target {path}")
        try:
            data = self._target_path(target).read_bytes()
            target.verify_length_and_hashes(data)
        except (OSError, TufError) as error:
            raise RepositoryDamaged(f"target {path}: {error}") from error
        return data

    def catalogue_targets(self) -> list[str]:
        """Target paths of the price lists in force."""
        return [f"{CATALOGUE_ROLE}/{name}.json" for name in self.catalogue_names()]

    def target_file(self, path: str) -> Path:
        """Where a listed target's content is. Raises as `target_bytes`."""
        self.target_bytes(path)
        return self._target_path(self._list(_role_of(path)).signed.targets[path])

    def metadata_files(self) -> list[Path]:
        """The files in force, in an order in which they can be put out: every root first, the
        timestamp last.
        """
        roots = [self._metadata_path("root", root.signed.version) for root in self._roots]
        others = [
            self._metadata_path(role, metadata.signed.version)
            for role, metadata in self._in_force().items()
            if role != "root"
        ]
        return [*roots, *others]

    def in_force(self) -> dict[str, tuple[int, str]]:
        """Version and SHA-256 of what is in force, by role."""
        return {
            role: (metadata.signed.version, hashlib.sha256(encode(metadata)).hexdigest())
            for role, metadata in self._in_force().items()
        }

    def signed_at(self, role: str) -> datetime:
        """When what is in force for a role was signed, by its expiry."""
        expires: datetime = self._in_force()[role].signed.expires
        return expires - timedelta(days=self.policy.roles[key_role(role)].expiry_days)

    def doubt_of_clock(self, now: datetime) -> str:
        """Why `now` cannot well be the time, by the last timestamp; "" if it may be.

        What is signed by a clock that runs ahead lasts for as long as it runs ahead, and a thief of
        the network can serve it for as long.
        """
        last = self.signed_at("timestamp")
        if now - last > CLOCK_AHEAD_LIMIT:
            which = "after"
        elif last - now > CLOCK_BEHIND_LIMIT:
            which = "before"
        else:
            return ""
        return (
            f"the clock says {now:%Y-%m-%d}, {abs(now - last).days} days {which} the last "
            f"signature of {last:%Y-%m-%d}: set it, or if it is right, publish by hand"
        )

    def _is_due(self, role: str, now: datetime) -> bool:
        """Whether half of a role's time has passed, or more is left than it should ever have."""
        whole = timedelta(days=self.policy.roles[key_role(role)].expiry_days)
        left: timedelta = self._in_force()[role].signed.expires - now
        return left < whole / 2 or left > whole + timedelta(days=1)

    def verify(self, now: datetime | None = None) -> list[str]:
        """Everything a terminal would check, and that each listed file is there: a list of
        problems, empty when sound.
        """
        now = now or datetime.now(UTC)
        try:
            self._load()
        except RepositoryDamaged as error:
            return [str(error)]
        problems = [*self.damaged.values()]
        for name, metadata in self._in_force().items():
            if metadata.signed.is_expired(now):
                problems.append(f"{name} expired at {metadata.signed.expires:%Y-%m-%d %H:%M} UTC")
        for role, metadata in self._delegated.items():
            assert self._targets.signed.delegations and self._targets.signed.delegations.roles
            delegation = self._targets.signed.delegations.roles[role]
            for path in metadata.signed.targets:
                if not delegation.is_delegated_path(path):
                    problems.append(f"{role} lists {path}, which it may not")
                try:
                    self.target_bytes(path)
                except RepositoryError as error:
                    problems.append(str(error))
            if role in ROLLOUT_ROLES.values():
                try:
                    self._plan(role.removeprefix("rollout-"), metadata.signed)
                except RolloutError as error:
                    problems.append(f"{role}: {error}")
            if role in CHANNELS:
                try:
                    for entry in self._entries(metadata.signed):
                        for reference in entry.payloads:
                            if reference.path not in metadata.signed.targets:
                                problems.append(f"{role}: payload {reference.path} is not listed")
                except EntryError as error:
                    problems.append(f"{role}: {error}")
        return problems

    def audit(self) -> list[AuditLine]:
        """What was done to this repository, oldest first.

        Raises:
            RepositoryDamaged: the log was changed, or does not tell of what is in force.
        """
        try:
            lines = list(self._audit.read())
        except AuditDamaged as error:
            raise RepositoryDamaged(f"audit log: {error}") from error
        told: dict[str, int] = {}
        for line in lines:
            if line.what == "publish":
                told |= line.details
            elif line.what == "create":
                told |= dict.fromkeys(line.details["roles"], 1)
        for role, metadata in self._in_force().items():
            if told.get(role) != metadata.signed.version:
                raise RepositoryDamaged(
                    f"audit log: {role} is at version {metadata.signed.version}, the log tells of "
                    f"{told.get(role, 'none')}"
                )
        return lines

    def show(self) -> dict[str, Any]:
        """Roles (version, expiry, threshold, keys, file size), releases by channel and catalogues,
        as plain values.
        """
        shown = {}
        for name, metadata in self._in_force().items():
            rule = self._delegator(name).get_delegated_role(name)
            shown[name] = {
                "version": metadata.signed.version,
                "expires": int(metadata.signed.expires.timestamp()),
                "threshold": rule.threshold,
                "keys": list(rule.keyids),
                "size_bytes": len(encode(metadata)),
            }
        return {
            "roles": shown,
            "channels": {
                channel: [entry.custom() for entry in self.releases(channel)]
                for channel in CHANNELS
            },
            "rollouts": {channel: self.rollout(channel).custom() for channel in CHANNELS},
            "catalogues": self.catalogue_names(),
            "staged": [staged._asdict() for staged in self.staged()],
        }

    # --- inside ---

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            publication = publishing.pending(self.directory)
            if publication is not None:
                self._carry_through(publication)
            yield

    def _note(
        self, what: str, details: dict[str, Any], keys: Sequence[str], now: datetime | None = None
    ) -> None:
        """Log before doing: nothing comes into force that the log does not tell of."""
        self._audit.append(what, details, keys, now)

    def _put_out(
        self, everything: Mapping[str, Metadata[Any]], now: datetime, what: str = "publish"
    ) -> None:
        """Put files into force, in this order, as one; the caller holds the lock."""
        publication = publishing.Publication(
            [
                (
                    f"metadata/{self._metadata_path(role, metadata.signed.version).name}",
                    encode(metadata).decode(),
                )
                for role, metadata in everything.items()
            ],
            {role: metadata.signed.version for role, metadata in everything.items()},
            sorted({keyid for m in everything.values() for keyid in m.signatures}),
            int(now.timestamp()),
            what,
            msgspec.json.encode(self.policy).decode() if what == "create" else "",
        )
        publishing.begin(self.directory, publication)
        self._carry_through(publication)

    def _carry_through(self, publication: publishing.Publication) -> None:
        is_told = self._audit.tells(publication.what, publication.details())
        if publication.what and not is_told:
            at = datetime.fromtimestamp(publication.at, UTC)
            self._note(publication.what, publication.details(), publication.keys, at)
        publishing.put_out(self.directory, publication)

    def _complete(self) -> None:
        """Complete a publication that was cut. Who may not write here reads what is there."""
        if not publishing.is_pending(self.directory):
            return
        try:
            with self._lock():
                pass
        except OSError:
            log.warning("a publication in %s waits to be completed", self.directory)

    def _metadata_path(self, role: str, version: int) -> Path:
        name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
        return self.directory / "metadata" / name

    def _staged_path(self, role: str) -> Path:
        return self.directory / "staged" / f"{role}.json"

    def _target_path(self, target: TargetFile) -> Path:
        folder, _, name = target.path.rpartition("/")
        return self.directory / "targets" / folder / f"{target.hashes['sha256']}.{name}"

    def _store_target(self, target: TargetFile, data: bytes) -> None:
        path = self._target_path(target)
        if not path.exists() or path.read_bytes() != data:
            write_atomically(path, data)

    def _expiry(self, role: str, now: datetime) -> datetime:
        return now + timedelta(days=self.policy.roles[key_role(role)].expiry_days)

    def _delegator(
        self, role: str, coming: Mapping[str, Metadata[Any]] | None = None
    ) -> Root | Targets:
        """Who says which keys sign for `role`: as in force, or as it will be with `coming`."""
        coming = coming or {}
        if role in TOP_LEVEL_ROLES:
            root: Root = coming.get("root", self._root).signed
            return root
        targets: Targets = coming.get("targets", self._targets).signed
        return targets

    def _may_sign(self, role: str, coming: Mapping[str, Metadata[Any]]) -> dict[str, Key]:
        """Keys whose signature on the next version of `role` counts: a root's also by the old."""
        delegators = [self._delegator(role, coming)]
        if role == "root":
            delegators.append(self._root.signed)
        found: dict[str, Key] = {}
        for delegator in delegators:
            listed = delegator if isinstance(delegator, Root) else delegator.delegations
            assert listed
            for keyid in delegator.get_delegated_role(role).keyids:
                found[keyid] = listed.keys[keyid]
        return found

    def _sign(
        self,
        role: str,
        metadata: Metadata[Any],
        signers: Sequence[Signer],
        coming: Mapping[str, Metadata[Any]],
    ) -> None:
        """Sign with those who may, until the threshold is reached: one more is 200 bytes on air."""
        allowed = self._may_sign(role, coming)
        for signer in signers:
            keyid = signer.public_key.keyid
            if keyid not in allowed or keyid in metadata.signatures:
                continue
            before = self._needs(role, metadata, coming)
            if not any(before):
                return
            metadata.sign(signer, append=True)
            if self._needs(role, metadata, coming) == before:
                del metadata.signatures[keyid]

    def _needs(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> list[int]:
        """How many signatures each who judges `metadata` still asks for: a root has two judges, the
        root in force and itself.
        """
        judges = [self._delegator(role, coming)]
        if role == "root":
            judges = [self._root.signed, metadata.signed]
        content, signatures = metadata.signed_bytes, metadata.signatures
        return [
            judge.get_verification_result(role, content, signatures).missing for judge in judges
        ]

    def _missing(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> int:
        """How many signatures `metadata` still needs to be the next version of `role`."""
        return max(self._needs(role, metadata, coming))

    def _stage(
        self,
        role: str,
        metadata: Metadata[Any],
        signers: Sequence[Signer],
        what: str,
        details: dict[str, Any],
        now: datetime,
    ) -> None:
        coming = {**self._all_staged(), role: metadata}
        self._sign(role, metadata, signers, coming)
        content = encode(metadata)
        size_bytes = len(content) + self._missing(role, metadata, coming) * _SIGNATURE_BYTES
        if size_bytes > limit_bytes(role):
            raise RoleTooLarge(
                f"{role} would hold {size_bytes} bytes, and terminals take in at most "
                f"{limit_bytes(role)}: list fewer releases (`releases_listed` in policy.json) or "
                f"offer fewer deltas; nothing was staged"
            )
        if self._together is None:
            write_atomically(self._staged_path(role), content)
        else:
            self._together[role] = content
        details = {**details, "role": role, "version": metadata.signed.version}
        self._note(what, details, [*metadata.signatures], now)

    @contextmanager
    def _staging_together(self) -> Iterator[None]:
        """What is staged inside is on disk as a whole or not at all: new keys of a role count only
        with all that they must sign anew. The caller holds the lock.
        """
        self._together = {}
        try:
            yield
            files = [(f"staged/{role}.json", c.decode()) for role, c in self._together.items()]
            publication = publishing.Publication(files, {}, [], 0, "")
            publishing.begin(self.directory, publication)
            publishing.put_out(self.directory, publication)
        finally:
            self._together = None

    def _in_force(self) -> dict[str, Metadata[Any]]:
        return {
            "root": self._root,
            "targets": self._targets,
            **self._delegated,
            "snapshot": self._snapshot,
            "timestamp": self._timestamp,
        }

    def _read_staged(self, role: str) -> Metadata[Any] | None:
        """The staged file, unless a publication overtook it (cut between publishing and clearing
        up).
        """
        path = self._staged_path(role)
        together = (self._together or {}).get(role)
        if together is not None:
            return Metadata.from_bytes(together)
        if not path.exists():
            return None
        published = self._in_force().get(role)
        if published is None:  # its list in force cannot be read: nothing is built on it
            return None
        metadata: Metadata[Any] = self._read(path, type(published.signed))
        return metadata if metadata.signed.version > published.signed.version else None

    def _all_staged(self) -> dict[str, Metadata[Any]]:
        """Everything staged, by role."""
        found = {role: self._read_staged(role) for role in self._in_force()}
        return {role: metadata for role, metadata in found.items() if metadata is not None}

    def _next_root(self, now: datetime) -> Metadata[Root]:
        """As `_next`, of the root."""
        root: Metadata[Root] | None = self._read_staged("root")
        if root is None:
            root = Metadata[Root].from_bytes(encode(self._root))
            root.signed.version += 1  # one by one: the terminals walk along them
        root.signatures.clear()
        root.signed.expires = self._expiry("root", now)
        return root

    def _next(self, role: str, now: datetime) -> Metadata[Targets]:
        """The staged version of `role`, or a copy of the published one with the next number;
        unsigned, freshly dated.
        """
        metadata: Metadata[Targets] | None = self._read_staged(role)
        if metadata is None:
            in_force = self._targets if role == "targets" else self._list(role)
            metadata = Metadata[Targets].from_bytes(encode(in_force))
            metadata.signed.version = self._unused_version(role)
        metadata.signatures.clear()
        metadata.signed.expires = self._expiry(role, now)
        return metadata

    def _read(
        self, path: Path, kind: type[_SignedT], named: MetaFile | None = None
    ) -> Metadata[_SignedT]:
        try:
            content = path.read_bytes()
            metadata = Metadata[_SignedT].from_bytes(content)
            if named:
                named.verify_length_and_hashes(content)
        except OSError as error:
            raise RepositoryDamaged(f"{path.name} cannot be read: {error.strerror}") from error
        except LengthOrHashMismatchError as error:
            raise RepositoryDamaged(
                f"{path.name} is another file of this version than the one that was published"
            ) from error
        except TufError as error:
            raise RepositoryDamaged(f"{path.name} is not TUF metadata: {error}") from error
        if not isinstance(metadata.signed, kind):
            raise RepositoryDamaged(f"{path.name} is {metadata.signed.type} metadata")
        return metadata

    def _verified(
        self,
        role: str,
        version: int,
        kind: type[_SignedT],
        delegator: Root | Targets,
        named: MetaFile | None = None,
    ) -> Metadata[_SignedT]:
        path = self._metadata_path(role, version)
        metadata = self._read(path, kind, named)
        try:
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except (TufError, ValueError) as error:
            raise RepositoryDamaged(f"{path.name}: {error}") from error
        if version and metadata.signed.version != version:
            raise RepositoryDamaged(f"{path.name} says version {metadata.signed.version}")
        return metadata

    def _load(self, *, strict: bool = False) -> None:
        """Read what is in force anew."""
        folder = self.directory / "metadata"
        if not (folder / "timestamp.json").exists():
            raise RepositoryDamaged(f"{self.directory} holds no repository: create one first")
        try:
            self.policy = Policy.load(self.directory / "policy.json")
        except PolicyError as error:
            raise RepositoryDamaged(str(error)) from error
        first = self._read(self._metadata_path("root", 1), Root)
        roots = [self._verified("root", 1, Root, first.signed)]
        while self._metadata_path("root", roots[-1].signed.version + 1).exists():
            newer = self._verified("root", roots[-1].signed.version + 1, Root, roots[-1].signed)
            try:
                newer.signed.verify_delegate("root", newer.signed_bytes, newer.signatures)
            except (TufError, ValueError) as error:
                raise RepositoryDamaged(f"{newer.signed.version}.root.json: {error}") from error
            roots.append(newer)
        root = roots[-1]
        timestamp = self._verified("timestamp", 0, Timestamp, root.signed)
        named = timestamp.signed.snapshot_meta
        snapshot = self._verified("snapshot", named.version, Snapshot, root.signed, named)
        versions = {name.removesuffix(".json"): m for name, m in snapshot.signed.meta.items()}
        if set(versions) != {"targets", *DELEGATED_ROLES}:
            raise RepositoryDamaged("the snapshot does not list exactly our roles")
        named = versions["targets"]
        targets = self._verified("targets", named.version, Targets, root.signed, named)
        delegated = {}
        damaged = {}
        for role in DELEGATED_ROLES:
            named = versions[role]
            try:
                delegated[role] = self._verified(
                    role, named.version, Targets, targets.signed, named
                )
            except RepositoryDamaged as error:
                if strict:
                    raise
                damaged[role] = str(error)
        self._root, self._roots, self._timestamp, self._snapshot = root, roots, timestamp, snapshot
        self._targets, self._delegated, self.damaged = targets, delegated, damaged

    def _list(self, role: str) -> Metadata[Targets]:
        """A delegated role's list in force. Raises RepositoryDamaged if it cannot be read."""
        if role in self.damaged:
            raise RepositoryDamaged(self.damaged[role])
        return self._delegated[role]

    @staticmethod
    def _entries(signed: Targets) -> list[ReleaseEntry]:
        entries = [
            ReleaseEntry.parse(target.custom)
            for path, target in signed.targets.items()
            if path.endswith(".full")
        ]
        return sorted(entries, key=lambda entry: -entry.release)

    @staticmethod
    def _check_full(payload: Payload, entry: ReleaseEntry) -> None:
        try:
            image = expand(payload)
        except PayloadError as error:
            raise ReleaseRefused(str(error)) from error
        if len(image) != entry.image.size_bytes:
            raise ReleaseRefused(
                f"the image has {len(image)} bytes, the entry says {entry.image.size_bytes}"
            )
        if hashlib.sha256(image).hexdigest() != entry.image.sha256:
            raise ReleaseRefused("the image's SHA-256 is not the entry's")

    def _check_not_halted(self, channel: str, release: int) -> None:
        """Whether a plan, in force or waiting, halts `release` on `channel` or before it."""
        waiting = self._all_staged()
        plans = [
            (name, self._plan(name, metadata.signed))
            for name, role in ROLLOUT_ROLES.items()
            for metadata in (self._delegated.get(role), waiting.get(role))
            if metadata is not None
        ]
        where = promotion.halted_before(channel, release, plans)
        if where:
            raise ReleaseRefused(
                f"release {release} is halted on {where}: it goes no further. `release resume "
                f"{release} --channel {where}`, or build it anew under a higher number"
            )

    def _check_same_bytes_elsewhere(self, entry: ReleaseEntry) -> None:
        for channel in CHANNELS:
            for other in self.releases(channel):
                if (
                    other.release == entry.release
                    and other.hardware.hardware_class == entry.hardware.hardware_class
                    and other.image.sha256 != entry.image.sha256
                ):
                    raise ReleaseRefused(
                        f"release {entry.release} names other bytes on {channel}; take a new number"
                    )

    def _drop_old_releases(self, signed: Targets, hardware_class: str) -> None:
        """Unlist what no terminal needs any more; the files stay on disk for terminals in
        mid-download.
        """
        entries = [
            entry
            for entry in self._entries(signed)
            if entry.hardware.hardware_class == hardware_class
        ]
        kept = entries[: self.policy.releases_listed]
        stones = {entry.stepping_stone for entry in kept}
        for entry in entries[self.policy.releases_listed :]:
            if entry.release in stones:
                stones.add(entry.stepping_stone)
                continue
            for reference in entry.payloads:
                signed.targets.pop(reference.path, None)
