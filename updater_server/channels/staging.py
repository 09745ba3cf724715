"""Staging a change: the next version of a role is made, dated, signed by the keys at hand, and
waits for more signatures or for its publication. Every change of the channels goes through
`Staging.editing` (one role) or `Staging.changing` (several, as one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, TargetFile

from updater_server.channels.dates import time_of
from updater_server.channels.drafts import Draft, Drafts
from updater_server.channels.errors import ChangedMeanwhile, RepositoryError, RoleTooLarge
from updater_server.channels.judge import Judge
from updater_server.channels.keys import KeyIdError
from updater_server.channels.metadata_file import check_key_ids, encode
from updater_server.channels.policy import limit_bytes
from updater_server.channels.published import Published
from updater_server.channels.restoring import follows
from updater_server.channels.versions import Versions
from updater_server.channels.waiting import Staged, Waiting
from updater_server.channels.writing import Writer

_SIGNATURE_BYTES = 220  # of one more, as JSON
_Start = Callable[[str, datetime], Metadata[Any]]


@dataclass
class Edit:
    """The next version of one role, while it is worked on. `what` and `details` are what the log is
    told; `files` is the content of the targets that it lists.
    """

    role: str
    metadata: Metadata[Any]
    what: str
    details: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[TargetFile, bytes]] = field(default_factory=list)

    @property
    def targets(self) -> dict[str, TargetFile]:
        """What it lists, by path."""
        listed: dict[str, TargetFile] = self.metadata.signed.targets
        return listed

    def add_target(
        self, path: str, data: bytes, custom: dict[str, Any] | None = None
    ) -> TargetFile:
        """List `data` under `path`."""
        target = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None:
            target.unrecognized_fields = {"custom": custom}
        self.targets[path] = target
        self.files.append((target, data))
        return target


class Staging:
    """Stages changes of what is `published`, each judged by `judge` first."""

    def __init__(
        self,
        published: Published,
        waiting: Waiting,
        versions: Versions,
        writer: Writer,
        judge: Judge,
    ) -> None:
        self._published = published
        self._waiting = waiting
        self._versions = versions
        self._writer = writer
        self._judge = judge

    @contextmanager
    def editing(
        self,
        role: str,
        what: str,
        signers: Sequence[Signer] = (),
        now: datetime | None = None,
        start: _Start | None = None,
    ) -> Iterator[Edit]:
        """The next version of `role` (or what `start` makes of role and time), to be changed
        inside; then it is dated, signed and staged. What is raised inside stages nothing.

        Raises:
            RepositoryDamaged: the folder, or what waits for `role`, cannot be read.
            RepositoryError, RoleTooLarge: as `put`.
        """
        with self.changing(signers, now) as at:
            edit = Edit(role, (start or self._versions.next)(role, at), what)
            yield edit
            self.put(edit, at)

    @contextmanager
    def changing(
        self, signers: Sequence[Signer] = (), now: datetime | None = None
    ) -> Iterator[datetime]:
        """The folder is locked and read anew, and what is `put` inside is signed and on disk as a
        whole or not at all: new keys of a role count only with all that they must sign anew. While
        drafting, it is drafted. Gives the time.

        Raises:
            RepositoryDamaged: the folder cannot be read.
        """
        with self._writer.locked():
            self._published.read_anew()
            if self._waiting.drafts is not None:
                yield time_of(now)
                return
            with self.drafting() as drafts:
                yield time_of(now)
            self._write(drafts, signers)

    def put(self, edit: Edit, at: datetime) -> None:
        """Stage one role's next version; inside `changing`.

        Raises:
            RepositoryError: a key id is another key's, or the version cannot follow.
            RoleTooLarge: terminals have no room for it.
        """
        role, metadata, drafts = edit.role, edit.metadata, self._waiting.drafts
        assert drafts is not None, "inside `changing` alone"
        self._anchor(metadata)
        self._check(role, metadata)
        details = {**edit.details, "role": role, "version": metadata.signed.version}
        draft = drafts.by_role.get(role) or Draft(role, metadata, self._waiting.base(role), at)
        draft.notes.append((edit.what, details))
        drafts.by_role[role] = draft
        for target, data in edit.files:
            drafts.files[self._published.folder.target(target)] = data

    @contextmanager
    def drafting(self) -> Iterator[Drafts]:
        """Inside, whatever would be staged is only worked out; show it (`Wording.in_words`), and
        `stage` it once somebody has agreed.
        """
        self._waiting.drafts = drafts = Drafts()
        try:
            yield drafts
        finally:
            self._waiting.drafts = None

    @contextmanager
    def agreed(self, drafts: Drafts) -> Iterator[None]:
        """Inside, `drafts` are what waits. The caller holds the folder's lock.

        Raises:
            ChangedMeanwhile: what they were worked out from has changed.
        """
        self._check_base(drafts)
        self._waiting.drafts = drafts
        try:
            yield
        finally:
            self._waiting.drafts = None

    def stage(self, drafts: Drafts, signers: Sequence[Signer]) -> list[Staged]:
        """Sign and stage `drafts`, the very bytes that were worked out; returns what waits.

        Raises:
            ChangedMeanwhile: what they were worked out from has changed; nothing was signed.
            RepositoryError: there are signers, and none of them may sign any of it.
        """
        with self._writer.locked():
            self._published.read_anew()
            self._check_base(drafts)
            signing = self._published.signing(self._waiting.read_all())
            may_sign = {keyid for role in drafts.by_role for keyid in signing.may_sign(role)}
            if signers and not may_sign & {signer.public_key.keyid for signer in signers}:
                raise RepositoryError(
                    f"none of these keys signs for {', '.join(drafts.by_role)}; nothing was staged"
                )
            self._write(drafts, signers)
        return self._waiting.staged()

    def _check_base(self, drafts: Drafts) -> None:
        for role, draft in drafts.by_role.items():
            if self._waiting.base(role) != draft.base:
                raise ChangedMeanwhile(role)

    def _write(self, drafts: Drafts, signers: Sequence[Signer]) -> None:
        if not drafts.by_role:
            return
        self.sign_drafts(drafts, signers)
        self.note_drafts(drafts)
        self._writer.put_staged(drafts.metadata)

    def sign_drafts(self, drafts: Drafts, signers: Sequence[Signer]) -> None:
        """Sign what is drafted, as far as `signers` may."""
        signing = self._published.signing({**self._waiting.read_all(), **drafts.metadata})
        for role, draft in drafts.by_role.items():
            signing.sign(role, draft.metadata, signers)

    def note_drafts(self, drafts: Drafts) -> None:
        """Keep the targets of what is drafted and signed, and tell the log of it."""
        for path, data in drafts.files.items():
            self._writer.put_target(path, data)
        for draft in drafts.by_role.values():
            for what, details in draft.notes:
                keys = [*draft.metadata.signatures]
                self._writer.note(what, {**details, "sha256": draft.sha256}, keys, draft.at)

    def _anchor(self, metadata: Metadata[Any]) -> None:
        """Name the newest line of the log in what is about to be signed: who rewrites the log
        before it must forge a signature.
        """
        newest = self._writer.log.newest()
        if newest:
            metadata.signed.unrecognized_fields["log"] = newest

    def _check(self, role: str, metadata: Metadata[Any]) -> None:
        self._judge.metadata(role, metadata.to_dict()["signed"])
        try:
            check_key_ids(metadata.signed)
        except KeyIdError as error:
            raise RepositoryError(f"{role}: {error}") from error
        version, in_force = metadata.signed.version, self._published.metadata.get(role)
        before = in_force.signed.version if in_force else 0
        if not follows(role, version, before):
            raise RepositoryError(f"{role}: {version} cannot follow on {before}: is the clock set?")
        signing = self._published.signing({**self._waiting.read_all(), role: metadata})
        size_bytes = len(encode(metadata))
        size_bytes += signing.missing(role, metadata) * _SIGNATURE_BYTES
        if size_bytes > limit_bytes(role):
            raise RoleTooLarge(
                f"{role} would hold {size_bytes} bytes, and terminals take in at most "
                f"{limit_bytes(role)}: list fewer releases (`releases_listed` in policy.json) or "
                f"offer fewer deltas; nothing was staged"
            )
