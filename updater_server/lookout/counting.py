"""How far each release has come: counted over the whole fleet by the database, in the worker. For
`worker`.
"""

from __future__ import annotations

import time
from fractions import Fraction

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from updater_server.channels.history import History
from updater_server.channels.policy import CHANNELS
from updater_server.channels.quote import Runs
from updater_server.channels.rollout import EVERYBODY, RolloutPlan
from updater_server.channels.waves import LARGEST_FLEET, sizes
from updater_server.fleet.updates import NEVER_RAN
from updater_server.lookout.picture import STATES, Fleet, OnChannel
from updater_server.store.tables import check_in, running_history, terminal
from updater_server.wire import limits

SILENT_S = 86_400
"""Not heard for so long is silent: a terminal checks in every three hours, and is off at night."""
NOT_BACK_S = 3_600
"""On trial a release has five minutes to prove itself: not heard for so long is not back."""
DAYS = 14
HOUR_S = 3600
RELEASES = 8
"""Shown apart in the adoption; all others are "other"."""
_JOINED = terminal.outerjoin(check_in, check_in.c.terminal_id == terminal.c.id)


class Counting:
    """Counts, and remembers what was told in hours that are over. Not for two threads at once."""

    def __init__(self) -> None:
        self._hours: dict[int, dict[int, int]] = {}
        """By hour: by how many the terminals of each release became more."""
        self._through = 0

    def count(self, connection: Connection, history: History, runs: list[Runs], now: int) -> Fleet:
        """The fleet as it is; `history` has been followed."""
        began = time.process_time()
        running = _running(runs)
        channels = {}
        for channel in CHANNELS:
            found = _on_channel(connection, history, channel, now)
            if found is not None:
                channels[channel] = found
        hours, adoption = self._adoption(connection, running, now)
        return Fleet(
            terminals=sum(running.values()),
            running=running,
            channels=channels,
            hours=hours,
            adoption=adoption,
            cpu_ms=int(1000 * (time.process_time() - began)),
        )

    def _adoption(
        self, connection: Connection, running: dict[str, int], now: int
    ) -> tuple[list[int], dict[str, list[int]]]:
        """Backwards from what runs now, by what was told in each hour."""
        last = now // HOUR_S
        first = last - DAYS * 24 + 1
        self._read(connection, max(first, self._through - 1), last)
        for hour in [hour for hour in self._hours if hour < first]:
            del self._hours[hour]
        state = {int(release): count for release, count in running.items() if release}
        columns: list[dict[int, int]] = []
        for hour in range(last, first - 1, -1):
            columns.append(dict(state))
            for release, more in self._hours.get(hour, {}).items():
                state[release] = max(0, state.get(release, 0) - more)
        columns.reverse()
        most = {release: 0 for column in columns for release in column}
        for column in columns:
            for release, count in column.items():
                most[release] = max(most[release], count)
        shown = sorted(sorted(most, key=lambda r: (-most[r], -r))[:RELEASES])
        series = {str(release): [c.get(release, 0) for c in columns] for release in shown}
        rest = [sum(c.values()) - sum(c.get(r, 0) for r in shown) for c in columns]
        if any(rest):
            series["other"] = rest
        ends = [min(now, (hour + 1) * HOUR_S) for hour in range(first, last + 1)]
        return ends, series

    def _read(self, connection: Connection, first: int, last: int) -> None:
        """What was told from hour `first` on: the hour before the last one once more, as a message
        of its last second may have been written after it was read.
        """
        history = running_history.c
        hour = history.at // HOUR_S
        rows = connection.execute(
            select(hour, history.release, history.release_before, func.count())
            .where(history.at >= first * HOUR_S)
            .where(history.release_before.is_distinct_from(history.release))
            .group_by(hour, history.release, history.release_before)
        )
        for known in [known for known in self._hours if known >= first]:
            del self._hours[known]
        for at, release, before, count in rows:
            changed = self._hours.setdefault(int(at), {})
            changed[release] = changed.get(release, 0) + count
            if before is not None:
                changed[before] = changed.get(before, 0) - count
        self._through = last


