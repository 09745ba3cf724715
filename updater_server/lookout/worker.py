"""The job `fleet` of the worker: looks until it is told to stop. For `cli.worker`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from updater_server.channels import RepositoryError
from updater_server.channels.history import History
from updater_server.errors import ServerError
from updater_server.lookout import befallen, books, counting, picture, regions
from updater_server.lookout.counting import Counting
from updater_server.lookout.signatures import WAITS, Requests
from updater_server.service import Service
from updater_server.store.engine import reading, writing

EVERY_S = 10.0
SHARE = 10
"""Of the time at most a tenth is spent looking, however large the fleet is."""
log = logging.getLogger("duka.lookout")


class Lookout:
    """What is remembered from look to look. Killed and started again it sees the same."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._history = History(service.folder.repository)
        self._requests = Requests(service.folder.repository)
        self._counting = Counting()
        self._missed: list[str] = []
        self._books_at: int | None = None

    def look(self) -> None:
        """Once: count, keep, and let the alarms stand that should.

        Raises:
            RepositoryError: the log of the channels was changed.
        """
        service, now = self._service, self._service.now()
        self._history.follow()
        waiting = self._requests.look()
        with reading(service.engine) as connection:
            runs = counting.runs(connection)
            fleet = self._counting.count(connection, self._history, runs, now)
            heard = regions.heard(connection, now)
            usual = regions.habits(connection, now)
            missed, habitual = regions.silent(heard, usual, self._missed)
            standing = befallen.look(connection, self._history, runs, now)
            standing += [*regions.standing(missed, habitual), *waiting]
            codes = (*befallen.STANDING, WAITS)
            change = befallen.change(connection, standing, self._history, codes)
            is_due = regions.is_due(connection, now)
        with writing(service.engine) as connection:
            picture.keep(connection, fleet, now)
            befallen.write(connection, change, now)
            if is_due:
                regions.sample(connection, heard, missed, now)
        self._missed = missed
        if self._books_at is None or not 0 <= now - self._books_at < books.EVERY_S:
            found = books.look(service)
            with writing(service.engine) as connection:
                picture.keep(connection, found, now)
            self._books_at = now


def run(
    service: Service,
    _server: str,
    stop: threading.Event,
    clock: Callable[[], float] = time.process_time,
) -> None:
    """Look every few seconds until `stop` is set."""
    lookout = Lookout(service)
    while not stop.is_set():
        began = clock()
        try:
            lookout.look()
        except RepositoryError as error:  # `renewal.watch` raises the alarm
            log.error("the channels: %s", error)
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            log.exception("the fleet was not looked at")
        stop.wait(max(EVERY_S, SHARE * (clock() - began)))
