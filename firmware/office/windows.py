"""Windows of counters, as key 13 of a message (docs/formats/metrics.md). In the heap only while
the office is spoken to.

What is counted lies in `firmware.counts`; here it is cut off, held within the bounds of
docs/formats/metrics.toml and kept until the answer to its message is there.
"""

from bootloader.shared import cbor
from bootloader.shared.compat import const
from firmware import counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from firmware.boot_info import BootInfo

    class Record(Protocol):
        """What is remembered over a restart (`firmware.update.record`)."""

        is_hourly: bool
        flags: list[str]
        restarted: bool

        def save(self) -> None: ...


_HOUR_S = const(3600)
_FIRST_S = const(10800)
_DAILY_S = const(72000)
"""A day less the longest pause between messages that is usual: a day's window is told within 26
hours."""
_LONGEST_S = const(93600)
_LEAST_S = const(60)
_MAY_GROW_BYTES = const(112)  # fewer bytes are no eight windows: the least takes 14
_MINUTES_ON = const(16)
_BOOTS_POWER = const(17)
_BOOTS_WATCHDOG = const(18)
_BOOTS_CRASH = const(19)
_BOOTS_UPDATE = const(20)
_COUNTERS = const(30)
_HISTOGRAMS = ((30, 30, 36), (31, 36, 41), (32, 41, 46), (33, 46, 51))
# What went over the air, by purpose, in units of 32 bytes; what is less waits for the next one.
_AIR = const(34)
_AIR_FIRST = const(52)
_AIR_UNIT_BITS = const(5)
_AIR_REST = const(31)
_AIR_MOST = const(1562500)
# The most of an hour; of every other counter 3,600.
_MOST = {21: 10000, 22: 10000, 27: 10000, 28: 1000}
# The most of the least that was measured, however long the window is.
_BOUNDS = {25: 10000, 26: 16777216}


def begin(release: int, clock: "Callable[[], int]", heap_free: "Callable[[], int]") -> None:
    """The program of `release` starts: nothing is counted yet. `clock`, `heap_free` as in
    `counts`.
    """
    counts.told = None
    counts.sequence = 0
    counts.is_hourly = False
    counts.release = release
    counts.now = clock
    counts.heap_free = heap_free
    for n in range(len(counts.values)):
        counts.values[n] = 0


def started(boot: "BootInfo", record: "Record") -> None:
    """Count this start, by what it was for."""
    counts.is_hourly = record.is_hourly or "hourly" in record.flags
    if boot.reset_cause == "watchdog":
        counts.add(_BOOTS_WATCHDOG)
    elif boot.reset_cause != "soft":
        counts.add(_BOOTS_POWER)
    elif boot.control.state.crashes:
        counts.add(_BOOTS_CRASH)
    elif record.restarted:
        counts.add(_BOOTS_UPDATE)
    if record.restarted:
        record.restarted = False
        record.save()


def due(at_once: bool = False) -> bytes | None:
    """What is to be told with the next message, or None: the window that waits for an answer, else
    a new one if it is long enough. `at_once`: both, however short, for the terminal restarts.
    """
    told = counts.told or b""
    if not told or (at_once and len(told) < _MAY_GROW_BYTES):
        new = _cut(_LEAST_S if at_once else _wanted_s())
        if new:
            counts.told = told + new
    return counts.told


def answered(told: bytes | None) -> None:
    """The message that told this was answered."""
    if told is counts.told:
        counts.told = None


def _wanted_s() -> int:
    """How long the window is to be. The first of a start are shorter than a day's, each twice the
    one before: many terminals are switched off at night, and what they counted is gone then.
    """
    if counts.is_hourly:
        return _HOUR_S
    return min(_FIRST_S << min(counts.sequence, 3), _DAILY_S)


def _cut(wanted_s: int) -> bytes | None:
    """The window until now, encoded, and a new one begins; None if it is not so long yet, or is
    lost: nobody could be told of it for too long, which the next one's number shows.
    """
    values = counts.values
    length_s = values[0] // 1000
    now_s = counts.now()
    if length_s < wanted_s or not now_s:
        return None
    window = None
    if length_s <= _LONGEST_S:
        values[_MINUTES_ON] = length_s // 60
        counted = dict(_bounded(length_s))
        window = cbor.dumps([counts.release, counts.sequence, now_s - length_s, length_s, counted])
    counts.sequence += 1
    values[0] %= 1000
    for n in range(1, _AIR_FIRST - 1):
        values[n] = 0
    for n in range(_AIR_FIRST, len(values)):
        values[n] &= _AIR_REST
    return window


def _bounded(length_s: int) -> "Iterator[tuple[int, int | list[int]]]":
    """(Metric, value) of all that is not 0."""
    values = counts.values
    hours = -(-length_s // _HOUR_S)
    for number in range(1, _COUNTERS):
        most = _BOUNDS.get(number) or _MOST.get(number, 3600) * hours
        value = min(values[number], most)
        if value:
            yield number, value
    for number, first, end in _HISTOGRAMS:
        buckets = _without_end(list(values[first:end]))
        if buckets and sum(buckets) <= 3600 * hours:
            yield number, buckets
    spent = [min(n >> _AIR_UNIT_BITS, _AIR_MOST * hours) for n in values[_AIR_FIRST:]]
    if _without_end(spent):
        yield _AIR, spent


def _without_end(counted: list[int]) -> list[int]:
    """The same list, without the zeros at its end."""
    while counted and not counted[-1]:
        counted.pop()
    return counted
