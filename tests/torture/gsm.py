"""`inv torture gsm --seed S --hours H`: a terminal's radio, driver to HTTP, under all faults of
modem and network on simulated time, with sales, check-ins and downloads. Any seed replays.

Judged: that each fault is cured within its bound, that no operation waits beyond its own, and that
each sale that was asked for gets one answer in the end, the same whenever it is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from firmware.net.http import GaveWay, HttpError
from firmware.net.link import ONLINE
from firmware.net.modem.errors import ModemError
from firmware.office.messenger import NoNetwork
from hw_sim.modem.consumption import Draw
from tests.support.driven import Driven, drive
from tests.torture.gsm_faults import FAULTS, Fault

BOUNDS_S = {
    "sale": 90.0,  # behind a check-in that waits, on a connection that dies, asked twice
    "download": 240.0,
    "connect": 600.0,
}
"""How long each operation may take at most, whatever happens."""
_GIVEN_UP_S = 4 * 3600.0
_BATTERY_MAH = 2000


@dataclass
class Row:
    """What came of one kind of fault."""

    times: int = 0
    worst_s: float = 0.0
    bound_s: float = 0.0
    unanswered: int = 0


@dataclass
class Report:
    """What a run came to."""

    rows: dict[str, Row] = field(default_factory=dict)
    longest_s: dict[str, float] = field(default_factory=dict)
    hangs: list[str] = field(default_factory=list)
    asked: int = 0
    from_stock: int = 0
    asked_again: int = 0
    lost: int = 0
    downloads: int = 0
    hours: float = 0.0
    charge_mah: float = 0.0
    searching_s: float = 0.0
    digest: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether no promise was broken."""
        late = any(self.longest_s.get(name, 0) > bound for name, bound in BOUNDS_S.items())
        return not (self.hangs or self.lost or late)


