"""What a terminal's airtime is spent on, seen from the tap; messages are opened with the server's
own keys.
"""

from __future__ import annotations

import cbor2

from tests.support.tap import Exchange
from tests.support.world import World
from updater_server.fleet import terminals
from updater_server.service import Service
from updater_server.store.engine import reading
from updater_server.wire.keys import KIND, Kind
from updater_server.wire.sealed import open_request, parse_envelope

_NAMES = {
    Kind.CHECK_IN: "check-in",
    Kind.SALE: "sales",
    Kind.JOURNAL: "journal",
    Kind.STOCK: "stock",
    Kind.STOCK_RECEIVED: "stock",
}


class Purposes:
    """For the terminal of `world`, once it is enrolled."""

    def __init__(self, world: World) -> None:
        service = Service.open(world.server.folder)
        with reading(service.engine) as connection:
            terminal_id = bytes.fromhex(world.terminal_id)
            self._keys = terminals.device_keys(connection, service.key, terminal_id)
        service.engine.dispose()

    def of(self, exchange: Exchange) -> str:
        """One word or two."""
        if exchange.path != "/m":
            return "releases" if "targets" in exchange.path else "news of files"
        assert self._keys is not None
        content = cbor2.loads(open_request(parse_envelope(exchange.body), self._keys))
        return _NAMES.get(content[KIND], "other")
