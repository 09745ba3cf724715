"""What suppliers make, and what programs of partners do, with the books in PostgreSQL: each
question to the database that this brought, asked of it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.suppliers import utility
from hw_sim.suppliers.faults import Faults
from tests.parties.trade import Trade
from tests.server.engines import Store
from tests.server.shop import KES, Shop
from tests.server.shop import make_signed as make_plain
from tests.suppliers.counter import NAME, Counter, meter, opened, order, top_up
from updater_server.fleet.enrolment import Enrolment
from updater_server.notices import hooks
from updater_server.parties import program_sales, telephones, tokens, tree, webhooks
from updater_server.sales import opening, statements
from updater_server.store.engine import reading, writing

DELIVERED, REFUSED, PENDING = 0, 1, 2
NUMBER = "254712345678"


@pytest.fixture
def url() -> str:
    """Of an empty database."""
    return Store("postgresql").new_url()


@pytest.fixture
def counter(tmp_path: Path, signed: Path, url: str) -> Iterator[Counter]:
    """A server and an operator."""
    with opened(tmp_path / "counter", signed, url=url) as made:
        yield made


def test_a_sale_goes_every_way_that_there_is(counter: Counter) -> None:
    device = counter.shop.enrol(float_minor=1_000_000)
    assert top_up(device, 1)[1] == DELIVERED
    counter.operator.settings.faults = Faults(0, {"refuses": 1.0}, {}, {})
    assert top_up(device, 2, "0722000000")[6] == "supplier_refused"
    unsaid = {"error_500": 1.0}  # nor does a question bring it out while somebody waits
    counter.operator.settings.faults = Faults(0, {"cut_answer": 1.0}, unsaid, {"silent": 1.0})
    counter.desk.patience_s = 0.2
    assert top_up(device, 3, "0733000000")[1] == PENDING
    counter.until(lambda: counter.states()[-1] == "unknown")
    counter.pass_time(10)
    now = counter.shop.clock[0]
    data = counter.operator.statement(now - 86_400, now + 86_400)
    with writing(counter.service.engine) as connection:
        statements.take(connection, counter.service.key, NAME, data, now)
    assert counter.states() == ["delivered", "rejected", "delivered"]
    assert top_up(device, 3, "0733000000")[1] == DELIVERED
    assert counter.shop.problems() == []


def test_electricity_is_vended_and_found_again(tmp_path: Path, signed: Path, url: str) -> None:
    faults = Faults(0, {"cut_answer": 1.0}, {}, {})
    with opened(tmp_path / "x", signed, utility.Settings(faults=faults), url=url) as power:
        device = power.shop.enrol()
        number = meter(4000010)
        assert device.ask({0: 7, 1: "power", 2: number, 3: 10_000})[1] == 0
        power.desk.patience_s = 0.2
        power.operator.settings.faults = Faults(0, {"cut_answer": 1.0}, {"error_500": 1.0}, {})
        assert device.ask(order(1, number, product="power"))[1] == PENDING
        power.until(lambda: power.states() == ["unknown"])
        power.operator.settings.faults = Faults(0, {}, {}, {})
        power.pass_time(60)
        power.until(lambda: power.states() == ["delivered"])
        assert device.ask(order(1, number, product="power"))[2] == power.operator.tokens[number][2]
        assert power.shop.problems() == []


def test_a_program_sells_once_by_its_till(counter: Counter) -> None:
    service, now = counter.service, counter.shop.clock[0]
    till = bytes.fromhex("7411000000000001")
    with writing(service.engine) as connection:
        enrolment = Enrolment(till, bytes(32), tokens.TILL, 1, 100_000)
        opening.enrol(connection, service.key, enrolment, 1, now, KES)
        token = tokens.add(connection, "app", None, True, "asha", now, till)
        asks = tokens.of_token(connection, token)
    assert asks is not None
    shelf = program_sales.Shelf(service.key, service.prices, service.desk, now)
    numbers = set()
    for _ in range(2):
        with writing(service.engine) as connection:
            numbers.add(program_sales.order(connection, shelf, asks, "key-1", NUMBER, 10_000)[0])
    counter.until(lambda: counter.states() == ["delivered"])
    with reading(service.engine) as connection:
        assert program_sales.find(connection, asks, numbers.pop()).state == "delivered"
    with (
        pytest.raises(Exception, match=r"append-only|permission denied"),
        writing(service.engine) as connection,
    ):
        connection.exec_driver_sql("UPDATE api_order SET sequence = 1")


def test_webhooks_and_telephones_know_what_was_posted(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, url: str
) -> None:
    signed = make_plain(tmp_path_factory.mktemp("plain"))
    trade = Trade(Shop.open(tmp_path / "data", signed / "repository", url))
    service, now = trade.shop.service, trade.now[0]
    took: list[bytes] = []
    with writing(service.engine) as connection:
        asha = tree.find(connection, "ASHA")
        webhooks.put(connection, service.key, "asha", "https://a.example", asha, "asha", now)
        pin = telephones.add(connection, "+254712345678", asha, "asha", now)
    trade.device.sale(1)

    def take(_url: str, body: bytes, _headers: dict[str, str]) -> int:
        took.append(body)
        return 200 if len(took) > 1 else 500

    told = hooks.Hooks(service, take)
    told.empty("asha")
    trade.now[0] += 10
    told.empty("asha")
    assert took[0] == took[1]
    with writing(service.engine) as connection:
        who = telephones.asker(connection, "+254712345678", pin, now)
        assert who is not None
        mine = telephones.terminals_of(connection, who.party, 8)
        assert [row.sequence for row in telephones.last_sales(connection, mine, 4)] == [1]
        assert telephones.asker(connection, "+254712345678", "0", now) is None
        assert webhooks.listing(connection)[0]["dead"] == 0
        telephones.listing(connection)
    service.engine.dispose()
