"""A log that a bad night does not fill: what repeats is told once in a while, with how often. For
`cli.server` and `cli.worker`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

EACH_S = 10.0
BURST = 20
_PLACES = 256
_CHATTY = ("alembic", "httpx", "tuf")
"""Libraries whose every step would be told; tuf's are signatures that a threshold does without."""


def begin() -> None:
    """The log of a program that runs for long: on stderr, each line with its time."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repeats())


class Repeats(logging.Filter):
    """Lets `BURST` records of one place in the program through in `EACH_S`; the next one after that
    says how many were left out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._places: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is written."""
        place = (record.pathname, record.lineno)
        now = self._clock()
        with self._lock:
            since, count = self._places.get(place, (now, 0))
            left_out = 0
            if now - since >= EACH_S:
                left_out, since, count = max(0, count - BURST), now, 0
            if place not in self._places and len(self._places) >= _PLACES:
                self._places.clear()
            self._places[place] = (since, count + 1)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} like this were left out)"
            record.args = ()
        return count < BURST
