"""One merchant after the other, from the PIN to signing out; a task of the terminal."""

from bootloader.shared.compat import collect
from firmware.lent import give_back, load, loaded
from firmware.log import log
from firmware.ui.dialogs import Idle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


_HELD = "firmware.flows.steps.held"
_STAY = ("firmware.flows.session",)
"""What of the flows is never given back: it waits for the next merchant."""


async def sessions(desk: "Desk") -> None:
    """Let one merchant after the other sign in, for ever, while there is something to sell."""
    while True:
        collect()
        if desk.till.stolen:
            await load(_HELD).stolen(desk)
            continue
        if not desk.catalogue.products and not desk.till.unfinished():
            desk.ui.tell(desk.words("service"), desk.words("s_catalogue"))
            await desk.ui.key_within("", 1000)
            continue
        if desk.memory.get("wiped", False) and not await load(_HELD).wiped(desk):
            continue
        await session(desk)


async def session(desk: "Desk") -> None:
    """One merchant's time at the terminal."""
    try:
        role = await _sign_in(desk)
        if role is None:
            return
    except Idle:
        return
    try:
        log("session", "signed in")
        desk.link.hurry()  # nobody looked for a while: how strong is the signal now?
        menu = load("firmware.flows.menu")
        if desk.till.unfinished() and menu.may(role, "recover"):
            await menu.run_flow(desk, "recover")
        await menu.menu(desk, role)
        log("session", "signed out")
    except Idle:
        log("session", "left alone")
    finally:
        give_back(loaded("firmware.flows", _STAY))


async def _sign_in(desk: "Desk") -> int | None:
    """The role of who signed in, None: nobody did."""
    try:
        role: int | None = await load("firmware.flows.sign_in").run(desk)
        return role
    finally:
        give_back(loaded("firmware.flows", _STAY))
