"""`inv bench release`: where the bytes go that one terminal spends on one release of 25 lines, from
hearing of it to its first check-in after the restart: each line of each request and answer, and
what TCP, UDP and DNS add, as the simulated network counts.

The terminal's own client, messages and driver and the server's own faces on simulated time.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import cbor2

from firmware.office.check_in import status
from firmware.office.messenger import CHECK_IN, Messenger, http_post
from hw_sim.network.link import DATAGRAM_OVERHEAD_BYTES as DATAGRAM_BYTES
from hw_sim.network.link import SEGMENT_OVERHEAD_BYTES as SEGMENT_BYTES
from tests.live.terminal import Terminal
from tests.server.shop import Shop, make_signed
from tests.support.without_tcp import COAP_PORT, Counter, at_counter
from tests.update.test_news import OurSite
from tests.update.world import World, reader_of_patches

WHOLE_BAR_BYTES = 2_500
BEFORE, RELEASE = 2026112701, 2026112702
CHANGED_BYTES = 690
"""A patch of some 700 bytes comes of it: a fix of 25 lines (docs/patches.md)."""
_IMAGE_BYTES = 40_000
_HOUR_S = 3600


class Line(NamedTuple):
    """So many bytes for one thing, in one stage."""

    stage: str
    what: str
    size: int


def _parts(way: str, message: bytes) -> list[tuple[str, int]]:
    """A message of HTTP, line by line."""
    head, _, body = message.partition(b"\r\n\r\n")
    parts = [(f"{way} {line.decode()[:60]}", len(line) + 2) for line in head.split(b"\r\n")]
    parts[-1] = (parts[-1][0], parts[-1][1] + 2)
    return parts + ([(f"{way} body", len(body))] if body else [])


class Ledger:
    """What crossed the air, stage by stage."""

    def __init__(self, counter: Counter) -> None:
        self.lines: list[Line] = []
        self._traffic = counter.driven.network.traffic
        self.stage = ""
        self._said: list[tuple[str, int]] = []
        self._before = self._figures()
        counter.server.over_http = self._exchange

    def _figures(self) -> dict[str, int]:
        traffic = self._traffic
        return {
            "payload": traffic.payload_up_bytes + traffic.payload_down_bytes,
            "heads of TCP segments": (traffic.segments_up + traffic.segments_down) * SEGMENT_BYTES,
            "heads of IP and UDP": (traffic.datagrams_up + traffic.datagrams_down) * DATAGRAM_BYTES,
            "the server's name": traffic.name_bytes,
        }

    def _exchange(self, asked: bytes, answer: bytes) -> None:
        self._said += _parts(">", asked) + _parts("<", answer)

    def begin(self, stage: str, asked: bytes = b"") -> None:
        """What was spent until now belonged to the stage before, but for the question `asked`."""
        now = self._figures()
        if asked:
            now["payload"] -= len(asked)
            now["heads of TCP segments"] -= SEGMENT_BYTES
        spent = {what: now[what] - self._before[what] for what in now}
        in_datagrams = spent.pop("payload") - sum(size for _, size in self._said)
        parts = [*self._said, ("CoAP and sealed messages", in_datagrams), *spent.items()]
        if self.stage:
            self.lines += [Line(self.stage, what, size) for what, size in parts if size]
        self.stage, self._said, self._before = stage, [], now

    @property
    def total(self) -> int:
        """All of it."""
        return sum(line.size for line in self.lines)


class _Shop25:
    """A counter whose terminal also updates: from `world`'s site, over the counter's radio."""

    def __init__(self, counter: Counter, world: World) -> None:
        self.counter = counter
        self.world = world
        self.ledger = Ledger(counter)
        self.site = OurSite(world.folder / "site")
        counter.server.get = self._get
        world.client.server.http = counter.driven.http
        world.client.on_restart = self.restarts
        self._meter = Terminal(1, bytes(32), 0, 1, lambda body: (200, body), BEFORE)

    def _get(self, head: bytes) -> bytes:
        if self.ledger.stage == "learning" and b"/tuf/news/" not in head:
            self.ledger.begin("fetching", head)
        return self.site.respond(head.removesuffix(b"\r\n\r\n"))

    def _told(self, tag: bytes) -> None:
        newest = (self.world.folder / "site/metadata/timestamp.json").read_bytes()
        self.world.client.newest.told(hashlib.sha256(newest).digest()[: len(tag)])

    async def check_in(self, messenger: Messenger, into: int = 0, is_first: bool = False) -> None:
        """As the duty does it, with an hour's counters before a restart."""
        fields = status(
            time=self.world.time_s,
            release=RELEASE if is_first else BEFORE,
            slot="a",
            trial=is_first,
            boot_count=7,
            battery_mv=3900,
            signal=20,
            failure=None,
            restarts=into,
            runs=(bytes(32), bytes(32)) if is_first else None,
        )
        fields |= {9: 100_000, 10: [1, 1]}
        if into:
            window = self._meter.window(self.world.time_s, _HOUR_S, 2, 0.0)
            fields[13] = cbor2.dumps(window, canonical=True)
        messenger.on_newest = self._told
        reply = await messenger.exchange(CHECK_IN, fields)
        messenger.coap_port = reply.get(8, COAP_PORT)

    async def restarts(self, release: int) -> None:
        """The word before the restart."""
        self.ledger.begin("telling")
        await self.check_in(self.counter.messenger, release)

    def restarted(self) -> Messenger:
        """The messenger of the start that follows: on trial, so by HTTP first."""
        old, driven = self.counter.messenger, self.counter.driven
        new = Messenger(old.keys, old.terminal_id, 3, http_post(driven.http), b"tlas")
        new.client, new.random = driven.http, old.random
        driven.http.address = ""  # it begins anew, too
        return new


