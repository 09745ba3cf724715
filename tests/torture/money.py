"""`inv torture`: shops sell while the server, or the database under it, is killed again and again;
then it is judged whether the money holds.

    python -m tests.torture.money --what server --engine postgresql --kills 200 --seed 1

Terminals ask for each sale until it is answered, as real ones do. When a kill comes is drawn from
the seed; what is under way then is the machine's. After the last one every sale is asked about once
more, and once with another amount.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.measure.load import FLOAT_MINOR, Terminal, make_folder
from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, Life
from tests.server.shop import NOW, make_repository, voucher_csv
from tests.server.test_server_process import Process
from tests.support.postgres import PostgresServer
from updater_server.sales import incoming
from updater_server.service import Service
from updater_server.store.engine import reading, writing

TERMINALS = 3
SALES_A_KILL = 3
COST_MINOR = AMOUNT_MINOR - COMMISSION_MINOR
_PATIENCE_S = 120.0
Answers = dict[tuple[bytes, int], dict[int, Any]]


class Shop(Terminal):
    """A terminal that asks for each sale until it is answered."""

    def __init__(self, number: int, ports: list[int]) -> None:
        super().__init__(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), 0)
        self._ports = ports
        self.answers: Answers = {}
        self.trouble: BaseException | None = None

    def ask_for(self, sequence: int, amount_minor: int = AMOUNT_MINOR) -> dict[int, Any]:
        """The answer to one sale; every asking has a counter of its own."""
        content = {
            0: 2, 1: sequence, 2: PRODUCT, 3: amount_minor, 4: NOW, 20: COMMISSION_MINOR,
        }  # fmt: skip
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            self._port = self._ports[0]
            with suppress(OSError, StopIteration):
                status, answer = self.post(content)
                if status == 200:
                    return answer
            self.close()
            self._rest = b""
            time.sleep(0.05)
        raise AssertionError(f"sale {sequence} was never answered")

    def work(self, over: threading.Event) -> None:
        """Sale after sale."""
        sequence = 0
        try:
            while not over.is_set():
                sequence += 1
                self.answers[self.terminal_id, sequence] = self.ask_for(sequence)
        except BaseException as error:
            self.trouble = error
        self.close()


@dataclass
class Place:
    """A server, its database, and who is killed."""

    server: Process
    postgres: PostgresServer | None
    ports: list[int] = field(default_factory=lambda: [0])
    past: list[tuple[int, str]] = field(default_factory=list)
    """(the newest ledger entry, digest of all up to it) as it was after each kill."""

    def start(self) -> None:
        """Let it serve."""
        self.server.start()
        self.ports[0] = self.server.port

    def kill(self, what: str) -> None:
        """`kill -9` of the server or of the database, and a start of what was killed."""
        if what == "database":
            assert self.postgres is not None
            self.postgres.kill()
            self.postgres.start()
        else:
            self.server.end(signal.SIGKILL)
            self.start()

    def look(self) -> None:
        """Note how the ledger stands."""
        newest = int(self.ask("SELECT MAX(id) FROM ledger_entry")[0][0] or 0)
        self.past.append((newest, self.digest(newest)))

    def digest(self, through: int) -> str:
        """Of the ledger's entries up to one."""
        rows = self.ask(
            "SELECT id, transaction_id, account_id, amount_minor, balance_after_minor"
            f" FROM ledger_entry WHERE id <= {through} ORDER BY id"
        )
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        service = Service.open(self.server.folder)
        with reading(service.engine) as connection:
            found = [tuple(row) for row in connection.execute(text(question))]
        service.engine.dispose()
        return found


def make(base: Path, engine: str, vouchers: int) -> Place:
    """A server with terminals and vouchers, on a durable database; not started."""
    make_repository(base / "repository", base / "keys")
    postgres = PostgresServer() if engine == "postgresql" else None
    url = postgres.url(postgres.make()) if postgres else ""
    server = make_folder(base / "data", base / "repository", TERMINALS, url)
    service = Service.open(server.folder)
    with writing(service.engine) as connection:
        csv = voucher_csv(PRODUCT, range(vouchers))
        incoming.import_csv(connection, service.key, csv, NOW)
    service.engine.dispose()
    return Place(server, postgres)