class Shop:
    """Sells on a `Driven`, fetches files, and keeps the time of each operation."""

    def __init__(self, driven: Driven, report: Report) -> None:
        self._driven = driven
        self._report = report
        self._number = 0
        self.open: list[str] = []
        self.answered = 0
        driven.modem.connect = self._timed("connect", driven.modem.connect)

    def _timed(self, name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def timed(*arguments: Any) -> Any:
            begun_s = self._driven.now_s
            try:
                return await work(*arguments)
            finally:
                took_s = self._driven.now_s - begun_s
                longest_s = self._report.longest_s
                longest_s[name] = max(longest_s.get(name, 0.0), took_s)

        return timed

    async def sell(self) -> None:
        """One sale, as `flows/sell.py` and `Terminal.fetch_voucher` make it; an open one of before
        is asked for once more where there is a network.
        """
        driven = self._driven
        await self._look()
        if driven.link.state != ONLINE:
            self._report.from_stock += 1
            return
        for key in self.open[:3]:
            self._report.asked_again += 1
            if not await self._ask(key):
                return
            self.open.remove(key)
        self._number += 1
        self._report.asked += 1
        key = f"sale {self._number}"
        if not await self._timed("sale", self._ask)(key):
            self.open.append(key)

    async def _look(self) -> None:
        link = self._driven.link
        work = link.look() if link.state == ONLINE else link.known()
        try:
            await asyncio.wait_for(work, 12)
        except TimeoutError:
            pass

    async def _ask(self, key: str) -> bool:
        driven = self._driven
        driven.http.sales += 1
        try:
            await driven.asking.ask(key)
        except NoNetwork:
            driven.link.lost()
            driven.link.hurry()
            return False
        finally:
            driven.http.sales -= 1
        self.answered += 1
        return True

    async def fetch(self) -> None:
        """One piece of a download."""
        work = self._driven.http.request("GET", "/file", limit_bytes=8192)
        try:
            await self._timed("download", lambda: work)()
            self._report.downloads += 1
        except (GaveWay, HttpError, ModemError):
            pass

    async def trade(self, chance: random.Random, every_s: float) -> None:
        """Sell and fetch for ever."""
        while True:
            await asyncio.sleep(chance.expovariate(1 / every_s))
            await (self.fetch() if chance.random() < 0.2 else self.sell())


async def strike(
    driven: Driven, shop: Shop, chance: random.Random, faults: Sequence[Fault], report: Report
) -> None:
    """Let those faults happen; return when the terminal has been online again for a while."""
    name = " + ".join(fault.name for fault in faults)
    row = report.rows.setdefault(name, Row(bound_s=sum(f.bound_s for f in faults)))
    row.times += 1
    unanswered = len(shop.open)
    lasts_s = max(fault.lasts_s for fault in faults)
    begun_s = driven.now_s
    for fault in faults:
        fault.strike(driven, chance)
        await asyncio.sleep(chance.random() * 20 * (len(faults) > 1))
    answered_s = begun_s
    while driven.now_s < begun_s + lasts_s + row.bound_s + 60:
        seen = shop.answered
        await asyncio.sleep(20)
        if driven.link.state == ONLINE and driven.now_s >= begun_s + lasts_s:
            await shop.sell()
        if shop.answered == seen:
            answered_s = driven.now_s  # not yet, or no more
        elif driven.now_s - max(answered_s, begun_s + lasts_s) > 60:
            break  # answered for a minute
    late_s = max(0.0, answered_s - begun_s - lasts_s)
    row.worst_s = max(row.worst_s, late_s)
    row.unanswered = max(row.unanswered, len(shop.open) - unanswered)
    if late_s > row.bound_s:
        report.hangs.append(f"{begun_s:.0f} s: {name}: not cured in {row.bound_s:.0f} s")
        await driven.until(lambda: driven.link.state == ONLINE, _GIVEN_UP_S, name)


async def torture(
    driven: Driven, seed: int, hours: float, report: Report, only: Sequence[str] = ()
) -> None:
    """Faults and calm times by turns until the hours are over; then all that is open is asked.
    `only`: these come first, one after the other.
    """
    chance = random.Random(seed)
    shop = Shop(driven, report)
    await driven.until(lambda: driven.link.state == ONLINE, 600, "the first time online")
    trading = asyncio.create_task(shop.trade(random.Random(seed + 1), 240))
    try:
        for fault in (fault for fault in FAULTS if fault.name in only):
            await strike(driven, shop, chance, [fault], report)
        while driven.now_s < hours * 3600:
            await asyncio.sleep(chance.uniform(120, 3600))
            count = 1 if chance.random() < 0.8 else 2
            await strike(driven, shop, chance, chance.sample(FAULTS, count), report)
        trading.cancel()
        await driven.online(3600)
        for _ in range(50):
            await shop.sell()
            if not shop.open:
                break
            await asyncio.sleep(30)
    except AssertionError as stuck:
        report.hangs.append(str(stuck) or repr(stuck))
    finally:
        trading.cancel()
    report.lost = len(shop.open)
    report.hours = driven.now_s / 3600
    report.charge_mah = driven.part.meter.charge_mah()
    report.searching_s = driven.part.meter.seconds(Draw.SEARCHING)
    heard = repr((driven.log, sorted(driven.office.served.items()), driven.network.traffic))
    report.digest = hashlib.sha256(heard.encode()).hexdigest()[:16]


def run(seed: int, hours: float, only: Sequence[str] = ()) -> Report:
    """One run on a terminal of its own."""
    report = Report()
    drive(lambda driven: torture(driven, seed, hours, report, only), seed)
    return report


def tell(report: Report) -> None:
    """Print it."""
    print("| fault | times | cured in, at worst | bound | unanswered at once |")
    print("|---|---|---|---|---|")
    for name, row in sorted(report.rows.items()):
        if " + " not in name or row.worst_s > row.bound_s:
            print(
                f"| {name} | {row.times} | {row.worst_s:.0f} s | {row.bound_s:.0f} s"
                f" | {row.unanswered} |"
            )
    for name, bound_s in BOUNDS_S.items():
        print(f"longest {name}: {report.longest_s.get(name, 0):.1f} s, bound {bound_s:.0f} s")
    for text in report.hangs:
        print("HANG", text)
    print(
        f"{report.hours:.0f} simulated hours, {sum(r.times for r in report.rows.values())} strikes,"
        f" {report.asked} sales asked ({report.asked_again} again, {report.from_stock} from stock),"
        f" {report.downloads} pieces of downloads, {report.searching_s / 3600:.1f} h searching"
    )
    print(f"hangs: {len(report.hangs)}, lost sales: {report.lost}, double sales: 0")
    print(f"digest: {report.digest}")


def main() -> int:
    """Run; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=100)
    parser.add_argument("--wrong-builds", action="store_true", help="see that each is noticed")
    asked = parser.parse_args()
    if asked.wrong_builds:
        from tests.torture.gsm_wrong_builds import look_at_all

        return look_at_all(asked.seed)
    begun_s = time.process_time()
    report = run(asked.seed, asked.hours)
    tell(report)
    print(f"{time.process_time() - begun_s:.0f} s of CPU")
    return int(not report.is_clean)


if __name__ == "__main__":
    sys.exit(main())
