"""Terminals' messages by CoAP over UDP: the same sealed bytes as `POST /m`, without a connection.
For `serving`.

Anybody can send a datagram in anybody's name, so a stranger's costs a parse and the opening of a
seal, keeps nothing, and never gets back more than it sent. Whose seal opens is given to the lane
that `POST /m` uses. An answer is kept for a minute, for the terminal that has lost it; what comes
later, or from elsewhere, is a counter that was seen already.

Source: RFC 7252; docs/formats/messages.md, "By datagram".
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import cast

from updater_server.faces import terminal
from updater_server.service import Service
from updater_server.wire import coap
from updater_server.wire.coap import Code, Datagram
from updater_server.wire.sealed import NotAMessage, SealBroken, open_request, parse_envelope

log = logging.getLogger("duka.coap")

KEPT_S = 60.0
"""So long is an answer kept; a terminal asks again within half of that."""
KEPT_ANSWERS = 4096
STRANGERS = 4
"""So many messages of terminals whose keys must be looked up first are worked on at once."""
ACKNOWLEDGE_AFTER_S = 0.7
"""What takes longer is acknowledged first, and answered when it is done."""
_PATH = (b"m",)
_CODES = {
    terminal.OK: Code.CHANGED,
    terminal.BAD_REQUEST: Code.BAD_REQUEST,
    terminal.UNAUTHORIZED: Code.UNAUTHORIZED,
    terminal.REPLAY: Code.CONFLICT,
    terminal.TOO_LARGE: Code.TOO_LARGE,
    terminal.TRY_LATER: Code.UNAVAILABLE,
}

Address = tuple[object, ...]
Answer = Callable[[bytes, float], Awaitable[tuple[int, bytes]]]
_Key = tuple[Address, bytes]


class Datagrams(asyncio.DatagramProtocol):
    """Answers what comes in on one UDP socket. `answer(body, when it came)`: as `POST /m`."""

    def __init__(
        self, service: Service, answer: Answer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._answer = answer
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._kept: OrderedDict[_Key, tuple[float, bytes]] = OrderedDict()
        self._under_way: dict[_Key, asyncio.Task[None]] = {}
        self._counted: dict[bytes, int] = {}
        self._strangers = 0
        self._next_id = 0

    @property
    def kept(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One datagram, from anybody."""
        try:
            asked = coap.parse(data)
        except coap.NotCoap:
            return
        if asked.kind != coap.CON:
            return  # an answer to nothing, or a question that wants no certainty
        if asked.code == Code.EMPTY:
            self._send(Datagram(coap.RST, Code.EMPTY, asked.message_id), addr)
            return
        wrong = _wrong(asked)
        if wrong is not None:
            self._refuse(asked, wrong, addr)
            return
        key = (addr, data)
        if key in self._under_way:
            return  # its answer will come
        kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[0] <= KEPT_S:
            self._write(kept[1], addr)
            return
        self._take_in(asked, key)

    async def drain(self, seconds: float) -> None:
        """Wait for what is under way, and close the socket."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=seconds)
        if self._transport is not None:
            self._transport.close()

    # inside

    def _take_in(self, asked: Datagram, key: _Key) -> None:
        """Have the message answered if its seal opens, or if only the database knows."""
        try:
            envelope = parse_envelope(asked.payload)
            device_keys = self._service.key_ring.find(envelope.terminal_id)
            if device_keys is not None:
                open_request(envelope, device_keys)
        except NotAMessage:
            self._refuse(asked, Code.BAD_REQUEST, key[0])
            return
        except SealBroken:
            self._refuse(asked, Code.UNAUTHORIZED, key[0])
            return
        if envelope.counter <= self._counted.get(envelope.terminal_id, -1):
            self._refuse(asked, Code.CONFLICT, key[0])  # said once already: no lane need look
            return
        is_stranger = device_keys is None
        if is_stranger and self._strangers >= STRANGERS:
            self._refuse(asked, Code.UNAVAILABLE, key[0])
            return
        self._strangers += is_stranger
        task = asyncio.get_running_loop().create_task(self._work(asked, key, is_stranger))
        self._under_way[key] = task

    async def _work(self, asked: Datagram, key: _Key, is_stranger: bool) -> None:
        try:
            await self._give(asked, key)
        except Exception:
            log.exception("a datagram was not answered")
        finally:
            del self._under_way[key]
            self._strangers -= is_stranger

    async def _give(self, asked: Datagram, key: _Key) -> None:
        came_at = time.monotonic()
        working = asyncio.ensure_future(self._answer(asked.payload, came_at))
        done, _ = await asyncio.wait([working], timeout=ACKNOWLEDGE_AFTER_S)
        kind, message_id = coap.ACK, asked.message_id
        if not done:
            self._send(Datagram(coap.ACK, Code.EMPTY, asked.message_id), key[0])
            self._next_id = self._next_id + 1 & 0xFFFF
            kind, message_id = coap.NON, self._next_id
        status, reply = await working
        code = _CODES[status]
        if len(reply) > coap.PAYLOAD_LIMIT_BYTES:
            code, reply = Code.NOT_IMPLEMENTED, b""
        answer = Datagram(kind, code, message_id, asked.token, (), reply).encode()
        if status == terminal.OK:
            self._keep(key, answer)
            self._count(asked)
        self._write(answer, key[0])

    def _keep(self, key: _Key, answer: bytes) -> None:
        now = self._clock()
        self._kept[key] = (now, answer)
        while len(self._kept) > KEPT_ANSWERS or now - next(iter(self._kept.values()))[0] > KEPT_S:
            self._kept.popitem(last=False)

    def _count(self, asked: Datagram) -> None:
        envelope = parse_envelope(asked.payload)
        if len(self._counted) >= KEPT_ANSWERS:
            self._counted = {}
        self._counted[envelope.terminal_id] = envelope.counter

    def _refuse(self, asked: Datagram, code: Code, addr: Address) -> None:
        self._send(Datagram(coap.ACK, code, asked.message_id, asked.token), addr)

    def _send(self, datagram: Datagram, addr: Address) -> None:
        self._write(datagram.encode(), addr)

    def _write(self, data: bytes, addr: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


def _wrong(asked: Datagram) -> Code | None:
    """Why a question is refused before its content is looked at."""
    if asked.odd_options:
        return Code.BAD_OPTION
    if asked.path != _PATH:
        return Code.NOT_FOUND
    if asked.code != Code.POST:
        return Code.NOT_ALLOWED
    return Code.BAD_REQUEST if not asked.payload else None
