"""A supplier that takes connections and says nothing for an hour costs the others nothing: on a
stage, beside two that work, with the server's own lines, threads and breakers.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hw_sim.suppliers import switch, utility
from hw_sim.suppliers.airtime import Settings
from hw_sim.suppliers.faults import Faults
from tests.server.device import Device
from tests.server.shop import NOW
from tests.suppliers.counter import Counter, meter, opened, order
from tests.suppliers.stage import Stage
from updater_server.faces import terminal
from updater_server.sales import supplier_setup
from updater_server.sales.suppliers.lines import Line
from updater_server.store.engine import writing

HOUR_S = 3600
WORKING = ("top100", "power")
SILENT = "top"
PACE_S = {"top": 20.0, "top100": 15.0, "power": 15.0}
"""A till sells one each so many seconds, and waits for its answer."""
TILLS = (*WORKING, *[SILENT] * 7)


def put_others(counter: Counter) -> None:
    """A host and a utility that work, each for a product of its own."""
    host, power = counter.made(switch.Settings()), counter.made(utility.Settings())
    where = {"host": "127.0.0.1", "port": host.port, "deadline_s": 20}
    there = {"url": power.url, "username": "duka", "client": "6001234567890", "deadline_s": 20}
    kinds = {
        "host": ("iso8583", where, "DUKA0001", "top100"),
        "power": ("xmlvend", there, power.settings.password, "power"),
    }
    with writing(counter.service.engine) as connection:
        counter.put(connection, deadline_s=20)
        for name, (kind, settings, key, product) in kinds.items():
            supplier_setup.put(
                connection, counter.service.key, name, kind, settings, {"api_key": key}, "Asha", 1
            )
            supplier_setup.set_route(connection, product, name, "", "Asha", 1)


def an_hour(
    folder: Path, signed: Path, is_silent: bool, line: Callable[[Counter], Callable[[str], Line]]
) -> list[float]:
    """How long each sale of those who work took, sorted; simulated seconds."""
    clock: list[list[int]] = []

    def on_time(now: float) -> None:
        for one in clock:
            one[0] = NOW + int(now)

    stage = Stage(1, on_time)
    vanishes = Faults(0, {"vanishes": 1.0}, {}, {}) if is_silent else Faults()
    took_s: list[float] = []
    try:
        settings = Settings(slow_s=2 * HOUR_S, faults=vanishes)
        with opened(folder, signed, settings, stage, patience_s=8.0) as counter:
            clock.append(counter.shop.clock)
            put_others(counter)
            counter.is_day = True
            counter.crash(None, line(counter))
            for number, product in enumerate(TILLS, 1):
                device = counter.shop.enrol(number, 900_000_000)
                kept = took_s if product in WORKING else []
                work = functools.partial(sell, counter, stage, device, product, kept)
                stage.spawn(work, "tills")
            stage.rest("tills")
    finally:
        stage.close()
    return sorted(took_s)


def sell(counter: Counter, stage: Stage, device: Device, product: str, took_s: list[float]) -> None:
    """An hour of sales at one till."""
    drawn = random.Random(f"{product}/{device.terminal_id.hex()}")
    fixed = {"top100": 10_000}

    def post(body: bytes) -> tuple[int, bytes]:
        answer = terminal.begin(counter.service, body, time.monotonic())
        if isinstance(answer, terminal.Waiting):
            stage.wait_for(answer.decided, counter.desk.patience_s)
            return answer.finish()
        return answer

    device.transport = post
    sequence = 0
    while stage.now < HOUR_S:
        stage.sleep(PACE_S[product] * drawn.uniform(0.5, 1.5))
        sequence += 1
        number = (
            meter(4000001)
            if product == "power"
            else f"07{device.terminal_id[-1]:02d}{sequence:06d}"
        )
        amount = fixed.get(product, 1000 + 500 * (sequence % 40))
        began_s = stage.now
        reply = device.ask(order(sequence, number, amount, product) | {4: counter.shop.clock[0]})
        took_s.append(stage.now - began_s)
        assert product == SILENT or reply[1] == 0, reply


def p99(took_s: list[float]) -> float:
    return took_s[int(len(took_s) * 0.99)]


def own(counter: Counter) -> Callable[[str], Line]:
    """As the server does it."""
    return counter.line


def shared(counter: Counter) -> Callable[[str], Line]:
    """A wrong server: one line for all of them."""
    made: list[Line] = []

    def line(name: str) -> Line:
        if not made:
            made.append(counter.line(name))
        return made[0]

    return line


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> list[float]:
    """The same hour with nobody silent."""
    return an_hour(tmp_path_factory.mktemp("calm") / "counter", signed, False, own)


def test_an_hour_of_silence_costs_the_others_nothing(
    tmp_path: Path, signed: Path, calm: list[float]
) -> None:
    beside = an_hour(tmp_path / "counter", signed, True, own)
    assert len(beside) > 300
    assert p99(beside) <= 1.2 * p99(calm)


def test_one_line_for_all_would_be_noticed(tmp_path: Path, signed: Path, calm: list[float]) -> None:
    with pytest.raises(AssertionError):
        beside = an_hour(tmp_path / "counter", signed, True, shared)
        assert p99(beside) <= 1.2 * p99(calm)
