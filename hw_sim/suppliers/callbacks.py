"""Who carries an operator's call-backs: in time, late, twice, before the answer, never, and a
forger beside him. For the suppliers beside it.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

from hw_sim.suppliers.faults import Faults

_LATE_S = 0.3


class Courier:
    """Does things later, in one thread of its own."""

    def __init__(self, faults: Faults, pause_s: float = 0.0) -> None:
        self._faults = faults
        self._pause_s = pause_s
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._something = threading.Condition()
        self._is_closed = False
        self._busy = False
        self.answered: list[int] = []
        """The status of each call-back that was answered."""
        threading.Thread(target=self._work, daemon=True, name="supplier-courier").start()

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        """Do it in so many seconds."""
        with self._something:
            at = time.monotonic() + delay_s
            heapq.heappush(self._due, (at, next(self._numbers), call))
            self._something.notify()

    def report(self, url: str, content: dict[str, str]) -> None:
        """Carry a call-back, as the faults of its sale have it."""
        if not url:
            return
        fault = self._faults.of_report(content["requestId"])
        if fault == "silent":
            return
        if fault == "forged":  # by somebody who does not know the secret
            self._carry(url.rsplit("/", 1)[0] + "/guessed", {**content, "status": "Success"})
        if fault == "contrary":  # by somebody who does
            other = "Failed" if content["status"] == "Success" else "Success"
            self._carry(url, {**content, "status": other})
        if fault == "delayed":
            self.later(_LATE_S, lambda: self._carry(url, content))
            return
        self._carry(url, content)
        if fault == "doubled":
            self._carry(url, content)
            self.later(_LATE_S, lambda: self._carry(url, content))

    def rest(self, patience_s: float = 10.0) -> None:
        """Wait until nothing is left to be done."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            with self._something:
                if not self._due and not self._busy:
                    return
            time.sleep(0.01)

    def close(self) -> None:
        """Do nothing more."""
        with self._something:
            self._is_closed = True
            self._something.notify()

    def _carry(self, url: str, content: dict[str, str]) -> None:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.suppress(OSError, HTTPException):  # nobody is there: it is lost
            connection.request("POST", parts.path, urlencode(content), head)
            self.answered.append(connection.getresponse().status)
        connection.close()

    def _work(self) -> None:
        while True:
            with self._something:
                while not self._is_closed and (not self._due or self._due[0][0] > time.monotonic()):
                    left = self._due[0][0] - time.monotonic() if self._due else None
                    self._something.wait(left)
                if self._is_closed:
                    return
                _, _, call = heapq.heappop(self._due)
                self._busy = True
            try:
                call()
            finally:
                self._busy = False
