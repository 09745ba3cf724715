"""Sales through an operator who misbehaves in every way that he can, on a server that is cut off
between any two arrows; then the night, and each sale is held against what the telephones really
got.

The judge reads the operator's truth and the terminals' answers; of the server he asks only for its
alarms and its own check.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hw_sim.suppliers import switch, utility
from hw_sim.suppliers.airtime import Settings
from hw_sim.suppliers.faults import Faults
from tests.server.device import Device
from tests.suppliers.counter import NAME, AnySettings, Counter, meter, opened, order
from tests.suppliers.judge import REFUSED, Sold, Verdict, judge_one
from updater_server.fleet import alarms
from updater_server.sales import statements
from updater_server.sales.supplier_setup import Kept
from updater_server.sales.suppliers.base import Order, Outcome, Supplier
from updater_server.sales.suppliers.lines import SALE, Line
from updater_server.store.engine import reading, writing

DEVICES = 4
ROUND = 60
"""So many sales, then the server is cut off and another one starts."""
FLOAT_MINOR = 900_000_000
_CRASHES = ("before it is sent", "before its answer is kept")
_CRASHES_OFTEN = 0.15
DROPPED_OFTEN = 0.08
"""Of the sales that are reserved: the server ends before it has begun to send them."""
_MESSAGE_S = 0.15
"""The deadline of a call; who is slow takes longer."""


def new_sale(counter: Counter, device: Device, number: int, seed: int, steps: int = 100) -> Sold:
    """The sale of this number, which nobody has asked for yet; its amount is one of `steps`."""
    drawn = random.Random(f"{seed}/sale/{number}")
    amount = 1000 + 500 * drawn.randrange(0, steps)
    is_meter = isinstance(counter.operator, utility.Utility)
    digits = meter(number) if is_meter else f"07{number:08d}"
    product = "power" if is_meter else "top"
    content = order(number + 1, digits, amount, product) | {4: counter.shop.clock[0]}
    return Sold(device, content, counter.spelled(digits))


class Ending:
    """The operator's adapter in a server that ends in the middle of a call."""

    CRASHES = _CRASHES

    def __init__(self, real: Supplier, crash: Callable[[Order], str]) -> None:
        self._real = real
        self._crash = crash

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def send(self, order: Order) -> Outcome:
        """Ask the operator, and end before or after it."""
        crash = self._crash(order)
        if crash == _CRASHES[0]:
            raise SystemExit
        outcome = self._real.send(order)
        if crash == _CRASHES[1]:
            raise SystemExit
        return outcome


class LossyLine(Line):
    """A line whose threads outlive an end that is meant for one sale."""

    lost: Callable[[], bool]

    def submit(self, call: Callable[[], None], what: int = SALE) -> bool:
        """As `Line.submit`; of some sales nothing is begun."""

        def guarded() -> None:
            try:
                call()
            except SystemExit:
                pass

        if what == SALE and self.lost():
            return True
        return super().submit(guarded, what)


