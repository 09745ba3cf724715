"""A database that neither answers nor goes away holds nobody up for ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from tests.support import postgres
from updater_server.store import engine as database
from updater_server.store import postgresql
from updater_server.store.engine import is_the_databases_fault, reading, writing

SOON_S = 1.5


@pytest.fixture
def url() -> str:
    server = postgres.server()
    return server.url(postgres.empty(server, 11))


@contextmanager
def hanging(connection: Connection) -> Iterator[None]:
    """The process of PostgreSQL that serves a connection stands still."""
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "SOON_S", SOON_S)
    monkeypatch.setattr(postgresql, "_BOUNDS", postgresql._Bounds())


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("act", ["a message", "a look"])
def test_what_somebody_waits_for_fails_in_time_and_the_next_one_goes_through(
    url: str, act: str
) -> None:
    engine = database.open_engine(url)
    started = time.monotonic()
    began = writing(engine, beside=True) if act == "a message" else reading(engine, soon=True)
    with pytest.raises(DBAPIError) as failed, began as connection, hanging(connection):
        connection.execute(text("SELECT 1"))
    assert is_the_databases_fault(failed.value)
    assert SOON_S - 0.5 <= time.monotonic() - started < 20
    with writing(engine, beside=True) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


@pytest.mark.usefixtures("bounded")
def test_of_a_machine_that_hangs_no_other_connection_is_tried(url: str) -> None:
    """Each of them would cost the next message as long again."""
    engine = database.open_engine(url)
    with reading(engine) as one, reading(engine) as another:
        idle = {of.execute(text("SELECT pg_backend_pid()")).scalar() for of in (one, another)}
    with pytest.raises(DBAPIError), writing(engine, beside=True) as mine, hanging(mine):
        mine.execute(text("SELECT 1"))
    for _ in range(2):
        with writing(engine, beside=True) as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar() not in idle
    engine.dispose()


@pytest.mark.usefixtures("bounded")
def test_what_nobody_waits_for_may_take_its_time(url: str) -> None:
    engine = database.open_engine(url)
    for began in (writing(engine), reading(engine)):  # a command, a check of the books
        with began as connection:
            connection.execute(text(f"SELECT pg_sleep({SOON_S + 0.5})"))
    engine.dispose()


@pytest.mark.usefixtures("bounded")
def test_who_was_done_in_time_is_not_cut_later(url: str) -> None:
    engine = database.open_engine(url)
    with writing(engine, beside=True) as connection:
        first = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    time.sleep(SOON_S + 0.5)
    with writing(engine, beside=True) as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar() == first
    engine.dispose()


def test_a_machine_that_is_gone_is_noticed_by_the_network() -> None:
    engine = database.open_engine("postgresql://duka@127.0.0.1:1/duka")
    asked = {}

    @event.listens_for(engine, "do_connect")
    def _see(_dialect: object, _record: object, _args: object, given: dict[str, object]) -> None:
        asked.update(given)

    with pytest.raises(DBAPIError), engine.connect():
        pass
    assert (asked["connect_timeout"], asked["load_balance_hosts"]) == (2, "random")
    assert asked["tcp_user_timeout"] == 10_000
    assert (asked["keepalives_idle"], asked["keepalives_interval"]) == (5, 2)
    assert asked["keepalives_count"] == 3
