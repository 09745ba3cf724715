"""From SQLite to PostgreSQL while terminals sell: nothing is lost, doubled or different, wherever
the move is killed.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from tests.server.device import Device
from tests.server.engines import numbers_given_before
from tests.server.shop import NOW, Shop
from tests.support import postgres
from tests.support.world import eventually
from updater_server import moving
from updater_server.__main__ import cli
from updater_server.cli import moving as moving_cli
from updater_server.cli.moving import _differences
from updater_server.errors import StateError
from updater_server.moving import Move
from updater_server.parties import tree
from updater_server.service import DataFolder, Service
from updater_server.store import engine as database
from updater_server.store import move_source
from updater_server.store.engine import writing
from updater_server.store.sqlite import BooksMoved

STEPS = ("begun", "copied", "followed", "compared", "whole", "decided", "cut over", "moved")
BEFORE_THE_DECISION = STEPS[:5]
STRIDE = 23
"""Questions between two kills."""
pytestmark = pytest.mark.usefixtures("as_if_durable")


@pytest.fixture
def url() -> str:
    server = postgres.server()
    return server.url(server.make())


@pytest.fixture
def as_if_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' PostgreSQL leaves it to the system when something is on the disk."""
    monkeypatch.setattr(database, "why_not_durable", lambda _connection: None)


@pytest.fixture
def shop(tmp_path: Path, signed: Path) -> Shop:
    """On SQLite, with something of most kinds in its books."""
    made = Shop.open(tmp_path / "data", signed / "repository")
    made.stock_vault(count=40)
    device = made.enrol()
    made.assign(device, count=3)
    assert device.sale(1)[1] == 0
    device.check_in()
    return made


def move(shop: Shop, url: str, tell: Callable[[str], None] = lambda _: None) -> Move:
    return Move(DataFolder(shop.folder), url, "", tell)


def raw(url: str) -> psycopg.Connection[Any]:
    """A connection of the owner's, past all that the server does."""
    parsed = make_url(url)
    return psycopg.connect(
        dbname=parsed.database, user=parsed.username, host=str(parsed.query["host"]),
        autocommit=True,
    )  # fmt: skip


def look(shop: Shop, url: str) -> Callable[[], list[str]]:
    return lambda: _differences(DataFolder(shop.folder), url)


def moved(shop: Shop) -> Shop:
    """The same server, where its books are now."""
    shop.service.engine.dispose()
    service = Service.open(shop.folder, lambda: NOW)
    return Shop(shop.folder, service, shop.token, shop.clock)


def again(shop: Shop, device: Device) -> Device:
    """The same terminal, at this server."""
    device.transport = shop.post
    return device


def test_the_books_move_and_the_terminals_notice_nothing(shop: Shop, url: str) -> None:
    device = shop.enrol(2)
    answers = {number: device.sale(number) for number in range(1, 6)}
    said: list[str] = []
    found = move(shop, url, said.append).run(look(shop, url))
    assert all(each.is_same for each in found)
    assert [words.split(":")[0] for words in said if not words.startswith("followed")] == [
        *("begun", "copied", "compared", "whole", "decided", "cut over", "moved")
    ]
    there = moved(shop)
    assert there.service.engine.dialect.name == "postgresql"
    again(there, device)
    assert {number: device.sale(number) for number in answers} == answers
    assert device.sale(6)[1] == 0
    assert there.problems() == []


def test_what_may_never_change_is_guarded_where_the_books_are_now(shop: Shop, url: str) -> None:
    move(shop, url).run(look(shop, url))
    with raw(url) as connection, pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        connection.execute("UPDATE duka.ledger_entry SET amount_minor = 0")


def test_numbers_go_on_where_they_were(shop: Shop, url: str) -> None:
    device = shop.enrol(2)
    first = shop.assign(device, count=2)
    move(shop, url).run(look(shop, url))
    there = moved(shop)
    assert there.assign(again(there, device), count=2) == first + 1
    assert there.problems() == []


def test_no_table_gives_a_number_that_is_there(shop: Shop, url: str) -> None:
    with writing(shop.service.engine) as connection:
        for code in ("LAKE", "SHORE"):
            tree.add(connection, code, code.title(), "agent", "", "asha", NOW)
    move(shop, url).run(look(shop, url))
    assert numbers_given_before(url) == []


def test_what_is_written_while_it_is_copied_is_there(shop: Shop, url: str) -> None:
    device, sold = shop.enrol(2), list[Any]()

    def tell(words: str) -> None:
        if words.split(":")[0] in ("begun", "copied", "followed", "compared"):
            sold.append(device.sale(len(sold) + 1))
            device.check_in()

    move(shop, url, tell).run(look(shop, url))
    assert len(sold) >= 4
    there = moved(shop)
    again(there, device)
    assert [device.sale(number + 1) for number in range(len(sold))] == sold
    assert there.problems() == []


