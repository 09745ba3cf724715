"""Tells people of alarms until it is told to stop. For `cli.worker`.

A receiver's server that hangs holds up nobody else's message: each receiver has a thread. May be
killed at any moment and started again: what was to be sent is in the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import InputError, ServerError
from updater_server.fleet import canaries
from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.notices import outbox, plan, receivers
from updater_server.notices.message import CANARY, Message
from updater_server.notices.receivers import Receiver
from updater_server.notices.send import NotSent, send
from updater_server.service import Service
from updater_server.store.engine import reading, writing

EVERY_S = 5.0
"""Between two looks at the alarms: with `plan.WAIT_S` people are told within some 20 s."""
CONFIG = "notices_config"
_TIDY_EVERY = 720
log = logging.getLogger("duka.notices")

Send = Callable[[Receiver, outbox.Waiting], None]


class Notices:
    """The receivers in force, and a thread for each that has something waiting."""

    def __init__(self, service: Service, server: str, sending: Send | None = None) -> None:
        self._service = service
        self._server = server
        self._send = sending or self._by_its_way
        self._receivers: list[Receiver] = []
        self._read: tuple[int, int] | None = (-1, -1)
        self._busy: dict[str, threading.Thread] = {}
        self._looks = 0

    def look(self) -> None:
        """Once: who is told of what, and on its way with what is due."""
        self._read_receivers()
        now = self._service.now()
        with reading(self._service.engine) as connection:
            is_due = plan.is_due(connection, self._receivers, now)
        self._looks += 1
        is_untidy = self._looks % _TIDY_EVERY == 1
        if is_due or is_untidy:
            with writing(self._service.engine) as connection:
                plan.plan(connection, self._receivers, now)
                if is_untidy:
                    outbox.tidy(connection, now)
        for receiver in self._receivers:
            if receiver.name not in self._busy or not self._busy[receiver.name].is_alive():
                thread = threading.Thread(target=self._empty, args=(receiver,), daemon=True)
                self._busy[receiver.name] = thread
                thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until what is on its way has arrived or failed."""
        for thread in list(self._busy.values()):
            thread.join(timeout_s)

    def _read_receivers(self) -> None:
        path: Path = self._service.folder.path / receivers.FILE
        try:
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            seen = None
        if seen == self._read:
            return
        self._read = seen
        trouble = ""
        try:
            self._receivers = receivers.read(path)
            log.info("%d receivers of alarms", len(self._receivers))
        except InputError as error:  # those before stay in force
            trouble = str(error)
            log.error("%s", trouble)
        now = self._service.now()
        with writing(self._service.engine) as connection:
            settle(connection, [CONFIG], [trouble] if trouble else [], now)
            if trouble:
                raise_alarm(connection, None, CONFIG, trouble, now)

    def _empty(self, receiver: Receiver) -> None:
        """Send a receiver what is due, in its order, until something does not go out."""
        engine = self._service.engine
        try:
            while True:
                with reading(engine) as connection:
                    what = outbox.due(connection, receiver.name, self._service.now())
                if what is None:
                    self._canary(receiver)
                    return
                why = ""
                try:
                    self._send(receiver, what)
                except NotSent as error:
                    why = str(error)
                    log.warning("%s: %s", receiver.name, why)
                with writing(engine) as connection:
                    if why:
                        outbox.failed(connection, receiver.name, what, why, self._service.now())
                    else:
                        outbox.sent(connection, receiver.name, what, self._service.now())
                if why:
                    return
        except (ServerError, SQLAlchemyError):  # the next look tries again
            log.exception("%s", receiver.name)

    def _canary(self, receiver: Receiver) -> None:
        """Take the queue's canary, if nothing before it waits: to the receiver's end for canaries,
        or no further than here.
        """
        service, queue = self._service, canaries.of_notices(receiver.name)
        with reading(service.engine) as connection:
            found = canaries.waiting(connection, queue)
            if found is None or outbox.has_until(connection, receiver.name, found.after):
                return
        why = ""
        if receiver.canary:
            message = Message(CANARY, (), found.at)
            try:
                self._send(receiver.for_canaries(), outbox.Waiting(found.at, message, 0, found.at))
            except NotSent as error:
                why = str(error)
        with writing(service.engine) as connection:
            canaries.ended(connection, queue, found.at, why, service.now())

    def _by_its_way(self, receiver: Receiver, what: outbox.Waiting) -> None:
        send(receiver, what.message, what.id, self._server)


def run(service: Service, server: str, stop: threading.Event) -> None:
    """Look every few seconds until `stop` is set."""
    notices = Notices(service, server)
    while not stop.is_set():
        try:
            notices.look()
        except (ServerError, SQLAlchemyError):  # the database is busy, full, or away for a moment
            log.exception("the alarms were not looked at")
        stop.wait(EVERY_S)
    notices.wait(2.0)
