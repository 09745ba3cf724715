"""Handing a voucher to the customer: original and copy.

The PIN is on paper only. When the printer has failed, and only then, it may be read off the screen,
after a journaled reprint, so that a customer who paid never leaves without it.
"""

from firmware.drivers import printer
from firmware.log import log
from firmware.paper import receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale, Voucher

PRINT_MS = 40000
SHOW_MS = 120000


async def _print(desk: "Desk", sale: "Sale", sold: "Voucher", duplicate: bool) -> tuple[bool, str]:
    """Print one voucher; returns (sent, status) of `Printer.print`."""
    data = receipt.voucher(
        desk.words,
        desk.config,
        desk.catalogue,
        desk.terminal_id,
        sold,
        desk.now(),
        duplicate,
        not sale.online,
    )
    done, outcome = await desk.ui.busy(
        desk.printer.print(data), desk.words("selling"), desk.words("wait_print"), PRINT_MS
    )
    return outcome if done else (True, printer.UNKNOWN)


async def hand_over(desk: "Desk", sale: "Sale", duplicate: bool = False) -> None:
    """Print the voucher of `sale` and journal what the printer said; ask again while it fails.

    `duplicate`: a copy of something that may be out already; its reprint is journaled first.
    """
    words = desk.words
    while True:
        sold = desk.till.reprint(sale) if duplicate else desk.till.voucher(sale)
        sent, status = await _print(desk, sale, sold, duplicate)
        if sent and status in (printer.OK, printer.UNKNOWN):
            desk.till.printed(sale, status == printer.OK)
            log("sale", "{} printed, head says {}".format(sale.sequence, status))
            again = await done(desk, status == printer.OK)
            if not again:
                return
            duplicate = True
            continue
        # once a byte went out the customer may hold the PIN: from here on only copies
        duplicate = duplicate or sent
        log("sale", "{} not printed: {}".format(sale.sequence, status))
        key = await desk.ui.bad(
            words("not_printed"),
            words("np_" + status),
            (("*", "later"), ("D", "show"), ("#", "print")),
        )
        if key == "*":
            return
        if key == "D" and await show(desk, sale):
            return


async def done(desk: "Desk", certain: bool) -> bool:
    """The sale is over: say so with the float; True when the merchant wants a copy."""
    words = desk.words
    desk.ui.good()
    key = await desk.ui.ask(
        words("sold"),
        words("sold_t" if certain else "sold_unsure")
        + "\n"
        + words("float_left", desk.price(desk.till.float_minor)),
        (("D", "copy"), ("#", "done")),
        timeout_ms=30000,
    )
    return key == "D"


async def show(desk: "Desk", sale: "Sale") -> bool:
    """Show the PIN on the screen, for a printer that stays dead. True when it was shown."""
    words = desk.words
    hints = (("*", "back"), ("#", "show"))
    if await desk.ui.ask(words("not_printed"), words("show_pin_q"), hints) != "#":
        return False
    sold = desk.till.reprint(sale)
    log("sale", "{} shown on the screen".format(sale.sequence))
    lines = receipt.pin_lines(sold.pin, sold.product.pin_groups, 19)
    await desk.ui.ask(
        "{} {}".format(words("pin_is"), sold.product.name),
        lines + [(words("r_serial"), sold.serial)],
        (("#", "done"),),
        timeout_ms=SHOW_MS,
    )
    desk.till.printed(sale, False)
    return True
