"""The life of one terminal, its merchant and its office, on simulated time."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.lives import judge
from tests.lives.bench import Technician
from tests.lives.habits import (
    BAD_RELEASE_DAY,
    DAY_S,
    GOOD_RELEASE_DAY,
    LANGUAGES,
    LONG_NIGHT,
    MAINS_CUT,
    MAINS_DAY,
    UTC_OFFSET_S,
    Deed,
    day,
)
from tests.lives.office import CHANNELS, Bad, Office
from tests.lives.shopkeeper import Shopkeeper
from tests.lives.workshop import Workshop, payloads_once
from tests.support.airtime import Airtime
from tests.support.merchant import FLOAT_MINOR
from tests.support.seeded import seeded
from tests.support.world import TerminalSettings, quiet_tools
from tests.support.world_clock import WorldClock
from tests.terminal.conftest import TerminalWorld
from tools.technician.provisioning import USUAL

_VOUCHERS_A_DAY = 12
_EVE_S = 1800
"""Provisioning and the first sales begin so long before the first midnight."""
_JUDGED_AT_S = 2700
"""After midnight: whatever was open at night has had a check-in."""
_SERVER_DOWN_S = 300
COMPARED_DAYS = 7
"""So many midnights of a life can be compared with those of the same life on MicroPython."""
VISITS = (Deed.REPAIR_ON_THE_BENCH, Deed.SET_THE_INTERVAL)
_SALES = (Deed.SELL, Deed.END_THE_PAPER)
_HARMLESS = (
    *_SALES,
    Deed.CHANGE_ONES_MIND,
    Deed.MISTYPE_THE_PIN,
    Deed.LOOK_AT_THE_NEW_DAY,
    Deed.CHOOSE_A_LANGUAGE,
    Deed.TOP_UP,
    Deed.DELIVER_STOCK,
    Deed.BACK_UP_THE_SERVER,
)
"""After the others network, server or power may be away, or not long back."""
_SETTLED_AFTER_S = 900
"""After a start in common, all have asked once; what they ask later is asked apart."""


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
    midnights: list[str] = field(default_factory=list)
    """Digests of all that was done, and of the world, at the end of each of the first days."""
    after_mains_s: dict[int, float] = field(default_factory=dict)
    """Day without mains in the night → when the terminal checked in again after its start."""

    @property
    def digest(self) -> str:
        """Of all that was done and what came of it, in order, and of the world at the end."""
        return self.digest_with("")

    def digest_with(self, world: str) -> str:
        """Of all that was done so far, and of the world as its digest is now."""
        return hashlib.sha256("\n".join([*self.lines, world]).encode()).hexdigest()[:16]


class Life:
    """`live()` once. `factory`: a folder with server and releases, as `make_factory` leaves it."""

    def __init__(
        self, folder: Path, factory: Path, seed: int, terminal: int, settings: TerminalSettings
    ) -> None:
        shutil.copytree(factory, folder)
        clock = WorldClock(folder / "time")
        local_s = int(clock.read()) + UTC_OFFSET_S
        self._first_midnight_unix_s = (local_s // DAY_S + 1) * DAY_S - UTC_OFFSET_S
        clock.write(self._first_midnight_unix_s - _EVE_S)
        self._channel = CHANNELS[::-1][terminal % len(CHANNELS)]
        self._world = TerminalWorld(folder, settings)
        self._office = Office(self._world, self._channel, Workshop(folder.parent / "made"))
        self._technician = Technician(self._world, self._channel, USUAL["poll_s"])
        self._seed = seed
        self._terminal = terminal
        self._draw = random.Random(f"{seed}/{terminal}/chances")
        self._bad: Bad | None = None
        self._midnight_s = 0.0
        self._day = self._early = 0
        self._checked_in_s = self._done_s = self._disturbed_s = 0.0
        self._heard_s = self._priced_s = 0.0
        self._is_covered = True
        self._in_vain = judge.InVain()
        self.record = Record(terminal)
        office = self._office
        self._deeds: dict[Deed, Callable[[int], str]] = {
            Deed.SELL: lambda number: self._keeper.sell(number),
            Deed.SELL_AND_PULL_THE_BATTERY: self._sell_and_pull,
            Deed.MISTYPE_THE_PIN: lambda number: self._keeper.mistype_the_pin(),
            Deed.CHANGE_ONES_MIND: lambda number: self._keeper.change_ones_mind(),
            Deed.END_THE_PAPER: lambda number: self._keeper.end_the_paper(number),
            Deed.PULL_THE_BATTERY: lambda number: self._keeper.lose_power(number),
            Deed.LOOK_AT_THE_NEW_DAY: self._look_at_the_new_day,
            Deed.SWITCH_OFF: lambda number: self._switch(False),
            Deed.SWITCH_ON: lambda number: self._switch(True),
            Deed.LOSE_COVERAGE: lambda number: self._cover(False),
            Deed.FIND_COVERAGE: lambda number: self._cover(True),
            Deed.RENEW_THE_CHANNELS: lambda number: office.publish(),
            Deed.TOP_UP: lambda number: office.top_up(),
            Deed.DELIVER_STOCK: lambda number: office.deliver_stock(
                number, self._draw.choice((1, 1, 3))
            ),
            Deed.RESTART_THE_SERVER: lambda number: self._restart_the_server(),
            Deed.LOSE_THE_SERVER: lambda number: self._lose_the_server(),
            Deed.FIND_THE_SERVER: lambda number: self._find_the_server(),
            Deed.OFFER_A_GOOD_RELEASE: lambda number: self._offer(None),
            Deed.OFFER_A_BAD_RELEASE: lambda number: self._offer(list(Bad)[number % 2]),
            Deed.PROMOTE_TO_BETA: lambda number: office.promote("beta", self._bad),
            Deed.PROMOTE_TO_STABLE: lambda number: office.promote("stable", self._bad),
            Deed.CHANGE_THE_PRICES: office.change_the_prices,
            Deed.CHOOSE_A_LANGUAGE: lambda number: self._keeper.choose_a_language(
                LANGUAGES[number]
            ),
            Deed.BACK_UP_THE_SERVER: lambda number: office.back_up(),
            Deed.RESTORE_THE_SERVER: lambda number: office.restore(),
            Deed.END_THE_RESTORE: lambda number: office.end_the_restore(),
            Deed.REPAIR_ON_THE_BENCH: lambda number: self._technician.repair(),
            Deed.SET_THE_INTERVAL: self._set_the_interval,
        }

    def live(self, days: int, tell: Callable[[str], None]) -> Record:
        """Live so many days; `tell` hears a line about each."""
        world = self._world
        try:
            chance = f"{self._seed}/{self._terminal}/world"
            with quiet_tools(), payloads_once(), seeded(chance, world.now_unix_s):
                self._begin(days)
                for number in range(days):
                    self._live_a_day(number)
                    tell(f"terminal {self._terminal} day {number + 1}: {self._day_said}")
        except (AssertionError, OSError, RuntimeError) as error:
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
        settings = {**USUAL, "channel": self._channel, "utc_offset_s": UTC_OFFSET_S}
        world.provision(FLOAT_MINOR, **settings)
        self._board = world.terminal.board
        self._keeper = Shopkeeper(world.terminal)
        self._airtime = Airtime(world, self._heard)
        self.record.bytes_by_purpose = self._airtime.by_bytes
        self.record.times_by_purpose = self._airtime.by_times
        self._keeper.go_to_the_menu()
        world.wait_online()
        self._midnight_s = world.terminal.now_s() + self._first_midnight_unix_s - world.now_unix_s()
        self._note("begun")

    def _heard(self, purpose: str) -> None:
        self._heard_s = self._world.terminal.now_s()
        at_s = self._board.board.pace.now_s() - self._midnight_s
        if purpose == "check-in":
            now_s = self._board.board.pace.now_s()
            early_s = judge.early_s(self._technician.poll_s)
            was_left_alone = self._done_s < self._checked_in_s
            self._early += was_left_alone and now_s - self._checked_in_s < early_s
            self._checked_in_s = now_s
        is_later = at_s > MAINS_CUT[1] + _SETTLED_AFTER_S
        if purpose == "check-in" and self._day % 7 == MAINS_DAY and is_later:
            self.record.after_mains_s.setdefault(self._day, at_s)

    def _live_a_day(self, number: int) -> None:
        self._day, self._day_said, self._early = number, "", 0
        before = len(self.record.broken)
        sizes, times = Counter(self._airtime.by_bytes), Counter(self._airtime.by_times)
        begun_s = self._world.terminal.now_s()
        paid_in_minor = self._office.paid_in_minor
        events = day(self._seed, self._terminal, number)
        for event in events:
            self._wait_until(event.at_s)
            calm_s = self._calm_s()
            said = self._deeds[event.deed](event.number)
            self._done_s = self._world.terminal.now_s()
            self._in_vain.deeds += 1
            self._note(f"day {number} {event}: {said}")
            if event.deed not in _HARMLESS:
                self._disturbed_s = self._done_s
            if event.deed is Deed.CHANGE_THE_PRICES:
                self._priced_s = self._done_s
            if event.deed in _SALES:
                self.record.outcomes[said] += 1
                for text in judge.service(said, calm_s, self._world.books.float_minor()):
                    self._broken(f"{event}: {text}")
        self._wait_until(LONG_NIGHT[0])
        self._board.power_on()
        self._cover(True)
        self._keeper.finish_the_day()
        self._midnight_s += DAY_S
        self._wait_until(_JUDGED_AT_S)
        self.record.days += 1
        self.record.longest_wait_s = self._keeper.longest_wait_s
        today = judge.Today(
            len(events),
            self._airtime.by_times - times,
            self._airtime.by_bytes - sizes,
            self._restarts(begun_s),
            number % 7 in (GOOD_RELEASE_DAY, BAD_RELEASE_DAY),
            sum(event.deed in VISITS for event in events),
            any(event.deed is Deed.LOSE_THE_SERVER for event in events),
            self._early,
            self._office.paid_in_minor - paid_in_minor,
        )
        for text in self._judge(today):
            self._broken(text)
        broken = self.record.broken[before:]
        sales = len(self._world.books.debits_minor())
        self._note(f"day {number} over: {sales} sales, float {self._world.books.float_minor()}")
        if number < COMPARED_DAYS:
            self.record.midnights.append(self.record.digest_with(self._world.digest()))
        size = today.bytes.total()
        told = f" ({'; '.join(broken)})" if broken else ""
        self._day_said = f"{sales} sales so far, {size} bytes, broken: {len(broken)}{told}"

    def _calm_s(self) -> float:
        """How long nothing has been in the way of a sale."""
        if not self._is_covered or not self._world.server.running:
            return 0
        if self._office.waits_for_terminals:
            return 0
        if self._heard_s <= self._priced_s:  # it offers what things cost before, and is told so
            return 0
        resets_s = [each.time_s for each in self._board.events if each.kind == "reset"]
        since_s = max(self._disturbed_s, *resets_s[-1:], self._midnight_s)
        return self._world.terminal.now_s() - since_s

    def _restarts(self, since_s: float) -> int:
        by_itself = ("soft", "watchdog", "brownout")
        events = [each for each in self._board.events if each.time_s >= since_s]
        return sum(each.kind == "reset" and each.detail in by_itself for each in events)

    def _judge(self, today: judge.Today) -> list[str]:
        world, office = self._world, self._office
        if office.waits_for_terminals:
            self._note(f"at night: {office.end_the_restore()}")
        return [
            *judge.restore(office.waits_for_terminals),
            *judge.money(world, office.paid_in_minor, today.untold_minor),
            *judge.trust(world, office.release, office.bad, self._technician.repairs),
            *judge.silence(today),
            *judge.steadiness(today),
            *judge.presence(world),
            *judge.flash(world),
        ]

    def _wait_until(self, at_s: float) -> None:
        left_s = self._midnight_s + at_s - self._world.terminal.now_s()
        if left_s > 0:
            self._board.pause(left_s)

    def _note(self, line: str) -> None:
        self.record.lines.append(line)

    def _broken(self, text: str) -> None:
        """A promise; `text` says which. Days are numbered from 1, as in the line of each."""
        self.record.broken.append(f"terminal {self._terminal} day {self._day + 1}: {text}")
        self._note(f"BROKEN {text}")

    # deeds

    def _sell_and_pull(self, after_ms: int) -> str:
        return self._keeper.sell_and_pull(1, after_ms, self._draw)

    def _look_at_the_new_day(self, number: int) -> str:
        said = self._keeper.look_at_the_new_day()
        if said != "nothing sold yet":
            self._broken(said)
        return said

    def _switch(self, on: bool) -> str:
        (self._board.power_on if on else self._board.power_off)()
        return ""

    def _cover(self, on: bool) -> str:
        self._world.terminal.set_coverage(on)
        self._is_covered = on
        return ""

    def _set_the_interval(self, hours: int) -> str:
        self._keeper.go_to_the_menu()
        return self._technician.set_interval(hours)

    def _restart_the_server(self) -> str:
        self._world.server.stop()
        self._board.pause(_SERVER_DOWN_S)
        self._world.server.start()
        return ""

    def _lose_the_server(self) -> str:
        self._world.server.stop()
        self._in_vain = judge.InVain(self._world.terminal.now_s(), self._on_air_bytes())
        return ""

    def _find_the_server(self) -> str:
        now_s, on_air_bytes = self._world.terminal.now_s(), self._on_air_bytes()
        for text in judge.in_vain(self._in_vain, now_s, on_air_bytes):
            self._broken(text)
        self._world.server.start()
        return f"{on_air_bytes - self._in_vain.on_air_bytes} bytes in vain"

    def _on_air_bytes(self) -> int:
        return self._world.terminal.network.traffic.on_air_bytes

    def _offer(self, bad: Bad | None) -> str:
        self._bad = bad
        return self._office.offer(bad)
