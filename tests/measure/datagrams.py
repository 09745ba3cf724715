"""`inv bench datagrams`: what one online sale costs on the air by CoAP over UDP beside HTTP over
TCP, with all headers, acknowledgements and questions for names, as the simulated network counts;
and what a stranger's datagram costs the server beside the same done by aiocoap.

Bytes and counts are exact and have bars; CPU time depends on the machine and is printed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiocoap
from aiocoap import resource

from hw_sim.network.link import name_bytes
from tests.server.shop import Shop, make_signed
from tests.support.driven import HOST
from tests.support.without_tcp import Counter, at_counter
from updater_server.faces.datagrams import Datagrams

COLD_BAR_BYTES = 220
_STRANGERS = 2000
_LATER_S = 3600.0


def sales(shop: Shop) -> dict[str, int]:
    """Bytes on the air, both ways, of one sale in each manner."""

    async def story(counter: Counter) -> dict[str, int]:
        found = {}

        async def weigh(name: str, ends: bool = True) -> None:
            traffic = counter.driven.network.traffic
            before = traffic.on_air_bytes
            await counter.sell()
            if ends:
                await counter.driven.http.transport.close()
                await asyncio.sleep(10)
            found[name] = traffic.on_air_bytes - before

        transport = counter.driven.http.transport
        await transport.close()
        await asyncio.sleep(60)
        await weigh("CoAP, the first since the start, with the name")
        await asyncio.sleep(_LATER_S)
        await weigh("CoAP, cold, an hour later")
        await weigh("CoAP, right after another")
        counter.messenger.coap_port = 0
        await asyncio.sleep(_LATER_S)
        await weigh("HTTP, cold, with handshake, name and end")
        await weigh("HTTP, cold, left open", ends=False)
        await weigh("HTTP, on the connection that is open", ends=False)
        assert counter.lost_and_doubled() == (0, 0)
        return found

    weighed: dict[str, int] = at_counter(shop, story)
    return weighed


def stranger(number: int) -> bytes:
    """A datagram that looks like a message and is none, with a message id of its own."""
    head = b"\x40\x02" + (number & 0xFFFF).to_bytes(2, "big")
    return head + b"\xb1m\xff" + b"\x83\x43\xa1\x01\x0a" + bytes(60)


class _Refuses(resource.Resource):  # type: ignore[misc]
    async def render_post(self, request: Any) -> Any:
        return aiocoap.Message(code=aiocoap.Code.BAD_REQUEST)


async def _flood(port: int, count: int) -> tuple[float, int]:
    """(CPU seconds of both ends, bytes that came back) for so many datagrams of strangers."""
    came = 0

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            nonlocal came
            came += len(data)

    loop = asyncio.get_running_loop()
    begun_s = time.process_time()
    transport, _ = await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", port))
    for number in range(count):
        transport.sendto(stranger(number))
        if number % 50 == 49:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    transport.close()
    return time.process_time() - begun_s, came


async def _ours(shop: Shop, work: Callable[[int], Any]) -> Any:
    async def nobody(body: bytes, came_at: float) -> tuple[int, bytes]:
        raise AssertionError("a stranger has reached the lane")

    server = Datagrams(shop.service, nobody)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: server, local_addr=("127.0.0.1", 0)
    )
    try:
        return await work(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


async def _aiocoaps(work: Callable[[int], Any]) -> Any:
    site = resource.Site()
    site.add_resource(["m"], _Refuses())
    port = 56830
    server = await aiocoap.Context.create_server_context(
        site, bind=("127.0.0.1", port), transports=["simplesocketserver"]
    )
    try:
        return await work(port)
    finally:
        await server.shutdown()


async def _kept_and_cpu(port: int) -> tuple[int, float]:
    """(bytes that the process keeps afterwards, CPU µs for each) of a flood."""
    await _flood(port, 100)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    await _flood(port, _STRANGERS)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    cpu_s, _ = await _flood(port, _STRANGERS)
    return after - before, 1e6 * cpu_s / _STRANGERS


def main() -> int:
    """Print the figures; 1 if a bar is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "signed").mkdir()
        signed = make_signed(Path(folder) / "signed")
        shop = Shop.open(Path(folder) / "data", signed / "repository")
        shop.stock_vault()
        weighed = sales(shop)
        print(
            f"one online sale, bytes on the air both ways ({HOST}: {name_bytes(HOST)} for its name)"
        )
        for name, size in weighed.items():
            print(f"{size:7,}  {name}")
        ours = asyncio.run(_ours(shop, _kept_and_cpu))
        theirs = asyncio.run(_aiocoaps(_kept_and_cpu))
        shop.service.engine.dispose()
    print(f"{_STRANGERS:,} datagrams of strangers: bytes kept, CPU of both ends for each")
    for name, (kept, cpu_us) in (("here", ours), ("aiocoap", theirs)):
        print(f"{kept:11,}  {cpu_us:7.0f} µs  {name}")
    cold = weighed["CoAP, cold, an hour later"]
    print(f"cold sale: {cold} bytes; bar {COLD_BAR_BYTES}")
    return 0 if cold <= COLD_BAR_BYTES and ours[0] < theirs[0] else 1


if __name__ == "__main__":
    sys.exit(main())
