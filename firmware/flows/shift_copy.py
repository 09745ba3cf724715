"""The slip of a closed shift, printed again: marked, with the time and number of the copy."""

from firmware.flows.steps import day, report, shift_slip
from firmware.lent import give_back, load
from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.shifts import Closed, Shift, Shifts
    from firmware.sales.tally import Tally
    from firmware.ui.screen import Line

_SHIFTS = "firmware.sales.shifts"


async def run(desk: "Desk") -> None:
    """Choose one of those that this terminal still has; the owner of all, anybody else of his."""
    words = desk.words
    try:
        found: Shifts = load(_SHIFTS).Shifts(desk.till.journal)
        if not await report.looked(desk, found.look_back()):
            return
        person = desk.till.person
        those = [one for one in found.closed if not person or one.person == person]
        if not those:
            await desk.ui.bad(words("shift_copy"), words("no_shifts"))
            return
        rows: "list[Line]" = []
        for n, name in enumerate(day.names(desk, [one.person for one in those])):
            when = date_time_text(those[n].time, desk.config.utc_offset_s)
            rows.append((str(those[n].number) + " " + name, when[:5] + when[10:]))
        at = await desk.ui.choose(words("shift_copy"), rows)
        if isinstance(at, int):
            await _print(desk, found, those[at])
    finally:
        give_back((_SHIFTS,))
        day.added()


async def _print(desk: "Desk", found: "Shifts", one: "Closed") -> None:
    """What its record says; by product as well, if the journal still has all of it."""
    words = desk.words
    opened: Shift | None = found.opened(one.number)
    first = opened.number if opened else one.sequence
    tally: Tally = day.adding().Tally(desk.till.journal, first, one.sequence, only=one.person)
    if not await report.looked(desk, tally.run()):
        return
    if opened and tally.count == one.count:
        rows = shift_slip.rows(desk, opened, tally) + [None]
        rows += shift_slip.cash_rows(desk, opened, one.expected_minor, one.counted_minor)
    else:
        (name,) = day.names(desk, [one.person])
        rows = [(words("m_shift"), str(one.number)), (name, "")]
        rows += [(words("sales"), str(one.count))]
        rows += shift_slip.counted_rows(desk, one.expected_minor, one.counted_minor)
    rows.append((words("closed"), date_time_text(one.time, desk.config.utc_offset_s)))
    await report.printed(desk, words("r_shift"), rows, lambda: found.note_copy(one.sequence))
