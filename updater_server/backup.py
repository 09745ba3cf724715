"""Back-up and restore of a data folder: each verifies what it made before it says that it is done.
For `cli.restore`.

A back-up is a folder of its own: `duka.db`, or of PostgreSQL `tables/` (one consistent state, taken
while the server runs), `repository/`, and `manifest.json` with the size and hash of each file,
sealed under the server key.
The server key and the online keys are not in it: kept together, the copy would open the vault.
Source: https://www.sqlite.org/backup.html, https://www.sqlite.org/howtocorrupt.html section 1.4.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from updater_server import server_key, wrapped
from updater_server.atomic import sync_folder, write_atomically
from updater_server.errors import StateError
from updater_server.sales import checks, restoring
from updater_server.server_key import WrappingKey
from updater_server.service import DataFolder, Service
from updater_server.startup import alone, counted_in, set_count
from updater_server.store import copies, postgresql, sqlite
from updater_server.store import engine as database
from updater_server.store.engine import reading, writing

FORMAT = 1
_MANIFEST = "manifest.json"
_DATABASE = "duka.db"
_REPOSITORY = "repository"
_TABLES = "tables"
_PARTIAL_AGE_S = 86400


@dataclass(frozen=True)
class Backup:
    """A whole, verified back-up."""

    path: Path
    backup_id: str
    made_at: int
    problems: tuple[str, ...]
    """What `check` found in its books: copied as they were."""


def make(service: Service, destination: Path) -> Backup:
    """Make a back-up in a new folder below `destination`; the server may run meanwhile.

    Raises:
        StateError: no room, not writable, or what was copied is not sound; nothing is left.
    """
    now = service.now()
    _sweep(destination)
    backup_id = f"duka-{_day(now)}-{secrets.token_hex(4)}"
    target, partial = destination / backup_id, destination / f".partial-{backup_id}"
    try:
        partial.mkdir(parents=True, mode=0o700)
        problems, needs = _copy_books(service, partial)
        key = server_key.load(service.folder.server_key)
        if needs != key.fingerprint:
            raise StateError("server.key was changed meanwhile: make the back-up again")
        _copy_repository(service.folder.repository, partial / _REPOSITORY)
        manifest = {
            "format": FORMAT,
            "id": backup_id,
            "made_at": now,
            "problems": problems,
            "server_key": needs,
            "files": {name: _fingerprint(partial / name) for name in _files(partial)},
        }
        _write_manifest(partial / _MANIFEST, manifest, key)
        _sync_tree(partial)
        found = verify(partial, key)
        partial.rename(target)
        sync_folder(destination)
    except (OSError, sqlite3.Error, shutil.Error, DBAPIError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StateError(f"no back-up was made in {destination}: {error}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Backup(target, found.backup_id, found.made_at, found.problems)


def _day(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def _sweep(destination: Path) -> None:
    """Take away what back-ups that were cut off left; one that is under way is younger."""
    for old in destination.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _PARTIAL_AGE_S:
                shutil.rmtree(old, ignore_errors=True)


def verify(path: Path, key: WrappingKey) -> Backup:
    """See that every file of a back-up is the one that was written, and its database whole.

    Raises:
        StateError: it is not; the text says what.
    """
    manifest = _read_manifest(path / _MANIFEST, key)
    names = set(_files(path)) - {_MANIFEST}
    if names != set(manifest["files"]):
        odd = sorted(names ^ set(manifest["files"]))[0]
        raise StateError(f"the back-up {path} is not whole: {odd} is missing or too much")
    for name, expected in manifest["files"].items():
        if _fingerprint(path / name) != expected:
            raise StateError(f"the back-up {path} is damaged: {name} is not what was copied")
    if _is_of_postgresql(path):
        return Backup(path, manifest["id"], manifest["made_at"], tuple(manifest["problems"]))
    uri = f"{(path / _DATABASE).resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        if found := sqlite.damage(connection, quick=False):
            raise StateError(f"the back-up {path} is damaged: {found}")
    return Backup(path, manifest["id"], manifest["made_at"], tuple(manifest["problems"]))


def _is_of_postgresql(path: Path) -> bool:
    return (path / _TABLES).is_dir()


def restore(
    folder: DataFolder, path: Path, now: int, owner: str = ""
) -> tuple[Backup, Path | str | None]:
    """Put the back-up at `path` in the place of a data folder's database; the database that was
    there is moved aside whole, with its write-ahead log. Returns the back-up and where the old one
    is now.

    The channels are put back only if the folder has none: an older state of them would be refused
    by terminals that saw the newer one. What was cut half-way is done by doing it again.

    On PostgreSQL the tables that were there keep a schema of their own, whose name is returned, and
    all of it is one transaction of its owner's, who is at the URL `owner` if that is not the
    folder's.

    Raises:
        StateError: a server runs on the folder, it has no or another server key, or the back-up
            is not whole; nothing was changed.
    """
    with alone(folder):
        key = server_key.load(folder.server_key)
        backup = verify(path, key)
        if _is_of_postgresql(path) != isinstance(folder.place, str):
            raise StateError(f"{path} is of another kind of database than {folder.place_in_words}")
        if _is_of_postgresql(path):
            kept = _restore_tables(folder, backup, now, owner)
            _put_back_channels(folder, path)
            return backup, kept
        fresh = folder.path / "duka.db.restoring"
        for suffix in ("", "-wal", "-shm"):
            Path(f"{fresh}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(path / _DATABASE, fresh)
        fresh.chmod(0o600)
        _mark(fresh, backup, now, counted_in(folder))
        write_atomically(folder.restoring, f"{backup.backup_id}\n".encode(), 0o600)
        aside = _move_aside(folder, now)
        fresh.rename(folder.database)
        _put_back_channels(folder, path)
        folder.restoring.unlink()
        sync_folder(folder.path)
    return backup, aside


def _put_back_channels(folder: DataFolder, path: Path) -> None:
    if not folder.repository.exists():
        shutil.copytree(path / _REPOSITORY, folder.repository)
        _sync_tree(folder.repository)
    sync_folder(folder.path)


def _restore_tables(folder: DataFolder, backup: Backup, now: int, owner: str) -> str | None:
    """The schema in which the tables are that were there; None if there were none."""
    aside = f"before_restore_{_day(now).lower()}_{secrets.token_hex(2)}"
    engine = database.open_engine(owner or str(folder.place), as_owner=True)
    try:
        with postgresql.presence(engine, alone=True), writing(engine) as connection:
            was_there = copies.read(connection, backup.path / _TABLES, aside)
            restoring.begin(connection, backup.backup_id, backup.made_at, now)
            set_count(connection, counted_in(folder), now)
    finally:
        engine.dispose()
    return aside if was_there else None


def _mark(path: Path, backup: Backup, now: int, counted: int) -> None:
    """Write into a database that it was restored, bring it to this program's schema, and leave one
    file of it, whole and on the disk.
    """
    engine = database.open_engine(path)
    try:
        database.migrate(engine)
        with writing(engine) as connection:
            restoring.begin(connection, backup.backup_id, backup.made_at, now)
            set_count(connection, counted, now)  # this one is not put back by hand
    finally:
        engine.dispose()
    _close_log(path)


def _move_aside(folder: DataFolder, now: int) -> Path | None:
    """Move the database and its log into a folder of their own; a log must never meet another
    database than its own.
    """
    parts = [Path(f"{folder.database}{suffix}") for suffix in ("", "-wal", "-shm")]
    there = [part for part in parts if part.exists()]
    if not there:
        return None
    aside = folder.path / f"before-restore-{_day(now)}-{secrets.token_hex(2)}"
    aside.mkdir(mode=0o700)
    for part in there:
        part.rename(aside / part.name)
    sync_folder(aside)
    sync_folder(folder.path)
    return aside


def _copy_books(service: Service, partial: Path) -> tuple[list[str], str | None]:
    """Copy the database; what its books have wrong, and the fingerprint of the key it needs."""
    if database.is_sqlite(service.engine):
        _copy_database(service.folder.database, partial / _DATABASE)
        return _books(partial / _DATABASE)
    with reading(service.engine, still=True) as connection:
        copies.write(connection, partial / _TABLES)
        return checks.problems(connection), wrapped.fingerprint(connection)


def _copy_database(source: Path, target: Path) -> None:
    """One consistent state in one file, with no log beside it."""
    uri = f"{source.resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(target)) as copy, closing(sqlite3.connect(uri, uri=True)) as live:
        live.execute(f"PRAGMA busy_timeout = {sqlite.BUSY_TIMEOUT_MS}")
        live.backup(copy)  # in one go: a writer between two pieces would begin it anew
    target.chmod(0o600)
    _close_log(target)


def _close_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _books(path: Path) -> tuple[list[str], str | None]:
    engine = database.open_engine(path)
    try:
        with reading(engine) as connection:
            return checks.problems(connection), wrapped.fingerprint(connection)
    finally:
        engine.dispose()
        _close_log(path)


def _copy_repository(source: Path, target: Path) -> None:
    """The channels as they are between two publications."""
    if not source.is_dir():
        target.mkdir()
        return
    with _unpublished(source):
        ignore = shutil.ignore_patterns(".lock", ".new-*")
        shutil.copytree(source, target, symlinks=True, ignore=ignore)


@contextmanager
def _unpublished(repository: Path) -> Iterator[None]:
    with (repository / ".lock").open("a") as file:  # the lock of `channels.Repository`
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _files(path: Path) -> list[str]:
    return sorted(
        file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()
    )


def _fingerprint(path: Path) -> list[Any]:
    """[size, SHA-256] of a file."""
    if path.is_symlink():
        raise StateError(f"{path} is a link: a back-up holds files")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return [os.fstat(file.fileno()).st_size, digest]


def _write_manifest(path: Path, manifest: dict[str, Any], key: WrappingKey) -> None:
    text = json.dumps(manifest, sort_keys=True)
    seal = key.digest("back-up manifest", text.encode()).hex()
    write_atomically(path, json.dumps({"manifest": text, "seal": seal}).encode(), 0o600)


def _read_manifest(path: Path, key: WrappingKey) -> dict[str, Any]:
    try:
        outer = json.loads(path.read_bytes())
        text, seal = str(outer["manifest"]), str(outer["seal"])
    except OSError as error:
        raise StateError(f"{path.parent} is no back-up: {error.strerror}: {path.name}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise StateError(f"the back-up's manifest {path} is damaged") from error
    expected = key.digest("back-up manifest", text.encode()).hex()
    if not hmac.compare_digest(seal.encode(), expected.encode()):
        raise StateError(
            f"the back-up {path.parent} was made under another server.key ({_needed(text)}; here "
            f"is {key.fingerprint}), or changed since: put the server.key of then into the data "
            "folder"
        )
    manifest = json.loads(text)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StateError(f"the back-up {path.parent} was made by a newer server: use that one")
    return manifest


def _needed(text: str) -> str:
    """What an unproven manifest says of the key that it needs."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        said = str(json.loads(text)["server_key"])
        if said.isalnum() and len(said) <= 16:
            return f"its fingerprint is {said}"
    return "of before keys had fingerprints"


def _sync_tree(path: Path) -> None:
    for file in path.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        elif file.is_dir():
            sync_folder(file)
    sync_folder(path)