async def _story(counter: Counter, folder: Path) -> list[Line]:
    running = reader_of_patches(1, _IMAGE_BYTES)
    world = World(folder, running)
    shop = _Shop25(counter, world)
    world.publish(BEFORE, running, let_out=False)
    await world.client.run_once()
    await shop.check_in(counter.messenger)
    await counter.driven.http.transport.close()
    await asyncio.sleep(_HOUR_S)
    content = bytearray(running)
    content[9000 : 9000 + CHANGED_BYTES] = random.Random(25).randbytes(CHANGED_BYTES)
    world.publish(RELEASE, bytes(content), {1: running})
    world.client.newest.forget()
    shop.ledger.begin("learning")
    await world.client.run_once()
    if world.switched_to() != RELEASE:
        raise RuntimeError("no update: " + "; ".join(world.logged[-5:]))
    await counter.driven.http.transport.close()
    await asyncio.sleep(20)
    shop.ledger.begin("confirming")
    await shop.check_in(shop.restarted(), is_first=True)
    await counter.driven.http.transport.close()
    await asyncio.sleep(20)
    shop.ledger.begin("")
    return shop.ledger.lines


def measure(folder: Path) -> list[Line]:
    """Each thing that cost bytes, in the order of the stages."""
    (folder / "signed").mkdir()
    shop = Shop.open(folder / "data", make_signed(folder / "signed") / "repository")
    try:
        lines: list[Line] = at_counter(shop, lambda counter: _story(counter, folder / "world"))
        return lines
    finally:
        shop.service.engine.dispose()


def main() -> int:
    """Print the table; 1 if the bar is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(Path(folder))
    for stage in dict.fromkeys(line.stage for line in lines):
        of_it: list[Any] = [line for line in lines if line.stage == stage]
        print(f"{sum(line.size for line in of_it):6,}  {stage}")
        for line in of_it:
            print(f"{line.size:14,}  {line.what}")
    total = sum(line.size for line in lines)
    print(f"{total:6,}  bytes in all; bar {WHOLE_BAR_BYTES:,}")
    return 0 if total <= WHOLE_BAR_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
