"""The database copied, put back, put back wrongly, damaged, full, and opened twice."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tests.server.shop import NOW, ROOT, Shop
from tests.server.test_server_process import Process
from tests.support import nursery
from updater_server import atomic, backup, server_key, startup
from updater_server.__main__ import cli
from updater_server.errors import StateError
from updater_server.faces.health import Health
from updater_server.service import DataFolder, Service
from updater_server.store import sqlite


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def copied(shop: Shop) -> Iterator[tuple[Shop, backup.Backup]]:
    """A shop with one sale, and a back-up of it."""
    shop.stock_vault()
    device = shop.enrol()
    assert device.sale(1)[1] == 0
    yield shop, backup.make(shop.service, shop.folder.parent / "copies")


def test_a_back_up_is_one_whole_state_while_the_server_writes(
    copied: tuple[Shop, backup.Backup],
) -> None:
    shop, made = copied
    assert made.problems == ()
    assert backup.verify(made.path, server_key.load(shop.folder / "server.key")) == made
    assert not (made.path / "server.key").exists()
    names = sorted(path.name for path in made.path.iterdir())
    assert names == ["duka.db", "manifest.json", "repository"]
    with closing(sqlite3.connect(made.path / "duka.db")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM sale").fetchone() == (1,)
    assert not list(made.path.parent.glob(".partial*"))


def test_a_restored_server_sells_from_the_state_of_the_back_up_and_is_marked(
    copied: tuple[Shop, backup.Backup],
) -> None:
    shop, made = copied
    device = shop.enrol(2)
    assert device.sale(1)[1] == 0
    shop.service.engine.dispose()
    done = run("restore", made.path, "--data", shop.folder)
    assert done.exit_code == 0, done.output
    again = Service.open(shop.folder, lambda: NOW)
    shop.service = again
    assert shop.sql("SELECT COUNT(*) FROM sale") == [(1,)]
    assert shop.sql("SELECT backup_id, backup_at, settled_at FROM database_restore") == [
        (made.backup_id, NOW, None)
    ]
    assert shop.problems() == []
    (aside,) = shop.folder.glob("before-restore-*")
    with closing(sqlite3.connect(aside / "duka.db")) as old:
        assert old.execute("SELECT COUNT(*) FROM sale").fetchone() == (2,)
    assert not (shop.folder / "restoring").exists()
    assert not (shop.folder / "duka.db.restoring").exists()
    again.engine.dispose()


def test_a_mark_of_a_restore_is_only_settled_once(copied: tuple[Shop, backup.Backup]) -> None:
    shop, made = copied
    shop.service.engine.dispose()
    backup.restore(DataFolder(shop.folder), made.path, NOW)
    with closing(sqlite3.connect(shop.folder / "duka.db")) as connection:
        for wrong in (
            "DELETE FROM database_restore",
            "UPDATE database_restore SET backup_id = 'x', settled_at = 1",
            "UPDATE database_restore SET settled_at = NULL",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(wrong)
        connection.execute("UPDATE database_restore SET settled_at = 5")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE database_restore SET settled_at = 6")


def spoil_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace_manifest(path: Path) -> None:
    outer = json.loads(path.read_bytes())
    outer["manifest"] = outer["manifest"].replace(str(NOW), str(NOW + 1))
    path.write_text(json.dumps(outer))


SPOILS: dict[str, Callable[[Path], object]] = {
    "a byte of the database": lambda path: spoil_byte(path / "duka.db"),
    "the database cut short": lambda path: os.truncate(path / "duka.db", 8192),
    "a byte of a signed file": lambda path: spoil_byte(path / "repository/metadata/timestamp.json"),
    "a file that is gone": lambda path: (path / "repository/metadata/timestamp.json").unlink(),
    "a file too much": lambda path: (path / "repository/new").write_bytes(b""),
    "a log beside it": lambda path: (path / "duka.db-wal").write_bytes(b"x"),
    "a changed manifest": lambda path: replace_manifest(path / "manifest.json"),
    "an empty manifest": lambda path: (path / "manifest.json").write_bytes(b""),
    "a list for a manifest": lambda path: (path / "manifest.json").write_bytes(b"[]"),
    "no manifest": lambda path: (path / "manifest.json").unlink(),
    "nothing at all": lambda path: shutil.rmtree(path),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_back_up_that_is_not_whole_replaces_nothing(
    copied: tuple[Shop, backup.Backup], spoil: str
) -> None:
    shop, made = copied
    shop.service.engine.dispose()
    SPOILS[spoil](made.path)
    before = (shop.folder / "duka.db").read_bytes()
    refused = run("restore", made.path, "--data", shop.folder)
    assert refused.exit_code == 1
    assert "refused:" in refused.output
    assert "Traceback" not in refused.output
    assert (shop.folder / "duka.db").read_bytes() == before
    assert not list(shop.folder.glob("before-restore-*"))


def test_a_back_up_goes_only_under_its_own_server_key(
    copied: tuple[Shop, backup.Backup], tmp_path: Path
) -> None:
    _, made = copied
    other = tmp_path / "other"
    assert run("init", "--data", other).exit_code == 0
    refused = run("restore", made.path, "--data", other)
    assert refused.exit_code == 1
    assert "server.key" in refused.output
    bare = tmp_path / "bare"
    bare.mkdir()
    assert run("restore", made.path, "--data", bare).exit_code == 1


def test_a_new_machine_gets_database_and_channels_back(
    copied: tuple[Shop, backup.Backup], tmp_path: Path
) -> None:
    shop, made = copied
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(shop.folder / "server.key", fresh / "server.key")
    assert run("restore", made.path, "--data", fresh).exit_code == 0
    service = Service.open(fresh, lambda: NOW)
    assert service.prices.catalogue("catalogue/default.json").currency == "KES"
    startup.examine(service, cut_off=True)
    service.engine.dispose()


@pytest.mark.parametrize("step", range(8))
def test_a_restore_cut_at_any_step_is_finished_by_doing_it_again(
    copied: tuple[Shop, backup.Backup], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The database, its log and its index are moved one by one; the cut comes before, between and
    after.
    """
    shop, made = copied
    target = tmp_path / "target"
    shutil.copytree(shop.folder, target)  # with its log: as a server that was killed leaves it
    assert (target / "duka.db-wal").stat().st_size
    steps = [0]

    def counted(right: Callable[..., Any]) -> Callable[..., Any]:
        def cut(*arguments: Any, **options: Any) -> Any:
            steps[0] += 1
            if steps[0] > step:
                raise KeyboardInterrupt
            return right(*arguments, **options)

        return cut

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted(Path.rename))
        for name in ("write_atomically", "sync_folder"):
            patch.setattr(backup, name, counted(getattr(atomic, name)))
        with pytest.raises(KeyboardInterrupt):
            backup.restore(DataFolder(target), made.path, NOW)
    log, there = target / "duka.db-wal", target / "duka.db"
    if (target / "restoring").exists():
        for command in ("check", "init", "report"):
            refused = run(command, "--data", target)
            assert refused.exit_code == 1
            assert "cut short" in " ".join(refused.output.split())
    else:
        assert there.exists() and log.exists()
        assert run("check", "--data", target).exit_code == 0
    backup.restore(DataFolder(target), made.path, NOW)
    assert not log.exists()
    shop.service = Service.open(target, lambda: NOW)
    assert shop.sql("SELECT COUNT(*) FROM database_restore") == [(1,)]
    assert shop.problems() == []
    startup.examine(shop.service, cut_off=True)


