"""The byte ledger: what each terminal spent over the air in a month, by purpose, added up from its
windows. For the worker, which keeps it, and for the faces, which show it.

A window is added once, however often it comes: each terminal's windows end one after the other, and
one that ends no later than what is in is passed over (docs/formats/metrics.md).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, update

from updater_server import toml_file
from updater_server.errors import InputError
from updater_server.store.engine import writing
from updater_server.store.tables import air_month
from updater_server.telemetry.metrics import AIR_UNIT_BYTES, LEDGER
from updater_server.telemetry.store import WINDOW, Row
from updater_server.telemetry.windows import values_of

PURPOSES = LEDGER["air"].purposes
FILE = "airtime.toml"
_MESSAGES = "sms"
_AT_ONCE = 500  # terminals in one transaction, which no sale waits for long
_MEGABYTE = 1_000_000
_COLUMNS = [air_month.c[name] for name in PURPOSES]


class Month(NamedTuple):
    """`month` as 202611; `spent` by purpose in bytes, of `sms` in messages; of the fleet
    `terminals` is how many told of it.
    """

    month: int
    spent: dict[str, int]
    terminals: int = 1

    @property
    def total_bytes(self) -> int:
        """All but messages."""
        return sum(size for name, size in self.spent.items() if name != _MESSAGES)


_Micros = Annotated[int, msgspec.Meta(ge=0, le=10**12)]


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator asks, in millionths of the currency's unit, of 1,000,000 bytes and of a
    message.
    """

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    per_megabyte_micros: _Micros
    per_sms_micros: _Micros = 0

    def cost_micros(self, size_bytes: int, messages: int = 0) -> int:
        """What so much costs, rounded up."""
        return -(-size_bytes * self.per_megabyte_micros // _MEGABYTE) + (
            messages * self.per_sms_micros
        )

    def of(self, month: Month) -> int:
        """What a month costs, in millionths."""
        return self.cost_micros(month.total_bytes, month.spent[_MESSAGES])

    def words(self, micros: int) -> str:
        """An amount for people: two digits behind the point, or what it takes below a cent."""
        digits = 2 if micros >= 10_000 or not micros else 6
        return f"{micros / 1_000_000:,.{digits}f} {self.currency}"


def operators(folder: Path) -> dict[str, Operator]:
    """The price tables in a data folder's `airtime.toml`, by operator; none without the file.

    Raises:
        InputError: the file cannot be read as that.
    """
    content = toml_file.read(folder / FILE, dict[str, dict[str, Operator]]) or {}
    if content.keys() - {"operator"}:
        raise InputError(f"{FILE}: there are tables [operator.NAME] and nothing else")
    return content.get("operator", {})


def spent(values: dict[int, Any]) -> list[int]:
    """Bytes by purpose of one window, in the order of `PURPOSES`; of `sms` messages."""
    units: Any = values.get(LEDGER["air"].id, [])
    units = [*units, *[0] * (len(PURPOSES) - len(units))]
    return [
        count if name == _MESSAGES else count * AIR_UNIT_BYTES
        for name, count in zip(PURPOSES, units, strict=True)
    ]


def month_of(at_s: int) -> int:
    """The month (UTC) of a time, as 202611."""
    when = datetime.fromtimestamp(at_s, UTC)
    return when.year * 100 + when.month


def keep(engine: Engine, rows: Iterable[Row]) -> None:
    """Add up what these windows spent. They may have been added before.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: some of it is not in; the same call again adds the rest.
    """
    found: dict[bytes, list[tuple[int, list[int]]]] = {}
    for row in rows:
        if row.kind == WINDOW:
            counted = spent(values_of(row.told))
            if any(counted):
                windows = found.setdefault(row.terminal, [])
                windows.append((row.start_s + row.length_s, counted))
    terminals = sorted(found)
    for first in range(0, len(terminals), _AT_ONCE):
        part = {name: found[name] for name in terminals[first : first + _AT_ONCE]}
        with writing(engine) as connection:
            _add(connection, part)


def _add(connection: Connection, found: dict[bytes, list[tuple[int, list[int]]]]) -> None:
    months = {month_of(end_s) for windows in found.values() for end_s, _ in windows}
    asked = select(air_month).where(
        air_month.c.terminal_id.in_(found), air_month.c.month.in_(months)
    )
    known = {
        (bytes(row.terminal_id), int(row.month)): (
            int(row.through_s),
            [int(getattr(row, name)) for name in PURPOSES],
        )
        for row in connection.execute(asked)
    }
    changed: dict[tuple[bytes, int], tuple[int, list[int]]] = {}
    for terminal, windows in found.items():
        for end_s, counted in sorted(windows):
            key = terminal, month_of(end_s)
            through_s, sums = changed.get(key) or known.get(key) or (0, [0] * len(PURPOSES))
            if end_s > through_s:
                sums = [a + b for a, b in zip(sums, counted, strict=True)]
                changed[key] = end_s, sums
    for (terminal, month), (through_s, sums) in changed.items():
        values = {"through_s": through_s, **dict(zip(PURPOSES, sums, strict=True))}
        if (terminal, month) in known:
            connection.execute(
                update(air_month)
                .where(air_month.c.terminal_id == terminal, air_month.c.month == month)
                .values(values)
            )
        else:
            connection.execute(
                insert(air_month).values(terminal_id=terminal, month=month, **values)
            )


def of_terminal(connection: Connection, terminal_id: bytes, limit: int = 12) -> list[Month]:
    """A terminal's months, newest first."""
    rows = connection.execute(
        select(air_month.c.month, *_COLUMNS)
        .where(air_month.c.terminal_id == terminal_id)
        .order_by(air_month.c.month.desc())
        .limit(limit)
    )
    return [_month(row) for row in rows]


def of_fleet(connection: Connection, limit: int = 12) -> list[Month]:
    """The months of all terminals together, newest first."""
    rows = connection.execute(
        select(air_month.c.month, *(func.sum(column) for column in _COLUMNS), func.count())
        .group_by(air_month.c.month)
        .order_by(air_month.c.month.desc())
        .limit(limit)
    )
    return [_month(row[:-1], row[-1]) for row in rows]


def by_terminal(connection: Connection, month: int) -> Iterator[tuple[bytes, Month]]:
    """(Terminal, its month) of all that told of that month, in the order of their ids."""
    rows = connection.execute(
        select(air_month.c.terminal_id, air_month.c.month, *_COLUMNS)
        .where(air_month.c.month == month)
        .order_by(air_month.c.terminal_id)
    )
    for terminal_id, *row in rows:
        yield bytes(terminal_id), _month(row)


def _month(row: Any, terminals: int = 1) -> Month:
    month, *sums = row
    found = dict(zip(PURPOSES, (int(size) for size in sums), strict=True))
    return Month(int(month), found, int(terminals))


def as_csv(found: Iterable[tuple[bytes, Month]]) -> str:
    """A line a terminal: its id, the month, bytes by purpose, their sum, messages."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(["terminal", "month", *PURPOSES, "bytes"])
    for terminal, month in found:
        write.writerow([terminal.hex(), month.month, *month.spent.values(), month.total_bytes])
    return text.getvalue()
