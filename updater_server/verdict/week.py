"""Records made tidy: one row an hour, one column a terminal, each window at most once.

What is set aside is counted by reason and shown with the verdict; a reader can act on it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from updater_server.verdict.policy import Policy
from updater_server.verdict.records import Incident, Records, Trial, Window

Integers = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

HOUR_S = 3600
DAY_S = 24 * HOUR_S
PRE_DAYS = 14
_LONGEST_HOURLY_S = 2 * HOUR_S
_LONGEST_DAILY_S = 26 * HOUR_S
_MOST_AN_HOUR = 10_000
_CLOCK_SLACK_S = HOUR_S


@dataclass(frozen=True)
class Counts:
    """One guard: [day, terminal] before the wave and [hour, terminal] since each restarted."""

    pre_attempts: Small
    pre_failures: Small
    attempts: Small
    failures: Small


@dataclass(frozen=True)
class Week:
    """A wave's records as they were known `hours` after it began. Terminals are those in an arm, in
    the order of their ids.
    """

    hours: int
    ids: tuple[bytes, ...]
    beta: Flags
    region: Integers
    restarted: Flags
    not_back: Flags
    silent: Flags
    counts: dict[str, Counts]
    incidents: tuple[Incident, ...]
    set_aside: dict[str, int]

    def digest(self) -> str:
        """BLAKE2b of all of it, in hex: what a verdict says it was made from."""
        running = hashlib.blake2b(digest_size=32)
        about = [self.hours, self.set_aside, [list(one) for one in self.incidents]]
        running.update(msgspec.json.encode(about, order="sorted"))
        running.update(b"".join(self.ids))
        for flags in (self.beta, self.restarted, self.not_back, self.silent):
            running.update(np.packbits(flags).tobytes())
        running.update(self.region.astype("<i4").tobytes())
        for name in sorted(self.counts):
            counts = self.counts[name]
            running.update(name.encode())
            parts = (counts.pre_attempts, counts.pre_failures, counts.attempts, counts.failures)
            for part in parts:
                running.update(np.ascontiguousarray(part, "<i4").tobytes())
        return running.hexdigest()


def tidy(trial: Trial, records: Records, policy: Policy, at_s: int) -> Week:
    """What was known at `at_s` (Unix seconds) of the trial's population."""
    found = {one.id: one for one in trial.population}
    arms = {one: trial.arm(one) for one in sorted(found)}
    ids = tuple(one for one, arm in arms.items() if arm != "none")
    column = {one: number for number, one in enumerate(ids)}
    beta = np.array([arms[one] == "beta" for one in ids], bool)
    hours = max(0, at_s - trial.began_s) // HOUR_S

    restarts: dict[bytes, int] = {}
    for restart in records.restarts:
        if trial.began_s <= restart.known_s <= at_s and restart.terminal in column:
            known = restarts.get(restart.terminal, restart.known_s)
            restarts[restart.terminal] = min(known, restart.known_s)
    heard = _last_heard(records, at_s)
    silent, not_back = np.zeros(len(ids), bool), np.zeros(len(ids), bool)
    for one, number in column.items():
        last = max(heard.get(one, 0), trial.began_s)
        patience = max(policy.silent_after_s, 2 * found[one].habit_s)
        silent[number] = at_s - last > patience
        at = restarts.get(one)
        not_back[number] = (
            at is not None and at + policy.back_within_s <= at_s and heard.get(one, 0) <= at
        )

    sorter = _Sorter(trial, column, beta, restarts, at_s)
    names = [guard.name for guard in policy.guards]
    counts = sorter.fill(records, names, hours)
    incidents = {
        one
        for one in records.incidents
        if restarts.get(one.terminal, at_s + 1) <= one.known_s <= at_s
    }
    return Week(
        hours,
        ids,
        beta,
        np.array([found[one].region for one in ids], np.int64),
        np.array([one in restarts for one in ids], bool),
        not_back,
        silent,
        counts,
        tuple(sorted(incidents)),
        dict(sorted(sorter.set_aside.items())),
    )


def _last_heard(records: Records, at_s: int) -> dict[bytes, int]:
    """When each terminal was last heard, by the server's clock. A restart that it announces is the
    last word before it, and so are messages of that second.
    """
    heard: dict[bytes, int] = {}
    for source in (records.contacts, records.windows, records.restarts):
        for one in source:
            if one.known_s <= at_s and one.known_s > heard.get(one.terminal, 0):
                heard[one.terminal] = one.known_s
    return heard


