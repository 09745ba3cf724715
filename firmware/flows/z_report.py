"""The Z report: closes what was sold since the one before, under a number that only rises."""

from binascii import hexlify

from firmware.flows.steps import day, report
from firmware.flows.steps.paper import is_ready
from firmware.lent import give_back, load
from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows
    from firmware.sales.shifts import Report, Shifts
    from firmware.sales.tally import Tally

_SHIFTS = "firmware.sales.shifts"
_DIGITS = 8


async def run(desk: "Desk") -> None:
    """Make the next one, or print one of before again.

    Raises:
        SaleRefused: journal_full; nothing was written.
    """
    words = desk.words
    at = await desk.ui.choose(words("m_z"), [words("z_make"), words("z_copy")])
    if not isinstance(at, int):
        return
    try:
        found: Shifts = load(_SHIFTS).Shifts(desk.till.journal)
        await (_copy(desk, found) if at else _make(desk, found))
    finally:
        give_back((_SHIFTS,))
        day.added()


async def _make(desk: "Desk", found: "Shifts") -> None:
    if not await is_ready(desk) or not await report.looked(desk, found.look_back(0)):
        return
    number, first = found.next_z()
    tally: Tally = day.adding().Tally(desk.till.journal, first)
    if not await report.looked(desk, tally.run()):
        return
    rows = report.sold(desk, tally)
    rows += report.totals(desk, tally.count, tally.total_minor, tally.commission_minor)
    if await report.shown(desk, desk.words("m_z") + " " + str(number), rows, "make"):
        await _print(desk, found.make_z(tally), tally)


async def _copy(desk: "Desk", found: "Shifts") -> None:
    words = desk.words
    typed = await desk.ui.digits(words("z_copy"), words("z_number"), _DIGITS)
    number = int(typed) if typed else 0
    if not number or not await report.looked(desk, found.look_back(number)):
        return
    if not found.last:
        await desk.ui.bad(words("z_copy"), words("z_none", number))
        return
    last = found.last
    tally: Tally = day.adding().Tally(desk.till.journal, last.first, last.sequence)
    if await report.looked(desk, tally.run()):
        await _print(desk, last, tally, lambda: found.note_copy(last.sequence))


async def _print(
    desk: "Desk", made: "Report", tally: "Tally", noted: "Callable[[], int] | None" = None
) -> None:
    """What its record says; by product and person as well, if the journal still has all of it."""
    words = desk.words
    rows: Rows = [report.records(desk, made.first, made.sequence - 1)]
    rows.append((words("time"), date_time_text(made.time, desk.config.utc_offset_s)))
    rows.append(None)
    if (tally.count, tally.total_minor) == (made.count, made.total_minor):
        rows += report.sold(desk, tally)
    rows += report.totals(desk, made.count, made.total_minor, made.commission_minor)
    if tally.unread:
        rows.append((words("st_unread"), str(tally.unread)))
    rows.append((words("r_digest"), str(hexlify(made.tag), "ascii")))
    await report.printed(desk, words("r_z", made.number), rows, noted)
