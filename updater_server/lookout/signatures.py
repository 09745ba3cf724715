"""What waits for people's signatures: a request that nobody is told of is signed by nobody. For
`worker`; the alarm stands for as long as the list of a channel waits.
"""

from __future__ import annotations

import logging
from pathlib import Path

from updater_server.channels import CHANNELS, RepositoryError, Waiting, open_published
from updater_server.channels.folder import Folder
from updater_server.lookout.befallen import Standing

WAITS = "signature_waits"
log = logging.getLogger("duka.lookout")


class Requests:
    """Looks at the folder of the channels; reads it only where something in it has changed."""

    def __init__(self, directory: Path) -> None:
        self._folder = Folder(directory)
        self._seen: tuple[int, ...] = ()
        self._standing: list[Standing] = []

    def look(self) -> list[Standing]:
        """Each channel whose list lacks signatures. Where the channels cannot be read it is what it
        was: `renewal.watch` tells of that.
        """
        seen = self._now()
        if seen != self._seen:
            try:
                self._standing = self._read() if any(seen[1:]) else []
                self._seen = seen
            except (RepositoryError, OSError) as error:
                log.warning("what waits for signatures: %s", error)
        return self._standing

    def _now(self) -> tuple[int, ...]:
        paths = [self._folder.log, *(self._folder.staged(channel) for channel in CHANNELS)]
        found = []
        for path in paths:
            try:
                status = path.stat()
                found.append(status.st_mtime_ns ^ status.st_ino)
            except FileNotFoundError:
                found.append(0)
        return tuple(found)

    def _read(self) -> list[Standing]:
        waiting = Waiting(open_published(self._folder.path, strict=False))
        return [
            Standing(WAITS, self._text(waiting, staged.role, staged.sha256))
            for staged in waiting.staged()
            if staged.role in CHANNELS and staged.missing
        ]

    def _text(self, waiting: Waiting, channel: str, sha256: str) -> str:
        if channel in waiting.published.damaged:
            what = "a list"
        else:
            new = [str(entry.release) for entry in waiting.new_releases(channel)]
            what = f"release {', '.join(new)}" if new else "a list"
        return (
            f"{what} for {channel} waits for its signatures: `release sign {channel}`, or "
            f"`--export` and `keys sign`. SHA-256 {sha256}"
        )
