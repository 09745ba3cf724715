"""What terminals count: the server's own table of docs/formats/metrics.toml, which a test holds
against it. Terminals keep one of their own.
"""

from __future__ import annotations

from typing import NamedTuple

TOLD_BYTES = (1, 1024)
WINDOWS = (1, 8)
SEQUENCE = (0, (1 << 32) - 1)
LENGTH_S = (1, 93_600)
METRICS = (0, 64)
METRIC_ID = (1, 255)
BUCKETS = (1, 16)
VALUE = (0, (1 << 32) - 1)
AHEAD_S = (0, 3_600)
BEHIND_S = (0, 3_024_000)


class Counter(NamedTuple):
    """How often in a window; `most` is of an hour."""

    id: int
    unit: str
    most: int


class Least(NamedTuple):
    """The least that was measured in a window, within `bounds`."""

    id: int
    unit: str
    bounds: tuple[int, int]


class Histogram(NamedTuple):
    """How often in each bucket: up to the first of `bounds`, …, over the last."""

    id: int
    unit: str
    bounds: tuple[int, ...]
    most: int


class Ledger(NamedTuple):
    """What went over the air, a place a purpose; `most` is of each, in an hour."""

    id: int
    unit: str
    purposes: tuple[str, ...]
    most: int


class Guarded(NamedTuple):
    """What a verdict reads: attempts, and which counters of failures, or all over so many
    seconds.
    """

    of: str
    failed: tuple[str, ...] = ()
    over_s: int = 0


COUNTERS = {
    "sales_tried": Counter(1, "sales", 3_600),
    "sales_answered": Counter(2, "sales", 3_600),
    "sales_failed": Counter(3, "sales", 3_600),
    "sales_timed_out": Counter(4, "messages", 3_600),
    "sales_from_stock": Counter(5, "sales", 3_600),
    "prints_tried": Counter(6, "receipts", 3_600),
    "prints_failed": Counter(7, "receipts", 3_600),
    "attaches_tried": Counter(8, "attaches", 3_600),
    "attaches_failed": Counter(9, "attaches", 3_600),
    "connects_tried": Counter(10, "connections", 3_600),
    "connects_failed": Counter(11, "connections", 3_600),
    "settles_tried": Counter(12, "messages", 3_600),
    "settles_failed": Counter(13, "messages", 3_600),
    "downloads_tried": Counter(14, "downloads", 3_600),
    "downloads_failed": Counter(15, "downloads", 3_600),
    "minutes_on": Counter(16, "minutes", 61),
    "boots_power": Counter(17, "boots", 3_600),
    "boots_watchdog": Counter(18, "boots", 3_600),
    "boots_crash": Counter(19, "boots", 3_600),
    "boots_update": Counter(20, "boots", 3_600),
    "crashes": Counter(21, "errors", 10_000),
    "log_errors": Counter(22, "lines", 10_000),
    "bytes_up": Counter(23, "bytes", 50_000_000),
    "bytes_down": Counter(24, "bytes", 50_000_000),
    "journal_lost": Counter(27, "records", 10_000),
    "files_refused": Counter(28, "files", 1_000),
    "attaches_denied": Counter(29, "attaches", 3_600),
}
LEAST = {
    "battery_low_mv": Least(25, "millivolts", (1, 10_000)),
    "heap_low_bytes": Least(26, "bytes", (1, 16_777_216)),
}
HISTOGRAMS = {
    "key_to_paper": Histogram(30, "seconds", (3, 6, 10, 15, 30), 3_600),
    "attach": Histogram(31, "seconds", (5, 10, 20, 40), 3_600),
    "connect": Histogram(32, "seconds", (1, 3, 8, 20), 3_600),
    "answer": Histogram(33, "seconds", (2, 5, 10, 20), 3_600),
}
LEDGER = {
    "air": Ledger(
        34,
        "32 bytes",
        ("sale", "sync", "check_in", "poll", "metadata", "update", "wasted", "sms"),
        1_562_500,
    ),
}
AIR_UNIT_BYTES = 32
"""Of each purpose but `sms`, which counts messages."""
GUARDED = {
    "sale_failed": Guarded("sales_tried", ("sales_failed",)),
    "print_failed": Guarded("prints_tried", ("prints_failed",)),
    "attach_failed": Guarded("attaches_tried", ("attaches_failed",)),
    "connect_failed": Guarded("connects_tried", ("connects_failed",)),
    "sale_slow": Guarded("key_to_paper", over_s=15),
    "crash": Guarded("minutes_on", ("boots_crash", "crashes")),
    "watchdog": Guarded("minutes_on", ("boots_watchdog",)),
    "log_error": Guarded("minutes_on", ("log_errors",)),
    "settle_failed": Guarded("settles_tried", ("settles_failed",)),
    "download_failed": Guarded("downloads_tried", ("downloads_failed",)),
}
PER_MINUTE = "minutes_on"
"""Of what is counted against minutes, one a minute counts."""
