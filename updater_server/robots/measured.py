"""Queues that no canary can go through, as far as they are behind: kept beside the canaries. For
`canaries`.

A message among the sales that suppliers are asked for would be a sale; a robot buys. A message to a
standby is every commit there is; whether one is there to take it, PostgreSQL says.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from updater_server.fleet.canaries import CAME, STANDBYS, WAITING, Canary, of_supplier
from updater_server.sales import supplier_setup, vend_rows
from updater_server.store.engine import standbys

DUE_S = 30
"""A sale that is due is looked after within seconds, if anybody does."""
MISSING_S = 60
"""When the primary changes, standbys are gone for some seconds."""
UNASKED = "a sale that is due is not looked after: does the server run?"


class Measured(NamedTuple):
    """How one does; `why`: what to say when it is late, which it is `late_s` after `canary.at`."""

    canary: Canary
    why: str
    late_s: int


def look(
    connection: Connection,
    found: dict[str, Canary],
    wanted: int,
    late_s: int,
    every_s: int,
    now: int,
) -> list[Measured]:
    """Now (Unix s). `found`: what is kept of each; `wanted`: how many standbys there should be.
    What moved is new, and so is what was kept `every_s` ago; all else is as it was.
    """
    since = vend_rows.due_since(connection, now)
    names = sorted({row.name for row in supplier_setup.listed(connection)})
    made = [
        Measured(_of(of_supplier(name), since.get(name, now), DUE_S, now), UNASKED, late_s)
        for name in names
    ]
    there = standbys(connection) if wanted else None
    if there is not None:
        known = found.get(STANDBYS)
        at = now
        if there < wanted:
            at = known.at if known is not None and known.state == WAITING else now - 1
        why = f"{there} of {wanted} copy what is written: look at PostgreSQL's machines"
        made.append(Measured(_of(STANDBYS, at, 0, now), why, MISSING_S))
    return [
        one._replace(canary=_as_kept(one.canary, found.get(one.canary.queue), every_s, now))
        for one in made
    ]


def _of(queue: str, at: int, due_s: int, now: int) -> Canary:
    state = WAITING if now - at > due_s else CAME
    return Canary(queue, state, at, now, 0, now - at, "", "")


def _as_kept(one: Canary, known: Canary | None, every_s: int, now: int) -> Canary:
    if known is None or known.state != one.state or not 0 <= now - known.changed_at < every_s:
        return one
    return known if one.state == CAME or known.at == one.at else one
