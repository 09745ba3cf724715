"""What a terminal is about while modem and network fail: it sells, by datagram and by HTTP, from a
real server's vault; and it fetches updates, piece by piece. Each operation's time is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

# Loaded before the clock is set: what is loaded by name later has the host's.
from bootloader.shared.partitions import Partition
from firmware.kept.store import Store
from firmware.net.http import HttpError
from firmware.net.link import ONLINE
from firmware.update.errors import Interrupted, Missing
from firmware.update.offer import Offer, Way
from firmware.update.payload import Payload
from firmware.update.record import Record
from firmware.update.server import Server
from hw_sim.flash import NorFlash
from tests.support.without_tcp import Counter

BOUNDS_S = {
    "sale": 90.0,  # by datagram in vain, behind a check-in that waits, by HTTP, asked twice
    "download": 240.0,
    "connect": 600.0,
    "update": 24 * 3600.0,
}
"""How long each operation may take at most, whatever happens: an answer, or none, to a sale's
question; one piece of a download; bringing up data service; a whole release."""
_RETRY_S = 30
_LONGEST_RETRY_S = 3600
_RELEASE_BYTES = (6_000, 40_000)
_ROOM_BYTES = 64 * 1024
_OPEN_AT_ONCE = 3
_FOLDER = "stable/duka-r1"


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
    by_http: int = 0
    from_stock: int = 0
    asked_again: int = 0
    lost: int = 0
    doubled: int = 0
    updates: int = 0
    updated: int = 0
    hours: float = 0.0
    charge_mah: float = 0.0
    searching_s: float = 0.0
    digest: str = ""

    @property
    def late(self) -> list[str]:
        """The operations that took longer than they may."""
        return [n for n, bound_s in BOUNDS_S.items() if self.longest_s.get(n, 0) > bound_s]

    @property
    def is_clean(self) -> bool:
        """Whether no promise was broken."""
        broken = self.hangs or self.lost or self.doubled or self.updated < self.updates
        return not (broken or self.late)


class Trade:
    """Sells at a `Counter`, fetches releases, and keeps the time of each operation."""

    def __init__(self, counter: Counter, report: Report) -> None:
        self._counter = counter
        self._driven = driven = counter.driven
        self._report = report
        self.open: list[Any] = []
        self._at_the_keys = asyncio.Lock()
        self.answered = 0
        driven.modem.connect = self._timed("connect", driven.modem.connect)
        http: Any = SimpleNamespace(request=self._timed("download", driven.http.request))
        self._files = Server(http)
        self._room = Partition(NorFlash(None, size_bytes=_ROOM_BYTES), 0, _ROOM_BYTES)
        kept = Store(str(counter.shop.folder))
        self._record = Record(kept, driven._note, lambda: int(driven.pace.unix_s()))

    def _timed(self, name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def timed(*arguments: Any, **named: Any) -> Any:
            begun_s = self._driven.now_s
            try:
                return await work(*arguments, **named)
            finally:
                took_s = self._driven.now_s - begun_s
                longest_s = self._report.longest_s
                longest_s[name] = max(longest_s.get(name, 0.0), took_s)

        return timed

    async def sell(self) -> None:
        """One sale, as `flows/sell.py` and `Terminal.fetch_voucher` make it; an open one of before
        is asked for once more where there is a network.
        """
        async with self._at_the_keys:
            await self._sell()

    async def _sell(self) -> None:
        await self._look()
        if self._driven.link.state != ONLINE:
            self._report.from_stock += 1
            return
        for sale in self.open[:_OPEN_AT_ONCE]:
            self._report.asked_again += 1
            if not await self._ask(sale):
                return
            self.open.remove(sale)
        self._report.asked += 1
        sale = self._counter.new_sale()
        self.open.append(sale)  # in flash before anything is sent
        if await self._timed("sale", self._ask)(sale):
            self.open.remove(sale)

    async def _look(self) -> None:
        link = self._driven.link
        work = link.look() if link.state == ONLINE else link.known()
        try:
            await asyncio.wait_for(work, 12)
        except TimeoutError:
            pass

    async def _ask(self, sale: Any) -> bool:
        is_answered = await self._counter.ask(sale)
        self.answered += is_answered
        return is_answered

    async def keep_selling(self, chance: random.Random, every_s: float) -> None:
        """Sell for ever."""
        while True:
            await asyncio.sleep(chance.expovariate(1 / every_s))
            await self.sell()

    async def keep_updating(self, chance: random.Random, every_s: float) -> None:
        """One release after the other, for ever."""
        while True:
            await asyncio.sleep(chance.expovariate(1 / every_s))
            await self._timed("update", self.update)(chance.randbytes(self._size(chance)))

    def _size(self, chance: random.Random) -> int:
        return chance.randint(*_RELEASE_BYTES)

    async def update(self, release: bytes) -> None:
        """Bring one in, as `firmware.update.client` does: again after pauses that grow."""
        report = self._report
        report.updates += 1
        digest = hashlib.sha256(release).digest()
        name = f"{digest.hex()}.{report.updates}.patch"
        files = self._counter.server.files
        paths = (f"/tuf/targets/{_FOLDER}/{name}", f"/tuf/p/{_FOLDER}/{name[:16]}")
        files.update(dict.fromkeys(paths, release))
        way = Way("patch", f"{_FOLDER}/{name}", len(release), digest)
        numbered: Any = SimpleNamespace(release=report.updates)
        offer = Offer(numbered, [way], 0)
        payload = Payload(self._files, self._room, self._record, self._driven._note)
        retry_s = _RETRY_S
        while True:
            try:
                await payload.bring(offer)
                break
            except (HttpError, Missing, Interrupted):
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, _LONGEST_RETRY_S)
        assert self._room.read(0, len(release)) == release
        report.updated += 1
        for path in paths:
            del files[path]
