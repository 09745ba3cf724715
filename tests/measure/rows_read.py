"""What a piece of work reads of PostgreSQL's tables, counted by the database itself and not timed.
For the tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

_ASKED = (
    "SELECT 'walk ' || relname, seq_tup_read FROM pg_stat_user_tables UNION ALL "
    "SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes"
)
_TELL = "SELECT pg_stat_force_next_flush()"


@contextmanager
def rows_read(engine: Engine, looking: psycopg.Connection[Any]) -> Iterator[Counter[str]]:
    """By index: entries that it brought, those of rows that are no more with them; `walk TABLE`:
    rows that were read without one. `looking` is another connection to the same database, every
    statement committed.
    """
    found: Counter[str] = Counter()
    before = _now(engine, looking)
    yield found
    found.update(_now(engine, looking) - before)


def _now(engine: Engine, looking: psycopg.Connection[Any]) -> Counter[str]:
    pool: Any = engine.pool
    with ExitStack() as stack:  # each tells what it counted by and by, or when told to
        for _ in range(pool.checkedin()):
            held = stack.enter_context(engine.connect())
            held.exec_driver_sql(_TELL)
    looking.execute(_TELL)
    return Counter({name: int(count or 0) for name, count in looking.execute(_ASKED)})