def test_who_was_connected_to_sqlite_writes_nothing_any_more(shop: Shop, url: str) -> None:
    device = shop.enrol(2)
    move(shop, url).run(look(shop, url))
    with pytest.raises(BooksMoved), writing(shop.service.engine):
        pass
    assert device.post({0: 2, 1: 1, 2: "air50", 3: 5000, 4: NOW, 20: 250})[0] == 503
    assert shop.service.is_left_behind
    with closing(sqlite3.connect(shop.folder / "duka.db")) as raw:
        assert raw.execute("SELECT COUNT(*) FROM sale").fetchone() == (1,)
    (shop.folder / "database-url").unlink()  # nor does a server that is started on it by mistake
    with pytest.raises(StateError, match="have moved"):
        Service.open(shop.folder)


def test_no_server_works_on_half_a_copy(shop: Shop, url: str, tmp_path: Path) -> None:
    move(shop, url).run(look(shop, url), cut=False)
    other = DataFolder(tmp_path / "other")
    other.path.mkdir()
    other.database_url.write_text(url)
    other.server_key.write_bytes((shop.folder / "server.key").read_bytes())
    other.server_key.chmod(0o600)
    with pytest.raises(StateError, match="being filled"):
        Service.open(other.path)


def test_a_database_that_holds_books_is_not_moved_to(shop: Shop) -> None:
    server = postgres.server()
    taken = server.url(postgres.empty(server, 9))
    with pytest.raises(StateError, match="holds books already"):
        move(shop, taken).run(list)
    assert shop.enrol(2).sale(1)[1] == 0


