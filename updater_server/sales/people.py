"""Who at a terminal sold it, as its journal says: a person's number in the intent of a sale, and
what that person was called then. For logs and counts; money asks nobody's name.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field

from sqlalchemy import Connection

from updater_server.sales import records
from updater_server.wire.journal_record import Record, RecordKind

OWNER = 0
_PERSON = "person "
_PLACE: dict[int, int] = {RecordKind.INTENT_OFFLINE: 5, RecordKind.INTENT_ONLINE: 4}
_NUMBERS = range(1, 65535)
"""docs/formats/limits.toml, `people.number`."""


def person_of(intent: Record) -> int:
    """The number of the person whose sale an intent is; `OWNER` also where it says none."""
    place = _PLACE.get(intent.kind)
    said = intent.body[place] if place is not None and len(intent.body) > place else OWNER
    return said if type(said) is int and said in _NUMBERS else OWNER


@dataclass
class Sellers:
    """Asked once for each sale of a page; a terminal's names are read once."""

    connection: Connection
    _names: dict[bytes, dict[int, list[tuple[int, str]]]] = field(default_factory=dict)

    def number(self, terminal_id: bytes, sequence: int) -> int | None:
        """Who sold that sale; None while its intent is not here."""
        intent = records.find(self.connection, terminal_id, sequence)
        if intent is None or intent.kind not in _PLACE:
            return None
        return person_of(intent)

    def name(self, terminal_id: bytes, sequence: int) -> str:
        """What who sold it was called when it was sold, "" of the owner or while nobody knows."""
        number = self.number(terminal_id, sequence)
        return self.called(terminal_id, number, sequence) if number else ""

    def called(self, terminal_id: bytes, number: int, at_sequence: int) -> str:
        """What a person was called when the terminal wrote that record; its number if never."""
        if number == OWNER:
            return "owner"
        if terminal_id not in self._names:
            self._names[terminal_id] = self._read(terminal_id)
        told = self._names[terminal_id].get(number, [])
        at = bisect.bisect(told, at_sequence, key=lambda one: one[0])
        named = [name for _, name in told[:at] if name]
        return named[-1] if named else f"person {number}"

    def _read(self, terminal_id: bytes) -> dict[int, list[tuple[int, str]]]:
        known: dict[int, list[tuple[int, str]]] = {}
        for record in records.of_kind(self.connection, terminal_id, RecordKind.SETTING, 0):
            if len(record.body) < 2 or not all(isinstance(item, str) for item in record.body[:2]):
                continue
            setting, name = record.body[:2]
            number = setting.removeprefix(_PERSON)
            if setting.startswith(_PERSON) and number.isdecimal() and len(number) < 6:
                known.setdefault(int(number), []).append((record.sequence, name[:16]))
        return known
