"""Changing a repository folder: the lock, the log, and files that come as one. Whoever may not
write is given no `Writer`. For the parts of `channels` that stage and publish.

What a cut leaves half done, whoever takes the lock next completes (channels/publication.py).
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from updater_server.atomic import write_atomically
from updater_server.channels import publication as publications
from updater_server.channels.audit import AuditLog
from updater_server.channels.folder import Folder
from updater_server.channels.metadata_file import ByRole, encode
from updater_server.channels.policy import Policy
from updater_server.channels.publication import Publication

log = logging.getLogger("duka.channels")


class Writer:
    """Writes one folder. Not safe for two threads; two processes are kept apart by the lock."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.log = AuditLog(folder.log)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the folder inside; what was cut before is completed first."""
        self._folder.path.mkdir(parents=True, exist_ok=True)
        with self._folder.lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            cut = publications.pending(self._folder.path)
            if cut is not None:
                self.carry_through(cut)
            yield

    def complete(self) -> None:
        """Complete a publication that was cut. Who may not write here reads what is there."""
        if not publications.is_pending(self._folder.path):
            return
        try:
            with self.locked():
                pass
        except OSError:
            log.warning("a publication in %s waits to be completed", self._folder.path)

    def note(
        self, what: str, details: dict[str, Any], keys: Sequence[str], now: datetime | None = None
    ) -> None:
        """Log before doing: nothing comes into force that the log does not tell of."""
        self.log.append(what, details, keys, now)

    def put_out(
        self,
        everything: ByRole,
        now: datetime,
        *,
        what: str = "publish",
        policy: Policy | None = None,
    ) -> None:
        """Put files into force, in this order, as one; the caller holds the lock."""
        publication = Publication(
            [
                (
                    f"metadata/{self._folder.metadata(role, metadata.signed.version).name}",
                    encode(metadata).decode(),
                )
                for role, metadata in everything.items()
            ],
            {role: metadata.signed.version for role, metadata in everything.items()},
            sorted({keyid for m in everything.values() for keyid in m.signatures}),
            int(now.timestamp()),
            what,
            msgspec.json.encode(policy).decode() if policy else "",
        )
        publications.begin(self._folder.path, publication)
        self.carry_through(publication)

    def carry_through(self, publication: Publication) -> None:
        """Tell the log of a publication that was begun, and put its files out."""
        is_told = self.log.tells(publication.what, publication.details())
        if publication.what and not is_told:
            at = datetime.fromtimestamp(publication.at, UTC)
            self.note(publication.what, publication.details(), publication.keys, at)
        publications.put_out(self._folder.path, publication)

    def put_staged(self, changes: ByRole) -> None:
        """Let `changes` wait, all of them or none; the caller holds the lock, and logged it."""
        files = [
            (f"staged/{role}.json", encode(metadata).decode()) for role, metadata in changes.items()
        ]
        publication = Publication(files, {}, [], 0, "")
        publications.begin(self._folder.path, publication)
        publications.put_out(self._folder.path, publication)

    def put_target(self, path: Path, data: bytes) -> None:
        """The content of a target, where it is not there already."""
        if not path.exists() or path.read_bytes() != data:
            write_atomically(path, data)
