"""`inv bench roads`: how long a sale and an update take, and what they cost, on GPRS, EDGE, LTE-M
and NB-IoT as `hw_sim.network.profiles` models them. Simulated time, the terminal's own driver and
messages, the real server's faces: any run gives the same figures.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
from typing import NamedTuple

from hw_sim.network.profiles import ACCESSES, Access
from tests.support.without_tcp import Counter, at_counter
from tests.torture.gsm import a_shop
from tests.torture.gsm_trade import Report, Trade

_SALES = 20
_MINOR_BYTES, _WHOLE_BYTES = 4_434, 60_000
SALE_BAR_S = 15.0
"""Beyond that a sale counts as slow (docs/formats/metrics.md)."""


class Measured(NamedTuple):
    """On one access. Times in s, of sales the median and the longest; bytes on the air."""

    online_s: float
    coap_s: tuple[float, float]
    coap_bytes: float
    http_s: tuple[float, float]
    http_bytes: float
    minor_s: float
    whole_s: float


async def _sales(counter: Counter, coap_port: int) -> tuple[tuple[float, float], float]:
    times = []
    driven = counter.driven
    counter.messenger.coap_port = coap_port
    before = driven.network.traffic.on_air_bytes
    for _ in range(_SALES):
        await driven.http.transport.close()
        await asyncio.sleep(120)
        begun_s = driven.now_s
        await counter.sell()
        times.append(driven.now_s - begun_s)
    await driven.http.transport.close()
    await asyncio.sleep(20)
    each = (driven.network.traffic.on_air_bytes - before) / _SALES
    return (statistics.median(times), max(times)), each


async def _measure(counter: Counter, access: Access) -> Measured:
    driven = counter.driven
    driven.network.internet.ways.forgets_s = access.forgets_s
    online_s = driven.now_s
    port = counter.messenger.coap_port
    coap_s, coap_bytes = await _sales(counter, port)
    http_s, http_bytes = await _sales(counter, 0)
    trade = Trade(counter, Report())
    took = []
    for size in (_MINOR_BYTES, _WHOLE_BYTES):
        begun_s = driven.now_s
        await trade.update(random.Random(size).randbytes(size))
        took.append(driven.now_s - begun_s)
    assert counter.lost_and_doubled() == (0, 0)
    return Measured(online_s, coap_s, coap_bytes, http_s, http_bytes, *took)


def measure(access: Access, seed: int = 1) -> Measured:
    """One access, on a terminal and a server of its own."""
    with a_shop(3 * _SALES) as shop:
        found: Measured = at_counter(
            shop, lambda counter: _measure(counter, access), seed, **access.settings
        )
        return found


def main() -> int:
    """Print the table; 1 where a median sale is slow."""
    print("| | online after | sale by CoAP | by HTTP, cold | minor release | whole image |")
    print("|---|---|---|---|---|---|")
    slow = False
    for access in ACCESSES:
        found = measure(access)
        slow |= found.coap_s[0] > SALE_BAR_S
        print(
            f"| {access.name} | {found.online_s:.0f} s "
            f"| {found.coap_s[0]:.1f} s, at most {found.coap_s[1]:.1f}; {found.coap_bytes:.0f} B "
            f"| {found.http_s[0]:.1f} s, at most {found.http_s[1]:.1f}; {found.http_bytes:.0f} B "
            f"| {found.minor_s:.0f} s | {found.whole_s:.0f} s |"
        )
    print(
        f"sales: the median of {_SALES}; a minor release has {_MINOR_BYTES:,} bytes, a whole image "
        f"{_WHOLE_BYTES:,}; bar: a median sale by CoAP in {SALE_BAR_S:.0f} s on all four"
    )
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
