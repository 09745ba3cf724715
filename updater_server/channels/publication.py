"""One publication as a whole: all of its files come into force, or none. So for changes of several
roles that only count together. For `channels` alone (`writing`, `last_good`).

What is to be put out is first written, as one file, to `<repository>/publishing.json`: from then on
it happens, whatever is cut. Whoever opens the folder next finds that file and completes it; every
file in it is signed already, so that takes no key. That matters most for a new root: terminals
follow it as soon as it is there, and would find nothing signed by its keys beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from updater_server.atomic import sync_folder, write_atomically

_NAME = "publishing.json"


class Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`files` are (name below the folder, content) in the order in which they are put out, the
    timestamp last; `versions` are the roles' versions in it; `keys` signed it at `at` (Unix s).
    `what` is how the log calls it; "" if the log tells of it already.
    """

    files: list[tuple[str, str]]
    versions: dict[str, int]
    keys: list[str]
    at: int
    what: str = "publish"
    policy: str = ""

    def details(self) -> dict[str, Any]:
        """What the log tells of it."""
        return {"roles": sorted(self.versions)} if self.what == "create" else dict(self.versions)


def begin(directory: Path, publication: Publication) -> None:
    """The point from which on `publication` happens. The caller holds the folder's lock."""
    write_atomically(directory / _NAME, msgspec.json.encode(publication))


def is_pending(directory: Path) -> bool:
    """Whether a publication was begun and not completed."""
    return (directory / _NAME).exists()


def pending(directory: Path) -> Publication | None:
    """What was begun and not completed. The caller holds the folder's lock.

    A file that is not one was never begun (it is written by rename): None, and it is taken away.
    """
    try:
        return msgspec.json.decode((directory / _NAME).read_bytes(), type=Publication)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError:
        (directory / _NAME).unlink(missing_ok=True)
        return None


def put_out(directory: Path, publication: Publication) -> None:
    """Write the files of `publication` and forget that it was begun; doing it twice does no harm.
    The caller holds the folder's lock.
    """
    if publication.policy:
        write_atomically(directory / "policy.json", publication.policy.encode())
    for name, content in publication.files:
        write_atomically(directory / name, content.encode())
    (directory / _NAME).unlink(missing_ok=True)
    sync_folder(directory)
