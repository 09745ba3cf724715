"""The job `canaries` of the worker: a message of our own through each queue every few minutes, and
an alarm that names the link where one stands still. For `cli.worker`.

Who works a queue takes its canary (`fleet.canaries`). Sales that suppliers are to be asked for have
none: it would be a sale. There it is measured how long the oldest has been due; a robot buys.
"""

from __future__ import annotations

import logging
import threading
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from updater_server.errors import InputError, ServerError
from updater_server.fleet import alarms, canaries
from updater_server.fleet.canaries import CAME, FAILED, SMS, TELEMETRY, WAITING, Canary
from updater_server.notices import outbox, receivers
from updater_server.parties import webhooks
from updater_server.sales import supplier_setup, vend_rows
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.telemetry import spool

ALARM = "canary_late"
FILE = "canaries.toml"
SMS_FILE = "sms.toml"
LOOK_EVERY_S = 10.0
AGAIN_S = 60
"""After so long another is put in for one that the far end did not take."""
DUE_S = 30
"""A sale that is due is looked after within seconds, if anybody does."""
log = logging.getLogger("duka.canaries")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`canaries.toml` in the data folder. `webhooks`: those of partners who agreed to be sent
    messages without events.
    """

    every_s: Annotated[int, msgspec.Meta(ge=60, le=600)] = 300
    late_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 600
    webhooks: Annotated[list[str], msgspec.Meta(max_length=100)] = []


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
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), Settings)
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{FILE}: {error}") from error
    except msgspec.ValidationError as error:
        raise InputError(f"{FILE}: {error}") from error


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
            bought = _of_suppliers(connection, found, settings, now)
            standing = alarms.open_alarms(connection, limit=10_000, code=ALARM)
        missing = [one for one in there if _is_due(found.get(one.name), settings, now)]
        late = trouble | {
            f"{one.name}: {_link(one, found[one.name])}"
            for one in there
            if one.name in found and _is_late(found[one.name], settings, now)
        }
        late |= {
            f"{one.queue}: a sale that is due is not looked after: does the server run?"
            for one in bought
            if _is_late(one, settings, now)
        }
        names = {one.name for one in there} | {one.queue for one in bought}
        changed = [one for one in bought if found.get(one.queue) != one]
        is_same = {one["text"] for one in standing} == late and found.keys() <= names
        if missing or changed or not is_same:
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
            return {str(error)}
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


def _is_late(known: Canary, settings: Settings, now: int) -> bool:
    return known.state != CAME and now - known.at > settings.late_s


def _link(queue: Queue, known: Canary) -> str:
    """Where it stands still, in words that do not change from look to look."""
    if queue.stuck:
        return queue.stuck
    if known.error:
        return "the far end does not take it"
    return f"nobody takes it: does the worker's job `{queue.job}` run?"


def _of_suppliers(
    connection: Connection, found: dict[str, Canary], settings: Settings, now: int
) -> list[Canary]:
    """How far each supplier's sales are behind, as it is kept: anew when it matters or is old."""
    since = vend_rows.due_since(connection, now)
    made = []
    for name in sorted({row.name for row in supplier_setup.listed(connection)}):
        queue = canaries.of_supplier(name)
        at = since.get(name, now)
        state = WAITING if now - at > DUE_S else CAME
        one = Canary(queue, state, at, now, 0, now - at, "", "")
        known = found.get(queue)
        is_new = known is None or not 0 <= now - known.changed_at < settings.every_s
        if known is not None and not is_new and known.state == state:
            one = known if state == CAME or known.at == at else one
        made.append(one)
    return made


def _stand(connection: Connection, late: set[str], now: int) -> None:
    for text in sorted(late):
        if not alarms.is_open(connection, ALARM, text):
            alarms.raise_alarm(connection, None, ALARM, text, now)
    alarms.settle(connection, {ALARM}, late, now)


def run(service: Service, _server: str, stop: threading.Event) -> None:
    """Look every few seconds until `stop` is set."""
    job = Canaries(service)
    while not stop.is_set():
        try:
            job.look()
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            log.exception("the queues were not looked at")
        stop.wait(LOOK_EVERY_S)
