"""Two servers sell from one PostgreSQL at once, under every interleaving of their statements that
one stop makes: exactly once, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.server import interleaving
from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE, Store
from tests.server.shop import NOW, Shop, voucher_csv
from tests.support import postgres
from updater_server.errors import InputError
from updater_server.faces import terminal
from updater_server.fleet import terminals
from updater_server.sales import check_points, checks, deposits, incoming, ledger, taking, vault
from updater_server.service import Service
from updater_server.store import postgresql
from updater_server.store.engine import again_if_it_collides, reading, writing
from updater_server.store.postgresql import collisions

pytestmark = POSTGRESQL_ALONE


@dataclass
class Two:
    """A shop, and two servers on its database."""

    shop: Shop
    servers: tuple[Service, Service]
    looking: psycopg.Connection[Any]
    vouchers: int = 0
    devices: int = 0

    def device(self, float_minor: int = 100_000) -> Device:
        """A new terminal, which both servers know."""
        self.devices += 1
        made = self.shop.enrol(self.devices, float_minor)
        for server in self.servers:
            made.transport = partial(terminal.handle, server)
            made.ask({0: 1, **_REPORT})
        return made

    def stock(self, count: int = 1) -> None:
        """So many free vouchers more."""
        csv = voucher_csv("air50", range(self.vouchers, self.vouchers + count))
        self.vouchers += count
        with writing(self.shop.service.engine) as connection:
            incoming.import_csv(connection, self.shop.service.key, csv, NOW)

    def message(self, number: int, device: Device, content: object) -> Callable[[], Any]:
        """A sealed message to one of the servers; what it answers, opened."""
        body, counter = device.seal(content)

        def work() -> Any:
            status, answer = terminal.handle(self.servers[number], body)
            return device.open(answer, counter) if status == 200 else status

        return work

    def run(self, works: list[Callable[[], Any]], schedule: list[int]) -> list[Any]:
        """What each work came to."""
        done = interleaving.run(self.looking, works, schedule)
        for worker in done:
            if isinstance(worker.outcome, AssertionError):
                raise worker.outcome
        return [worker.outcome for worker in done]

    def length(self, work: Callable[[], Any]) -> int:
        """How many statements it is, alone."""
        (worker,) = interleaving.run(self.looking, [work], [])
        assert not isinstance(worker.outcome, Exception), worker.outcome
        return len(worker.steps)


_REPORT = {
    1: NOW, 2: 7, 3: "a", 4: False, 5: 1, 6: 3900, 7: 20, 8: None, 9: 100_000, 10: [1, 1],
}  # fmt: skip


@pytest.fixture
def two(shop: Shop, store: Store) -> Iterator[Two]:
    """Both warm: connections open, prices recorded, accounts made."""
    place = shop.service.folder.place
    name = make_url(str(place)).database
    assert name
    servers = (Service.open(shop.folder, lambda: NOW), Service.open(shop.folder, lambda: NOW))
    for server in servers:
        interleaving.watch(server.engine)
        server.engine.dispose()  # so that all of its connections are watched
    with postgres.server().connect(name) as looking:
        made = Two(shop, servers, looking)
        device = made.device()
        made.stock(2)
        for number in (0, 1):
            made.message(number, device, sale(number + 1))()
        yield made
        for server in servers:
            server.engine.dispose()


def sale(sequence: int) -> dict[int, Any]:
    return {0: 2, 1: sequence, 2: "air50", 3: 5000, 4: NOW, 20: 250}


def every(
    two: Two, works: Callable[[], list[Callable[[], Any]]], apart: int = 1
) -> Iterator[list[Any]]:
    """The outcomes of both works under each schedule; `works` makes them anew."""
    first, second = [two.length(work) for work in works()]
    for schedule in interleaving.schedules(first, second, apart):
        yield two.run(works(), schedule)


def test_one_sale_asked_of_two_servers_is_sold_once_and_answered_alike(two: Two) -> None:
    devices: list[Device] = []

    def works() -> list[Callable[[], Any]]:
        two.stock(1)
        devices.append(two.device())
        return [two.message(number, devices[-1], sale(7)) for number in (0, 1)]

    for outcomes in every(two, works):
        # The later counter may come first: then the earlier one is a replay, and asked again.
        answers = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        assert answers
        assert all(answer[1] == 0 for answer in answers), outcomes
        assert len({answer[2] for answer in answers}) == 1
        assert [outcome for outcome in outcomes if outcome not in answers] in ([], [409])
        assert two.shop.float_of(devices[-1]) == 95_250
    assert two.shop.problems() == []
    assert two.shop.alarms() == []


def test_of_two_terminals_that_ask_for_the_last_voucher_one_gets_it(two: Two) -> None:
    pins: list[str] = []

    def works() -> list[Callable[[], Any]]:
        two.stock(1)
        return [two.message(number, two.device(), sale(1)) for number in (0, 1)]

    two.stock(1)
    length = two.length(two.message(0, two.device(), sale(1)))
    for schedule in interleaving.schedules(length, length):
        answers = two.run(works(), schedule)
        assert sorted(answer[1] for answer in answers) == [0, 1], answers
        assert [answer[6] for answer in answers if answer[1]] == ["no_vouchers"]
        pins += [answer[2] for answer in answers if not answer[1]]
    assert len(pins) == len(set(pins)) >= 20
    assert two.shop.problems() == []


def last_voucher_of_a_sale_that_fails(two: Two) -> list[Any]:
    """One server takes the last voucher and fails before it commits, the other asks meanwhile."""
    two.stock(1)
    device = two.device()

    def failing() -> None:
        with writing(two.servers[0].engine, beside=True) as connection:
            assert vault.take(connection, "air50", 1, NOW)
            connection.exec_driver_sql("SELECT 1")
            raise ZeroDivisionError

    work = two.message(1, device, sale(1))
    taken = 2  # its place, both walks at once
    return two.run([failing, work], [0] * taken + [1] * 200)


def test_a_voucher_that_is_given_back_meanwhile_is_not_sold_out(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, answer = last_voucher_of_a_sale_that_fails(two)
    assert isinstance(failed, ZeroDivisionError)
    assert answer[1] == 0
    monkeypatch.setattr(taking, "_WAITING", taking._SKIPPING)  # wrong: skipped is sold out
    _, answer = last_voucher_of_a_sale_that_fails(two)
    assert answer[6] == "no_vouchers"
    assert two.shop.problems() == []


def test_a_settlement_and_a_sale_of_one_terminal_follow_each_other(two: Two) -> None:
    made: list[Device] = []

    def works() -> list[Callable[[], Any]]:
        two.stock(4)
        device = two.device()
        made.append(device)
        batch = two.shop.assign(device, count=3)
        device.record(2, ["air50", 5000, 250, batch, 0])
        return [
            two.message(0, device, {0: 3, 1: device.journal}),
            two.message(1, device, sale(2)),
        ]

    for told, answer in every(two, works, apart=2):
        device = made[-1]
        if told == 409 or answer == 409:
            assert 409 not in (told if told != 409 else answer,)
            continue
        assert told[1] == 1
        assert answer[1] == 0
        assert {told[2], answer[5]} in ({95_250, 90_500}, {90_500})
        assert two.shop.float_of(device) == 90_500
    assert two.shop.problems() == []


def payback(two: Two, device: Device, beside: bool) -> Callable[[], Any]:
    """An operator at the other server pays a float back, all of it."""

    def work() -> Any:
        server = two.servers[1]
        with writing(server.engine, beside=beside) as connection:
            try:
                return deposits.post(
                    connection, server.prices, device.terminal_id, "1000 KES",
                    f"BACK-{two.devices}", "asha", NOW, payback=True,
                )["float_after_minor"]  # fmt: skip
            except InputError as error:
                return str(error)

    return work


def floats_after(two: Two, beside: bool) -> set[int]:
    """What is left of a float under each schedule of a sale and a payback of all of it."""
    found, made = set(), []

    def works() -> list[Callable[[], Any]]:
        two.stock(1)
        made.append(two.device())
        return [two.message(0, made[-1], sale(1)), payback(two, made[-1], beside)]

    for outcomes in every(two, works, apart=2):
        assert outcomes
        found.add(two.shop.float_of(made[-1]))
    return found


def test_a_float_is_never_spent_by_a_sale_and_paid_back_at_once(two: Two) -> None:
    assert floats_after(two, beside=False) == {0, 95_250}
    assert two.shop.problems() == []


def test_the_wrong_way_to_write_for_an_operator_is_caught_by_the_database(two: Two) -> None:
    """Beside messages a payback reads a float that a sale is about to change."""
    assert min(floats_after(two, beside=True)) < 0  # so `writing` is alone unless it is asked
    assert two.shop.problems() == []  # and yet each entry follows from the one before it


def test_entries_of_one_float_follow_each_other_though_nobody_holds_its_terminal(two: Two) -> None:
    device = two.device()

    def post(number: int, reference: str) -> Callable[[], Any]:
        def work() -> Any:
            with writing(two.servers[number].engine, beside=True) as connection:
                return ledger.post(
                    connection, "test", reference,
                    {ledger.float_account(device.terminal_id): -10, "bank": 10},
                    terminal_id=device.terminal_id, sequence=None, now=NOW,
                )  # fmt: skip

        return work

    length = two.length(post(0, "alone"))
    refused = 0
    for number, schedule in enumerate(interleaving.schedules(length, length)):
        outcomes = two.run([post(0, f"a{number}"), post(1, f"b{number}")], schedule)
        refused += sum("follows from the entry" in str(outcome) for outcome in outcomes)
    assert refused > 0
    assert two.shop.problems() == []


def test_without_its_lock_the_guard_of_entries_would_let_a_float_fork(two: Two) -> None:
    name = make_url(str(two.shop.service.folder.place)).database
    assert name
    with postgres.server().connect(name) as connection:
        connection.execute("SET search_path = duka")
        row = connection.execute("SELECT pg_get_functiondef('duka_entry_follows'::regproc)")
        (whole,) = row.fetchone() or ("",)
        lock = "PERFORM pg_advisory_xact_lock(25708, NEW.account_id::INTEGER);"
        assert lock in whole
        connection.execute(whole.replace(lock, ""))
        try:
            device = two.device()
            works = [_unlocked(two, number, device) for number in (0, 1)]
            two.run(works, [0] * 4 + [1] * 200)
        finally:
            connection.execute(whole)
    assert "running balance is not the sum" in " ".join(two.shop.problems())


def _unlocked(two: Two, number: int, device: Device) -> Callable[[], Any]:
    def work() -> Any:
        with writing(two.servers[number].engine, beside=True) as connection:
            return ledger.post(
                connection, "test", f"fork{number}",
                {ledger.float_account(device.terminal_id): -10, "bank": 10},
                terminal_id=device.terminal_id, sequence=None, now=NOW,
            )  # fmt: skip

    return work


def sale_and_check(two: Two, device: Device) -> Callable[[], Any]:
    """A sale at the other server, then a check there that closes the books behind it."""
    sell = two.message(1, device, sale(1))
    server = two.servers[1]

    def work() -> Any:
        answer = sell()
        with reading(server.engine, still=True) as connection:
            since, _, _ = check_points.newest(connection, server.key)
            reached = checks.now(connection, since)
        with writing(server.engine) as connection:
            check_points.close(connection, server.key, reached, NOW)
        return answer

    return work


def found_behind_the_point(two: Two, stop_at: int) -> list[str]:
    """What a check from the point finds when a sale was under way as the point was made."""
    two.stock(2)
    works = [two.message(0, two.device(), sale(1)), sale_and_check(two, two.device())]
    outcomes = two.run(works, [0] * stop_at + [1] * 300)
    assert [answer[1] for answer in outcomes] == [0, 0], outcomes
    with reading(two.shop.service.engine) as connection:
        point, at, why = check_points.newest(connection, two.shop.service.key)
        assert (at, why) == (NOW, "")
        return checks.problems(connection, point)


def test_no_sale_slips_behind_a_check_that_is_made_while_it_is_under_way(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.stock(1)
    length = two.length(two.message(0, two.device(), sale(1)))
    for stop_at in range(1, length):
        assert found_behind_the_point(two, stop_at) == []
    monkeypatch.setattr(postgresql, "begin_still", lambda *_: None)  # the wrong variant
    assert "free vouchers and should have" in " ".join(found_behind_the_point(two, length - 1))
    assert two.shop.sql("SELECT COUNT(*) FROM sale WHERE state = 'reserved'") == [(0,)]


def test_transactions_that_lock_each_other_out_are_tried_again_and_counted(two: Two) -> None:
    devices = [two.device(), two.device()]

    def crossing(number: int) -> Callable[[], Any]:
        mine, others = devices[number], devices[1 - number]
        engine = two.servers[number].engine

        def work() -> str:
            def transaction() -> str:
                with writing(engine, beside=True) as connection:
                    for device in (mine, others):
                        terminals.set_merchant_text(connection, device.terminal_id, f"by {number}")
                return "done"

            return again_if_it_collides(engine, transaction)

        return work

    outcomes = two.run([crossing(0), crossing(1)], [0, 0, 1, 1])
    assert outcomes == ["done", "done"]
    counted = [collisions(server.engine) for server in two.servers]
    assert sum(each["40P01"] for each in counted) == 1
    assert sum(each["given up"] for each in counted) == 0
