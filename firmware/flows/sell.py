"""Selling airtime, from the choice of product to the printed receipt; the menu calls `sell`.

The order that no cut may break: printer asked, merchant agreed, intent journaled, voucher
fetched or opened, printed, print journaled. From the intent on, whatever stops the flow leaves the
sale in the journal, and `firmware.flows.recover` finishes it.
"""

from firmware.drivers import printer
from firmware.flows import voucher
from firmware.log import log
from firmware.ui.screen import OFFLINE, ONLINE, SEARCHING

NETWORK_MS = 12000
ANSWER_MS = 60000


async def sell(app):
    """One sale, or back to the menu with nothing changed.

    Raises:
        SaleRefused: the till will not; nothing was sold.
    """
    product = await pick(app)
    if product is None or not await paper_ready(app) or not await confirm(app, product):
        return
    await wait_for_network(app)
    if app.network == ONLINE:
        sale = app.till.begin_online(product.id, product)
        if await ask_server(app, sale):
            await voucher.hand_over(app, sale)
    elif await offer_stock(app, product):
        sale = app.till.begin_offline(product.id, product)
        await voucher.hand_over(app, sale)


async def pick(app):
    """The product the merchant chose, or None."""
    products = app.catalogue.products
    try:
        items = [(p.name, app.money(p.amount_minor)) for p in products]
    except (ValueError, OSError):
        app.new_catalogue()  # the file was spoiled since it was read: back to what worked last
        return None
    at = await app.ui.choose(app.words("sell_what"), items)
    return None if at is None else products[at]


async def paper_ready(app):
    """Whether the printer may print; a sale that cannot be handed over is not begun."""
    words = app.words
    while True:
        done, status = await app.ui.busy(
            app.printer.status(), words("checking"), words("wait_printer"), 3000
        )
        if not done or status in (printer.OK, printer.UNKNOWN):
            return True
        log("sale", "not begun, printer " + status)
        title = words("no_paper" if status == printer.PAPER_OUT else "printer_bad")
        if await app.ui.bad(title, words(status), (("*", "back"), ("#", "try"))) == "*":
            return False


async def confirm(app, product):
    """Whether the merchant agrees to the price and what it does to the float."""
    words = app.words
    left = app.till.float_minor
    key = await app.ui.ask(
        words("sell_q", product.name),
        [
            (words("float_now"), app.money(left)),
            (words("float_after"), app.money(left - product.debit_minor)),
        ],
        (("*", "back"), ("#", "ok")),
        big=app.price(product.amount_minor),
    )
    return key == "#"


async def wait_for_network(app):
    """Give a network that is being looked for a bounded time to come; look whether it stayed.

    A sale that is begun online in a place without coverage would keep the customer waiting.
    """
    if app.network == OFFLINE:
        return
    await app.ui.busy(
        app.network_known() if app.network == SEARCHING else app.look(),
        app.words("selling"),
        app.words("wait_network"),
        NETWORK_MS,
        ("*", "stop"),
    )


async def offer_stock(app, product):
    """Whether the merchant wants to sell from the terminal's own stock; says what keeps the network
    away, where the merchant can mend it.
    """
    title = app.words("n_" + app.trouble)
    if title.startswith("n_"):
        title = app.words("no_network")
    text = app.words("stock_q", app.till.stock_left(product.id))
    hints = (("*", "back"), ("#", "ok"))
    return await app.ui.ask(title, text, hints) == "#"


async def ask_server(app, sale):
    """Ask for the voucher of `sale` until there is an answer or the merchant leaves it for later.

    True when the till holds the voucher. A sale that was refused is explained here.
    """
    words = app.words
    while True:
        done, code = await app.ui.busy(
            app.exchange(sale), words("selling"), words("wait_voucher"), ANSWER_MS
        )
        if done and code == "":
            return True
        if done and code is not None:
            await explain(app, code)
            return False
        log("sale", "{} has no answer".format(sale.sequence))
        key = await app.ui.bad(
            words("no_answer"),
            words("no_answer_t", sale.sequence),
            (("*", "later"), ("#", "try")),
        )
        if key == "*":
            return False


async def explain(app, code):
    """Say in plain words why a sale was refused and what to do next."""
    log("sale", "refused: " + code)
    text = app.words("e_" + code)
    if text == "e_" + code:
        text = app.words("e_other", code)
    await app.ui.bad(app.words("not_sold"), text, (("#", "ok"),))
