"""Signing in: who it is, where there are several people, and that person's PIN.

The first page waits for most of the day: while it does, nobody's PIN lies in the heap, nor what
judges one.
"""

from bootloader.shared.compat import const
from firmware.lent import give_back, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

REST_MS = 600000  # so seldom a terminal that nobody touches draws its first page anew
_OWNER = const(0)
_MOST_DIGITS = const(8)
_PEOPLE = "firmware.kept.people"
_PIN = "firmware.flows.steps.pin"


async def run(desk: "Desk") -> int | None:
    """Ask for the PIN; the person's role when it was right, else None. The till notes who sells."""
    words = desk.words
    others = _others(desk)
    number = _OWNER
    title = desk.config.merchant_name
    rest_ms = REST_MS
    if others:
        people = [(_OWNER, words("owner"))] + others
        at = await desk.ui.choose(title, [name for _, name in people], "", rest_ms=REST_MS)
        number, title = people[at if isinstance(at, int) else 0]
        rest_ms = 0
    if not await _is_open(desk, number, bool(others)):
        return None
    waiting = len(desk.till.unfinished())
    text = words("waiting", waiting) if waiting else words("your_pin")
    back = "back" if others else None
    typed = await desk.ui.digits(title, text, _MOST_DIGITS, True, back, rest_ms=rest_ms)
    return None if typed is None else await _judged(desk, number, typed)


def _others(desk: "Desk") -> list[tuple[int, str]]:
    """Number and name of everybody but the owner."""
    try:
        return [(one.number, one.name) for one in load(_PEOPLE).load(desk.files).others]
    finally:
        give_back((_PEOPLE,))


async def _is_open(desk: "Desk", number: int, may_leave: bool) -> bool:
    """Whether that person may try: after the pause that wrong PINs cost."""
    try:
        found: bool = await load(_PIN, (_PEOPLE,)).wait_out(desk, number, may_leave)
        return found
    finally:
        give_back((_PIN, _PEOPLE))


async def _judged(desk: "Desk", number: int, typed: str) -> int | None:
    """The role of that person if the PIN is right, else None."""
    try:
        pin = load(_PIN, (_PEOPLE,))
        everybody = load(_PEOPLE).load(desk.files)
        if not await pin.judge(desk, everybody, number, typed):
            return None
        desk.till.person = number
        one = everybody.find(number)
        return one.role if one else _OWNER
    finally:
        give_back((_PIN, _PEOPLE))
