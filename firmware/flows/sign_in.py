"""Signing in: who it is, where there are several people, and that person's PIN."""

from firmware.flows.steps import pin
from firmware.kept import people

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.kept.people import People

REST_MS = 600000  # so seldom a terminal that nobody touches draws its first page anew


async def run(desk: "Desk") -> int | None:
    """Ask for the PIN; the person's role when it was right, else None. The till notes who sells."""
    words = desk.words
    everybody = people.load(desk.files)
    number = people.OWNER
    title = desk.config.merchant_name
    rest_ms = REST_MS
    if everybody.others:
        number = await _who(desk, everybody)
        title = name_of(desk, everybody, number)
        rest_ms = 0
    if not await pin.wait_out(desk, number, bool(everybody.others)):
        return None
    waiting = len(desk.till.unfinished())
    text = words("waiting", waiting) if waiting else words("your_pin")
    back = "back" if everybody.others else None
    typed = await desk.ui.digits(title, text, people.MOST_DIGITS, True, back, rest_ms=rest_ms)
    if typed is None or not await pin.judge(desk, everybody, number, typed):
        return None
    desk.till.person = number
    one = everybody.find(number)
    return one.role if one else people.OWNER


def name_of(desk: "Desk", everybody: "People", number: int) -> str:
    """What a person is called here."""
    one = everybody.find(number)
    return one.name if one else desk.words("owner")


async def _who(desk: "Desk", everybody: "People") -> int:
    numbers = [people.OWNER] + [one.number for one in everybody.others]
    names = [name_of(desk, everybody, number) for number in numbers]
    at = await desk.ui.choose(desk.config.merchant_name, names, "", rest_ms=REST_MS)
    return numbers[at] if isinstance(at, int) else people.OWNER
