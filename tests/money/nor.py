"""A NOR flash in memory whose every operation can be looked at, and cut, from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

SECTOR_BYTES = 4096


@dataclass(frozen=True)
class Operation:
    """One program or erase (`data` is None) that is about to happen."""

    address: int
    data: bytes | None

    def torn(self, before: bytes) -> Iterator[tuple[str, bytes]]:
        """Names and contents of the flash after a cut around this operation.

        Modelled, not measured: half of the bytes, half of the bits, all but the last byte.
        """
        after = self.applied(before)
        size = SECTOR_BYTES if self.data is None else len(self.data)
        start, middle, end = self.address, self.address + size // 2, self.address + size
        yield "before", before
        yield "low", before[:start] + after[start:middle] + before[middle:]
        yield "high", before[:middle] + after[middle:]
        yield "almost", before[:start] + after[start : end - 1] + before[end - 1 :]
        mixed = bytes(
            (a & 0x55) | (b & 0xAA)
            for a, b in zip(after[start:end], before[start:end], strict=True)
        )
        yield "bits", before[:start] + mixed + before[end:]
        yield "after", after

    def applied(self, before: bytes) -> bytes:
        """The flash with the operation done."""
        if self.data is None:
            new = b"\xff" * SECTOR_BYTES
        else:
            old = before[self.address : self.address + len(self.data)]
            new = bytes(a & b for a, b in zip(old, self.data, strict=True))
        return before[: self.address] + new + before[self.address + len(new) :]


class Nor:
    """The calls of `Flash` (docs/architecture.md) over bytes; `on_operation` sees each first."""

    def __init__(self, content: bytes) -> None:
        self.cells = bytearray(content)
        self.size_bytes = len(content)
        self.on_operation: Callable[[Operation], None] | None = None
        self.programs = 0
        self.bytes_programmed = 0
        self.erases = 0
        self.violations = 0
        """Programs that asked a written byte to become another: forbidden to the journal."""

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        assert 0 <= address <= self.size_bytes - len(buf)
        buf[:] = self.cells[address : address + len(buf)]

    def program(self, address: int, data: bytes | bytearray | memoryview) -> None:
        wanted = bytes(data)
        assert address % 256 + len(wanted) <= 256, "crosses a page"
        if self.on_operation:
            self.on_operation(Operation(address, wanted))
        self.programs += 1
        self.bytes_programmed += len(wanted)
        for i, new in enumerate(wanted):
            old = self.cells[address + i]
            self.violations += old not in (0xFF, new)
            self.cells[address + i] = old & new

    def erase(self, address: int) -> None:
        assert address % SECTOR_BYTES == 0
        if self.on_operation:
            self.on_operation(Operation(address, None))
        self.erases += 1
        self.cells[address : address + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
