"""The language of the screen and the paper."""

from firmware.ui.texts import LANGUAGES, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

NAMES = ("English", "Français", "Português", "Kiswahili", "Hausa", "Yorùbá")
"""Each language as it calls itself, in the order of `LANGUAGES`."""


async def run(desk: "Desk") -> None:
    """Choose the language; it is kept."""
    at = await desk.ui.choose(desk.words("m_language"), NAMES)
    if isinstance(at, int):
        desk.memory.put("language", LANGUAGES[at])
        desk.words = desk.ui.words = Words(LANGUAGES[at])
