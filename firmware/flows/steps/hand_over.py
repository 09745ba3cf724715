"""Handing a voucher to the customer: original and copy.

The PIN is on paper only. When the printer has failed, and only then, it may be read off the screen,
after a journaled reprint, so that a customer who paid never leaves without it.
"""

from bootloader.shared.compat import const
from firmware import counts
from firmware.drivers import printer
from firmware.lent import give_back, load
from firmware.log import log
from firmware.paper import receipt
from firmware.ui.money_and_dates import grouped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale, Voucher
    from firmware.ui.screen import Hint, Line

PRINT_MS = 40000
_DAY = "firmware.flows.steps.day"
SHOW_MS = 120000
_PRINTS_TRIED = const(6)
_PRINTS_FAILED = const(7)
_KEY_TO_PAPER = const(30)


async def _print(desk: "Desk", sale: "Sale", sold: "Voucher", duplicate: bool) -> tuple[bool, str]:
    """Print one voucher; returns (sent, status) of `Printer.print`."""
    sold.seller = load(_DAY).seller(desk, sale.sequence)
    give_back((_DAY,))
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


async def hand_over(
    desk: "Desk", sale: "Sale", duplicate: bool = False, may_go_on: bool = False
) -> bool:
    """Print the voucher of `sale` and journal what the printer said; ask again while it fails.

    `duplicate`: a copy of something that may be out already; its reprint is journaled first.
    `may_go_on`: the merchant may ask for the same again, which is then True.
    """
    words = desk.words
    while True:
        sold = desk.till.reprint(sale) if duplicate else desk.till.voucher(sale)
        counts.add(_PRINTS_TRIED)
        sent, status = await _print(desk, sale, sold, duplicate)
        if sent and status in (printer.OK, printer.UNKNOWN):
            counts.took(_KEY_TO_PAPER, desk.ui.idle_ms())
            desk.till.printed(sale, status == printer.OK)
            log("sale", "{} printed, head says {}".format(sale.sequence, status))
            key = await done(desk, sold, status == printer.OK, may_go_on)
            if key != "D":
                return key == "0"
            duplicate = True
            continue
        counts.add(_PRINTS_FAILED)
        # once a byte went out the customer may hold the PIN: from here on only copies
        duplicate = duplicate or sent
        log("sale", "{} not printed: {}".format(sale.sequence, status))
        key = await desk.ui.bad(
            words("not_printed"),
            words("np_" + status),
            (("*", "later"), ("D", "show"), ("#", "print")),
        )
        if key == "*" or (key == "D" and await show(desk, sale)):
            return False


async def done(desk: "Desk", sold: "Voucher", certain: bool, may_go_on: bool) -> str | None:
    """The sale is over: say what was sold, for how much and to which number, and what the float is
    now. The key: "D" a copy, "0" the same again.
    """
    words = desk.words
    desk.ui.good()
    lines: list[Line] = [(sold.product.name, desk.price(sold.amount_minor))]
    if sold.recipient:
        lines.append(grouped(sold.recipient, sold.product.kind))
    lines.append((words("float"), desk.price(desk.till.float_minor)))
    lines.append(words("sold_t" if certain else "sold_unsure"))
    more: tuple[Hint, ...] = (("0", "again"),) if may_go_on else ()
    hints = (("D", "copy"),) + more + (("#", "done"),)
    return await desk.ui.ask(words("sold"), lines, hints, timeout_ms=30000)


async def show(desk: "Desk", sale: "Sale") -> bool:
    """Show the PIN on the screen, for a printer that stays dead. True when it was shown."""
    words = desk.words
    hints = (("*", "back"), ("#", "show"))
    if await desk.ui.ask(words("not_printed"), words("show_pin_q"), hints) != "#":
        return False
    sold = desk.till.reprint(sale)
    log("sale", "{} shown on the screen".format(sale.sequence))
    lines: list[Line] = []
    for label, text in receipt.codes(words, sold):
        if label:
            lines.append(label)
        lines.extend(text)
    await desk.ui.ask(
        "{} {}".format(words("pin_is"), sold.product.name),
        lines + [(words("r_serial"), sold.serial)],
        (("#", "done"),),
        timeout_ms=SHOW_MS,
    )
    desk.till.printed(sale, False)
    return True
