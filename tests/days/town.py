"""A town: one server, two merchants, days in a row by a seed."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.days.cuts import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, Cut
from tests.days.judge import Judge
from tests.days.keeper import Keeper, PatientDevice
from tests.server.merchant import STEPS
from tests.server.shop import Shop
from updater_server.service import Service

DAY_S, STEPS_A_DAY, CUTS_A_STEP = 86_400, 12, 0.4
VOUCHERS_A_DAY = 10


@dataclass
class Figures:
    """What came of some days. `broken`: day and name of each broken promise."""

    days: int = 0
    sales: int = 0
    crashes: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    digest: str = ""


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
        self.shop = Shop.open(folder, signed / "repository", url)
        self.shop.makes = functools.partial(PatientDevice, self._restart)
        self._cut = Cut()
        self._cut.watch(self.shop.service.engine)
        self._chance = random.Random(seed)
        self._keepers = [Keeper(self.shop, number, self._restart) for number in (1, 2)]
        self._judge = Judge(self.shop, self._keepers)
        self._at_midnight = at_midnight

    def live(self, days: int) -> Figures:
        """Live so many days, or up to the first that breaks a promise."""
        figures = Figures()
        while figures.days < days and not figures.broken:
            figures.days += 1
            try:
                self._day()
                broken = self._judge.midnight()
            except AssertionError:  # an answer that was another than the first
                broken = ["answer"]
            figures.broken += [(figures.days, name) for name in broken]
        figures.sales = sum(len(keeper.pins) for keeper in self._keepers)
        figures.crashes = self._cut.crashes
        known = [(k.answers, k.pins, k.expected_minor()) for k in self._keepers]
        figures.digest = hashlib.sha256(repr(known).encode()).hexdigest()[:16]
        self.shop.service.engine.dispose()
        return figures

    def _day(self) -> None:
        there = self.shop.sql("SELECT COUNT(*) FROM voucher")[0][0]
        self.shop.stock_vault(count=VOUCHERS_A_DAY, start=there)
        for _ in range(STEPS_A_DAY):
            keeper, name = self._chance.choice(self._keepers), self._chance.choice(STEPS)
            if self._chance.random() < CUTS_A_STEP:
                where = self._chance.choice((STATEMENT, BEFORE_COMMIT, AFTER_COMMIT))
                self._cut.arm(where, self._chance.randrange(8 if where == STATEMENT else 2))
            keeper.step(name, self._chance)
            self._cut.disarm()
        for keeper in self._keepers:
            keeper.block(False)
            keeper.check_in()
            keeper.upload()
            keeper.check_in()
            keeper.check_in()
            for sequence in sorted(keeper.answers):
                keeper.answer(sequence)
        self._at_midnight(self.shop)
        self.shop.clock[0] += DAY_S

    def _restart(self) -> None:
        """The process has ended; the next one opens the same folder."""
        self.shop.service.engine.dispose()
        clock = self.shop.clock
        self.shop.service = Service.open(self.shop.folder, lambda: clock[0])
        self._cut.watch(self.shop.service.engine)
