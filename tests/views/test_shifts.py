"""Z reports and shifts, held against what the server knows; differences are named."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from typer.testing import CliRunner

from tests.matching.day import Day
from tests.views.test_sellers import named, sold_by
from updater_server.__main__ import cli
from updater_server.sales import shifts
from updater_server.store.engine import reading

ON_BOTH_ENGINES = True
OPENED, CLOSED, Z = 15, 16, 17


def z(day: Day, number: int, first: int, *sums: int, digest: bytes | None = None) -> int:
    """A Z report that says this, uploaded."""
    tag = day.device.tag if digest is None else digest
    sequence: int = day.device.record(Z, [number, first, *sums, tag])
    day.device.upload(first=sequence)
    return sequence


def shown(day: Day) -> list[shifts.ZReport]:
    with reading(day.counter.service.engine) as connection:
        return shifts.z_reports(connection, day.device.terminal_id)


def alarms(day: Day) -> list[str]:
    return [code for code in day.shop.alarms() if code != "no_supplier"]


def first_z(day: Day) -> int:
    """The first Z report of the day, as a terminal makes it; its sequence."""
    face = commission = count = 0
    for raw in day.device.journal:
        kind, body = raw[0], cbor2.loads(raw[10:-12])
        if kind == 2 or (kind == 3 and body[0] != "orphan"):
            count, face, commission = count + 1, face + body[1], commission + body[2]
    return z(day, 1, 1, count, face, commission)


def test_a_z_report_that_is_as_it_should_be_is_no_alarm(day: Day) -> None:
    last = first_z(day)
    sold_by(day, 1)
    z(day, 2, last + 1, 1, 5000, 250)
    second, first = shown(day)
    assert (first.number, second.number) == (1, 2)
    assert first.differs == second.differs == [] and alarms(day) == []
    assert second.said == second.journal == second.ledger == (1, 5000, 250)
    assert first.ledger.sales == 4, "one online, one from stock, two by a supplier"


@pytest.mark.parametrize(
    ("number", "first", "sums", "says"),
    [
        (1, 0, (0, 0, 0), "number 1 comes after number 1"),
        (4, 0, (0, 0, 0), "numbers 2 to 3 are missing"),
        (2, -3, (0, 0, 0), "are in another report, too"),
        (2, 0, (1, 5000, 250), "its records say 0 sales of 0, commission 0"),
    ],
)
def test_what_differs_is_named_once_and_nothing_is_mended(
    day: Day, number: int, first: int, sums: tuple[int, int, int], says: str
) -> None:
    last = first_z(day)
    before = day.shop.float_of(day.device)
    z(day, number, last + 1 + first, *sums)
    assert any(says in one for one in shown(day)[0].differs)
    assert alarms(day) == ["z_differs"] and day.shop.float_of(day.device) == before
    ((text,),) = day.shop.sql("SELECT text FROM alarm WHERE code = 'z_differs'")
    assert says in text and f"Z report {number}" in text


def test_records_that_no_z_counts_are_named(day: Day) -> None:
    last = first_z(day)
    sold_by(day)
    after = sold_by(day)
    z(day, 2, after, 1, 5000, 250)
    assert shown(day)[0].differs == [f"records {last + 1} to {after - 1} are in no report"]


def test_a_digest_of_another_journal_is_named(day: Day) -> None:
    first = first_z(day)
    z(day, 2, first + 1, 0, 0, 0, digest=bytes(8))
    assert shown(day)[0].differs == [f"its digest is not that of record {first}"]


def test_what_was_open_counts_where_its_answer_came_and_what_is_given_back_is_taken_off(
    day: Day,
) -> None:
    last = first_z(day)
    sequence = day.device.record(3, ["air50", 5000, 250])
    day.device.upload(first=sequence)
    last = z(day, 2, last + 1, 0, 0, 0)
    reply = day.device.sale(sequence)
    told = day.device.record(4, [sequence, bytes(24), reply[3], reply[4], reply[5]])
    day.device.upload(first=told)
    last = z(day, 3, last + 1, 1, 5000, 250)
    back = day.device.record(5, [day.stock, "spoiled"])
    day.device.upload(first=back)
    z(day, 4, last + 1, -1, -5000, -250)
    assert [one.differs for one in shown(day)] == [[], [], [], []]
    assert shown(day)[0].ledger == (-1, -5000, -250)


@pytest.mark.parametrize("body", [[], [1, 1, 0, 0, 0], [1, 1, 0, 0, "0", bytes(8)], [0] * 6])
def test_what_is_no_z_report_is_an_alarm_and_the_journal_goes_on(day: Day, body: list[Any]) -> None:
    sequence = day.device.record(Z, body)
    assert day.device.upload(first=sequence)[1] == sequence
    assert alarms(day) == ["journal_nonsense"] and shown(day) == []


def test_a_terminal_cannot_have_the_same_records_counted_again_and_again(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_z(day)
    counted: list[int] = []
    real = shifts._counted

    def noted(connection: Any, terminal_id: bytes, first: int, end: int, *more: Any) -> Any:
        counted.append(end - first)
        return real(connection, terminal_id, first, end, *more)

    monkeypatch.setattr(shifts, "_counted", noted)
    for number in range(2, 12):
        z(day, number, 1, 0, 0, 0)
    assert counted == []


def opened(day: Day, cash_minor: int, person: int) -> int:
    sequence: int = day.device.record(OPENED, [cash_minor, person])
    day.device.upload(first=sequence)
    return sequence


def closed(day: Day, *body: int) -> None:
    day.device.upload(first=day.device.record(CLOSED, list(body)))


def of_shifts(day: Day) -> list[shifts.Shift]:
    with reading(day.counter.service.engine) as connection:
        return shifts.shifts(connection, day.device.terminal_id)


def test_a_shift_says_who_what_was_expected_and_what_was_counted(day: Day) -> None:
    number = opened(day, 20000, 1)
    sold_by(day, 1)
    sold_by(day)
    assert of_shifts(day)[0].closed_at is None
    closed(day, number, 24000, 25000, 1, 1, 0)
    (one,) = of_shifts(day)
    assert (one.person, one.cash_minor, one.counted_minor, one.expected_minor) == (
        *(1, 20000, 24000, 25000),
    )
    assert one.closed_by == 0 and one.differs == []


def test_a_shift_that_is_closed_twice_or_expects_otherwise_is_named(day: Day) -> None:
    number = opened(day, 0, 1)
    closed(day, number, 0, 5000, 1, 1, 1)
    closed(day, number, 0, 5000, 1, 1, 1)
    (one,) = of_shifts(day)
    assert one.differs == ["closed 2 times", "its records say 0 sales of 0, commission 0"]


def test_both_are_told_at_the_command_line(day: Day) -> None:
    named(day, 1, "ADA")
    z(day, 7, 1, 9, 9, 9)
    opened(day, 0, 2)
    number = opened(day, 20000, 1)
    closed(day, number, 19000, 20000, 0, 1, 1)
    for command, wanted in (
        ("z-reports", ("Z report 7: the first one is number 7",)),
        ("shifts", ("ADA", "still")),
    ):
        asked = ("sales", command, "--data", str(day.shop.folder), day.device.terminal_id.hex())
        told = CliRunner().invoke(cli, asked)
        assert told.exit_code == 0, told.output
        for text in wanted:
            assert text in told.output
