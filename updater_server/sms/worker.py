"""The job `sms` of the worker: answers short messages and sends the office's words, until it is
told to stop. For `cli.worker`.

May be killed at any moment: a message that was not acknowledged is brought again by the service
centre, and is a counter that was seen; a word is sent until the centre has taken it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import InputError, ServerError
from updater_server.fleet import canaries, texting
from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.service import Service
from updater_server.sms import answering, gateway
from updater_server.sms.esme import Out, Session, SessionLost
from updater_server.store.engine import reading, writing

ALARM = "sms_gateway"
WITHOUT_S = 60.0
"""So often it is looked whether there is an `sms.toml` now."""
WORDS_EVERY_S = 2.0
AGAIN_S = 60.0
"""After so long is a word sent again that the centre did not take."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_ALARM_AFTER = 4
"""Sessions in a row that were not had: some 15 s."""
_STEP_S = 0.5
log = logging.getLogger("duka.sms")


class Gatekeeper:
    """Holds a session with the service centre, one after the other."""

    def __init__(
        self,
        service: Service,
        found: gateway.Gateway,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._stop = stop
        self._clock = clock
        self._gap_s = 1 / found.per_second
        password = os.environ.get(found.password_env, "") if found.password_env else ""
        if found.password_env and not password:
            raise InputError(f"{found.password_env} is not set in the worker's environment")

        def answer(sender: str, data: bytes) -> bytes:
            return answering.answer(service, sender, data)

        self.session = Session(found, password, answer, self._ended)
        self._words_at = 0.0
        self._not_before: dict[int, float] = {}
        self._asked_at: float | None = None

    def hold(self) -> None:
        """Bind and work until told to stop. Raises SessionLost."""
        self._not_before.clear()
        self._asked_at = None
        try:
            self.session.bind()
            log.info("bound to the service centre")
            tell(self._service, [])
            while not self._stop.is_set():
                self.session.step(_STEP_S)
                self._send_words()
        finally:
            self.session.close()

    def _send_words(self) -> None:
        now = self._clock()
        if now - self._words_at < WORDS_EVERY_S:
            return
        self._words_at = now
        with reading(self._service.engine) as connection:
            canary = canaries.waiting(connection, canaries.SMS)
            is_anything = texting.has_waiting(connection)
        self._see_to(canary)
        if not is_anything:
            return
        with writing(self._service.engine) as connection:
            words = texting.due(connection, self._service.key, self._service.now())
        for word in words:
            if self._not_before.get(word.id, 0.0) <= now and self.session.room > 0:
                self._not_before[word.id] = now + AGAIN_S
                self.session.send(Out(word.number, word.data, word.id))
                self._stop.wait(self._gap_s)

    def _see_to(self, canary: canaries.Canary | None) -> None:
        """A canary ends when the centre answers what is asked for its sake: nothing is sent."""
        if canary is None:
            self._asked_at = None
        elif self._asked_at is None:
            self._asked_at = self.session.enquire()
        elif self.session.heard_at > self._asked_at:
            with writing(self._service.engine) as connection:
                canaries.came(connection, canaries.SMS, canary.at, self._service.now())

    def _ended(self, word: int) -> None:
        with writing(self._service.engine) as connection:
            texting.sent(connection, word, self._service.now())
        self._not_before.pop(word, None)


def tell(service: Service, trouble: list[str]) -> None:
    """Have the alarm stand for that trouble, or fall if there is none."""
    now = service.now()
    with writing(service.engine) as connection:
        for text in trouble:
            raise_alarm(connection, None, ALARM, text, now)
        settle(connection, [ALARM], trouble, now)


def run(service: Service, _server: str, stop: threading.Event) -> None:
    """Hold sessions until `stop` is set; where there is no sms.toml, look for one now and then."""
    failed = 0
    while not stop.is_set():
        pause_s = WITHOUT_S
        try:
            found = gateway.read(service.folder.path)
            if found is not None:
                Gatekeeper(service, found, stop).hold()
            failed = 0
        except SessionLost as error:
            failed += 1
            log.warning("service centre: %s", error)
            pause_s = min(_FIRST_PAUSE_S * 2**failed, _LONGEST_PAUSE_S)
            if failed >= _ALARM_AFTER:
                _try(service, f"no session with the SMS centre: {error}")
        except InputError as error:
            log.error("%s", error)
            _try(service, str(error))
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            log.exception("short messages wait")
            pause_s = _FIRST_PAUSE_S
        stop.wait(pause_s)


def _try(service: Service, why: str) -> None:
    try:
        tell(service, [why])
    except (ServerError, SQLAlchemyError):
        log.exception("the gateway's trouble is not told")
