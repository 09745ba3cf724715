"""A fleet of protocol terminals before one server, on a clock that the test holds: they tell what
they count, restart when their plan says so, and fail as often as the test wants.
"""

from __future__ import annotations

import copy
import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
from securesystemslib.signer import Signer

from tests.server.device import Device
from tests.server.shop import NOW, PASSPHRASE, Shop
from tests.server.test_channels import add
from updater_server import channels
from updater_server.channels import keys as key_files
from updater_server.channels.rollout import Control, RolloutPlan
from updater_server.channels.verdicts import GRACE_S
from updater_server.service import Service
from updater_server.store.engine import is_sqlite
from updater_server.telemetry import spool
from updater_server.telemetry.store import Told
from updater_server.verdict.ruling import Verdict
from updater_server.waves.looking import Looker
from updater_server.waves.worker import Intake

HOUR_S, DAY_S = 3600, 86400
OLD, NEW = 6, 7
CHANNEL = "stable"
_LIVED: dict[tuple[str, int, str], Fleet] = {}
"""Fleets with a week behind them, closed; each in the folder of its shop."""


@dataclass
class Fleet:
    """`failing` is the share of sales that fail, by release."""

    shop: Shop
    keys: Path
    devices: list[Device]
    chance: random.Random
    failing: dict[int, float] = field(default_factory=lambda: {OLD: 0.03, NEW: 0.03})
    runs: dict[bytes, int] = field(default_factory=dict)
    restarted: set[bytes] = field(default_factory=set)
    lying: set[bytes] = field(default_factory=set)

    @staticmethod
    def open(shop: Shop, keys: Path, terminals: int, seed: int = 1, **of_new: Any) -> Fleet:
        """A fleet that ran the old release for a week, and told of it each day; `of_new` is what
        the new one's entry says besides.
        """
        fleet = Fleet(shop, keys, [], random.Random(seed))
        repository, signers = fleet.office()
        add(repository, signers, OLD, CHANNEL)
        add(repository, signers, NEW, CHANNEL, **of_new)
        repository.publish(signers, fleet.at)
        fleet.devices = [shop.enrol(number) for number in range(1, terminals + 1)]
        for day in range(7):
            shop.clock[0] = NOW + (day + 1) * DAY_S
            for device in fleet.devices:
                fleet.runs.setdefault(device.terminal_id, OLD)
                fleet.tell(device, DAY_S, 20)
        for device in fleet.devices:
            device.check_in(_2=OLD)
        fleet.intake.take()
        return fleet

    @staticmethod
    def again(shop: Shop, keys: Path, terminals: int, **of_new: Any) -> Fleet:
        """The same, in the place of a new `shop`'s data: on SQLite lived once for all tests of a
        process, and copied.
        """
        if not is_sqlite(shop.service.engine):
            return Fleet.open(shop, keys, terminals, **of_new)
        which = str(keys), terminals, repr(sorted(of_new.items()))
        if which not in _LIVED:
            first = Shop.open(keys.parent / f"fleet{len(_LIVED)}", keys.parent / "repository")
            lived = Fleet.open(first, keys, terminals, **of_new)
            lived.told.close()
            first.service.engine.dispose()
            _LIVED[which] = lived
        lived = _LIVED[which]
        shop.service.engine.dispose()
        shutil.rmtree(shop.folder)
        shutil.copytree(lived.shop.folder, shop.folder)
        shop.clock[:], shop.token = lived.shop.clock, lived.shop.token
        shop.service = Service.open(shop.folder, lambda: shop.clock[0])
        devices = [copy.copy(device) for device in lived.devices]
        for device in devices:
            device.transport = shop.post
            device.journal = [*device.journal]
        chance = random.Random()
        chance.setstate(lived.chance.getstate())
        return Fleet(shop, keys, devices, chance, runs={**lived.runs})

    def __post_init__(self) -> None:
        told = Told(self.shop.service.engine, self.shop.service.folder.telemetry)
        self.told = told
        self.intake = Intake(self.shop.service, told)
        self.looker = Looker(self.shop.service, told)

    @property
    def at(self) -> datetime:
        """Now."""
        return datetime.fromtimestamp(self.shop.clock[0], UTC)

    def office(self) -> tuple[channels.Repository, list[Signer]]:
        """The release manager, with all keys."""
        signers = key_files.load_all(self.keys, PASSPHRASE)
        return channels.Repository.open(self.shop.service.folder.repository), signers

    def give_keys(self, *names: str) -> None:
        """Let the server have these keys."""
        folder = self.shop.service.folder.online_keys
        folder.mkdir(exist_ok=True)
        for name in names:
            for path in self.keys.glob(f"{name}.*"):
                (folder / path.name).write_bytes(path.read_bytes())

    def let_out(self, threshold: int, control: int = 10_000) -> None:
        """A person signs how far the new release goes."""
        repository, signers = self.office()
        arm = Control(control, 0) if control else None
        repository.set_rollout(CHANNEL, NEW, threshold, signers, self.at, control=arm)
        repository.publish(signers, self.at)

    def plan(self) -> RolloutPlan:
        """What is in force, whatever else cannot be read."""
        folder = self.shop.service.folder.repository
        return channels.open_published(folder, strict=False).rollout(CHANNEL)

    def tell(self, device: Device, length_s: int, sales: int, at_s: int = 0) -> None:
        """One window that ends now, or at `at_s`."""
        release = self.runs[device.terminal_id]
        failed = sum(self.chance.random() < self.failing[release] for _ in range(sales))
        if device.terminal_id in self.lying:
            sales = failed = 3600 * length_s // HOUR_S
        counts = {1: sales, 2: sales - failed, 3: failed, 16: min(60, length_s // 60)}
        told_counts = {number: value for number, value in counts.items() if value}
        window = [release, 0, (at_s or self.shop.clock[0]) - length_s, length_s, told_counts]
        told = cbor2.dumps(window, canonical=True)
        self.shop.service.spool.add(spool.WINDOWS, device.terminal_id, told)

    def hour(self, sales: int = 4, looking: bool = True) -> None:
        """One hour of all: who may switches or restarts, then tells the hour; the worker works."""
        plan = self.plan()
        for device in self.devices:
            one = device.terminal_id
            if one in self.restarted:
                continue
            takes = plan.allows(NEW, one)
            if takes or plan.is_control(NEW, one):
                into = NEW if takes else self.runs[one]
                said = into.to_bytes(4, "big")
                self.shop.service.spool.add(spool.RESTART, one, said)
                self.runs[one] = into
                self.restarted.add(one)
        self.shop.clock[0] += HOUR_S
        for device in self.devices:
            self.tell(device, HOUR_S, sales)
        self.work(looking)

    def work(self, looking: bool = True) -> None:
        """The worker's two jobs, once, when an hour's verdict is due."""
        self.intake.take()
        self.shop.clock[0] += GRACE_S + 1
        if looking:
            self.looker.look()

    def rulings(self, trial: int = 1) -> list[str]:
        """What the verdicts of a trial came to."""
        asked = "SELECT ruling FROM wave_verdict WHERE trial_id = :trial ORDER BY number"
        return [row[0] for row in self.shop.sql(asked, trial=trial)]

    def reasons(self) -> str:
        """Why the newest verdict is what it is."""
        asked = "SELECT content FROM wave_verdict ORDER BY trial_id DESC, number DESC"
        verdict = Verdict.decode(bytes(self.shop.sql(asked)[0][0]))
        return "; ".join(verdict.reasons)

    def last_at(self) -> int:
        """Of when the newest verdict's records are."""
        return int(self.shop.sql("SELECT MAX(at_s) FROM wave_verdict")[0][0])

    def events(self, trial: int = 1) -> list[tuple[str, int | None, str]]:
        """What was done about a trial, after which verdict, by whom."""
        asked = "SELECT what, verdict, by FROM wave_event WHERE trial_id = :trial ORDER BY id"
        return [(what, verdict, by) for what, verdict, by in self.shop.sql(asked, trial=trial)]

    def log(self) -> list[tuple[str, dict[str, Any]]]:
        """The channels' chained log: what was done, and its details."""
        opened = channels.Repository.open(self.shop.service.folder.repository)
        return [(line.what, line.details) for line in opened.audit()]
