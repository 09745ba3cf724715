"""A sale that was refused, in the merchant's words; the codes: docs/formats/refusals.toml."""

from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def explain(desk: "Desk", code: str) -> None:
    """Say in plain words why a sale was refused and what to do next."""
    log("sale", "refused: " + code)
    text = desk.words.either("e_" + code, "e_other", code)
    await desk.ui.bad(desk.words("not_sold"), text, (("#", "ok"),))
