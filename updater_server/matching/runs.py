"""A look at one day, step by step. For the command line and the worker.

What is looked at is fixed when a run begins (its cut): what comes later is another run's. Each step
reads, then keeps what it found and where the next begins in one transaction: killed at any point,
the run goes on from its last step, and its page is the same to the byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text

from updater_server.errors import InputError
from updater_server.matching import findings, page, suppliers, terminals
from updater_server.matching.findings import Finding
from updater_server.matching.page import Run, Sides
from updater_server.parties import days
from updater_server.sales import questions
from updater_server.server_key import ServerKey
from updater_server.store.engine import new_id, reading, writing
from updater_server.store.tables import (
    matching_page,
    matching_run,
    matching_step,
    supplier_file,
    vend,
)

_BOUNDS = {
    "transactions": "SELECT MAX(id) FROM ledger_transaction",
    "journal": "SELECT MAX(rowid) FROM journal_record",
    "late": "SELECT MAX(rowid) FROM journal_late",
    "vends": "SELECT MAX(id) FROM vend",
    "files": "SELECT MAX(id) FROM supplier_file",
}
_OPEN = "SELECT id, supplier_reference FROM vend WHERE state IN ('reserved', 'sent', 'unknown')"
BY_ITSELF = "the worker"


@dataclass
class _Place:
    """Where a run goes on: which stage, where in it, and what was counted so far."""

    stage: int = 0
    at: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def counted(self, more: dict[str, int]) -> dict[str, int]:
        """What was counted so far and in one more step."""
        names = self.counts.keys() | more.keys()
        return {name: self.counts.get(name, 0) + more.get(name, 0) for name in sorted(names)}


def run(engine: Engine, key: ServerKey, day: str, operator: str, now: int) -> Run:
    """Hold a day against everybody and sign its page; the run. One that was begun is ended; one
    that was ended is begun anew if there is something new to look at.

    Raises:
        InputError: no time zone was said, it is no day, or it is not over.
        VaultError: a supplier's secrets do not open.
    """
    with reading(engine) as connection:
        _bounds(connection, day, now)
        found = _newest(connection, day)
        if found is not None and page.is_there(connection, found.id):
            # Sales of that day, too, are decided late; only a new file or record is a reason.
            if not found.has_news(connection):
                return found
            found = None
    if found is None:
        found = _begin(engine, day, operator, now)
    while not _step(engine, key, found):
        pass
    _end(engine, key, found, now)
    return found


def next_day(connection: Connection, now: int) -> str | None:
    """The first day that is over and was not held against others yet, or not to the end."""
    where = days.zone(connection)
    if where is None:
        return None
    unfinished = connection.scalar(
        select(matching_run.c.day)
        .where(matching_run.c.id.not_in(select(matching_page.c.run_id)))
        .order_by(matching_run.c.id)
        .limit(1)
    )
    if unfinished is not None:
        return str(unfinished)
    newest = connection.scalar(
        select(matching_run.c.day).order_by(matching_run.c.day.desc()).limit(1)
    )
    if newest is None:
        yesterday = date.fromisoformat(days.day_of(now - days.SETTLES_S, where)) - timedelta(days=1)
        return yesterday.isoformat()
    following = (date.fromisoformat(newest) + timedelta(days=1)).isoformat()
    return following if now >= days.bounds(following, where)[1] + days.SETTLES_S else None


def newest(connection: Connection, limit: int) -> list[Run]:
    """The newest look at each of the last days, of those that came to their ends."""
    rows = connection.execute(
        select(matching_run)
        .join(matching_page, matching_page.c.run_id == matching_run.c.id)
        .order_by(matching_run.c.day.desc(), matching_run.c.round.desc())
        .limit(4 * limit)
    )
    by_day: dict[str, Run] = {}
    for row in rows:
        by_day.setdefault(row.day, _read(row))
    return list(by_day.values())[:limit]


def of_day(connection: Connection, day: str) -> Run:
    """The newest look at a day that came to its end.

    Raises:
        InputError: there is none.
    """
    found = connection.execute(
        select(matching_run)
        .join(matching_page, matching_page.c.run_id == matching_run.c.id)
        .where(matching_run.c.day == day)
        .order_by(matching_run.c.round.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise InputError(f"{day[:20]} was not held against anybody: `reconcile day {day[:20]}`")
    return _read(found)


def _bounds(connection: Connection, day: str, now: int) -> tuple[int, int]:
    where = days.zone(connection)
    if where is None:
        raise InputError("say first in which time zone days begin: day zone Africa/Nairobi")
    begins, ends = days.bounds(day, where)
    if now < ends + days.SETTLES_S:
        raise InputError(f"{day} is not over in {where.key}: wait {days.SETTLES_S // 60} min more")
    return begins, ends


def _read(row: Any) -> Run:
    cut = json.loads(row.cut)
    return Run(
        row.id, row.day, row.round, row.begins_at, row.ends_at, cut, row.begun_by, row.begun_at
    )


def _newest(connection: Connection, day: str) -> Run | None:
    row = connection.execute(
        select(matching_run).where(matching_run.c.day == day).order_by(matching_run.c.round.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    return None if row is None else _read(row)


def _begin(engine: Engine, day: str, operator: str, now: int) -> Run:
    with reading(engine, still=True) as connection:
        cut: dict[str, Any] = {
            name: int(connection.execute(questions.asked(connection, query)).scalar() or 0)
            for name, query in _BOUNDS.items()
        }
        opened = connection.execute(text(_OPEN))
        cut["open"] = {str(row.id): row.supplier_reference for row in opened}
        cut["suppliers"] = sorted(
            set(connection.scalars(select(vend.c.supplier).distinct()))
            | set(connection.scalars(select(supplier_file.c.supplier).distinct()))
        )
        cut["suppliers"] = [name for name in cut["suppliers"] if name]
        before = connection.scalar(
            select(matching_run.c.cut)
            .where(matching_run.c.day < day)
            .order_by(matching_run.c.day.desc(), matching_run.c.round.desc())
            .limit(1)
        )
        since = {"journal": 0, "late": 0} if before is None else json.loads(before)
        cut["since"] = {name: since[name] for name in ("journal", "late")}
        cut["previous"] = page.newest_digest(connection)
    with writing(engine) as connection:
        begins, ends = _bounds(connection, day, now)
        last = _newest(connection, day)
        number = 1 if last is None else last.round + 1
        content = json.dumps(cut, sort_keys=True)
        made = connection.execute(
            insert(matching_run).values(
                day=day, round=number, begins_at=begins, ends_at=ends, cut=content,
                begun_by=operator, begun_at=now,
            )
        )  # fmt: skip
        return Run(new_id(made), day, number, begins, ends, cut, operator, now)


def _stages(found: Run) -> list[str]:
    return ["ledger", "journal", "late", *(f"supplier:{name}" for name in found.cut["suppliers"])]


def _place(connection: Connection, run_id: int) -> tuple[int, _Place]:
    row = connection.execute(
        select(matching_step)
        .where(matching_step.c.run_id == run_id)
        .order_by(matching_step.c.number.desc())
        .limit(1)
    ).one_or_none()
    return (0, _Place()) if row is None else (row.number, _Place(**json.loads(row.content)))


def _step(engine: Engine, key: ServerKey, found: Run) -> bool:
    """One step of a run; whether it was the last."""
    stages = _stages(found)
    with reading(engine) as connection:
        number, place = _place(connection, found.id)
        if place.stage == len(stages):
            return True
        name = stages[place.stage]
        taken: tuple[Sides, list[Finding]]
        if name.startswith("supplier:"):
            taken = suppliers.step(connection, key, found, name.partition(":")[2])
        else:
            taken = terminals.STEPS[name](connection, found, place.at)
    sides, new = taken
    after = _Place(place.stage, sides.at, place.counted(sides.counts))
    if not sides.at:
        after.stage += 1
    with writing(engine) as connection:
        if _place(connection, found.id)[0] != number:
            return False  # somebody else did this step
        findings.add(connection, found.id, new)
        content = json.dumps(vars(after), sort_keys=True)
        connection.execute(
            insert(matching_step).values(run_id=found.id, number=number + 1, content=content)
        )
    return False


def _end(engine: Engine, key: ServerKey, found: Run, now: int) -> None:
    with reading(engine) as connection:
        _, place = _place(connection, found.id)
        content = page.write(connection, found, place.counts)
    with writing(engine) as connection:
        if not page.is_there(connection, found.id):
            page.keep(connection, key, found.id, content)
        findings.tell(connection, now)
