"""The job `canaries` of the worker: a message of our own through each queue every few minutes, and
an alarm that names the link where one stands still. For `cli.worker`.

Who works a queue takes its canary (`fleet.canaries`); what has none is `measured`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from updater_server import toml_file
from updater_server.errors import InputError, ServerError
from updater_server.fleet import alarms, canaries
from updater_server.fleet.canaries import CAME, FAILED, SMS, STANDBYS, TELEMETRY, Canary
from updater_server.notices import outbox, receivers
from updater_server.parties import webhooks
from updater_server.robots import measured
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.telemetry import spool

ALARM, STANDBY = "canary_late", "standby_missing"
FILE = "canaries.toml"
SMS_FILE = "sms.toml"
LOOK_EVERY_S = 10.0
AGAIN_S = 60
"""After so long another is put in for one that the far end did not take."""
log = logging.getLogger("duka.canaries")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`canaries.toml` in the data folder. `webhooks`: those of partners who agreed to be sent
    messages without events; `standbys`: how many PostgreSQL should have.
    """

    every_s: Annotated[int, msgspec.Meta(ge=60, le=600)] = 300
    late_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 600
    webhooks: Annotated[list[str], msgspec.Meta(max_length=100)] = []
    standbys: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0


class Queue(NamedTuple):
    """One that there is now. `after`: its newest message; `stuck`: why nothing can pass, "" if
    nothing is known; `job`: who works it.
    """

    name: str
    job: str
    after: int = 0
    far: str = ""
    stuck: str = ""


def read(folder: Path) -> Settings:
    """What the file of a data folder says, or what holds without one.

    Raises:
        InputError: it cannot be read, or a field is unknown or wrong.
    """
    return toml_file.read(folder / FILE, Settings) or Settings()


def queues(
    connection: Connection, folder: Path, settings: Settings, known: list[receivers.Receiver]
) -> Iterator[Queue]:
    """Every queue that a canary goes through."""
    yield Queue(TELEMETRY, "telemetry")
    newest = outbox.newest_id(connection)
    for one in known:
        stuck = ""
        if outbox.is_refused(connection, one.name):
            stuck = "messages do not go out: see `notices list`"
        yield Queue(canaries.of_notices(one.name), "notices", newest, one.canary, stuck)
    posted = webhooks.newest_posted(connection)
    for row in webhooks.listing(connection):
        stuck = ""
        if row["stopped"]:
            stuck = f"it is stopped: `webhook resume {row['name']}`"
        elif row["attempts"]:
            stuck = "what is before it is not taken: see `webhook list`"
        far = row["url"] if row["name"] in settings.webhooks else ""
        yield Queue(canaries.of_webhook(row["name"]), "hooks", posted, far, stuck)
    if (folder / SMS_FILE).exists():
        lost = alarms.is_open(connection, "sms_gateway")
        yield Queue(SMS, "sms", 0, "", "no session with the centre" if lost else "")


class Canaries:
    """Puts them in, and lets the alarms stand that should."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = Settings()
        self._receivers: list[receivers.Receiver] = []

    def look(self) -> None:
        """Once. Where a file is wrong, what it said before holds."""
        service, now = self._service, self._service.now()
        trouble = self._read(service.folder.path)
        settings, known = self._settings, self._receivers
        with reading(service.engine) as connection:
            there = list(queues(connection, service.folder.path, settings, known))
            found = {one.queue: one for one in canaries.listing(connection)}
            seen = measured.look(
                connection, found, settings.standbys, settings.late_s, settings.every_s, now
            )
            standing = {
                (code, one["text"])
                for code in (ALARM, STANDBY)
                for one in alarms.open_alarms(connection, limit=10_000, code=code)
            }
        missing = [one for one in there if _is_due(found.get(one.name), settings, now)]
        late = {(ALARM, text) for text in trouble} | {
            (ALARM, f"{one.name}: {_link(one, found[one.name])}")
            for one in there
            if one.name in found and _is_late(found[one.name], settings.late_s, now)
        }
        late |= {
            (STANDBY if one.queue == STANDBYS else ALARM, f"{one.queue}: {why}")
            for one, why, late_s in seen
            if _is_late(one, late_s, now)
        }
        names = {one.name for one in there} | {one.queue for one, *_ in seen}
        changed = [one for one, *_ in seen if found.get(one.queue) != one]
        if missing or changed or standing != late or not found.keys() <= names:
            with writing(service.engine) as connection:
                for queue in missing:
                    canaries.put(connection, queue.name, queue.after, queue.far, now)
                for one in changed:
                    canaries.keep(connection, one)
                canaries.forget(connection, names)
                _stand(connection, late, now)
        self._lay_down([one.name for one in missing])

    def _read(self, folder: Path) -> set[str]:
        """The files that say what queues there are; what is wrong with our own."""
        with suppress(InputError):  # the job `notices` tells of it
            self._receivers = receivers.read(folder / receivers.FILE)
        try:
            self._settings = read(folder)
        except InputError as error:
            return {alarms.as_kept(str(error))}
        return set()

    def _lay_down(self, put: list[str]) -> None:
        """What terminals tell waits in a file: the canary as well, once it is known of."""
        if TELEMETRY in put:
            with reading(self._service.engine) as connection:
                found = canaries.waiting(connection, TELEMETRY)
            if found is not None:
                self._service.spool.add(spool.CANARY, bytes(8), found.at.to_bytes(8, "big"))


def _is_due(known: Canary | None, settings: Settings, now: int) -> bool:
    """Whether one is to be put in. One that waits is put in again, as a file of them may be lost;
    it keeps its place and its time.
    """
    if known is None:
        return True
    if known.state == CAME:
        return not 0 <= now - known.at < settings.every_s
    again_s = AGAIN_S if known.state == FAILED else settings.every_s
    return not 0 <= now - known.changed_at < again_s


def _is_late(known: Canary, late_s: int, now: int) -> bool:
    return known.state != CAME and now - known.at > late_s


def _link(queue: Queue, known: Canary) -> str:
    """Where it stands still, in words that do not change from look to look."""
    if queue.stuck:
        return queue.stuck
    if known.error:
        return "the far end does not take it"
    return f"nobody takes it: does the worker's job `{queue.job}` run?"


def _stand(connection: Connection, late: set[tuple[str, str]], now: int) -> None:
    for code, text in sorted(late):
        if not alarms.is_open(connection, code, text):
            alarms.raise_alarm(connection, None, code, text, now)
    for code in (ALARM, STANDBY):
        alarms.settle(connection, {code}, {text for of, text in late if of == code}, now)


def run(service: Service, _server: str, stop: threading.Event) -> None:
    """Look every few seconds until `stop` is set."""
    job = Canaries(service)
    while not stop.is_set():
        try:
            job.look()
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            log.exception("the queues were not looked at")
        stop.wait(LOOK_EVERY_S)
