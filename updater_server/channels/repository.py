"""The TUF repository of the channels: a folder of static files, changed by people who hold keys.

For the release manager's tools and the server's renewal. Whoever only reads, as every request to
the server does, takes `open_published`, and `Waiting` of that for what waits.

A change is staged (`staging`; its kinds are `releases`, `promotion`, `prices`, `rollouts` and
`ceremony`), signed by several people if the threshold says so (`holders`), then published as a
whole (`publishing`). Where the files are is told in `folder`, how they are changed in `writing`.

Source: TUF specification 1.0, sections 4 and 6; docs/formats/release.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key, Signer

from updater_server.channels import ceremony, lists, soundness
from updater_server.channels.audit import AuditLine
from updater_server.channels.brakes import Brakes
from updater_server.channels.dates import time_of
from updater_server.channels.errors import RepositoryError
from updater_server.channels.flags import Flags
from updater_server.channels.folder import Folder
from updater_server.channels.holders import Holders
from updater_server.channels.judge import Everything, Judge
from updater_server.channels.metadata_file import encode
from updater_server.channels.policy import CHANNELS, Policy
from updater_server.channels.prices import Prices
from updater_server.channels.promotion import Promotion
from updater_server.channels.published import Published
from updater_server.channels.publishing import Publishing
from updater_server.channels.quote import Line, Runs, quote
from updater_server.channels.releases import Releases
from updater_server.channels.rollouts import Rollouts
from updater_server.channels.staging import Staging
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Waiting
from updater_server.channels.widening import Widening
from updater_server.channels.wording import Wording
from updater_server.channels.writing import Writer


class Repository:
    """One repository folder, all of its parts put together. Not safe for two threads; two processes
    are kept apart by a lock on the folder.

    What is read is asked of `published`; what changes it is called here by its own name, and
    documented where it is done.
    """

    def __init__(self, published: Published, judge: Judge | None = None) -> None:
        """Use `create` or `open`."""
        judge = judge or Everything()
        self.published = published
        self._writer = writer = Writer(published.folder)
        self._waiting = waiting = Waiting(published)
        self.versions = versions = Versions(published, waiting)
        wording = Wording(published, waiting)
        staging = Staging(published, waiting, versions, writer, judge)
        holders = Holders(published, waiting, wording, writer, judge)
        publishing = Publishing(published, waiting, versions, staging, wording, writer)
        rollouts = Rollouts(published, waiting, versions, staging)
        releases = Releases(published, staging, rollouts)
        brakes = Brakes(published, versions, staging, writer)
        flags = Flags(published, staging, rollouts, brakes)
        keys_and_dates = ceremony.Ceremony(published, waiting, versions, staging, publishing)
        self.promotion = Promotion(published, releases)

        self.staged, self.unreadable = waiting.staged, waiting.unreadable
        self.drafting, self.stage, self.in_words = staging.drafting, staging.stage, wording.in_words
        self.sign, self.withdraw = holders.sign, holders.withdraw
        self.to_sign, self.add_signature = holders.to_sign, holders.add_signature
        self.add_release, self.unlist = releases.add_release, releases.unlist
        self.lift = releases.lift
        self.promote = self.promotion.promote
        self.set_catalogue = Prices(published, staging, judge).set_catalogue
        self.set_rollout, self.is_let_out = rollouts.set_rollout, rollouts.is_let_out
        self.halt, self.resume, self.coming_plan = rollouts.halt, rollouts.resume, rollouts.coming
        self.brake, self.ready_brake = brakes.brake, brakes.ready_brake
        self.hold, self.can_hold = brakes.hold, brakes.can_hold
        self.set_flag, self.brake_flag = flags.set_flag, flags.brake_flag
        self.publish, self.renew = publishing.publish, publishing.renew
        self.publish_drafts, self.new_releases = publishing.publish_drafts, waiting.new_releases
        self.widen = Widening(published, waiting, rollouts, publishing).widen
        self.prepare, self.publication = publishing.prepare, publishing.publication
        self.rotate, self.rotate_root = keys_and_dates.rotate, keys_and_dates.rotate_root
        self.date_anew, self.take_up_again = keys_and_dates.date_anew, keys_and_dates.take_up_again

    @staticmethod
    def create(
        directory: Path,
        keys: Mapping[str, Sequence[Key]],
        policy: Policy,
        signers: Sequence[Signer],
        now: datetime | None = None,
    ) -> Repository:
        """Make and publish an empty repository: every role at version 1 (`ceremony.create`).

        Raises:
            PolicyError: a role has another number of keys than the policy says.
            RepositoryError: there is a repository already.
            MissingSignatures: too few signers; nothing was written.
        """
        ceremony.create(Folder(directory), keys, policy, signers, time_of(now))
        return Repository(Published.read(Folder(directory)))

    @staticmethod
    def open(directory: Path, *, strict: bool = True, judge: Judge | None = None) -> Repository:
        """Read and verify the published metadata (signatures, thresholds, versions, hashes; not
        expiry, not the target files). A publication that was cut is completed first. `judge` is
        asked before anything is staged or signed.

        With `strict=False` a delegated role's list that cannot be read or does not verify is put
        down in `published.damaged`, and what does not need it goes on: a halt on one channel does
        not wait for the list of another.

        Raises:
            RepositoryDamaged: there is no repository here, or its metadata do not verify.
        """
        return Repository(open_published(directory, strict=strict), judge)

    def quote(
        self, channel: str, number: int, hardware_class: str, fleet: Iterable[Runs]
    ) -> list[Line]:
        """What a release costs that `channel` lists, or will once what waits is signed: `quote`.

        Raises:
            RepositoryError: no such channel, or neither list has it.
        """
        lists.check_channel(channel)
        for metadata in (self._waiting.read(channel), self.published.list_of(channel)):
            found = lists.entries_of_class(metadata.signed, hardware_class) if metadata else []
            for entry in found:
                if metadata and entry.release == number:
                    targets = metadata.signed.targets
                    sizes = {one.path: targets[one.path].length for one in entry.payloads}
                    return quote(entry, sizes, fleet)
        raise RepositoryError(
            f"{channel} lists no release {number} of {hardware_class}, and none waits: `release "
            "sign` it first"
        )

    @property
    def directory(self) -> Path:
        """The folder."""
        return self.published.directory

    def verify(self, now: datetime | None = None) -> list[str]:
        """Everything a terminal would check, and that each listed file is there: a list of
        problems, empty when sound.
        """
        return soundness.problems(self.published, time_of(now))

    def audit(self) -> list[AuditLine]:
        """What was done to this repository, oldest first.

        Raises:
            RepositoryDamaged: the log was changed, or does not tell of what is in force.
        """
        return soundness.checked_log(self.published, self._writer.log)

    def show(self) -> dict[str, Any]:
        """Roles (version, expiry, threshold, keys, file size), releases by channel and catalogues,
        as plain values.
        """
        published, signing = self.published, self.published.signing()
        roles = {}
        for role, metadata in published.metadata.items():
            rule = signing.delegator(role).get_delegated_role(role)
            roles[role] = {
                "version": metadata.signed.version,
                "expires": published.expires(role),
                "threshold": rule.threshold,
                "keys": list(rule.keyids),
                "size_bytes": len(encode(metadata)),
            }
        return {
            "roles": roles,
            "channels": {
                channel: [entry.custom() for entry in published.releases(channel)]
                for channel in CHANNELS
            },
            "rollouts": {channel: published.rollout(channel).custom() for channel in CHANNELS},
            "catalogues": published.catalogue_names(),
            "staged": [staged._asdict() for staged in self.staged()],
            "unreadable": self.unreadable(),
        }


def open_published(directory: Path, *, strict: bool = True) -> Published:
    """As `Repository.open`, to read alone. Raises RepositoryDamaged."""
    folder = Folder(directory)
    Writer(folder).complete()
    return Published.read(folder, strict=strict)
