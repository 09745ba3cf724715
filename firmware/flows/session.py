"""One merchant after the other, from the PIN to signing out; a task of the terminal."""

from bootloader.shared.compat import collect
from firmware.flows.menu import STAY, menu, run_flow
from firmware.lent import give_back, load, loaded
from firmware.log import log
from firmware.ui.dialogs import Idle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def sessions(desk: "Desk") -> None:
    """Let one merchant after the other sign in, for ever, while there is something to sell."""
    while True:
        collect()
        if not desk.catalogue.products and not desk.till.unfinished():
            desk.ui.tell(desk.words("service"), desk.words("s_catalogue"))
            await desk.ui.key_within("", 1000)
            continue
        await session(desk)


async def session(desk: "Desk") -> None:
    """One merchant's time at the terminal."""
    try:
        if not await _sign_in(desk):
            return
    except Idle:
        return
    try:
        log("session", "signed in")
        desk.link.hurry()  # nobody looked for a while: how strong is the signal now?
        if desk.till.unfinished():
            await run_flow(desk, "recover")
        await menu(desk)
        log("session", "signed out")
    except Idle:
        log("session", "left alone")


async def _sign_in(desk: "Desk") -> bool:
    try:
        done: bool = await load("firmware.flows.sign_in").run(desk)
        return done
    finally:
        give_back(loaded("firmware.flows", STAY))
