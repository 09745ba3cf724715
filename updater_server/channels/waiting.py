"""What waits to be published: the next version of each role as it lies in `staged/`, or as it is
being drafted. Reading it; nothing here writes or signs. For `channels` and all who only read.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from tuf.api.metadata import Metadata, Targets

from updater_server.channels.drafts import Drafts
from updater_server.channels.entry import EntryError, ReleaseEntry
from updater_server.channels.errors import ChangedMeanwhile, RepositoryDamaged, RepositoryError
from updater_server.channels.keys import KeyIdError
from updater_server.channels.lists import brakes_lacking, entries_in
from updater_server.channels.metadata_file import check_key_ids, digest, read
from updater_server.channels.published import Published
from updater_server.channels.restoring import follows


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


class Waiting:
    """What waits beside what is `published`. `drafts`, while there are some, stand before what is
    in the folder.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self.drafts: Drafts | None = None

    def read(self, role: str) -> Metadata[Any] | None:
        """What waits for `role`, unless a publication overtook it (cut between publishing and
        clearing up).

        Raises:
            RepositoryDamaged: it cannot be read.
        """
        if self.drafts is not None and role in self.drafts.by_role:
            return self.drafts.by_role[role].metadata
        path = self.published.folder.staged(role)
        published = self.published.metadata.get(role)
        is_first = role in self._lacking()
        if (published is None and not is_first) or not path.exists():
            return None  # where the list in force cannot be read, nothing is built on it
        try:
            metadata: Metadata[Any] = read(path, type(published.signed) if published else Targets)
            check_key_ids(metadata.signed)
        except (RepositoryDamaged, KeyIdError) as error:
            raise RepositoryDamaged(
                f"what is staged for {role}: {error}; `release withdraw {role}` takes it away"
            ) from error
        version = metadata.signed.version
        before = published.signed.version if published else 0
        return metadata if follows(role, version, before) else None

    def _lacking(self) -> list[str]:
        """Brakes that may wait to be there for the first time."""
        return brakes_lacking(self.published.metadata, self.published.damaged)

    def read_all(self) -> dict[str, Metadata[Any]]:
        """Everything that waits, by role, but for what cannot be read (`unreadable`): it may not
        stop the rest.
        """
        found = {}
        for role in (*self.published.metadata, *self._lacking()):
            try:
                metadata = self.read(role)
            except RepositoryDamaged:
                continue
            if metadata is not None:
                found[role] = metadata
        return found

    def read_shown(self, role: str, expect: str | None) -> Metadata[Any]:
        """What waits for `role`, if it is what somebody was shown (`expect`: its SHA-256).

        Raises:
            RepositoryError: nothing is staged for `role`.
            ChangedMeanwhile: it is something else.
        """
        metadata = self.read(role)
        if metadata is None:
            raise RepositoryError(f"nothing is staged for {role}")
        if expect is not None and digest(metadata) != expect:
            raise ChangedMeanwhile(role)
        return metadata

    def new_releases(self, channel: str) -> list[ReleaseEntry]:
        """What waits to be listed on `channel` and is not listed so yet, newest first.

        Raises:
            RepositoryDamaged: it cannot be read.
        """
        metadata = self.read(channel)
        if metadata is None:
            return []
        before = self.published.releases(channel)
        try:
            found = [entry for entry in entries_in(metadata.signed) if entry not in before]
        except EntryError as error:
            raise RepositoryDamaged(f"what is staged for {channel}: {error}") from error
        return sorted(found, key=lambda entry: -entry.release)

    def is_anything(self, role: str) -> bool:
        """Whether something is staged for `role`, readable or not."""
        try:
            return self.read(role) is not None
        except RepositoryDamaged:
            return True

    def unreadable(self) -> dict[str, str]:
        """What is staged and cannot be read, by role: why. It is neither signed nor published;
        `withdraw` takes it away.
        """
        found = {}
        for role in (*self.published.metadata, *self._lacking()):
            try:
                self.read(role)
            except RepositoryError as error:
                found[role] = str(error)
        return found

    def staged(self) -> list[Staged]:
        """What waits to be published, and how far its signatures are."""
        waiting = self.read_all()
        signing = self.published.signing(waiting)
        return [
            Staged(
                role,
                metadata.signed.version,
                sorted(metadata.signatures),
                signing.missing(role, metadata),
                digest(metadata),
                sorted(signing.may_sign(role).keys() - metadata.signatures.keys()),
            )
            for role, metadata in waiting.items()
        ]

    def base(self, role: str) -> str:
        """What a change of `role` is worked out from, as one hash."""
        path = self.published.folder.staged(role)
        staged = path.read_bytes() if path.exists() else b""
        before = self.published.metadata.get(role)
        in_force = before.signed_bytes if before else b""
        return hashlib.sha256(hashlib.sha256(in_force).digest() + staged).hexdigest()
