"""A terminal's sales on simulated time over the driver, the modem and the network, to the server's
own faces on the same loop: datagrams and HTTP. For tests and for `inv bench datagrams`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

# Loaded before the clock is set: what is loaded by name later has the host's.
import firmware.net.coap
import firmware.office.datagram  # noqa: F401
from bootloader.shared.cose import derive_keys
from firmware.net.link import ONLINE
from firmware.office.ask import ask
from firmware.office.messenger import BadReply, Messenger, NoNetwork, ServerRefused, http_post
from hw_sim.network.datagrams import Answer
from tests.server.device import Device
from tests.server.shop import Shop
from tests.support.driven import HOST, PORT, Driven, drive
from updater_server.faces import terminal
from updater_server.faces.datagrams import Datagrams

COAP_PORT = 5683
AGAIN_S = 5.0
"""After so long is a sale asked for again that got no answer."""
LONGEST_S = 900.0


@dataclass
class Seen:
    """One datagram of the terminal's as it came to the server, and what went back."""

    port: int
    asked: bytes
    answers: list[bytes] = field(default_factory=list)


class Server(asyncio.DatagramTransport):
    """The server's two faces. `seen`: what came by datagram, the newest `KEPT`; `posted`: how many
    by HTTP. `change` may spoil what the server says to a datagram; `answers` are the ways back.
    `files`: what it serves to a GET, by path, in ranges; or `get` answers it. `over_http` hears
    each whole exchange.
    """

    KEPT = 1000

    def __init__(self, shop: Shop, kind: type[Datagrams] = Datagrams) -> None:
        super().__init__()
        self.shop = shop
        self.seen: list[Seen] = []
        self.posted = 0
        self.files: dict[str, bytes] = {}
        self.get: Callable[[bytes], bytes] = self._file
        self.over_http: Callable[[bytes, bytes], None] = lambda asked, answer: None
        self.change: Callable[[Seen, bytes], list[bytes]] = lambda seen, said: [said]
        self.answers: dict[Any, tuple[Seen, Answer]] = {}
        self.face = kind(shop.service, self._answer)
        self.face.connection_made(self)

    async def _answer(self, body: bytes, came_at: float) -> tuple[int, bytes]:
        return terminal.handle(self.shop.service, body)

    # datagrams

    def host(self, data: bytes, port: int, answer: Answer) -> None:
        """A datagram has come (`hw_sim.network.datagrams.DatagramHost`)."""
        address = ("10.64.0.7", port)
        self.seen.append(Seen(port, data))
        del self.seen[: -self.KEPT]
        self.answers[address] = (self.seen[-1], answer)
        self.face.datagram_received(data, address)

    def sendto(self, data: Any, addr: Any = None) -> None:
        """The face answers."""
        seen, answer = self.answers[addr]
        seen.answers.append(bytes(data))
        for said in self.change(seen, bytes(data)):
            answer(said)

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing to give back."""

    # HTTP

    async def serve(self, reader: asyncio.StreamReader, writer: Any) -> None:
        """One connection: sealed messages, and the radio duty's own words."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET "):
                    answer = self.get(head)
                    writer.write(answer)
                    self.over_http(head, answer)
                    continue
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0] or 0)
                body = await reader.readexactly(length)
                status, said = 200, b"answer to " + body
                if body[:1] == b"\x83":
                    self.posted += 1
                    status, said = terminal.handle(self.shop.service, body)
                heads = b"content-length: %d" % len(said)
                answer = b"HTTP/1.1 %d \r\n%s\r\n\r\n%s" % (status, heads, said)
                writer.write(answer)
                self.over_http(head + body, answer)

    def _file(self, head: bytes) -> bytes:
        """The answer to a GET: a file, or the range of it that was asked for."""
        data = self.files.get(head.split()[1].decode())
        if data is None:
            return b"HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n"
        span = head.lower().partition(b"range: bytes=")[2].split(b"\r")[0]
        if not span:
            return b"HTTP/1.1 200 \r\ncontent-length: %d\r\n\r\n%s" % (len(data), data)
        first, _, last = span.partition(b"-")
        piece = data[int(first) : int(last) + 1]
        return b"HTTP/1.1 206 \r\ncontent-range: bytes %s/%d\r\ncontent-length: %d\r\n\r\n%s" % (
            span,
            len(data),
            len(piece),
            piece,
        )


