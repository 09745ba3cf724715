"""A town: one server, its merchants, owners and suppliers, days in a row by a seed."""

from __future__ import annotations

import hashlib
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hw_sim.suppliers.faults import Faults
from tests.days.corner import Corner
from tests.days.cuts import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, Crashed, Cut
from tests.days.judge import Judge
from tests.days.keeper import Counters, Keeper, PatientDevice
from tests.days.past import Past
from tests.days.prices import KENYA, UGANDA
from tests.days.supply import Supply
from tests.days.trade import Trade
from tests.days.vaults import A_DAY, Keys, Vault
from tests.server.shop import NOW, Shop
from tests.suppliers.counter import Counter
from tests.suppliers.stage import Stage
from tests.suppliers.torture import SUPPLIERS, settings_of
from updater_server.faces import terminal
from updater_server.store.engine import writing

DAY_S, STEPS_A_DAY, CUTS_A_STEP, CUTS_A_NIGHT = 86_400, 18, 0.35, 0.5
MORNING_S = 7200
PATIENCE_S = 2.0
T = TypeVar("T")


@dataclass
class Figures:
    """What came of some days. `broken`: day and name of each broken promise."""

    days: int = 0
    sales: int = 0
    orders: int = 0
    crashes: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    digest: str = ""
    why: str = ""
    """What a person wants to know of what is broken."""


class _Counter(Counter):
    """Its server looks after what is open when it is told to."""

    def _look(self) -> None:
        pass


class Town:
    """`at_midnight` is called with the shop before a day is judged: to spoil its books."""

    def __init__(
        self,
        folder: Path,
        signed: Path,
        url: str,
        seed: int,
        at_midnight: Callable[[Shop], object] = lambda shop: None,
    ) -> None:
        self.chance = random.Random(seed)
        self.day = 0
        self.is_restoring = False
        self.told_again_at = 0
        self._at_midnight = at_midnight
        self.log: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.stage = Stage(seed, self._on_time)
        kind = SUPPLIERS[seed % len(SUPPLIERS)]
        settings = settings_of(kind, slow_s=4.0, delay_s=0.3, faults=Faults.all(seed, 0.7))
        self.counter = _Counter(folder, signed, settings, self.stage, url, patience_s=PATIENCE_S)
        self.shop = self.counter.shop
        self.shop.makes = self._device
        with writing(self.shop.service.engine) as connection:
            self.counter.put(connection, deadline_s=1.5)
        self._cut = Cut()
        self._cut.watch(self.shop.service.engine)
        self._counters = Counters(self, [KENYA, KENYA, UGANDA])
        self._judge = Judge(self)
        self.vault = Vault(self)
        beside = [Supply(self), Trade(self), self.vault, Keys(self), Past(self)]
        self._corners: list[Corner] = [self._counters, *beside]

    @property
    def keepers(self) -> list[Keeper]:
        """The merchants."""
        return self._counters.keepers

    @property
    def everywhere(self) -> list[Corner]:
        """All whose model has to do with what the server knows."""
        return [self._judge, *self._corners]

    def live(self, days: int) -> Figures:
        """Live so many days, or up to the first that breaks a promise."""
        figures = Figures()
        try:
            while figures.days < days and not figures.broken:
                figures.days += 1
                try:
                    broken = self._live_one()
                except AssertionError:  # an answer that was another than the first
                    broken, figures.why = ["answer"], traceback.format_exc()
                figures.broken += [(figures.days, name) for name in broken]
            figures.sales = sum(len(keeper.pins) for keeper in self.keepers)
            figures.orders = sum(len(keeper.orders) for keeper in self.keepers)
            figures.crashes = self._cut.crashes
            figures.why += "; ".join(word for corner in self.everywhere for word in corner.words())
            known = [(k.answers, k.pins, k.expected_minor()) for k in self.keepers]
            figures.digest = hashlib.sha256(repr(known).encode()).hexdigest()[:16]
        finally:
            self.stage.close()
            self.counter.close()
        return figures

    # --- a day ---

    def _live_one(self) -> list[str]:
        began = self.day * DAY_S
        self._sleep_until(began + MORNING_S)
        self.vault.bring(A_DAY)
        for _ in range(STEPS_A_DAY):
            self.pass_time(self.chance.uniform(60, 900))
            (corner,) = self.chance.choices(self._corners, [one.share for one in self._corners])
            name = self.chance.choice(corner.steps)
            self._arm(CUTS_A_STEP, 8)
            corner.step(name, self.chance)
            self._cut.disarm()
        self._arm(CUTS_A_NIGHT, 120)
        for corner in self._corners:
            corner.evening()
        self._sleep_until(began + DAY_S + 3600)
        self.day += 1
        for corner in self._corners:
            corner.night()
        self._cut.disarm()
        self._at_midnight(self.shop)
        broken = self._judge.midnight()
        for corner in self._corners:
            broken += corner.broken()
        return broken

    def _arm(self, often: float, statements: int) -> None:
        if self.chance.random() < often:
            where = self.chance.choice((STATEMENT, BEFORE_COMMIT, AFTER_COMMIT))
            self._cut.arm(where, self.chance.randrange(statements if where == STATEMENT else 2))

    # --- time ---

    def _on_time(self, now: float) -> None:
        self.shop.clock[0] = NOW + int(now)

    def pass_time(self, seconds: float) -> None:
        """Let time go on, whatever ends meanwhile."""
        self._sleep_until(self.stage.now + seconds)

    def _sleep_until(self, at: float) -> None:
        while self.stage.now < at:
            try:
                self.stage.sleep(at - self.stage.now)
            except Crashed:
                self.restart()

    # --- the server ---

    def _device(self, terminal_id: bytes, key: bytes, _transport: Any) -> PatientDevice:
        device = PatientDevice(terminal_id, key, self._post)
        device.town = self
        return device

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """As `POST /m`."""
        answer = terminal.begin(self.shop.service, body, time.monotonic())
        if not isinstance(answer, terminal.Waiting):
            return answer
        self.stage.wait_for(answer.decided, PATIENCE_S)
        return answer.finish()

    def stop(self) -> None:
        """The process ends as it should."""
        self.stage.end(self.counter.group)
        self.counter.desk.close()
        self.shop.service.engine.dispose()

    def restart(self) -> None:
        """The process has ended; the next one opens the same folder."""
        self.counter.crash()
        self._cut.watch(self.shop.service.engine)

    # --- the operator ---

    def done(self, run: Callable[[], T]) -> T:
        """A command that did not say that it is done is given again."""
        try:
            return run()
        except Crashed:
            self.restart()
            return run()

    def command(self, run: Callable[[], T], then: Callable[[T], None]) -> T:
        """`run` tells the server, `then` the model; both again after a restore."""
        result = self.done(run)
        with self._cut.aside():
            then(result)
        self.log.append((run, then))
        return result

    def do_again(self) -> None:
        """All that was commanded since the back-up."""
        log, self.log = self.log, []
        for run, then in log:
            self.command(run, then)

    def tell_all(self) -> None:
        """Each terminal tells all that it knows."""
        for keeper in self.keepers:
            keeper.tell_all()

    def problems(self) -> list[str]:
        """What the product's own check finds."""
        return self.shop.problems()