def test_no_back_up_is_left_half_made(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = shop.folder.parent / "copies"

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy_repository", full)
    refused = run("backup", copies, "--data", shop.folder)
    assert refused.exit_code == 1
    assert "No space left" in refused.output
    assert list(copies.iterdir()) == []
    (copies / "file").write_bytes(b"")
    assert run("backup", copies / "file", "--data", shop.folder).exit_code == 1


def test_a_back_up_of_broken_books_is_made_and_says_so(shop: Shop) -> None:
    shop.enrol()
    with closing(sqlite3.connect(shop.folder / "duka.db")) as connection:
        connection.execute("DROP TRIGGER ledger_entry_no_update")
        connection.execute("UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = 1")
        connection.commit()
    made = run("backup", shop.folder.parent / "copies", "--data", shop.folder)
    assert made.exit_code == 1
    assert "does not sum to zero" in made.output
    (folder,) = (shop.folder.parent / "copies").iterdir()
    assert backup.verify(folder, server_key.load(shop.folder / "server.key")).problems


# --- a log of another database ---


def with_foreign_log(shop: Shop, target: Path) -> int:
    """An older copy under the log of a newer state, as `cp backup.db duka.db` leaves it after a
    power cut; how many sales the newer state had.
    """
    shop.stock_vault(count=300)
    device = shop.enrol(1, 10_000_000)
    for sequence in range(1, 20):
        assert device.sale(sequence)[1] == 0
    with closing(sqlite3.connect(shop.folder / "duka.db")) as live:
        with closing(sqlite3.connect(target / "old.db")) as old:
            live.backup(old)
        live.execute("PRAGMA wal_checkpoint(RESTART)")
    for sequence in range(20, 200):
        assert device.sale(sequence)[1] == 0
    for name in ("server.key", "repository"):
        source = shop.folder / name
        copy: Any = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target / name)
    shutil.copy(target / "old.db", target / "duka.db")
    shutil.copy(shop.folder / "duka.db-wal", target / "duka.db-wal")
    return 199


