"""From the spool into the tables: what came is read, held against its bounds, and kept in batches
with when it became known. For the worker.

A batch is 50,000 entries of one file of the spool, and one transaction, under the file's own name
and the part's number: a worker that is killed at any moment leaves the file, and the next one takes
in what is not in yet.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, islice

from updater_server.telemetry import spool, windows
from updater_server.telemetry.spool import Entry, SpoolDamaged, entries
from updater_server.telemetry.store import RESTART, WINDOW, Refusal, Row, Told

KEPT_REFUSALS = 1000
"""Of one batch; the rest is counted only, so that who sends rubbish fills no disk."""
_HEAD_BYTES = 64
_AT_ONCE = 50_000  # entries: a batch's part, which is a transaction
DAMAGED = "damaged-"
log = logging.getLogger("duka.telemetry")


@dataclass
class Taken:
    """What came of it: rows, refusals by reason, releases that were told of, trouble with files in
    words, and when the newest canary was put in (0: there was none).
    """

    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    releases: set[int] = field(default_factory=set)
    trouble: list[str] = field(default_factory=list)
    canary_at: int = 0


def take_in(
    waiting: spool.Spool,
    told: Told,
    now: Callable[[], int],
    add_up: Callable[[list[Row]], None] = lambda rows: None,
) -> Taken:
    """Take in all that waits in the spool; `now` says when it becomes known (Unix seconds).
    `add_up` has each batch once it is kept, and again if the worker was killed meanwhile.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database; what was not taken in waits on.
        OSError: the folder.
    """
    taken = Taken()
    for path in waiting.take():
        damage = ""
        found = entries(path)
        for part in count():
            rows: list[Row] = []
            refused: list[Refusal] = []
            try:
                for entry in islice(found, _AT_ONCE):
                    _read(entry, rows, refused, taken)
            except SpoolDamaged as error:
                log.error("%s", error)
                damage = str(error)
            if rows or refused:
                told.take(f"{path.name}.{part}", now(), rows, refused)
                add_up(rows)
            else:
                break
            taken.rows += len(rows)
        if damage:
            taken.trouble.append(damage)
            path.rename(path.with_name(DAMAGED + path.name))
        else:
            path.unlink()
    return taken


def _read(entry: Entry, rows: list[Row], refused: list[Refusal], taken: Taken) -> None:
    kind, terminal, heard_s, said = entry
    if kind == spool.CANARY:
        taken.canary_at = int.from_bytes(said, "big")
        return
    if kind == spool.RESTART:
        rows.append(Row(terminal, RESTART, heard_s, int.from_bytes(said, "big")))
        return
    found, wrong = windows.read(said, heard_s)
    for one in found:
        taken.releases.add(one.release)
        rows.append(Row(terminal, WINDOW, heard_s, *one[:4], one.told))
    for reason in wrong:
        taken.refused[reason] += 1
        if len(refused) < KEPT_REFUSALS:
            refused.append(Refusal(terminal, heard_s, reason, said[:_HEAD_BYTES]))
