"""The life of one terminal, its merchant and its office, on simulated time."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.lives import judge
from tests.lives.habits import DAY_S, LONG_NIGHT, Deed, day
from tests.lives.shopkeeper import Shopkeeper
from tests.support.airtime import Airtime
from tests.support.merchant import FLOAT_MINOR
from tests.support.seeded import seeded
from tests.support.world import PRICES, TerminalSettings, quiet_tools
from tests.support.world_clock import WorldClock
from tests.terminal.conftest import TerminalWorld
from tools.technician.provisioning import USUAL

_VOUCHERS_A_DAY = 12
_EVE_S = 1800
"""Provisioning and the first sales begin so long before the first midnight."""
_JUDGED_AT_S = 2700
"""After midnight: whatever was open at night has had a check-in."""
_SERVER_DOWN_S = 300
_LOW_FLOAT_MINOR = 40_000


@dataclass
class Record:
    """What one life came to."""

    terminal: int
    days: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    bytes_by_purpose: Counter[str] = field(default_factory=Counter)
    times_by_purpose: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    wake_ups: int = 0
    longest_wait_s: float = 0
    lines: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Of all that was done and what came of it, in order, and of the world at the end."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]


class Life:
    """`live()` once. `factory`: a folder with server and releases, as `make_factory` leaves it."""

    def __init__(self, folder: Path, factory: Path, seed: int, terminal: int) -> None:
        shutil.copytree(factory, folder)
        clock = WorldClock(folder / "time")
        first_midnight_s = (int(clock.read()) // DAY_S + 1) * DAY_S
        clock.write(first_midnight_s - _EVE_S)
        board = {"seed": seed * 1000 + terminal}
        self._world = TerminalWorld(folder, TerminalSettings(simulated=True, seed=board["seed"]))
        self._seed = seed
        self._terminal = terminal
        self._draw = random.Random(f"{seed}/{terminal}/chances")
        self._paid_in_minor = FLOAT_MINOR
        self._release = 1
        self._bad_release: int | None = None
        self._midnight_s = 0.0
        self.record = Record(terminal)
        self._deeds: dict[Deed, Callable[[int], str]] = {
            Deed.SELL: lambda number: self._keeper.sell(number),
            Deed.SELL_AND_PULL_THE_BATTERY: self._sell_and_pull,
            Deed.MISTYPE_THE_PIN: lambda number: self._keeper.mistype_the_pin(),
            Deed.CHANGE_ONES_MIND: lambda number: self._keeper.change_ones_mind(),
            Deed.END_THE_PAPER: lambda number: self._keeper.end_the_paper(number),
            Deed.PULL_THE_BATTERY: lambda number: self._keeper.lose_power(number),
            Deed.SWITCH_OFF: lambda number: self._switch(False),
            Deed.SWITCH_ON: lambda number: self._switch(True),
            Deed.LOSE_COVERAGE: lambda number: self._cover(False),
            Deed.FIND_COVERAGE: lambda number: self._cover(True),
            Deed.RENEW_THE_CHANNELS: lambda number: self._publish(),
            Deed.TOP_UP: lambda number: self._top_up(),
            Deed.DELIVER_STOCK: self._deliver_stock,
            Deed.RESTART_THE_SERVER: lambda number: self._restart_the_server(),
            Deed.OFFER_A_GOOD_RELEASE: lambda number: self._offer(2),
            Deed.OFFER_A_BAD_RELEASE: lambda number: self._offer(3),
            Deed.CHANGE_THE_PRICES: self._change_the_prices,
        }

    def live(self, days: int, tell: Callable[[str], None]) -> Record:
        """Live so many days; `tell` hears a line about each."""
        world = self._world
        try:
            chance = f"{self._seed}/{self._terminal}/world"
            with quiet_tools(), seeded(chance, world.now_unix_s):
                self._begin(days)
                for number in range(days):
                    self._live_a_day(number)
                    tell(f"terminal {self._terminal} day {number + 1}: {self._day_said}")
        except (AssertionError, TimeoutError, RuntimeError) as error:
            self._broken(f"the life ended: {error}")
        finally:
            if self.record.days:
                self.record.wake_ups = self._board.board.wake_ups
            self._note(world.digest())
            world.close()
        return self.record

    def _begin(self, days: int) -> None:
        world = self._world
        world.fill_vault(_VOUCHERS_A_DAY * days)
        world.server.start()
        world.reach()
        world.provision(FLOAT_MINOR, **USUAL)
        self._board = world.terminal.board
        self._keeper = Shopkeeper(world.terminal)
        self._count_airtime()
        self._keeper.go_to_the_menu()
        world.wait_online()
        self._midnight_s = world.terminal.now_s()
        self._note("begun")

    def _live_a_day(self, number: int) -> None:
        self._day_said = ""
        before = sum(self.record.bytes_by_purpose.values())
        messages = self.record.times_by_purpose["journal"]
        events = day(self._seed, self._terminal, number)
        for event in events:
            self._wait_until(event.at_s)
            said = self._deeds[event.deed](event.number)
            self._note(f"day {number} {event}: {said}")
            if event.deed in (Deed.SELL, Deed.END_THE_PAPER):
                self.record.outcomes[said] += 1
        self._wait_until(LONG_NIGHT[0])
        self._board.power_on()
        self._cover(True)
        self._keeper.finish_the_day()
        self._midnight_s += DAY_S
        self._wait_until(_JUDGED_AT_S)
        self.record.days += 1
        self.record.longest_wait_s = self._keeper.longest_wait_s
        broken = judge.money(self._world, self._paid_in_minor)
        broken += judge.trust(self._world, self._release, self._bad_release)
        messages = self.record.times_by_purpose["journal"] - messages
        broken += judge.silence(messages, len(events))
        for text in broken:
            self._broken(f"day {number}: {text}")
        size = sum(self.record.bytes_by_purpose.values()) - before
        sales = len(self._world.books.debits_minor())
        self._note(f"day {number} over: {sales} sales, float {self._world.books.float_minor()}")
        self._day_said = f"{sales} sales so far, {size} bytes, broken: {len(broken)}"

    def _wait_until(self, at_s: float) -> None:
        left_s = self._midnight_s + at_s - self._world.terminal.now_s()
        if left_s > 0:
            self._board.pause(left_s)

    def _note(self, line: str) -> None:
        self.record.lines.append(line)

    def _broken(self, text: str) -> None:
        self.record.broken.append(f"terminal {self._terminal}: {text}")
        self._note(f"BROKEN {text}")

    def _count_airtime(self) -> None:
        airtime = Airtime(self._world)
        self.record.bytes_by_purpose = airtime.by_bytes
        self.record.times_by_purpose = airtime.by_times

    # deeds

    def _sell_and_pull(self, after_ms: int) -> str:
        return self._keeper.sell_and_pull(1, after_ms, self._draw)

    def _switch(self, on: bool) -> str:
        (self._board.power_on if on else self._board.power_off)()
        return ""

    def _cover(self, on: bool) -> str:
        self._world.terminal.set_coverage(on)
        return ""

    def _publish(self) -> str:
        self._world.manager.publish(self._world.now())
        return ""

    def _top_up(self) -> str:
        if self._world.books.float_minor() >= _LOW_FLOAT_MINOR:
            return "enough"
        self._world.deposit(FLOAT_MINOR)
        self._paid_in_minor += FLOAT_MINOR
        return "paid in"

    def _deliver_stock(self, product: int) -> str:
        self._world.assign_stock(PRICES.products[product - 1].product_id, 3)
        return ""

    def _restart_the_server(self) -> str:
        self._world.server.stop()
        self._board.pause(_SERVER_DOWN_S)
        self._world.server.start()
        return ""

    def _offer(self, number: int) -> str:
        manager = self._world.manager
        manager.add(self._world.image(number), deltas=False, gate_idle_s=600)
        self._publish()
        if number == 2:
            self._release = 2
        else:
            self._bad_release = number
        return ""

    def _change_the_prices(self, number: int) -> str:
        second = PRICES.products[1]
        dearer = msgspec.structs.replace(second, amount_minor=second.amount_minor + 100 * number)
        prices = msgspec.structs.replace(
            PRICES, version=number + 2, products=[PRICES.products[0], dearer]
        )
        self._world.manager.set_prices(prices)
        self._publish()
        return ""
