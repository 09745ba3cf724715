"""The short form of `inv bench sales`: what a message asks of SQLite, counted on a small database
and on one a hundred times as large.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, func, select, text

from tests.measure.counts import Counts, calls_of, counted
from tests.measure.load import Load, Terminal, key_of
from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, live_through
from tests.measure.sales import InProcess
from tests.server.shop import KES, Shop
from updater_server.fleet.alarms import raise_alarm
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import (
    batches,
    check_points,
    checks,
    losses,
    online,
    opening,
    stock,
)
from updater_server.store.engine import reading, writing
from updater_server.store.prepared import Prepared
from updater_server.store.tables import account, ledger_entry
from updater_server.wire.journal_record import RecordKind

PAST, FREE = 100, 100
LARGER = 100
STATEMENTS = {"sale": 9, "sync": 33, "check_in": 15}
"""A sync is two messages with three records each. A check-in compares floats, as all was told."""
CALLS = {"sale": 300, "sync": 1200, "check_in": 760}
"""At most so many functions of Python, a twentieth more than there are."""
GROWING = (
    "sale", "voucher", "voucher_assignment", "ledger_transaction", "ledger_entry", "account",
    "journal_record", "journal_late", "stock_batch", "stock_outcome", "stock_return", "deposit",
    "terminal", "check_in", "alarm", "running_history", "price",
)  # fmt: skip
"""Tables that no message may walk through."""


def enrol_one(shop: Shop) -> None:
    """The one terminal of a `Place`."""
    with writing(shop.service.engine) as connection:
        who = connection.scalar(text("SELECT id FROM technician"))
        particulars = (key_of(1), "duka-r1", 1, 900_000_000)
        enrolment = Enrolment((1).to_bytes(8, "big"), *particulars)
        opening.enrol(connection, shop.service.key, enrolment, who, shop.clock[0], KES)


class Place:
    """A server with a past, and its one terminal."""

    settled = 0

    def __init__(self, shop: Shop, past: int, free: int) -> None:
        self.shop = shop
        enrol_one(shop)
        (life,) = live_through(shop.service, past, 1, free)
        self.terminal = InProcess(life, shop.service)
        for act in (Terminal.sell, Terminal.tell, Terminal.report):
            self.do(act)
        self.batch_id = 0

    def do(self, act: Callable[[Terminal, Load], None]) -> None:
        seen = Load()
        act(self.terminal, seen)
        assert set(seen.statuses) == {200}, seen.statuses

    def catch_up(self) -> None:
        """Everything that the terminal has journaled is told."""
        while self.terminal.untold:
            self.do(Terminal.tell)

    def sale(self) -> None:
        self.do(Terminal.sell)

    def sync(self) -> None:
        """Three records of a sale online, three of one from stock."""
        terminal = self.terminal
        what = [PRODUCT, AMOUNT_MINOR, COMMISSION_MINOR, self.batch_id, 0]
        terminal.record(RecordKind.STOCK, [self.batch_id, 3])
        own = terminal.record(RecordKind.INTENT_OFFLINE, what)
        terminal.record(RecordKind.PRINTED, [own])
        terminal.own_float_minor -= AMOUNT_MINOR - COMMISSION_MINOR
        for _ in range(2):
            self.do(Terminal.tell)

    def check_in(self) -> None:
        self.do(Terminal.report)

    def settlement(self) -> None:
        """A check-in after money came in that the terminal does not know of."""
        self.settled += 1
        self.shop.top_up(self.terminal, 5_000, f"counted-{self.settled}")
        self.do(Terminal.report)
        self.terminal.own_float_minor += 5_000

    def delivery(self) -> None:
        """A batch is made, fetched, and confirmed."""
        self.batch_id = self.shop.assign(self.terminal, PRODUCT, 3)
        file = self.terminal.ask({0: 4, 1: self.batch_id})[1]
        self.terminal.ask({0: 5, 1: self.batch_id, 2: hashlib.sha256(file).digest()})


ACTS = ("sale", "delivery", "sync", "check_in", "settlement")
Places = tuple[Place, Place]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("sizes")
    made = []
    for times in (1, LARGER):
        shop = Shop.open(folder / str(times), signed / "repository")
        made.append(Place(shop, PAST * times, FREE * times))
    yield (made[0], made[1])
    for place in made:
        assert place.shop.problems() == []
        place.shop.service.engine.dispose()


def measured(place: Place, act: str) -> Counts:
    """One act on connections that are open."""
    with counted(place.shop.service.engine) as counts:
        with place.shop.service.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        counts.statements, counts.steps = [], 0
        getattr(place, act)()
    return counts


def walks(place: Place, counts: Counts) -> list[str]:
    """Steps of query plans that go through a growing table, or sort."""
    with closing(sqlite3.connect(place.shop.folder / "duka.db")) as raw:
        plans = counts.plans(raw)
    assert plans
    return [
        f"{step}: {statement}"
        for statement, step in plans
        if "TEMP B-TREE" in step or step.startswith(tuple(f"SCAN {table}" for table in GROWING))
    ]


def test_every_message_costs_the_same_after_a_hundred_times_as_many_sales(places: Places) -> None:
    for act in ACTS:
        small, large = (measured(place, act) for place in places)
        assert len(large.questions) == len(small.questions), act
        assert large.steps <= 1.1 * small.steps + 30, (act, small.steps, large.steps)


def test_no_message_walks_through_what_grows(places: Places) -> None:
    for act in ACTS:
        assert walks(places[0], measured(places[0], act)) == [], act


@pytest.mark.parametrize("act", ["sale", "sync", "check_in"])
def test_a_message_asks_a_bounded_number_of_questions(places: Places, act: str) -> None:
    """Exactly so many, whatever was done before: a terminal that owes records of older sales would
    tell those first, which cost less than a batch's, and its floats would not be compared.
    """
    place = places[0]
    for _ in range(2):  # the first time much is new that is not the second
        place.catch_up()
        if act == "sync":
            place.sale()
            place.delivery()
        counts = measured(place, act)
    assert len(counts.questions) == STATEMENTS[act], counts.questions


def calls_in(place: Place, act: str) -> int:
    """How many functions the server calls for an act; a second time nothing is new."""
    plain, found = place.terminal.transport, 0

    def counting(body: bytes) -> tuple[int, bytes]:
        nonlocal found
        answer, calls = calls_of(lambda: plain(body))
        found += calls
        return answer

    for _ in range(2):
        place.catch_up()
        if act == "sync":
            place.sale()
            place.delivery()
        place.terminal.transport, found = counting, 0
        getattr(place, act)()
        place.terminal.transport = plain
    return found


@pytest.mark.parametrize("act", CALLS)
def test_a_message_takes_a_bounded_number_of_calls(places: Places, act: str) -> None:
    assert calls_in(places[0], act) <= CALLS[act]


# --- wrong on purpose: that the counts can fail ---


def test_statements_that_sqlalchemy_looks_after_would_be_noticed(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_ever(self: Prepared, connection: Connection, **values: Any) -> Any:
        return connection.execute(self._statement, values).first()

    monkeypatch.setattr(Prepared, "first", as_ever)
    assert calls_in(places[0], "sale") > 1.1 * CALLS["sale"]


def test_a_float_that_is_summed_anew_would_be_noticed(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed = (
        select(func.sum(ledger_entry.c.amount_minor))
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(account.c.name == bindparam("name"))
        .scalar_subquery()
    )
    monkeypatch.setattr(online, "_STANDS", online.how_it_stands(summed))
    small, large = (measured(place, "sale") for place in places)
    assert large.steps > 10 * small.steps


def test_a_vault_that_is_sorted_would_be_noticed(places: Places) -> None:
    def pick(place: Place) -> Counts:
        with counted(place.shop.service.engine) as counts, writing(place.shop.service.engine) as c:
            c.execute(
                text(
                    "SELECT id FROM voucher WHERE product_id = 'air50' AND free = 1"
                    " ORDER BY expires_at = 0, expires_at, id LIMIT 1"
                )
            )
        return counts

    small, large = (pick(place) for place in places)
    assert large.steps > 10 * small.steps
    assert any("TEMP B-TREE" in step for step in walks(places[0], small))


def test_a_lost_index_would_be_noticed(places: Places) -> None:
    place = places[1]
    before = measured(place, "check_in").steps
    with closing(sqlite3.connect(place.shop.folder / "duka.db")) as raw, raw:
        (made,) = raw.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'ix_stock_batch_waiting'"
        ).fetchone()
        raw.execute("DROP INDEX ix_stock_batch_waiting")
        raw.execute("DROP INDEX ix_stock_batch_recalled")
    after: Any = measured(place, "check_in").steps
    with closing(sqlite3.connect(place.shop.folder / "duka.db")) as raw, raw:
        raw.execute(made)
    assert after > 1.1 * before + 30


# --- the check of a day ---


def checked_day(place: Place) -> int:
    """Steps of a check that begins where the last one found all right."""
    engine, key = place.shop.service.engine, place.shop.service.key
    with writing(engine) as connection:
        assert checks.problems(connection) == []
        check_points.close(connection, key, checks.now(connection, checks.BEGINNING), 1)
    for act in ACTS:
        getattr(place, act)()
    with counted(engine) as counts, reading(engine) as connection:
        point, at, _ = check_points.newest(connection, key)
        assert at == 1
        counts.steps = 0
        assert checks.problems(connection, point) == []
        checks.now(connection, point)
    return counts.steps


def test_the_check_of_a_day_costs_the_same_after_a_hundred_times_as_many_sales(
    tmp_path: Path, signed: Path
) -> None:
    steps = []
    for past in (PAST, LARGER * PAST):
        shop = Shop.open(tmp_path / str(past), signed / "repository")
        steps.append(checked_day(Place(shop, past, FREE)))
        shop.service.engine.dispose()
    assert steps[1] <= 1.1 * steps[0] + 100, steps


def test_what_is_open_is_found_by_an_index_of_its_own(shop: Shop) -> None:
    device = shop.enrol()
    engine, mine = shop.service.engine, device.terminal_id
    with counted(engine) as counts, writing(engine) as connection:
        losses.open_losses(connection, mine)
        for owner in (None, mine):
            raise_alarm(connection, owner, "no_vouchers", "sold out: air50", 1)
        stock.waiting(connection, mine)
        batches.recalled(connection, mine)
    with closing(sqlite3.connect(shop.folder / "duka.db")) as raw:
        plans = " ".join(step for _, step in counts.plans(raw))
    for name in (
        "ix_journal_record_lost", "ix_alarm_open", "ix_stock_batch_waiting",
        "ix_stock_batch_recalled",
    ):  # fmt: skip
        assert name in plans, name