def test_a_server_does_not_sell_from_a_database_under_anothers_log(
    shop: Shop, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    with_foreign_log(shop, target)
    assert "damaged" in run("check", "--data", target).output.replace("\n", " ")
    shutil.copy(target / "old.db", target / "duka.db")
    shutil.copy(shop.folder / "duka.db-wal", target / "duka.db-wal")
    started = nursery.run("updater_server", "serve", "--port", "0", "--data", str(target))
    assert started.returncode == 1
    assert "damaged" in started.stderr
    assert "restore" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_quick_look_would_let_it_through(shop: Shop) -> None:
    """Why the look after a cut is a thorough one: an index that does not fit its table is not in
    SQLite's quick check.
    """
    shop.enrol(1)
    shop.service.engine.dispose()
    with closing(sqlite3.connect(shop.folder / "duka.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("CREATE INDEX ix_spoiled ON terminal(enrolled_at)")
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_spoiled'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.commit()
    with (shop.folder / "duka.db").open("r+b") as file:
        file.seek((root - 1) * size)
        empty = b"\x0a" + bytes(4) + size.to_bytes(2, "big") + b"\0"  # a leaf without an entry
        file.write(empty.ljust(size, b"\0"))
    with closing(sqlite3.connect(shop.folder / "duka.db")) as connection:
        assert sqlite.damage(connection, quick=True) is None
        assert "ix_spoiled" in str(sqlite.damage(connection, quick=False))


def test_a_server_that_was_cut_off_is_looked_through_even_if_its_log_is_gone(shop: Shop) -> None:
    folder = shop.service.folder
    shop.service.engine.dispose()  # the log goes with the last connection
    with startup.the_only_server(folder) as cut_off:
        assert not cut_off
    with pytest.raises(ZeroDivisionError), startup.the_only_server(folder):
        raise ZeroDivisionError
    with startup.the_only_server(folder) as cut_off:
        assert cut_off


def test_a_schema_is_not_changed_under_a_server_that_runs(shop: Shop) -> None:
    shop.service.engine.dispose()
    with startup.the_only_server(shop.service.folder):
        refused = run("init", "--data", shop.folder)
        assert refused.exit_code == 1
        assert "another server runs" in refused.output
    assert run("init", "--data", shop.folder).exit_code == 0


def test_what_does_not_come_back_is_not_waited_for() -> None:
    """The end of the process, when a thread hangs after the word to stop."""
    program = (
        "import threading; from updater_server.faces.serving import _end_in; "
        "threading.Thread(target=threading.Event().wait).start(); _end_in(0.2)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=30, check=False)
    assert ended.returncode == 1


def test_one_database_is_not_served_from_two_folders(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "duka.db").symlink_to(shop.folder / "duka.db")
    linked = tmp_path / "linked"
    linked.symlink_to(shop.folder)
    with startup.the_only_server(shop.service.folder):
        for place in (other, linked, shop.folder):
            with (
                pytest.raises(StateError, match="another server"),
                startup.the_only_server(DataFolder(place)),
            ):
                pass


def test_a_database_put_back_by_hand_is_noticed_marked_and_an_alarm(shop: Shop) -> None:
    shop.stock_vault()
    device = shop.enrol()
    startup.examine(shop.service, cut_off=False)
    shop.service.engine.dispose()
    shutil.copy(shop.folder / "duka.db", shop.folder / "night.db")
    for sequence in range(1, 4):
        assert device.sale(sequence)[1] == 0
    startup.count_on(shop.service)  # as the server does every minute
    shop.service.engine.dispose()
    shutil.copy(shop.folder / "night.db", shop.folder / "duka.db")
    assert startup.notice_restore(shop.service)
    assert shop.alarms() == ["database_restored", "restored"]
    assert shop.sql("SELECT backup_id, backup_at, restored_at FROM database_restore") == [
        ("put back by hand", NOW, NOW)
    ]
    startup.examine(shop.service, cut_off=True)
    startup.count_on(shop.service)
    assert not startup.notice_restore(shop.service)
    assert shop.sql("SELECT COUNT(*) FROM database_restore") == [(1,)]


def test_a_cut_between_database_and_file_is_no_restore(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup.examine(shop.service, cut_off=False)

    def cut(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(startup, "write_atomically", cut)
        with pytest.raises(KeyboardInterrupt):
            startup.count_on(shop.service)
    startup.examine(shop.service, cut_off=True)
    assert shop.alarms() == []
    shop.service.folder.counted.write_text("torn")
    startup.examine(shop.service, cut_off=True)
    assert shop.alarms() == []


def test_what_restore_put_back_is_marked_once(copied: tuple[Shop, backup.Backup]) -> None:
    shop, made = copied
    for _ in range(5):
        startup.count_on(shop.service)
    shop.service.engine.dispose()
    backup.restore(shop.service.folder, made.path, NOW)
    startup.examine(shop.service, cut_off=False)
    assert shop.sql("SELECT backup_id FROM database_restore") == [(made.backup_id,)]
    assert shop.alarms() == ["restored"], "not taken for one that was put back by hand"


# --- what /health sees ---


def test_health_writes_reads_and_says_what_is_wrong(shop: Shop) -> None:
    clock = [0.0]
    health = Health(shop.service, lambda: clock[0])
    assert health.problems() == []
    first = shop.sql("SELECT value FROM server_mark WHERE name = 'health'")
    assert health.problems() == []
    assert shop.sql("SELECT value FROM server_mark WHERE name = 'health'") == first  # not twice
    clock[0] = 60
    assert health.problems() == []
    assert shop.sql("SELECT value FROM server_mark WHERE name = 'health'") != first
    with closing(sqlite3.connect(shop.folder / "duka.db")) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON server_mark BEGIN "
            "SELECT RAISE(ABORT, 'no room'); END"
        )
    clock[0] = 120
    (problem,) = health.problems()
    assert "cannot be written" in problem


def test_health_sees_spoiled_channels_and_a_full_disk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    health = Health(shop.service, lambda: clock[0])
    assert health.problems() == []
    spoil_byte(shop.folder / "repository" / "metadata" / "timestamp.json")
    clock[0] = 60
    (problem,) = health.problems()
    assert "channels" in problem
    usage = shutil.disk_usage(shop.folder)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    clock[0] = 120
    assert [text for text in health.problems() if "disk is full" in text]


def test_the_running_server_tells_that_its_database_cannot_be_written(
    shop: Shop,
) -> None:
    shop.service.engine.dispose()
    server = Process(shop.folder)
    server.start()
    try:
        assert httpx.get(f"{server.url}/health", timeout=20).text == "ok"
        with closing(sqlite3.connect(shop.folder / "duka.db", timeout=10)) as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE UPDATE ON server_mark BEGIN "
                "SELECT RAISE(ABORT, 'no room'); END"
            )
        deadline = time.monotonic() + 30
        while (told := httpx.get(f"{server.url}/health", timeout=20)).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert told.status_code == 503
        assert "cannot be written" in told.text
        refused = run("restore", shop.folder, "--data", shop.folder)
        assert "another server runs" in refused.output
    finally:
        server.end()
    again = nursery.run("updater_server", "serve", "--port", "0", "--data", str(shop.folder))
    assert again.returncode == 1
    assert "cannot be used" in again.stderr
