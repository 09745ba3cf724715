"""A supplier's file against the sales that it made for us. For the runs.

A pair belongs to the day of the supplier's line. Clocks differ, and an order is on its way for a
while: within `SPARE_S` of midnight the same pair is looked for on either side of it. A sale of ours
is missing in a file only where the files speak of all the time around it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from updater_server.matching import files
from updater_server.matching.findings import (
    AMOUNT,
    CHARGE,
    DUPLICATE,
    GIVE_BACK,
    LATE,
    NO_FILE,
    NONE,
    NOTE,
    NUMBER,
    ONLY_OURS,
    ONLY_THEIRS,
    Finding,
)
from updater_server.matching.page import Run, Sides
from updater_server.sales import ledger, vends
from updater_server.sales.statements import SPARE_S, Known
from updater_server.sales.suppliers.base import StatementLine
from updater_server.server_key import ServerKey
from updater_server.store.tables import sale, vend

Row = Mapping[str, Any]
_OPEN = "open"
_MANY = 500


def step(
    connection: Connection, key: ServerKey, run: Run, name: str
) -> tuple[Sides, list[Finding]]:
    """All of one supplier's day.

    Raises:
        VaultError: the supplier's secrets do not open.
    """
    told = files.told(
        connection, key, name, run.begins_at - SPARE_S, run.ends_at + SPARE_S, run.cut["files"]
    )
    ours = _ours(connection, run, name, told.lines)
    day = _Day(run, name, told, ours)
    found = day.run()
    counts = {f"{name} {what}": number for what, number in sorted(day.counts.items())}
    return Sides([], counts), found


def _ours(connection: Connection, run: Run, name: str, lines: Iterable[StatementLine]) -> list[Row]:
    """Our sales around the day, and those of other days that its lines name; each as it stood when
    the run began.
    """
    columns = (vend, sale.c.commission_minor, sale.c.terminal_time)
    both = select(*columns).join(
        sale, (sale.c.terminal_id == vend.c.terminal_id) & (sale.c.sequence == vend.c.sequence)
    )
    mine = both.where(vend.c.supplier == name, vend.c.id <= run.cut["vends"])
    since, until = run.begins_at - 2 * SPARE_S, run.ends_at + 2 * SPARE_S
    around = mine.where(vend.c.sent_at >= since, vend.c.sent_at < until)
    rows = {row["id"]: dict(row) for row in connection.execute(around).mappings()}
    named = [line.our_reference for line in lines if line.our_reference]
    theirs = [line.reference for line in lines]
    for at in range(0, len(theirs), _MANY):
        which = or_(
            vend.c.reference.in_(named[at : at + _MANY]),
            vend.c.supplier_reference.in_(theirs[at : at + _MANY]),
        )
        found = connection.execute(mine.where(which, vend.c.sent_at.is_not(None))).mappings()
        rows |= {row["id"]: dict(row) for row in found}
    return [_as_of(run, rows[number]) for number in sorted(rows)]


def _as_of(run: Run, row: Row) -> Row:
    opened: dict[str, str | None] = run.cut["open"]
    number = str(row["id"])
    if number not in opened:
        return row
    return {**row, "state": _OPEN, "supplier_reference": opened[number]}


class _Day:
    """One supplier's day, line by line, then what is in no line."""

    def __init__(self, run: Run, name: str, told: files.Told, ours: list[Row]) -> None:
        self.counts: Counter[str] = Counter()
        self._run = run
        self._name = name
        self._told = told
        self._ours = ours
        self._known = Known(ours)
        self._found: list[Finding] = []

    def run(self) -> list[Finding]:
        """What does not agree."""
        lines: dict[int, list[StatementLine]] = defaultdict(list)
        for line in self._told.lines:
            row = self._known.of(line)
            if row is not None:
                lines[row["id"]].append(line)
            elif self._is_of_the_day(line.at) and line.state == "delivered":
                text = f"{_said(line)}: we never asked for it"
                self._add(ONLY_THEIRS, f"{self._name} {line.reference}", text, None, NOTE)
        for row in self._ours:
            about = lines.get(row["id"], [])
            mine = [line for line in about if self._is_of_the_day(line.at)]
            if mine:
                self._compare(row, mine)
            elif not about and row["state"] == vends.DELIVERED:
                self._without_a_line(row)
        if self.counts["of a time without a file"]:
            text = f"no file says what {self._name} did on {self._run.day}, or not all of it"
            self._add(NO_FILE, f"{self._name} {self._run.day}", text, None, NOTE)
        return self._found

    def _is_of_the_day(self, at: int) -> bool:
        return self._run.begins_at <= at < self._run.ends_at

    def _compare(self, row: Row, lines: list[StatementLine]) -> None:
        delivered = [line for line in lines if line.state == "delivered"]
        if row["state"] == _OPEN:
            self.counts["open"] += 1
            return
        before = len(self._found)
        if not delivered and any(line.state == "open" for line in lines):
            self.counts["open there"] += 1
            return
        if row["state"] == vends.REJECTED and delivered:
            text = f"{_said(delivered[0])}: our books gave its money back"
            self._sale(ONLY_THEIRS, row, text, CHARGE, _sold(row))
        elif row["state"] == vends.DELIVERED and not delivered:
            text = f"{_said(lines[0])}: our books say that it was delivered"
            self._sale(ONLY_OURS, row, text, GIVE_BACK, _negated(_sold(row)))
        elif delivered and row["state"] == vends.DELIVERED:
            self._both(row, delivered)
        same = all(one.kind == LATE for one in self._found[before:])
        self.counts["matched" if same else "differ"] += 1

    def _both(self, row: Row, delivered: list[StatementLine]) -> None:
        """Both say that it was delivered."""
        first = delivered[0]
        if len(delivered) > 1:
            references = ", ".join(sorted({line.reference for line in delivered}))
            text = f"delivered {len(delivered)} times ({references}), asked for once"
            self._sale(DUPLICATE, row, text, NOTE, {})
        if first.amount_minor != row["amount_minor"]:
            off = first.amount_minor - row["amount_minor"]
            entries = ledger.sale_entries(row["terminal_id"], off, 0)
            text = f"{_said(first)}: our books have {row['amount_minor']}"
            proposal = GIVE_BACK if off < 0 else CHARGE
            self._sale(AMOUNT, row, text, proposal, _moving(entries))
        if first.recipient != row["recipient"]:
            text = f"{_said(first)}: our books have the number {row['recipient']}"
            self._sale(NUMBER, row, text, NOTE, {})
        if abs(first.at - row["sent_at"]) > SPARE_S and not self._is_of_the_day(row["sent_at"]):
            self._sale(LATE, row, f"{_said(first)}: sent on another day", NONE, {})

    def _without_a_line(self, row: Row) -> None:
        at = row["sent_at"]
        if not self._run.begins_at - SPARE_S <= at < self._run.ends_at - SPARE_S:
            return
        if not self._told.covers(at - SPARE_S, at + SPARE_S):
            # What the night before left open at its edge needs both files.
            self.counts["of a time without a file"] += self._is_of_the_day(at)
            return
        text = f"{row['reference']}, {row['amount_minor']}: delivered by our books, not in its file"
        self._sale(ONLY_OURS, row, text, GIVE_BACK, _negated(_sold(row)))
        self.counts["differ"] += 1

    def _sale(
        self, kind: str, row: Row, text: str, proposal: str, entries: Mapping[str, int]
    ) -> None:
        self._add(kind, f"{self._name} {row['reference']}", text, row, proposal, entries)

    def _add(
        self,
        kind: str,
        subject: str,
        text: str,
        row: Row | None,
        proposal: str,
        entries: Mapping[str, int] | None = None,
    ) -> None:
        terminal_id, sequence = (
            (None, None) if row is None else (row["terminal_id"], row["sequence"])
        )
        text = f"{self._name}: {text}"
        self._found.append(
            Finding(kind, subject, text, terminal_id, sequence, proposal, entries or {})
        )


def _said(line: StatementLine) -> str:
    return f"{line.reference}, {line.recipient}, {line.amount_minor}, {line.state}"


def _sold(row: Row) -> dict[str, int]:
    commission = row["commission_minor"] or 0
    return _moving(ledger.sale_entries(row["terminal_id"], row["amount_minor"], commission))


def _moving(entries: Mapping[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in entries.items() if amount}


def _negated(entries: Mapping[str, int]) -> dict[str, int]:
    return {name: -amount for name, amount in entries.items()}
