"""A NOR flash in memory that counts what the journal does to it, and holds it to its own rule: a
written byte is never written again with other content."""

from __future__ import annotations

SECTOR_BYTES = 4096


class Nor:
    """The calls of `Flash` (docs/architecture.md) over bytes."""

    def __init__(self, content: bytes) -> None:
        self.cells = bytearray(content)
        self.size_bytes = len(content)
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
        self.programs += 1
        self.bytes_programmed += len(wanted)
        for i, new in enumerate(wanted):
            old = self.cells[address + i]
            self.violations += old not in (0xFF, new)
            self.cells[address + i] = old & new

    def erase(self, address: int) -> None:
        assert address % SECTOR_BYTES == 0
        self.erases += 1
        self.cells[address : address + SECTOR_BYTES] = b"\xff" * SECTOR_BYTES
