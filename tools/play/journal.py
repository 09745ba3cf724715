"""The terminal's journal as it grows, read from the cells of its flash by docs/formats/journal.md.

In words for people who watch. No PIN is in it in clear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hw_sim.threaded import SimulatedBoard
from tools.play.making import CURRENCY, PRICES
from updater_server.wire.journal_record import NotARecord, Record, RecordKind

_AT: Final = 0x050000
_SECTORS: Final = 128
_SECTOR_BYTES: Final = 4096
_HEAD_BYTES: Final = 32
_AROUND_BYTES: Final = 22
_MAGIC: Final = b"DKJ\x01"
NAMES: Final[dict[int, str]] = {
    RecordKind.BOOT: "boot",
    RecordKind.INTENT_OFFLINE: "intent, from stock",
    RecordKind.INTENT_ONLINE: "intent, online",
    RecordKind.DELIVERED: "delivered",
    RecordKind.REFUSED: "refused",
    RecordKind.PRINTED: "printed",
    RecordKind.REPRINT: "reprint",
    RecordKind.SETTLED: "settled",
    RecordKind.STOCK: "stock",
    RecordKind.SETTING: "setting",
    RecordKind.CARRIED: "carried",
    12: "details",
    13: "pending",
    14: "cancel",
    RecordKind.SHIFT_OPENED: "shift opened",
    RecordKind.SHIFT_CLOSED: "shift closed",
    RecordKind.Z_REPORT: "Z report",
}


def money(amount_minor: int) -> str:
    """An amount as people read it."""
    whole, rest = divmod(abs(amount_minor), 10**PRICES.minor_digits)
    sign = "-" if amount_minor < 0 else ""
    return f"{CURRENCY} {sign}{whole:,}.{rest:0{PRICES.minor_digits}}".replace(",", " ")


class JournalEyes:
    """Looks at the journal of `board`; `new` gives what was appended since the last look."""

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board
        self._operations = -1
        self._seen = 0

    def new(self) -> list[tuple[int, str, str]]:
        """(sequence number, kind, what it says) of each record that is new, oldest first."""
        operations = self._board.flash.operations
        if operations == self._operations:
            return []
        self._operations = operations
        records = self._board.call(self._newest_records)
        if records and records[-1].sequence < self._seen:
            self._seen = 0  # another journal: the board was made anew
        fresh = [record for record in records if record.sequence > self._seen]
        if fresh:
            self._seen = fresh[-1].sequence
        return [(record.sequence, kind_of(record), say(record)) for record in fresh]

    def _newest_records(self) -> list[Record]:
        flash = self._board.flash
        heads = {}
        for index in range(_SECTORS):
            head = flash.read(_AT + index * _SECTOR_BYTES, _HEAD_BYTES)
            if head[:4] == _MAGIC:
                heads[int.from_bytes(head[4:8], "big")] = index
        found: dict[int, Record] = {}
        for number in sorted(heads)[-2:]:
            sector = flash.read(_AT + heads[number] * _SECTOR_BYTES, _SECTOR_BYTES)
            found.update((record.sequence, record) for record in _records(sector))
        return [found[sequence] for sequence in sorted(found)]


def _records(sector: bytes) -> list[Record]:
    """All whole records of one sector."""
    at = _HEAD_BYTES + int.from_bytes(sector[24:26], "big") + 8
    at += -at % 4
    found = []
    while at + _AROUND_BYTES <= len(sector):
        size = _AROUND_BYTES + sector[at + 1]
        try:
            found.append(Record.parse(sector[at : at + size]))
        except NotARecord:
            at += 4
            continue
        at += size + -size % 4
    return found


def kind_of(record: Record) -> str:
    """Its kind in words."""
    return NAMES.get(record.kind, str(record.kind))


def say(record: Record) -> str:
    """What it says, in words; nothing when its body is not what its kind has."""
    try:
        return _WORDS[record.kind](record.body)
    except (KeyError, ValueError, IndexError, TypeError):
        return ""


def _intent(body: list[Any]) -> str:
    names = {product.product_id: product.name for product in PRICES.products}
    which = f", voucher {body[4]} of batch {body[3]}" if len(body) > 4 else ""
    return f"{names.get(body[0], body[0])}, {money(body[1])}{which}"


_PAPER: Final = {0: "the printer is sure"}
_WORDS: Final[dict[int, Callable[[list[Any]], str]]] = {
    RecordKind.BOOT: lambda body: f"start {body[0]}, release {body[1]}, {body[2]}",
    RecordKind.INTENT_OFFLINE: _intent,
    RecordKind.INTENT_ONLINE: _intent,
    RecordKind.DELIVERED: lambda body: f"sale {body[0]}: voucher {body[2]}, its PIN sealed",
    RecordKind.REFUSED: lambda body: f"sale {body[0]}: {body[1]}",
    RecordKind.PRINTED: lambda body: f"sale {body[0]}: {_PAPER.get(body[1], 'nobody knows')}",
    RecordKind.REPRINT: lambda body: f"sale {body[0]}: a copy, marked DUPLICATE",
    RecordKind.SETTLED: lambda body: f"server has all through {body[0]}; float {money(body[1])}",
    RecordKind.STOCK: lambda body: f"batch {body[0]}: {body[1]} vouchers",
    RecordKind.SETTING: lambda body: f"{body[0]} = {body[1]}",
    RecordKind.CARRIED: lambda body: f"sale {body[0]} is told again",
    12: lambda body: f"sale {body[0]}: what came with its answer, sealed",
    13: lambda body: f"sale {body[0]}: the server has it, its maker has not answered",
    14: lambda body: f"sale {body[0]}: the merchant asks to cancel it",
    RecordKind.SHIFT_OPENED: lambda body: f"with {money(body[0])} in the drawer",
    RecordKind.SHIFT_CLOSED: lambda body: (
        f"shift {body[0]}: counted {money(body[1])}, expected {money(body[2])}, sales {body[3]}"
    ),
    RecordKind.Z_REPORT: lambda body: f"number {body[0]}: {body[2]} sales, {money(body[3])}",
}
