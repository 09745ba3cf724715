"""Days of sales through a supplier who misbehaves in every way that he can, on a stage: the server
is killed at any moment, calls and call-backs cross each other, and each night all must come out.

The same seed is the same days, to the last alarm. `torture` is the same with real sockets, threads
and time, in fewer sales.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hw_sim.suppliers.faults import Faults
from tests.server.shop import NOW
from tests.suppliers.counter import NAME, Counter, opened
from tests.suppliers.judge import PENDING, REFUSED, Sold, Verdict, judge_one
from tests.suppliers.stage import Stage
from tests.suppliers.torture import (
    AIRTIME,
    DROPPED_OFTEN,
    ISO8583,
    XMLVEND,
    Ending,
    LossyLine,
    new_sale,
    settings_of,
)
from updater_server.faces import terminal
from updater_server.fleet import alarms
from updater_server.sales import statements
from updater_server.sales.supplier_setup import Kept
from updater_server.sales.suppliers.base import Order, Supplier
from updater_server.sales.suppliers.lines import Line
from updater_server.store.engine import reading, writing

TILLS = 12
DAY_S = 86_400
NOON_S = 12 * 3600
FLOAT_MINOR = 900_000_000
KILLED_EVERY_S = (20.0, 90.0)
_CRASHES_OFTEN = 0.1
_MESSAGE_S = 1.5
_SLOW_S = 4.0
_PATIENCE_S = 2.0
_NO_ANSWER = 503, b""


Cut = tuple[int | None, int | None]
"""After so many bytes in, or out; None: not at all."""
Cuts = tuple[Cut, ...]


@dataclass
class Course:
    """How many sales, how bad."""

    sales: int
    seed: int
    supplier: str = AIRTIME
    often: float = 0.7
    a_day: int = 5000
    tills: int = TILLS


class Days:
    """A counter on a stage, and the tills before it."""

    def __init__(self, counter: Counter, stage: Stage, course: Course) -> None:
        self._counter = counter
        self._stage = stage
        self._course = course
        self._random = random.Random(f"{course.seed}/days")
        self._found = Verdict()
        self._paid: dict[bytes, int] = {}
        self._is_whole = False
        """Whether the server is never cut off."""
        self._devices = [
            counter.shop.enrol(number, FLOAT_MINOR) for number in range(1, course.tills + 1)
        ]
        for device in self._devices:
            device.transport = self.post
            self._paid[device.terminal_id] = 0
        with writing(counter.service.engine) as connection:
            counter.put(connection, deadline_s=_MESSAGE_S)
        self.kill()

    # --- the server ---

    def post(self, body: bytes) -> tuple[int, bytes]:
        """As `POST /m`: a reply that was under way when the server was killed is lost."""
        counter, service = self._counter, self._counter.service
        answer = terminal.begin(service, body, time.monotonic())
        if not isinstance(answer, terminal.Waiting):
            return answer
        self._stage.wait_for(answer.decided, counter.desk.patience_s)
        return answer.finish() if counter.service is service else _NO_ANSWER

    def kill(self) -> None:
        """The server ends wherever it is, and another one starts."""
        self._counter.crash(self._adapter, self._line)

    def _adapter(self, kept: Kept) -> Supplier:
        def crash(order: Order) -> str:
            drawn = random.Random(f"{self._course.seed}/crash/{order.recipient}")
            is_cut_off = not self._is_whole and drawn.random() < _CRASHES_OFTEN
            return drawn.choice(Ending.CRASHES) if is_cut_off else ""

        return Ending(self._counter.adapter(kept), crash)  # type: ignore[return-value]

    def _line(self, name: str) -> Line:
        line = self._counter.line(name, threads=8, room=100_000, kind=LossyLine)
        assert isinstance(line, LossyLine)
        line.lost = lambda: not self._is_whole and self._random.random() < DROPPED_OFTEN
        line.breaker.is_open = lambda: False  # type: ignore[method-assign]
        return line

    # --- a day ---

    def run(self) -> Verdict:
        """All of them."""
        course = self._course
        for first in range(0, course.sales, course.a_day):
            began = int(self._stage.now) // DAY_S * DAY_S
            self._stage.sleep(began + NOON_S - self._stage.now)
            self._counter.is_day = True
            sold = self._sell(range(first, min(course.sales, first + course.a_day)))
            self._counter.is_day = False
            self._counter.operator.courier.rest()
            self._stage.sleep(began + DAY_S + 3600 - self._stage.now)
            self._take_statement(began)
            self._judge(sold)
        self._look_at_the_books()
        return self._found

    def _sell(self, numbers: range) -> list[Sold]:
        tills, sold = self._course.tills, [*self._new(numbers)]
        open_tills = [tills]

        def sell(mine: list[Sold]) -> None:
            for one in mine:
                self._stage.sleep(self._random.uniform(0.0, 1.5))
                one.content[4] = self._counter.shop.clock[0]
                self.ask(one)
                if self._random.random() < 0.3:  # its answer was lost, or it asks again
                    self._stage.sleep(self._random.uniform(0.1, 6.0))
                    self.ask(one)
            open_tills[0] -= 1

        for till in range(tills):
            mine = sold[till::tills]
            self._stage.spawn(functools.partial(sell, mine), "tills")
        while open_tills[0]:
            self._stage.sleep(self._random.uniform(*KILLED_EVERY_S))
            self.kill()
        return sold

    def run_cut(self, cuts: list[Cuts]) -> Verdict:
        """A sale for each: of the connections that it makes, in turn."""
        self._is_whole = self._counter.is_day = True
        operator = self._counter.operator
        self._stage.sleep(NOON_S)
        sold = self._new(range(len(cuts)))
        for one, connections in zip(sold, cuts, strict=True):
            with writing(self._counter.service.engine) as connection:  # without a kept connection
                self._counter.put(connection, deadline_s=_MESSAGE_S)
            operator.forget_cuts()
            for cut in connections:
                operator.cut_next(*cut)
            one.content[4] = self._counter.shop.clock[0]
            self.ask(one)
            self._stage.sleep(7)
        operator.forget_cuts()
        self._counter.is_day = False
        self._stage.sleep(DAY_S + 3600 - self._stage.now)
        self._take_statement(0)
        self._judge(sold)
        self._look_at_the_books()
        return self._found

    def _new(self, numbers: range) -> list[Sold]:
        course = self._course
        return [
            new_sale(self._counter, self._devices[number % course.tills], number, course.seed, 20)
            for number in numbers
        ]

    def ask(self, sold: Sold) -> None:
        """Ask about a sale; a till that gets no reply asks again."""
        for _ in range(20):
            status, reply = sold.device.post(sold.content)
            if status == 200:
                break
            self._stage.sleep(self._random.uniform(0.5, 3.0))
        else:
            raise AssertionError("no answer to twenty questions")
        sold.last = reply
        if reply.get(1) != PENDING and not sold.first:
            sold.first = reply

    def _take_statement(self, began: int) -> None:
        """The supplier's list of the day; a second time changes nothing."""
        counter = self._counter
        data = counter.operator.statement(NOW + began, NOW + began + DAY_S)
        for _ in range(2 if self._course.sales <= self._course.a_day else 1):
            with writing(counter.service.engine) as connection:
                statements.take(connection, counter.service.key, NAME, data, counter.shop.clock[0])

    def _judge(self, sold: list[Sold]) -> None:
        words = self._alarms()
        for one in sold:
            self.ask(one)
            judge_one(one, self._counter.operator, words, self._found)
            if one.last[1] != REFUSED:
                self._paid[one.device.terminal_id] += one.content[3] - one.content[20]
        self._found.sales += len(sold)

    def _alarms(self) -> str:
        with reading(self._counter.service.engine) as connection:
            found = alarms.open_alarms(connection, limit=10**6)
        return " ".join(str(item["text"]) for item in found)

    def _look_at_the_books(self) -> None:
        shop = self._counter.shop
        self._found.problems = shop.problems()
        for device in self._devices:
            if shop.float_of(device) != FLOAT_MINOR - self._paid[device.terminal_id]:
                self._found.problems.append(f"the float of {device.terminal_id.hex()} is another")