class Till:
    """What the terminal was given for each sale, by its sequence."""

    def __init__(self) -> None:
        self.pins: dict[int, list[str]] = {}
        self.refusals: list[str] = []
        self.journal = SimpleNamespace(next_sequence=0)  # nothing follows a sale: none is cancelled

    def delivered(self, sale: Any, pin: str, *rest: Any) -> None:
        """A voucher."""
        self.pins.setdefault(sale.sequence, []).append(pin)

    def refused(self, sale: Any, code: str) -> None:
        """The server's no."""
        self.refusals.append(code)

    def pending(self, sale: Any, again_s: int) -> None:
        """Not for vouchers."""
        raise AssertionError("a voucher is never pending")


class Counter:
    """One terminal at a counter: `sell` sells a voucher, however long that takes, up to 15 min."""

    def __init__(self, driven: Driven, shop: Shop, kind: type[Datagrams] = Datagrams) -> None:
        self.driven = driven
        self.shop = shop
        self.device: Device = shop.enrol(float_minor=10**9)
        self.server = Server(shop, kind)
        internet = driven.network.internet
        internet.serve(HOST, PORT, self.server.serve)
        internet.serve_datagrams(HOST, COAP_PORT, self.server.host)
        driven.config.sync_s = 30 * 86400  # there is no journal here
        self.till = Till()
        keys = derive_keys(self.device.key, self.device.terminal_id)
        self.messenger = Messenger(
            keys, self.device.terminal_id, 2, http_post(driven.http), b"salt"
        )
        self.messenger.client = driven.http
        self.messenger.random = random.Random(5).randbytes
        self.messenger.coap_port = COAP_PORT
        self.sold = 0
        self.longest_s = 0.0
        self.unanswered = 0

    def new_sale(self) -> Any:
        """A sale of one voucher that nobody was asked for yet."""
        self.sold += 1
        return SimpleNamespace(
            sequence=self.sold + 1,
            product_id="air50",
            amount_minor=5000,
            commission_minor=250,
            time=1_790_000_000,
            recipient=None,
        )

    async def ask(self, sale: Any) -> bool:
        """Ask for a sale as the terminal does; whether it was answered."""
        self.driven.http.sales += 1
        till: Any = self.till
        try:
            await ask(self.messenger, till, sale)
            return True
        except (NoNetwork, BadReply, ServerRefused) as error:
            self.driven._note(f"sale: {error}")
            self.unanswered += 1
            self.driven.link.lost()
            self.driven.link.hurry()
            return False
        finally:
            self.driven.http.sales -= 1

    async def sell(self) -> None:
        """One sale, asked for until it is answered."""
        sale = self.new_sale()
        begun_s = self.driven.now_s
        while not await self.ask(sale):
            await asyncio.sleep(AGAIN_S)
            assert self.driven.now_s - begun_s < LONGEST_S, "a sale has no end"
        self.longest_s = max(self.longest_s, self.driven.now_s - begun_s)

    def lost_and_doubled(self) -> tuple[int, int]:
        """Of the sales that were made: how many have no voucher or cost nothing; how many have
        two, share one, or were paid twice.
        """
        pins = [self.till.pins.get(n + 2, []) for n in range(self.sold)]
        every = [pin for found in pins for pin in set(found)]
        paid = (10**9 - self.shop.float_of(self.device)) // 4750
        lost = sum(not found for found in pins) + max(0, self.sold - paid)
        doubled = sum(len(set(found)) > 1 for found in pins) + len(every) - len(set(every))
        return lost, doubled + max(0, paid - self.sold)


def at_counter(
    shop: Shop,
    story: Callable[[Counter], Coroutine[Any, Any, Any]],
    seed: int = 1,
    kind: type[Datagrams] = Datagrams,
    **network: Any,
) -> Any:
    """Run `story` at a counter that is online; what it returns."""

    async def whole(driven: Driven) -> Any:
        counter = Counter(driven, shop, kind)
        await driven.until(lambda: driven.link.state == ONLINE, 120, "online")
        return await story(counter)

    return drive(whole, seed=seed, **network)
