"""The records of a wave as they were known at some moment: what its terminals told, and what the
books say happened to them.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from updater_server.fleet.updates import NEVER_RAN
from updater_server.store.tables import alarm, running_history
from updater_server.telemetry import windows
from updater_server.telemetry.store import CONTACT, RESTART, WINDOW, Row, Told
from updater_server.verdict.records import (
    Contact,
    Incident,
    IncidentKind,
    Records,
    Restart,
    Trial,
    Window,
)
from updater_server.verdict.week import DAY_S, PRE_DAYS

INCIDENTS: dict[str, IncidentKind] = {
    "journal_fork": "corrupt_journal",
    "journal_chain": "corrupt_journal",
    "journal_lost": "corrupt_journal",
    "journal_rewound": "corrupt_journal",
    "journal_too_many_lost": "corrupt_journal",
    "sale_conflict": "money_broken",
    "float_mismatch": "money_broken",
}
"""Alarms of a terminal that halt a wave without statistics."""
_ASKED = 400


def guards_of(row: Row) -> dict[str, tuple[int, int]]:
    """What a verdict reads of a window that was told."""
    return windows.guards(windows.values_of(row.told))


class Evidence:
    """One trial's records. What became known is read once and kept; asking again for an earlier
    moment gives what was known then.
    """

    def __init__(self, told: Told, trial: Trial) -> None:
        self._told = told
        self._trial = trial
        self._ids = {one.id for one in trial.population}
        self._beta = {one for one in self._ids if trial.arm(one) == "beta"}
        self._through_s = trial.began_s - PRE_DAYS * DAY_S - 1
        self._windows: list[tuple[int, Window]] = []
        self._restarts: list[tuple[int, Restart]] = []
        self._contacts: list[tuple[int, Contact]] = []

    def at(self, connection: Connection, at_s: int) -> Records:
        """Everything known at `at_s` (Unix seconds), which must have passed: nothing may become
        known under it any more.
        """
        if at_s > self._through_s:
            for known_s, row in self._told.rows(self._ids, self._through_s + 1, at_s):
                self._keep(known_s, row)
            self._through_s = at_s
        incidents, ran = self._incidents(connection, at_s)
        return Records(
            [one for known_s, one in self._windows if known_s <= at_s],
            [one for known_s, one in self._restarts if known_s <= at_s]
            + [Restart(one, at) for one, at in ran.items()],
            [one for known_s, one in self._contacts if known_s <= at_s]
            + [Contact(one, at + 1) for one, at in ran.items()],
            incidents,
        )

    def _keep(self, known_s: int, row: Row) -> None:
        one = row.terminal
        if row.kind == WINDOW:
            counts = guards_of(row)
            window = Window(one, row.start_s, row.length_s, row.release, row.heard_s, counts)
            self._windows.append((known_s, window))
        elif row.kind == CONTACT:
            self._contacts.append((known_s, Contact(one, row.heard_s)))
        elif row.kind == RESTART and (row.release == self._trial.release) == (one in self._beta):
            self._restarts.append((known_s, Restart(one, row.heard_s)))

    def _incidents(
        self, connection: Connection, at_s: int
    ) -> tuple[list[Incident], dict[bytes, int]]:
        """What the books say of beta's terminals since the wave began, and since when those of them
        ran the release: who runs it has restarted, whether it said so or not.
        """
        found: list[Incident] = []
        ran: dict[bytes, int] = {}
        history, release = running_history.c, self._trial.release
        since, ids = self._trial.began_s, sorted(self._beta)
        for start in range(0, len(ids), _ASKED):
            part = ids[start : start + _ASKED]
            alarms = select(alarm.c.terminal_id, alarm.c.code, alarm.c.text, alarm.c.first_at)
            alarms = alarms.where(alarm.c.terminal_id.in_(part), alarm.c.code.in_(INCIDENTS))
            for one, code, text, at in connection.execute(
                alarms.where(alarm.c.first_at.between(since, at_s))
            ):
                found.append(Incident(bytes(one), INCIDENTS[code], text, at))
            runs = select(
                history.terminal_id, history.failure_release, history.failure_reason, history.at
            ).where(
                history.terminal_id.in_(part),
                (history.release == release) | (history.failure_release == release),
                history.at.between(since, at_s),
            )
            for one, failed, reason, at in connection.execute(runs):
                if failed == release and reason in NEVER_RAN:
                    continue
                ran[bytes(one)] = min(ran.get(bytes(one), at), at)
                if failed == release:
                    found.append(Incident(bytes(one), "rollback", reason, at))
        told = {one.terminal for one in found}
        return sorted(found), {one: at for one, at in sorted(ran.items()) if one in told}
