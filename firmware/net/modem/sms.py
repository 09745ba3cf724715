"""Short messages of eight-bit data: one sent, and what lies on the card taken. In the heap only
while it is used (`office.by_sms`). Whoever calls holds the modem's lock.

Who sent a message is not even read: the network does not vouch for it. Source: 3GPP TS 23.040
section 9.2 (SMS-DELIVER, SMS-SUBMIT), TS 23.038 section 4 (data coding), TS 27.005 (commands).
"""

from bootloader.shared.compat import const
from firmware.net.modem.chat import OK, ChatAborted, ChatError, ChatTimeout
from firmware.net.modem.errors import LinkError
from firmware.net.modem.standard import is_digits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware.net.modem.driver import Modem

DATA_BYTES = const(140)
_TPDU_BYTES = const(176)  # the longest SMS-DELIVER has 165
_CENTRE_BYTES = const(12)
_PLACES = const(255)
_SEND_MS = const(60000)
_HOUR = const(11)  # (11 + 1) * 5 minutes: who asks has the answer by then, or asks anew


def submit(number: str, data: bytes) -> bytes:
    """The SMS-SUBMIT of `data` to `number` (digits, + before an international one), with the card's
    own service centre before it. Raises LinkError: that is no number.
    """
    digits = number[number.startswith("+") :]
    if not is_digits(digits.encode()) or not 3 <= len(digits) <= 15:
        raise LinkError("no telephone number")
    kind = 0x81 if digits == number else 0x91
    pairs = digits + "F" * (len(digits) & 1)
    head = bytearray((0, 0x11, 0, len(digits), kind))
    for at in range(0, len(pairs), 2):
        head.append(int(pairs[at + 1] + pairs[at], 16))
    head.extend(bytes((0, 4, _HOUR, len(data))))
    return bytes(head) + data


def parse(tpdu: bytes) -> bytes | None:
    """The data of an SMS-DELIVER; None unless it is one message whole, of eight-bit data, without a
    header.
    """
    if len(tpdu) < 13 or tpdu[0] & 0x43:
        return None
    at = 3 + (tpdu[1] + 1) // 2
    if tpdu[1] > 20 or len(tpdu) < at + 10:
        return None
    coding = tpdu[at + 1]
    is_data = coding & 0xF4 == 0xF4 if coding & 0xE0 else coding & 0x0C == 4
    data = tpdu[at + 10 :]
    if not is_data or tpdu[at + 9] != len(data) or len(data) > DATA_BYTES:
        return None
    return data


async def send(modem: "Modem", number: str, data: bytes) -> None:
    """One message of at most DATA_BYTES. When it returns the network has it, as far as anybody
    knows: one that was given to the modem whole, and whose answer was lost, may have gone out.

    Raises:
        LinkError: it was not taken.
    """
    pdu = submit(number, data)
    chat = modem.chat
    try:
        await chat.command(b"AT+CMGF=0")
        await chat.command(b"AT+CMGS=%d" % (len(pdu) - 1), (b">",), 5000)
        chat.in_step = False
        await chat.write(pdu.hex().upper().encode() + b"\x1a")
        try:
            if await chat.wait((b"+CMGS:",) + OK, _SEND_MS) != b"OK":
                await chat.wait(OK, 2000)
            chat.in_step = True
        except ChatTimeout:
            modem.log("modem: sms: no answer")
    except ChatError as error:
        raise LinkError("sms: " + str(error))


async def take(modem: "Modem", use: "Callable[[bytes], bool]") -> None:
    """Show `use` each message of eight-bit data on the card, oldest place first: what it says True
    to is removed, and so is whatever else lies there, as a full card hears nothing more.

    Raises:
        LinkError: the modem failed; what was not looked at yet is looked at next time.
    """
    chat = modem.chat
    modem.sms_waiting = False
    try:
        await chat.script(((b"AT+CMGF=0", OK, 2000), (b"AT+CNMI=2,1", OK, 2000)))
        told = await chat.lines(b"AT+CPMS?", 5000, b"+CPMS:")
        figures = told[0].split(b",") if told else ()
        if len(figures) < 3 or not is_digits(figures[1]) or not is_digits(figures[2]):
            raise ChatError("no memory for messages")
        left, places = int(figures[1]), min(int(figures[2]), _PLACES)
        place = 0
        while left > 0 and place < places:
            place += 1
            tpdu = await _read(modem, place)
            if tpdu is None:
                continue
            left -= 1
            data = parse(tpdu)
            if data is None or use(data):
                await chat.command(b"AT+CMGD=%d" % place, OK, 5000)
    except ChatError as error:
        raise LinkError("sms: " + str(error))


async def _read(modem: "Modem", place: int) -> bytes | None:
    """The message at a place of the card, b"" where it is none that can be; None if it is free, or
    if something came in between, so that it is left for another look. Raises ChatError.
    """
    chat = modem.chat
    try:
        head = await chat.command(b"AT+CMGR=%d" % place, (b"+CMGR:", b"OK"), 5000)
    except ChatAborted:
        return None
    if head == b"OK":
        return None
    chat.in_step = False
    figure = head[head.rfind(b",") + 1 :].strip()
    size = int(figure) if is_digits(figure) and len(figure) < 4 else 0
    # its line is longer than any that the chat keeps
    tpdu: bytes | None = b""
    centre = await _hex(modem, 1)
    if centre is None:
        tpdu = None
    elif centre[0] <= _CENTRE_BYTES and size <= _TPDU_BYTES:
        tpdu = await _hex(modem, centre[0])
        if tpdu is not None:
            tpdu = await _hex(modem, size)
    await chat.wait(OK, 2000)
    chat.in_step = True
    return tpdu


async def _hex(modem: "Modem", size: int) -> bytes | None:
    """So many bytes, read as hexadecimal digits; None if they are others. Raises ChatError."""
    text = bytearray(2 * size)
    await modem.chat.read_raw(memoryview(text), 5000)
    if not all(byte in b"0123456789ABCDEFabcdef" for byte in text):
        return None
    digits = str(text, "ascii")
    return bytes([int(digits[at : at + 2], 16) for at in range(0, 2 * size, 2)])
