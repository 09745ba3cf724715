"""Partners' programs are told of what was posted: each transaction once or again under the same
name, in order, signed, and never of what is beyond their reach.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from tests.parties.trade import Trade
from updater_server.errors import InputError
from updater_server.notices import hooks
from updater_server.parties import tree, webhooks
from updater_server.store.engine import reading, writing

Message = tuple[dict[str, Any], dict[str, str]]


class Receiver:
    """A partner's program: keeps what it takes, and is as well as its test says."""

    def __init__(self) -> None:
        self.took: list[Message] = []
        self.status = 200
        self.raises: Exception | None = None

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        """`hooks.Post`."""
        if self.raises is not None:
            raise self.raises
        if self.status == 200:
            self.took.append((json.loads(body), headers))
        return self.status

    def events(self) -> list[dict[str, Any]]:
        """Every event of every message, in order."""
        return [event for told, _ in self.took for event in told["events"]]

    def references(self) -> list[str]:
        """What was told."""
        return [event["reference"] for event in self.events()]


def put(trade: Trade, name: str, code: str = "", url: str = "https://partner.example/duka") -> str:
    """A webhook of a party's, or ours; its secret."""
    service = trade.shop.service
    with writing(service.engine) as connection:
        whose = tree.find(connection, code) if code else None
        return webhooks.put(connection, service.key, name, url, whose, "asha", trade.now[0])


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def step(trade: Trade, name: str, receiver: Receiver) -> None:
    """As the worker does it, until nothing more goes out."""
    hooks.Hooks(trade.shop.service, receiver).empty(name)


def test_everything_posted_is_told_once_in_order(trade: Trade, receiver: Receiver) -> None:
    trade.deposit("LAKE", "100.00 KES", "before-it")
    put(trade, "ours")
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    trade.transfer("LAKE", "SHORE", "200.00 KES", "move-1")
    trade.device.sale(1)
    step(trade, "ours", receiver)
    assert [event["kind"] for event in receiver.events()] == ["movement", "movement", "sale"]
    sale = receiver.events()[-1]
    terminal = trade.device.terminal_id.hex()
    assert (sale["terminal"], sale["sequence"]) == (terminal, 1)
    assert sale["floats"] == {terminal: -4750}
    step(trade, "ours", receiver)
    assert len(receiver.events()) == 3


def test_a_partys_program_is_told_of_its_own_and_of_those_under_it(
    trade: Trade, receiver: Receiver
) -> None:
    for name, code in (("shore", "SHORE"), ("joy", "JOY")):
        put(trade, name, code)
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    trade.transfer("LAKE", "SHORE", "200.00 KES", "move-1")
    trade.device.sale(1)
    joys = Receiver()
    step(trade, "shore", receiver)
    step(trade, "joy", joys)
    assert [event["kind"] for event in receiver.events()] == ["movement", "sale"]
    assert receiver.events()[0]["floats"] == {"SHORE": 20_000}  # and not what LAKE has
    assert joys.took == []


def test_what_is_told_is_signed_with_the_time(trade: Trade, receiver: Receiver) -> None:
    secret = put(trade, "ours")
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    taken: list[tuple[bytes, dict[str, str]]] = []

    def post(_url: str, body: bytes, headers: dict[str, str]) -> int:
        taken.append((body, headers))
        return 204

    hooks.Hooks(trade.shop.service, post).empty("ours")
    ((body, headers),) = taken
    at, told = (part.partition("=")[2] for part in headers["duka-signature"].split(","))
    assert int(at) == trade.now[0]
    wanted = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert told == wanted


@pytest.mark.parametrize(
    "trouble", [500, 302, 404, httpx.ConnectTimeout("slow"), httpx.ConnectError("refused")]
)
def test_what_is_not_taken_is_told_again_under_the_same_name(
    trade: Trade, receiver: Receiver, trouble: int | Exception
) -> None:
    put(trade, "ours")
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    if isinstance(trouble, Exception):
        receiver.raises = trouble
    else:
        receiver.status = trouble
    step(trade, "ours", receiver)
    assert receiver.took == []
    receiver.status, receiver.raises = 200, None
    step(trade, "ours", receiver)
    assert receiver.took == []  # not at once
    trade.now[0] += 6
    trade.deposit("LAKE", "500.00 KES", "slip-2")
    step(trade, "ours", receiver)
    assert len(receiver.references()) == 2


