"""Does a terminal start again and again? Told by how its count of boots rises from report to
report. Pure. For `check_ins`, which keeps what this needs in the terminal's own row.
"""

from __future__ import annotations

from typing import Any

COLUMNS = ["boots_from", "boots_since", "looping_since"]
"""Of `check_in`."""
LIMIT = 6
"""So many starts within an hour are no merchant's hand."""
WINDOW_S = 3600


def counted(before: Any, boot_count: int, now: int) -> dict[str, int | None]:
    """`COLUMNS` after a report with this count of boots at `now` (Unix s); `before` is the row of
    the report before it, None if there is none.

    A terminal starts again and again from the report on at which it had `LIMIT` starts at a rate of
    `LIMIT` an hour or more, and until an hour has passed at less.
    """
    start, since = (before.boots_from, before.boots_since) if before else (None, None)
    looping_since = before.looping_since if before else None
    if start is None or since is None or boot_count < start or now < since:
        return {"boots_from": boot_count, "boots_since": now, "looping_since": None}
    boots, passed_s = boot_count - start, now - since
    if boots >= LIMIT and boots * WINDOW_S >= LIMIT * passed_s:
        looping_since = looping_since or now
    elif passed_s >= WINDOW_S:
        looping_since = None
    if passed_s >= WINDOW_S:
        start, since = boot_count, now
    return {"boots_from": start, "boots_since": since, "looping_since": looping_since}
