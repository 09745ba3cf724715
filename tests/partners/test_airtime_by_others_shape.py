"""A program sells airtime by a till of its own, through Africa's Talking's own Python client and by
our own adapter for such a service; the operator behind it is simulated, all over real HTTP.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import africastalking
import pytest

from hw_sim.suppliers.faults import Faults
from tests.server.shop import KES
from tests.suppliers.counter import Counter, opened
from updater_server.errors import InputError
from updater_server.faces import app
from updater_server.faces.http_server import HttpServer
from updater_server.fleet.enrolment import Enrolment
from updater_server.parties import tokens, tree
from updater_server.sales import ledger, opening
from updater_server.sales.suppliers import airtime, http
from updater_server.sales.suppliers.base import Accepted, Delivered, Order
from updater_server.store.engine import reading, writing

TILL = bytes.fromhex("7411000000000001")
NUMBER = "+254712345678"
FLOAT_MINOR = 100_000


@contextmanager
def over_http(counter: Counter) -> Iterator[str]:
    """The whole application of a counter's server; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = int(listening.getsockname()[1])
    loop = asyncio.new_event_loop()
    server = HttpServer(app.make_app(counter.service), listening)
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(10)
        listening.close()


class Partner:
    """A counter whose server has a till for a program of SHORE's, and that program's token."""

    def __init__(self, counter: Counter, url: str) -> None:
        self.counter, self.url = counter, url
        self.token = self.add("shore-app", TILL)

    def add(self, name: str, till: bytes, move: bool = True, kind: str = tokens.TILL) -> str:
        """A token that sells by this till."""
        counter, now = self.counter, self.counter.shop.clock[0]
        enrolment = Enrolment(till, bytes(32), kind, 1, FLOAT_MINOR)
        with writing(counter.service.engine) as connection:
            opening.enrol(connection, counter.service.key, enrolment, 1, now, KES)
            shore = tree.add(connection, "SHORE", "Shore", "merchant", "", "asha", now)
            tree.give_terminal(connection, till, shore, "asha", now)
            return tokens.add(connection, name, shore, move, "asha", now, till)

    def client(self, name: str = "shore-app", token: str = "") -> Any:
        """Their client, pointed at our server, otherwise unchanged."""
        africastalking.initialize(name, token or self.token)
        service = africastalking.Airtime
        service._baseUrl = f"{self.url}/api/version1/airtime"
        return service

    def float_minor(self) -> int:
        """The till's."""
        with reading(self.counter.service.engine) as connection:
            return ledger.float_minor(connection, TILL)


@pytest.fixture
def partner(tmp_path: Path, with_top_ups: Path) -> Iterator[Partner]:
    """See above."""
    with opened(tmp_path / "counter", with_top_ups) as counter, over_http(counter) as url:
        yield Partner(counter, url)


def send(client: Any, key: str = "", number: str = NUMBER, amount: str = "100") -> Any:
    """One number."""
    return client.send(
        phone_number=number, amount=amount, currency_code="KES", idempotency_key=key or None
    )


def test_their_client_sells_through_us_unchanged(partner: Partner) -> None:
    told = send(partner.client(), "order-0001")
    assert (told["numSent"], told["errorMessage"]) == (1, "None")
    assert told["totalAmount"] == "KES 100.0000"
    (entry,) = told["responses"]
    assert entry["requestId"].startswith(f"DUKA_{TILL.hex()}_")
    counter = partner.counter
    counter.until(lambda: counter.states() == ["delivered"])
    assert counter.operator.delivered == {NUMBER: ["KES 100"]}
    assert partner.float_minor() == FLOAT_MINOR - 9_500
    assert counter.shop.problems() == []


def test_a_key_that_comes_again_is_the_same_sale(partner: Partner) -> None:
    first, second = (send(partner.client(), "order-0001") for _ in range(2))
    assert first["responses"][0]["requestId"] == second["responses"][0]["requestId"]
    partner.counter.until(lambda: partner.counter.states() == ["delivered"], 60.0)
    assert partner.counter.operator.delivered == {NUMBER: ["KES 100"]}
    assert partner.float_minor() == FLOAT_MINOR - 9_500


