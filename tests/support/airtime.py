"""What a terminal's airtime is spent on, seen from the tap; messages are opened with the server's
own keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import cbor2

from firmware.sales.state import SETTLED
from hw_sim.network.datagram_tap import DatagramExchange
from tests.support.tap import Exchange
from tests.support.world import World
from updater_server.fleet import terminals
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.wire import coap
from updater_server.wire.keys import KIND, Journal, Kind
from updater_server.wire.sealed import open_request, parse_envelope

_NAMES = {
    Kind.CHECK_IN: "check-in",
    Kind.SALE: "sales",
    Kind.JOURNAL: "journal",
    Kind.STOCK: "stock",
    Kind.STOCK_RECEIVED: "stock",
}


class Airtime:
    """`by_bytes` and `by_times` by purpose, from now on, for the terminal of `world`, once it is
    enrolled. What an exchange's end still costs counts for the next one; questions for names and
    their answers are `names`.
    """

    def __init__(self, world: World, hear: Callable[[str], None] = lambda purpose: None) -> None:
        """`hear` is told the purpose of each exchange, on the board's thread."""
        self._hear = hear
        self.by_bytes: Counter[str] = Counter()
        self.by_times: Counter[str] = Counter()
        self._traffic = world.terminal.network.traffic
        self._seen = self._traffic.modelled_total_bytes
        self._seen_names = self._traffic.name_bytes
        self._last = "nothing"
        service = Service.open(world.server.folder)
        with reading(service.engine) as connection:
            terminal_id = bytes.fromhex(world.terminal_id)
            self._keys = terminals.device_keys(connection, service.key, terminal_id)
        service.engine.dispose()
        world.tap.change = self._weigh
        if world.datagram_tap:
            world.datagram_tap.change = self._weigh_datagram

    def _weigh(self, exchange: Exchange) -> bytes:
        self._came(self._of(exchange))
        return exchange.reply

    def _weigh_datagram(self, exchange: DatagramExchange) -> list[bytes]:
        self._came(self._meant(coap.parse(exchange.asked).payload))
        return exchange.answers

    def _came(self, purpose: str) -> None:
        self.by_times[purpose] += 1
        self._last = purpose
        self.settle()
        self._hear(purpose)

    def settle(self) -> None:
        """What came since the last exchange was counted is its end."""
        total = self._traffic.modelled_total_bytes
        self.by_bytes[self._last] += total - self._seen
        self._seen = total
        names = self._traffic.name_bytes
        self.by_bytes["names"] += names - self._seen_names
        self._seen_names = names

    def _of(self, exchange: Exchange) -> str:
        """One word or two."""
        if exchange.path != "/m":
            return "releases" if "targets" in exchange.path else "news of files"
        return self._meant(exchange.body)

    def _meant(self, sealed: bytes) -> str:
        assert self._keys is not None
        content: dict[int, Any] = cbor2.loads(open_request(parse_envelope(sealed), self._keys))
        if content[KIND] == Kind.JOURNAL and _settles_only(content[Journal.RECORDS]):
            return "settlements"
        return _NAMES.get(content[KIND], "other")


def _settles_only(records: list[bytes]) -> bool:
    """Whether a journal message holds nothing that was sold or done."""
    return all(record[:1] == bytes((SETTLED,)) for record in records)
