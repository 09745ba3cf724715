"""The receipt printer of 58 or 80 mm (ESC/POS): status before and after, paced writing; for flows.

`print` promises to say whether the paper can be trusted: every original is journaled by its answer.
The status before comes from DLE EOT (answered at once, even while printing); the one after from
GS r (answered in its turn, so everything sent before it was printed). Heads that answer neither
are common: "unknown" is an answer of its own, never taken for "ok".

Commands: Epson ESC/POS reference, DLE EOT n, GS r n.
"""

import asyncio

from bootloader.shared.compat import ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.board import Uart

COLUMNS = 32

OK = "ok"
PAPER_OUT = "paper_out"
COVER_OPEN = "cover_open"
ERROR = "error"
UNKNOWN = "unknown"

ANSWER_MS = 250
PRINT_MS = 15000
CHUNK_BYTES = 48


def _realtime(byte: int) -> bool:
    # bits 1 and 4 are always set and bits 0 and 7 always clear in a DLE EOT answer
    return byte & 0x93 == 0x12


def _in_turn(byte: int) -> bool:
    # a GS r answer has bits 4 and 7 clear, which a DLE EOT answer has not
    return not byte & 0x90


class Printer:
    """One printer on a UART that has `.any() .read(n) .write(b)`."""

    def __init__(self, uart: "Uart", baud: int) -> None:
        self._uart = uart
        # a fifth slower than the line, as the head must keep up without a handshake
        self._chunk_ms = CHUNK_BYTES * 10 * 1200 // baud
        self.busy = False

    def _drain(self) -> None:
        while self._uart.any():
            self._uart.read(64)

    async def _answer(self, wanted: "Callable[[int], bool]", timeout_ms: int) -> int | None:
        """The first byte for which `wanted` holds, None when the deadline passes."""
        started = ticks_ms()
        while True:
            while self._uart.any():
                got = self._uart.read(1)
                if got and wanted(got[0]):
                    return got[0]
            if ticks_diff(ticks_ms(), started) >= timeout_ms:
                return None
            await asyncio.sleep_ms(10)

    async def status(self) -> str:
        """OK, PAPER_OUT, COVER_OPEN, ERROR, or UNKNOWN when the head does not reply."""
        self._drain()
        self._uart.write(b"\x10\x04\x02")
        offline = await self._answer(_realtime, ANSWER_MS)
        if offline is None:
            return UNKNOWN
        self._uart.write(b"\x10\x04\x04")
        paper = await self._answer(_realtime, ANSWER_MS)
        if paper is None:
            return UNKNOWN
        if offline & 0x04:
            return COVER_OPEN
        if paper & 0x60 or offline & 0x20:
            return PAPER_OUT
        return ERROR if offline & 0x40 else OK

    async def _write(self, data: bytes) -> bool:
        """Send at the head's pace; False when it stopped taking bytes."""
        view = memoryview(data)
        at = 0
        stuck = 0
        while at < len(view):
            taken = self._uart.write(view[at : at + CHUNK_BYTES]) or 0
            at += taken
            stuck = 0 if taken else stuck + 1
            if stuck > 50:
                return False
            await asyncio.sleep_ms(self._chunk_ms)
        return True

    async def print(self, data: bytes) -> tuple[bool, str]:
        """Print `data` (bytes of ESC/POS); returns (sent, status).

        `sent` is False when nothing at all was sent, because the head said beforehand that it
        cannot print. With `sent`, OK means printed to the end, UNKNOWN that it may have been, and
        any other status that the paper holds a part at best.
        """
        self.busy = True
        try:
            status = await self.status()
            if status not in (OK, UNKNOWN):
                return False, status
            replies = status == OK
            if not await self._write(data):
                return True, ERROR
            self._drain()
            self._uart.write(b"\x1dr\x01")
            waited = 0
            while waited < (PRINT_MS if replies else ANSWER_MS * 4):
                fence = await self._answer(_in_turn, ANSWER_MS * 4)
                if fence is not None:
                    # a head that goes on without paper has printed into the air
                    return True, PAPER_OUT if fence & 0x0C else OK
                waited += ANSWER_MS * 4
                if replies:
                    after = await self.status()
                    if after not in (OK, UNKNOWN):
                        return True, after
            return True, UNKNOWN
        finally:
            self.busy = False
