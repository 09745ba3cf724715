"""What the merchant may still sell for, and what came in today."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """The float and the commission of today."""
    words = desk.words
    today = desk.till.day_report(desk.now(), desk.config.utc_offset_s)
    await desk.ui.ask(
        words("float"),
        [
            (words("commission"), desk.money(today.commission_minor)),
            (words("unsynced"), str(desk.till.journal.unsent_sales())),
        ],
        (("*", "back"),),
        big=desk.price(desk.till.float_minor),
    )
