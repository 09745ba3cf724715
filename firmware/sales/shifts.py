"""Shifts and Z reports: what the journal has of them, and their records. Loaded by name.

The journal alone knows: which shift is open and which number the next Z gets is found by going back
through it, so no cut can leave two places that differ. Records: docs/formats/journal.md.
"""

from bootloader.shared.compat import const, sleep_ms
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.state import SETTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.sales.journal import Journal
    from firmware.sales.tally import Tally

_MOST_CLOSED = const(20)
_COPY = "copy "
SHIFT_OPENED = const(15)
SHIFT_CLOSED = const(16)
Z_REPORT = const(17)
_MOST_BYTES = const(96)  # more than any of these records has


class Shift:
    """One that is open: `number` is the sequence of its record, `cash_minor` what was there."""

    def __init__(self, number: int, time: int, body: "list[Any]") -> None:
        self.number = number
        self.time = time
        self.cash_minor, self.person = body[:2]


class Closed:
    """One that is closed: `number` as it had it open; what was counted, and what should have been
    there.
    """

    def __init__(self, sequence: int, time: int, body: "list[Any]") -> None:
        self.sequence = sequence
        self.time = time
        self.number, self.counted_minor, self.expected_minor, self.count, self.person = body[:5]


class Report:
    """A Z report as its record says it: of the records from `first` up to its own, `sequence`."""

    def __init__(self, sequence: int, time: int, body: "list[Any]") -> None:
        self.sequence = sequence
        self.time = time
        (
            self.number,
            self.first,
            self.count,
            self.total_minor,
            self.commission_minor,
            self.tag,
        ) = body[:6]


class Shifts:
    """`look_back`, then ask; `open`: shifts, the oldest first; `closed`: the newest first, at most
    20; `last`: the newest Z, or None.
    """

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal
        self.open: list[Shift] = []
        self.closed: list[Closed] = []
        self.last: Report | None = None
        self._copies: dict[int, int] = {}  # how many there are of the slip of that record
        self._lost: list[int] = []

    async def look_back(self, number: int | None = None) -> None:
        """Go back through the journal, a sector at a time.

        `number`: only as far as the Z report of that number, or, if 0, the newest one; which is
        then `last`. None: all of it.
        """
        ring = self._journal.ring
        behind = ring.next_sequence
        closed: list[int] = []
        for sector in range(ring.newest, max(-1, ring.newest - ring.sectors), -1):
            first = ring.first[sector % ring.sectors]
            if not 0 < first < behind:
                continue
            opened: list[Shift] = []
            ended: list[Closed] = []
            for sequence, kind, time, body, _ in self._journal.records(first):
                if sequence >= behind:
                    break
                if not kind:
                    self._lost.append(sequence)
                elif kind == SHIFT_OPENED and body:
                    opened.append(Shift(sequence, time, body))
                elif kind == SHIFT_CLOSED and body:
                    closed.append(body[0])
                    ended.append(Closed(sequence, time, body))
                elif kind == SETTING and body and str(body[0]).startswith(_COPY):
                    self._copied(body)
                elif kind == Z_REPORT and body:
                    found = Report(sequence, time, body)
                    if not number or found.number == number:
                        self._newer(found)
            self.open = [one for one in opened if one.number not in closed] + self.open
            ended.reverse()
            self.closed = (self.closed + ended)[:_MOST_CLOSED]
            behind = first
            if self.last and number is not None:
                break
            await sleep_ms(0)

    def _newer(self, found: Report) -> None:
        if not self.last or found.sequence > self.last.sequence:
            self.last = found

    def _copied(self, body: "list[Any]") -> None:
        """A record of `note_copy`."""
        of = str(body[0])[len(_COPY) :]
        if of.isdigit() and isinstance(body[1], int):
            self._copies[int(of)] = max(body[1], self._copies.get(int(of), 0))

    def opened(self, number: int) -> Shift | None:
        """The shift of that number as it began, None if that has left the journal."""
        found = self._journal.read(number)
        if not found or found[0] != SHIFT_OPENED:
            return None
        return Shift(number, found[1], found[2])

    def of(self, person: int) -> Shift | None:
        """The shift that somebody has open."""
        for one in self.open:
            if one.person == person:
                return one
        return None

    # --- writing; but for a copy all raise SaleRefused: journal_full, and nothing was written ---

    def open_shift(self, person: int, cash_minor: int) -> None:
        """Somebody begins, with that much cash in the drawer."""
        self._append(SHIFT_OPENED, [cash_minor, person])

    def close_shift(self, shift: Shift, counted_minor: int, tally: "Tally", by: int) -> int:
        """End a shift; what the drawer should have, in minor units. `tally`: of its sales, as far
        as it was run.
        """
        tally.finish()
        expected_minor: int = shift.cash_minor + tally.total_minor
        body = [shift.number, counted_minor, expected_minor, tally.count, shift.person, by]
        self._append(SHIFT_CLOSED, body)
        return expected_minor

    def note_copy(self, sequence: int) -> int:
        """A copy of the slip of that record is about to be printed: which one it is, 0 if the
        journal is full; a copy is not kept from who needs it.
        """
        number = self._copies.get(sequence, 0) + 1
        try:
            self._journal.append(SETTING, [_COPY + str(sequence), number])
        except JournalFull:
            return 0
        return number

    def next_z(self) -> tuple[int, int]:
        """(number of the next Z report, the first record that it counts)."""
        number = behind = 0
        if self.last:
            number, behind = self.last.number, self.last.sequence
        elif self._journal.oldest > 1:
            # The ring turned since the last one, if there was any. No number is higher than that
            # of the record that it stands in: this one was never given.
            return self._journal.next_sequence, self._journal.oldest
        # each record that flash lost since may have been one
        return number + 1 + len([at for at in self._lost if at > behind]), behind + 1

    def make_z(self, tally: "Tally") -> Report:
        """Write the next Z report; `tally`: from its first record on, as far as it was run."""
        journal = self._journal
        number, _ = self.next_z()
        journal.make_room(_MOST_BYTES)  # what is restated for it comes before its digest
        tally.finish()
        figures = [tally.count, tally.total_minor, tally.commission_minor]
        body = [number, tally.first] + figures + [journal.ring.chain]
        sequence = self._append(Z_REPORT, body)
        found = journal.read(sequence)
        return Report(sequence, found[1] if found else 0, body)

    def _append(self, kind: int, body: "list[Any]") -> int:
        try:
            sequence: int = self._journal.append(kind, body)
            return sequence
        except JournalFull:
            raise SaleRefused("journal_full")