def runs(connection: Connection) -> list[Runs]:
    """What the whole fleet says it runs, in one walk through it."""
    of = (terminal.c.hardware_class, check_in.c.release, check_in.c.image)
    rows = connection.execute(select(*of, func.count()).select_from(_JOINED).group_by(*of))
    return [Runs(*row) for row in rows]


def _running(found: list[Runs]) -> dict[str, int]:
    running: dict[str, int] = {}
    for each in found:
        name = "" if each.release is None else str(each.release)
        running[name] = running.get(name, 0) + each.terminals
    return running


def _on_channel(
    connection: Connection, history: History, channel: str, now: int
) -> OnChannel | None:
    listed = history.listed(channel)
    if not listed:
        return None
    release = max(number for _, number in listed)
    classes = {of: entry for (of, number), entry in listed.items() if number == release}
    plan = history.plan(channel)
    fits = [
        and_(
            terminal.c.hardware_class == of,
            terminal.c.hardware_revision.in_(entry.hardware.revisions),
        )
        for of, entry in classes.items()
    ]
    mine = terminal.c.channel == channel
    terminals = connection.scalar(select(func.count()).select_from(terminal).where(mine)) or 0
    states = dict.fromkeys(STATES, 0)
    if not plan.is_for_nobody(release):
        fitting = and_(mine, or_(*fits))
        states |= _states(connection, fitting, plan, release, now)
    wave, waves = wave_of(plan, release, terminals)
    return OnChannel(release, int(terminals), states, wave, waves)


def _states(
    connection: Connection,
    fitting: ColumnElement[bool],
    plan: RolloutPlan,
    release: int,
    now: int,
) -> dict[str, int]:
    """How many of those that may take it are in each of `STATES`."""
    state = _state(release, now)
    if plan.releases[str(release)].threshold == EVERYBODY:
        rows = connection.execute(
            select(state, func.count()).select_from(_JOINED).where(fitting).group_by(state)
        )
        return {name: int(count) for name, count in rows}
    found: dict[str, int] = {}
    places = RolloutPlan(plan.releases, [], plan.within)  # a halt takes nobody's place
    each = select(terminal.c.id, state).select_from(_JOINED).where(fitting)
    for terminal_id, name in connection.execute(each.execution_options(yield_per=10_000)):
        if places.allows(release, terminal_id):
            found[name] = found.get(name, 0) + 1
    return found


def _state(release: int, now: int) -> ColumnElement[str]:
    """In which of `STATES` a terminal is."""
    seen = terminal.c.last_seen_at
    runs = check_in.c.release >= release
    failed = and_(
        check_in.c.failure_release == release, check_in.c.failure_reason.not_in(NEVER_RAN)
    )
    return case(
        (and_(runs, check_in.c.trial.is_(True), seen < now - NOT_BACK_S), "not_back"),
        (and_(runs, check_in.c.trial.is_(True)), "trial"),
        (runs, "installed"),
        (failed, "came_back"),
        (seen.is_(None) | (seen < now - SILENT_S), "silent"),
        (check_in.c.wait_release == release, "waiting"),
        else_="under_way",
    )


def wave_of(plan: RolloutPlan, release: int, terminals: int) -> tuple[int, int]:
    """(The wave that a release has come to on a channel of so many terminals, of how many): 0 for
    none.
    """
    if not 1 <= terminals <= LARGEST_FLEET:
        return 0, 0
    waves = sizes(terminals)
    wave = plan.releases.get(str(release))
    if wave is None or plan.is_for_nobody(release):
        return 0, len(waves)
    if wave.threshold == EVERYBODY:
        return len(waves), len(waves)
    share = wave.threshold + Fraction(plan.within.get(str(release), 0), limits.WITHIN[1] + 1)
    reached = share * terminals / EVERYBODY
    # The fleet has grown or shrunk since the wave was planned; waves lie three times apart.
    passed = [size for size in waves[:-1] if 2 * size <= 3 * reached]
    return max(1, len(passed)), len(waves)
