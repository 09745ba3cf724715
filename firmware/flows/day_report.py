"""Today's sales."""

from firmware.flows.steps import day
from firmware.flows.steps.paper import is_ready
from firmware.paper import receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.day import DayReport

_PRINT_MS = 40000


async def run(desk: "Desk") -> None:
    """Show today's sales, and print them when wanted: the owner all of them, others their own."""
    words = desk.words
    rows = _rows(desk, day.today(desk))
    key = await desk.ui.ask(
        words("m_day"),
        [row for row in rows if row],
        (("*", "back"), ("#", "print")),
    )
    if key != "#" or not await is_ready(desk):
        return
    data = receipt.report(words, desk.config, words("r_day"), rows, desk.terminal_id, desk.now())
    done, outcome = await desk.ui.busy(
        desk.printer.print(data), words("m_day"), words("wait_report"), _PRINT_MS
    )
    status = outcome[1] if done else "error"
    if status not in ("ok", "unknown"):
        await desk.ui.bad(words("not_printed"), words("np_" + status))


def _rows(desk: "Desk", today: "DayReport") -> list[tuple[str, str] | None]:
    words = desk.words
    rows: list[tuple[str, str] | None] = []
    for product_id, count, total_minor in today.products:
        product = desk.catalogue.product(product_id)
        name = product.name if product else product_id
        rows.append(("{} x {}".format(count, name), desk.money(total_minor)))
    rows.append(None)
    person = desk.till.person
    sellers = [number for number, _, _ in today.people]
    if person or sellers not in ([], [0]):
        for n, name in enumerate(day.names(desk, sellers)):
            _, count, total_minor = today.people[n]
            rows.append(("{} x {}".format(count, name), desk.money(total_minor)))
        rows.append(None)
    rows.append((words("sales"), str(today.count)))
    rows.append((words("total"), desk.price(today.total_minor)))
    rows.append((words("commission"), desk.price(today.commission_minor)))
    rows.append((words("reprints"), str(today.reprints)))
    if not person:
        rows.append((words("float"), desk.price(desk.till.float_minor)))
    rows.append((words("unsynced"), str(desk.till.journal.unsent_sales())))
    return rows