def torture(place: Place, what: str, kills: int, seed: int) -> list[Shop]:
    """Sell under kills; the terminals, with what they were answered."""
    chance, over = random.Random(seed), threading.Event()
    shops = [Shop(number, place.ports) for number in range(1, TERMINALS + 1)]
    threads = [threading.Thread(target=shop.work, args=(over,)) for shop in shops]
    for thread in threads:
        thread.start()
    for number in range(kills):
        had = sum(len(shop.answers) for shop in shops)
        deadline = time.monotonic() + _PATIENCE_S
        while sum(len(shop.answers) for shop in shops) < had + SALES_A_KILL:
            assert time.monotonic() < deadline, [shop.trouble for shop in shops]
            time.sleep(0.002)
        time.sleep(chance.random() * 0.03)
        place.kill(what)
        if number % 10 == 0:
            place.look()
    over.set()
    for thread in threads:
        thread.join(_PATIENCE_S)
    return shops


def judge(
    answers: Answers,
    again: Answers,
    other: Answers,
    sold: Mapping[tuple[bytes, int], int],
    floats: Mapping[bytes, int],
) -> list[str]:
    """What of the money does not hold; [] if all does. `again` and `other` are the same sales asked
    once more, and with another amount; `sold` has what the ledger charged for each; `floats` are
    what is left.
    """
    found = [f"never answered: {key}" for key in answers.keys() - again.keys()]
    pins: dict[str, tuple[bytes, int]] = {}
    for key, answer in answers.items():
        if answer.get(1) != 0:
            found.append(f"not sold: {key}")
            continue
        if again.get(key) != answer:
            found.append(f"another answer: {key}")
        if pins.setdefault(answer[2], key) != key:
            found.append(f"one PIN, two sales: {key}")
        if sold.get(key) != COST_MINOR:
            found.append(f"lost, or charged as {sold.get(key)}: {key}")
        if other[key].get(1) == 0 and 2 in other[key]:
            found.append(f"another body was answered: {key}")
    found += [f"charged and never asked for: {key}" for key in sold.keys() - answers.keys()]
    for terminal_id, float_minor in floats.items():
        paid = sum(cost for (owner, _), cost in sold.items() if owner == terminal_id)
        if float_minor != FLOAT_MINOR - paid or float_minor < 0:
            found.append(f"float of {terminal_id.hex()}: {float_minor}")
    return found


_SOLD = """
    SELECT t.terminal_id, t.sequence, -SUM(e.amount_minor) FROM ledger_transaction t
    JOIN ledger_entry e ON e.transaction_id = t.id JOIN account a ON a.id = e.account_id
    WHERE t.kind = 'sale' AND substr(a.name, 1, 6) = 'float:' GROUP BY t.terminal_id, t.sequence"""
_FLOATS = """
    SELECT t.id, (SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN account a
        ON a.id = e.account_id WHERE a.name = 'float:' || lower(hex(t.id))) FROM terminal t"""


def judged(place: Place, shops: list[Shop]) -> list[str]:
    """What does not hold after it."""
    found = [f"a terminal gave up: {shop.trouble}" for shop in shops if shop.trouble]
    answers: Answers = {}
    again: Answers = {}
    other: Answers = {}
    for shop in shops:
        answers |= shop.answers
        for key in shop.answers:
            again[key] = shop.ask_for(key[1])
            other[key] = shop.ask_for(key[1], AMOUNT_MINOR + 1)
        shop.close()
    sold = {(bytes(row[0]), int(row[1])): int(row[2]) for row in place.ask(_SOLD)}
    floats = {bytes(row[0]): int(row[1] or 0) for row in place.ask(_FLOATS)}
    found += judge(answers, again, other, sold, floats)
    found += [
        f"the ledger up to entry {newest} has changed"
        for newest, digest in place.past
        if place.digest(newest) != digest
    ]
    checked = place.server.quick("check", "--full")
    return found if checked.exit_code == 0 else [*found, f"check: {checked.output}"]


def main() -> int:
    """Print what came of it; 1 if money does not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--what", choices=["server", "database"], default="server")
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.what == "database" and options.engine == "sqlite":
        parser.error("SQLite is within the server: kill that")
    with tempfile.TemporaryDirectory(prefix="duka-torture-", dir="/tmp") as base:
        place = make(Path(base), options.engine, 60 * options.kills + 1000)
        try:
            place.start()
            started = time.monotonic()
            shops = torture(place, options.what, options.kills, options.seed)
            found = judged(place, shops)
        finally:
            with suppress(Exception):
                place.server.end(signal.SIGKILL)
            if place.postgres is not None:
                place.postgres.end()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(each.ru_utime + each.ru_stime for each in used)
    sales = sum(len(shop.answers) for shop in shops)
    sys.stdout.write(
        f"{options.kills} kills of the {options.what} on {options.engine}, seed {options.seed}: "
        f"{sales} sales answered, {len(found)} broken; "
        f"{time.monotonic() - started:.0f} s, {cpu_s:.0f} s of CPU\n"
    )
    sys.stdout.writelines(f"  {line}\n" for line in found[:50])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
