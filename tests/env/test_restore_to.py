"""Back to a moment by `deploy/restore-to.sh`: to that moment and no other, or refused by a word
that its reader can act on, with nothing written over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.env.parts import ROOT
from tests.support import postgres
from tests.support.postgres import PostgresServer


@dataclass
class Kept:
    """A database with one row before the moment and one after it, and what an archive has of it."""

    server: PostgresServer
    folder: Path
    database: str
    moment: str

    def restore(self, *arguments: str, base: str = "base") -> subprocess.CompletedProcess[str]:
        """Run the script as PostgreSQL's user."""
        found = {**os.environ, "PATH": f"{self.server.programs}:{os.environ['PATH']}"}
        script = ROOT / "deploy" / "restore-to.sh"
        return subprocess.run(
            [script, self.folder / base, self.folder / "wal", *arguments],
            capture_output=True, text=True, check=False, env=found, cwd=self.folder,
            **self.server.as_whom(),
        )  # fmt: skip

    def rows(self, data: Path) -> list[str]:
        """What stands in a restored folder, by a server of one user."""
        done = subprocess.run(
            [self.server.programs / "postgres", "--single", "-D", data, self.database],
            input="SELECT name, value FROM duka.server_mark WHERE name <> 'start'\n",
            capture_output=True, text=True, check=True, cwd=self.folder, **self.server.as_whom(),
        )  # fmt: skip
        return [line.split('"')[1] for line in done.stdout.splitlines() if '= "' in line]


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    server = PostgresServer(durable=False)
    database = postgres.empty(server)
    folder = server.folder / "archive"
    folder.mkdir()
    if user := postgres.nobody():
        os.chown(folder, user.pw_uid, user.pw_gid)
    server.run("pg_basebackup", "-h", str(server.folder), "-U", "postgres", "-X", "none",
               "--checkpoint=fast", "--no-sync", "-D", str(folder / "base"))  # fmt: skip
    insert = "INSERT INTO duka.server_mark (name, value, at) VALUES (%s, '7', 1)"
    with server.connect(database) as connection:
        connection.execute(insert, ("count",))
        connection.execute(insert, ("before",))
        time.sleep(0.05)
        row = connection.execute("SELECT now()").fetchone()
        time.sleep(0.05)
        connection.execute(insert, ("after",))
        connection.execute("SELECT pg_switch_wal()")
    assert row
    wal = server.data / "pg_wal"
    server.run("cp", "-r", str(wal), str(folder / "wal"))
    yield Kept(server, folder, database, row[0].isoformat(" "))
    server.end()


def test_the_books_are_those_of_the_moment_and_are_marked_as_restored(kept: Kept) -> None:
    data = kept.folder / "restored"
    done = kept.restore(str(data), kept.moment, kept.database)
    assert done.returncode == 0, done.stderr
    assert kept.rows(data) == ["before", "7", "count", "-1"]
    assert "recovery_target" not in (data / "postgresql.auto.conf").read_text()
    assert not (data / "recovery.signal").exists()
    shutil.rmtree(data)


def test_a_moment_that_the_archive_does_not_have_yet_is_refused(kept: Kept) -> None:
    data = kept.folder / "never"
    done = kept.restore(str(data), "2999-01-01 00:00:00+00", kept.database)
    assert done.returncode == 1
    assert "that moment is not in the back-up and its archive" in done.stderr
    assert not (data / "postmaster.pid").exists()


def test_a_moment_before_the_base_back_up_is_refused_and_not_taken_for_another(kept: Kept) -> None:
    data = kept.folder / "before"
    done = kept.restore(str(data), "2026-01-01 00:00:00+00", kept.database)
    assert done.returncode == 1
    assert "take an older one" in done.stderr
    assert not data.exists()


def test_a_folder_that_is_there_is_left_as_it_is(kept: Kept) -> None:
    done = kept.restore(str(kept.folder), kept.moment)
    assert done.returncode == 1
    assert "is there: move it away first" in done.stderr


def test_a_back_up_of_which_a_byte_has_changed_is_refused(kept: Kept) -> None:
    spoiled = kept.folder / "spoiled"
    shutil.copytree(kept.folder / "base", spoiled)
    with (spoiled / "PG_VERSION").open("r+b") as file:
        file.write(b"9")
    if user := postgres.nobody():
        for path in (spoiled, *spoiled.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    data = kept.folder / "of-spoiled"
    done = kept.restore(str(data), kept.moment, base="spoiled")
    assert done.returncode == 1
    assert "is damaged or no base back-up" in done.stderr
    assert not data.exists()


@pytest.mark.parametrize("arguments", [(), ("a",), ("a", "2999-01-01'; --"), ("a", "noon")])
def test_what_is_no_order_is_refused(kept: Kept, arguments: tuple[str, ...]) -> None:
    assert kept.restore(*arguments).returncode == 1
