"""Is a region silent, against its own habit? For `worker`.

A region is the topmost party that a terminal stands under. How many of its terminals were heard
within each of some windows is kept every ten minutes. A region is silent when the habit of this
time of day (the median of the days before) leads to expect 30 terminals or more in a window, and
not a fifth of them was heard: the shortest such window decides, so that a large region is missed
within a minute or two, and a small one never by chance. If all are silent at once, it is this
server that hears nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from statistics import median

from sqlalchemy import Connection, delete, func, insert, select

from updater_server.lookout.befallen import SILENT_EVERYWHERE, SILENT_REGION, Standing
from updater_server.parties import tree
from updater_server.store.tables import region_heard, terminal, terminal_owner

WINDOWS_S = (60, 300, 1800, 7200, 21_600)
SLOT_S = 600
DAYS = 7
LEAST_DAYS = 3
"""Of so many days before the habit must be known."""
EXPECTED = 30
SHARE = 5
KEPT_S = 15 * 86_400
NOBODY = "(no party)"
_DAY_S = 86_400
Heard = dict[str, list[int]]
"""By region: how many of its terminals were heard within each of `WINDOWS_S`."""


def heard(connection: Connection, now: int) -> Heard:
    """Now (Unix s)."""
    newest = select(func.max(terminal_owner.c.id)).group_by(terminal_owner.c.terminal_id)
    owner = select(terminal_owner).where(terminal_owner.c.id.in_(newest)).subquery()
    seen = terminal.c.last_seen_at
    rows = connection.execute(
        select(
            owner.c.party_id,
            *(func.count().filter(seen > now - window) for window in WINDOWS_S),
        )
        .select_from(terminal.outerjoin(owner, owner.c.terminal_id == terminal.c.id))
        .group_by(owner.c.party_id)
    )
    regions = _regions(connection)
    found: Heard = {}
    for party_id, *counts in rows:
        name = NOBODY if party_id is None else regions[party_id]
        known = found.setdefault(name, [0] * len(WINDOWS_S))
        found[name] = [a + int(b) for a, b in zip(known, counts, strict=True)]
    return found


def _regions(connection: Connection) -> dict[int, str]:
    """By party: the code of the topmost above it."""
    found: dict[int, str] = {}
    for each in tree.all_parties(connection):  # those above come first
        found[each.id] = each.code if each.parent_id is None else found[each.parent_id]
    return found


def habits(connection: Connection, now: int) -> dict[str, list[float]]:
    """By region: how many are heard at this time of day, within each window."""
    slot = now - now % SLOT_S
    times = [
        slot - day * _DAY_S + near * SLOT_S for day in range(1, DAYS + 1) for near in (-1, 0, 1)
    ]
    rows = connection.execute(select(region_heard).where(region_heard.c.at.in_(times)))
    samples: dict[str, list[list[int]]] = {}
    days: dict[str, set[int]] = {}
    for row in rows:
        samples.setdefault(row.region, []).append(json.loads(row.heard))
        days.setdefault(row.region, set()).add((slot + 2 * SLOT_S - row.at) // _DAY_S)
    return {
        name: [median(column) for column in zip(*several, strict=True)]
        for name, several in samples.items()
        if len(days[name]) >= LEAST_DAYS
    }


def silent(
    found: Heard, usual: dict[str, list[float]], before: Iterable[str]
) -> tuple[list[str], int]:
    """(The regions that are silent, how many have a habit that can be missed). One that was silent
    `before` is so until twice as many are heard as made it silent.
    """
    before = set(before)
    missed, habitual = [], 0
    for name, expected in usual.items():
        at = next((n for n, most in enumerate(expected) if most >= EXPECTED), None)
        if at is None:
            continue
        habitual += 1
        share = SHARE / 2 if name in before else SHARE
        if found.get(name, [0] * len(WINDOWS_S))[at] * share < expected[at]:
            missed.append(name)
    return sorted(missed), habitual


def standing(missed: list[str], habitual: int) -> list[Standing]:
    """The alarms that this is."""
    if habitual > 1 and len(missed) == habitual:
        text = "no region is heard as usual at this hour: look at this server and its network first"
        return [Standing(SILENT_EVERYWHERE, text)]
    words = "less than a fifth of the terminals are heard that are usual at this hour"
    return [Standing(SILENT_REGION, f"{name}: {words}") for name in missed]


def is_due(connection: Connection, now: int) -> bool:
    """Whether this slot's sample is still to be kept."""
    slot = now - now % SLOT_S
    found = select(region_heard.c.region).where(region_heard.c.at == slot).limit(1)
    return connection.scalar(found) is None


def sample(connection: Connection, found: Heard, missed: Iterable[str], now: int) -> None:
    """Keep what was heard, of regions that are not missed: silence is no habit."""
    slot = now - now % SLOT_S
    away = set(missed)
    rows = [
        {"region": name, "at": slot, "heard": json.dumps(counts)}
        for name, counts in found.items()
        if name not in away
    ]
    if rows:
        connection.execute(insert(region_heard), rows)
    connection.execute(delete(region_heard).where(region_heard.c.at < now - KEPT_S))
