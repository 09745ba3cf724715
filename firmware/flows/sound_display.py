"""How the terminal sounds, and how strong its picture is; both are kept over a restart."""

from firmware.drivers import contrast
from firmware.drivers.buzzer import ALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

_LEVELS = ("snd_all", "snd_results", "snd_off")
"""From `ALL` down."""


async def run(desk: "Desk") -> None:
    """Sound where the board has any, and contrast."""
    words = desk.words
    if not desk.ui.buzzer.sound:
        await _contrast(desk)
        return
    at = await desk.ui.choose(words("m_set"), [words("snd"), words("contrast")])
    if at == 0:
        await _sound(desk)
    elif at == 1:
        await _contrast(desk)


async def _sound(desk: "Desk") -> None:
    at = await desk.ui.choose(desk.words("snd"), [desk.words(level) for level in _LEVELS])
    if isinstance(at, int):
        desk.ui.buzzer.level = ALL - at
        desk.memory.put("sound", ALL - at)
        desk.ui.good()  # as it sounds from now on


async def _contrast(desk: "Desk") -> None:
    """A and B change it at once; what is not kept is as it was."""
    words = desk.words
    kept = step = desk.memory.get("contrast", contrast.USUAL)
    hints = (("*", "back"), ("#", "ok"))
    try:
        key = ""
        while key not in ("*", "#"):
            step = contrast.put(desk.board.lcd, step)
            big = str(step) + " / " + str(contrast.MOST)
            desk.ui.tell(words("contrast"), words("contrast_t"), hints, big)
            key = await desk.ui.key("AB*#")
            if key in "AB":
                step = min(step + 1, contrast.MOST) if key == "A" else max(step - 1, 1)
        if key == "#":
            kept = step
            desk.memory.put("contrast", step)
    finally:
        contrast.put(desk.board.lcd, kept)