class _Sorter:
    """Puts windows where they belong, each at most once."""

    def __init__(
        self,
        trial: Trial,
        column: dict[bytes, int],
        beta: Flags,
        restarts: dict[bytes, int],
        at_s: int,
    ) -> None:
        self._trial, self._column, self._beta = trial, column, beta
        self._restarts, self._at_s = restarts, at_s
        self.set_aside: Counter[str] = Counter()

    def fill(self, records: Records, names: list[str], hours: int) -> dict[str, Counts]:
        """The counts of the guards that some window tells."""
        count = len(self._column)
        of_terminal: dict[bytes, list[Window]] = defaultdict(list)
        for window in records.windows:
            if window.known_s <= self._at_s and window.terminal in self._column:
                of_terminal[window.terminal].append(window)
        made: dict[str, Counts] = {}
        for one in sorted(of_terminal):
            number = self._column[one]
            for window in self._apart(of_terminal[one]):
                row, before = self._row(window, number)
                if row < 0:
                    continue
                for name in names:
                    told = window.counts.get(name)
                    if told is None:
                        continue
                    if name not in made:
                        made[name] = Counts(
                            *(np.zeros((PRE_DAYS, count), np.int32) for _ in range(2)),
                            *(np.zeros((hours, count), np.int32) for _ in range(2)),
                        )
                    counts = made[name]
                    if before:
                        counts.pre_attempts[row, number] += told[0]
                        counts.pre_failures[row, number] += told[1]
                    else:
                        counts.attempts[row, number] += told[0]
                        counts.failures[row, number] += told[1]
        return made

    def _apart(self, windows: list[Window]) -> list[Window]:
        """A terminal's sound windows that do not overlap. What was known first stays."""
        starts: list[int] = []
        taken: list[Window] = []
        seen: set[tuple[object, ...]] = set()
        for window in sorted(windows, key=_age):
            fault = self._fault(window)
            what = (window.start_s, window.length_s, window.release, _told(window))
            if fault is None and what in seen:
                fault = "doubled"
            at = bisect_left(starts, window.start_s)
            if fault is None and (
                (at > 0 and taken[at - 1].start_s + taken[at - 1].length_s > window.start_s)
                or (at < len(starts) and window.start_s + window.length_s > starts[at])
            ):
                fault = "overlapping"
            if fault is not None:
                self.set_aside[fault] += 1
                continue
            seen.add(what)
            starts.insert(at, window.start_s)
            taken.insert(at, window)
        return taken

    def _fault(self, window: Window) -> str | None:
        earliest = self._trial.began_s - PRE_DAYS * DAY_S
        end_s = window.start_s + window.length_s
        if not 0 < window.length_s <= _LONGEST_DAILY_S:
            return "length"
        if window.start_s < earliest or end_s > window.known_s + _CLOCK_SLACK_S:
            return "clock"
        most = _MOST_AN_HOUR * max(1, window.length_s // HOUR_S)
        for attempts, failures in window.counts.values():
            if not 0 <= failures <= attempts <= most:
                return "counts"
        return None

    def _row(self, window: Window, number: int) -> tuple[int, bool]:
        """(row, whether before the wave); row -1: it belongs to neither."""
        began_s, middle_s = self._trial.began_s, window.start_s + window.length_s // 2
        if window.start_s + window.length_s <= began_s:
            return (middle_s - began_s) // DAY_S + PRE_DAYS, True
        at = self._restarts.get(window.terminal)
        if at is None or window.start_s < at:
            self.set_aside["before its restart"] += 1
        elif (window.release == self._trial.release) != bool(self._beta[number]):
            self.set_aside["of another release"] += 1
        elif window.length_s > _LONGEST_HOURLY_S:
            self.set_aside["longer than two hours"] += 1
        elif middle_s >= began_s + (self._at_s - began_s) // HOUR_S * HOUR_S:
            self.set_aside["of the hour that is not over"] += 1
        else:
            return (middle_s - began_s) // HOUR_S, False
        return -1, False


def _told(window: Window) -> tuple[tuple[str, tuple[int, int]], ...]:
    return tuple(sorted((name, tuple(told)) for name, told in window.counts.items()))  # type: ignore[misc]


def _age(window: Window) -> tuple[object, ...]:
    return window.known_s, window.start_s, window.length_s, window.release, _told(window)
