"""`inv env --apart`: two operators make top-ups, and terminals sell of both and of the vault, and
tell counters. One operator hangs, then whoever takes in counters and judges by them is away: what
that costs who sells of something else, and what became of what was told and sold meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import cbor2
from sqlalchemy import func, select

from tests.env.parts import Part, answers, free_ports, program, until
from tests.env.selling import ASKS_AGAIN_S
from tests.env.whole import UP_S, Whole, whole
from tests.measure.load import FLOAT_MINOR, Terminal
from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, Life
from tests.server.shop import NOW
from tests.server.test_server_process import Process
from tests.suppliers.counter import order
from tests.telemetry.making import made_window
from updater_server.sales import supplier_setup
from updater_server.service import Service
from updater_server.store.engine import reading, writing
from updater_server.store.tables import vend
from updater_server.telemetry.store import Told

A, B = "telco-a", "telco-b"
MAKES = {A: "top", B: "orphan"}
"""Of the price list of `tests.suppliers.counter`."""
VAULT = "the vault"
HANGS, AWAY = f"{A} hangs", "workers away"
WORKERS = ("worker", "worker-2")
HANGS_S = 45.0
STEADY_S = 15.0
DEADLINE_S = 5.0
SLOWER = 3.0
"""So much longer may the median answer of others take while one operator hangs."""
DELIVERED, REFUSED, PENDING = 0, 1, 2
_PAUSE_S = 0.1


class Customer(Terminal):
    """Sells one product again and again; what is pending is asked for until it is decided."""

    def __init__(self, number: int, port: int, product: str) -> None:
        super().__init__(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), port)
        self.product = product
        self.answers: list[tuple[float, float, int]] = []
        """(asked at, seconds, status) of each first answer."""
        self.last: Counter[str] = Counter()

    def content(self) -> dict[int, Any]:
        """Of the sale that is its next; with each voucher goes an hour's window of counters."""
        if self.product == PRODUCT:
            began_s = int(time.time()) - 2 * 3600 + self.sequence
            window = cbor2.dumps(made_window(random.Random(self.sequence), 1, began_s))
            return {0: 2, 1: self.sequence, 2: PRODUCT, 3: AMOUNT_MINOR, 4: NOW,
                    20: COMMISSION_MINOR, 13: window}  # fmt: skip
        number = int.from_bytes(self.terminal_id, "big") * 100_000 + self.sequence
        return order(self.sequence, f"07{number:08d}", product=self.product)

    def sell_until(self, over: threading.Event) -> None:
        """Sale after sale; the last one is decided as well."""
        while not over.wait(_PAUSE_S):
            self.sequence += 1
            asked_at = time.monotonic()
            reply = self.ask(self.content())
            self.answers.append((asked_at, time.monotonic() - asked_at, reply[1]))
            while reply[1] == PENDING:
                time.sleep(min(ASKS_AGAIN_S, float(reply[8])))
                reply = self.ask(self.content())
            self.last[str(reply.get(6, "delivered"))] += 1
        self.close()


@dataclass
class Seen:
    """One kind of goods in one stretch of time."""

    delivered: int = 0
    pending: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        """Of the first answers."""
        return sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else 0.0


def _seen(customers: Sequence[Customer], since: float, until_s: float) -> Seen:
    found = Seen()
    for customer in customers:
        for at, seconds, status in list(customer.answers):
            if since <= at < until_s:
                found.delivered += status == DELIVERED
                found.pending += status == PENDING
                found.refused += status == REFUSED
                found.seconds.append(seconds)
    return found


def open_operators(made: Whole) -> None:
    """Two operators, each a process of its own, and who makes what."""
    ports = dict(zip(MAKES, free_ports(len(MAKES)), strict=True))
    service = Service.open(made.data())
    for name, product in MAKES.items():
        url = f"http://127.0.0.1:{ports[name]}"
        settings = {"url": url, "username": "duka", "country": "254", "deadline_s": DEADLINE_S}
        with writing(service.engine) as connection:
            kept = supplier_setup.put(connection, service.key, name, "airtime", settings,
                                      {"api_key": "atsk_simulated"}, "the office", NOW)  # fmt: skip
            supplier_setup.set_route(connection, product, name, "", "the office", NOW)
        reports = f"v1/suppliers/{name}/reports/{kept.report_secret}"
        command = [
            program("python"), "-m", "hw_sim.suppliers", "--kind", "airtime", "--delay", "0.2",
            "--port", str(ports[name]),
            "--callback", f"http://127.0.0.1:{made.balancer_port}/{reports}",
        ]  # fmt: skip
        made.parts[name] = Part(name, made.folder / name, command)
        made.parts[name].start()
    until(lambda: all(answers(port) for port in ports.values()), UP_S, "operators")
    service.engine.dispose()


