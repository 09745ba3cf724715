"""What goes by short message fits one, at the end of each limit; what cannot is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import cbor, cose
from tests.server.shop import NOW, Shop, make_signed
from updater_server.errors import InputError
from updater_server.sales import incoming
from updater_server.sms import answering
from updater_server.store.engine import writing
from updater_server.wire import keys, limits, sealed

MINE = "+254700000001"
TERMINAL, KEY, SALT = bytes(8), bytes(32), b"salt"
LAST_COUNTER = sealed.COUNTER_LIMIT - 1
UINT32 = limits.EXPIRY[1]
PIN, SERIAL = "Z" * limits.PIN_BYTES[1], "s" * limits.SERIAL_BYTES[1]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "signed").mkdir()
    made = Shop.open(tmp_path / "data", make_signed(tmp_path / "signed") / "repository")
    yield made
    made.service.engine.dispose()


def deliver(shop: Shop, pin: str, serial: str, expiry: int = UINT32) -> None:
    with writing(shop.service.engine) as connection:
        text = f"product,pin,serial,expiry\nair50,{pin},{serial},{expiry}\n"
        incoming.import_csv(connection, shop.service.key, text, NOW)


def fits(data: bytes) -> bool:
    return limits.within(len(data), limits.SMS_BYTES)


def question(amount_minor: int = limits.AMOUNT_MINOR[1]) -> dict[int, Any]:
    named = keys.Sale
    return {
        keys.KIND: keys.Kind.SALE,
        named.SEQUENCE: UINT32,
        named.PRODUCT: "x" * limits.PRODUCT_ID[1],
        named.AMOUNT: amount_minor,
        named.TIME: UINT32,
        named.COMMISSION: amount_minor,
        named.CANCEL: True,
    }


def delivered(pin: str, serial: str, float_minor: int) -> dict[int, Any]:
    named = keys.SaleReply
    return {
        keys.KIND: keys.Kind.SALE,
        keys.NEWEST: bytes(8),
        named.STATUS: keys.DELIVERED,
        named.PIN: pin,
        named.SERIAL: serial,
        named.EXPIRY: UINT32,
        named.FLOAT: float_minor,
    }


def as_sent(shop: Shop, content: dict[int, Any], number: int = 1) -> dict[int, Any]:
    """What a terminal reads in the message that answers with this; it fits."""
    device = shop.enrol(number)
    device.check_in()  # the server knows its keys
    body, counter = device.seal(question(), LAST_COUNTER)
    envelope = sealed.parse_envelope(body)
    device_keys = shop.service.key_ring.find(device.terminal_id)
    assert device_keys is not None
    reply = sealed.seal_reply(envelope, cbor.dumps(content), device_keys)
    said = answering._in_one(shop.service, envelope, reply)
    assert fits(said), len(said)
    return device.open(said, counter)


def test_the_longest_question_of_a_terminal_fits() -> None:
    up = cose.derive_keys(KEY, TERMINAL).up
    sent = cose.seal_request(up, TERMINAL, SALT, LAST_COUNTER, cbor.dumps(question()))
    assert fits(sent), len(sent)


def test_the_longest_voucher_that_the_vault_admits_is_had_by_one_message(shop: Shop) -> None:
    deliver(shop, PIN, SERIAL)
    device = shop.enrol(float_minor=limits.FIRST_FLOAT_MINOR[1])
    sale = {0: 2, 1: 2, 2: "air50", 3: 5000, 4: NOW, 20: 250}
    body, counter = device.seal(sale, LAST_COUNTER)
    assert fits(body)
    said = answering.answer(shop.service, MINE, body)
    assert fits(said), len(said)
    reply = device.open(said, counter)
    assert (reply[2], reply[3], reply[4]) == (PIN, SERIAL, UINT32)
    for pin, serial in ((PIN + "Z", "a"), (PIN, SERIAL + "s")):
        with pytest.raises(InputError):
            deliver(shop, pin, serial)


@pytest.mark.parametrize("float_minor", limits.FLOAT_MINOR)
def test_it_fits_whatever_the_float_is(shop: Shop, float_minor: int) -> None:
    content = delivered(PIN, SERIAL, float_minor)
    read = as_sent(shop, content)
    assert read == {key: value for key, value in content.items() if key != keys.NEWEST}


def test_a_refusal_fits_without_its_words(shop: Shop) -> None:
    named = keys.SaleReply
    refused: dict[int, Any] = {0: 2, named.STATUS: keys.REFUSED, named.CODE: "c" * 32}
    assert as_sent(shop, refused | {named.TEXT: "w" * 200}) == refused | {named.TEXT: ""}


def test_what_a_supplier_made_is_refused_by_name_where_it_does_not_fit(shop: Shop) -> None:
    content = delivered("1" * 20, SERIAL, 0)
    content[keys.SaleReply.DETAILS] = [["units", "12.3"], ["customer", "A. Njeri, 12 Oak Street"]]
    assert as_sent(shop, content) == {0: keys.Kind.ERROR, 1: "too_long", 2: ""}


def test_a_voucher_that_is_longer_than_fits_would_be_noticed(shop: Shop) -> None:
    for number, (more_of_pin, more_of_serial) in enumerate(product((0, 64), repeat=2), 1):
        content = delivered(PIN + "Z" * more_of_pin, SERIAL + "s" * more_of_serial, 0)
        is_had = as_sent(shop, content, number).get(0) == keys.Kind.SALE
        assert is_had == (more_of_pin + more_of_serial == 0)
