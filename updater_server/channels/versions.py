"""The next version of a role: which number, freshly dated, unsigned. For `channels`.

A version that was on disk is never used again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tuf.api.metadata import Metadata

from updater_server.channels.errors import RepositoryDamaged, RepositoryError
from updater_server.channels.metadata_file import copy_of
from updater_server.channels.published import Published
from updater_server.channels.restoring import highest, version_after
from updater_server.channels.waiting import Waiting


class Versions:
    """Works out what comes after what is `published`."""

    def __init__(self, published: Published, waiting: Waiting) -> None:
        self._published = published
        self._waiting = waiting

    def next(self, role: str, now: datetime) -> Metadata[Any]:
        """What waits for `role`, or a copy of what is in force with the next number; unsigned,
        freshly dated.

        Raises:
            RepositoryDamaged: what waits, or what is in force, cannot be read.
        """
        waiting = self._waiting.read(role)
        if waiting is None:
            return self.after_in_force(role, now)
        return self._afresh(role, waiting, now)

    def after_in_force(self, role: str, now: datetime) -> Metadata[Any]:
        """A copy of what is in force with the next number, whatever waits.

        Raises:
            RepositoryDamaged: what is in force cannot be read.
        """
        if role in self._published.damaged:
            raise RepositoryDamaged(self._published.damaged[role])
        metadata = copy_of(self._published.metadata[role])
        if role == "root":
            metadata.signed.version += 1  # one by one: the terminals walk along them
        else:
            metadata.signed.version = self.unused(role, now)
        return self._afresh(role, metadata, now)

    def unchanged(self, role: str, now: datetime) -> Metadata[Any]:
        """The next version of `role` with what is in force.

        Raises:
            RepositoryError: something else waits for it.
        """
        if self._waiting.read(role) is not None:
            raise RepositoryError(
                f"something else waits for {role}: publish it first, or take it back "
                f"(`release withdraw {role}`)"
            )
        return self.after_in_force(role, now)

    def unused(self, role: str, now: datetime) -> int:
        """The next number, if no file beyond what is in force is on disk, published or not; else
        one that is made of the time: nobody knows what else was given out.
        """
        in_force: int = self._published.metadata[role].signed.version
        on_disk = self._published.folder.versions_on_disk(role)
        found = [number for number in on_disk if in_force < number <= highest(in_force, now)]
        return version_after(max(found) + 1, now) if found else in_force + 1

    def _afresh(self, role: str, metadata: Metadata[Any], now: datetime) -> Metadata[Any]:
        metadata.signatures.clear()
        metadata.signed.expires = now + self._published.policy.lifetime(role)
        return metadata
