"""Messages that are replayed, lost, forged or bombs, on the way between terminal and server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import httpx
import pytest

from tests.support.merchant import debit_minor, nothing_lost, pin_on
from tests.support.tap import Exchange
from tests.terminal.conftest import MakeWorld, TerminalWorld
from updater_server.fleet import terminals
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.wire.sealed import DeviceKeys, open_request, parse_envelope, seal_reply


def tapped(make_world: MakeWorld, state: str = "calm") -> TerminalWorld:
    """At the menu, with a tap on the wire."""
    world = make_world(state)
    world.server.start()
    world.tap.change = lambda exchange: exchange.reply
    world.terminal.board.power_on()
    world.wait_online()
    world.merchant.sign_in()
    return world


def post(world: TerminalWorld, body: bytes) -> int:
    headers = {"content-type": "application/cose"}
    return httpx.post(f"{world.server.url}/m", content=body, headers=headers).status_code


def device_keys(world: TerminalWorld) -> DeviceKeys:
    service = Service.open(world.server.folder)
    with reading(service.engine) as connection:
        keys = terminals.device_keys(connection, service.key, bytes.fromhex(world.terminal_id))
    service.engine.dispose()
    assert keys
    return keys


def is_sale(exchange: Exchange, keys: DeviceKeys) -> bool:
    if exchange.path != "/m":
        return False
    content = cbor2.loads(open_request(parse_envelope(exchange.body), keys))
    return bool(content[0] == 2)


@pytest.mark.parametrize("losses", [1, 2], ids=["once", "and lost again"])
def test_a_sale_whose_reply_was_lost_is_asked_again_and_debited_once(
    make_world: MakeWorld, losses: int
) -> None:
    """At once by the terminal itself, under the same number; then whenever the merchant asks."""
    world = tapped(make_world)
    keys = device_keys(world)
    world.merchant.choose()
    asked: list[int] = []
    booked: list[list[dict[str, Any]]] = []

    def lose(exchange: Exchange) -> bytes | None:
        if not is_sale(exchange, keys):
            return exchange.reply
        content = cbor2.loads(open_request(parse_envelope(exchange.body), keys))
        asked.append(content[1])
        booked.append(world.books.rows("select voucher_id from sale where state = 'delivered'"))
        return None if len(asked) <= losses else exchange.reply

    world.tap.change = lose
    if losses == 1:
        world.merchant.press("#", "Sold", timeout_s=60)
    else:
        world.merchant.press("#", "No answer yet", timeout_s=60)
        assert len(asked) >= 2, "it asked once more by itself, and then the merchant"
        assert world.terminal.receipts() == []
        world.merchant.press("#", "Sold", timeout_s=60)
    assert len(pin_on(world.terminal.wait_receipts(1)[-1])) == 16
    assert len(asked) > losses  # a sync that was due meanwhile asks the same beside it
    assert len(set(asked)) == 1, "one number, one sale"
    assert len(booked[0]) == 1, "the server had sold before the first answer was lost"
    assert booked == [booked[0]] * len(asked)
    world.terminal.board.power_cycle()
    nothing_lost(world, [debit_minor(1)])


def test_what_was_paid_and_has_no_token_is_asked_for_from_the_list_and_is_one_sale(
    make_world: MakeWorld,
) -> None:
    """The server has sold; each answer is lost until the merchant looks the sale up."""
    world = tapped(make_world)
    keys = device_keys(world)
    world.merchant.choose()
    asked: list[int] = []
    lost = True

    def lose(exchange: Exchange) -> bytes | None:
        if not is_sale(exchange, keys):
            return exchange.reply
        asked.append(cbor2.loads(open_request(parse_envelope(exchange.body), keys))[1])
        return None if lost else exchange.reply

    world.tap.change = lose
    world.merchant.press("#", "No answer yet", timeout_s=60)
    world.merchant.press("*", "Menu", timeout_s=60)
    world.merchant.press("3", "no answer", timeout_s=60)
    assert world.terminal.receipts() == []
    lost = False
    world.merchant.press("#", "never a second", timeout_s=60)
    world.merchant.press("#", "Sold", timeout_s=60)
    assert len(pin_on(world.terminal.wait_receipts(1)[-1])) == 16
    assert len(set(asked)) == 1, "one number, one sale"
    world.terminal.board.power_cycle()
    nothing_lost(world, [debit_minor(1)])


def settle(world: TerminalWorld) -> None:
    """Return once the server has heard of the print. The journal's answer settles the float: until
    then the terminal counts a sale that a check-in came between twice, to be on the safe side, and
    a calm one's next check-in but one is an hour away.
    """
    told = world.books.check_in()["journal_next"]
    world.eventually(
        lambda: world.books.acknowledged_through() >= told + 1, what="sale and print, known,"
    )


def test_everything_heard_on_the_air_can_be_replayed_in_vain(make_world: MakeWorld) -> None:
    world = tapped(make_world)
    world.merchant.sell()
    world.eventually(lambda: world.books.acknowledged_through() > 4, what="the journal, known,")
    world.terminal.board.power_off()
    heard = [exchange.body for exchange in world.tap.exchanges if exchange.path == "/m"]
    before = world.books.rows("select * from ledger_entry")
    assert len(heard) >= 2
    assert {post(world, body) for body in heard} == {409}
    flipped = heard[0][:-1] + bytes([heard[0][-1] ^ 1])
    assert post(world, flipped) == 401, "and with one bit changed it does not open"
    assert world.books.rows("select * from ledger_entry") == before
    world.terminal.board.power_on()
    nothing_lost(world, [debit_minor(1)])


BOMBS = {
    "a count": b"\x9b" + b"\xff" * 8,
    "depth": b"\x81" * 5000,
    "a length": b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
    "no length": b"\xbf" + b"\x00\xbf" * 3000,
    "tags": b"\xd8\x02" * 4000 + b"\x40",
}


def test_cbor_bombs_are_refused_by_a_server_that_goes_on(make_world: MakeWorld) -> None:
    world = make_world()
    world.server.start()
    answers = {name: post(world, bomb) for name, bomb in BOMBS.items()}
    assert answers == dict.fromkeys(BOMBS, 400)
    assert post(world, bytes(200_000)) == 413
    world.open_shop()
    world.wait_online()
    world.merchant.sign_in()
    world.merchant.sell()
    nothing_lost(world, [debit_minor(1)])


def garbage(exchange: Exchange, keys: DeviceKeys) -> bytes:
    return b"\x9b" + b"\xff" * 8


def deep(exchange: Exchange, keys: DeviceKeys) -> bytes:
    return seal_reply(parse_envelope(exchange.body), b"\x81" * 6000 + b"\x00", keys)


def wide(exchange: Exchange, keys: DeviceKeys) -> bytes:
    content = b"\xa2\x00\x02\x02\x9b\x00\x00\x00\x7f\xff\xff\xff\xff"
    return seal_reply(parse_envelope(exchange.body), content, keys)


def mistyped(exchange: Exchange, keys: DeviceKeys) -> bytes:
    content = {0: 2, 1: 0, 2: 5, 3: b"x", 4: -1, 5: "much"}
    return seal_reply(parse_envelope(exchange.body), cbor2.dumps(content), keys)


def of_another_request(exchange: Exchange, keys: DeviceKeys) -> bytes:
    this = parse_envelope(exchange.body)
    other = replace(this, counter=this.counter - 1)
    return seal_reply(other, cbor2.dumps({0: 2, 1: 1, 6: "blocked", 7: ""}), keys)


@pytest.mark.micropython
@pytest.mark.parametrize("forge", [garbage, deep, wide, mistyped, of_another_request])
def test_a_malicious_reply_sells_nothing_and_stops_nothing(
    make_world: MakeWorld, forge: Callable[[Exchange, DeviceKeys], bytes]
) -> None:
    world = tapped(make_world)
    keys = device_keys(world)
    world.merchant.choose()

    def answer(exchange: Exchange) -> bytes:
        forged = is_sale(exchange, keys)
        return exchange.with_body(forge(exchange, keys)) if forged else exchange.reply

    world.tap.change = answer
    world.merchant.press("#", "No answer yet", timeout_s=60)
    assert world.terminal.receipts() == []
    world.tap.change = lambda exchange: exchange.reply
    world.merchant.press("#", "Sold", timeout_s=60)
    world.terminal.wait_receipts(1)
    assert world.terminal.board.resets == ["power_on"], "it never crashed"
    settle(world)
    world.terminal.board.power_cycle()
    nothing_lost(world, [debit_minor(1)])


@pytest.mark.micropython
def test_a_reply_that_never_ends_is_cut_off(make_world: MakeWorld) -> None:
    world = tapped(make_world)
    keys = device_keys(world)
    world.merchant.choose()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    endless = head + bytes(30_000)
    world.tap.change = lambda exchange: endless if is_sale(exchange, keys) else exchange.reply
    world.merchant.press("#", "No answer yet", timeout_s=60)
    world.tap.change = lambda exchange: exchange.reply
    world.merchant.press("#", "Sold", timeout_s=60)
    world.terminal.wait_receipts(1)
    assert world.terminal.board.resets == ["power_on"], "it never crashed"
    settle(world)
    world.terminal.board.power_cycle()
    nothing_lost(world, [debit_minor(1)])