@contextmanager
def at_work(customers: Sequence[Customer]) -> Iterator[None]:
    """All of them sell while the body runs; each ends with a decided sale."""
    over = threading.Event()
    threads = [threading.Thread(target=one.sell_until, args=(over,), daemon=True)
               for one in customers]  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _orders(made: Whole) -> dict[str, int]:
    """How many sales at suppliers are in which state."""
    service = Service.open(made.data())
    with reading(service.engine) as connection:
        rows = connection.execute(select(vend.c.state, func.count()).group_by(vend.c.state)).all()
    service.engine.dispose()
    return {str(row[0]): int(row[1]) for row in rows}


def _windows(made: Whole, customers: Sequence[Customer]) -> int:
    """How many windows of these were taken in."""
    service = Service.open(made.data())
    told = Told(service.engine, service.folder.telemetry)
    ids = [customer.terminal_id for customer in customers]
    count = sum(1 for _ in told.rows(ids, 0, service.now()))
    service.engine.dispose()
    return count


def _let_happen(made: Whole) -> dict[str, tuple[float, float]]:
    """All that happens while terminals sell: from when to when, monotonic seconds."""
    marks = [time.monotonic()]

    def let(seconds: float) -> tuple[float, float]:
        time.sleep(seconds)
        marks.append(time.monotonic())
        return marks[-2], marks[-1]

    found = {"before": let(STEADY_S)}
    made.parts[A].hang()
    found[HANGS] = let(HANGS_S)
    made.parts[A].hang(is_over=True)
    found["after"] = let(2 * STEADY_S)
    for name in WORKERS:
        made.parts[name].is_wanted = False
        made.parts[name].kill()
    found[AWAY] = let(STEADY_S)
    for name in WORKERS:
        made.parts[name].start()
    return found


def apart(line: Callable[[str], None]) -> int:
    """Print a row for each goods and stretch; 0 if what was away cost nobody else."""
    with whole(terminals=6, vouchers=8000) as made:
        open_operators(made)
        goods = {**MAKES, VAULT: PRODUCT}
        sellers = {
            name: [Customer(number, made.balancer_port, product)
                   for number in (2 * place + 1, 2 * place + 2)]
            for place, (name, product) in enumerate(goods.items())
        }  # fmt: skip
        with at_work([one for several in sellers.values() for one in several]):
            time.sleep(3)
            stretches = _let_happen(made)
        line(f"{'':<16}{'':<10} {'delivered':>9} {'pending':>8} {'refused':>8} {'median':>10}")
        found: dict[tuple[str, str], Seen] = {}
        for when, (since, end) in stretches.items():
            for name, several in sellers.items():
                seen = found[when, name] = _seen(several, since, end)
                line(
                    f"{when:<16}{name:<10} {seen.delivered:>9} {seen.pending:>8}"
                    f" {seen.refused:>8} {1000 * seen.median_s:>7.0f} ms"
                )
        last = sum((one.last for several in sellers.values() for one in several), Counter())
        orders, told = _orders(made), len([one for each in sellers[VAULT] for one in each.answers])
        line(f"in the end: {dict(last)}; at the suppliers: {orders}")
        with suppress(TimeoutError):
            until(lambda: _windows(made, sellers[VAULT]) >= told, UP_S, "counters")
        taken = _windows(made, sellers[VAULT])
        line(f"windows of counters: {told} told, {taken} taken in")
        books = Process(made.data()).quick("check", "--full")
        line("check --full: " + " ".join(books.output.split()))
        wrong = _wrong(found, orders, sellers)
    if books.exit_code:
        wrong.append("the books")
    if taken != told:
        wrong.append("counters were lost or made up")
    line("WRONG: " + "; ".join(wrong) if wrong else "all is well")
    return 1 if wrong else 0


def _wrong(
    seen: dict[tuple[str, str], Seen],
    orders: dict[str, int],
    sellers: dict[str, list[Customer]],
) -> list[str]:
    found = []
    for when, name in ((HANGS, B), (HANGS, VAULT), (AWAY, B), (AWAY, VAULT)):
        before, meanwhile = seen["before", name], seen[when, name]
        if meanwhile.median_s > SLOWER * before.median_s or meanwhile.refused:
            found.append(f"{name} was held up: {when}")
        if not meanwhile.delivered:
            found.append(f"{name} sold nothing: {when}")
    told = sum(one.last["delivered"] for name in MAKES for one in sellers[name])
    if orders.get("delivered", 0) != told:
        found.append(f"{orders} at the suppliers, and terminals were told of {told}")
    if not seen["after", A].delivered + seen[AWAY, A].delivered:
        found.append(f"{A} did not sell again")
    return found
