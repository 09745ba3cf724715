"""Canaries: the newest message of our own in each queue, and whether it came through. The worker's
job `canaries` puts them in; whoever works a queue takes the canary when its turn is there, as the
next message of that queue, and says here what came of it.

A canary is no row of the queue itself but has a place in it (`after`): it never counts against what
a receiver may be sent, is never tried again before a message of people's, and touches no money.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from updater_server.store.tables import canary

WAITING, FAILED, CAME = "waiting", "failed", "came"
TELEMETRY = "telemetry"
SMS = "short messages"
STANDBYS = "standbys"
"""No queue of ours: what is written goes to them, and whether they are there is kept here too."""


def of_notices(receiver: str) -> str:
    """The queue of what a receiver is told."""
    return f"notices {receiver}"


def of_webhook(name: str) -> str:
    """The queue of what a partner's program is told."""
    return f"webhook {name}"


def of_supplier(name: str) -> str:
    """The sales that a supplier is to be asked for."""
    return f"supplier {name}"


class Canary(NamedTuple):
    """The newest of a queue. `at`: when it was put in, or the first of those that did not come;
    `changed_at`: when its state last changed or it was put in again; `after`: the queue's newest
    message then; `lag_s`: how long the last took that came; `far`: whom beyond us it is handed to,
    "" for nobody; `error`: why that
    failed last. Times are Unix s.
    """

    queue: str
    state: str
    at: int
    changed_at: int
    after: int
    lag_s: int
    far: str
    error: str

    def age_s(self, now: int) -> int:
        """How far the queue is behind, as far as this canary shows."""
        return self.lag_s if self.state == CAME else max(0, now - self.at)


def listing(connection: Connection) -> list[Canary]:
    """Every queue's, by name."""
    return [Canary(*row) for row in connection.execute(select(canary).order_by(canary.c.queue))]


def find(connection: Connection, queue: str) -> Canary | None:
    """A queue's; None: none was put in yet."""
    row = connection.execute(select(canary).where(canary.c.queue == queue)).one_or_none()
    return None if row is None else Canary(*row)


def waiting(connection: Connection, queue: str) -> Canary | None:
    """The one that waits for its turn in a queue."""
    found = find(connection, queue)
    return found if found is not None and found.state == WAITING else None


def put(connection: Connection, queue: str, after: int, far: str, now: int) -> Canary:
    """Put one in: at the end, unless one waits in it already."""
    known = find(connection, queue)
    at, lag_s, error = now, 0, ""
    if known is not None:
        lag_s = known.lag_s
        if known.state != CAME:
            at, error = known.at, known.error
        if known.state == WAITING:
            after = known.after
    made = Canary(queue, WAITING, at, now, after, lag_s, far, error)
    keep(connection, made)
    return made


def keep(connection: Connection, made: Canary) -> None:
    """In the place of the one of before."""
    connection.execute(delete(canary).where(canary.c.queue == made.queue))
    connection.execute(insert(canary).values(**made._asdict()))


def came(connection: Connection, queue: str, at: int, now: int) -> None:
    """The one of `at` has come to its end."""
    _change(connection, queue, at, {"state": CAME, "lag_s": max(0, now - at), "error": ""}, now)


def failed(connection: Connection, queue: str, at: int, why: str, now: int) -> None:
    """The far end did not take the one of `at`: it waits no more, and another is put in."""
    _change(connection, queue, at, {"state": FAILED, "error": why[:200]}, now)


def ended(connection: Connection, queue: str, at: int, why: str, now: int) -> None:
    """What became of the one of `at`: it came, or `why` the far end did not take it."""
    if why:
        failed(connection, queue, at, why, now)
    else:
        came(connection, queue, at, now)


def _change(
    connection: Connection, queue: str, at: int, values: dict[str, str | int], now: int
) -> None:
    mine = (canary.c.queue == queue, canary.c.at == at, canary.c.state == WAITING)
    connection.execute(update(canary).where(*mine).values(changed_at=now, **values))


def forget(connection: Connection, but: Collection[str]) -> None:
    """Those of queues that are no more."""
    connection.execute(delete(canary).where(canary.c.queue.not_in(but)))
