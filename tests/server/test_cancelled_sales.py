"""A merchant asks to cancel what was never handed over; the server decides, once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.device import Device
from tests.server.shop import Shop

ON_BOTH_ENGINES = True
REFUSED, CANCELLED = 1, "cancelled"


@pytest.fixture
def device(shop: Shop) -> Device:
    shop.stock_vault()
    made = shop.enrol()
    made.record(3, ["air50", 5000, 250])
    return made


def ask(device: Device, sequence: int = 1, **more: Any) -> dict[int, Any]:
    """The question for a sale, with the request to cancel it."""
    said = {0: 2, 1: sequence, 2: "air50", 3: 5000, 4: 1_790_000_000, 20: 250, 22: True}
    return device.ask({**said, **{int(key[1:]): value for key, value in more.items()}})


def test_what_was_never_made_never_will_be(shop: Shop, device: Device) -> None:
    assert ask(device)[6] == CANCELLED
    assert device.sale(1)[6] == CANCELLED, "whoever asks again gets the same answer"
    assert shop.float_of(device) == 100_000
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE NOT free") == [(0,)]
    assert shop.problems() == [] and shop.alarms() == []


def test_what_was_delivered_and_never_printed_is_given_back_once(
    shop: Shop, device: Device
) -> None:
    assert device.sale(1)[1] == 0
    assert shop.float_of(device) == 95_250
    for _ in range(2):
        assert ask(device)[6] == CANCELLED
        assert shop.float_of(device) == 100_000
    answer = device.sale(1)
    assert (answer[1], answer[6]) == (REFUSED, CANCELLED), "its PIN is told to nobody again"
    assert shop.alarms() == ["sale_cancelled"] and shop.problems() == []


def test_the_voucher_of_a_cancelled_sale_is_nobody_elses(shop: Shop, device: Device) -> None:
    first = device.sale(1)
    ask(device)
    device.record(5, [1, CANCELLED])
    device.record(3, ["air50", 5000, 250])
    second = device.sale(3)
    assert second[1] == 0 and second[3] != first[3]


@pytest.mark.parametrize("record", [(6, [1, 0]), (6, [1, 1]), (7, [1])])
def test_what_may_be_out_is_not_cancelled(
    shop: Shop, device: Device, record: tuple[int, list[int]]
) -> None:
    first = device.sale(1)
    device.record(4, [1, bytes(24), first[3], first[4], first[5]])
    device.record(*record)
    device.upload()
    answer = ask(device)
    assert (answer[1], answer[2]) == (0, first[2]), "the voucher, as ever"
    assert shop.float_of(device) == 95_250 and shop.alarms() == []


def test_the_terminals_records_of_a_cancelled_sale_are_no_alarm(shop: Shop, device: Device) -> None:
    first = device.sale(1)
    device.record(4, [1, bytes(24), first[3], first[4], first[5]])
    device.record(14, [1])
    ask(device)
    device.record(5, [1, CANCELLED])
    assert device.upload()[1] == 4
    assert shop.alarms() == ["sale_cancelled"] and shop.problems() == []


def test_a_terminal_that_says_cancelled_by_itself_gets_nothing(shop: Shop, device: Device) -> None:
    device.sale(1)
    device.record(5, [1, CANCELLED])
    device.upload()
    assert shop.float_of(device) == 95_250 and shop.alarms() == ["journal_nonsense"]


def test_another_sale_under_that_number_is_a_conflict_as_ever(shop: Shop, device: Device) -> None:
    device.sale(1)
    status, _ = device.post({0: 2, 1: 1, 2: "air20", 3: 2000, 4: 5, 20: 100, 22: True})
    assert status == 200 and shop.alarms() == ["sale_conflict"]
    assert shop.float_of(device) == 95_250


@pytest.mark.parametrize("odd", [1, "yes", None])
def test_a_request_that_is_no_word_is_refused(shop: Shop, device: Device, odd: object) -> None:
    answer = ask(device, _22=odd)
    assert answer[0] == -1 and answer[1] == "bad_message"
    assert shop.float_of(device) == 100_000


def test_false_asks_for_the_sale(shop: Shop, device: Device) -> None:
    assert ask(device, _22=False)[1] == 0
