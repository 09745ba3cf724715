"""Asking the office to cancel a sale that was never handed over, and the slip that says so."""

from firmware.drivers import printer
from firmware.flows.steps import hand_over, paper
from firmware.flows.steps.explain import explain
from firmware.lent import give_back, load
from firmware.paper import receipt
from firmware.sales.sale import PENDING
from firmware.ui.money_and_dates import date_time_text, grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale

CANCELLED = "cancelled"
_CANCELLING = "firmware.sales.cancelling"
_ANSWER_MS = 60000


async def cancel(desk: "Desk", sale: "Sale") -> None:
    """Ask the merchant, then the office, which decides. Without an answer it is asked again by
    itself, as the sale is. Raises SaleRefused.
    """
    words = desk.words
    question = words("cancel_q", sale.sequence)
    if await desk.ui.bad(words("cancel"), question, (("*", "back"), ("#", "ask"))) != "#":
        return
    try:
        load(_CANCELLING).ask(desk.till.journal, sale)
    finally:
        give_back((_CANCELLING,))
    done, code = await desk.ui.busy(
        desk.fetch_voucher(sale), words("cancel"), words("wait_office"), _ANSWER_MS
    )
    if done and code == "":  # the office says no: the voucher is here, and the customer's
        if await desk.ui.ask(words("cancel"), words("cancel_no"), (("#", "print"),)) == "#":
            await hand_over.hand_over(desk, sale)
    elif done and code == CANCELLED:
        await desk.ui.ask(words("cancel"), words("e_cancelled"), (("#", "print"),))
        await slip(desk, sale)
    elif done and code not in (None, PENDING):
        await explain(desk, code)
    else:
        await desk.ui.bad(words("cancel"), words("cancel_kept", sale.sequence))


async def slip(desk: "Desk", sale: "Sale") -> None:
    """Print that the sale is cancelled: it has no PIN, so it may be printed as often as wanted."""
    words = desk.words
    if not await paper.is_ready(desk):
        return
    product = desk.catalogue.product(sale.product_id)
    name = product.name if product else sale.product_id
    rows: list[tuple[str, str] | None] = [(name, desk.price(sale.amount_minor))]
    if sale.recipient:
        kind = product.kind if product else ""
        rows.append((words.either("to_" + kind, "number"), grouped(sale.recipient, kind)))
    when = date_time_text(sale.time, desk.config.utc_offset_s)
    rows.append((words("r_sale") + " " + str(sale.sequence), when))
    rows.append(None)
    rows.append((words("e_cancelled"), ""))
    data = receipt.report(
        words, desk.config, words("r_cancelled"), rows, desk.terminal_id, desk.now()
    )
    done, outcome = await desk.ui.busy(
        desk.printer.print(data), words("cancel"), words("wait_print"), hand_over.PRINT_MS
    )
    status = outcome[1] if done else printer.UNKNOWN
    if status not in (printer.OK, printer.UNKNOWN):
        await desk.ui.bad(words("not_printed"), words("np_" + status))
