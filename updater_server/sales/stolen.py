"""Terminals that were reported stolen, and what becomes of the stock that is on them. For `booking`
and the command line.

A terminal wipes its stock at its next word from the server when it was reported stolen, and by
itself when it was away for longer than its price list says. Its journal names the batch and the
index from which on nothing was opened (docs/formats/journal.md, kind 9). What lies behind comes
back to the vault by that word, once, unless the terminal is blocked: then whoever has it may have
read its flash, and a person decides (`stock return --wiped`), or has the supplier void the serials
that `report` gives.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from updater_server.fleet import terminals
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import batches, returns
from updater_server.sales.returns import Place
from updater_server.store.tables import stock_batch

OUT_THERE = ("passed", "next", "unopened")
"""States of vouchers whose PINs left the server and that no sale has."""


def report(connection: Connection, terminal_id: bytes, operator: str, now: int) -> list[Place]:
    """A terminal was stolen. It is blocked, its batches are recalled: what never left the server is
    free again. Returns the vouchers that may be on it; the same again changes nothing.

    Raises:
        InputError: not enrolled.
    """
    terminals.set_stolen(connection, terminal_id, now)
    offered = select(stock_batch.c.id).where(
        stock_batch.c.terminal_id == terminal_id, stock_batch.c.withdrawn_at.is_(None)
    )
    for batch_id in list(connection.scalars(offered.order_by(stock_batch.c.id))):
        batches.recall(connection, batch_id, operator, now)
    return out_there(connection, terminal_id)


def out_there(connection: Connection, terminal_id: bytes) -> list[Place]:
    """The vouchers that may still be on a terminal, or in somebody's hands who opened it."""
    return [one for one in returns.places(connection, terminal_id) if one.state in OUT_THERE]


def wiped(connection: Connection, terminal_id: bytes, batch_id: int, index: int, now: int) -> None:
    """The terminal's word that it wiped a batch, of which nothing was opened from `index` on."""
    mine = (stock_batch.c.id == batch_id, stock_batch.c.terminal_id == terminal_id)
    known = connection.execute(
        update(stock_batch)
        .where(*mine)
        .values(
            withdrawn_at=func.coalesce(stock_batch.c.withdrawn_at, now),
            stopped_at=func.coalesce(stock_batch.c.stopped_at, now),
        )
    )
    if known.rowcount == 0:
        return
    if terminals.is_blocked(connection, terminal_id):
        text = f"batch {batch_id} is wiped on it; it is blocked: `stock show` says what is left"
    else:
        came = returns.after_wipe(connection, terminal_id, batch_id, index, now)
        text = f"it was away for too long and wiped batch {batch_id}: {came} vouchers came back"
    raise_alarm(connection, terminal_id, "stock_wiped", text, now)
