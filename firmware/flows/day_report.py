"""Reports: what was sold today, yesterday, this week, and since the last Z (X); shift and Z."""

from firmware.flows.steps import day, report
from firmware.lent import give_back, load
from firmware.ui.money_and_dates import date_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows
    from firmware.sales.tally import Tally

_SHIFTS = "firmware.sales.shifts"
_TODAY, _YESTERDAY, _WEEK, _X = range(4)
_REPORTS = ("rp_today", "rp_yesterday", "rp_week", "rp_x")
_FLOWS = (("m_shift", "shift"), ("m_z", "z_report"), ("shift_copy", "shift_copy"))
_OWNERS = "m_z"


async def run(desk: "Desk") -> None:
    """Choose a report; the owner's are of all sales, anybody else's of his own.

    Raises:
        SaleRefused: journal_full, from a shift or a Z report; nothing was written.
    """
    words = desk.words
    flows = [flow for flow in _FLOWS if flow[0] != _OWNERS or not desk.till.person]
    names = _REPORTS + tuple([name for name, _ in flows])
    while True:
        at = await desk.ui.choose(words("m_day"), [words(name) for name in names])
        if not isinstance(at, int):
            return
        if at >= len(_REPORTS):
            flow = "firmware.flows." + flows[at - len(_REPORTS)][1]
            try:
                await load(flow).run(desk)
            finally:
                give_back((flow,))
            return
        tally = await (_since_z(desk) if at == _X else _days(desk, at))
        if not tally:
            continue
        rows = _rows(desk, tally)
        if await report.shown(desk, words(names[at]), rows):
            title = words("r_x") if at == _X else words("r_day" if at != _WEEK else "r_week")
            dated: Rows = [_range(desk, tally)]
            await report.printed(desk, title, dated + rows)
            return


async def _days(desk: "Desk", what: int) -> "Tally | None":
    module = day.adding()
    try:
        now = desk.now() or desk.till.journal.state.time_seen
        offset_s = desk.config.utc_offset_s
        back, days = (1 if what == _YESTERDAY else 0), 1
        if what == _WEEK:
            back = module.since_monday(now, offset_s)
            days = back + 1
        only = desk.till.person or None
        tally: Tally = module.of_days(desk.till.journal, now, offset_s, only, back, days)
        return tally if await report.looked(desk, tally.run()) else None
    finally:
        day.added()


async def _since_z(desk: "Desk") -> "Tally | None":
    """What a Z report would count if it were made now; nothing is written."""
    journal = desk.till.journal
    try:
        found = load(_SHIFTS).Shifts(journal)
        if not await report.looked(desk, found.look_back(0)):
            return None
        _, first = found.next_z()
        tally: Tally = day.adding().Tally(journal, first, only=desk.till.person or None)
        return tally if await report.looked(desk, tally.run()) else None
    finally:
        give_back((_SHIFTS,))
        day.added()


def _range(desk: "Desk", tally: "Tally") -> tuple[str, str]:
    """Of which days a report is, or of which records."""
    if not tally.until:
        return report.records(desk, tally.first, desk.till.journal.next_sequence - 1)
    offset_s = desk.config.utc_offset_s
    first, last = date_text(tally.since, offset_s), date_text(tally.until - 1, offset_s)
    return first, last if last != first else ""


def _rows(desk: "Desk", tally: "Tally") -> "Rows":
    words = desk.words
    rows = report.sold(desk, tally)
    rows += report.totals(desk, tally.count, tally.total_minor, tally.commission_minor)
    rows.append((words("reprints"), str(tally.reprints)))
    if not desk.till.person:
        rows.append((words("float"), desk.price(desk.till.float_minor)))
    rows.append((words("unsynced"), str(desk.till.journal.unsent_sales())))
    return rows
