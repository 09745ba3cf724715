"""What card and network say of themselves, for a technician: as 3GPP TS 27.007 has it, and what a
dialect adds. In the heap only while it is asked. Nothing goes over the air.
"""

from firmware.net.modem.chat import ChatAborted, ChatError, is_ascii
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.sim800 import Modem

_MOST_LETTERS = 24


async def asked(modem: "Modem") -> dict[str, str]:
    """`operator`, `state` (the figure of +CREG), `cell` (area and cell, hexadecimal), `card` (its
    serial number), `imei`, `address` (of the data service) and `revision` (of the modem's own
    program): each as the modem says it, "" where it says nothing. Takes the lock.

    Raises:
        ModemError: the modem does not answer.
    """
    async with modem.lock:
        try:
            return await _figures(modem)
        except ChatError as error:
            raise ModemError(str(error))


async def _figures(modem: "Modem") -> dict[str, str]:
    found: dict[str, str] = {}
    found["operator"] = _quoted(await _line(modem, b"AT+COPS?", b"+COPS:"), 0)
    # with the cell for this one question: what comes unasked meanwhile is read all the same
    await modem.chat.command(b"AT+CREG=2")
    try:
        line = await _line(modem, b"AT+CREG?", b"+CREG:")
    finally:
        await modem.chat.command(b"AT+CREG=1")
    found["state"] = str(modem.cell.registration, "ascii")
    area, cell = _quoted(line, 0), _quoted(line, 1)
    found["cell"] = area + " " + cell if cell else ""
    await modem.cell.read_signal()
    found["card"] = await _line(modem, b"AT+CCID", b"0")
    found["imei"] = await _line(modem, b"AT+GSN", b"0")
    found["revision"] = (await _line(modem, b"AT+CGMR", b"Revision:"))[9:]
    found["address"] = await _address(modem)
    return found


async def _line(modem: "Modem", request: bytes, info: bytes) -> str:
    """The line between `request` and OK that fits `info`, "" if the modem has none."""
    try:
        found = await modem.chat.lines(request, 5000, info)
    except ChatAborted:
        return ""  # no card, or a part that does not know the command
    return str(found[0], "ascii") if found and is_ascii(found[0]) else ""


def _quoted(line: str, place: int) -> str:
    """What stands between the quotes of that place."""
    parts = line.split('"')
    return parts[2 * place + 1][:_MOST_LETTERS] if len(parts) > 2 * place + 2 else ""


async def _address(modem: "Modem") -> str:
    if not modem.attached:
        return ""
    try:
        # The one reply that no OK follows (SIM800 Series AT Command Manual 1.12, AT+CIFSR).
        return str(await modem.chat.command(b"AT+CIFSR", (b"",), 5000), "ascii")
    except ChatAborted:
        return ""
