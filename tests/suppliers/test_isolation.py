"""One supplier that hangs costs nobody else anything, and a terminal that waits holds no thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from hw_sim.suppliers.airtime import Operator, Settings
from hw_sim.suppliers.faults import Faults
from tests.server.device import Device
from tests.suppliers.counter import Counter, order, top_up
from updater_server.faces import terminal
from updater_server.faces.front import Front
from updater_server.faces.lanes import Lane
from updater_server.sales import supplier_setup
from updater_server.sales.suppliers.lines import Breaker, Line
from updater_server.store.engine import writing

PENDING = 2


def hang(counter: Counter, deadline_s: float = 5.0) -> None:
    """The operator takes connections and says nothing."""
    counter.operator.settings.slow_s = 60
    counter.operator.settings.faults = Faults(0, {"vanishes": 1.0}, {}, {})
    with writing(counter.service.engine) as connection:
        counter.put(connection, deadline_s=deadline_s)


def second(counter: Counter) -> Operator:
    """Another operator, who makes the product `orphan`."""
    other = Operator(Settings(), clock=lambda: counter.shop.clock[0])
    settings = {"url": other.url, "username": "duka", "country": "254", "deadline_s": 1.0}
    with writing(counter.service.engine) as connection:
        kept = supplier_setup.put(
            connection, counter.service.key, "other", "airtime", settings,
            {"api_key": "atsk_simulated"}, "Asha", 1,
        )  # fmt: skip
        supplier_setup.set_route(connection, "orphan", "other", "", "Asha", 1)
    other.settings.callback = counter.callback("other", kept.report_secret)
    return other


def test_a_supplier_that_hangs_holds_up_nobody_else(counter: Counter) -> None:
    hang(counter)
    other = second(counter)
    counter.desk.patience_s = 0.05
    stuck = counter.shop.enrol(1, 10_000_000)
    for sequence in range(1, 30):
        assert top_up(stuck, sequence, f"07{sequence:08d}")[1] == PENDING
    counter.desk.patience_s = 5
    counter.shop.stock_vault()
    device = counter.shop.enrol(2)
    began = time.monotonic()
    assert device.sale(1)[1] == 0
    assert top_up(device, 2, product="orphan")[1] == 0
    assert time.monotonic() - began < 4, "it waited for the one that hangs"
    other.close()


def test_a_full_queue_refuses_before_the_float_pays(counter: Counter) -> None:
    hang(counter)
    counter.desk.patience_s = 0.01
    device = counter.shop.enrol(1, 10_000_000)
    codes = [top_up(device, sequence, f"07{sequence:08d}").get(6, "") for sequence in range(1, 60)]
    assert codes[:32] == [""] * 32
    assert codes[-1] == "supplier_down"
    waiting = codes.count("")
    assert counter.shop.float_of(device) == 10_000_000 - waiting * 9_500


def test_a_waiting_terminal_holds_no_thread(counter: Counter) -> None:
    """Through the front: two threads, eight terminals that wait, and one that only checks in."""
    hang(counter)
    counter.desk.patience_s = 3.0
    lane = Lane("messages", threads=2, waiting=126, patience_s=8)
    nobody: Any = None
    front = Front(counter.service, lane, nobody)

    async def ask(body: bytes) -> int:
        told: list[Any] = []

        async def receive() -> Any:
            return {"body": body, "more_body": False}

        async def send(message: Any) -> None:
            told.append(message)

        scope = {"type": "http", "path": "/m", "method": "POST"}
        await front(scope, receive, send)
        return int(told[0]["status"])

    async def all_of_them() -> float:
        devices = [counter.shop.enrol(number, 1_000_000) for number in range(1, 9)]
        waiting = [
            asyncio.create_task(ask(device.seal(order(1, f"07{n:08d}"))[0]))
            for n, device in enumerate(devices)
        ]
        await asyncio.sleep(0.8)
        assert not any(task.done() for task in waiting)
        began = time.monotonic()
        quick = counter.shop.enrol(20)
        body, _ = quick.seal(check_in())
        assert await ask(body) == 200
        took = time.monotonic() - began
        assert await asyncio.gather(*waiting) == [200] * 8
        return took

    assert asyncio.run(all_of_them()) < 1.5
    lane.close()


def check_in() -> dict[int, Any]:
    return {
        0: 1, 1: 1_790_000_000, 2: 7, 3: "a", 4: False, 5: 1, 6: 3900, 7: 20, 8: None, 9: 0,
        10: [1, 1],
    }  # fmt: skip


def test_one_that_fails_is_left_alone_for_a_while() -> None:
    now = [0.0]
    breaker = Breaker(failures=3, rest_s=30, clock=lambda: now[0])
    for _ in range(2):
        breaker.told(False)
    assert not breaker.is_open()
    breaker.told(False)
    assert breaker.is_open()
    now[0] = 30
    assert not breaker.is_open()  # one may try
    breaker.told(False)
    assert breaker.is_open()
    now[0] = 60
    breaker.told(True)
    breaker.told(False)
    assert not breaker.is_open()


def test_a_line_does_sales_before_questions_and_survives_its_calls() -> None:
    line = Line("x", threads=1, room=8)
    go, done = threading.Event(), []

    def fail() -> None:
        go.wait(5)
        raise ValueError

    assert line.submit(fail)
    time.sleep(0.05)
    assert line.submit(lambda: done.append("question"), 1)
    assert line.submit(lambda: done.append("sale"), 0)
    go.set()
    until = time.monotonic() + 5
    while len(done) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert done == ["sale", "question"]
    line.close(1)
    assert not line.submit(lambda: None)


def test_asked_again_while_it_waits_it_is_one_sale(counter: Counter) -> None:
    """Two messages about one sale at once, as after a lost reply."""
    counter.operator.settings.delay_s = 0.5
    device = counter.shop.enrol()
    bodies = [device.seal(order(4)) for _ in range(2)]
    answers: list[tuple[int, bytes]] = []
    first = threading.Thread(
        target=lambda: answers.append(terminal.handle(counter.service, bodies[0][0]))
    )
    first.start()
    counter.until(lambda: counter.states() != [])
    answers.append(terminal.handle(counter.service, bodies[1][0]))
    first.join(5)
    opened = [device.open(body, counter_of(device, bodies, body)) for _, body in answers]
    assert [reply[1] for reply in opened] == [0, 0]
    assert opened[0] == opened[1]
    assert counter.operator.delivered == {"+254712345678": ["KES 100"]}


def counter_of(device: Device, bodies: list[tuple[bytes, int]], body: bytes) -> int:
    """Which message a reply answers."""
    for _, number in bodies:
        try:
            device.open(body, number)
        except Exception:
            continue
        return number
    raise AssertionError("it answers none of them")
