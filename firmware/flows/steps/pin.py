"""A PIN that somebody types: counted before it is judged, and the pause that wrong ones cost.

Each person has tries of his own, in flash before the try is judged: pulling the battery is no way
to try all PINs, and who tries another's keeps nobody else from selling.
"""

from firmware.kept import people
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.kept.memory import Memory
    from firmware.kept.people import People

FREE_TRIES = 3
FIRST_LOCK_S = 30
LONGEST_LOCK_S = 3600


def lock_s(wrong: int) -> int:
    """How long a person stays locked after `wrong` wrong PINs in a row, in seconds."""
    if wrong < FREE_TRIES:
        return 0
    return min(LONGEST_LOCK_S, FIRST_LOCK_S << min(wrong - FREE_TRIES, 10))


def tries(memory: "Memory", number: int) -> tuple[int, bool]:
    """A person's (wrong PINs in a row, whether the pause for the last one is not over)."""
    if number == people.OWNER:
        return memory.get("wrong", 0), memory.get("locked", False)
    nobody: dict[str, int] = {}
    wrong = memory.get("tries", nobody).get(str(number), 0)
    if not isinstance(wrong, int):
        wrong = 0
    return abs(wrong), wrong < 0


def note(memory: "Memory", number: int, wrong: int, locked: bool) -> None:
    """Keep what `tries` gives."""
    if number == people.OWNER:  # as releases before this one keep it
        memory.put("wrong", wrong)
        memory.put("locked", locked)
        return
    nobody: dict[str, int] = {}
    kept = dict(memory.get("tries", nobody))
    kept.pop(str(number), None)
    if wrong:
        kept[str(number)] = -wrong if locked else wrong
    memory.put("tries", kept)


async def judge(desk: "Desk", everybody: "People", number: int, pin: str) -> bool:
    """Whether `pin` is that person's; a wrong one is told, and waited for."""
    wrong, _ = tries(desk.memory, number)
    # the try is counted before it is judged, so that a cut between the two gains nothing
    wrong += 1
    pause_s = lock_s(wrong)
    note(desk.memory, number, wrong, pause_s > 0)
    if everybody.is_right(desk.config, number, pin):
        note(desk.memory, number, 0, False)
        return True
    log("session", "wrong PIN of person {}, {} in a row".format(number, wrong))
    if pause_s:
        await wait_out(desk, number, bool(everybody.others))
        return False
    text = desk.words("tries_left", FREE_TRIES - wrong)
    await desk.ui.bad(desk.words("wrong_pin"), text, timeout_ms=10000)
    return False


async def wait_out(desk: "Desk", number: int, may_leave: bool) -> bool:
    """Show the lock until it is over; then one more try is free. Who leaves, that others may sign
    in, finds it whole again.
    """
    wrong, locked = tries(desk.memory, number)
    if not locked:
        return True
    hints = (("*", "back"),) if may_leave else ()
    for left_s in range(lock_s(wrong), 0, -1):
        desk.ui.tell(desk.words("locked"), desk.words("locked_for", left_s), hints)
        if await desk.ui.key_within("*" if may_leave else "", desk.second_ms):
            return False
    note(desk.memory, number, wrong, False)
    return True


async def new_pin(desk: "Desk", title: str) -> str | None:
    """A new PIN, typed twice; None: the person went back."""
    words = desk.words
    most = people.MOST_DIGITS
    while True:
        text = words("pin_new", people.LEAST_DIGITS, most)
        pin = await desk.ui.digits(title, text, most, True)
        if pin is None:
            return None
        code = "pin_easy" if people.is_guessed_first(pin) else ""
        if len(pin) < people.LEAST_DIGITS:
            code = "pin_short"
        if not code:
            if await desk.ui.digits(title, words("pin_again"), most, True) == pin:
                return pin
            code = "pin_differs"
        await desk.ui.bad(words("check_it"), words(code))


def keep(desk: "Desk", everybody: "People", number: int, pin: str) -> None:
    """Give a person a new PIN, in flash before it returns. Raises OSError: nothing changed."""
    everybody.set_pin(desk.config, number, pin, desk.board.random(16))
    people.store(desk.files, everybody)
    note(desk.memory, number, 0, False)
