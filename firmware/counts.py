"""What the terminal counts of itself, in its heap alone, until the office was told. Any firmware
module may count; `firmware.office.windows` tells.

A metric goes by its number in docs/formats/metrics.toml; who counts it names the number by a
`const` of its own.
"""

from array import array

from bootloader.shared.compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SLOTS = const(60)
_AIR_NOW = const(51)
_FIRST_HISTOGRAM = const(30)
_MOST = const(0x3FFFFFFF)
# The bounds of the histograms in seconds, from number 30 on: five of the first, four of each other.
_BOUNDS = b"\x03\x06\x0a\x0f\x1e\x05\x0a\x14\x28\x01\x03\x08\x14\x02\x05\x0a\x14"

# How long it was counted (ms); what metric 1 counts, 2, …; then the histograms' buckets in a row;
# what is on the air now (bytes), and by purpose what was: metric 34.
values = array("I", bytes(4 * _SLOTS))
told: bytes | None = None
"""A window that waits for the answer to its message."""
sequence = 0
is_hourly = False
"""Whether the plan wants a window each hour, of an arm or by its flag."""
release = 0
now: "Callable[[], int]" = int
"""Unix seconds, 0 if unknown."""
heap_free: "Callable[[], int]" = int
"""Bytes of the board's heap that are free, 0 if it does not tell."""


def add(number: int, by: int = 1) -> None:
    """Count `by` more."""
    values[number] = min(values[number] + by, _MOST)


def took(number: int, ms: int) -> None:
    """Count one that took so long, under its bucket."""
    n = number - _FIRST_HISTOGRAM
    at = 4 * n + (n > 0)
    end = 4 * n + 5
    slot = number + at
    while at < end and ms > _BOUNDS[at] * 1000:
        at += 1
        slot += 1
    add(slot)


def air(size_bytes: int) -> None:
    """So many bytes leave or have come, headers and all, for whatever is asked now."""
    values[_AIR_NOW] += size_bytes


def spent(purpose: int) -> None:
    """What went over the air since the last call was for this: a place in metric 34, from 1 on. Who
    asked calls it as soon as the answer is there, or is given up, before anybody else may ask.
    """
    slot = _AIR_NOW + purpose
    values[slot] = min(values[slot] + values[_AIR_NOW], _MOST)
    values[_AIR_NOW] = 0
