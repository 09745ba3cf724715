"""Selling airtime, from the choice of product to the printed receipt.

The order that no cut may break: printer asked, merchant agreed, intent journaled, voucher
fetched or opened, printed, print journaled. From the intent on, whatever stops the flow leaves the
sale in the journal, and `firmware.flows.recover` finishes it.
"""

from firmware.flows.steps import ask_server, hand_over, paper
from firmware.net.link import OFFLINE, ONLINE, SEARCHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.catalogue import Product

NETWORK_MS = 12000


async def run(desk: "Desk") -> None:
    """One sale, or back to the menu with nothing changed.

    Raises:
        SaleRefused: the till will not; nothing was sold.
    """
    product = await pick(desk)
    if product is None or not await paper.is_ready(desk) or not await confirm(desk, product):
        return
    await wait_for_network(desk)
    if desk.link.state == ONLINE:
        await hear_first(desk, product)
        sale = desk.till.begin_online(product.id, product)
        if await ask_server.ask_server(desk, sale):
            await hand_over.hand_over(desk, sale)
    elif await offer_stock(desk, product):
        sale = desk.till.begin_offline(product.id, product)
        await hand_over.hand_over(desk, sale)


async def pick(desk: "Desk") -> "Product | None":
    """The product the merchant chose, or None."""
    products = desk.catalogue.products
    try:
        items = []
        for n in range(len(products)):
            product = products[n]  # read from flash each time
            items.append((product.name, desk.money(product.amount_minor)))
    except (ValueError, OSError):
        desk.new_catalogue()  # the file was spoiled since it was read: back to what worked last
        return None
    at = await desk.ui.choose(desk.words("sell_what"), items)
    return products[at] if isinstance(at, int) else None


async def confirm(desk: "Desk", product: "Product") -> bool:
    """Whether the merchant agrees to the price and what it does to the float."""
    words = desk.words
    left = desk.till.float_minor
    key = await desk.ui.ask(
        words("sell_q", product.name),
        [
            (words("float_now"), desk.money(left)),
            (words("float_after"), desk.money(left - product.debit_minor)),
        ],
        (("*", "back"), ("#", "ok")),
        big=desk.price(product.amount_minor),
    )
    return key == "#"


async def wait_for_network(desk: "Desk") -> None:
    """Give a network that is being looked for a bounded time to come; look whether it stayed.

    A sale that is begun online in a place without coverage would keep the customer waiting.
    """
    if desk.link.state == OFFLINE:
        return
    await desk.ui.busy(
        desk.link.known() if desk.link.state == SEARCHING else desk.link.look(),
        desk.words("selling"),
        desk.words("wait_network"),
        NETWORK_MS,
        ("*", "stop"),
    )


async def hear_first(desk: "Desk", product: "Product") -> None:
    """What the till would refuse by the office's last word is asked for anew: the office may have
    taken a deposit or let the terminal go since, and an idle terminal hears of it late.
    """
    till = desk.till
    if till.blocked or product.debit_minor > till.float_minor:
        words = desk.words
        stop = ("*", "stop")
        await desk.ui.busy(desk.hear(), words("selling"), words("wait_office"), NETWORK_MS, stop)


async def offer_stock(desk: "Desk", product: "Product") -> bool:
    """Whether the merchant wants to sell from the terminal's own stock; says what keeps the network
    away, where the merchant can mend it.
    """
    title = desk.words.either("n_" + desk.link.trouble, "no_network")
    text = desk.words("stock_q", desk.till.stock_left(product.id))
    hints = (("*", "back"), ("#", "ok"))
    return await desk.ui.ask(title, text, hints) == "#"
