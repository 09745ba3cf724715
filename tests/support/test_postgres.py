"""The database of a test is as a new one: whatever the tests before it did."""

from __future__ import annotations

from tests.measure.rows_read import rows_read
from tests.support import postgres
from updater_server.store import engine as database
from updater_server.store.postgresql import SCHEMA

ONLY_HERE = 17


def test_a_database_is_used_again_unless_the_planner_was_told_of_its_tables() -> None:
    server = postgres.server()
    name = postgres.empty(server, ONLY_HERE)
    assert postgres.empty(server, ONLY_HERE) == name
    with server.connect(name) as connection:
        connection.execute(f"ANALYZE {SCHEMA}.sale_log")
    other = postgres.empty(server, ONLY_HERE)
    assert other != name
    with server.connect(other) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_stats WHERE schemaname = 'duka'"
        ).fetchone() == (0,)
    assert postgres.empty(server, ONLY_HERE) == other


def test_what_was_read_before_is_not_counted_later() -> None:
    server = postgres.server()
    name = postgres.empty(server, ONLY_HERE)
    engine = database.open_engine(server.url(name), as_owner=True)
    with server.connect(name) as looking:
        for _ in range(3):  # the database tells the first at once, the others after a second
            looking.execute(f"SELECT count(*) FROM {SCHEMA}.alembic_version")
        with rows_read(engine, looking) as nothing:
            looking.execute("SELECT pg_stat_force_next_flush()")  # as after that second
    engine.dispose()
    assert nothing.total() == 0
