"""Giving an open sale its end: asked for by its own key, handed over, or said to be out."""

from firmware.flows.steps import ask_server, hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.sales.sale import Sale


async def finish(desk: "Desk", sale: "Sale") -> None:
    """Ask the merchant what to do about `sale`, one question. Raises SaleRefused."""
    words = desk.words
    name = sale.product_id
    product = desk.catalogue.product(name)
    if product:
        name = product.name
    if sale.recipient:
        name += " " + sale.recipient
    if not sale.has_voucher:
        text = words("cut_ask", sale.sequence, name)
        hints = (("*", "later"), ("#", "ok"))
        if await desk.ui.ask(words("cut"), text, hints) == "#":
            await ask_for(desk, sale)
        return
    text = words("cut_print", sale.sequence, name)
    choices = (("*", "later"), ("C", "yes"), ("#", "print"))
    key = await desk.ui.bad(words("cut"), text, choices)
    if key == "C":
        desk.till.printed(sale, False)
    elif key == "#":
        await hand_over.hand_over(desk, sale, sale.may_be_out)


async def ask_for(desk: "Desk", sale: "Sale") -> None:
    """Ask the server for the voucher of `sale` by its own key, which can give no other one, and
    hand it over. Raises SaleRefused.
    """
    if await ask_server.ask_server(desk, sale):
        await hand_over.hand_over(desk, sale)
