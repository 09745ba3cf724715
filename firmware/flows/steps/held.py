"""What whoever holds the terminal reads before anybody may sign in: that it was reported stolen, or
that it wiped its stock.
"""

from bootloader.shared.compat import const
from firmware.lent import give_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.ui.screen import Hint

_LOOK_MS = const(2000)
_REST_MS = const(60000)
_NAME = "firmware.flows.steps.held"


async def stolen(desk: "Desk") -> None:
    """Say that it was reported stolen, for some seconds; no key does anything."""
    while desk.till.stolen:
        _tell(desk, "s_stolen", ())
        await desk.ui.key_within("", _LOOK_MS)
    give_back((_NAME,))


async def wiped(desk: "Desk") -> bool:
    """Say that the stock was wiped; whether somebody has read it."""
    _tell(desk, "s_wiped", (("#", "ok"),))
    key = await desk.ui.key_within("#", _REST_MS)
    give_back((_NAME,))
    return key is not None


def _tell(desk: "Desk", key: str, hints: "tuple[Hint, ...]") -> None:
    words = desk.words
    helpline = desk.config.shop.get("helpline", "")
    text = words(key) + ("\nTel. " + helpline if helpline else "")
    desk.ui.tell(words("m_info"), text, hints)
