"""The last sale's receipt once more, as a copy that says so."""

from firmware.flows.steps import hand_over, paper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Print the last sale's receipt again, marked DUPLICATE."""
    words = desk.words
    sale = desk.till.last_sale()
    if sale is None:
        await desk.ui.ask(words("m_reprint"), words("no_last"), (("*", "back"),))
        return
    product = desk.catalogue.product(sale.product_id)
    text = words("last_q", sale.sequence, product.name if product else sale.product_id)
    hints = (("*", "back"), ("#", "print"))
    if await desk.ui.ask(words("m_reprint"), text, hints) == "#" and await paper.is_ready(desk):
        await hand_over.hand_over(desk, sale, True)