def test_a_database_that_may_lose_what_was_sold_is_not_moved_to(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with pytest.raises(StateError, match="fsync is off"):
        move(shop, url).run(list)
    assert shop.enrol(2).sale(1)[1] == 0


def test_a_server_that_could_not_write_there_is_told_before_it_is_decided(
    shop: Shop, url: str
) -> None:
    with raw(url) as connection:
        connection.execute("DROP ROLE IF EXISTS stranger")
        connection.execute("CREATE ROLE stranger LOGIN")
    servers = url.replace("postgres@", "stranger@")
    with pytest.raises(StateError, match="cannot write there"):
        Move(DataFolder(shop.folder), servers, url, lambda _: None).run(list)
    assert shop.enrol(2).sale(1)[1] == 0
    with raw(url) as connection:
        connection.execute("GRANT duka_app TO stranger")
    Move(DataFolder(shop.folder), servers, url, lambda _: None).run(look(shop, url))
    assert moved(shop).enrol(3).sale(1)[1] == 0


# --- killed, and gone on from there ---


_LOCKED = (
    "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND d.datname = current_database()"
)


def run_and_be_killed(shop: Shop, url: str, at: str, question: int = 0) -> int:
    """Run the move in a process of its own that is killed -9 once it says `at`, or before it asks
    its `question`th question of SQLite. Its exit status; 0: it came to its end.
    """
    asked = 0

    def tell(words: str) -> None:
        if at and words.startswith(at):
            os.kill(os.getpid(), signal.SIGKILL)

    def count(_words: str) -> None:
        nonlocal asked
        asked += 1
        if asked == question:
            os.kill(os.getpid(), signal.SIGKILL)

    class Counted(move_source.Source):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self._raw.set_trace_callback(count)

    pid = os.fork()
    if pid == 0:
        try:
            moving.Source = Counted  # type: ignore[attr-defined]
            move(shop, url, tell).run(list)
            os._exit(0)
        finally:
            os._exit(3)
    _, status = os.waitpid(pid, 0)
    with closing(raw(url)) as connection:  # the database notices a moment later that it is gone
        eventually(lambda: not connection.execute(_LOCKED).fetchall(), 60, "its locks go")
    return os.waitstatus_to_exitcode(status)


def test_killed_between_any_two_questions_it_goes_on_from_there(shop: Shop, url: str) -> None:
    """Killed again and again, each time some questions later, until it comes to its end."""
    device = shop.enrol(2)
    shop.service.engine.dispose()
    answers: list[dict[int, Any]] = []
    kills, question = 0, 3
    while (status := run_and_be_killed(shop, url, "", question)) != 0:
        assert status == -signal.SIGKILL
        kills, question = kills + 1, question + STRIDE
        between = moved(shop)
        answers.append(again(between, device).sale(len(answers) + 1))
        between.service.engine.dispose()
    assert kills >= 10
    there = moved(shop)
    assert there.service.engine.dialect.name == "postgresql"
    again(there, device)
    assert [device.sale(number + 1) for number in range(len(answers))] == answers
    assert {answer[1] for answer in answers} == {0}
    assert there.problems() == []


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on_from_there(shop: Shop, url: str, step: str) -> None:
    device = shop.enrol(2)
    answers = [device.sale(1)]
    shop.service.engine.dispose()  # nothing of it may be shared with the process that dies
    assert run_and_be_killed(shop, url, step) == -signal.SIGKILL
    between = moved(shop)
    is_decided = step not in BEFORE_THE_DECISION
    assert between.service.engine.dialect.name == ("postgresql" if is_decided else "sqlite")
    answers.append(again(between, device).sale(2))  # sold wherever the books are
    between.service.engine.dispose()
    move(shop, url).run(look(shop, url))
    there = moved(shop)
    assert there.service.engine.dialect.name == "postgresql"
    answers.append(again(there, device).sale(3))
    assert [device.sale(number) for number in (1, 2, 3)] == answers
    assert [answer[1] for answer in answers] == [0, 0, 0]
    assert there.problems() == []
    with closing(sqlite3.connect(shop.folder / "duka.db")) as raw:
        left = raw.execute("SELECT name FROM sqlite_master WHERE name GLOB 'move_*'").fetchall()
        assert left == []


@pytest.mark.parametrize("step", BEFORE_THE_DECISION)
def test_aborted_at_any_step_it_is_as_if_it_had_never_begun(
    shop: Shop, url: str, step: str
) -> None:
    device = shop.enrol(2)
    shop.service.engine.dispose()
    assert run_and_be_killed(shop, url, step) == -signal.SIGKILL
    move(shop, url).abort()
    back = moved(shop)
    assert back.service.engine.dialect.name == "sqlite"
    assert again(back, device).sale(1)[1] == 0
    assert back.problems() == []
    move(back, url).run(look(back, url))  # and it may begin anew, on the same database
    assert again(moved(back), device).sale(2)[1] == 0


def test_what_is_decided_is_not_aborted(shop: Shop, url: str) -> None:
    move(shop, url).run(look(shop, url))
    with pytest.raises(StateError, match="no way back"):
        move(shop, url).abort()


# --- that wrong ones are noticed ---


def test_a_copy_that_differs_in_one_row_is_noticed(shop: Shop, url: str) -> None:
    move(shop, url).run(look(shop, url), cut=False)
    with raw(url) as connection:
        connection.execute("UPDATE duka.sale SET float_after_minor = float_after_minor + 1")
    with pytest.raises(StateError, match="sale differs"):
        move(shop, url).run(look(shop, url))
    assert shop.enrol(2).sale(1)[1] == 0  # the books stayed where they were


def test_what_a_terminal_would_be_told_otherwise_stops_the_move(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = moving_cli._reply
    monkeypatch.setattr(
        moving_cli, "_reply", lambda service, connection, *sale: asked(service, connection, *sale)
        + (b"" if connection.dialect.name == "sqlite" else b"!")
    )  # fmt: skip
    with pytest.raises(StateError, match="is told otherwise"):
        move(shop, url).run(look(shop, url))
    assert not shop.service.is_left_behind


@pytest.mark.parametrize("event", ["INSERT", "UPDATE"])
def test_without_a_trigger_the_copy_would_differ(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    device, sold = shop.enrol(2), list[Any]()
    begin = move_source.Source.begin

    def half(source: move_source.Source, move_id: str) -> None:
        begin(source, move_id)
        for table in source.noted:
            source._raw.execute(f"DROP TRIGGER move_{table}_{event.lower()}")

    monkeypatch.setattr(move_source.Source, "begin", half)

    def tell(words: str) -> None:
        if words.startswith("copied"):
            sold.append(device.sale(1))

    with pytest.raises(StateError, match="differs"):
        move(shop, url, tell).run(look(shop, url))
    assert sold


def test_without_a_look_under_the_lock_a_sale_would_be_made_up_in_old_books(
    shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol(2)
    answers = []

    def tell(words: str) -> None:
        if words.startswith("moved"):
            monkeypatch.setattr(os, "access", lambda path, mode: False)
            answers.append(device.sale(1))
            monkeypatch.undo()

    move(shop, url, tell).run(look(shop, url))
    assert answers[0][1] == 0  # told to a terminal, and in nobody's books
    there = moved(shop)
    assert there.sql("SELECT COUNT(*) FROM sale WHERE sequence = 1") == [(1,)]


def test_the_command_says_what_it_did(shop: Shop, url: str) -> None:
    def command(*more: str) -> str:
        arguments = ["migrate-store", "--data", str(shop.folder), "--database", url, *more]
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    assert "not cut over" in command("--no-cut")
    assert "aborted" in command("--abort")
    said = command()
    assert "nobody could write for" in said
    assert "ledger_entry" in said
    assert "moved" in command()
