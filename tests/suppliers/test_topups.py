"""A sale that a mobile operator makes, from the sealed message to the call-back: one answer for
ever, the float paid while nothing is decided, and no word believed that the operator does not stand
by.
"""

from __future__ import annotations

from typing import Any

import pytest

from hw_sim.suppliers.faults import Faults
from tests.suppliers.counter import NAME, Counter, top_up
from updater_server.sales import supplier_setup, vends
from updater_server.store.engine import writing

DELIVERED, REFUSED, PENDING = 0, 1, 2


def test_a_top_up_is_answered_with_what_the_operator_calls_it(counter: Counter) -> None:
    device = counter.shop.enrol()
    reply = top_up(device, 4)
    ((reference,),) = counter.shop.sql("SELECT supplier_reference FROM vend")
    assert reply == {
        0: 2,
        1: DELIVERED,
        2: reference.upper().replace("_", "")[-32:],
        3: reference.replace("_", "-"),
        4: 0,
        5: 100_000 - 9_500,
    }
    assert counter.operator.delivered == {"+254712345678": ["KES 100"]}
    assert counter.shop.float_of(device) == 90_500
    assert counter.balance("reserved") == 0
    assert (counter.balance("voucher_sales"), counter.balance("commission")) == (10_000, -500)
    assert counter.words() == [
        ("reserved", "terminal"), ("sent", "server"), ("sent", "answer"), ("delivered", "query"),
    ]  # fmt: skip
    assert counter.shop.problems() == []


def test_the_same_question_has_the_same_answer_for_ever_and_sends_nothing(counter: Counter) -> None:
    device = counter.shop.enrol()
    first = top_up(device, 4)
    counter.shop.clock[0] += 10 * 365 * 86400
    counter.crash()
    assert top_up(device, 4) == first
    assert counter.operator.delivered == {"+254712345678": ["KES 100"]}


@pytest.mark.parametrize("change", [{"number": "0712345679"}, {"amount": 10500}])
def test_the_same_sequence_for_another_recipient_or_amount_is_a_conflict(
    counter: Counter, change: dict[str, object]
) -> None:
    device = counter.shop.enrol()
    first = top_up(device, 4)
    reply = top_up(device, 4, **change)  # type: ignore[arg-type]
    assert (reply[0], reply[1]) == (-1, "conflict")
    assert counter.shop.alarms() == ["sale_conflict"]
    assert top_up(device, 4) == first
    assert len(counter.operator.delivered) == 1


def test_what_an_operator_has_not_decided_is_pending_and_paid(counter: Counter) -> None:
    counter.operator.settings.delay_s = 60
    counter.desk.patience_s = 0.2
    device = counter.shop.enrol()
    reply = top_up(device, 4)
    assert reply == {0: 2, 1: PENDING, 8: 5}
    assert counter.shop.float_of(device) == 90_500
    assert counter.balance("reserved") == 9_500
    assert device.sale(5, amount=5000)[6] == "no_vouchers"  # the till goes on
    assert top_up(device, 6, amount=96_000, number="0722000000")[6] == "no_float"
    assert counter.shop.problems() == []


def test_a_sale_that_stays_open_is_asked_for_at_half_its_age_and_not_every_ten_minutes() -> None:
    row: Any = {"created_at": 0}
    asked_at_s = [0]
    while asked_at_s[-1] < 86_400:
        asked_at_s.append(asked_at_s[-1] + vends.ask_again_s(row, asked_at_s[-1]))
    assert (len([at for at in asked_at_s if at < 60]), len(asked_at_s)) == (7, 42)
    assert vends.ask_again_s(row, -86_400) == 5, "a clock that was set back"


def test_a_report_makes_the_server_ask_and_the_waiting_terminal_is_answered(
    counter: Counter,
) -> None:
    counter.operator.settings.delay_s = 0.3
    reply = top_up(counter.shop.enrol(), 4)
    assert reply[1] == DELIVERED
    assert counter.operator.courier.answered == [200]


def test_a_report_that_comes_before_the_answer_is_not_forgotten(counter: Counter) -> None:
    counter.operator.settings.faults = _always(report="early")
    assert top_up(counter.shop.enrol(), 4)[1] == DELIVERED


def test_without_a_report_the_server_asks_by_itself(counter: Counter) -> None:
    counter.operator.settings.callback = ""
    counter.operator.settings.delay_s = 0.3
    counter.desk.patience_s = 0.1
    device = counter.shop.enrol()
    assert top_up(device, 4)[1] == PENDING
    counter.until(lambda: ("sent", "answer") in counter.words())
    counter.operator.courier.rest()
    counter.pass_time(10)
    counter.until(lambda: counter.states() == ["delivered"])
    assert top_up(device, 4)[1] == DELIVERED


