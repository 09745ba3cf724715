"""A sale that was refused, in the merchant's words; the codes: docs/formats/refusals.toml."""

from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

_CALL = ("blocked", "conflict")
"""What the merchant cannot mend himself."""


async def explain(desk: "Desk", code: str) -> None:
    """Say in plain words why a sale was refused and what to do next."""
    log("sale", "refused: " + code)
    await desk.ui.bad(desk.words("not_sold"), reason(desk, code), (("#", "ok"),))


def reason(desk: "Desk", code: str) -> str:
    """What the merchant is told of a refusal; the number to call where calling is what helps."""
    text = desk.words.either("e_" + code, "e_other", code)
    helpline: str = desk.config.shop.get("helpline", "")
    if helpline and (code in _CALL or text == desk.words("e_other", code)):
        text += "\nTel. " + helpline
    return text
