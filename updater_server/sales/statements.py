"""A supplier's own list of what it did for us, held against what we know. For the command line.

It decides what is open: a sale that it lists is what it says, and one that it does not list was not
made, once the list covers the time in which it was sent with an hour to spare. What is decided is
never changed: where the two disagree, that is a difference, with an alarm, for a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from updater_server.errors import InputError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import supplier_setup, vend_rows, vends
from updater_server.sales.suppliers.base import (
    Delivered,
    NotAReport,
    Rejected,
    Statement,
    StatementLine,
    six_digits,
)
from updater_server.server_key import ServerKey
from updater_server.store.tables import vend

SPARE_S = 3600
"""So much may the supplier's clock be off, or an order have been on its way."""


@dataclass
class Found:
    """What came of a statement."""

    matched: int = 0
    decided: int = 0
    """Sales that were open until now."""
    waiting: int = 0
    """Sales that are open still."""
    differences: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """In one line."""
        return (
            f"{self.matched} agree, {self.decided} decided by it, {self.waiting} still open, "
            f"{len(self.differences)} differ"
        )


def take(connection: Connection, key: ServerKey, name: str, data: bytes, now: int) -> Found:
    """Hold a statement against our books. The same one again changes nothing.

    Raises:
        InputError: no such supplier, or the statement is none, or not whole.
        VaultError: the supplier's secrets do not open.
    """
    return _Comparing(connection, key, name, read(connection, key, name, data), now).run()


def read(connection: Connection, key: ServerKey, name: str, data: bytes) -> Statement:
    """A statement of this supplier's.

    Raises:
        InputError: no such supplier, or the statement is none, or not whole.
        VaultError: the supplier's secrets do not open.
    """
    kept = supplier_setup.kept(connection, key, name)
    if kept is None:
        raise InputError(f"there is no supplier {name!r}")
    try:
        return kept.adapter().read_statement(data)
    except NotAReport as error:
        raise InputError(f"this is no statement of {name}: {error}") from error


class Known:
    """Our sales of a time (rows of `vend_rows.WITH_TIME`), to be found by a line of a supplier's
    list.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._by_reference = {row["reference"]: row for row in rows}
        self._by_order: dict[tuple[int, str, str] | None, Mapping[str, Any]] = {
            (row["terminal_time"], six_digits(row["reference"]), row["recipient"]): row
            for row in rows
        }
        self._by_theirs = {
            row["supplier_reference"]: row for row in rows if row["supplier_reference"] is not None
        }
        self._unnamed: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            if row["supplier_reference"] is None:
                self._unnamed[(row["recipient"], row["amount_minor"])].append(row)

    def of(self, line: StatementLine) -> Mapping[str, Any] | None:
        """The sale that a line is about; by number, amount and time only where one alone fits."""
        if line.our_reference is not None:
            return self._by_reference.get(line.our_reference)
        named = None if line.order is None else (*line.order, line.recipient)
        if named in self._by_order:
            return self._by_order[named]
        if line.reference in self._by_theirs:
            return self._by_theirs[line.reference]
        fitting = [
            row
            for row in self._unnamed.get((line.recipient, line.amount_minor), ())
            if abs(row["sent_at"] - line.at) <= SPARE_S
        ]
        return fitting[0] if len(fitting) == 1 else None


class _Comparing:
    """One statement against the sales of its time."""

    def __init__(
        self, connection: Connection, key: ServerKey, name: str, statement: Statement, now: int
    ) -> None:
        self._connection = connection
        self._key = key
        self._name = name
        self._statement = statement
        self._now = now
        self._found = Found()
        self._rows = self._ours()
        self._known = Known(self._rows)

    def run(self) -> Found:
        """Line by line, then what is in no line."""
        lines: dict[int, list[StatementLine]] = defaultdict(list)
        for line in self._statement.lines:
            row = self._known.of(line)
            if row is None:
                self._differ(None, f"only in its statement: {_told(line)}")
            else:
                lines[row["id"]].append(line)
        for row in self._rows:
            self._compare(row, lines.get(row["id"], []))
        return self._found

    def _ours(self) -> list[dict[str, Any]]:
        """Our sales of that time, and somewhat around it."""
        since, until = self._statement.since - SPARE_S, self._statement.until + SPARE_S
        rows = self._connection.execute(
            vend_rows.WITH_TIME.where(vend.c.supplier == self._name, vend.c.sent_at.is_not(None))
            .where(vend.c.sent_at >= since, vend.c.sent_at < until)
            .order_by(vend.c.id)
        )
        return [dict(row) for row in rows.mappings()]

    def _compare(self, row: Mapping[str, Any], lines: list[StatementLine]) -> None:
        delivered = [line for line in lines if line.state == "delivered"]
        if len(delivered) > 1:
            self._differ(row, f"delivered {len(delivered)} times by its statement")
        if any(line.amount_minor != row["amount_minor"] for line in delivered):
            self._differ(row, f"another amount in its statement: {_told(delivered[0])}")
            return
        if any(line.state == "open" for line in lines):
            self._found.waiting += row["state"] in vends.OPEN
            return
        if not lines:
            self._without_a_line(row)
            return
        outcome = (
            Delivered(delivered[0].reference, delivered[0].token, delivered[0].details)
            if delivered
            else Rejected("rejected by its statement")
        )
        self._settle(row, outcome)

    def _without_a_line(self, row: Mapping[str, Any]) -> None:
        since, until = self._statement.since, self._statement.until
        is_covered = since + SPARE_S <= row["sent_at"] < until - SPARE_S
        if row["state"] in vends.OPEN and is_covered and row["supplier_reference"] is None:
            self._settle(row, Rejected("not in its statement: it never came there"))
        elif row["state"] in vends.OPEN:
            self._found.waiting += 1
        elif row["state"] == vends.DELIVERED and since <= row["sent_at"] < until and is_covered:
            self._differ(row, "delivered by our books, and not in its statement")

    def _settle(self, row: Mapping[str, Any], outcome: Delivered | Rejected) -> None:
        was_open = row["state"] in vends.OPEN
        state = vends.settle(
            self._connection, self._key, row["id"], outcome, "statement", self._now
        )
        says = vends.DELIVERED if isinstance(outcome, Delivered) else vends.REJECTED
        if state == says:
            self._found.decided += was_open
            self._found.matched += not was_open
        elif state in vends.OPEN:
            self._found.waiting += 1
        else:
            self._differ(row, f"{state} by our books, {says} by its statement")

    def _differ(self, row: Mapping[str, Any] | None, text: str) -> None:
        what = self._name if row is None else f"{self._name}, {row['reference']}"
        owner = None if row is None else row["terminal_id"]
        raise_alarm(self._connection, owner, "statement_differs", f"{what}: {text}", self._now)
        self._found.differences.append(f"{what}: {text}")


def _told(line: StatementLine) -> str:
    return f"{line.reference}, {line.recipient}, {line.amount_minor}, {line.state}"
