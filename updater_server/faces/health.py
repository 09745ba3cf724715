"""Does the server do its work? What `/health` says. For `app`.

Each answer is from a real write and a real read, a few seconds old at most (half a second, if it
was bad): whoever asks more often costs nothing. A server that was told to end says so first.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import ServerError
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.startup import write_and_read_back
from updater_server.store.engine import LINE_LIMIT, write_line

FRESH_S = 5.0
SICK_FRESH_S = 0.5
"""A balancer that asks each second sends terminals again as soon as they can be served."""
ROOM_BYTES = 64 * 1024 * 1024
"""With less on the disk a server says so while it can still sell."""


class Health:
    """Safe to call from several threads; one of them looks, the others get what it saw last."""

    def __init__(
        self,
        service: Service,
        clock: Callable[[], float] = time.monotonic,
        leaving: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._leaving = leaving
        self._clock = clock
        self._lock = threading.Lock()
        self._seen_at: float | None = None
        self._problems: list[str] = []

    def problems(self) -> list[str]:
        """What keeps the server from selling, or soon will, in words; empty when all is well."""
        if self._leaving():
            return ["this server is about to end: ask another one"]
        with self._lock:
            now = self._clock()
            fresh_s = SICK_FRESH_S if self._problems else FRESH_S
            if self._seen_at is None or now - self._seen_at >= fresh_s:
                self._problems = self._look()
                self._seen_at = self._clock()
            return list(self._problems)

    def _look(self) -> list[str]:
        service = self._service
        found = []
        try:
            write_and_read_back(service.engine, "health", service.now())
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            found.append(f"the database cannot be written: {cause}")
        except (ServerError, sqlite3.Error) as error:
            found.append(f"the database: {error}")
        try:
            free = shutil.disk_usage(service.folder.path).free
            if free < ROOM_BYTES:
                found.append(f"the disk is full but for {free // 1_000_000} MB")
        except OSError as error:
            found.append(f"the data folder cannot be read: {error.strerror}")
        waiting = write_line(service.engine).waiting
        if waiting > LINE_LIMIT // 2:
            found.append(f"{waiting} wait to write")
        if service.key.trouble:  # another server, which has the new server.key, is to be asked
            found.append(service.key.trouble)
        found += self._channels()
        return found

    def _channels(self) -> list[str]:
        prices = self._service.prices
        folder = self._service.folder
        if not folder.repository.exists() and not folder.last_good.exists():
            return []  # a new server: sound, it only has nothing to sell yet
        try:
            prices.repository()
            trouble = prices.trouble()
        except PricesUnavailable as error:
            return [str(error)]
        except OSError as error:
            return [f"the channels cannot be read: {error}"]
        return [trouble] if trouble else []
