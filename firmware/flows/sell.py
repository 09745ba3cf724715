"""Selling vouchers, from the choice of product to the printed receipt.

The order that no cut may break: battery and printer asked, merchant agreed, intent journaled,
voucher fetched or opened, printed, print journaled. From the intent on, whatever stops the flow
leaves the sale in the journal, and `firmware.flows.recover` finishes it.
"""

from bootloader.shared.compat import const
from firmware import counts
from firmware.flows.steps import ask_server, choose, hand_over, paper, reach
from firmware.flows.steps.explain import explain
from firmware.net.link import OFFLINE
from firmware.sales.catalogue import PIN

_SALES_TRIED = const(1)
_SALES_FROM_STOCK = const(5)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.product import Product
    from firmware.ui.screen import Line


async def run(desk: "Desk") -> None:
    """Sales of one product, or back to the menu with nothing changed.

    Raises:
        SaleRefused: the till will not; nothing was sold.
    """
    product = await choose.choose(desk, PIN)
    while product and await sell(desk, product):
        product = desk.catalogue.product(product.id)  # the price list may be new


async def sell(desk: "Desk", product: "Product") -> bool:
    """One sale; True when the merchant wants the same again. Raises SaleRefused."""
    if not await paper.may_begin(desk):
        return False
    code = await reach.refusal(desk, product, product.debit_minor)
    if code:
        await explain(desk, code)
        return False
    if not await confirm(desk, product):
        return False
    if await reach.wait_for_network(desk):
        sale = desk.till.begin_online(product.id, product)
        counts.add(_SALES_TRIED)
        if not await ask_server.ask_server(desk, sale):
            return False
    elif reach.may_text(desk) and reach.from_stock_refusal(desk, product):
        if not await offer_sms(desk):
            return False
        sale = desk.till.begin_online(product.id, product)
        counts.add(_SALES_TRIED)
        if not await ask_server.ask_server(desk, sale, True):
            return False
    elif await offer_stock(desk, product):
        sale = desk.till.begin_offline(product.id, product)
        counts.add(_SALES_TRIED)
        counts.add(_SALES_FROM_STOCK)
    else:
        return False
    return await hand_over.hand_over(desk, sale, False, True)


async def confirm(desk: "Desk", product: "Product") -> bool:
    """Whether the merchant agrees to the price and what it does to the float; with what is in stock
    and may still be sold of it without network: sales, money, hours.
    """
    words = desk.words
    left = desk.till.float_minor
    lines: "list[Line]" = [(words("float_after"), desk.money(left - product.debit_minor))]
    stock = desk.till.stock_left(product.id)
    here: "list[Line]" = [(words("in_stock"), str(stock))]
    if stock:
        count, total_minor, left_s = reach.offline_left(desk, product)
        still = (str(count), desk.money(total_minor), str((left_s + 1800) // 3600) + " h")
        here.append((words("still"), "/".join(still)))
    if desk.link.state == OFFLINE:
        lines = here + lines
    else:
        lines = [(words("float_now"), desk.money(left))] + lines + here
    question = words("sell_q", product.name)
    return await choose.agree(desk, product, question, lines, product.amount_minor)


async def offer_sms(desk: "Desk") -> bool:
    """Whether the merchant wants to pay for a short message, where nothing cheaper sells."""
    title = desk.words.either("n_" + desk.link.trouble, "no_network")
    return await desk.ui.ask(title, desk.words("sms_q"), (("*", "back"), ("#", "ok"))) == "#"


async def offer_stock(desk: "Desk", product: "Product") -> bool:
    """Whether the merchant wants to sell from the terminal's own stock; says what keeps the network
    away, where the merchant can mend it, and what forbids it.
    """
    code = reach.from_stock_refusal(desk, product)
    if code:
        await explain(desk, code)
        return False
    title = desk.words.either("n_" + desk.link.trouble, "no_network")
    text = desk.words("stock_q", desk.till.stock_left(product.id))
    hints = (("*", "back"), ("#", "ok"))
    return await desk.ui.ask(title, text, hints) == "#"
