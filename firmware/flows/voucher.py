"""Handing a voucher to the customer: original, copy, and what is left after a cut; for the flows.

The PIN is on paper only. When the printer has failed, and only then, it may be read off the screen,
after a journaled reprint, so that a customer who paid never leaves without it.
"""

from firmware.drivers import printer
from firmware.flows import receipt, sell
from firmware.log import log

PRINT_MS = 40000
SHOW_MS = 120000


async def _print(app, sale, sold, duplicate):
    """Print one voucher; returns (sent, status) of `Printer.print`."""
    data = receipt.voucher(
        app.words,
        app.config,
        app.catalogue,
        app.terminal_id,
        sold,
        app.now(),
        duplicate,
        not sale.online,
    )
    done, outcome = await app.ui.busy(
        app.printer.print(data), app.words("selling"), app.words("wait_print"), PRINT_MS
    )
    return outcome if done else (True, printer.UNKNOWN)


async def hand_over(app, sale, duplicate=False):
    """Print the voucher of `sale` and journal what the printer said; ask again while it fails.

    `duplicate`: a copy of something that may be out already; its reprint is journaled first.
    """
    words = app.words
    while True:
        sold = app.till.reprint(sale) if duplicate else app.till.voucher(sale)
        sent, status = await _print(app, sale, sold, duplicate)
        if sent and status in (printer.OK, printer.UNKNOWN):
            app.till.printed(sale, status == printer.OK)
            log("sale", "{} printed, head says {}".format(sale.sequence, status))
            again = await done(app, status == printer.OK)
            if not again:
                return
            duplicate = True
            continue
        # once a byte went out the customer may hold the PIN: from here on only copies
        duplicate = duplicate or sent
        log("sale", "{} not printed: {}".format(sale.sequence, status))
        key = await app.ui.bad(
            words("not_printed"),
            words("np_" + status),
            (("*", "later"), ("D", "show"), ("#", "print")),
        )
        if key == "*":
            return
        if key == "D" and await show(app, sale):
            return


async def done(app, certain):
    """The sale is over: say so with the float; True when the merchant wants a copy."""
    words = app.words
    app.ui.good()
    key = await app.ui.ask(
        words("sold"),
        words("sold_t" if certain else "sold_unsure")
        + "\n"
        + words("float_left", app.price(app.till.float_minor)),
        (("D", "copy"), ("#", "done")),
        timeout_ms=30000,
    )
    return key == "D"


async def show(app, sale):
    """Show the PIN on the screen, for a printer that stays dead. True when it was shown."""
    words = app.words
    hints = (("*", "back"), ("#", "show"))
    if await app.ui.ask(words("not_printed"), words("show_pin_q"), hints) != "#":
        return False
    sold = app.till.reprint(sale)
    log("sale", "{} shown on the screen".format(sale.sequence))
    lines = receipt.pin_lines(sold.pin, sold.product.pin_groups, 19)
    await app.ui.ask(
        "{} {}".format(words("pin_is"), sold.product.name),
        lines + [(words("r_serial"), sold.serial)],
        (("#", "done"),),
        timeout_ms=SHOW_MS,
    )
    app.till.printed(sale, False)
    return True


async def recover(app):
    """Go through the sales that a cut or a lost answer left open, one question each."""
    words = app.words
    for sale in app.till.unfinished():
        name = sale.product_id
        product = app.catalogue.product(name)
        if product:
            name = product.name
        if not sale.has_voucher:
            text = words("cut_ask", sale.sequence, name)
            hints = (("*", "later"), ("#", "ok"))
            if await app.ui.ask(words("cut"), text, hints) == "#" and await sell.ask_server(
                app, sale
            ):
                await hand_over(app, sale)
            continue
        text = words("cut_print", sale.sequence, name)
        hints = (("*", "later"), ("C", "yes"), ("#", "print"))
        key = await app.ui.bad(words("cut"), text, hints)
        if key == "C":
            app.till.printed(sale, False)
        elif key == "#":
            await hand_over(app, sale, sale.may_be_out)


async def reprint_last(app):
    """Print the last sale's receipt again, marked DUPLICATE."""
    words = app.words
    sale = app.till.last_sale()
    if sale is None:
        await app.ui.ask(words("m_reprint"), words("no_last"), (("*", "back"),))
        return
    product = app.catalogue.product(sale.product_id)
    text = words("last_q", sale.sequence, product.name if product else sale.product_id)
    hints = (("*", "back"), ("#", "print"))
    if await app.ui.ask(words("m_reprint"), text, hints) == "#" and await sell.paper_ready(app):
        await hand_over(app, sale, True)
