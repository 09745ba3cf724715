"""The fleet and its world: the real server and the real worker as processes, who is let out how
far, and an hour of everybody's.
"""

from __future__ import annotations

import copy
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.live.clock import Clock
from tests.live.shelf import Shelf
from tests.live.terminal import HOUR_S, Terminal
from tests.server.shop import NOW, PASSPHRASE, Shop
from tests.server.test_channels import add
from tests.support.seeded import seeded
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.rollout import Control
from updater_server.channels.verdicts import GRACE_S
from updater_server.channels.waves import reach
from updater_server.parties import tree
from updater_server.service import DataFolder
from updater_server.store.engine import writing
from updater_server.telemetry.store import Told

CHANNEL, OLD, NEW = "stable", 6, 7
REGIONS = 3
PRE_DAYS = 7
EVERY_H = 6
"""Between two waves, at the least."""
DAY_S = 24 * HOUR_S
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Failing:
    """How often sales fail: in all, how many times as often on the new release, and in an outage of
    region 1 from one hour to another.
    """

    rate: float = 0.02
    effect: float = 1.0
    outage: tuple[int, int] = (0, 0)
    of_outage: float = 0.6

    def of(self, terminal: Terminal, hour: int) -> float:
        """The rate of one terminal in one hour."""
        if terminal.region == 1 and self.outage[0] <= hour < self.outage[1]:
            return self.of_outage
        return self.rate * (self.effect if terminal.release == NEW else 1.0)


def _nowhere(_: bytes) -> tuple[int, bytes]:
    raise AssertionError("this terminal is switched off")


