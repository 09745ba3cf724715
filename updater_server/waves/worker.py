"""The worker's three jobs here, each until it is told to stop: taking in what terminals told,
writing days that are over as Parquet, and looking after waves. For `cli.worker`. Each may be killed
at any moment and started again.
"""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from updater_server import channels
from updater_server.errors import ServerError
from updater_server.fleet import canaries
from updater_server.fleet.alarms import raise_alarm
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.telemetry import air, windows
from updater_server.telemetry.intake import Taken, take_in
from updater_server.telemetry.store import Told, day_of
from updater_server.verdict.week import DAY_S
from updater_server.waves import plans
from updater_server.waves.looking import Looker

TAKE_EVERY_S = 10.0
LOOK_EVERY_S = 60.0
HISTORY_EVERY_S = 600.0
KEPT_DAYS = 35
"""A wave's week, the two weeks before it, and two more to replay it in."""
REFUSED, STRANGE, DAMAGED = "telemetry", "telemetry_release", "telemetry_damaged"
"""Alarms: windows were refused, a release that no channel lists tells of itself, a spool's file
cannot be read to its end.
"""
log = logging.getLogger("duka.waves")


class Intake:
    """Takes in what terminals told, and says what is wrong with it."""

    def __init__(self, service: Service, told: Told) -> None:
        self._service = service
        self._told = told
        self._known: tuple[bytes | None, set[int]] = (None, set())
        self._day = ""

    def take(self) -> Taken:
        """All that waits, once; old days are given up when a new one begins.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: as `intake.take_in`.
        """
        service = self._service
        taken = take_in(
            service.spool, self._told, service.now, lambda rows: air.keep(service.engine, rows)
        )
        if taken.rows or taken.refused or taken.trouble:
            self._tell(taken)
        now = service.now()
        if taken.canary_at:
            with writing(service.engine) as connection:
                canaries.came(connection, canaries.TELEMETRY, taken.canary_at, now)
        if day_of(now) != self._day:
            self._day = day_of(now)
            for day in self._told.drop_before(day_of(now - KEPT_DAYS * DAY_S)):
                log.info("what terminals told on %s is given up", day)
        return taken

    def _tell(self, taken: Taken) -> None:
        texts = [
            (REFUSED, f"windows of counters are refused: {windows.REASONS[reason]}")
            for reason in sorted(taken.refused)
        ]
        texts += [
            (DAMAGED, f"something that terminals told is lost: {one}") for one in taken.trouble
        ]
        texts += [
            (STRANGE, f"release {one} tells of itself, and no channel ever listed it")
            for one in sorted(taken.releases - self._listed())[:20]
        ]
        if texts:
            with writing(self._service.engine) as connection:
                for code, text in texts:
                    raise_alarm(connection, None, code, text, self._service.now())

    def _listed(self) -> set[int]:
        """What channels list, or ever did; looked up when they change."""
        tag = self._service.newest.tag()
        if tag != self._known[0]:
            try:
                published = channels.open_published(self._service.folder.repository, strict=False)
                self._known = tag, plans.ever_listed(published)
            except (channels.RepositoryError, OSError) as error:
                log.warning("the channels cannot be read: %s", error)
        return self._known[1]


def keep_taking_in(service: Service, _server: str, stop: threading.Event) -> None:
    """Take in what came, every few seconds until `stop` is set."""
    intake = Intake(service, Told(service.engine, service.folder.telemetry))
    while not stop.is_set():
        try:
            intake.take()
        except (ServerError, SQLAlchemyError, OSError):  # what was not taken in waits
            log.exception("what terminals told was not taken in")
        stop.wait(TAKE_EVERY_S)


def keep_history(service: Service, _server: str, stop: threading.Event) -> None:
    """Write each day that is over as Parquet, once, until `stop` is set."""
    from updater_server.telemetry import history  # DuckDB: this job alone loads it

    told = Told(service.engine, service.folder.telemetry)
    while not stop.is_set():
        try:
            for made in history.write_missing(told, day_of(service.now()), service.folder.history):
                log.info("%s: %d rows, %d bytes", made.path.name, made.rows, made.size_bytes)
        except Exception:  # the day stays in the tables for weeks, and is tried again
            log.exception("a day's history was not written")
        stop.wait(HISTORY_EVERY_S)


def keep_looking(service: Service, _server: str, stop: threading.Event) -> None:
    """Look after waves, every minute until `stop` is set."""
    looker = Looker(service, Told(service.engine, service.folder.telemetry))
    while not stop.is_set():
        try:
            looker.look()
        except Exception:  # of one wave or of the channels: the next minute looks again
            log.exception("the waves were not looked after")
        stop.wait(LOOK_EVERY_S)
