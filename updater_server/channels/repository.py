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
from typing import Any, NamedTuple, Protocol, TypeVar

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

from updater_server.channels import offline, promotion, publishing, shown
from updater_server.channels.audit import AuditDamaged, AuditLine, AuditLog
from updater_server.channels.entry import Catalogue, EntryError, PayloadReference, ReleaseEntry
from updater_server.channels.files import write_atomically
from updater_server.channels.keys import KeyIdError, check_ids, ids_of
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
    role_of,
)
from updater_server.channels.restoring import RESTORED_ROLES, follows, highest, version_after
from updater_server.channels.rollout import RolloutError, RolloutPlan
from updater_server.channels.staging import Draft, Drafts, contents_of, digest, needed

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
        super().__init__(
            f"not signed by enough keys ({wanted}); `release publish --role ROLE` puts another "
            f"role into force without"
        )


class ReleaseRefused(RepositoryError):
    """A release does not fit what the channel already holds."""


class ChangedMeanwhile(RepositoryError):
    """What waits for a role is not what was shown; nothing was signed."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"what waits for {role} is not what was shown: somebody changed it meanwhile. Nothing "
            f"was signed; look at it again (`release show`, `release audit`)"
        )


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
    """A change that waits: which role, its next version, how far its signatures are, the SHA-256 of
    what they sign, and the ids of the keys that could still sign.
    """

    role: str
    version: int
    signed_by: list[str]
    missing: int
    sha256: str
    may_sign: list[str]


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


def _keys_in(signed: object) -> Iterator[dict[str, dict[str, object]]]:
    """The keys that a root or its delegations name, as in metadata."""
    if isinstance(signed, Root):
        yield ids_of(signed.keys)
    elif isinstance(signed, Targets) and signed.delegations is not None:
        yield ids_of(signed.delegations.keys)


def _without_hash(timestamp: Metadata[Timestamp]) -> Metadata[Timestamp]:
    """A copy that names the snapshot's version alone; unsigned."""
    signed = timestamp.signed
    named = MetaFile(signed.snapshot_meta.version)
    return Metadata(Timestamp(
        signed.version, signed.spec_version, signed.expires, named, signed.unrecognized_fields
    ))  # fmt: skip


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
        self.damaged: dict[str, str] = {}
        self._drafts: Drafts | None = None

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
            if path in self._list(CATALOGUE_ROLE).signed.targets:
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
        return self._plan(channel, self._list(ROLLOUT_ROLES[channel]).signed)

    def is_let_out(self, channel: str, release: int) -> bool:
        """Whether the plan in force or waiting lets anybody have `release`, or halts it."""
        if ROLLOUT_ROLES[channel] in self.damaged:
            return True
        waiting = self._all_staged().get(ROLLOUT_ROLES[channel])
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
            listed = self._listed(channel)
            if listed is None and not details.get("halted"):
                raise RepositoryDamaged(f"nobody can tell what {channel} lists")
            if listed is not None and release not in listed:
                raise ReleaseRefused(f"{channel} lists no release {release}")
            metadata = self._next_plan(role, now)
            plan = self._plan(channel, metadata.signed)
            plan = plan if listed is None else plan.only(listed)
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

    def _listed(self, channel: str) -> set[int] | None:
        """The releases that a channel lists or will; None if nobody can tell. What waits
        there may be anything; it does not stand in the way of a halt.
        """
        listed: set[int] | None = None
        for metadata in (self._delegated.get(channel), self._all_staged().get(channel)):
            try:
                if metadata is not None:
                    found = {entry.release for entry in self._entries(metadata.signed)}
                    listed = found | (listed or set())
            except EntryError:
                continue
        return listed

    def _next_plan(self, role: str, now: datetime) -> Metadata[Targets]:
        """As `_next` of a rollout role, but from what is in force if nobody could read what
        waits.
        """
        waiting = self._all_staged().get(role)
        try:
            if waiting is not None:
                self._plan(role.removeprefix("rollout-"), waiting.signed)
                return self._next(role, now)
        except RolloutError:
            pass
        return self._after_in_force(role, now)

    @staticmethod
    def _plan(channel: str, signed: Targets) -> RolloutPlan:
        target = signed.targets.get(f"rollout/{channel}/plan.json")
        return RolloutPlan.parse(target.custom) if target else RolloutPlan()

    @contextmanager
    def drafting(self) -> Iterator[Drafts]:
        """Inside, whatever would be staged is only worked out; show it (`in_words`), and `stage` it
        once somebody has agreed.
        """
        self._drafts = drafts = Drafts()
        try:
            yield drafts
        finally:
            self._drafts = None

    def stage(self, drafts: Drafts, signers: Sequence[Signer]) -> list[Staged]:
        """Sign and stage `drafts`, the very bytes that were worked out; returns what waits.

        Raises:
            ChangedMeanwhile: what they were worked out from has changed; nothing was signed.
            RepositoryError: there are signers, and none of them may sign any of it.
        """
        with self._lock():
            self._load()
            for role, draft in drafts.by_role.items():
                if self._base(role) != draft.base:
                    raise ChangedMeanwhile(role)
            coming = self._all_staged()
            may_sign = {keyid for role in drafts.by_role for keyid in self._may_sign(role, coming)}
            if signers and not may_sign & {signer.public_key.keyid for signer in signers}:
                raise RepositoryError(
                    f"none of these keys signs for {', '.join(drafts.by_role)}; nothing was staged"
                )
            self._write_staged(drafts, signers)
        return self.staged()

    def in_words(self, drafts: Drafts | None = None) -> dict[str, list[str]]:
        """By role, what signatures over `drafts` (or over what waits) say, and every difference to
        what is in force.
        """
        changes = self._all_staged()
        files = dict[Path, bytes]()
        if drafts is not None:
            changes = {role: draft.metadata for role, draft in drafts.by_role.items()}
            files = drafts.files
        return {role: self._in_words(role, metadata, files) for role, metadata in changes.items()}

    def _in_words(
        self, role: str, metadata: Metadata[Any], files: Mapping[Path, bytes]
    ) -> list[str]:
        before = self._in_force()[role].signed
        contents = self._contents(metadata.signed, files) | self._contents(before, files)
        return shown.in_words(role, metadata.signed.to_dict(), before.to_dict(), contents)

    def _contents(self, signed: Any, files: Mapping[Path, bytes]) -> dict[str, bytes]:
        """The JSON files that `signed` names, by SHA-256, as far as they are here."""
        if not isinstance(signed, Targets):
            return {}
        found = {}
        for target in signed.targets.values():
            path = self._target_path(target)
            if target.path.endswith(".json") and (path in files or path.is_file()):
                data = files[path] if path in files else path.read_bytes()
                found[hashlib.sha256(data).hexdigest()] = data
        return contents_of(signed.to_dict()["targets"], found)

    def _staged_now(self, role: str, expect: str | None) -> Metadata[Any]:
        """What waits for `role`, if it is what somebody was shown."""
        metadata = self._read_staged(role)
        if metadata is None:
            raise RepositoryError(f"nothing is staged for {role}")
        if expect is not None and digest(metadata) != expect:
            raise ChangedMeanwhile(role)
        return metadata

    def sign(self, role: str, signers: Sequence[Signer], expect: str | None = None) -> Staged:
        """Add signatures to a staged role; returns how far it is. `expect`: SHA-256 of what was
        shown.

        Raises:
            RepositoryError: nothing is staged for `role`.
            ChangedMeanwhile: something else than what was shown is staged; nothing was signed.
        """
        with self._lock():
            self._load()
            metadata = self._staged_now(role, expect)
            before = set(metadata.signatures)
            self._ask_judge(role, metadata)
            self._sign(role, metadata, signers, self._all_staged())
            added = set(metadata.signatures) - before
            write_atomically(self._staged_path(role), encode(metadata))
            details = {"version": metadata.signed.version, "sha256": digest(metadata)}
            self._note(f"sign {role}", details, [*added])
        return next(staged for staged in self.staged() if staged.role == role)

    def to_sign(self, role: str) -> offline.Request:
        """What is staged for `role`, to be carried to a machine without network, with what is in
        force and its signatures.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        metadata = self._staged_now(role, None)
        chain: list[Metadata[Any]] = [*self._roots]
        if role not in TOP_LEVEL_ROLES:
            chain.append(self._targets)
        before = self._in_force()[role]
        if role != "root":
            chain.append(before)
        contents = self._contents(metadata.signed, {}) | self._contents(before.signed, {})
        return offline.request(role, metadata.signed_bytes, chain, contents.values())

    def add_signature(
        self, role: str, keyid: str, signature: str, expect: str | None = None
    ) -> Staged:
        """Add a signature that was made elsewhere to a staged role; returns how far it is.

        Raises:
            RepositoryError: nothing is staged for `role`, the key may not sign for it, or the
                signature is of something else.
            ChangedMeanwhile: something else than what was shown is staged.
        """
        with self._lock():
            self._load()
            metadata = self._staged_now(role, expect)
            self._ask_judge(role, metadata)
            key = self._may_sign(role, self._all_staged()).get(keyid)
            if key is None:
                raise RepositoryError(f"key {keyid[:64]!a} does not sign for {role}")
            added = Signature(keyid, signature)
            try:
                key.verify_signature(added, metadata.signed_bytes)
            except UnverifiedSignatureError as error:
                raise RepositoryError(
                    f"that signature is not of what is staged for {role}: export it again"
                ) from error
            metadata.signatures[keyid] = added
            details = {"version": metadata.signed.version, "sha256": digest(metadata)}
            self._note(f"import signature {role}", details, [keyid])
            write_atomically(self._staged_path(role), encode(metadata))
        return next(staged for staged in self.staged() if staged.role == role)

    def withdraw(self, role: str, now: datetime | None = None) -> None:
        """Take back what is staged for `role`, readable or not; what is in force stays.

        Raises:
            RepositoryError: nothing is staged for `role`.
        """
        with self._lock():
            path = self._staged_path(role)
            if role not in (*TOP_LEVEL_ROLES, *DELEGATED_ROLES) or not path.exists():
                raise RepositoryError(f"nothing is staged for {role}")
            details: dict[str, Any] = {"role": role}
            try:
                metadata = self._read_staged(role)
            except RepositoryError:
                metadata = None
            if metadata is not None:
                details |= {"version": metadata.signed.version, "sha256": digest(metadata)}
            self._note("withdraw", details, [], now)
            path.unlink()

    def staged(self) -> list[Staged]:
        """What waits to be published."""
        waiting = self._all_staged()
        return [
            Staged(
                role,
                metadata.signed.version,
                sorted(metadata.signatures),
                self._missing(role, metadata, waiting),
                digest(metadata),
                sorted(self._may_sign(role, waiting).keys() - metadata.signatures.keys()),
            )
            for role, metadata in waiting.items()
        ]

    def unreadable(self) -> dict[str, str]:
        """What is staged and cannot be read, by role: why. It is neither signed nor published;
        `withdraw` takes it away.
        """
        found = {}
        for role in self._in_force():
            try:
                self._read_staged(role)
            except RepositoryError as error:
                found[role] = str(error)
        return found

    def prepare(self, signers: Sequence[Signer] = (), now: datetime | None = None) -> list[Staged]:
        """Stage the snapshot and timestamp that would put everything staged into force, for keys
        that are elsewhere; `publish` then takes them as they are. Returns what waits.
        """
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            staged = self._sound(self._changes(None))[0]
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
        expect: Mapping[str, str] | None = None,
    ) -> int:
        """Put everything staged that has its signatures (or what is staged for `roles`) into force,
        with a fresh snapshot and timestamp; returns the timestamp's version. What still lacks
        signatures waits on. `expect`: SHA-256 by role of what was shown.

        With nothing staged only the timestamp is renewed (and the snapshot, when half of its time
        has passed).

        Raises:
            MissingSignatures: nothing of what is staged, or not all of `roles`, has its signatures,
                or snapshot or timestamp lack theirs; nothing was published.
            ChangedMeanwhile: something else than what was shown is staged; nothing was published.
            RepositoryDamaged: the published state does not verify.
        """
        now = now or datetime.now(UTC)
        with self._lock():
            self._load()
            if expect is not None:
                self._compare(self._changes(None), expect)
            everything = self._ready(signers, now, roles)
            if expect is not None:
                self._compare(everything, expect)
                for role in everything.keys() ^ expect.keys():
                    raise ChangedMeanwhile(role)
            self._put_out(everything, now)
            for role in everything:
                self._staged_path(role).unlink(missing_ok=True)
            self._load()
        return self._timestamp.signed.version

    @staticmethod
    def _compare(found: Mapping[str, Metadata[Any]], expect: Mapping[str, str]) -> None:
        """Raises ChangedMeanwhile where what was shown is not what is found now. A timestamp was
        shown without the hash of its snapshot if that had no signature yet.
        """
        for role, metadata in found.items():
            signed = {digest(metadata)}
            if isinstance(metadata.signed, Timestamp):
                signed.add(digest(_without_hash(metadata)))
            if role in expect and expect[role] not in signed:
                raise ChangedMeanwhile(role)

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
                if role in self.damaged or self._waits(role):
                    continue
                threshold = self._delegator(role).get_delegated_role(role).threshold
                if self._is_due(role, now) and len(may_sign) >= threshold:
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

    def publication(
        self, now: datetime, roles: Collection[str] | None = None
    ) -> dict[str, tuple[str, list[str]]]:
        """What `publish` at `now` would put into force: by role the SHA-256 of what is signed, and
        that in words.

        Raises:
            MissingSignatures: as `publish`, of what people sign.
        """
        everything = self._publication(self._signed_changes(roles), (), now)
        found = {
            role: (digest(metadata), self._in_words(role, metadata, {}))
            for role, metadata in everything.items()
        }
        if "snapshot" in everything:
            timestamp = everything["timestamp"]
            before = _without_hash(self._timestamp).signed.to_dict()
            words = shown.in_words("timestamp", timestamp.signed.to_dict(), before, {})
            words.append("  with the hash of that snapshot, once it is signed")
            found["timestamp"] = digest(timestamp), words
        return found

    def _signed_changes(self, roles: Collection[str] | None) -> dict[str, Metadata[Any]]:
        """What is staged and can come into force. Raises MissingSignatures, RoleTooLarge."""
        chosen, lacking = self._sound(self._changes(roles))
        if lacking and (roles is not None or not chosen):
            raise MissingSignatures(lacking)
        for role, metadata in chosen.items():
            if len(encode(metadata)) > limit_bytes(role):
                raise RoleTooLarge(
                    f"what waits for {role} is more than the {limit_bytes(role)} bytes that "
                    f"terminals take in: `release withdraw {role}` takes it back"
                )
        return chosen

    def _drop_strange_signatures(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> None:
        """Signatures that count for nothing would be paid for in airtime by every terminal."""
        judges = self._judges(role, metadata, coming)
        content, made = metadata.signed_bytes, metadata.signatures
        results = [judge.get_verification_result(role, content, made) for judge in judges]
        good = {keyid for result in results for keyid in result.signed}
        for keyid in made.keys() - good:
            del made[keyid]

    def _sound(
        self, staged: Mapping[str, Metadata[Any]]
    ) -> tuple[dict[str, Metadata[Any]], dict[str, int]]:
        """Those of `staged` that can come into force together: each signed by enough, and nothing
        that stays in force disowned by new keys. And how many signatures the rest waits for.
        """
        chosen, lacking = dict(staged), dict[str, int]()
        while True:
            after = {**self._in_force(), **chosen}
            found = {}
            for role in after.keys() - {"snapshot", "timestamp"}:
                if missing := self._missing(role, after[role], chosen):
                    found[role] = missing
            dropped = [
                role if role in chosen else "root" if role in TOP_LEVEL_ROLES else "targets"
                for role in found
            ]
            lacking |= found
            if not any(chosen.pop(role, None) for role in dropped):
                break
        for role, metadata in chosen.items():
            self._drop_strange_signatures(role, metadata, chosen)
        return chosen, lacking

    def _ready(
        self, signers: Sequence[Signer], now: datetime, roles: Collection[str] | None
    ) -> dict[str, Metadata[Any]]:
        """Everything that a publication writes now, signed. Raises MissingSignatures."""
        everything = self._publication(self._signed_changes(roles), signers, now)
        unsigned = {
            role: missing
            for role, metadata in everything.items()
            if (missing := self._missing(role, metadata, everything))
        }
        if unsigned:
            raise MissingSignatures(unsigned)
        return everything

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
            version = max(self._unused_version("snapshot", now), listed)
            prepared = self._prepared("snapshot", staged)
            snapshot = Metadata(Snapshot(version, None, self._expiry("snapshot", now), meta))
            self._anchor(snapshot)
            if prepared and prepared.signed.meta == meta:
                snapshot = prepared
            self._sign("snapshot", snapshot, signers, {**staged, "snapshot": snapshot})
        named = self._named("snapshot", snapshot, staged)
        version = max(self._timestamp.signed.version + 1, named.version)
        timestamp = Metadata(Timestamp(version, None, self._expiry("timestamp", now), named))
        prepared_timestamp = self._prepared("timestamp", staged)
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

    def _unused_version(self, role: str, now: datetime) -> int:
        """The next one, if no file beyond what is in force is on disk, published or not; else one
        that is made of the time: nobody knows what else was given out.
        """
        in_force: int = self._in_force()[role].signed.version
        files = (self.directory / "metadata").glob(f"*.{role}.json")
        names = [path.name.split(".")[0] for path in files]
        on_disk = [int(name) for name in names if name.isascii() and name.isdigit()]
        found = [number for number in on_disk if in_force < number <= highest(in_force, now)]
        return version_after(max(found) + 1, now) if found else in_force + 1

    def rotate(
        self,
        keys: Mapping[str, Sequence[Key]],
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
        now = now or datetime.now(UTC)
        for role, fresh in keys.items():
            rule = self.policy.roles.get(role)
            if rule is None:
                raise PolicyError(f"no role {role}; there are {', '.join(self.policy.roles)}")
            if len({key.keyid for key in fresh}) != rule.key_count:
                raise PolicyError(f"{role}: {rule.key_count} different keys are needed")
        with self._lock():
            self._load()
            with self._as_one(signers):
                self._stage_new_keys(keys, now)
        return self.staged()

    def _stage_new_keys(self, keys: Mapping[str, Sequence[Key]], now: datetime) -> None:
        """Within `_as_one`. Raises RepositoryError if something else waits for a list."""
        top = {role: fresh for role, fresh in keys.items() if role in TOP_LEVEL_ROLES}
        details = {"keys of": sorted(keys)}
        if top:
            root = self._next_root(now)
            for role, fresh in top.items():
                _replace_keys(root.signed, role, fresh)
            self._stage("root", root, (), "rotate", details, now)
        others = [role for role in DELEGATED_ROLES if key_role(role) in keys]
        lists = {role: self._same(role, now) for role in others}
        if others or "targets" in keys:
            targets = self._next("targets", now)
            for role in others:
                _replace_keys(targets.signed, role, keys[key_role(role)])
            self._stage("targets", targets, (), "rotate", details, now)
        for role, metadata in lists.items():
            self._stage(role, metadata, (), "rotate", details, now)

    def date_anew(
        self, role: str, signers: Sequence[Signer] = (), now: datetime | None = None
    ) -> None:
        """Stage a role with the same content and a later expiry. Publish afterwards.

        Raises:
            PolicyError: not a role that people sign.
            RepositoryError: something else waits for it.
        """
        now = now or datetime.now(UTC)
        if role not in ("root", "targets", *DELEGATED_ROLES):
            raise PolicyError(f"{role} is not dated anew by hand: publishing does it, or no role")
        with self._lock():
            self._load()
            self._stage(role, self._same(role, now), signers, "date anew", {}, now)

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
            with self._as_one(signers):
                for role in sorted(roles, key=lambda role: role != "targets"):
                    metadata = self._next(role, now)
                    metadata.signed.version = version_after(metadata.signed.version, now)
                    self._stage(role, metadata, (), "take up again", {}, now)
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
        role = role_of(path)
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
        return self._target_path(self._list(role_of(path)).signed.targets[path])

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
        self._check_anchors()
        return lines

    def _check_anchors(self) -> None:
        anchors = self._audit.anchors()
        for role, metadata in self._in_force().items():
            named = metadata.signed.unrecognized_fields.get("log")
            is_first = metadata.signed.version == 1 and not named
            if role != "timestamp" and not is_first and named not in anchors:
                raise RepositoryDamaged(
                    f"audit log: {role} was signed when the log held a line that it holds no "
                    f"more: it was written anew"
                )

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
            "unreadable": self.unreadable(),
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
        if self._drafts is not None:
            self._drafts.files[path] = data
        elif not path.exists() or path.read_bytes() != data:
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
        judges = self._judges(role, metadata, coming)
        for signer in needed(role, metadata, judges, signers):
            before = self._needs(role, metadata, coming)
            metadata.sign(signer, append=True)
            if self._needs(role, metadata, coming) == before:
                del metadata.signatures[signer.public_key.keyid]

    def _judges(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> list[Root | Targets]:
        """Who says whether `metadata` is signed: of a root, the root in force and itself."""
        if role == "root":
            return [self._root.signed, metadata.signed]
        return [self._delegator(role, coming)]

    def _needs(
        self, role: str, metadata: Metadata[Any], coming: Mapping[str, Metadata[Any]]
    ) -> list[int]:
        """How many signatures each who judges `metadata` still asks for."""
        judges = self._judges(role, metadata, coming)
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
        self._anchor(metadata)
        coming = {**self._all_staged(), role: metadata}
        self._ask_judge(role, metadata)
        try:
            for keys in _keys_in(metadata.signed):
                check_ids(keys)
        except KeyIdError as error:
            raise RepositoryError(f"{role}: {error}") from error
        version, before = metadata.signed.version, self._in_force()[role].signed.version
        if not follows(role, version, before):
            raise RepositoryError(f"{role}: {version} cannot follow on {before}: is the clock set?")
        size_bytes = len(encode(metadata))
        size_bytes += self._missing(role, metadata, coming) * _SIGNATURE_BYTES
        if size_bytes > limit_bytes(role):
            raise RoleTooLarge(
                f"{role} would hold {size_bytes} bytes, and terminals take in at most "
                f"{limit_bytes(role)}: list fewer releases (`releases_listed` in policy.json) or "
                f"offer fewer deltas; nothing was staged"
            )
        details = {**details, "role": role, "version": metadata.signed.version}
        with self._as_one(signers) as drafts:
            draft = drafts.by_role.get(role) or Draft(role, metadata, self._base(role), now)
            draft.notes.append((what, details))
            drafts.by_role[role] = draft

    @contextmanager
    def _as_one(self, signers: Sequence[Signer]) -> Iterator[Drafts]:
        """What is staged inside is signed and on disk as a whole or not at all: new keys of a role
        count only with all that they must sign anew. While drafting, it is drafted. The caller
        holds the lock.
        """
        if self._drafts is not None:
            yield self._drafts
            return
        self._drafts = drafts = Drafts()
        try:
            yield drafts
        finally:
            self._drafts = None
        self._write_staged(drafts, signers)

    def _write_staged(self, drafts: Drafts, signers: Sequence[Signer]) -> None:
        changes = {role: draft.metadata for role, draft in drafts.by_role.items()}
        coming = {**self._all_staged(), **changes}
        for path, data in drafts.files.items():
            write_atomically(path, data)
        files = []
        for role, draft in drafts.by_role.items():
            self._sign(role, draft.metadata, signers, coming)
            files.append((f"staged/{role}.json", encode(draft.metadata).decode()))
            for what, details in draft.notes:
                keys = [*draft.metadata.signatures]
                self._note(what, {**details, "sha256": draft.sha256}, keys, draft.at)
        self._put_staged(files)

    def _put_staged(self, files: list[tuple[str, str]]) -> None:
        publication = publishing.Publication(files, {}, [], 0, "")
        publishing.begin(self.directory, publication)
        publishing.put_out(self.directory, publication)

    def _anchor(self, metadata: Metadata[Any]) -> None:
        """Name the newest line of the log in what is about to be signed: who rewrites the log
        before it must forge a signature.
        """
        newest = self._audit.newest()
        if newest:
            metadata.signed.unrecognized_fields["log"] = newest

    def _base(self, role: str) -> str:
        """What a change of `role` is worked out from, as one hash."""
        path = self._staged_path(role)
        staged = path.read_bytes() if path.exists() else b""
        in_force = self._in_force()[role].signed_bytes
        return hashlib.sha256(hashlib.sha256(in_force).digest() + staged).hexdigest()

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
        if self._drafts is not None and role in self._drafts.by_role:
            return self._drafts.by_role[role].metadata
        path = self._staged_path(role)
        published = self._in_force().get(role)
        if published is None or not path.exists():
            return None  # where the list in force cannot be read, nothing is built on it
        try:
            metadata: Metadata[Any] = self._read(path, type(published.signed))
            for keys in _keys_in(metadata.signed):
                check_ids(keys)
        except (RepositoryDamaged, KeyIdError) as error:
            raise RepositoryDamaged(
                f"what is staged for {role}: {error}; `release withdraw {role}` takes it away"
            ) from error
        version = metadata.signed.version
        return metadata if follows(role, version, published.signed.version) else None

    def _all_staged(self) -> dict[str, Metadata[Any]]:
        """Everything staged, by role, but for what cannot be read (`unreadable`): it may not stop
        the rest.
        """
        found = {}
        for role in self._in_force():
            try:
                metadata = self._read_staged(role)
            except RepositoryDamaged:
                continue
            if metadata is not None:
                found[role] = metadata
        return found

    def _waits(self, role: str) -> bool:
        """Whether something is staged for `role`, readable or not."""
        try:
            return self._read_staged(role) is not None
        except RepositoryDamaged:
            return True

    def _prepared(self, role: str, coming: Mapping[str, Metadata[Any]]) -> Metadata[Any] | None:
        """A snapshot or timestamp that `prepare` staged and its key has signed since. One without
        a signature may be anybody's: it is made anew, not signed as it lies there.
        """
        metadata = self._all_staged().get(role)
        if metadata is None:
            return None
        result = self._delegator(role, coming).get_verification_result(
            role, metadata.signed_bytes, metadata.signatures
        )
        return metadata if result.signed else None

    def _same(self, role: str, now: datetime) -> Metadata[Any]:
        """The next version of `role` with what is in force, freshly dated, unsigned."""
        if self._staged_path(role).exists() and self._read_staged(role) is not None:
            raise RepositoryError(
                f"something else waits for {role}: publish it first, or take it back "
                f"(`release withdraw {role}`)"
            )
        return self._next_root(now) if role == "root" else self._next(role, now)

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
            return self._after_in_force(role, now)
        metadata.signatures.clear()
        metadata.signed.expires = self._expiry(role, now)
        return metadata

    def _after_in_force(self, role: str, now: datetime) -> Metadata[Targets]:
        """A copy of what is in force with the next number; unsigned, freshly dated."""
        in_force = self._targets if role == "targets" else self._list(role)
        metadata = Metadata[Targets].from_bytes(encode(in_force))
        metadata.signed.version = self._unused_version(role, now)
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
            for keys in _keys_in(metadata.signed):
                check_ids(keys)
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except (TufError, KeyIdError, ValueError) as error:
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
