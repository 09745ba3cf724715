"""Finishing the sales that a cut or a lost answer left open."""

from firmware.flows.steps import ask_server, hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Go through the sales that a cut or a lost answer left open, one question each."""
    words = desk.words
    for sale in desk.till.unfinished():
        name = sale.product_id
        product = desk.catalogue.product(name)
        if product:
            name = product.name
        if sale.recipient:
            name += " " + sale.recipient
        if not sale.has_voucher:
            text = words("cut_ask", sale.sequence, name)
            hints = (("*", "later"), ("#", "ok"))
            if await desk.ui.ask(words("cut"), text, hints) == "#" and await ask_server.ask_server(
                desk, sale
            ):
                await hand_over.hand_over(desk, sale)
            continue
        text = words("cut_print", sale.sequence, name)
        choices = (("*", "later"), ("C", "yes"), ("#", "print"))
        key = await desk.ui.bad(words("cut"), text, choices)
        if key == "C":
            desk.till.printed(sale, False)
        elif key == "#":
            await hand_over.hand_over(desk, sale, sale.may_be_out)