@dataclass
class Fleet:
    """`terminals` before one server; `sales_a_day` of each, of which `real` in a thousand are made
    through the server and the others only counted.
    """

    folder: Path
    terminals: int
    seed: int = 1
    sales_a_day: int = 72
    real: int = 20
    devices: list[Terminal] = field(default_factory=list)
    messages: int = 0
    size_bytes: int = 0
    """Of the messages' own bodies, both ways."""

    def __post_init__(self) -> None:
        self.clock = Clock(self.folder / "clock", NOW)
        self.chance = random.Random(self.seed)
        self._server: subprocess.Popen[str] | None = None
        self._worker: subprocess.Popen[str] | None = None
        self._line: http.client.HTTPConnection | None = None
        self._port = 0

    # --- the world ---

    @property
    def data(self) -> DataFolder:
        """The server's folder."""
        return DataFolder(self.folder / "data")

    @property
    def at(self) -> datetime:
        """What the clock says."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def make(self, signed: Path) -> None:
        """A server with a release, all terminals, three distributors and vouchers enough."""
        shop = Shop.open(self.data.path, signed / "repository")
        shutil.copytree(signed / "keys", self.folder / "keys")
        online = self.data.online_keys
        online.mkdir()
        for role in ("timestamp", "snapshot"):
            for path in (self.folder / "keys").glob(f"{role}-1.*"):
                shutil.copy(path, online)
        repository, signers = self.office()
        add(repository, signers, OLD, CHANNEL)
        repository.publish(signers, self.at)
        shop.stock_vault(count=max(200, self.terminals * self.sales_a_day * self.real // 100))
        for number in range(1, self.terminals + 1):
            shop.enrol(number, 10**8)
        with writing(shop.service.engine) as connection:
            for region in range(REGIONS):
                top, shop_of_it = f"D{region}", f"M{region}"
                tree.add(connection, top, top, "distributor", "", "live", NOW)
                owner = tree.add(connection, shop_of_it, top, "merchant", top, "live", NOW)
                for number in range(1, self.terminals + 1):
                    if number % REGIONS == region:
                        one = number.to_bytes(8, "big")
                        tree.give_terminal(connection, one, owner, "live", NOW)
        shop.service.engine.dispose()

    def open(self) -> None:
        """Switch the terminals on."""
        root = json.loads(self.office()[0].published.root_bytes())
        targets = self.data.repository / "metadata"
        newest = max(targets.glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
        self.shelf = Shelf(root, json.loads(newest.read_bytes()), CHANNEL)
        self.devices = [
            Terminal(
                number, hashlib.sha256(b"%d" % number).digest(), number % REGIONS, self.seed,
                self.post, OLD,
            )
            for number in range(1, self.terminals + 1)
        ]  # fmt: skip

    def run(self) -> None:
        """Start server and worker."""
        self.serve()
        self.work()

    def copy_to(self, folder: Path) -> Fleet:
        """The same world in another folder, as it is while nothing runs."""
        shutil.copytree(self.folder, folder)
        other = Fleet(folder, self.terminals, self.seed, self.sales_a_day, self.real)
        other.clock.set(self.clock.now())
        other.shelf = copy.deepcopy(self.shelf)
        for one in self.devices:
            one.device.transport = _nowhere
        other.devices = copy.deepcopy(self.devices)
        for one in other.devices:
            one.device.transport = other.post
        return other

    def close(self) -> None:
        """End both."""
        for process in (self._server, self._worker):
            if process is not None:
                process.kill()
                process.wait(20)
                assert process.stdout
                process.stdout.close()
                if process.stdin:
                    process.stdin.close()
        if self._line is not None:
            self._line.close()

    # --- processes ---

    def _start(self, job: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "tests.live.process", job]
        process = subprocess.Popen(
            [*command, str(self.data.path), str(self.clock.path)],
            cwd=ROOT,
            env={**os.environ, "DUKA_ONLINE_PASSPHRASE": PASSPHRASE},
            stdin=subprocess.PIPE if job == "work" else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self.folder / f"{job}.log").open("a"),
            text=True,
        )
        assert process.stdout
        return process, process.stdout.readline().strip()

    def serve(self) -> None:
        """Start the server, after a kill if it runs."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)
            self._server.wait(20)
        self._server, port = self._start("serve")
        self._port = int(port)
        if self._line is not None:
            self._line.close()
        self._line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)

    def work(self) -> None:
        """Start the worker, after a kill if it runs."""
        if self._worker is not None:
            self._worker.send_signal(signal.SIGKILL)
            self._worker.wait(20)
        self._worker, _ = self._start("work")

    def order(self, what: str, wait: bool = True) -> None:
        """Let the worker do both jobs ("look") or the intake ("take"), once."""
        assert self._worker and self._worker.stdin and self._worker.stdout
        self._worker.stdin.write(f"{what}\n")
        self._worker.stdin.flush()
        if wait:
            assert self._worker.stdout.readline() == "done\n", "the worker ended"

    def post(self, body: bytes) -> tuple[int, bytes]:
        """`POST /m`; once more, as terminals do, where the server closed the line in a pause."""
        self.messages += 1
        try:
            status, reply = self._posted(body)
        except ConnectionError:
            assert self._line is not None
            self._line.close()
            status, reply = self._posted(body)
        self.size_bytes += len(body) + len(reply)
        return status, reply

    def _posted(self, body: bytes) -> tuple[int, bytes]:
        assert self._line is not None
        self._line.request("POST", "/m", body, {"Content-Type": "application/cose"})
        answer = self._line.getresponse()
        return answer.status, answer.read()

    # --- people ---

    def office(self) -> tuple[channels.Repository, list[Any]]:
        """The release manager with all keys."""
        signers = key_files.load_all(self.folder / "keys", PASSPHRASE)
        return channels.Repository.open(self.data.repository), signers

    def let_out(self, wave: int) -> None:
        """A person lets the release out to about `wave` terminals, the rest is control, and signs
        its halt beside it: the server has no key of the plans.
        """
        with seeded(f"live {self.seed}", self.clock.now):
            repository, signers = self.office()
            add(repository, signers, NEW, CHANNEL)
            repository.publish(signers, self.at)
            threshold, within = reach(wave, self.terminals)
            arm = Control(10_000, 0)
            repository.set_rollout(CHANNEL, NEW, threshold, signers, self.at, within, arm)
            repository.publish(signers, self.at)
            repository.ready_brake(CHANNEL, NEW, signers, self.at)

    def sign_from_channel_to_channel(self, wave: int) -> None:
        """People sign the release for each channel and do nothing else: it goes out by itself, on
        the first three to all at once, on the last in waves from about `wave` terminals on. The
        server has the keys of plans and brake.
        """
        for role in ("rollout", "brake"):
            for path in (self.folder / "keys").glob(f"{role}-1.*"):
                shutil.copy(path, self.data.online_keys)
        since_h = (self.clock.now() - NOW) // HOUR_S - 1
        first = wave * 1_000_000 // self.terminals
        for before, channel in zip((None, *channels.CHANNELS), channels.CHANNELS, strict=False):
            pace = channels.Pace(since_h, 1_000_000, 1, 1, 0, 1_000_000)
            if channel == CHANNEL:
                pace = channels.Pace(since_h, first, 3, EVERY_H, 0, 1_000_000)
            with seeded(f"live {self.seed}", self.clock.now):
                repository, signers = self.office()
                if before is None:
                    add(repository, signers, NEW, channel, pace=pace, widens=10)
                else:
                    entry = repository.promotion.promotable(before, channel, NEW, "duka-r1")
                    entry = msgspec.structs.replace(entry, pace=pace, widens=10)
                    payloads = repository.promotion.payloads(entry, channel)
                    repository.add_release(channel, entry, payloads, signers, self.at)
                repository.publish(signers, self.at)
            self.order("look")

    # --- time ---

    def pre_period(self, failing: Failing) -> None:
        """A week in which everybody tells once a day."""
        for _ in range(PRE_DAYS):
            self.clock.set(self.clock.now() + DAY_S)
            now = self.clock.now()
            for one in self.devices:
                one.check_in(now, one.window(now, DAY_S, self.sales_a_day, failing.of(one, -1)))
            self.order("take")

    def hour(self, number: int, failing: Failing) -> None:
        """Hour `number` of a wave, of all terminals; then the worker looks."""
        begun = self.clock.now()
        for one in self.devices:
            one.may_restart(self.shelf, NEW, begun)
        self.clock.set(begun + HOUR_S)
        for one in self.devices:
            often = self.sales_a_day / 24
            sales = int(often) + (one.chance.random() < often % 1)
            window = one.window(begun + HOUR_S, HOUR_S, sales, failing.of(one, number))
            if one.chance.random() < sales * self.real / 1000:
                assert one.sell(begun + HOUR_S, window) == 0, "a sale was refused"
            else:
                one.check_in(begun + HOUR_S, window)
        self.order("take")
        self.clock.set(begun + HOUR_S + GRACE_S + 1)
        self.order("look")
        tag = self.devices[0].device
        self.devices[0].check_in(self.clock.now())
        self.shelf.look(self._port, tag.newest)

    def told(self) -> Told:
        """What is kept of what they told."""
        from updater_server.store import engine as database

        return Told(database.open_engine(self.data.place), self.data.telemetry)
