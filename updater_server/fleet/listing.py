"""Which terminals somebody asks to see, and what each last reported, page by page. The cost grows
with the page, not with the fleet. Their floats are `sales.ledger.with_floats`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, true

from updater_server.errors import InputError
from updater_server.store.tables import check_in, terminal


@dataclass(frozen=True)
class Wanted:
    """Which terminals somebody asks to see."""

    prefix: str = ""
    """The first hex digits of the id; empty for all."""
    only: str = ""
    """One of `ONLY`; empty for all."""

    def clause(self) -> ColumnElement[bool]:
        """What a terminal's row (with its check-in) must fulfil.

        Raises:
            InputError: no hex digits, or no such choice.
        """
        clauses: list[ColumnElement[bool]] = [true()]
        if self.prefix:
            if not re.fullmatch("[0-9a-fA-F]{1,16}", self.prefix):
                raise InputError(f"{self.prefix[:40]!r} is not the beginning of a terminal id")
            clauses.append(
                terminal.c.id.between(
                    bytes.fromhex(self.prefix.ljust(16, "0")),
                    bytes.fromhex(self.prefix.ljust(16, "f")),
                )
            )
        if self.only:
            if self.only not in ONLY:
                raise InputError(f"no choice {self.only[:40]!r}: {', '.join(ONLY)}")
            clauses.append(ONLY[self.only])
        return and_(*clauses)


EVERY = Wanted()
ONLY: dict[str, ColumnElement[bool]] = {
    "trial": check_in.c.trial.is_(True),
    "failed": check_in.c.failure_release.is_not(None),
    "blocked": terminal.c.blocked.is_(True),
    "silent": terminal.c.last_seen_at.is_(None),
}
"""Choices of `Wanted.only`."""
PAGE_LIMIT = 500
"""Terminals in one answer."""
_JOINED = terminal.outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)


def listed(
    connection: Connection, wanted: Wanted, after: bytes = b"", limit: int = PAGE_LIMIT
) -> list[dict[str, Any]]:
    """At most `limit` of the terminals wanted, by their ids, those after the id `after`."""
    ids = (
        select(terminal.c.id)
        .select_from(_JOINED)
        .where(wanted.clause(), terminal.c.id > after)
        .order_by(terminal.c.id)
        .limit(min(limit, PAGE_LIMIT))
    )
    return _details(connection, list(connection.scalars(ids)))


def last_seen(
    connection: Connection, wanted: Wanted, skip: int = 0, limit: int = PAGE_LIMIT
) -> list[dict[str, Any]]:
    """At most `limit` of the terminals wanted, last seen first, after the first `skip`."""
    ids = (
        select(terminal.c.id)
        .select_from(_JOINED)
        .where(wanted.clause())
        .order_by(terminal.c.last_seen_at.desc(), terminal.c.id)
        .limit(min(limit, PAGE_LIMIT))
        .offset(skip)
    )
    return _details(connection, list(connection.scalars(ids)))


def counted(connection: Connection, wanted: Wanted) -> tuple[int, int]:
    """(how many of the terminals wanted there are, how many of them run a release on trial)."""
    row = connection.execute(
        select(func.count(), func.count().filter(check_in.c.trial.is_(True)))
        .select_from(_JOINED)
        .where(wanted.clause())
    ).one()
    return int(row[0]), int(row[1])


def _details(connection: Connection, ids: list[bytes]) -> list[dict[str, Any]]:
    """Each terminal with its newest report, in the order of `ids`: one question, however many they
    are.
    """
    rows = connection.execute(
        select(terminal, check_in).select_from(_JOINED).where(terminal.c.id.in_(ids))
    )
    found = {}
    for row in rows.mappings():
        item = {
            column.name: row[column] for table in (check_in, terminal) for column in table.columns
        }
        del item["key_sealed"]
        found[row[terminal.c.id]] = item
    return [found[terminal_id] for terminal_id in ids]