def on_a_stage(
    folder: Path, signed: Path, course: Course, faults: Faults, work: Callable[[Days], Verdict]
) -> Verdict:
    """Open a counter on a stage, and let `work` sell there."""
    clock: list[list[int]] = []

    def on_time(now: float) -> None:
        for one in clock:
            one[0] = NOW + int(now)

    stage = Stage(course.seed, on_time)
    settings = settings_of(course.supplier, slow_s=_SLOW_S, delay_s=0.3, faults=faults)
    try:
        with opened(folder, signed, settings, stage, patience_s=_PATIENCE_S) as counter:
            clock.append(counter.shop.clock)
            return work(Days(counter, stage, course))
    finally:
        stage.close()


def run(folder: Path, signed: Path, course: Course) -> Verdict:
    """Every fault at random."""
    faults = Faults.all(course.seed, course.often)
    return on_a_stage(folder, signed, course, faults, Days.run)


WHOLE: Cut = (None, None)
LONGEST: dict[str, tuple[tuple[Cuts, int, int], ...]] = {
    AIRTIME: (
        ((), 360, 420),  # an order
        ((WHOLE,), 240, 300),  # a question after one that went well
    ),
    ISO8583: (
        ((), 230, 170),
        (((None, 80),), 300, 170),  # a reversal, after an answer that is lost
    ),
    XMLVEND: (
        ((), 1100, 3000),
        (((None, 300),), 900, 3300),  # advice of the last response, after one that is lost
        (((10, None), WHOLE), 900, 850),  # a reversal, after an order that is lost
    ),
}
"""Of each message that money hangs on: what becomes of the connections before it, and the bytes in
and out of its own, rounded up (a cut behind the end is none).
"""


def run_bytes(folder: Path, signed: Path, supplier: str, stride: int = 1) -> Verdict:
    """A sale for every `stride`-th byte of every message and its answer, each lost at that byte,
    without any other fault; and its night.
    """
    cuts: list[Cuts] = []
    for before, in_bytes, out_bytes in LONGEST[supplier]:
        cuts += [(*before, (at, None)) for at in range(0, in_bytes, stride)]
        cuts += [(*before, (None, at)) for at in range(0, out_bytes, stride)]
    course = Course(len(cuts), 0, supplier, a_day=len(cuts), tills=1)
    return on_a_stage(folder, signed, course, Faults(), lambda days: days.run_cut(cuts))
