"""How long a signature counts, when it is due to be made anew, and a clock that can hardly be
right. For `channels`; nothing here reads a clock but `time_of`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

CLOCK_AHEAD_LIMIT = timedelta(days=60)
"""Twice a timestamp's life after its signature, a clock that says so is doubted."""
CLOCK_BEHIND_LIMIT = timedelta(days=45)
"""Less than the other, so that what was signed too early is never beyond the other's reach."""


def time_of(now: datetime | None) -> datetime:
    """The time that was given, or what the clock says."""
    return now or datetime.now(UTC)


def is_due(lifetime: timedelta, expires: datetime, now: datetime) -> bool:
    """Whether half of a signature's time has passed, or more is left than it should ever have."""
    left = expires - now
    return left < lifetime / 2 or left > lifetime + timedelta(days=1)


def doubt_of_clock(last_signature: datetime, now: datetime) -> str:
    """Why `now` cannot well be the time, by the last signature; "" if it may be.

    What is signed by a clock that runs ahead lasts for as long as it runs ahead, and a thief of
    the network can serve it for as long.
    """
    if now - last_signature > CLOCK_AHEAD_LIMIT:
        which = "after"
    elif last_signature - now > CLOCK_BEHIND_LIMIT:
        which = "before"
    else:
        return ""
    return (
        f"the clock says {now:%Y-%m-%d}, {abs(now - last_signature).days} days {which} the last "
        f"signature of {last_signature:%Y-%m-%d}: set it, or if it is right, publish by hand"
    )
