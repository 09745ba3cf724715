"""Each thing that can be wrong between the ledger, the terminals and a supplier is found by name,
and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.matching.day import Day

ON_BOTH_ENGINES = True

Expected = dict[str, list[str]]


def _nobody_asked(day: Day) -> Expected:
    stranger = {**day.file()[0], "requestId": "ATQid_stranger", "phoneNumber": "+254799999999"}
    day.take([*day.file(), stranger])
    return {"only_theirs": ["savanna ATQid_stranger"]}


def _not_listed(day: Day) -> Expected:
    day.take(day.file()[1:])
    return {"only_ours": [day.at_supplier(day.tops[0])]}


def _another_amount(day: Day) -> Expected:
    first, second = day.file()
    day.take([{**first, "value": "KES 90.0000"}, second])
    return {"amount": [day.at_supplier(day.tops[0])]}


def _listed_twice(day: Day) -> Expected:
    first, second = day.file()
    ours = day.at_supplier(day.tops[1]).partition(" ")[2]
    day.take([first, second, {**second, "requestId": "ATQid_again", "idempotencyKey": ours}])
    return {"duplicate": [day.at_supplier(day.tops[1])]}


def _failed_there(day: Day) -> Expected:
    first, second = day.file()
    day.take([first, {**second, "status": "Failed"}])
    return {"only_ours": [day.at_supplier(day.tops[1])]}


def _given_back_here(day: Day) -> Expected:
    first, second = day.file()
    day.forge(
        "UPDATE vend SET state = 'rejected' WHERE sequence = " + str(day.tops[1]),
        "UPDATE sale SET state = 'refused' WHERE sequence = " + str(day.tops[1]),
        "UPDATE ledger_transaction SET kind = 'release' WHERE kind = 'sale' AND sequence = "
        + str(day.tops[1]),
        *(f"DELETE FROM journal_record WHERE sequence = {day.tops[1] + n}" for n in (1, 2)),
    )
    day.take([first, second])
    return {"only_theirs": [day.at_supplier(day.tops[1])]}


def _another_number(day: Day) -> Expected:
    first, second = day.file()
    day.take([{**first, "phoneNumber": "+254799999999"}, second])
    return {"number": [day.at_supplier(day.tops[0])]}


def _another_day_there(day: Day) -> Expected:
    day.forge(f"UPDATE vend SET sent_at = sent_at - 86400 WHERE sequence = {day.tops[0]}")
    day.take(day.file())
    return {"late": [day.at_supplier(day.tops[0])]}


def _no_file(day: Day) -> Expected:
    return {"no_file": [f"savanna {day.name}"]}


def _record_lost(day: Day) -> Expected:
    day.take(day.file())
    day.forge(f"UPDATE journal_record SET raw = NULL, kind = NULL WHERE sequence = {day.online}")
    return {"only_ours": [day.at_terminal(day.online)]}


def _given_up(day: Day) -> Expected:
    day.take(day.file())
    day.retell(day.online + 1, 5, [day.online, "no_float"])
    return {"only_ours": [day.at_terminal(day.online)]}


def _another_amount_sold(day: Day) -> Expected:
    day.take(day.file())
    day.retell(day.stock, 2, ["air50", 6000, 250, day.batch, 0])
    return {"amount": [day.at_terminal(day.stock)]}


def _not_in_the_ledger(day: Day) -> Expected:
    day.take(day.file())
    of_it = f"(SELECT id FROM ledger_transaction WHERE sequence = {day.stock})"
    day.forge(
        f"DELETE FROM ledger_entry WHERE transaction_id = {of_it}",
        f"DELETE FROM ledger_transaction WHERE sequence = {day.stock}",
    )
    return {"only_theirs": [day.at_terminal(day.stock)]}


def _twice_in_the_ledger(day: Day) -> Expected:
    day.take(day.file())
    of_it = f"(SELECT id FROM ledger_transaction WHERE sequence = {day.online})"
    day.forge(
        "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) SELECT 900,"
        f" account_id, amount_minor FROM ledger_entry WHERE transaction_id = {of_it}",
        "INSERT INTO ledger_transaction SELECT 900, kind, 'sale:again', terminal_id, sequence,"
        f" created_at FROM ledger_transaction WHERE id = {of_it}",
    )
    return {"duplicate": [day.at_terminal(day.online)]}


def _sold_on_a_day_before(day: Day) -> Expected:
    day.take(day.file())
    day.shop.clock[0] = day.ends - 60
    late = day.device.record(2, ["air50", 5000, 250, day.batch, 1], time=day.begins - 60)
    day.device.upload(first=late)
    day.shop.clock[0] = day.ends + 3600
    return {"late": [day.at_terminal(late)]}


WRONG: dict[str, Callable[[Day], Expected]] = {
    "only theirs: nobody asked for it": _nobody_asked,
    "only ours: the supplier does not list it": _not_listed,
    "amount: the supplier delivered less": _another_amount,
    "duplicate: the supplier delivered it twice": _listed_twice,
    "only ours: the supplier says that it failed": _failed_there,
    "only theirs: our books gave the money back": _given_back_here,
    "number: it went to somebody else": _another_number,
    "late: the supplier made it on another day": _another_day_there,
    "no file: the supplier has not said anything": _no_file,
    "only ours: the terminal lost its record": _record_lost,
    "only ours: the terminal gave it up": _given_up,
    "amount: the terminal sold for more": _another_amount_sold,
    "only theirs: the ledger has it not": _not_in_the_ledger,
    "duplicate: the ledger has it twice": _twice_in_the_ledger,
    "late: sold from stock on a day before": _sold_on_a_day_before,
}


def test_a_day_on_which_all_say_the_same_has_nothing_to_decide(day: Day) -> None:
    day.take(day.file())
    day.night()
    assert day.found() == {}
    assert "reconciliation_open" not in day.shop.alarms()
    for words in ("ledger matched: 4", "journal matched: 9", "savanna matched: 2"):
        assert f"  {words}\n" in day.page()
    assert day.shop.problems() == []


@pytest.mark.parametrize("name", WRONG)
def test_it_is_found_and_nothing_else(day: Day, name: str) -> None:
    expected = WRONG[name](day)
    day.night()
    assert day.found() == expected
    has_to_be_decided = set(expected) != {"late"}
    assert ("reconciliation_open" in day.shop.alarms()) is has_to_be_decided
    assert len(day.open_ones()) == has_to_be_decided
