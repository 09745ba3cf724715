"""What each person at a terminal sold in a time. For the command line.

Counted from the log and the terminal's journal when it is asked for: there are a few hundred sales
a day at one terminal, and the journal may come days later than the sale is posted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, select

from updater_server.sales.people import OWNER, Sellers
from updater_server.store.tables import sale_log
from updater_server.views import keeping

_GIVEN_BACK = frozenset(["refund", "void"])


class Sold(NamedTuple):
    """What somebody sold. `person` None: sales of which the journal is not here yet."""

    person: int | None
    name: str
    currency: str
    number: int
    face_minor: int
    commission_minor: int


def sold(connection: Connection, terminal_id: bytes, since: int, until: int) -> list[Sold]:
    """By person and currency, of sales posted from `since` up to, and without, `until` (Unix s).

    Raises:
        InputError: that time is not kept any more.
    """
    keeping.refuse_before(connection, since, until)
    found = Sellers(connection)
    counted: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    rows = connection.execute(
        select(sale_log)
        .where(sale_log.c.terminal_id == terminal_id)
        .where(sale_log.c.at >= since, sale_log.c.at < until)
    )
    for row in rows:
        number = found.number(terminal_id, row.sequence)
        mine = counted[-1 if number is None else number, row.currency]
        mine[0] += -1 if row.kind in _GIVEN_BACK else 0 if row.kind == "correction" else 1
        mine[1] += row.face_minor
        mine[2] += row.commission_minor
        mine[3] = max(mine[3], row.sequence)
    out = []
    for (number, money), (count, face, commission, newest) in sorted(counted.items()):
        person = None if number < OWNER else number
        name = "not known yet" if person is None else found.called(terminal_id, person, newest)
        out.append(Sold(person, name, money, count, face, commission))
    return out