def test_a_worker_that_dies_before_it_notes_it_tells_it_again(
    trade: Trade, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(trade, "ours")
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    with monkeypatch.context() as killed:
        killed.setattr(webhooks, "told", _dies)
        with pytest.raises(SystemExit):
            hooks.Hooks(trade.shop.service, receiver).step("ours")
    step(trade, "ours", receiver)
    (first, second) = receiver.took
    assert first[0] == second[0]
    assert first[1]["duka-delivery"] == second[1]["duka-delivery"]


def _dies(*_given: object) -> None:
    raise SystemExit


def test_what_nobody_takes_in_a_day_is_a_dead_letter_and_the_rest_goes_on(
    trade: Trade, receiver: Receiver
) -> None:
    put(trade, "ours")
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    receiver.status = 500
    for _ in range(30):
        step(trade, "ours", receiver)
        trade.now[0] += 3600
    assert trade.shop.alarms() == ["webhook_dead", "webhook_failed"]
    receiver.status = 200
    trade.deposit("LAKE", "500.00 KES", "slip-2")
    step(trade, "ours", receiver)
    assert len(receiver.references()) == 1
    service = trade.shop.service
    with reading(service.engine) as connection:
        (row,) = webhooks.listing(connection)
        url, secret, body, name = webhooks.dead_letter(connection, service.key, 1)
    assert (row["dead"], name) == (1, "ours")
    assert hooks.deliver(url, secret, body, "again", trade.now[0], receiver) == ""
    with writing(service.engine) as connection:
        webhooks.dead_letter_sent(connection, 1, "asha", trade.now[0])
        with pytest.raises(InputError, match="no dead letter"):
            webhooks.dead_letter(connection, service.key, 1)
    assert len(set(receiver.references())) == 2


def test_one_that_is_stopped_is_told_the_rest_when_it_is_not(
    trade: Trade, receiver: Receiver
) -> None:
    put(trade, "ours")
    service = trade.shop.service
    with writing(service.engine) as connection:
        webhooks.stop(connection, "ours", True, "asha", trade.now[0])
    trade.deposit("LAKE", "500.00 KES", "slip-1")
    step(trade, "ours", receiver)
    assert receiver.took == []
    with writing(service.engine) as connection:
        webhooks.stop(connection, "ours", False, "asha", trade.now[0])
    step(trade, "ours", receiver)
    assert len(receiver.references()) == 1


@pytest.mark.parametrize("url", ["http://partner.example/x", "ftp://x", "https://", "x"])
def test_an_address_over_which_it_would_go_in_the_clear_is_refused(trade: Trade, url: str) -> None:
    with pytest.raises(InputError):
        put(trade, "ours", url=url)


def test_many_transactions_are_told_in_several_messages(trade: Trade, receiver: Receiver) -> None:
    put(trade, "ours")
    for number in range(webhooks.AT_ONCE + 7):
        trade.deposit("LAKE", "1.00 KES", f"slip-{number}")
    step(trade, "ours", receiver)
    assert [len(told["events"]) for told, _ in receiver.took] == [webhooks.AT_ONCE, 7]


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    """The receiver as a real server."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver(self.path, body, headers))
            self.end_headers()

        def log_message(self, *_what: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/duka"
    finally:
        server.shutdown()
        server.server_close()


def test_over_real_http_the_worker_tells_it(trade: Trade, receiver: Receiver) -> None:
    with listening(receiver) as url:
        put(trade, "ours", url=url)
        trade.deposit("LAKE", "500.00 KES", "slip-1")
        told = hooks.Hooks(trade.shop.service)
        told.look()
        told.wait(10)
    assert len(receiver.references()) == 1
