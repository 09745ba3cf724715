"""Who counts in a wave, frozen when it begins: terminals that might be drawn, each with its region
and its habit of being silent, and which guards are counted at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from itertools import pairwise

import msgspec
from sqlalchemy import Connection, select

from updater_server.store.tables import check_in, party, sale, terminal, terminal_owner
from updater_server.telemetry.store import WINDOW, Row, Told
from updater_server.verdict import policy as policies
from updater_server.verdict.policy import OUTCOMES, Policy
from updater_server.verdict.records import Terminal, Trial
from updater_server.verdict.week import DAY_S, HOUR_S, PRE_DAYS
from updater_server.waves.evidence import guards_of
from updater_server.waves.plans import OnTrial

HEARD_WITHIN_S = 7 * DAY_S
"""Who was not heard for so long does not count."""
USUAL_HABIT_S = 12 * HOUR_S
"""Of whom too little is known: a shop's night."""
_LEAST_GAPS = 20
_ASKED = 400


def freeze(
    connection: Connection,
    told: Told,
    found: OnTrial,
    wave: int,
    now: int,
    after: tuple[int, int] | None = None,
) -> tuple[Trial, int, Policy]:
    """The trial that begins at `now` (Unix seconds), how many terminals might have been drawn, and
    the policy that it is held to: the usual one, with the guards that enough of the arms count.
    """
    control = found.control or found.reach
    trial = Trial(
        wave=wave,
        release=found.release,
        salt=found.salt,
        beta_below=found.threshold,
        control_below=control[0],
        began_s=now,
        population=(),
        counted={},
        beta_within=found.within,
        control_within=control[1],
        after=after or msgspec.UNSET,
    )
    eligible = _eligible(connection, found, now)
    arms = sorted(one for one in eligible if trial.arm(one) != "none")
    regions = _regions(connection, arms)
    rows = [row for _, row in told.rows(arms, now - PRE_DAYS * DAY_S, now)]
    habits = _habits(connection, arms, rows, now)
    population = tuple(Terminal(one, regions[one], habits[one]) for one in arms)
    policy, counted = _held_to(rows)
    return (
        Trial(
            **{
                **{name: getattr(trial, name) for name in trial.__struct_fields__},
                "population": population,
                "counted": {"beta": counted, "control": counted},
            }
        ),
        len(eligible),
        policy,
    )


def _eligible(connection: Connection, found: OnTrial, now: int) -> list[bytes]:
    """On the channel, heard of lately, below the release and never failed at it."""
    rows = connection.execute(
        select(terminal.c.id)
        .join(check_in, check_in.c.terminal_id == terminal.c.id)
        .where(
            terminal.c.channel == found.channel,
            terminal.c.hardware_class.in_(found.classes),
            terminal.c.blocked.is_(False),
            terminal.c.last_seen_at >= now - HEARD_WITHIN_S,
            check_in.c.release < found.release,
            check_in.c.failure_release.is_(None) | (check_in.c.failure_release != found.release),
        )
    )
    return [bytes(one) for (one,) in rows]


def _regions(connection: Connection, arms: Collection[bytes]) -> dict[bytes, int]:
    """The distributor that each terminal stands under, as a small number; 0: the operator."""
    rows = connection.execute(select(party.c.id, party.c.parent_id))
    above: dict[int, int | None] = {row[0]: row[1] for row in rows}
    owners: dict[bytes, int] = {}
    for part in _parts(arms):
        asked = select(terminal_owner.c.terminal_id, terminal_owner.c.party_id)
        asked = asked.where(terminal_owner.c.terminal_id.in_(part)).order_by(terminal_owner.c.id)
        owners |= {bytes(one): owner for one, owner in connection.execute(asked)}
    tops = {}
    for owner in set(owners.values()):
        top = owner
        while (parent := above.get(top)) is not None:
            top = parent
        tops[owner] = top
    numbers = {top: number for number, top in enumerate(sorted(set(tops.values())), start=1)}
    return {one: numbers[tops[owners[one]]] if one in owners else 0 for one in arms}


def _habits(
    connection: Connection, arms: Collection[bytes], rows: Iterable[Row], now: int
) -> dict[bytes, int]:
    """The longest that each used to be silent: the 99th per cent gap of two weeks."""
    heard: dict[bytes, set[int]] = defaultdict(set)
    for row in rows:
        heard[row.terminal].add(row.heard_s)
    since = now - PRE_DAYS * DAY_S
    for part in _parts(arms):
        asked = select(sale.c.terminal_id, sale.c.created_at)
        asked = asked.where(sale.c.terminal_id.in_(part), sale.c.created_at >= since)
        for one, at in connection.execute(asked):
            heard[bytes(one)].add(at)
    return {one: _habit(sorted(heard[one])) for one in arms}


def _habit(heard: list[int]) -> int:
    gaps = sorted(after - before for before, after in pairwise(heard))
    if len(gaps) < _LEAST_GAPS:
        return USUAL_HABIT_S
    return gaps[min(len(gaps) - 1, len(gaps) * 99 // 100)]


def _held_to(rows: Iterable[Row]) -> tuple[Policy, tuple[str, ...]]:
    usual = policies.usual()
    telling: Counter[str] = Counter()
    by_terminal: dict[bytes, set[str]] = defaultdict(set)
    for row in rows:
        if row.kind == WINDOW:
            by_terminal[row.terminal].update(guards_of(row))
    for names in by_terminal.values():
        telling.update(names)
    counted = tuple(
        guard.name for guard in usual.guards if telling[guard.name] >= usual.smallest_arm
    )
    guards = tuple(guard for guard in usual.guards if guard.name in (*counted, *OUTCOMES))
    return Policy(guards), counted


def _parts(terminals: Collection[bytes]) -> Iterable[list[bytes]]:
    listed = list(terminals)
    return (listed[at : at + _ASKED] for at in range(0, len(listed), _ASKED))
