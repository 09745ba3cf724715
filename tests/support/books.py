"""The server's database read from outside, with plain SQL: what really was booked."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


class Books:
    """Read-only eyes on `database` for one terminal."""

    def __init__(self, database: Path, terminal_id: str) -> None:
        self._database = database
        self._terminal = bytes.fromhex(terminal_id)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of one query, by column name."""
        uri = f"file:{self._database}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    def float_minor(self) -> int:
        """The terminal's float: the sum of its ledger entries."""
        return self._sum("where a.name = ?", [f"float:{self._terminal.hex()}"])

    def ledger_sum_minor(self) -> int:
        """All entries of all accounts together: zero, or the books are wrong."""
        return self._sum("", [])

    def _sum(self, where: str, parameters: Sequence[Any]) -> int:
        sql = (
            "select coalesce(sum(e.amount_minor), 0) as total from ledger_entry e"
            " join account a on a.id = e.account_id "
        )
        return int(self.rows(sql + where, parameters)[0]["total"])

    def debits_minor(self) -> list[int]:
        """What each sale took from the float, in the order of posting."""
        sql = (
            "select e.amount_minor as amount from ledger_entry e"
            " join account a on a.id = e.account_id"
            " join ledger_transaction t on t.id = e.transaction_id"
            " where a.name = ? and e.amount_minor < 0 and t.kind in ('sale', 'stock_sale')"
            " order by e.id"
        )
        found = self.rows(sql, [f"float:{self._terminal.hex()}"])
        return [-int(row["amount"]) for row in found]

    def check_in(self) -> dict[str, Any]:
        """What the terminal last reported of itself; empty before the first time."""
        found = self.rows("select * from check_in where terminal_id = ?", [self._terminal])
        return found[0] if found else {}

    def failures(self) -> list[tuple[int, str]]:
        """Every (release, reason) that the terminal reported, oldest first."""
        sql = (
            "select failure_release, failure_reason from running_history"
            " where terminal_id = ? and failure_release is not null order by id"
        )
        found = self.rows(sql, [self._terminal])
        return [(int(row["failure_release"]), str(row["failure_reason"])) for row in found]

    def waits(self) -> tuple[int | None, str | None]:
        """What the terminal's update waits for: (release or 0, code)."""
        sql = "select wait_release, wait_code from check_in where terminal_id = ?"
        found = self.rows(sql, [self._terminal])
        return (found[0]["wait_release"], found[0]["wait_code"]) if found else (None, None)

    def alarms(self) -> list[str]:
        """Codes of the alarms nobody has closed, without those of releases that went back."""
        sql = "select code from alarm where closed_at is null and code <> 'rollback'"
        return [str(row["code"]) for row in self.rows(sql)]

    def rollbacks(self) -> list[str]:
        """The texts of the alarms of releases that went back."""
        sql = "select text from alarm where closed_at is null and code = 'rollback'"
        return [str(row["text"]) for row in self.rows(sql)]

    def acknowledged_through(self) -> int:
        """The last journal record that the server has taken."""
        sql = "select acknowledged_through from terminal where id = ?"
        return int(self.rows(sql, [self._terminal])[0]["acknowledged_through"])

    def assigned_twice(self) -> int:
        """Vouchers that belong to more than one sale or batch place: must be none."""
        sql = (
            "select count(*) as n from (select voucher_id from voucher_assignment"
            " group by voucher_id having count(*) > 1)"
        )
        return int(self.rows(sql)[0]["n"])
