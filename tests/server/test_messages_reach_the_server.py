"""What the server makes of bytes at `POST /m`: who may speak, once, and how much."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.device import PROTECTED, Device
from tests.server.shop import Shop
from updater_server.wire import cbor, sealed
from updater_server.wire.cbor import CborError


def test_a_check_in_is_answered_and_what_runs_is_known(shop: Shop) -> None:
    device = shop.enrol()
    reply = device.check_in(own_float=0, _2=9, _3="b", _4=True, _8=[8, "crash: ImportError"])
    assert reply == {0: 1, 1: shop.clock[0], 2: 100_000, 3: 0, 4: None, 5: []}
    found = shop.sql("SELECT release, slot, trial, failure_release, failure_reason FROM check_in")
    assert found == [(9, "b", 1, 8, "crash: ImportError")]
    device.check_in(_2=9, _3="b", _4=False)
    history = shop.sql("SELECT release, trial FROM running_history ORDER BY id")
    assert history == [(9, 1), (9, 0)]
    device.check_in(_2=9, _3="b", _4=False)
    assert len(shop.sql("SELECT id FROM running_history")) == 2


def test_a_replayed_message_changes_nothing(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    body, counter = device.seal({0: 2, 1: 1, 2: "air50", 3: 5000, 4: 0, 20: 250})
    status, first = shop.post(body)
    assert status == 200
    assert device.open(first, counter)[1] == 0
    assert shop.post(body) == (409, b"")
    assert shop.float_of(device) == 100_000 - 4750


def test_an_older_counter_is_refused_and_a_gap_is_not(shop: Shop) -> None:
    device = shop.enrol()
    late, _ = device.seal({0: 1}, counter=5)
    newer, _ = device.seal({0: 1}, counter=900)
    assert shop.post(newer)[0] == 200
    assert shop.post(late) == (409, b"")
    device.boot_count, device.sent = 2, 0
    assert device.check_in()[0] == 1


def test_a_forged_message_does_not_use_up_its_counter(shop: Shop) -> None:
    device = shop.enrol()
    body, _ = device.seal({0: 1}, counter=10)
    forged = body[:-1] + bytes((body[-1] ^ 1,))
    assert shop.post(forged) == (401, b"")
    assert shop.post(body)[0] == 200


def test_a_stranger_and_a_terminal_with_anothers_key_are_refused(shop: Shop) -> None:
    first, second = shop.enrol(1), shop.enrol(2)
    stranger = Device(b"stranger", first.key, shop.post)
    assert stranger.post({0: 1}) == (401, {})
    swapped = Device(first.terminal_id, second.key, shop.post)
    assert swapped.post({0: 1}) == (401, {})


def test_a_reply_fits_only_its_request_and_its_terminal(shop: Shop) -> None:
    device = shop.enrol()
    body, counter = device.seal({0: 1})
    _, reply = shop.post(body)
    assert device.open(reply, counter)[0] == -1
    with pytest.raises(InvalidTag):
        device.open(reply, counter + 1)


def envelope(*changes: tuple[int, Any]) -> bytes:
    parts: list[Any] = [PROTECTED, {4: bytes(8), 6: b"salt\x01"}, bytes(20)]
    for at, value in changes:
        parts[at] = value
    return cbor2.dumps(parts)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GET / HTTP/1.1",
        cbor2.dumps({}),
        cbor2.dumps([1, 2]),
        envelope((0, b"\xa1\x01\x01")),
        envelope((1, {4: bytes(7), 6: b"salt\x01"})),
        envelope((1, {4: bytes(8), 6: b""})),
        envelope((1, {4: bytes(8), 6: b"sal"})),
        envelope((1, {4: bytes(8), 6: b"salt"})),
        envelope((1, {4: bytes(8), 6: b"salt\x00\x01"})),
        envelope((1, {4: bytes(8), 6: b"salt" + b"\xff" * 8})),
        envelope((1, {4: bytes(8), 6: b"salt" + b"\x01" * 9})),
        envelope((1, {4: bytes(8)})),
        envelope((2, bytes(7))),
        envelope() + b"\x00",
        b"\xd0" + envelope(),  # tagged COSE_Encrypt0
    ],
)
def test_what_is_no_envelope_gets_400(shop: Shop, body: bytes) -> None:
    assert shop.post(body) == (400, b"")


BOMBS = {
    "array of 2^32": b"\x9a\xff\xff\xff\xff",
    "array of 2^64": b"\x9b" + b"\xff" * 8,
    "map of 2^62": b"\xbb\x3f" + b"\xff" * 7,
    "text of 2^40": b"\x7b\x00\x00\x01\x00\x00\x00\x00\x00",
    "bytes of 2^63": b"\x5b\x80" + bytes(7),
    "ten thousand levels": b"\x81" * 10_000 + b"\x00",
    "indefinite for ever": b"\x9f" * 5_000,
    "indefinite text": b"\x7f\x61a\xff",
    "shared reference": b"\xd8\x1c\x81\xd8\x1d\x00",
    "bignum": b"\xc2\x58\x40" + b"\xff" * 64,
    "decimal fraction": b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "regular expression": b"\xd8\x23\x6b(a+)+(a+)+b",
    "float": b"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
    "undefined": b"\xf7",
    "duplicate keys": b"\xa2\x00\x01\x00\x02",
    "long form": b"\x18\x01",
    "not utf-8": b"\x62\xc3\x28",
    "many empty arrays": b"\x99\x30\x00" + b"\x80" * 0x3000,
    "array as key": b"\xa1\x80\x00",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_cbor_bomb_is_refused_cheaply_inside_and_outside_the_seal(
    shop: Shop, bomb: bytes
) -> None:
    device = shop.enrol()
    assert shop.post(bomb) == (400, b"")
    reply = device.ask(bomb)
    assert (reply[0], reply[1]) == (-1, "bad_message")
    with pytest.raises(CborError):
        cbor.loads(bomb)


def test_an_oversize_message_is_refused_before_it_is_read(shop: Shop) -> None:
    assert shop.post(bytes(sealed.MESSAGE_LIMIT_BYTES + 1)) == (413, b"")


@given(st.binary(max_size=300))
@settings(max_examples=400)
def test_any_bytes_give_a_value_that_encodes_back_or_a_typed_refusal(data: bytes) -> None:
    try:
        value = cbor.loads(data)
    except CborError:
        return
    again = cbor2.loads(cbor2.dumps(value))
    assert again == value


GOOD_CHECK_IN: dict[int, Any] = {
    0: 1, 1: 5, 2: 7, 3: "a", 4: False, 5: 1, 6: 3900, 7: 20, 8: None, 9: 0, 10: [1, 1],
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {0: 99},
        {0: "2"},
        {0: True},
        *(
            {key: value for key, value in GOOD_CHECK_IN.items() if key != gone}
            for gone in range(11)
        ),
        {**GOOD_CHECK_IN, 1: -1},
        {**GOOD_CHECK_IN, 3: "c"},
        {**GOOD_CHECK_IN, 3: ""},
        {**GOOD_CHECK_IN, 4: 1},
        {**GOOD_CHECK_IN, 8: [1]},
        {**GOOD_CHECK_IN, 8: ["x", "y"]},
        {**GOOD_CHECK_IN, 9: "0"},
        {**GOOD_CHECK_IN, 10: [1, -1]},
        {**GOOD_CHECK_IN, 10: [1, "a", 1]},
        {**GOOD_CHECK_IN, 10: [1, 3, "a"]},
        {**GOOD_CHECK_IN, 10: [1, 3, 0]},
        {**GOOD_CHECK_IN, 10: [1, 3, 4]},
        {0: 2, 1: 0, 2: "air50", 3: 5000, 4: 0, 20: 250},
        {0: 2, 1: 1, 2: "air50", 3: -5000, 4: 0, 20: 250},
        {0: 2, 1: 1, 2: "a" * 33, 3: 5000, 4: 0, 20: 250},
        {0: 2, 1: 2**32, 2: "air50", 3: 5000, 4: 0, 20: 250},
        {0: 3, 1: "journal"},
        {0: 3, 1: [1]},
        {0: 5, 1: 1, 2: b"short"},
    ],
)
def test_a_missing_or_mistyped_key_is_bad_message_and_nothing_happens(
    shop: Shop, content: object
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    reply = device.ask(content)
    assert (reply[0], reply[1]) == (-1, "bad_message")
    assert shop.sql("SELECT * FROM sale") == []
    assert shop.sql("SELECT * FROM check_in") == []


def test_unknown_keys_are_ignored(shop: Shop) -> None:
    assert shop.enrol().ask({**GOOD_CHECK_IN, 77: "from the future"})[0] == 1