class Torture:
    """A counter, and the sales of a day."""

    def __init__(self, counter: Counter, seed: int, is_cut_off: bool = True) -> None:
        self._counter = counter
        self._is_cut_off = is_cut_off
        self._seed = seed
        self._sold: list[Sold] = []
        self._dropped = random.Random(f"{seed}/dropped")
        self._devices = [
            counter.shop.enrol(number, FLOAT_MINOR) for number in range(1, DEVICES + 1)
        ]
        with writing(counter.service.engine) as connection:
            counter.put(connection, deadline_s=_MESSAGE_S)
        self._open_desk()

    def _open_desk(self) -> None:
        seed, dropped, is_cut_off = self._seed, self._dropped, self._is_cut_off

        def crash(order: Order) -> str:
            if not is_cut_off:
                return ""
            drawn = random.Random(f"{seed}/crash/{order.recipient}")
            return drawn.choice(_CRASHES) if drawn.random() < _CRASHES_OFTEN else ""

        def made(kept: Kept) -> Supplier:
            return Ending(kept.adapter(), crash)  # type: ignore[return-value]

        def line(name: str) -> Line:
            made = LossyLine(name, threads=8, room=100_000)
            made.breaker.is_open = lambda: False  # type: ignore[method-assign]
            made.lost = lambda: is_cut_off and dropped.random() < DROPPED_OFTEN
            return made

        self._counter.open_desk(made, line)

    def sell(self, count: int) -> None:
        """So many sales, in rounds; after each the server is cut off."""
        for start in range(0, count, ROUND):
            numbers = range(start, min(count, start + ROUND))
            threads = [
                threading.Thread(target=self._sell_some, args=(device, numbers[n::DEVICES]))
                for n, device in enumerate(self._devices)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self._counter.pass_time(20)
            self._counter.crash()
            self._open_desk()

    def _new(self, device: Device, number: int) -> Sold:
        sold = new_sale(self._counter, device, number, self._seed)
        self._sold.append(sold)
        return sold

    def _sell_some(self, device: Device, numbers: range) -> None:
        for number in numbers:
            sold = self._new(device, number)
            sold.ask()
            if number % 3 == 0:  # its answer was lost on the way to the terminal
                sold.ask()

    def night(self) -> None:
        """Time goes by, the server asks; then it gets the operator's statement."""
        counter = self._counter
        began = counter.shop.clock[0]
        for _ in range(14):
            counter.operator.courier.rest()
            counter.pass_time(300)
            self._settle_down()
        now = counter.shop.clock[0]
        data = counter.operator.statement(began - 86_400, now + 7200)
        for _ in range(2):  # a second time changes nothing
            with writing(counter.service.engine) as connection:
                statements.take(connection, counter.service.key, NAME, data, now)

    def _settle_down(self, patience_s: float = 5.0) -> None:
        """Until no question is under way."""
        until = time.monotonic() + patience_s
        seen: list[object] = []
        while time.monotonic() < until and not (len(seen) > 3 and seen[-1] == seen[-4]):
            time.sleep(0.06)
            seen.append(self._counter.shop.sql("SELECT SUM(tries), COUNT(decided_at) FROM vend"))

    def judge(self) -> Verdict:
        """Each sale against what its telephone got."""
        found = Verdict(len(self._sold))
        with reading(self._counter.service.engine) as connection:
            words = " ".join(
                str(item["text"]) for item in alarms.open_alarms(connection, limit=10**6)
            )
        for sold in self._sold:
            sold.ask()
            judge_one(sold, self._counter.operator, words, found)
        found.problems = self._counter.shop.problems()
        for device in self._devices:
            paid = sum(
                sold.content[3] - sold.content[20]
                for sold in self._sold
                if sold.device is device and sold.last[1] != REFUSED
            )
            if self._counter.shop.float_of(device) != FLOAT_MINOR - paid:
                found.problems.append(f"the float of {device.terminal_id.hex()} is another")
        return found


AIRTIME, ISO8583, XMLVEND = "airtime", "iso8583", "xmlvend"
SUPPLIERS = (AIRTIME, ISO8583, XMLVEND)


def settings_of(supplier: str, **more: Any) -> AnySettings:
    """A simulated supplier of this kind, that keeps no promise that matters when it matters."""
    if supplier == AIRTIME:
        return Settings(honours_keys=False, **more)
    return utility.Settings(**more) if supplier == XMLVEND else switch.Settings(**more)


def run(
    folder: Path, signed: Path, sales: int, seed: int, supplier: str = AIRTIME, often: float = 0.7
) -> Verdict:
    """A day of so many sales through one kind of supplier, and its night."""
    faults = Faults.all(seed, often)
    settings = settings_of(supplier, slow_s=0.3, faults=faults)
    with opened(folder, signed, settings, patience_s=0.03) as counter:
        torture = Torture(counter, seed)
        torture.sell(sales)
        torture.night()
        return torture.judge()
