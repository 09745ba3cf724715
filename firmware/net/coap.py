"""One question and its answer by CoAP over UDP: the few parts of RFC 7252 that a sealed message
needs. In the heap only while it is asked (`office.datagram`).

A question is a confirmable POST to `/m` with an empty token: one question is under way at a time.
Who answers it, and whether it is the answer to this very question, only the seal can say; whatever
else comes is passed over.
"""

from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from firmware import counts
from firmware.net.modem.errors import LinkError, LinkTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.net.modem.driver import Modem

    Opened = Callable[[bytes], bytes | None]

CON = const(0)
NON = const(1)
ACK = const(2)
RST = const(3)
_POST = const(2)
_CHANGED = const(0x44)
_DATAGRAM_BYTES = const(1152)
_PIECE_BYTES = const(512)
_AIR_WASTED = const(7)  # of `counts`
_LATER_MS = const(12000)
"""So long may an answer take that was announced: a supplier is asked meanwhile."""


def question(message_id: int, payload: bytes) -> bytes:
    """The datagram that asks: confirmable, POST, Uri-Path `m`. `message_id`: 16 bits."""
    return b"\x40\x02" + message_id.to_bytes(2, "big") + b"\xb1m\xff" + payload


def parse(data: bytes) -> tuple[int, int, int, bytes] | None:
    """(type, code, message id, payload) of a datagram; None unless it is CoAP to the letter,
    without a token, as everything is that answers us.
    """
    size = len(data)
    if size < 4 or size > _DATAGRAM_BYTES or data[0] & 0xCF != 0x40 or (not data[1] and size > 4):
        return None
    at = 4
    while at < size and data[at] != 0xFF:
        head = data[at]
        at += 1
        extended = []
        for nibble in (head >> 4, head & 15):
            if nibble == 15:
                return None
            more = max(0, nibble - 12)
            part = data[at : at + more]
            if len(part) != more:
                return None
            at += more
            if more:
                nibble = (13 if more == 1 else 269) + int.from_bytes(part, "big")
            extended.append(nibble)
        at += extended[1]
        if at > size:
            return None
    if at == size - 1:
        return None  # a marker, and nothing behind it
    return data[0] >> 4 & 3, data[1], data[2] << 8 | data[3], data[at + 1 :]


async def ask(
    modem: "Modem",
    address: str,
    port: int,
    message_id: int,
    payload: bytes,
    waits_ms: "tuple[int, ...]",
    opened: "Opened",
) -> tuple[bytes | None, int]:
    """Send the question, again after each of `waits_ms`, until `opened` takes an answer: what it
    made of it, and after how long (ms, from the first sending on) the first word came. None when
    none came, or when the far end does not want it. The caller holds the modem's lock.

    Raises:
        LinkError: the modem failed.
    """
    datagram = question(message_id, payload)
    await modem.open(address, port, b"UDP")
    began = ticks_ms()
    heard = [began]
    try:
        for wait_ms in waits_ms:
            await modem.send(datagram)
            is_over, answer = await _hear(modem, message_id, wait_ms, opened, heard)
            if is_over:
                return answer, ticks_diff(heard[0], began)
            counts.spent(_AIR_WASTED)
    finally:
        await modem.close()
    return None, 0


async def _hear(
    modem: "Modem", message_id: int, wait_ms: int, opened: "Opened", heard: "list[Any]"
) -> tuple[bool, bytes | None]:
    """(whether to ask no more, the answer), once one has come or the time is over; in `heard` the
    ticks when the first word came.
    """
    is_taken = False
    deadline_ms = ticks_add(ticks_ms(), wait_ms)
    while True:
        try:
            data = await _datagram(modem, max(0, ticks_diff(deadline_ms, ticks_ms())))
        except LinkTimeout:
            return is_taken, None
        announced = b"\x60\x00" + message_id.to_bytes(2, "big")
        if data[:4] == announced:
            if not is_taken:
                heard[0] = ticks_ms()
                deadline_ms = ticks_add(ticks_ms(), _LATER_MS)
            is_taken = True
            data = data[4:]  # where both came before either was read they run together
        found = parse(data)
        if found is None:
            continue
        kind, code, known_id, payload = found
        is_ours = known_id == message_id
        if not is_taken:
            heard[0] = ticks_ms()
        if is_ours and (kind == RST or (kind == ACK and code >= 0x80)):
            return True, None
        if code == _CHANGED and (is_ours or kind != ACK):
            answer = opened(payload)
            if answer is not None:
                if kind == CON:
                    await modem.send(b"\x60\x00" + data[2:4])
                return True, answer


async def _datagram(modem: "Modem", timeout_ms: int) -> bytes:
    """What came. Raises LinkTimeout; LinkError, also where the socket is gone: no answer comes."""
    data = bytearray()
    while True:
        piece = await modem.receive(_PIECE_BYTES, timeout_ms)
        if not len(piece):
            raise LinkError("closed")
        data.extend(piece)
        if len(piece) < _PIECE_BYTES or len(data) > _DATAGRAM_BYTES:
            return bytes(data)
        timeout_ms = 0
