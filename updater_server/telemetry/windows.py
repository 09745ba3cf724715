"""The windows of counters that a message brought: read, each value held against its bounds, and
what a verdict reads of them. Pure; source: docs/formats/metrics.md.

Everything here was sealed by a terminal and is believed no further. What does not fit is refused
under a name (`REASONS`), by itself: it costs neither its message nor the windows beside it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import cbor2

from updater_server.telemetry import metrics
from updater_server.telemetry.metrics import (
    COUNTERS,
    GUARDED,
    HISTOGRAMS,
    LEAST,
    LEDGER,
    PER_MINUTE,
)
from updater_server.wire import limits

HOUR_S = 3600
REASONS = {
    "too_long": "more bytes than windows may take in one message",
    "not_cbor": "bytes that are no CBOR",
    "too_many": "more windows than one message may bring",
    "shape": "not [release, sequence, start, seconds, {metric: value}]",
    "release": "a release number that cannot be",
    "length": "a window without length, or longer than a day and two hours",
    "clock": "a window of a time that cannot be: at 0, of the future, or long gone",
    "metrics": "too many metrics, or numbers that none can have",
    "counts": "counters that fall, or more than the window has room for",
    "buckets": "a histogram with other buckets than its own",
}
"""Names of refusals, and what they mean to people."""
Value: TypeAlias = "int | list[int]"


class Window(NamedTuple):
    """`values` by the number of the metric: a count, the least, or a count a bucket; `told` is the
    whole window as it came.
    """

    release: int
    sequence: int
    start_s: int
    length_s: int
    values: dict[int, Value]
    told: bytes


class Read(NamedTuple):
    """What came of one message: the windows that fit, and why each other one does not."""

    windows: list[Window]
    refused: list[str]


def read(told: bytes, heard_s: int) -> Read:
    """The windows in `told`, a CBOR sequence; `heard_s` is when the message came (Unix seconds)."""
    if not limits.within(len(told), metrics.TOLD_BYTES):
        return Read([], ["too_long"])
    found: list[Window] = []
    refused: list[str] = []
    stream = io.BytesIO(told)
    while stream.tell() < len(told):
        if len(found) + len(refused) == metrics.WINDOWS[1]:
            refused.append("too_many")
            break
        begun = stream.tell()
        try:
            item = cbor2.load(stream)
        except _NO_CBOR:  # where the next one would begin nobody can tell
            refused.append("not_cbor")
            break
        window = _window(item, told[begun : stream.tell()], heard_s)
        if isinstance(window, Window):
            found.append(window)
        else:
            refused.append(window)
    return Read(found, refused)


_NO_CBOR = (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError)


def _window(item: Any, told: bytes, heard_s: int) -> Window | str:
    """The window, or why it is none."""
    if type(item) is not list or len(item) != 5 or type(item[4]) is not dict:
        return "shape"
    head = item[:4]
    if any(type(part) is not int or not 0 <= part <= limits.UINT32 for part in head):
        return "shape"
    release, sequence, start_s, length_s = head
    if not limits.within(release, limits.RELEASE):
        return "release"
    if not limits.within(length_s, metrics.LENGTH_S):
        return "length"
    end_s = start_s + length_s
    if not heard_s - metrics.BEHIND_S[1] <= end_s <= heard_s + metrics.AHEAD_S[1]:
        return "clock"
    wrong = _wrong_values(item[4], length_s)
    return wrong or Window(release, sequence, start_s, length_s, item[4], told)


_OF_COUNTER = {one.id: one.most for one in COUNTERS.values()}
_OF_LEAST = {one.id: one.bounds for one in LEAST.values()}
_OF_HISTOGRAM = {one.id: (len(one.bounds) + 1, one.most) for one in HISTOGRAMS.values()}
_OF_LEDGER = {one.id: (len(one.purposes), one.most) for one in LEDGER.values()}


def _wrong_values(values: dict[Any, Any], length_s: int) -> str:
    if len(values) > metrics.METRICS[1]:
        return "metrics"
    hours = -(-length_s // HOUR_S)
    for number, value in values.items():
        if type(number) is not int or not 1 <= number <= 255:
            return "metrics"
        if type(value) is int:
            most = _OF_COUNTER.get(number)
            if number in _OF_HISTOGRAM or number in _OF_LEDGER:
                return "buckets"
            low, high = (0, most * hours) if most else _OF_LEAST.get(number, metrics.VALUE)
            if not low <= value <= high:
                return "counts"
        else:
            wrong = _wrong_buckets(number, value, hours)
            if wrong:
                return wrong
    return ""


def _wrong_buckets(number: int, value: Any, hours: int) -> str:
    if number in _OF_COUNTER or number in _OF_LEAST:
        return "counts"
    buckets, most = _OF_HISTOGRAM.get(number, (metrics.BUCKETS[1], metrics.VALUE[1]))
    if number in _OF_LEDGER:
        places, of_each = _OF_LEDGER[number]
        buckets, most = places, places * of_each
    if type(value) is not list or not 1 <= len(value) <= buckets:
        return "buckets"
    if any(type(count) is not int or count < 0 for count in value) or sum(value) > most * hours:
        return "counts"
    return ""


def values_of(told: bytes) -> dict[int, Value]:
    """The values of a window that was kept as it came."""
    values: dict[int, Value] = cbor2.loads(told)[4]
    return values


def guards(values: Mapping[int, Value]) -> dict[str, tuple[int, int]]:
    """Per guard (attempts, failures) of one window; none of which nothing was tried. A failure
    whose attempt is in the window before counts as tried in this one.
    """
    found = {}
    for name, guarded in GUARDED.items():
        if guarded.over_s:
            histogram = HISTOGRAMS[guarded.of]
            buckets = values.get(histogram.id, [])
            assert isinstance(buckets, list)
            slow = histogram.bounds.index(guarded.over_s) + 1
            attempts, failures = sum(buckets), sum(buckets[slow:])
        else:
            attempts = _count(values, guarded.of)
            failures = sum(_count(values, one) for one in guarded.failed)
            if guarded.of == PER_MINUTE:
                failures = min(failures, attempts)
        if attempts or failures:
            found[name] = max(attempts, failures), failures
    return found


def _count(values: Mapping[int, Value], name: str) -> int:
    value = values.get(COUNTERS[name].id, 0)
    assert isinstance(value, int)
    return value
