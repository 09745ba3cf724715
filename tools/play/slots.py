"""Which version a terminal runs, read from the cells of its flash by docs/formats/control-block.md
and the flash map of docs/architecture.md.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hw_sim.threaded import SimulatedBoard

_CONTROL_AT: Final = 0x040000
_RECORD_BYTES: Final = 256
_RECORDS: Final = 32
_MAGIC: Final = b"DKC1"
_SLOT_AT: Final = {1: 0x0D0000, 2: 0x170000}
_STATES_AT: Final = {1: 76, 2: 128}
_GOOD, _TRIAL = 1, 2
_SPOILED_BYTES: Final = 64


class Slots(NamedTuple):
    """What the newest record says; its seal is the bootloader's business."""

    active: int
    states: dict[int, int]

    @property
    def on_trial(self) -> bool:
        """Whether what runs has yet to prove itself."""
        return self.states.get(self.active) == _TRIAL

    @property
    def has_way_back(self) -> bool:
        """Whether the other slot holds a version that proved itself."""
        return self.states.get(3 - self.active) == _GOOD


def read(board: SimulatedBoard) -> Slots:
    """Of a board, switched on or off; a blank one runs slot 0."""
    return board.call(_read, board)


def _read(board: SimulatedBoard) -> Slots:
    records = (
        board.flash.read(_CONTROL_AT + number * _RECORD_BYTES, _RECORD_BYTES)
        for number in range(_RECORDS)
    )
    whole = [record for record in records if record[:4] == _MAGIC]
    if not whole:
        return Slots(0, {})
    newest = max(whole, key=lambda record: int.from_bytes(record[4:8], "little"))
    return Slots(newest[12], {slot: newest[at] for slot, at in _STATES_AT.items()})


def spoil(board: SimulatedBoard, slot: int) -> None:
    """Clear bits in the middle of a slot's image, as worn cells do. The board must be off."""
    cells = bytearray(board.flash.snapshot())
    at = _SLOT_AT[slot] + 4096
    for offset in range(at, at + _SPOILED_BYTES):
        cells[offset] &= 0x0F
    board.call(board.flash.restore, bytes(cells))
