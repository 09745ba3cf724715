"""Which cashier sold what: the journal says it, and log and counts read it from there."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from tests.matching.day import Day
from updater_server.__main__ import cli
from updater_server.sales.people import Sellers
from updater_server.store.engine import reading
from updater_server.views import fold, log, sellers
from updater_server.views.log import Wanted

ON_BOTH_ENGINES = True


def sold_by(day: Day, *person: int, told: bool = True) -> int:
    """A voucher from the vault, sold by that person; its number."""
    device = day.device
    body: list[Any] = ["air50", 5000, 250, None, *person] if person else ["air50", 5000, 250]
    sequence = device.record(3, body)
    reply = device.sale(sequence)
    device.record(4, [sequence, bytes(24), reply[3], reply[4], reply[5]])
    device.record(6, [sequence, 0])
    if told:
        device.upload(first=sequence)
    return sequence


def named(day: Day, number: int, name: str) -> None:
    day.device.record(10, [f"person {number}", name])
    day.device.upload(first=len(day.device.journal))


def shown(day: Day) -> dict[int, str]:
    day.shop.clock[0] += 60
    fold.fold(day.counter.service.engine, day.shop.clock[0])
    with reading(day.counter.service.engine) as connection:
        return {row["sequence"]: row["seller"] for row in log.page(connection, Wanted())}


def test_the_log_names_who_sold_it_as_he_was_called_then(day: Day) -> None:
    named(day, 1, "ADA")
    first = sold_by(day, 1)
    named(day, 1, "ADA M")
    second = sold_by(day, 1)
    named(day, 1, "")
    third = sold_by(day)
    nameless = sold_by(day, 9)
    rows = shown(day)
    assert [rows[n] for n in (first, second, third)] == ["ADA", "ADA M", ""]
    assert rows[nameless] == "person 9"
    assert day.shop.alarms() == ["no_supplier"] and day.shop.problems() == []


def test_until_the_journal_came_nobody_knows_who_it_was(day: Day) -> None:
    named(day, 1, "ADA")
    sequence = sold_by(day, 1, told=False)
    assert shown(day)[sequence] == ""
    day.device.upload(first=sequence)
    assert shown(day)[sequence] == "ADA"


def test_what_each_person_sold_is_counted(day: Day) -> None:
    named(day, 1, "ADA")
    for person in (1, 0, 1):
        sold_by(day, *([person] if person else []))
    shown(day)
    with reading(day.counter.service.engine) as connection:
        found = sellers.sold(connection, day.device.terminal_id, 0, 2**40)
    ada = [row for row in found if row.person == 1]
    assert [(row.name, row.number, row.face_minor, row.commission_minor) for row in ada] == [
        ("ADA", 2, 10000, 500)
    ]
    assert found[0].name == "owner" and found[0].number >= 1
    data = str(day.shop.folder)
    told = CliRunner().invoke(
        cli,
        [
            *("sales", "people", "--data", data, day.device.terminal_id.hex()),
            *("--from", "2020-01-01", "--to", "2030-01-01"),
        ],
    )
    assert told.exit_code == 0 and "ADA" in told.output, told.output


def test_a_number_that_is_none_is_the_owners(day: Day) -> None:
    device = day.device
    for odd in (-1, 0, 70000, True, "1"):
        sequence = device.record(3, ["air50", 5000, 250, None, odd])
        device.upload(first=sequence)
        with reading(day.counter.service.engine) as connection:
            assert Sellers(connection).number(device.terminal_id, sequence) == 0
