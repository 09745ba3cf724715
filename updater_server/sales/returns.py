"""Stock that nobody will sell: what of it may come back to the vault, and what must not.

For the command line. A voucher comes back only if its PIN cannot be on paper. A terminal opens a
PIN behind an intent that its flash holds, in the order of the indexes; and it passes over an index
when a place in its journal is spoiled, because that place *may* have been an intent whose PIN was
printed (docs/formats/journal.md, point 9). So of a batch that left the server:

    sold        an intent names it
    passed      a later index was used, or it did not open: it may be on paper, the terminal will
                not sell it; comes back on the word of a person who asked the operator
    next        where the terminal stands, and one more for each record it lost since: as `passed`,
                once the terminal is wiped
    unopened    behind that: comes back once the terminal is blocked, its journal is here to the end
                and it is wiped
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from updater_server.errors import InputError
from updater_server.fleet import check_ins, operators
from updater_server.sales import batches
from updater_server.store.tables import (
    check_in,
    journal_record,
    stock_batch,
    stock_outcome,
    terminal,
    voucher,
    voucher_aside,
    voucher_assignment,
)


@dataclass(frozen=True)
class Place:
    """One voucher of a batch."""

    batch_id: int
    index: int
    voucher_id: int
    product_id: str
    serial: str
    expires_at: int
    state: str
    """unsent, sold, returned, aside, passed, next or unopened."""


def places(connection: Connection, terminal_id: bytes) -> list[Place]:
    """Every voucher that was ever set aside for a terminal, batch by batch."""
    found: list[Place] = []
    batches = connection.execute(
        select(stock_batch)
        .where(stock_batch.c.terminal_id == terminal_id)
        .order_by(stock_batch.c.id)
    )
    for batch in batches.all():
        found += _of_batch(connection, terminal_id, batch.id, batch.sent_at is not None)
    return found


def _used(
    connection: Connection, terminal_id: bytes, batch_id: int
) -> tuple[dict[int, set[str]], int, int]:
    """Of a batch: (what became of each index that was used, the highest of them or -1, up to which
    index the terminal may have gone since).
    """
    outcomes: dict[int, set[str]] = {}
    last_used = 0
    for row in connection.execute(
        select(stock_outcome).where(stock_outcome.c.batch_id == batch_id)
    ):
        outcomes.setdefault(row.batch_index, set()).add(row.outcome)
        if row.outcome == "sold":
            last_used = max(last_used, row.sequence)
    lost = connection.scalar(
        select(func.count()).where(
            journal_record.c.terminal_id == terminal_id,
            journal_record.c.sequence > last_used,
            journal_record.c.raw.is_(None),
        )
    )
    top = max(outcomes, default=-1)
    return outcomes, top, top + 1 + (lost or 0)


def _of_batch(connection: Connection, terminal_id: bytes, batch_id: int, sent: bool) -> list[Place]:
    outcomes, top, next_through = _used(connection, terminal_id, batch_id)
    found = []
    for row in connection.execute(
        select(voucher, voucher_assignment.c.batch_index, voucher_aside.c.reason)
        .join(voucher_assignment, voucher_assignment.c.voucher_id == voucher.c.id)
        .outerjoin(voucher_aside, voucher_aside.c.voucher_id == voucher.c.id)
        .where(voucher_assignment.c.batch_id == batch_id)
        .order_by(voucher_assignment.c.batch_index)
    ):
        index = row.batch_index
        if outcomes.get(index) == {"sold"}:
            state = "sold"
        elif batches.came_back(connection, batch_id, index):
            state = "returned"
        elif row.reason is not None:
            state = "aside"
        elif not sent:
            state = "unsent"
        elif index <= top:
            state = "passed"
        else:
            state = "next" if index <= next_through else "unopened"
        found.append(
            Place(batch_id, index, row.id, row.product_id, row.serial, row.expires_at, state)
        )
    return found


def give_back(
    connection: Connection,
    terminal_id: bytes,
    operator: str,
    note: str,
    now: int,
    *,
    wiped: bool = False,
    unused: Collection[str] = (),
) -> list[Place]:
    """Take back to the vault what may come back, each voucher once; returns what came.

    `wiped`: the operator says that the terminal's keys and stock were destroyed. `unused`: serials
    of which the operator's supplier says that nobody loaded them.

    Raises:
        InputError: the terminal may still sell what is asked for, or a serial is none of its
            unsold ones; nothing came back.
    """
    if wiped:
        _must_be_finished(connection, terminal_id)
    mine = places(connection, terminal_id)
    asked = {serial.strip() for serial in unused}
    if asked and not note.strip():
        raise InputError("--unused needs --note: who said that nobody loaded them?")
    wanted = []
    for place in mine:
        if place.state == "unsent" or (place.state == "unopened" and wiped):
            wanted.append(place)
        elif place.serial in asked and place.state in ("passed", "next"):
            if place.state == "next" and not wiped:
                raise InputError(
                    f"serial {place.serial} is the next one that the terminal would sell: only a "
                    "wiped terminal gives it back (--wiped)"
                )
            wanted.append(place)
        elif place.serial in asked and place.state == "unopened":
            raise InputError(f"serial {place.serial} may still be sold by the terminal")
    strange = asked - {
        place.serial for place in mine if place.state in ("passed", "next", "returned")
    }
    if strange:
        raise InputError(
            f"no unsold voucher of this terminal has the serial {', '.join(sorted(strange))}: "
            "`stock show` lists them"
        )
    return _take_back(connection, terminal_id, wanted, operator, note, now)


def _take_back(
    connection: Connection,
    terminal_id: bytes,
    wanted: list[Place],
    operator: str,
    note: str,
    now: int,
) -> list[Place]:
    came = []
    for batch_id in sorted({place.batch_id for place in wanted if place.state == "unsent"}):
        batches.withdraw(connection, batch_id, operator, note, now)
    for place in wanted:
        if place.state == "unsent":
            if batches.came_back(connection, place.batch_id, place.index):
                came.append(place)
        elif batches.come_back(
            connection, place.batch_id, place.index, place.voucher_id, operator, note, now
        ):
            came.append(place)
    details = f"{len(came)} vouchers; {note}"
    operators.note(connection, operator, "stock return", terminal_id.hex(), details, now)
    return came


def after_wipe(
    connection: Connection, terminal_id: bytes, batch_id: int, index: int, now: int
) -> int:
    """Free what a terminal that wiped a batch had not opened, by its own word that this is all from
    `index` on; returns how many vouchers came. Records that it lost may have been sales: as many
    vouchers more wait for a person.
    """
    _, _, may_have_gone_to = _used(connection, terminal_id, batch_id)
    first = max(index, may_have_gone_to)
    came = 0
    for place in _of_batch(connection, terminal_id, batch_id, True):
        if place.index >= first and place.state in ("next", "unopened"):
            came += batches.come_back(
                connection, batch_id, place.index, place.voucher_id, "terminal", "wiped there", now
            )
    return came


def _must_be_finished(connection: Connection, terminal_id: bytes) -> None:
    owner = connection.execute(
        select(terminal.c.blocked, terminal.c.acknowledged_through, check_ins.NEEDED)
        .outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)
        .where(terminal.c.id == terminal_id)
    ).one()
    if not owner.blocked:
        raise InputError(f"{terminal_id.hex()} is not blocked: `terminal block` it first")
    if owner.journal_needed is None or owner.acknowledged_through < owner.journal_needed - 1:
        raise InputError(
            f"the journal of {terminal_id.hex()} is not here to its end (through "
            f"{owner.acknowledged_through}): what it sold may not be known; sync or export it first"
        )


def passed_counts(connection: Connection) -> dict[bytes, int]:
    """How many vouchers each terminal passed over that did not come back: a person should ask the
    supplier about them.
    """
    rows = connection.execute(
        text("""
            SELECT * FROM (
                SELECT b.terminal_id, SUM(o.top + 1 - o.sold - (SELECT COUNT(*) FROM stock_return r
                    WHERE r.batch_id = o.batch_id AND r.batch_index <= o.top)) AS passed
                FROM (SELECT batch_id, MAX(batch_index) AS top,
                    COUNT(*) FILTER (WHERE outcome = 'sold')
                    - COUNT(*) FILTER (WHERE outcome = 'spoiled') AS sold
                    FROM stock_outcome GROUP BY batch_id) o
                JOIN stock_batch b ON b.id = o.batch_id GROUP BY b.terminal_id) AS every
            WHERE passed > 0 ORDER BY terminal_id""")
    )
    return {bytes(row.terminal_id): int(row.passed) for row in rows}
