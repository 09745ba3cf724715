"""A report on screen and paper: rows of sales added up, and printing them."""

from firmware.flows.steps import day
from firmware.flows.steps.paper import is_ready
from firmware.paper import receipt
from firmware.ui.money_and_dates import date_time_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from firmware.flows.desk import Desk
    from firmware.sales.tally import Tally
    from firmware.ui.screen import Line

    Rows = list[tuple[str, str] | None]

_PRINT_MS = 40000
_LOOK_MS = 60000  # a whole ring takes most of it


async def looked(desk: "Desk", work: "Awaitable[Any]") -> bool:
    """Let `work` look through the journal; False if the merchant did not wait for it."""
    words = desk.words
    done, _ = await desk.ui.busy(work, words("m_day"), words("wait_sales"), _LOOK_MS, ("*", "stop"))
    return done


def sold(desk: "Desk", tally: "Tally") -> "Rows":
    """What was sold, by product, and by person if there are any; None is a rule."""
    rows: Rows = []
    for product_id, count, total_minor in tally.products:
        product = desk.catalogue.product(product_id)
        name = product.name if product else product_id
        rows.append(("{} x {}".format(count, name), desk.money(total_minor)))
    rows.append(None)
    sellers = [number for number, _, _ in tally.people]
    if desk.till.person or sellers not in ([], [0]):
        for n, name in enumerate(day.names(desk, sellers)):
            _, count, total_minor = tally.people[n]
            rows.append(("{} x {}".format(count, name), desk.money(total_minor)))
        rows.append(None)
    return rows


def totals(desk: "Desk", count: int, total_minor: int, commission_minor: int) -> "Rows":
    """Number, total and commission of sales."""
    words = desk.words
    return [
        (words("sales"), str(count)),
        (words("total"), desk.price(total_minor)),
        (words("commission"), desk.price(commission_minor)),
    ]


def records(desk: "Desk", first: int, last: int) -> tuple[str, str]:
    """The row of which records of the journal a report counts."""
    return desk.words("r_records"), "{} - {}".format(first, last)


async def shown(desk: "Desk", title: str, rows: "Rows", key: str = "print") -> bool:
    """Show rows; whether `#` was pressed, which the hint says is for `key`."""
    page: "list[Line]" = [row for row in rows if row]
    return await desk.ui.ask(title, page, (("*", "back"), ("#", key))) == "#"


async def printed(
    desk: "Desk", title: str, rows: "Rows", noted: "Callable[[], int | None] | None" = None
) -> None:
    """Print rows under a title, with the time of printing; a copy says so, and which one it is.

    `noted`: called once the printer is ready and before the paper moves, so that a cut leaves no
    two that look alike; notes that a slip is printed and returns which copy it is, None for the
    first one, 0 where nobody knows.
    """
    if not await is_ready(desk):
        return
    copy = noted() if noted else None
    words = desk.words
    is_copy = copy is not None
    if is_copy:
        number = words("r_copy") + (" " + str(copy) if copy else "")
        when = date_time_text(desk.now(), desk.config.utc_offset_s)
        rows = rows + [(number, when)]
    data = receipt.report(words, desk.config, title, rows, desk.terminal_id, desk.now(), is_copy)
    done, outcome = await desk.ui.busy(
        desk.printer.print(data), words("m_day"), words("wait_report"), _PRINT_MS
    )
    status = outcome[1] if done else "error"
    if status not in ("ok", "unknown"):
        await desk.ui.bad(words("not_printed"), words("np_" + status))
