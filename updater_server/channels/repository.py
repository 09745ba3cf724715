"""The TUF repository of the channels: a folder of static files, changed by people who hold keys.

For the release manager's tools (all of it) and the server (`open`, `releases`, `catalogue`,
`root_bytes`, `show`).

    <dir>/metadata/  N.root.json, N.<role>.json, N.snapshot.json, timestamp.json  (served)
    <dir>/targets/   <channel>/<class>/<sha256>.<release>.full, …                (served)
    <dir>/staged/    <role>.json: changed, perhaps not signed by enough people yet
    <dir>/audit.jsonl  who did what (channels/audit.py)

A change is staged, signed (by several people, if the threshold says so), then published: roles
first, then snapshot, then timestamp, each by rename, so that a reader never meets a reference to a
file that is not there. A cut in between leaves the old state in force, and publishing again
completes it.

Every file is written in canonical JSON: the bytes of `signed` in the file are the bytes that were
signed, and none is wasted on white space, escapes or long key ids.

Source: TUF specification 1.0, sections 4 and 6; docs/formats/release.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key, Signature, Signer
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

from updater_server.channels import offline
from updater_server.channels.audit import AuditDamaged, AuditLine, AuditLog
from updater_server.channels.entry import Catalogue, EntryError, PayloadReference, ReleaseEntry
from updater_server.channels.files import write_atomically
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
from updater_server.channels.rollout import RolloutError, RolloutPlan

_SignedT = TypeVar("_SignedT", Root, Timestamp, Snapshot, Targets)
_CATALOGUE_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,31}")
_SIGNATURE_BYTES = 220  # of one more, as JSON
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


class Judge(Protocol):
    """Asked before anything is signed: the terminal's own reader, where the tools have it. Raises
    whatever it wants told.
    """

    def metadata(self, role: str, signed: dict[str, Any]) -> None:
        """Judge a role's metadata."""

    def target(self, path: str, data: bytes) -> None:
        """Judge the content of a price list."""


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
        self.judge: Judge | None = None
        self.policy = Policy()
        self._root: Metadata[Root]
        self._roots: list[Metadata[Root]] = []
        self._timestamp: Metadata[Timestamp]
        self._snapshot: Metadata[Snapshot]
        self._targets: Metadata[Targets]
        self._delegated: dict[str, Metadata[Targets]] = {}
        self._audit = AuditLog(directory / "audit.jsonl")

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
            write_atomically(directory / "policy.json", msgspec.json.encode(policy))
            for role, metadata in everything.items():
                repository._write(role, metadata)
            signed_by = {keyid for m in everything.values() for keyid in m.signatures}
            repository._note("create", {"roles": sorted(everything)}, [*signed_by], now)
        return repository

    @staticmethod
    def open(directory: Path) -> Repository:
        """Read and verify the published metadata (signatures, thresholds, versions; not expiry, not
        the target files).

        Raises:
            RepositoryDamaged: there is no repository here, or its metadata do not verify.
        """
        repository = Repository(directory)
        repository._load()
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
        self._check_same_bytes_elsewhere(entry)

        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
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
        self, from_channel: str, to_channel: str, release: int, hardware_class: str
    ) -> ReleaseEntry:
        """The published entry that `promote` would list on another channel.

        Raises:
            ReleaseRefused: `to_channel` is not the one behind `from_channel`, which every release
                passes in turn; or `from_channel` does not list the release.
        """
        if (from_channel, to_channel) not in itertools.pairwise(CHANNELS):
            raise ReleaseRefused(
                f"a release goes from channel to channel in this order: {', '.join(CHANNELS)}; "
                f"{to_channel} is not the next after {from_channel}"
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
        entry = self.promotable(from_channel, to_channel, release, hardware_class)
        payloads = []
        for reference in entry.payloads:
            base = re.search(r"-from-(\d+)\.delta$", reference.path)
            payloads.append(
                Payload(
                    reference.kind,
                    self.target_bytes(reference.path),
                    int(base[1]) if base else None,
                    reference.base_sha256,
                )
            )
        return self.add_release(to_channel, entry, payloads, signers, now)

    def set_catalogue(
        self,
        name: str,
        catalogue: Catalogue,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        *,
        back: bool = False,
    ) -> None:
        """Stage the price list `catalogue/<name>.json`. With `back` its version may be below the
        one in force: terminals take what is signed last, whatever its version.

        Raises:
            ReleaseRefused: bad name, or its version is not above the one in force.
            EntryError: a field of the catalogue is wrong.
        """
        if not _CATALOGUE_NAME.fullmatch(name):
            raise ReleaseRefused(f"{name!r} cannot be the name of a catalogue")
        catalogue.check()
        path = f"{CATALOGUE_ROLE}/{name}.json"
        data = catalogue.encode()
        if self.judge:
            self.judge.target(path, data)
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            if path in self._delegated[CATALOGUE_ROLE].signed.targets:
                self._check_price_version(name, catalogue, back)
            metadata = self._next(CATALOGUE_ROLE, now)
            target = TargetFile.from_data(path, data, ["sha256"])
            metadata.signed.targets[path] = target
            self._store_target(target, data)
            details = {"version": catalogue.version, "sha256": target.hashes["sha256"]}
            self._stage(CATALOGUE_ROLE, metadata, signers, f"set prices {name}", details, now)

    def _check_price_version(self, name: str, catalogue: Catalogue, back: bool) -> None:
        try:
            in_force = self.catalogue(name)
        except (EntryError, RepositoryDamaged):
            return  # what cannot be read must not keep its remedy away
        if catalogue.version > in_force.version:
            return
        if not back or (
            catalogue.version == in_force.version and catalogue.encode() != in_force.encode()
        ):
            raise ReleaseRefused(
                f"price list {name} is at version {in_force.version}; the next must be higher, "
                f"or an earlier one that is put back (--back)"
            )

    def unlist(
        self,
        channel: str,
        release: int,
        hardware_class: str,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> ReleaseEntry:
        """Stage `channel` without a release: no terminal takes it any more, and lower numbers may
        follow. Publish afterwards. Terminals that run it keep it.

        Raises:
            ReleaseRefused: the channel lists no such release, or another needs it as its stepping
                stone.
        """
        if channel not in CHANNELS:
            raise ReleaseRefused(f"no channel {channel!r}; there are {', '.join(CHANNELS)}")
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            metadata = self._next(channel, now)
            of_class = [
                entry
                for entry in self._entries(metadata.signed)
                if entry.hardware.hardware_class == hardware_class
            ]
            found = [entry for entry in of_class if entry.release == release]
            if not found:
                raise ReleaseRefused(f"{channel} lists no release {release} for {hardware_class}")
            needing = [entry.release for entry in of_class if entry.stepping_stone == release]
            if needing:
                raise ReleaseRefused(
                    f"release {needing[0]} needs {release} as its stepping stone: unlist it first"
                )
            for reference in found[0].payloads:
                metadata.signed.targets.pop(reference.path, None)
            details = {"release": release, "image": found[0].image.sha256}
            self._stage(channel, metadata, signers, f"unlist from {channel}", details, now)
        return found[0]

    def rollout(self, channel: str) -> RolloutPlan:
        """The plan in force on `channel`.

        Raises:
            RepositoryError: no such channel.
        """
        if channel not in CHANNELS:
            raise RepositoryError(f"no channel {channel!r}")
        return self._plan(channel, self._delegated[ROLLOUT_ROLES[channel]].signed)

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
            waiting = self._read_staged(channel) or self._delegated[channel]
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
            try:
                plan.check()
            except RolloutError as error:
                raise ReleaseRefused(str(error)) from error
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
            self._ask_judge(role, metadata)
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
            self._ask_judge(role, metadata)
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
            if any(lacking.values()):
                raise MissingSignatures({role: count for role, count in lacking.items() if count})
            versions = {role: metadata.signed.version for role, metadata in everything.items()}
            signed_by = {keyid for m in everything.values() for keyid in m.signatures}
            self._note("publish", versions, [*signed_by], now)
            for role, metadata in everything.items():
                self._write(role, metadata)
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
        """
        now = now or datetime.now(UTC)

        def is_due(role: str) -> bool:
            half = timedelta(days=self.policy.roles[key_role(role)].expiry_days) / 2
            return bool(self._in_force()[role].signed.expires - now < half)

        held = {signer.public_key.keyid for signer in signers}
        plans = []
        with self._lock():
            self._load()
            before = {role: metadata.signed.version for role, metadata in self._in_force().items()}
            for role in ROLLOUT_ROLES.values():
                may_sign = held & set(self._may_sign(role, {}))
                if is_due(role) and may_sign and self._read_staged(role) is None:
                    plans.append(role)
                    self._stage(role, self._next(role, now), signers, "renew", {}, now)
            if not plans and not is_due("timestamp") and not is_due("snapshot"):
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
                meta[f"{role}.json"] = MetaFile(metadata.signed.version)
        half_time = timedelta(days=self.policy.roles["snapshot"].expiry_days) / 2
        if staged or snapshot.signed.expires - now < half_time:
            version = snapshot.signed.version + 1
            prepared = self._read_staged("snapshot")
            snapshot = Metadata(Snapshot(version, None, self._expiry("snapshot", now), meta))
            if prepared and prepared.signed.meta == meta:
                snapshot = prepared
        named = MetaFile(snapshot.signed.version)
        version = self._timestamp.signed.version + 1
        timestamp = Metadata(Timestamp(version, None, self._expiry("timestamp", now), named))
        prepared_timestamp = self._read_staged("timestamp")
        if prepared_timestamp and prepared_timestamp.signed.snapshot_meta == named:
            timestamp = prepared_timestamp
        everything: dict[str, Metadata[Any]] = {**staged}
        if snapshot is not self._snapshot:
            everything["snapshot"] = snapshot
        everything["timestamp"] = timestamp
        for role in ("snapshot", "timestamp"):
            if role in everything:
                self._sign(role, everything[role], signers, everything)
        return everything

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
        return self.staged()

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
        return self._entries(self._delegated[channel].signed)

    def catalogue_names(self) -> list[str]:
        """Names of the catalogues in force."""
        return sorted(
            path.removeprefix(f"{CATALOGUE_ROLE}/").removesuffix(".json")
            for path in self._delegated[CATALOGUE_ROLE].signed.targets
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
        role = self._delegated.get(_role_of(path))
        target = role.signed.targets.get(path) if role else None
        if target is None:
            raise RepositoryError(f"no target {path}")
        try:
            data = self._target_path(target).read_bytes()
            target.verify_length_and_hashes(data)
        except (OSError, TufError) as error:
            raise RepositoryDamaged(f"target {path}: {error}") from error
        return data

    def verify(self, now: datetime | None = None) -> list[str]:
        """Everything a terminal would check, and that each listed file is there: a list of
        problems, empty when sound.
        """
        now = now or datetime.now(UTC)
        try:
            self._load()
        except RepositoryDamaged as error:
            return [str(error)]
        problems = []
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
            yield

    def _note(
        self, what: str, details: dict[str, Any], keys: Sequence[str], now: datetime | None = None
    ) -> None:
        """Log before doing: nothing comes into force that the log does not tell of."""
        try:
            self._audit.append(what, details, keys, now)
        except AuditDamaged as error:
            raise RepositoryDamaged(f"audit log: {error}") from error

    def _metadata_path(self, role: str, version: int) -> Path:
        name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
        return self.directory / "metadata" / name

    def _staged_path(self, role: str) -> Path:
        return self.directory / "staged" / f"{role}.json"

    def _target_path(self, target: TargetFile) -> Path:
        folder, _, name = target.path.rpartition("/")
        return self.directory / "targets" / folder / f"{target.hashes['sha256']}.{name}"

    def _write(self, role: str, metadata: Metadata[Any]) -> None:
        write_atomically(self._metadata_path(role, metadata.signed.version), encode(metadata))

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
        self._ask_judge(role, metadata)
        self._sign(role, metadata, signers, coming)
        content = encode(metadata)
        size_bytes = len(content) + self._missing(role, metadata, coming) * _SIGNATURE_BYTES
        if size_bytes > limit_bytes(role):
            raise RoleTooLarge(
                f"{role} would hold {size_bytes} bytes, and terminals take in at most "
                f"{limit_bytes(role)}: list fewer releases (`releases_listed` in policy.json) or "
                f"offer fewer deltas; nothing was staged"
            )
        write_atomically(self._staged_path(role), content)
        details = {**details, "role": role, "version": metadata.signed.version}
        self._note(what, details, [*metadata.signatures], now)

    def _ask_judge(self, role: str, metadata: Metadata[Any]) -> None:
        if self.judge:
            self.judge.metadata(role, metadata.to_dict()["signed"])

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
        if not path.exists():
            return None
        published = self._in_force()[role]
        metadata: Metadata[Any] = self._read(path, type(published.signed))
        return metadata if metadata.signed.version == published.signed.version + 1 else None

    def _all_staged(self) -> dict[str, Metadata[Any]]:
        """Everything staged, by role."""
        found = {role: self._read_staged(role) for role in self._in_force()}
        return {role: metadata for role, metadata in found.items() if metadata is not None}

    def _next_root(self, now: datetime) -> Metadata[Root]:
        """As `_next`, of the root."""
        root: Metadata[Root] | None = self._read_staged("root")
        if root is None:
            root = Metadata[Root].from_bytes(encode(self._root))
            root.signed.version += 1
        root.signatures.clear()
        root.signed.expires = self._expiry("root", now)
        return root

    def _next(self, role: str, now: datetime) -> Metadata[Targets]:
        """The staged version of `role`, or a copy of the published one with the next number;
        unsigned, freshly dated.
        """
        metadata: Metadata[Targets] | None = self._read_staged(role)
        if metadata is None:
            metadata = Metadata[Targets].from_bytes(encode(self._in_force()[role]))
            metadata.signed.version += 1
        metadata.signatures.clear()
        metadata.signed.expires = self._expiry(role, now)
        return metadata

    def _read(self, path: Path, kind: type[_SignedT]) -> Metadata[_SignedT]:
        try:
            metadata = Metadata[_SignedT].from_bytes(path.read_bytes())
        except OSError as error:
            raise RepositoryDamaged(f"{path.name} cannot be read: {error.strerror}") from error
        except TufError as error:
            raise RepositoryDamaged(f"{path.name} is not TUF metadata: {error}") from error
        if not isinstance(metadata.signed, kind):
            raise RepositoryDamaged(f"{path.name} is {metadata.signed.type} metadata")
        return metadata

    def _verified(
        self, role: str, version: int, kind: type[_SignedT], delegator: Root | Targets
    ) -> Metadata[_SignedT]:
        path = self._metadata_path(role, version)
        metadata = self._read(path, kind)
        try:
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except (TufError, ValueError) as error:
            raise RepositoryDamaged(f"{path.name}: {error}") from error
        if version and metadata.signed.version != version:
            raise RepositoryDamaged(f"{path.name} says version {metadata.signed.version}")
        return metadata

    def _load(self) -> None:
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
        snapshot = self._verified(
            "snapshot", timestamp.signed.snapshot_meta.version, Snapshot, root.signed
        )
        versions = {name.removesuffix(".json"): m for name, m in snapshot.signed.meta.items()}
        if set(versions) != {"targets", *DELEGATED_ROLES}:
            raise RepositoryDamaged("the snapshot does not list exactly our roles")
        targets = self._verified("targets", versions["targets"].version, Targets, root.signed)
        delegated = {
            role: self._verified(role, versions[role].version, Targets, targets.signed)
            for role in DELEGATED_ROLES
        }
        self._root, self._roots, self._timestamp, self._snapshot = root, roots, timestamp, snapshot
        self._targets, self._delegated = targets, delegated

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
