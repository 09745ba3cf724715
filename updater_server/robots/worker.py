"""The job `robots` of the worker: a round of every robot, until it is told to stop. For
`cli.worker`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

import httpx
from sqlalchemy.exc import SQLAlchemyError

from updater_server import channels
from updater_server.errors import InputError, ServerError
from updater_server.fleet import alarms
from updater_server.lookout import picture
from updater_server.lookout.picture import Probe, Probes
from updater_server.robots import listed
from updater_server.robots.device import RobotDevice
from updater_server.robots.listed import Listed, Robot
from updater_server.robots.round import Outcome, Roads, Round
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.telemetry.store import Told

ALARM = "probe"
"""A link of the chain is broken: `<robot>: <link>: why`."""
WITHOUT_S = 60.0
"""So often it is looked whether there is a `robots.toml` now."""
_TIMEOUT_S = 20.0
log = logging.getLogger("duka.robots")


class Rounds:
    """Goes round, and lets the alarms stand that should."""

    def __init__(self, service: Service, rest: Callable[[float], None] = time.sleep) -> None:
        self._service = service
        self._rest = rest
        self._told = Told(service.engine, service.folder.telemetry)

    def go(self, found: Listed) -> Probes:
        """A round of all of them; what came of it is kept for the board."""
        probes = Probes([self._probe(found.server, robot) for robot in found.robot])
        broken = {f"{one.name}: {one.link}: {one.why}" for one in probes.robots if one.link}
        now = self._service.now()
        with writing(self._service.engine) as connection:
            picture.keep(connection, probes, now)
            for text in sorted(broken):
                alarms.raise_alarm(connection, None, ALARM, text, now)
            alarms.settle(connection, {ALARM}, broken, now)
        return probes

    def trouble(self, why: str) -> None:
        """Nobody can go round: that is an alarm, too."""
        with writing(self._service.engine) as connection:
            alarms.raise_alarm(connection, None, ALARM, why, self._service.now())
            alarms.settle(connection, {ALARM}, {why}, self._service.now())

    def _probe(self, server: str, robot: Robot) -> Probe:
        began = time.monotonic()
        try:
            found = self._round(server, robot)
        except (httpx.HTTPError, OSError) as error:
            found = Outcome("poll", f"the server is not reached: {type(error).__name__}")
        except channels.RepositoryError:
            found = Outcome("poll", "the channels cannot be read")
        except Exception as error:  # one robot's trouble is not the others'
            log.exception("the robot %s", robot.name)
            found = Outcome("poll", f"the robot fails: {type(error).__name__}")
        took_ms = int(1000 * (time.monotonic() - began))
        return Probe(robot.name, found.link, found.why, took_ms, self._service.now(), found.slip)

    def _round(self, server: str, robot: Robot) -> Outcome:
        service = self._service
        with httpx.Client(base_url=server, timeout=_TIMEOUT_S, trust_env=False) as client:

            def post(body: bytes) -> tuple[int, bytes]:
                kind = {"content-type": "application/cose"}
                answer = client.post("/m", content=body, headers=kind)
                return answer.status_code, answer.content

            def get(path: str, first: int, last: int) -> tuple[int, bytes]:
                part = {"range": f"bytes={first}-{last}"} if last >= 0 else {}
                answer = client.get(quote(path), headers=part)
                return answer.status_code, answer.content

            place = service.folder.path / "robots" / f"{robot.terminal}.json"
            key = bytes.fromhex(robot.device_key)
            device = RobotDevice(robot.terminal_id, key, place, post, service.now())
            published = channels.open_published(service.folder.repository, strict=False)
            roads = Roads(get, self._rest, service.now)
            return Round(robot, device, roads, published, self._told).run()


def run(service: Service, _server: str, stop: threading.Event) -> None:
    """Go round every `every_s` of robots.toml until `stop` is set; where there is no such file,
    look for one now and then.
    """
    rounds = Rounds(service, lambda seconds: (stop.wait(seconds), None)[1])
    while not stop.is_set():
        pause_s = WITHOUT_S
        try:
            found = listed.read(service.folder.path)
            if found is not None:
                pause_s = float(found.every_s)
                rounds.go(found)
        except InputError as error:
            log.error("%s", error)
            _try(rounds, str(error))
        except (ServerError, SQLAlchemyError):  # busy, full, or away for a moment
            log.exception("the robots did not go round")
        stop.wait(pause_s)


def _try(rounds: Rounds, why: str) -> None:
    try:
        rounds.trouble(why)
    except (ServerError, SQLAlchemyError):
        log.exception("the robots' trouble is not told")
