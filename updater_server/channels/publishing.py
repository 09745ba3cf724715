"""Putting into force what is staged, as a whole: roles first, then snapshot, then timestamp, so
that a reader never meets a reference to a file that is not there. And signing anew, before it runs
out, what is signed online.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from securesystemslib.signer import Signer
from tuf.api.metadata import Timestamp

from updater_server.atomic import write_atomically
from updater_server.channels import shown
from updater_server.channels.assembly import Assembly, without_hash
from updater_server.channels.dates import time_of
from updater_server.channels.drafts import Drafts
from updater_server.channels.errors import ChangedMeanwhile, RepositoryError
from updater_server.channels.metadata_file import ByRole, digest, encode
from updater_server.channels.policy import ROLLOUT_ROLES
from updater_server.channels.published import Published
from updater_server.channels.staging import Edit, Staging
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Staged, Waiting
from updater_server.channels.wording import Wording
from updater_server.channels.writing import Writer


class Publishing:
    """Publishes what waits beside what is `published`."""

    def __init__(
        self,
        published: Published,
        waiting: Waiting,
        versions: Versions,
        staging: Staging,
        wording: Wording,
        writer: Writer,
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._versions = versions
        self._staging = staging
        self._wording = wording
        self._writer = writer
        self._assembly = Assembly(published, waiting, versions, writer.log)

    def publication(
        self, now: datetime, roles: Collection[str] | None = None
    ) -> dict[str, tuple[str, list[str]]]:
        """What `publish` at `now` would put into force: by role the SHA-256 of what is signed, and
        that in words.

        Raises:
            MissingSignatures: as `publish`, of what people sign.
        """
        everything = self._assembly.whole(self._assembly.signed_changes(roles), (), now)
        found = {
            role: (digest(metadata), self._wording.of(role, metadata))
            for role, metadata in everything.items()
        }
        if "snapshot" in everything:
            timestamp = everything["timestamp"]
            before = without_hash(self._published.metadata["timestamp"]).signed.to_dict()
            words = shown.in_words("timestamp", timestamp.signed.to_dict(), before, {})
            words.append("  with the hash of that snapshot, once it is signed")
            found["timestamp"] = digest(timestamp), words
        return found

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
        now = time_of(now)
        with self._writer.locked():
            self._published.read_anew()
            if expect is not None:
                _compare(self._assembly.changes(), expect)
            everything = self._assembly.ready(signers, now, roles)
            if expect is not None:
                _compare(everything, expect)
                for role in everything.keys() ^ expect.keys():
                    raise ChangedMeanwhile(role)
            self._writer.put_out(everything, now)
            for role in everything:
                self._published.folder.staged(role).unlink(missing_ok=True)
            self._published.read_anew()
        version: int = self._published.metadata["timestamp"].signed.version
        return version

    @contextmanager
    def at_once(
        self, role: str, what: str, signers: Sequence[Signer], now: datetime
    ) -> Iterator[Edit]:
        """The next version of `role` after what is in force, to be changed inside; then it is
        signed and in force, under one lock: nothing of it ever waits. What is raised inside, or
        for want of a signature, leaves everything as it was.

        Raises:
            MissingSignatures, RepositoryDamaged: as `publish`.
            RepositoryError, RoleTooLarge: as `Staging.put`.
        """
        with self._writer.locked():
            self._published.read_anew()
            with self._staging.drafting() as drafts:
                edit = Edit(role, self._versions.after_in_force(role, now), what)
                yield edit
                self._staging.put(edit, now)
                self._put_out(drafts, signers, now)
            self._published.read_anew()

    def publish_drafts(
        self, drafts: Drafts, signers: Sequence[Signer], now: datetime | None = None
    ) -> int:
        """Sign what was drafted and put it into force as a whole, and nothing else: none of it ever
        waits. Returns the timestamp's version.

        Raises:
            ChangedMeanwhile: what it was worked out from has changed.
            MissingSignatures: `signers` do not suffice. In both cases all is as it was.
        """
        now = time_of(now)
        with self._writer.locked():
            self._published.read_anew()
            with self._staging.agreed(drafts):
                self._put_out(drafts, signers, now)
            self._published.read_anew()
        version: int = self._published.metadata["timestamp"].signed.version
        return version

    def _put_out(self, drafts: Drafts, signers: Sequence[Signer], now: datetime) -> None:
        self._staging.sign_drafts(drafts, signers)
        self._assembly.ready(signers, now, [*drafts.by_role])  # else the log would tell of nothing
        self._staging.note_drafts(drafts)
        # Once more: its snapshot holds the lines that tell of it.
        everything = self._assembly.ready(signers, now, [*drafts.by_role])
        self._writer.put_out(everything, now)

    def prepare(self, signers: Sequence[Signer] = (), now: datetime | None = None) -> list[Staged]:
        """Stage the snapshot and timestamp that would put everything staged into force, for keys
        that are elsewhere; `publish` then takes them as they are. Returns what waits.
        """
        now = time_of(now)
        with self._writer.locked():
            self._published.read_anew()
            staged, _ = self._assembly.sound(self._assembly.changes())
            for role, metadata in self._assembly.whole(staged, signers, now).items():
                if role not in staged:
                    write_atomically(self._published.folder.staged(role), encode(metadata))
                    details = {"version": metadata.signed.version}
                    self._writer.note(f"prepare {role}", details, [*metadata.signatures], now)
        return self._waiting.staged()

    def renew(self, signers: Sequence[Signer], now: datetime | None = None) -> list[str]:
        """Sign anew, with the same content, what is signed online and has passed half of its time:
        timestamp, snapshot, rollout plans (those whose keys are among `signers`). Returns the
        roles. What people have staged is left alone.

        Raises:
            MissingSignatures: the timestamp's or snapshot's key is not among `signers`.
            RepositoryError: `now` can hardly be the time (`dates.doubt_of_clock`); nothing was
                signed.
        """
        with self._staging.changing(signers, now) as at:
            doubt = self._published.doubt_of_clock(at)
            if doubt:
                raise RepositoryError(doubt)
            before = self._versions_in_force()
            plans = self._plans_due(signers, at)
            for role in plans:
                self._staging.put(Edit(role, self._versions.next(role, at), "renew"), at)
            is_top_due = any(self._published.is_due(role, at) for role in ("timestamp", "snapshot"))
        if not plans and not is_top_due:
            return []
        self.publish(signers, at, plans)
        now_in_force = self._versions_in_force()
        return [role for role, version in now_in_force.items() if version != before[role]]

    def _plans_due(self, signers: Sequence[Signer], now: datetime) -> list[str]:
        """The rollout roles that `signers` can renew, and that are due."""
        held = {signer.public_key.keyid for signer in signers}
        signing = self._published.signing()
        return [
            role
            for role in ROLLOUT_ROLES.values()
            if role not in self._published.damaged
            and not self._waiting.is_anything(role)
            and self._published.is_due(role, now)
            and len(held & signing.may_sign(role).keys()) >= signing.threshold(role)
        ]

    def _versions_in_force(self) -> dict[str, int]:
        metadata = self._published.metadata
        return {role: of_role.signed.version for role, of_role in metadata.items()}


def _compare(found: ByRole, expect: Mapping[str, str]) -> None:
    """Raises ChangedMeanwhile where what was shown is not what is found now. A timestamp was
    shown without the hash of its snapshot if that had no signature yet.
    """
    for role, metadata in found.items():
        signed = {digest(metadata)}
        if isinstance(metadata.signed, Timestamp):
            signed.add(digest(without_hash(metadata)))
        if role in expect and expect[role] not in signed:
            raise ChangedMeanwhile(role)
