"""The signed files of the channels in an object store (S3's API, or a folder), as they are in the
repository: byte for byte, under the same names. For `cli.artefacts`.

Names never change their content, but for `timestamp.json`: so what is there is not sent again, and
the timestamp goes last. Whoever sees a timestamp finds all that it names. Nothing is trusted for
having come from the store: a server believes signatures alone (`channels.last_good`), and what is
not signed (`policy.json`) does not go this road.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from updater_server.atomic import write_atomically
from updater_server.errors import InputError, StateError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SERVED = ("targets", "metadata")
"""Folders of a repository that terminals are given files from; the first is named by the second."""
TIMESTAMP = "metadata/timestamp.json"
HISTORY = "history"


@dataclass(frozen=True)
class Brought:
    """What one run brought over."""

    files: int
    bytes: int
    is_newer: bool
    """Whether the timestamp is another one now."""


def open_store(url: str) -> ObjectStore:
    """The store at `s3://bucket/prefix` or `file:///folder`. Where S3 is and who we are say the
    usual variables (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, …).

    Raises:
        InputError: no store can be there.
    """
    from obstore.exceptions import BaseError  # only who has a store pays for its import
    from obstore.store import LocalStore, S3Store

    kind, _, place = url.partition("://")
    try:
        if kind == "s3":
            return S3Store.from_url(url, client_options={"allow_http": True})
        if kind == "file":
            return LocalStore(place, mkdir=True)
    except (BaseError, ValueError, OSError) as error:
        raise InputError(f"{url}: {_first_line(error)}") from error
    raise InputError(f"{url}: s3://bucket/prefix or file:///folder")


def push(repository: Path, store: ObjectStore) -> Brought:
    """Bring the store everything that terminals are given, the timestamp last.

    Raises:
        StateError: the store cannot be written, or there is nothing published.
    """
    from obstore.exceptions import BaseError

    if not (repository / TIMESTAMP).exists():
        raise StateError(f"{repository} has published nothing")
    timestamp = (repository / TIMESTAMP).read_bytes()  # first: what it names is there already
    try:
        there = dict(_listed(store))
        sent = size = 0
        for name in _served(repository):
            content = (repository / name).read_bytes()
            if there.get(name) == len(content) and not _may_change(name):
                continue
            store.put(name, content)
            sent, size = sent + 1, size + len(content)
        is_newer = TIMESTAMP not in there or bytes(store.get(TIMESTAMP).bytes()) != timestamp
        if is_newer:
            store.put(TIMESTAMP, timestamp)
    except BaseError as error:
        raise StateError(f"the object store: {_first_line(error)}") from error
    return Brought(sent + is_newer, size + len(timestamp) * is_newer, is_newer)


def pull(store: ObjectStore, repository: Path) -> Brought:
    """Bring a server's folder everything that the store has, the timestamp last.

    Raises:
        StateError: the store cannot be read, or has another content under a name that says its own.
    """
    from obstore.exceptions import BaseError

    try:
        there = dict(_listed(store))
        if TIMESTAMP not in there:
            raise StateError("the object store has no channels: push them first")
        timestamp = bytes(store.get(TIMESTAMP).bytes())  # first: what it names is there already
        got = size = 0
        for name, length in sorted(there.items(), key=lambda item: SERVED.index(_folder(item[0]))):
            file = repository / name
            if name == TIMESTAMP or (file.exists() and file.stat().st_size == length):
                continue
            content = bytes(store.get(name).bytes())
            _check(name, content)
            write_atomically(file, content)
            got, size = got + 1, size + len(content)
    except BaseError as error:
        raise StateError(f"the object store: {_first_line(error)}") from error
    file = repository / TIMESTAMP
    is_newer = not file.exists() or file.read_bytes() != timestamp
    if is_newer:
        write_atomically(file, timestamp)
    return Brought(got + is_newer, size + len(timestamp) * is_newer, is_newer)


def push_history(folder: Path, store: ObjectStore) -> tuple[int, int]:
    """Bring the store under `history/` the days that it lacks, each file before its hash: what
    has a hash there is whole. Returns how many files, and their bytes.

    Raises:
        StateError: the store cannot be written.
    """
    from obstore.exceptions import BaseError

    try:
        there = {str(entry["path"]) for part in store.list(HISTORY) for entry in part}
        sent = size = 0
        for proof in sorted(folder.glob("*.sha256")):
            for file in (proof.with_suffix(""), proof):
                if f"{HISTORY}/{proof.name}" not in there:
                    content = file.read_bytes()
                    store.put(f"{HISTORY}/{file.name}", content)
                    sent, size = sent + 1, size + len(content)
    except BaseError as error:
        raise StateError(f"the object store: {_first_line(error)}") from error
    return sent, size


def _listed(store: ObjectStore) -> Iterator[tuple[str, int]]:
    for part in store.list():
        for entry in part:
            name = str(entry["path"])
            if _folder(name) in SERVED and ".." not in name.split("/"):
                yield name, int(entry["size"])


def _served(repository: Path) -> Iterator[str]:
    for folder in SERVED:
        for file in sorted((repository / folder).rglob("*")):
            name = file.relative_to(repository).as_posix()
            if file.is_file() and not file.name.startswith(".") and name != TIMESTAMP:
                yield name


def _folder(name: str) -> str:
    return name.partition("/")[0]


def _may_change(name: str) -> bool:
    """Whether its name does not say its content: by a version or a hash."""
    first = name.rpartition("/")[2].partition(".")[0]
    return not (first.isdigit() or len(first) == 64)


def _check(name: str, content: bytes) -> None:
    first = name.rpartition("/")[2].partition(".")[0]
    is_hash = name.startswith("targets/") and len(first) == 64
    if is_hash and hashlib.sha256(content).hexdigest() != first:
        raise StateError(f"the object store has another {name} than its name says")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["it does not answer"])[0][:200]
