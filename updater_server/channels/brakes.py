"""The brake: a halt by whoever may do nothing else, a worker that nobody watches.

Its own role halts on its channel, for good: no plan goes past it, the channel's people alone let
the release go on (`Releases.lift`). Terminals of before know no such role and obey the plan alone,
so the plan is made to halt as well where that can be. Such a plan is made from the one in force and
from nothing that waits. Where the key of the plans is kept by people, they sign the halt before it
is needed (`ready`), beside the plan that lets the release out: then a server with the keys of
snapshot and timestamp alone can put that halt into force, and no other word of theirs. It has the
next version of the plan, so any later plan takes its force away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, TargetFile, Targets

from updater_server.atomic import write_atomically
from updater_server.channels.dates import time_of
from updater_server.channels.errors import (
    MissingSignatures,
    ReleaseRefused,
    RepositoryDamaged,
    RepositoryError,
)
from updater_server.channels.keys import KeyIdError
from updater_server.channels.lists import (
    brakes_lacking,
    check_channel,
    halts_in,
    halts_path,
    plan_in,
    plan_path,
)
from updater_server.channels.metadata_file import check_key_ids, digest, encode, read
from updater_server.channels.policy import BRAKE_ROLES, ROLLOUT_ROLES, channel_of
from updater_server.channels.published import Published
from updater_server.channels.rollout import RolloutError, RolloutPlan
from updater_server.channels.staging import Staging
from updater_server.channels.versions import Versions
from updater_server.channels.writing import Writer


class Brakes:
    """Signs halts, for now or for later."""

    def __init__(
        self, published: Published, versions: Versions, staging: Staging, writer: Writer
    ) -> None:
        self._published = published
        self._staging = staging
        self._versions = versions
        self._writer = writer

    def ready_brake(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> RolloutPlan:
        """Sign the halt of `release`, to be kept until `brake` needs it; returns the plan that it
        would bring. To be done again whenever a plan was published.

        Raises:
            ReleaseRefused: the plan in force does not let the release out, or halts it already.
            MissingSignatures: `signers` are too few.
        """
        check_channel(channel, ReleaseRefused)
        role = ROLLOUT_ROLES[channel]
        at = time_of(now)
        with self._writer.locked():
            self._published.read_anew()
            if self._published.plan(channel).is_for_nobody(release):
                raise ReleaseRefused(f"{channel} lets nobody have release {release}")
            metadata, plan = self._halting(channel, release, signers, at)
            missing = self._published.signing().missing(role, metadata)
            if missing:
                raise MissingSignatures({role: missing})
            details = {"release": release, "version": metadata.signed.version}
            self._writer.note(f"ready brake on {channel}", details, [*metadata.signatures], at)
            path = self._published.folder.brake(role, release)
            write_atomically(path, encode(metadata))
        return plan

    def brake(
        self,
        channel: str,
        release: int,
        because: Mapping[str, Any],
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
    ) -> list[str]:
        """Stage the halt of `release`, whatever waits, by the brake's own key, by a plan, or by
        both; returns the roles, to be published afterwards. `because` goes into the log.

        Raises:
            ReleaseRefused: the channel neither lists the release nor lets it out, or it is halted
                already.
            MissingSignatures: none of `signers` is the brake's or signs plans, and no halt that was
                signed before is of use any more; the text says why.
            RepositoryDamaged: the plan in force cannot be read, and there is no brake.
        """
        check_channel(channel, ReleaseRefused)
        at = time_of(now)
        staged = []
        with self._writer.locked():
            self._published.read_anew()
            can_hold = self.can_hold(channel, signers)
            try:
                staged.append(self._by_plan(channel, release, because, signers, at))
            except (NoBrake, RepositoryDamaged):
                if not can_hold:
                    raise
        if can_hold:
            staged.append(self.hold(channel, release, signers, now, because))
        return staged

    def _by_plan(
        self,
        channel: str,
        release: int,
        because: Mapping[str, Any],
        signers: Sequence[Signer],
        at: datetime,
    ) -> str:
        """Stage the plan in force with the halt, signed now or before; the role."""
        role = ROLLOUT_ROLES[channel]
        metadata, plan = self._halting(channel, release, signers, at)
        if self._published.signing().missing(role, metadata):
            metadata = self._readied(channel, release, plan, at)
        details = {"release": release, "halted": True, **because}
        details |= {"role": role, "version": metadata.signed.version, "sha256": digest(metadata)}
        self._writer.note(f"brake on {channel}", details, [*metadata.signatures], at)
        self._writer.put_staged({role: metadata})
        return role

    def can_hold(self, channel: str, signers: Sequence[Signer]) -> bool:
        """Whether there is a brake, and its key is among `signers`."""
        role, signing = BRAKE_ROLES[channel], self._published.signing()
        if role not in self._published.metadata:
            return False
        return any(signer.public_key.keyid in signing.may_sign(role) for signer in signers)

    def hold(
        self,
        channel: str,
        release: int,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        because: Mapping[str, Any] | None = None,
    ) -> str:
        """Stage the halt of `release` by the brake's own key; publish the role that is returned.
        `because` goes into the log.

        Raises:
            ReleaseRefused: the channel has no brake, or lists no such release.
        """
        check_channel(channel, ReleaseRefused)
        role, published = BRAKE_ROLES[channel], self._published
        if role in brakes_lacking(published.metadata, published.damaged):
            raise ReleaseRefused(f"{channel} has no brake: `keys rotate brake` makes one")
        what, start = f"brake on {channel}", self.next_brake
        with self._staging.editing(role, what, signers, now, start) as edit:
            if not self._lists(channel, release):
                raise ReleaseRefused(f"{channel} lists no release {release}")
            before = halts_in(channel, edit.metadata.signed)
            listed = {release, *map(int, before.halted)}
            if channel not in published.damaged:
                listed = {entry.release for entry in published.releases(channel)}
            halts = before.with_halted(release, edit.metadata.signed.version, listed)
            edit.targets.clear()
            edit.add_target(halts_path(channel), halts.encode(), halts.custom())
            edit.details = {"release": release, "halted": True, **(because or {})}
        return role

    def next_brake(self, role: str, now: datetime) -> Metadata[Targets]:
        """The brake's next file; whatever waits that nobody can read is left behind."""
        try:
            return self._versions.next(role, now)
        except RepositoryDamaged:
            return self._versions.after_in_force(role, now)

    def _halting(
        self, channel: str, release: int, signers: Sequence[Signer], at: datetime
    ) -> tuple[Metadata[Targets], RolloutPlan]:
        """The next version of a plan's role, with one release more among the halted."""
        role = ROLLOUT_ROLES[channel]
        before = self._published.plan(channel)
        if release in before.halted:
            raise ReleaseRefused(f"release {release} is halted on {channel} already")
        if before.is_for_nobody(release) and not self._lists(channel, release):
            raise ReleaseRefused(f"{channel} lists no release {release}, and lets nobody have it")
        plan = before.with_halted(release, True)
        try:
            plan.check()
        except RolloutError:  # too many are halted: those that are listed no more are for nobody
            plan = plan.only({entry.release for entry in self._published.releases(channel)})
            plan.check()
        metadata = self._versions.after_in_force(role, at)
        target = TargetFile.from_data(plan_path(channel), plan.encode(), ["sha256"])
        target.unrecognized_fields = {"custom": plan.custom()}
        metadata.signed.targets = {target.path: target}
        newest = self._writer.log.newest()
        if newest:
            metadata.signed.unrecognized_fields["log"] = newest
        self._published.signing().sign(role, metadata, signers)
        self._writer.put_target(self._published.folder.target(target), plan.encode())
        return metadata, plan

    def _lists(self, channel: str, release: int) -> bool:
        """Whether the channel lists it; so it is taken where the list cannot be read."""
        if channel in self._published.damaged:
            return True
        return release in {entry.release for entry in self._published.releases(channel)}

    def _readied(
        self, channel: str, release: int, wanted: RolloutPlan, at: datetime
    ) -> Metadata[Targets]:
        """The halt that was signed before, if it is that of the plan in force and still counts."""
        role = ROLLOUT_ROLES[channel]
        path = self._published.folder.brake(role, release)
        metadata: Metadata[Targets] = Metadata(Targets())
        why = ""
        if not path.exists():
            why = "no halt of it was signed before (`release brake`)"
        else:
            try:
                metadata = read(path, Targets)
                check_key_ids(metadata.signed)
                why = self._why_useless(role, metadata, wanted, at)
            except (RepositoryError, KeyIdError, RolloutError) as error:
                why = f"the halt that was signed before cannot be read: {error}"
        if why:
            raise NoBrake(role, f"the server has no key of the plans, and {why}")
        return metadata

    def _why_useless(
        self, role: str, metadata: Metadata[Targets], wanted: RolloutPlan, at: datetime
    ) -> str:
        if self._published.signing().missing(role, metadata):
            return "the halt that was signed before lacks signatures"
        in_force = self._published.list_of(role).signed.version
        channel = channel_of(role)
        if metadata.signed.version <= in_force or plan_in(channel, metadata.signed) != wanted:
            return "the halt that was signed before is of an earlier plan"
        if metadata.signed.is_expired(at):
            return "the halt that was signed before has run out"
        return ""


class NoBrake(MissingSignatures):
    """Neither a key nor a halt that was signed before; the text says which and why."""

    def __init__(self, role: str, text: str) -> None:
        super().__init__({role: 1})
        self.args = (text,)
