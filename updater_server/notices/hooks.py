"""Tells partners' programs of what was posted, until it is told to stop. For `cli.worker`.

Each message is signed, goes out until it is taken, in order, and may come twice: then with the same
delivery name. One receiver that hangs holds up nobody else. What nobody takes in a day is given up
into a list of dead letters, and an alarm says so; what comes after it goes on.
"""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections.abc import Callable

import httpx
from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import ServerError
from updater_server.fleet import canaries
from updater_server.fleet.alarms import raise_alarm, settle
from updater_server.parties import webhooks
from updater_server.parties.webhooks import Batch
from updater_server.sales import currency
from updater_server.service import Service
from updater_server.store.engine import reading, writing

EVERY_S = 2.0
FAILED = "webhook_failed"
GIVEN_UP_AFTER_S = 86_400
PATIENCE_S = 10.0
_PAUSES_S = (5, 15, 60, 300, 900, 1800, 3600)
_TELL_AFTER = 3
log = logging.getLogger("duka.hooks")
Post = Callable[[str, bytes, dict[str, str]], int]
"""Address, body, headers: the status. Raises httpx.HTTPError, httpx.InvalidURL."""


def signature(secret: bytes, at: int, body: bytes) -> str:
    """The header that says that a body is ours, and of when: a receiver refuses an old one."""
    told = hmac.digest(secret, b"%d." % at + body, "sha256").hex()
    return f"t={at},v1={told}"


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """By HTTP; a redirect is not followed, as nobody signed for where it leads."""
    answer = httpx.post(url, content=body, headers=headers, timeout=PATIENCE_S)
    return answer.status_code


def deliver(
    url: str, secret: bytes, body: bytes, delivery: str, now: int, sending: Post = post
) -> str:
    """Hand one body over; why it did not arrive, or ""."""
    headers = {
        "content-type": "application/json",
        "duka-delivery": delivery,
        "duka-signature": signature(secret, now, body),
    }
    try:
        status = sending(url, body, headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return "" if 200 <= status < 300 else f"it answered {status}"


class Hooks:
    """The webhooks in force, and a thread for each that has something to be told."""

    def __init__(self, service: Service, sending: Post = post) -> None:
        self._service = service
        self._sending = sending
        self._busy: dict[str, threading.Thread] = {}

    def look(self) -> None:
        """Once: on its way with what is due."""
        with reading(self._service.engine) as connection:
            names = webhooks.names(connection)
        for name in names:
            if name not in self._busy or not self._busy[name].is_alive():
                thread = threading.Thread(target=self.empty, args=(name,), daemon=True)
                self._busy[name] = thread
                thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until what is on its way has arrived or failed."""
        for thread in list(self._busy.values()):
            thread.join(timeout_s)

    def empty(self, name: str) -> None:
        """Tell one webhook all that is due, in order, until something does not arrive."""
        try:
            while self.step(name):
                pass
            self._canary(name)
        except (ServerError, SQLAlchemyError):  # the next look tries again
            log.exception("%s", name)

    def _canary(self, name: str) -> None:
        """Take the webhook's canary, once all before it were told: as a message without events
        where the partner agreed to it, or no further than here.
        """
        service, queue = self._service, canaries.of_webhook(name)
        with reading(service.engine) as connection:
            found = canaries.waiting(connection, queue)
            if found is None:
                return
            way = webhooks.way_after(connection, service.key, name, found.after)
            if way is None:
                return
            money = currency.shown(connection, service.prices)
        why = ""
        if found.far:
            body = json.dumps({"webhook": name, "currency": money.code, "events": []}).encode()
            delivery = f"{name}-canary-{found.at}"
            why = deliver(*way, body, delivery, service.now(), self._sending)
        with writing(service.engine) as connection:
            canaries.ended(connection, queue, found.at, why, service.now())

    def step(self, name: str) -> bool:
        """One batch of one webhook; whether the next may be tried at once."""
        service = self._service
        with reading(service.engine) as connection:
            money = currency.shown(connection, service.prices)
        with reading(service.engine, still=True) as connection:
            batch = webhooks.due(connection, service.key, name, money.code, service.now())
        if batch is None:
            return False
        why = ""
        if batch.body is not None:
            delivery = f"{name}-{batch.first}-{batch.through}"
            why = deliver(
                batch.url, batch.secret, batch.body, delivery, service.now(), self._sending
            )
        return self._note(batch, why)

    def _note(self, batch: Batch, why: str) -> bool:
        now = self._service.now()
        with writing(self._service.engine) as connection:
            if not why:
                webhooks.told(connection, batch, now)
                if batch.attempts:
                    settle(connection, [FAILED], self._still(connection, batch.name), now)
                return True
            log.warning("%s: %s", batch.name, why)
            if now - (batch.first_failed_at or now) >= GIVEN_UP_AFTER_S:
                number = webhooks.bury(connection, batch, why, now)
                text = f"webhook {batch.name}: dead letter {number}, nobody took it in a day"
                raise_alarm(connection, None, "webhook_dead", text, now)
                return True
            pause_s = _PAUSES_S[min(batch.attempts, len(_PAUSES_S) - 1)]
            webhooks.failed(connection, batch, why, pause_s, now)
            if batch.attempts + 1 >= _TELL_AFTER:
                raise_alarm(connection, None, FAILED, _failure(batch.name), now)
        return False

    @staticmethod
    def _still(connection: object, name: str) -> list[str]:
        rows = webhooks.listing(connection)  # type: ignore[arg-type]
        return [
            _failure(row["name"])
            for row in rows
            if row["attempts"] >= _TELL_AFTER and row["name"] != name
        ]


def _failure(name: str) -> str:
    return f"webhook {name} is not taken: see `webhook list`"


def run(service: Service, _server: str, stop: threading.Event) -> None:
    """Look every few seconds until `stop` is set."""
    hooks = Hooks(service)
    while not stop.is_set():
        try:
            hooks.look()
        except (ServerError, SQLAlchemyError):  # the database is busy, full, or away for a moment
            log.exception("the webhooks were not looked at")
        stop.wait(EVERY_S)
    hooks.wait(2.0)
