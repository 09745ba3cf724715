"""What a message reads on PostgreSQL, counted on a small database and on one a hundred times as
large, of which it has statistics and for which it has made plans that it keeps.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.measure.moved import move
from tests.measure.past import live_through
from tests.measure.rows_read import rows_read
from tests.measure.sales import InProcess
from tests.measure.test_sales import (
    ACTS,
    FREE,
    GROWING,
    LARGER,
    PAST,
    Place,
    calls_in,
    enrol_one,
)
from tests.server.shop import Shop
from tests.support import postgres
from updater_server.sales import check_points, checks, taking
from updater_server.service import DataFolder, Service
from updater_server.store import postgresql
from updater_server.store.engine import reading, writing
from updater_server.store.prepared import Prepared
from updater_server.views import fold

TURNS = 3
CALLS = {"sale": 400, "sync": 1690, "check_in": 970}
"""At most so many functions of Python, a twentieth more than there are."""
KEPT_FROM = 6
"""PostgreSQL plans a prepared statement anew five times, then once for all values."""


class OnPostgresql(Place):
    """A server with a past, whose books were moved to PostgreSQL."""

    def __init__(self, folder: Path, repository: Path, times: int) -> None:
        before = Shop.open(folder / "before", repository)
        enrol_one(before)
        (life,) = live_through(before.service, PAST * times, 1, FREE * times)
        before.service.engine.dispose()
        on = postgres.server()
        name = postgres.empty(on, times)
        self.looking: psycopg.Connection[Any] = on.connect(name)
        self.looking.execute(f"SET search_path = {postgresql.SCHEMA}")
        move(before.folder / "duka.db", self.looking)
        data = DataFolder(folder / "data")
        data.path.mkdir()
        shutil.copytree(repository, data.repository)
        shutil.copy(before.folder / "server.key", data.server_key)
        data.database_url.write_text(on.url(name))
        service = Service.open(data.path, lambda: before.clock[0])
        self.shop = Shop(data.path, service, before.token, before.clock)
        self.terminal = InProcess(life, service)
        self.batch_id = 0
        self.keep_plans()

    def keep_plans(self) -> None:
        """Each act so often that its plans are made, by statistics of what is there now."""
        self.looking.execute("ANALYZE")
        self.shop.service.engine.dispose()
        for _ in range(KEPT_FROM):
            self.turn()

    def turn(self) -> None:
        """Each act once."""
        for act in ACTS:
            getattr(self, act)()

    def read_by(self, act: str) -> Counter[str]:
        """Rows, as `rows_read` has them, of `TURNS` times an act."""
        with rows_read(self.shop.service.engine, self.looking) as found:
            for _ in range(TURNS):
                getattr(self, act)()
        return found


Places = tuple[OnPostgresql, OnPostgresql]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("sizes_on_postgresql")
    small, large = (
        OnPostgresql(folder / str(times), signed / "repository", times) for times in (1, LARGER)
    )
    yield small, large
    for place in (small, large):
        place.shop.service.engine.dispose()
        place.looking.close()
        assert place.shop.problems() == []
        place.shop.service.engine.dispose()


def walked(found: Counter[str]) -> dict[str, int]:
    """Rows of growing tables that were read without an index."""
    return {table: found[f"walk {table}"] for table in GROWING if found[f"walk {table}"]}


def whole_log(place: OnPostgresql) -> float:
    """Rows read for each sale, as the log of all that was sold is made."""
    engine = place.shop.service.engine
    place.shop.clock[0] += fold.LAG_S
    with rows_read(engine, place.looking) as found:
        made = fold.fold(engine, place.shop.clock[0])
    return found.total() / made


def looked_through(place: OnPostgresql) -> tuple[Counter[str], Counter[str]]:
    """Rows read by the check of a day with one of each act, and by its sales' way into the log."""
    engine, key = place.shop.service.engine, place.shop.service.key
    with writing(engine) as connection:
        assert checks.problems(connection) == []
        check_points.close(connection, key, checks.now(connection, checks.BEGINNING), 1)
    place.looking.execute("ANALYZE")
    place.turn()
    with rows_read(engine, place.looking) as by_check, reading(engine) as connection:
        point, at, _ = check_points.newest(connection, key)
        assert at == 1
        assert checks.problems(connection, point) == []
    del by_check["ix_voucher_free"]  # what is free is counted
    for name in ("deposit", "stock_batch"):
        del by_check[f"walk {name}"]  # of which a hundred are few: the planner may walk all
    place.shop.clock[0] += fold.LAG_S
    with rows_read(engine, place.looking) as by_log:
        assert fold.fold(engine, place.shop.clock[0]) > 0
    return by_check, by_log


