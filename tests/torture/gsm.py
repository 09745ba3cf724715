"""`inv torture gsm --seed S --hours H`: a terminal's radio, driver to CoAP and HTTP, under all
faults of modem and network on simulated time, with sales from a real server's vault and ledger,
check-ins and updates. Any seed replays.

Judged: that each fault is cured within its bound, that no operation waits beyond its own, that the
terminal has one voucher for each sale and the ledger one payment, and that each update comes whole.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import functools
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from firmware.net.link import ONLINE
from hw_sim.modem import M95, GsmPart, Sim800
from hw_sim.modem.consumption import Draw
from tests.server.shop import Shop, make_signed
from tests.support import ram
from tests.support.driven import Driven
from tests.support.without_tcp import Counter, at_counter
from tests.torture.gsm_faults import FAULTS, Fault
from tests.torture.gsm_trade import BOUNDS_S, Report, Row, Trade

_GIVEN_UP_S = 4 * 3600.0
_SALE_EVERY_S = 240.0
_UPDATE_EVERY_S = 4 * 3600.0
_CATCHES_UP_S = 24 * 3600.0
_VOUCHERS_AN_HOUR = 60
"""More than can be sold."""


async def strike(
    driven: Driven, trade: Trade, chance: random.Random, faults: Sequence[Fault], report: Report
) -> None:
    """Let those faults happen; return when the terminal has been online again for a while."""
    name = " + ".join(fault.name for fault in faults)
    row = report.rows.setdefault(name, Row(bound_s=sum(f.bound_s for f in faults)))
    row.times += 1
    unanswered = len(trade.open)
    lasts_s = max(fault.lasts_s for fault in faults)
    begun_s = driven.now_s
    for fault in faults:
        fault.strike(driven, chance)
        await asyncio.sleep(chance.random() * 20 * (len(faults) > 1))
    answered_s = begun_s
    while driven.now_s < begun_s + lasts_s + row.bound_s + 60:
        seen, looked_s = trade.answered, driven.now_s
        await asyncio.sleep(20)
        if driven.link.state == ONLINE and driven.now_s >= begun_s + lasts_s:
            await trade.sell()
        if trade.answered == seen or driven.now_s - looked_s > 20 + BOUNDS_S["sale"]:
            answered_s = driven.now_s  # not yet, or no more, or nothing moved for long
        elif driven.now_s - max(answered_s, begun_s + lasts_s) > 60:
            break  # answered for a minute
    late_s = max(0.0, answered_s - begun_s - lasts_s)
    row.worst_s = max(row.worst_s, late_s)
    row.unanswered = max(row.unanswered, len(trade.open) - unanswered)
    if late_s > row.bound_s:
        report.hangs.append(f"{begun_s:.0f} s: {name}: not cured in {row.bound_s:.0f} s")
        await driven.until(lambda: driven.link.state == ONLINE, _GIVEN_UP_S, name)


async def torture(
    counter: Counter, seed: int, hours: float, report: Report, only: Sequence[str] = ()
) -> None:
    """Faults and calm times by turns until the hours are over; then all that is open is asked.
    `only`: these come first, one after the other.
    """
    driven = counter.driven
    chance = random.Random(seed)
    trade = Trade(counter, report)
    selling = asyncio.create_task(trade.keep_selling(random.Random(seed + 1), _SALE_EVERY_S))
    updating = asyncio.create_task(trade.keep_updating(random.Random(seed + 2), _UPDATE_EVERY_S))
    try:
        for fault in (fault for fault in FAULTS if fault.name in only):
            await strike(driven, trade, chance, [fault], report)
        while driven.now_s < hours * 3600:
            await asyncio.sleep(chance.uniform(120, 3600))
            count = 1 if chance.random() < 0.8 else 2
            await strike(driven, trade, chance, chance.sample(FAULTS, count), report)
        selling.cancel()
        await driven.online(3600)
        for _ in range(50):
            await trade.sell()
            if not trade.open:
                break
            await asyncio.sleep(30)
        whole = lambda: report.updated == report.updates or updating.done()  # noqa: E731
        await driven.until(whole, _CATCHES_UP_S, "the last update")
    except AssertionError as stuck:
        report.hangs.append(str(stuck) or repr(stuck))
    finally:
        for task in (selling, updating):
            if task.done() and not task.cancelled():
                report.hangs.append(repr(task.exception()))
            task.cancel()
    _account(counter, report)


def _account(counter: Counter, report: Report) -> None:
    driven = counter.driven
    report.lost, report.doubled = counter.lost_and_doubled()
    report.by_http = counter.server.posted
    report.hours = driven.now_s / 3600
    report.charge_mah = driven.part.meter.charge_mah()
    report.searching_s = driven.part.meter.seconds(Draw.SEARCHING)
    heard = repr((driven.log, sorted(counter.till.pins.items()), driven.network.traffic))
    report.digest = hashlib.sha256(heard.encode()).hexdigest()[:16]


@functools.cache
def _signed() -> Path:
    """A server's folders, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="duka-gsm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_signed(folder)


@contextmanager
def a_shop(vouchers: int) -> Iterator[Shop]:
    """A server with so many vouchers in its vault, in memory where the host has such a folder: it
    is not the disk that is tried here.
    """
    with tempfile.TemporaryDirectory(prefix="duka-gsm-") as name:
        shop = Shop.open(Path(name) / "data", _signed() / "repository")
        shop.stock_vault(count=vouchers)
        try:
            yield shop
        finally:
            shop.service.engine.dispose()


PARTS: dict[str, type[GsmPart]] = {"sim800": Sim800, "m95": M95}


def run(seed: int, hours: float, only: Sequence[str] = (), part: str = "sim800") -> Report:
    """One run on a terminal with that part and a server of its own."""
    report = Report()
    with a_shop(int(_VOUCHERS_AN_HOUR * (hours + 24))) as shop:
        at_counter(
            shop,
            lambda counter: torture(counter, seed, hours, report, only),
            seed,
            part=PARTS[part],
        )
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
        f" {report.asked} sales asked ({report.asked_again} again, {report.by_http} messages by"
        f" HTTP, {report.from_stock} from stock), {report.updates} updates,"
        f" {report.searching_s / 3600:.1f} h searching"
    )
    share = 100 * report.updated / max(1, report.updates)
    print(
        f"hangs: {len(report.hangs)}, lost sales: {report.lost}, double sales: {report.doubled},"
        f" updates completed: {share:.4g} %"
    )
    print(f"digest: {report.digest}")


def main() -> int:
    """Run; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=100)
    parser.add_argument("--part", choices=PARTS, default="sim800", help="which modem it has")
    parser.add_argument("--wrong-builds", action="store_true", help="see that each is noticed")
    asked = parser.parse_args()
    ram.use()
    if asked.wrong_builds:
        from tests.torture.gsm_wrong_builds import look_at_all

        return look_at_all(asked.seed)
    begun_s = time.process_time()
    report = run(asked.seed, asked.hours, part=asked.part)
    tell(report)
    print(f"{time.process_time() - begun_s:.0f} s of CPU")
    return int(not report.is_clean)


if __name__ == "__main__":
    sys.exit(main())
