"""Terminals that sell at a port (the balancer's) until told otherwise, ask again until they are
answered, and know what they were told; and what the books say of it afterwards.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.measure.load import FLOAT_MINOR, Terminal
from tests.measure.past import AMOUNT_MINOR, COMMISSION_MINOR, PRODUCT, Life
from tests.server.shop import NOW
from updater_server.service import Service
from updater_server.store.engine import reading

GIVES_UP_S = 20.0
"""How long a terminal waits for an answer."""
ASKS_AGAIN_S = 2.0
_MOST_TRIES = 60


@dataclass
class Answered:
    """One sale as its terminal knows it; times are monotonic seconds."""

    terminal_id: bytes
    sequence: int
    reply: dict[int, Any]
    tries: int
    asked_at: float
    answered_at: float
    counter: int = 0


class Merchant(Terminal):
    """Sells one after another. A sale that is not answered is asked for again, under the next
    counter, after a short wait.
    """

    def __init__(self, number: int, port: int, pause_s: float) -> None:
        super().__init__(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), port)
        self._pause_s = pause_s
        self.sold: list[Answered] = []
        self.why_again: list[str] = []

    def sell_once(self) -> None:
        """One sale, until it is answered.

        Raises:
            AssertionError: it never was.
        """
        self.sequence += 1
        content = {
            0: 2, 1: self.sequence, 2: PRODUCT, 3: AMOUNT_MINOR, 4: NOW, 20: COMMISSION_MINOR,
        }  # fmt: skip
        asked_at = time.monotonic()
        for tries in range(1, _MOST_TRIES):
            status, reply = self._ask_once(content)
            if status == 200:
                now = time.monotonic()
                self.sold.append(
                    Answered(self.terminal_id, self.sequence, reply, tries, asked_at, now)
                )
                return
            self.why_again.append(str(status or "no answer"))
            self.close()
            self._rest = b""
            time.sleep(ASKS_AGAIN_S)
        raise AssertionError(f"sale {self.sequence} was never answered")

    def _ask_once(self, content: dict[int, Any]) -> tuple[int, dict[int, Any]]:
        with suppress(OSError, StopIteration, ValueError):
            if self._socket is not None:
                self._socket.settimeout(GIVES_UP_S)
            return self.post(content)
        return 0, {}

    def sell_until(self, over: threading.Event, count: int | None) -> None:
        """Sale after sale, `count` at most."""
        while not over.is_set() and (count is None or len(self.sold) < count):
            self.sell_once()
            over.wait(self._pause_s)
        self.close()


@dataclass
class Trade:
    """What all merchants did."""

    merchants: list[Merchant]
    began_at: float = field(default_factory=time.monotonic)

    @property
    def sold(self) -> list[Answered]:
        """Every sale that was answered, in the order of the answers."""
        every = [sale for each in self.merchants for sale in list(each.sold)]
        return sorted(every, key=lambda sale: sale.answered_at)

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time in which nobody was answered, seconds."""
        moments = [s.answered_at for s in self.sold if since <= s.answered_at <= until]
        marks = [since, *moments, until]
        return max(b - a for a, b in itertools.pairwise(marks))

    def sold_since(self, moment: float) -> int:
        """How many were asked for and answered after it."""
        return sum(sale.asked_at >= moment for sale in self.sold)

    def most_tries(self, since: float) -> int:
        """The most that one sale took which was asked for after this or was open then."""
        return max((s.tries for s in self.sold if s.answered_at >= since), default=0)


@contextmanager
def selling(port: int, merchants: Sequence[int], pause_s: float = 0.02) -> Iterator[Trade]:
    """Merchants at work while the body runs; each ends with an answered sale."""
    over = threading.Event()
    trade = Trade([Merchant(number, port, pause_s) for number in merchants])
    threads = [
        threading.Thread(target=one.sell_until, args=(over, None), daemon=True)
        for one in trade.merchants
    ]
    for thread in threads:
        thread.start()
    try:
        yield trade
    finally:
        over.set()
        for thread in threads:
            thread.join()


def sell(port: int, merchants: Sequence[int], each: int) -> Trade:
    """So many sales of each merchant, all at once."""
    trade = Trade([Merchant(number, port, 0.0) for number in merchants])
    threads = [
        threading.Thread(target=one.sell_until, args=(threading.Event(), each), daemon=True)
        for one in trade.merchants
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return trade


@dataclass
class Judged:
    """What the books say of what terminals were told."""

    answered: int
    lost: list[tuple[str, int]]
    """Told to a terminal, and not in the books as it was told: (terminal, sequence)."""
    doubled: list[int]
    """Vouchers that went to more than one sale."""
    made_up: list[tuple[str, int]]
    """In the books, and no terminal asked for it."""

    @property
    def is_right(self) -> bool:
        """Nothing was lost, doubled or made up."""
        return not (self.lost or self.doubled or self.made_up)


_SALES = """SELECT sale.terminal_id, sale.sequence, sale.voucher_id, voucher.serial,
    sale.float_after_minor FROM sale JOIN voucher ON voucher.id = sale.voucher_id
    WHERE sale.state = 'delivered'"""


_REFUSED = 1
Key = tuple[bytes, int]


def delivered(folder: Path) -> dict[Key, Any]:
    """Every sale in a server's books that brought a voucher, by terminal and sequence."""
    service = Service.open(folder)
    with reading(service.engine) as connection:
        rows = connection.execute(text(_SALES)).all()
    service.engine.dispose()
    return {(bytes(row[0]), row[1]): row for row in rows}


def judge(folder: Path, trades: Sequence[Trade], before: Iterable[Key] = ()) -> Judged:
    """Hold the books of a server's data folder against what terminals know. `before`: sales that
    others had made.
    """
    # Before the books are read: terminals sell on meanwhile.
    sold = [sale for trade in trades for sale in trade.sold]
    assert not any(sale.reply.get(1) == _REFUSED for sale in sold), "the vault is empty: fill more"
    books = delivered(folder)
    lost = []
    for sale in sold:
        row = books.get((sale.terminal_id, sale.sequence))
        told = (0, sale.reply.get(3), sale.reply.get(5))
        if row is None or (sale.reply.get(1), row[3], row[4]) != told:
            lost.append((sale.terminal_id.hex(), sale.sequence))
    given = Counter(row[2] for row in books.values())
    doubled = sorted(each for each, times in given.items() if times > 1)
    asked = {
        (one.terminal_id, sequence)
        for trade in trades
        for one in trade.merchants
        for sequence in range(1, one.sequence + 1)
    }
    asked.update(before)
    made_up = [(key[0].hex(), key[1]) for key in books if key not in asked]
    return Judged(len(sold), lost, doubled, made_up)
