"""A shift: opened with the cash that is there, closed by counting it. Nobody must have one."""

from firmware.flows.steps import day, report, shift_slip
from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.shifts import Shift, Shifts
    from firmware.sales.tally import Tally
    from firmware.ui.screen import Line

_SHIFTS = "firmware.sales.shifts"
_MOST_DIGITS = 10


async def run(desk: "Desk") -> None:
    """Open one's own shift, or close it; the owner also anybody else's.

    Raises:
        SaleRefused: journal_full; nothing was written.
    """
    words = desk.words
    person = desk.till.person
    try:
        found: Shifts = load(_SHIFTS).Shifts(desk.till.journal)
        if not await report.looked(desk, found.look_back()):
            return
        mine = found.of(person)
        those = [mine] if mine else []
        if not person:
            those = found.open
        names = day.names(desk, [one.person for one in those])
        rows: "list[Line]" = []
        for n, name in enumerate(names):
            when = shift_slip.began(desk, those[n])
            rows.append((name, when[:5] + when[10:]))
        if not mine:
            rows.append(words("shift_open"))
        at = await desk.ui.choose(words("m_shift"), rows) if len(rows) > 1 else 0
        if not isinstance(at, int):
            return
        if at < len(those):
            await _close(desk, found, those[at])
        else:
            await _open(desk, found)
    finally:
        give_back((_SHIFTS,))


async def _cash(desk: "Desk", title: str, text: str) -> int | None:
    """Cash as it is typed, in minor units; cents where something costs cents. None: back."""
    unit: int = 10**desk.catalogue.minor_digits
    products = desk.catalogue.products
    for n in range(len(products)):
        product = products[n]
        if (product.open.step_minor if product.open else product.amount_minor) % unit:
            unit = 1
            break
    typed = await desk.ui.digits(
        title, text, _MOST_DIGITS, shape=lambda digits: desk.price(int(digits) * unit)
    )
    return None if typed is None else int(typed) * unit


async def _open(desk: "Desk", found: "Shifts") -> None:
    words = desk.words
    cash_minor = await _cash(desk, words("shift_open"), words("cash_now"))
    if cash_minor is None:
        return
    found.open_shift(desk.till.person, cash_minor)
    desk.ui.good()
    await desk.ui.ask(words("m_shift"), words("shift_is_open"), (("#", "ok"),), timeout_ms=10000)


async def _close(desk: "Desk", found: "Shifts", one: "Shift") -> None:
    """Count first, so that nobody counts up to what is expected."""
    words = desk.words
    title = words("shift_close")
    try:
        while True:
            counted_minor = await _cash(desk, title, words("cash_count"))
            if counted_minor is None:
                return
            tally: Tally = day.adding().Tally(desk.till.journal, one.number, only=one.person)
            if not await report.looked(desk, tally.run()):
                return
            cash_minor = one.cash_minor + tally.total_minor
            cash = shift_slip.cash_rows(desk, one, cash_minor, counted_minor)
            if await report.shown(desk, title, cash, "ok"):
                break
        cash_minor = found.close_shift(one, counted_minor, tally, desk.till.person)
    finally:
        day.added()
    desk.ui.good()
    rows = shift_slip.rows(desk, one, tally) + [None]
    rows += shift_slip.cash_rows(desk, one, cash_minor, counted_minor)
    await report.printed(desk, words("r_shift"), rows)
