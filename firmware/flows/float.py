"""What the merchant may still sell for, and what came in today."""

from firmware.flows.steps import day

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """The float and the commission of today."""
    words = desk.words
    today = day.today(desk)
    await desk.ui.ask(
        words("float"),
        [
            (words("commission"), desk.money(today.commission_minor)),
            (words("unsynced"), str(desk.till.journal.unsent_sales())),
        ],
        (("*", "back"),),
        big=desk.price(desk.till.float_minor),
    )
