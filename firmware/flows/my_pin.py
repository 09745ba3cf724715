"""A person's own PIN, changed: the old one, then the new one twice."""

from firmware.flows.steps import pin
from firmware.kept import people

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """Change the PIN of whoever is signed in."""
    words = desk.words
    number = desk.till.person
    everybody = people.load(desk.files)
    title = words("m_pin")
    old = await desk.ui.digits(title, words("pin_old"), people.MOST_DIGITS, True)
    # who finds a terminal open must not guess here what he cannot guess at the sign-in
    if old is None or not await pin.judge(desk, everybody, number, old):
        return
    new = await pin.new_pin(desk, title)
    if new is None:
        return
    try:
        pin.keep(desk, everybody, number, new)
    except OSError:
        await desk.ui.bad(title, words("not_kept"))
        return
    desk.ui.good()
    await desk.ui.ask(title, words("pin_kept"), (("#", "ok"),), timeout_ms=10000)
