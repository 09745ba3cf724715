"""What goes over the air, by purpose: each exchange as it happens, and sums.

Messages are opened with the server's own keys, which only a world to play in lies about.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hw_sim.network.tap import Exchange
from hw_sim.panel.feed import Feed
from tools.play.world import Terminal
from updater_server.fleet import terminals
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.wire import cbor
from updater_server.wire.keys import KIND, Kind
from updater_server.wire.sealed import (
    DeviceKeys,
    NotAMessage,
    SealBroken,
    open_request,
    parse_envelope,
)

_NAMES = {
    Kind.CHECK_IN: "check-in",
    Kind.SALE: "sale",
    Kind.JOURNAL: "journal",
    Kind.STOCK: "stock",
    Kind.STOCK_RECEIVED: "stock",
    Kind.STOCK_HELD: "stock",
}


class AirEyes:
    """Watches the tap of `terminal`, and tells `feed` under the number `at`."""

    def __init__(self, feed: Feed, at: int, terminal: Terminal, server: Path) -> None:
        self._feed, self._at, self._terminal, self._server = feed, at, terminal, server
        self._traffic = terminal.parts.network.traffic
        self._billed = self._traffic.modelled_total_bytes
        self._last = "other"
        self._sums: Counter[str] = Counter()
        self._times: Counter[str] = Counter()
        self._keys: tuple[str, DeviceKeys | None] = "", None
        terminal.tap.change = self._weigh

    def _weigh(self, exchange: Exchange) -> bytes:
        """On the board's thread, when the server has answered: what was sent before is counted for
        what was asked before; the reply will be counted for this.
        """
        self.settle()
        self._last = purpose = self._purpose(exchange)
        self._times[purpose] += 1
        request = len(exchange.body) + len(exchange.path)
        self._feed.line(
            "air", self._at, purpose=purpose, path=f"{exchange.method} {exchange.path}",
            status=exchange.status, up=request, down=len(exchange.reply),
        )  # fmt: skip
        return exchange.reply

    def settle(self) -> None:
        """Count what crossed since the last time, headers and repeats with it."""
        total = self._traffic.modelled_total_bytes
        self._sums[self._last] += total - self._billed
        self._billed = total
        sums = {name: [size, self._times[name]] for name, size in self._sums.most_common() if size}
        self._feed.value("airsum", self._at, sums=sums)

    def _purpose(self, exchange: Exchange) -> str:
        if exchange.path != "/m":
            return "releases" if "/targets/" in exchange.path else "news of files"
        keys = self._device_keys()
        if keys is None:
            return "other"
        try:
            content = cbor.loads(open_request(parse_envelope(exchange.body), keys))
        except (NotAMessage, SealBroken, cbor.CborError):
            return "other"
        kind = content.get(KIND) if isinstance(content, dict) else None
        return _NAMES.get(kind, "other") if isinstance(kind, int) else "other"

    def _device_keys(self) -> DeviceKeys | None:
        terminal_id = self._terminal.terminal_id
        if terminal_id and self._keys[0] != terminal_id:
            service = Service.open(self._server)
            with reading(service.engine) as connection:
                found = terminals.device_keys(connection, service.key, bytes.fromhex(terminal_id))
            service.engine.dispose()
            self._keys = terminal_id, found
        return self._keys[1]
