"""How any modem joins a network: card, registration and packet service as 3GPP TS 27.007 has them.
In the heap only while a link is made (`ladder`). The figures of +CME ERROR: 27.007, section 9.2.
"""

from bootloader.shared.compat import sleep_ms, ticks_add, ticks_diff, ticks_ms
from firmware.net.modem.chat import ERRORS, OK, RESTARTED, ChatAborted, is_ascii
from firmware.net.modem.no_link import NoCoverage, NoSim, RegistrationDenied, SimLocked

GONE = ERRORS + RESTARTED
"""What ends a step that takes the network minutes: errors, and a part that starts anew."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.standard import Cell


async def settle(cell: "Cell") -> None:
    """No echo, errors by number, news of registration. Raises ChatError."""
    await cell.chat.script(
        ((b"ATE0", OK, 1000), (b"AT+CMEE=1", OK, 1000), (b"AT+CREG=1", OK, 1000))
    )


async def radio_cycle(cell: "Cell") -> None:
    """Radio off and on, if it answers. Raises ChatError."""
    cell.registered = False
    if await cell.answers(cell.answer_ms):
        await cell.chat.command(b"AT+CFUN=0", OK, 10000)
        await sleep_ms(cell.step_ms)
        await cell.chat.command(b"AT+CFUN=1", OK, 10000)


async def check_sim(cell: "Cell") -> None:
    """Wait until the card is ready. Raises NoSim, SimLocked, ChatError."""
    deadline = ticks_add(ticks_ms(), cell.sim_ms)
    while True:
        try:
            found = await cell.chat.lines(b"AT+CPIN?", 5000, b"+CPIN:")
            said = found[0][6:].strip() if found else b""
            if said == b"READY":
                return
            if said.startswith((b"SIM P", b"PH")):
                raise SimLocked(str(said, "ascii") if is_ascii(said) else "")
            if said == b"NOT INSERTED":
                raise NoSim()
        except ChatAborted as error:
            said = error.line[11:].strip() if error.line.startswith(b"+CME") else b""
            if said in (b"10", b"SIM not inserted"):
                raise NoSim()
            if said in (b"11", b"12", b"16", b"17", b"18"):
                raise SimLocked("CME " + str(said, "ascii"))
        # 14 is "busy": the card is still being read.
        if ticks_diff(deadline, ticks_ms()) <= 0:
            raise NoSim("not ready")
        await sleep_ms(cell.step_ms // 2)


async def register(cell: "Cell") -> None:
    """Wait until a network has us; after a search in vain not as long again. Raises
    RegistrationDenied, NoCoverage, ChatError.
    """
    start = ticks_ms()
    search_ms = cell.search_ms or cell.registration_ms
    denied_since = None
    while True:
        cell.registration = b""
        await cell.chat.lines(b"AT+CREG?", 5000, b"+CREG:")
        if cell.registered:
            break
        now = ticks_ms()
        if cell.registration != b"3":
            denied_since = None
        elif denied_since is None:
            denied_since = now
        if denied_since is not None and ticks_diff(now, denied_since) >= cell.denied_ms:
            raise RegistrationDenied()
        if ticks_diff(now, start) >= search_ms:
            cell.search_ms = min(cell.search_again_ms, search_ms)
            raise NoCoverage()
        # the longer nothing comes, the less often it is worth a wake-up
        await sleep_ms(min(cell.step_ms + ticks_diff(now, start) // 8, 5 * cell.step_ms))
    cell.search_ms = 0
    await cell.read_signal()


async def attach(cell: "Cell") -> None:
    """Packet service on, if it is not. Raises ChatError."""
    found = await cell.chat.lines(b"AT+CGATT?", 10000, b"+CGATT:")
    if b"+CGATT: 1" not in found:
        await cell.chat.command(b"AT+CGATT=1", OK, 75000, GONE)
