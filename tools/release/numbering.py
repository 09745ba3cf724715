"""The number and version of a release that no person numbers: YYYYMMDDNN, the day and the how
manieth of it. For `committing`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

_A_DAY = 100


def next_number(listed: Collection[int], ever: Collection[int], now: datetime) -> int:
    """The first number of the day of `now` (UTC) that is above all that is `listed` or waits, and
    that no release `ever` had. Behind the 99th of a day it goes on with the next day's.
    """
    first = (now.year * 10_000 + now.month * 100 + now.day) * _A_DAY + 1
    number = max([first, *(release + 1 for release in listed)])
    while number in ever:
        number += 1
    return number


def version_of(number: int) -> str:
    """The version for people: 2026.11.28.1 of 2026112801."""
    day, count = divmod(number, _A_DAY)
    year, rest = divmod(day, 10_000)
    return f"{year}.{rest // 100}.{rest % 100}.{count}"