def test_what_the_operator_refuses_is_refused_and_given_back(counter: Counter) -> None:
    counter.operator.settings.faults = _always(order="refuses")
    device = counter.shop.enrol()
    reply = top_up(device, 4)
    assert (reply[1], reply[6]) == (REFUSED, "supplier_refused")
    assert counter.shop.float_of(device) == 100_000
    assert counter.balance("reserved") == 0
    assert top_up(device, 4) == reply
    assert counter.shop.problems() == []


def test_who_is_not_there_was_sent_nothing_and_is_owed_nothing(counter: Counter) -> None:
    counter.operator.vanish()
    device = counter.shop.enrol()
    reply = top_up(device, 4)
    assert (reply[1], reply[6]) == (REFUSED, "supplier_down")
    assert counter.shop.float_of(device) == 100_000
    assert counter.words()[-1] == ("rejected", "answer")


def test_a_lost_answer_is_unknown_and_never_sent_again(counter: Counter) -> None:
    counter.operator.settings.callback = ""
    counter.desk.patience_s = 0.3
    counter.operator.cut_next(cut_out=10)
    device = counter.shop.enrol()
    assert top_up(device, 4)[1] == PENDING
    counter.until(lambda: counter.states() == ["unknown"])
    for _ in range(5):
        counter.pass_time(1000)
        assert top_up(device, 4)[1] == PENDING
    assert counter.operator.delivered == {"+254712345678": ["KES 100"]}
    assert counter.shop.float_of(device) == 90_500


def test_a_report_names_the_sale_whose_answer_was_lost(counter: Counter) -> None:
    counter.operator.settings.delay_s = 0.3
    counter.operator.cut_next(cut_out=10)
    assert top_up(counter.shop.enrol(), 4)[1] == DELIVERED
    assert ("unknown", "report") in counter.words()


def test_a_report_that_comes_before_the_answer_is_lost_names_the_sale_too(
    counter: Counter,
) -> None:
    counter.operator.settings.faults = Faults(0, {"cut_answer": 1.0}, {}, {"early": 1.0})
    assert top_up(counter.shop.enrol(), 4)[1] == DELIVERED
    assert ("unknown", "report") in counter.words()


def test_old_firmware_that_sends_no_recipient_buys_no_top_up(counter: Counter) -> None:
    device = counter.shop.enrol()
    counter.shop.stock_vault("top100")
    reply = device.sale(4, product="top100", amount=10000, commission=400)
    assert (reply[1], reply[6]) == (REFUSED, "unknown_product")
    assert counter.shop.float_of(device) == 100_000


@pytest.mark.parametrize(
    ("product", "number", "amount", "code"),
    [
        ("top", "0812345678", 10000, "bad_recipient"),
        ("top", "071234567", 10000, "bad_recipient"),
        ("air50", "0712345678", 5000, "bad_recipient"),
        ("top", "0712345678", 10001, "price_changed"),
        ("top", "0712345678", 500, "price_changed"),
        ("top", "0712345678", 100_500, "price_changed"),
        ("top100", "0712345678", 10500, "price_changed"),
        ("orphan", "0712345678", 10000, "supplier_down"),
    ],
)
def test_what_must_not_be_sold_is_refused_before_anybody_is_asked(
    counter: Counter, product: str, number: str, amount: int, code: str
) -> None:
    device = counter.shop.enrol(float_minor=1_000_000)
    reply = top_up(device, 4, number, amount, product=product)
    assert (reply[1], reply[6]) == (REFUSED, code)
    assert counter.states() == []
    assert counter.shop.float_of(device) == 1_000_000
    assert counter.operator.delivered == {}


@pytest.mark.parametrize("number", ["", "07 12345678", "+254712345678", "071٢345678", "1" * 21])
def test_a_recipient_that_is_no_number_is_no_message(counter: Counter, number: str) -> None:
    assert top_up(counter.shop.enrol(), 4, number)[1] == "bad_message"


def test_a_stopped_supplier_sells_nothing_new(counter: Counter) -> None:
    with writing(counter.service.engine) as connection:
        supplier_setup.stop(connection, NAME, True, "Asha", 1)
    assert top_up(counter.shop.enrol(), 4)[6] == "supplier_down"
    assert counter.states() == []


def test_a_second_sale_to_a_number_waits_until_the_first_is_decided(counter: Counter) -> None:
    counter.operator.settings.delay_s = 60
    counter.desk.patience_s = 0.1
    device = counter.shop.enrol()
    assert top_up(device, 4)[1] == PENDING
    assert top_up(device, 5, "254712345678")[6] == "supplier_down"  # the same number
    assert top_up(device, 6, amount=20_000)[1] == PENDING  # another amount can be told apart


def _always(order: str = "", report: str = "") -> Faults:
    """This fault, each time."""
    return Faults(0, {order: 1.0}, {}, {report: 1.0})
