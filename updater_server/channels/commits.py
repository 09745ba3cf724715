"""The commits that came with a release, as the machine of whoever signed it knew them: a file a
release in `commits/`, for people who look at it. It is signed by nobody: what is in an image says
its own commit, which anybody can build again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from updater_server.atomic import write_atomically

MOST = 200
"""More commits than this are counted, not named."""
SUBJECT_LIMIT = 120
_Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{7,64}\Z")]


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One commit and the first line of what it says."""

    commit: _Hash
    subject: Annotated[str, msgspec.Meta(max_length=SUBJECT_LIMIT)]


class Came(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came since the commit `since` of release `after`, newest first; `count` in all."""

    since: _Hash
    after: int
    count: int
    commits: Annotated[list[Commit], msgspec.Meta(max_length=MOST)]


def made(since: str, after: int, commits: Sequence[tuple[str, str]]) -> Came:
    """Of all `commits`, (hash, first line), newest first."""
    kept = [Commit(commit, subject[:SUBJECT_LIMIT]) for commit, subject in commits[:MOST]]
    return Came(since, after, len(commits), kept)


def put(folder: Path, commit: str, came: Came) -> None:
    """Keep what came with the release of that commit, in the repository folder.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / "commits").mkdir(exist_ok=True)
    write_atomically(_path(folder, commit), msgspec.json.encode(came) + b"\n")


def read(folder: Path, commit: str) -> Came | None:
    """What came with the release of that commit; None where nobody said, or it cannot be read."""
    try:
        return msgspec.json.decode(_path(folder, commit).read_bytes(), type=Came)
    except (OSError, msgspec.MsgspecError):
        return None


def _path(folder: Path, commit: str) -> Path:
    return folder / "commits" / f"{commit}.json"