def test_a_key_that_comes_again_with_another_amount_is_refused(partner: Partner) -> None:
    send(partner.client(), "order-0001")
    with pytest.raises(Exception, match=r"409|another order"):
        send(partner.client(), "order-0001", amount="200")
    assert len(partner.counter.states()) == 1


def test_each_number_of_an_order_is_a_sale_of_its_own(partner: Partner) -> None:
    recipients = [
        {"phoneNumber": f"+25471234567{n}", "amount": "50", "currency_code": "KES"} for n in (1, 2)
    ]
    told = partner.client().send(recipients=recipients, idempotency_key="order-0007")
    assert (told["numSent"], told["totalAmount"]) == (2, "KES 100.0000")
    assert len({entry["requestId"] for entry in told["responses"]}) == 2


@pytest.mark.parametrize(
    ("number", "amount", "words"),
    [
        ("+255712345678", "100", "no top-up takes"),
        (NUMBER, "100.50", "no top-up takes"),
        (NUMBER, "5000", "no top-up takes"),
        (NUMBER, "1000", "float"),
    ],
)
def test_what_cannot_be_sold_says_so_and_costs_nothing(
    partner: Partner, number: str, amount: str, words: str
) -> None:
    if words == "float":
        send(partner.client(), amount="900")
    before = partner.float_minor()
    (entry,) = send(partner.client(), number=number, amount=amount)["responses"]
    assert (entry["status"], entry["requestId"]) == ("Failed", "None")
    assert words in entry["errorMessage"].lower()
    assert partner.float_minor() == before


def test_who_is_not_that_program_is_turned_away(partner: Partner) -> None:
    for name, token in (("shore-app", "duka_wrong"), ("another", partner.token)):
        with pytest.raises(Exception, match="authentication is invalid"):
            send(partner.client(name, token))
    assert partner.counter.states() == []


def test_a_till_is_no_real_terminal_and_one_programs(partner: Partner) -> None:
    with pytest.raises(InputError, match="class"):
        partner.add("other", bytes.fromhex("7411000000000002"), kind="duka-r1")
    with pytest.raises(InputError, match="moves money"):
        partner.add("other", bytes.fromhex("7411000000000003"), move=False)
    with pytest.raises(InputError, match="another program"):
        partner.add("other", TILL)


def test_nobody_finds_another_programs_sale(partner: Partner) -> None:
    (entry,) = send(partner.client(), "order-0001")["responses"]
    other = partner.add("other-app", bytes.fromhex("7411000000000009"))
    with http_of(partner, "other-app", other) as adapter:
        assert not isinstance(adapter.ask(_order(entry["requestId"])), Accepted | Delivered)
    with http_of(partner, "shore-app", partner.token) as adapter:
        assert isinstance(adapter.ask(_order(entry["requestId"])), Accepted | Delivered)


def test_one_duka_is_the_supplier_of_another(partner: Partner) -> None:
    partner.counter.operator.settings.faults = Faults(0, {"cut_answer": 1.0}, {}, {})
    with http_of(partner, "shore-app", partner.token) as adapter:
        order = _order(None)
        first, again = adapter.send(order), adapter.send(order)  # a key makes it one
        assert isinstance(first, Accepted)
        assert first == again
        partner.counter.until(lambda: partner.counter.states() == ["delivered"])
        assert isinstance(adapter.ask(_order(first.reference)), Delivered)
    assert partner.counter.operator.delivered == {NUMBER: ["KES 100"]}


def _order(reference: str | None) -> Order:
    return Order("duka-other-7", "", NUMBER, 10_000, "KES", 2, 5, reference)


@contextmanager
def http_of(partner: Partner, name: str, token: str) -> Iterator[airtime.Airtime]:
    """Our own adapter for such a service, at our own API."""
    address = http.Address.parse(f"{partner.url}/api")
    yield airtime.Airtime(airtime.Account(address, name, token, "254", 5.0))
