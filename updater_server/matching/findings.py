"""What does not agree, and what a person decides about it. For the runs, the command line and the
worker.

A finding is about one subject (a sale as one side knows it) and of one kind; the same one of a
later look is the same matter. It is open until a person decides it, or a later look at its day does
not find it any more, or the other side's line turns up under another day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, text

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import alarms, operators
from updater_server.sales import ledger
from updater_server.store.tables import matching_decision, matching_finding

ONLY_OURS, ONLY_THEIRS, AMOUNT, NUMBER = "only_ours", "only_theirs", "amount", "number"
DUPLICATE, LATE, NO_FILE = "duplicate", "late", "no_file"
GIVE_BACK, CHARGE, NOTE, NONE = "give_back", "charge", "note", "none"
OPEN_CODE = "reconciliation_open"
WORDS = {
    ONLY_OURS: "only ours",
    ONLY_THEIRS: "only theirs",
    AMOUNT: "another amount",
    NUMBER: "another number",
    DUPLICATE: "twice",
    LATE: "late",
    NO_FILE: "no file",
}


@dataclass(frozen=True)
class Finding:
    """One thing that does not agree. `entries` is what the proposal would post, minor units."""

    kind: str
    subject: str
    text: str
    terminal_id: bytes | None = None
    sequence: int | None = None
    proposal: str = NOTE
    entries: Mapping[str, int] = field(default_factory=dict)


def add(connection: Connection, run_id: int, found: Iterable[Finding]) -> None:
    """Keep what a step of a run found; what the run has already is left out."""
    known = {
        (row.kind, row.subject)
        for row in connection.execute(
            select(matching_finding.c.kind, matching_finding.c.subject).where(
                matching_finding.c.run_id == run_id
            )
        )
    }
    for one in found:
        if (one.kind, one.subject) in known:
            continue
        known.add((one.kind, one.subject))
        connection.execute(
            insert(matching_finding).values(
                run_id=run_id,
                kind=one.kind,
                subject=one.subject,
                terminal_id=one.terminal_id,
                sequence=one.sequence,
                text=operators.words(one.text, 300),
                proposal=one.proposal,
                entries=json.dumps(dict(one.entries), sort_keys=True),
            )
        )


def of_run(connection: Connection, run_id: int) -> list[Any]:
    """What a run found, in an order that does not depend on how it came about."""
    found = connection.execute(select(matching_finding).where(matching_finding.c.run_id == run_id))
    return sorted(found, key=lambda row: (row.kind, row.subject))


_OPEN = """
    SELECT f.id, f.kind, f.subject, f.text, f.terminal_id, f.sequence, f.proposal, f.entries, r.day
    FROM matching_finding f JOIN matching_run r ON r.id = f.run_id
    WHERE f.kind <> 'late'
    AND r.round = (SELECT MAX(o.round) FROM matching_run o JOIN matching_page p ON p.run_id = o.id
        WHERE o.day = r.day)
    AND NOT EXISTS (SELECT 1 FROM matching_decision d
        WHERE d.kind = f.kind AND d.subject = f.subject)
    AND NOT (f.kind = 'only_ours' AND EXISTS (SELECT 1 FROM matching_finding l
        WHERE l.kind = 'late' AND l.subject = f.subject AND l.run_id > f.run_id))
    ORDER BY r.day, f.kind, f.subject"""


def open_ones(connection: Connection) -> list[Any]:
    """What nobody has decided yet, the oldest day first."""
    return list(connection.execute(text(_OPEN)).all())


def tell(connection: Connection, now: int) -> int:
    """Let an alarm stand for each day on which something is open; how many are."""
    still: dict[str, int] = {}
    for one in open_ones(connection):
        still[one.day] = still.get(one.day, 0) + 1
    texts = [f"{day}: not everybody says the same of its sales: `reconcile list`" for day in still]
    alarms.settle(connection, [OPEN_CODE], texts, now)
    for words in texts:
        if not alarms.is_open(connection, OPEN_CODE, words):
            alarms.raise_alarm(connection, None, OPEN_CODE, words, now)
    return sum(still.values())


def correction_reference(finding_id: int) -> str:
    """Under what an accepted proposal is posted."""
    return f"correction:{finding_id}"


def decide(
    connection: Connection, finding_id: int, decision: str, reason: str, operator: str, now: int
) -> str:
    """Do what a finding proposes, or (`NOTE`) only note it; what was decided. The same again
    changes nothing.

    Raises:
        InputError: no such finding, it is open no more, no reason, or `decision` is not proposed.
        ConflictError: it was decided otherwise.
    """
    reason = operators.words(reason.strip(), 200)
    if not reason:
        raise InputError("--reason: say why; it is kept")
    before = connection.execute(
        select(matching_decision).where(matching_decision.c.finding_id == finding_id)
    ).one_or_none()
    if before is not None:
        if decision in ("", before.decision):
            return str(before.decision)
        raise ConflictError(f"finding {finding_id} was decided as {before.decision} before")
    one = next((row for row in open_ones(connection) if row.id == finding_id), None)
    if one is None:
        raise InputError(f"finding {finding_id} is not open: see `reconcile list`")
    decision = decision or one.proposal
    if decision not in (one.proposal, NOTE):
        raise InputError(f"finding {finding_id} proposes {one.proposal}: that, or {NOTE}")
    connection.execute(
        insert(matching_decision).values(
            finding_id=finding_id,
            kind=one.kind,
            subject=one.subject,
            decision=decision,
            reason=reason,
            decided_by=operator,
            decided_at=now,
        )
    )
    if decision in (GIVE_BACK, CHARGE):
        _post(connection, one, now)
    subject = f"finding {finding_id}"
    operators.note(connection, operator, f"reconcile {decision}", subject, reason, now)
    tell(connection, now)
    return str(decision)


def _post(connection: Connection, one: Any, now: int) -> None:
    left = ledger.post(
        connection,
        "correction",
        correction_reference(one.id),
        json.loads(one.entries),
        terminal_id=one.terminal_id,
        sequence=one.sequence,
        now=now,
    )
    if left is not None and left < 0 and one.terminal_id is not None:
        words = f"correction {one.id} went over the float"
        alarms.raise_alarm(connection, one.terminal_id, "float_negative", words, now)
