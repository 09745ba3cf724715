"""Times in words for people, at the command line and on the dashboard alike. Money is
`sales.currency`, which knows its currency.
"""

from __future__ import annotations

from datetime import UTC, datetime


def ago(then: int | None, now: int) -> str:
    """How long ago, in one word; both are Unix seconds."""
    if not then:
        return "never"
    seconds = max(0, now - then)
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name} ago"
    return "just now"


def day(at: int | None) -> str:
    """The day of a time (Unix seconds, UTC); a dash for none."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") if at else "–"


def minute(at: int) -> str:
    """A time (Unix seconds) to the minute, UTC, without saying so."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
