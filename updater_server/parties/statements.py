"""What an account did in a time, so that it adds up to the ledger. For the command line and the
office's pages.

What it began with is the sum of every entry before, and what it ended with that and the entries
shown: a clock that was put back moves lines, but no money.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from updater_server.errors import InputError
from updater_server.parties import days
from updater_server.sales.currency import Currency
from updater_server.store.tables import account, ledger_entry, ledger_transaction

LINES = 20_000
"""A statement has no more: ask for a shorter time."""
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Line:
    """One entry; money in minor units, the time in Unix seconds."""

    at: int
    kind: str
    reference: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True)
class Statement:
    """An account from the beginning of one day to the end of another, there where days begin."""

    holder: str
    account: str
    first_day: str
    last_day: str
    zone: ZoneInfo
    money: Currency
    opening_minor: int
    lines: list[Line]

    @property
    def closing_minor(self) -> int:
        """What is there at the end."""
        return self.lines[-1].balance_minor if self.lines else self.opening_minor

    @property
    def came_minor(self) -> int:
        """What came in."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor > 0)

    @property
    def went_minor(self) -> int:
        """What went out, zero or below."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor < 0)

    def time(self, line: Line) -> str:
        """When a line was posted, to the minute, where days begin."""
        return datetime.fromtimestamp(line.at, self.zone).strftime("%Y-%m-%d %H:%M")


def span(connection: Connection, first_day: str, last_day: str, now: int) -> tuple[str, str]:
    """The days that are asked for; "": to this day (`now`, Unix time), and from six days before.

    Raises:
        InputError: it is no day.
    """
    last = last_day or days.day_of(now, days.zone(connection) or UTC_ZONE)
    days.bounds(last, UTC_ZONE)
    if first_day:
        return first_day, last
    try:
        return (date.fromisoformat(last) - timedelta(days=6)).isoformat(), last
    except OverflowError as error:
        raise InputError(f"there is no week before {last}") from error


def of_account(
    connection: Connection,
    holder: str,
    name: str,
    money: Currency,
    first_day: str,
    last_day: str,
) -> Statement:
    """The statement of the account `name`, which people call `holder`.

    Raises:
        InputError: no days, the last before the first, or more than `LINES` lines.
    """
    zone = days.zone(connection) or UTC_ZONE
    begins, _ = days.bounds(first_day, zone)
    _, ends = days.bounds(last_day, zone)
    if ends <= begins:
        raise InputError(f"{last_day} is before {first_day}")
    entries = (
        select(ledger_entry.c.amount_minor)
        .join(account, account.c.id == ledger_entry.c.account_id)
        .join(ledger_transaction, ledger_transaction.c.id == ledger_entry.c.transaction_id)
        .where(account.c.name == name, account.c.currency.in_(["", money.code]))
    )
    at = ledger_transaction.c.created_at
    before = entries.with_only_columns(func.coalesce(func.sum(ledger_entry.c.amount_minor), 0))
    balance = opening = int(connection.scalar(before.where(at < begins)) or 0)
    rows = connection.execute(
        entries.with_only_columns(
            at,
            ledger_transaction.c.kind,
            ledger_transaction.c.reference,
            ledger_entry.c.amount_minor,
        )
        .where(at >= begins, at < ends)
        .order_by(at, ledger_entry.c.id)
        .limit(LINES + 1)
    )
    lines = []
    for row in rows:
        balance += row.amount_minor
        line = Line(row.created_at, row.kind, row.reference, row.amount_minor, balance)
        lines.append(line)
    if len(lines) > LINES:
        raise InputError(f"over {LINES} lines: ask for fewer days")
    return Statement(holder, name, first_day, last_day, zone, money, opening, lines)


def as_csv(statement: Statement) -> str:
    """For a spreadsheet: amounts as plain decimals, the first and the last line the balances."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    money = statement.money
    writer.writerow(["time", "kind", "reference", f"amount {money.code}".strip(), "balance"])
    writer.writerow(
        [statement.first_day, "opening", "", "", _plain(statement.opening_minor, money)]
    )
    for line in statement.lines:
        writer.writerow(
            [
                statement.time(line),
                line.kind,
                line.reference,
                _plain(line.amount_minor, money),
                _plain(line.balance_minor, money),
            ]
        )
    writer.writerow([statement.last_day, "closing", "", "", _plain(statement.closing_minor, money)])
    return out.getvalue()


def _plain(amount_minor: int, money: Currency) -> str:
    return money.figures(amount_minor).replace(",", "").replace("−", "-")


def rows(statement: Statement) -> Iterator[tuple[str, str, str, str, str]]:
    """What a page and a table show of each line: time, kind, reference, amount, balance."""
    money = statement.money
    for line in statement.lines:
        yield (
            statement.time(line),
            line.kind.replace("_", " "),
            line.reference,
            money.figures(line.amount_minor),
            money.figures(line.balance_minor),
        )
