"""A sale that an electricity utility makes: the customer's name before money moves, tokens in the
order in which a meter takes them, and a vend whose answer was lost found again or taken back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.suppliers import utility
from hw_sim.suppliers.faults import Faults
from tests.server.device import Device
from tests.suppliers.counter import NAME, Counter, meter, opened, order
from updater_server.sales import restoring, statements
from updater_server.store.engine import writing

DELIVERED, REFUSED, PENDING = 0, 1, 2
PLAIN = meter(4000001)
"""No debts, no free units, no new keys."""
KEYED, FREE, OWING = meter(4000010), meter(4000004), meter(4000007)
NOBODYS = meter(4000009)


@pytest.fixture
def power(tmp_path: Path, signed: Path) -> Iterator[Counter]:
    """A server and a utility that does what it should."""
    with opened(tmp_path / "counter", signed, utility.Settings()) as made:
        yield made


def buy(device: Device, sequence: int, number: str = PLAIN, amount: int = 10_000) -> dict[int, Any]:
    """Ask for electricity, as a terminal does."""
    return device.ask(order(sequence, number, amount, "power"))


def look_up(device: Device, number: str = PLAIN) -> dict[int, Any]:
    """Ask whose a meter is."""
    return device.ask({0: 7, 1: "power", 2: number, 3: 10_000})


def _always(order: str = "", question: str = "") -> Faults:
    return Faults(0, {order: 1.0}, {question: 1.0}, {})


def test_a_meters_customer_is_named_before_money_moves(power: Counter) -> None:
    device = power.shop.enrol()
    reply = look_up(device)
    assert reply == {0: 7, 1: 0, 2: f"M. O'Neill & Sons {PLAIN[-4:]}", 3: 1000, 4: 10_000_000}
    assert power.shop.float_of(device) == 100_000
    assert power.states() == []


def test_a_meter_that_is_nobodys_is_refused_before_money_moves(power: Counter) -> None:
    reply = look_up(power.shop.enrol(), NOBODYS)
    assert (reply[1], reply[6]) == (REFUSED, "bad_recipient")


@pytest.mark.parametrize("fault", ["cut_request", "cut_answer", "error_500", "swapped", "garbage"])
def test_a_look_up_that_is_not_answered_names_nobody(power: Counter, fault: str) -> None:
    power.operator.settings.faults = _always(question=fault)
    assert look_up(power.shop.enrol())[6] == "supplier_down"


def test_a_look_up_that_hangs_ends_with_the_terminals_patience(power: Counter) -> None:
    power.operator.settings.faults = _always(question="slow")
    power.desk.patience_s = 0.2
    assert look_up(power.shop.enrol())[6] == "supplier_down"


def test_electricity_is_answered_with_its_token_and_what_the_money_went_for(power: Counter) -> None:
    device = power.shop.enrol()
    reply = buy(device, 4)
    (token,) = power.operator.tokens[PLAIN]
    assert reply == {
        0: 2, 1: DELIVERED, 2: token, 3: "VUPSB-0000001", 4: 0, 5: 100_000 - 9_800,
        9: [
            ["customer", f"M. O'Neill & Sons {PLAIN[-4:]}"], ["units_kwh", "5.0"],
            ["tariff", "Domestic lifeline & block 2"], ["tax", "0.50"],
        ],
    }  # fmt: skip
    assert power.operator.delivered == {PLAIN: ["KES 100"]}
    assert power.balance("reserved") == 0
    assert buy(device, 4) == reply
    assert power.shop.problems() == []


def test_new_keys_for_the_meter_come_before_its_credit(power: Counter) -> None:
    reply = buy(power.shop.enrol(), 4, KEYED)
    first, second, credit = power.operator.tokens[KEYED]
    assert reply[2] == credit
    assert reply[9][:2] == [["key_change_1", first], ["key_change_2", second]]


def test_free_units_are_a_token_of_their_own_after_what_was_paid(power: Counter) -> None:
    reply = buy(power.shop.enrol(), 4, FREE)
    paid, free = power.operator.tokens[FREE]
    assert reply[2] == paid
    assert reply[9][0] == ["token_2", free]
    assert dict(reply[9])["free_units"] == "5.0"


def test_arrears_and_fixed_charges_are_on_the_slip(power: Counter) -> None:
    told = dict(buy(power.shop.enrol(), 4, OWING)[9])
    assert (told["arrears"], told["fixed_charge"]) == ("1.25", "0.75")


@pytest.mark.parametrize(
    ("fault", "code"),
    [("refuses", "supplier_refused"), ("no_credit", "supplier_down")],
)
def test_a_utility_that_refuses_is_owed_nothing(power: Counter, fault: str, code: str) -> None:
    power.operator.settings.faults = _always(order=fault)
    device = power.shop.enrol()
    assert buy(device, 4)[6] == code
    assert power.shop.float_of(device) == 100_000


@pytest.mark.parametrize("fault", ["cut_answer", "error_500", "swapped", "garbage"])
@pytest.mark.parametrize("number", [PLAIN, meter(4000002)])
def test_a_lost_answer_is_asked_for_again_and_its_tokens_are_the_first_ones(
    power: Counter, fault: str, number: str
) -> None:
    power.operator.settings.faults = _always(order=fault)
    power.desk.patience_s = 0.2
    device = power.shop.enrol()
    assert buy(device, 4, number)[1] == PENDING
    power.until(lambda: power.states() == ["unknown"])
    power.pass_time(10)
    power.until(lambda: power.states() == ["delivered"])
    reply = buy(device, 4, number)
    assert [reply[2], *(v for k, v in reply[9] if k.startswith("token_"))] == list(
        power.operator.tokens[number]
    )
    assert power.operator.delivered == {number: ["KES 100"]}


def test_a_vend_that_never_came_there_is_taken_back_and_then_refused(power: Counter) -> None:
    power.operator.settings.faults = _always(order="cut_request")
    power.desk.patience_s = 0.2
    device = power.shop.enrol()
    assert buy(device, 4)[1] == PENDING
    power.until(lambda: power.states() == ["unknown"])
    power.pass_time(10)
    power.until(lambda: power.states() == ["rejected"])
    assert power.shop.float_of(device) == 100_000


def test_a_vend_that_comes_after_it_was_taken_back_is_not_made(power: Counter) -> None:
    power.operator.settings.faults = _always(order="late")
    power.desk.patience_s = 0.1
    assert buy(power.shop.enrol(), 4)[1] == PENDING
    power.until(lambda: power.states() == ["unknown"])
    power.pass_time(10)
    power.until(lambda: power.states() == ["rejected"])
    power.operator.courier.rest()
    assert power.operator.delivered == {}


def test_what_the_utility_does_not_take_back_stays_open_until_it_knows(power: Counter) -> None:
    power.operator.settings.faults = _always(order="late")
    power.operator.settings.can_reverse = False
    power.desk.patience_s = 0.1
    device = power.shop.enrol()
    assert buy(device, 4)[1] == PENDING
    power.until(lambda: power.states() == ["unknown"])
    power.pass_time(10)
    power.operator.courier.rest()
    power.until(lambda: _tries(power) == 2)
    assert power.states() == ["unknown"]
    power.pass_time(20)
    power.until(lambda: power.states() == ["delivered"])
    assert buy(device, 4)[2] == power.operator.tokens[PLAIN][0]


def _tries(power: Counter) -> int:
    ((tries,),) = power.shop.sql("SELECT tries FROM vend")
    return int(tries)


def test_its_list_of_the_day_brings_the_tokens_too(power: Counter) -> None:
    power.operator.settings.faults = Faults(0, {"cut_answer": 1.0}, {"cut_request": 1.0}, {})
    power.desk.patience_s = 0.2
    device = power.shop.enrol()
    assert buy(device, 4, KEYED)[1] == PENDING
    power.until(lambda: power.states() == ["unknown"])
    now = power.shop.clock[0]
    data = power.operator.statement(now - 7200, now + 7200)
    with writing(power.service.engine) as connection:
        found = statements.take(connection, power.service.key, NAME, data, now)
    assert found.summary() == "0 agree, 1 decided by it, 0 still open, 0 differ"
    reply = buy(device, 4, KEYED)
    first, second, credit = power.operator.tokens[KEYED]
    assert reply[2] == credit
    assert reply[9][:2] == [["key_change_1", first], ["key_change_2", second]]


@contextlib.contextmanager
def put_back(power: Counter, folder: Path, signed: Path) -> Iterator[Counter]:
    """A server that has forgotten everything, and the supplier of before."""
    with opened(folder, signed, utility.Settings()) as restored:
        real, restored.operator = restored.operator, power.operator
        with writing(restored.service.engine) as connection:
            restored.put(connection)
            now = restored.shop.clock[0]
            restoring.begin(connection, "a test", now, now)
        restored.desk.patience_s = 0.1
        yield restored
        restored.operator = real


def told(restored: Counter, device: Device) -> dict[int, Any]:
    """What came of a vend that the server may have forgotten, once its supplier was asked."""
    assert buy(device, 4)[1] == PENDING
    restored.pass_time(10)
    restored.until(lambda: restored.states() == ["delivered"])
    return buy(device, 4)


def test_a_restored_server_refuses_no_vend_that_its_supplier_may_have(
    power: Counter, tmp_path: Path, signed: Path
) -> None:
    """Its float may be too low by a deposit that is yet to be posted again."""
    first = buy(power.shop.enrol(), 4)
    with put_back(power, tmp_path / "restored", signed) as restored:
        device = restored.shop.enrol(float_minor=100)
        with pytest.raises(AssertionError, match="503"):
            buy(device, 4)
        restored.shop.top_up(device, 100_000, "bank-1")
        again = told(restored, device)
    assert (again[2], again[9]) == (first[2], first[9])
    assert power.operator.delivered == {PLAIN: ["KES 100"]}


def test_a_restored_server_finds_the_tokens_of_a_vend_that_it_forgot(
    power: Counter, tmp_path: Path, signed: Path
) -> None:
    first = buy(power.shop.enrol(), 4)
    with put_back(power, tmp_path / "restored", signed) as restored:
        again = told(restored, restored.shop.enrol())
    assert again == first
    assert power.operator.delivered == {PLAIN: ["KES 100"]}