def test_check_and_log_of_a_day_read_as_many_rows_after_a_hundred_times_as_many_sales(
    places: Places,
) -> None:
    assert whole_log(places[1]) < 1.5 * whole_log(places[0])  # no step begins at the beginning
    for small, large in zip(*(looked_through(place) for place in places), strict=True):
        assert (large - small).total() <= 0.2 * small.total() + 100, large - small


@contextmanager
def back_up(place: OnPostgresql) -> Iterator[None]:
    """While it reads, nothing that it may see is cleared away, and no vacuum helps."""
    with postgres.server().connect(place.looking.info.dbname) as reads, reads.transaction():
        reads.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reads.execute(f"SELECT count(*) FROM {postgresql.SCHEMA}.voucher")
        yield


def test_every_message_reads_as_many_rows_after_a_hundred_times_as_many_sales(
    places: Places,
) -> None:
    for act in ACTS:
        small, large = (place.read_by(act) for place in places)
        assert (walked(small), walked(large)) == ({}, {}), act
        more = large - small
        assert more.total() <= 0.1 * small.total() + 10 * TURNS, (act, more)


@pytest.mark.parametrize("act", CALLS)
def test_a_message_takes_a_bounded_number_of_calls(places: Places, act: str) -> None:
    assert calls_in(places[0], act) <= CALLS[act]


def test_vouchers_that_were_taken_and_cannot_be_cleared_away_yet_are_not_passed_again(
    places: Places,
) -> None:
    place = places[0]
    with back_up(place):
        for _ in range(30):
            place.sale()
        assert place.read_by("sale")["ix_voucher_free"] <= 2 * TURNS


# --- wrong on purpose: that the counts can fail ---


@pytest.fixture
def large(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnPostgresql]:
    """The larger one, put right again."""
    place = places[1]
    yield place
    monkeypatch.undo()
    place.keep_plans()


_FREE = "SELECT id FROM voucher WHERE product_id = :product AND free AND id > 0 AND"
_BY_LIMIT = "LIMIT CAST(:wanted AS INTEGER)"
_PAST_ALL = "expires_at = 0 ORDER BY id"
_ALONG_THE_FREE = "(expires_at, id) > (0, 0) AND expires_at <= 0 ORDER BY expires_at, id"


def walk(lasting: str) -> Prepared:
    """As `taking` asks, but for the walk along those that never expire."""
    return Prepared(
        text(
            f"WITH expiring AS ({_FREE} (expires_at, id) > (CAST(:since AS BIGINT), 1)"
            f" ORDER BY expires_at, id {_BY_LIMIT} FOR UPDATE SKIP LOCKED), lasting AS ({_FREE}"
            f" {lasting} {_BY_LIMIT} - (SELECT count(*) FROM expiring) FOR UPDATE SKIP LOCKED)"
            " UPDATE voucher SET free = false"
            " WHERE id = ANY (ARRAY(TABLE expiring UNION ALL TABLE lasting))"
            " RETURNING id, product_id, serial, expires_at, pin_sealed"
        )
    )


@pytest.mark.parametrize(("lasting", "bites"), [(_PAST_ALL, True), (_ALONG_THE_FREE, False)])
def test_a_walk_past_what_was_sold_would_be_noticed(
    large: OnPostgresql, monkeypatch: pytest.MonkeyPatch, lasting: str, bites: bool
) -> None:
    monkeypatch.setattr(taking, "_SKIPPING", walk(lasting))
    for _ in range(KEPT_FROM):
        large.sale()
    read = large.read_by("sale")
    of_vouchers = read["voucher_pkey"] + read["ix_voucher_free"] + read["walk voucher"]
    assert (of_vouchers > 1000 * TURNS) == bites, read


def plan_freely(monkeypatch: pytest.MonkeyPatch) -> None:
    words = postgresql._PLACES[False].replace("'off'", "'on'")
    monkeypatch.setattr(postgresql, "_PLACES", {True: words, False: words})


def test_a_plan_for_a_small_table_would_be_noticed(
    large: OnPostgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_freely(monkeypatch)
    large.keep_plans()
    assert walked(large.read_by("sale"))


def test_vouchers_that_are_passed_again_would_be_noticed(
    large: OnPostgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "FORGOTTEN_AFTER_S", 0)
    with back_up(large):
        for _ in range(30):
            large.sale()
        assert large.read_by("sale")["ix_voucher_free"] > 30 * TURNS
