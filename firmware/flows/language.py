"""The language of the screen and the paper."""

from firmware.ui.texts import LANGUAGES, NAMES, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Choose the language; it is kept."""
    at = await desk.ui.choose(desk.words("m_language"), NAMES)
    if isinstance(at, int):
        desk.memory.put("language", LANGUAGES[at])
        desk.words = desk.ui.words = Words(LANGUAGES[at])
