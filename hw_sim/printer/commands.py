"""ESC/POS framing: from bytes in any pieces to commands, nothing dropped and nothing guessed.

For `hw_sim.printer` only. The parameter counts come from Epson's public ESC/POS command
reference. It says where a command ends, not what it does; what the table does not know is framed as
two bytes and marked unknown, and the bytes after it print as text, as they would on hardware.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

NUL, EOT, ENQ, HT, LF, FF, CR = 0x00, 0x04, 0x05, 0x09, 0x0A, 0x0C, 0x0D
DLE, DC4, CAN, ESC, FS, GS = 0x10, 0x14, 0x18, 0x1B, 0x1C, 0x1D

ROW_KEEP_BYTES: Final = 48
"""Bytes of a raster row that fit on 384 dots; what is wider falls off the paper."""

BLOCK_KEEP_BYTES: Final = 7200
"""Longest parameter block kept (a full QR symbol is 7089 digits); the rest is counted, not kept."""

_ESC: Final = {
    **dict.fromkeys(b"2@LSimv<", 0),
    **dict.fromkeys(b"! %-3=?AEGJKMRTUVadertu{", 1),
    **dict.fromkeys(b"$\\cB", 2),
    ord("p"): 3,
    ord("W"): 8,
}
_GS: Final = {
    **dict.fromkeys(b":", 0),
    **dict.fromkeys(b"!/BEHITabfhrwx", 1),
    **dict.fromkeys(b"$LPW\\", 2),
    ord("^"): 3,
}
_FS: Final = {
    **dict.fromkeys(b"&.", 0),
    **dict.fromkeys(b"!-CW", 1),
    **dict.fromkeys(b"Sp", 2),
}


@dataclass(frozen=True)
class Command:
    """One framed command. `name` is "text", "LF", "ESC !", "GS ( k", "unknown" and the like.

    `parameters` are the bytes after the name (the text itself for "text", all bytes for "unknown");
    `size_bytes` is what it took of the receive buffer.
    """

    name: str
    parameters: bytes = b""
    size_bytes: int = 0
    offset: int = 0


class NotDone(Exception):
    """The printer does nothing for this command; the text says why."""


class Framer:
    """Cuts a byte stream into commands. The same bytes in other pieces give the same commands,
    save that a "text" may be cut anywhere."""

    def __init__(self) -> None:
        self._ready: list[Command] = []
        self._offset = 0
        self._taken = 0
        self._machine = self._run()
        next(self._machine)

    @property
    def pending_bytes(self) -> int:
        """Bytes held of a command whose end has not come."""
        return self._taken

    def feed(self, data: bytes) -> list[Command]:
        """Commands that these bytes completed, in order."""
        for byte in data:
            self._offset += 1
            self._taken += 1
            self._machine.send(byte)
        ready, self._ready = self._ready, []
        return ready

    def _emit(self, name: str, parameters: bytes = b"") -> None:
        size, self._taken = self._taken, 0
        last = self._ready[-1] if self._ready else None
        if name == "text" and last is not None and last.name == "text":
            self._ready[-1] = Command(
                "text", last.parameters + parameters, last.size_bytes + size, last.offset
            )
        else:
            self._ready.append(Command(name, parameters, size, self._offset - size))

    def _run(self) -> Generator[None, int, None]:
        single = {LF: "LF", CR: "CR", HT: "HT", FF: "FF", CAN: "CAN"}
        while True:
            byte = yield
            if byte >= 0x20:
                self._emit("text", bytes((byte,)))
            elif byte in single:
                self._emit(single[byte])
            elif byte == ESC:
                yield from self._escape()
            elif byte == GS:
                yield from self._group()
            elif byte == FS:
                yield from self._from_table("FS", FS, _FS, (yield))
            elif byte == DLE:
                yield from self._real_time()
            elif byte == NUL:
                self._emit("NUL")
            else:
                self._emit("unknown", bytes((byte,)))

    def _take(self, count: int, keep: int = BLOCK_KEEP_BYTES) -> Generator[None, int, bytes]:
        kept = bytearray()
        for _ in range(count):
            byte = yield
            if len(kept) < keep:
                kept.append(byte)
            else:
                self._taken -= 1  # passed over as it comes: takes no room in the buffer
        return bytes(kept)

    def _from_table(
        self, prefix: str, lead: int, table: dict[int, int], letter: int
    ) -> Generator[None, int, None]:
        count = table.get(letter)
        if count is None:
            self._emit("unknown", bytes((lead, letter)))
            return
        parameters = yield from self._take(count)
        self._emit(f"{prefix} {chr(letter)}", parameters)

    def _escape(self) -> Generator[None, int, None]:
        letter = yield
        if letter == ord("D"):
            stops = bytearray()
            while (stop := (yield)) != NUL:
                if len(stops) == 32:
                    break
                stops.append(stop)
            self._emit("ESC D", bytes(stops))
        elif letter == ord("*"):
            head = yield from self._take(3)
            columns = head[1] | head[2] << 8
            data = yield from self._take(columns * (3 if head[0] in (32, 33) else 1))
            self._emit("ESC *", head + data)
        else:
            yield from self._from_table("ESC", ESC, _ESC, letter)

    def _group(self) -> Generator[None, int, None]:
        letter = yield
        if letter == ord("("):
            function = yield
            low, high = (yield), (yield)
            data = yield from self._take(low | high << 8)
            self._emit(f"GS ( {chr(function)}", data)
        elif letter == ord("v"):
            yield from self._raster()
        elif letter == ord("k"):
            kind = yield
            content = bytearray()
            if kind <= 6:
                while (byte := (yield)) != NUL and len(content) < 255:
                    content.append(byte)
            else:
                content += yield from self._take((yield))
            self._emit("GS k", bytes((kind,)) + content)
        elif letter == ord("V"):
            mode = yield
            feed = (yield) if mode in (65, 66, 97, 98, 103, 104) else 0
            self._emit("GS V", bytes((mode, feed)))
        elif letter == ord("*"):
            width, height = (yield), (yield)
            data = yield from self._take(width * height * 8)
            self._emit("GS *", bytes((width, height)) + data)
        else:
            yield from self._from_table("GS", GS, _GS, letter)

    def _raster(self) -> Generator[None, int, None]:
        kind = yield
        if kind != ord("0"):
            self._emit("unknown", bytes((GS, ord("v"), kind)))
            return
        head = yield from self._take(5)
        self._emit("GS v 0", head)
        width, height = head[1] | head[2] << 8, head[3] | head[4] << 8
        if width == 0:
            return
        for _ in range(height):
            row = yield from self._take(width, ROW_KEEP_BYTES)
            self._emit("raster row", bytes((head[0],)) + row)

    def _real_time(self) -> Generator[None, int, None]:
        letter = yield
        if letter == EOT:
            which = yield
            self._emit("DLE EOT", bytes((which,)))
        elif letter == ENQ:
            which = yield
            self._emit("DLE ENQ", bytes((which,)))
        elif letter == DC4:
            parameters = yield from self._take(3)
            self._emit("DLE DC4", parameters)
        else:
            self._emit("unknown", bytes((DLE, letter)))
