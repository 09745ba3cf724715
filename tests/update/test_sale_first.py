"""A sale does not wait behind a download, on the simulated GSM network: what it takes and costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hw_sim.network import LinkProfile
from tests.support.radio import Radio
from tests.support.static_site import Site
from tests.update.world import World, image

GPRS = LinkProfile(1500, 3000, 350, 100)
PAYLOAD_BYTES = 60_000


class Shop(Site):
    """A site that answers sales as well."""

    def respond(self, head: bytes) -> bytes:
        if head.startswith(b"POST"):
            self.requests.append(("/m", "", 200, 100))
            return b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n" + bytes(100)
        return super().respond(head)


async def _sale(world: World, is_told: bool) -> None:
    if is_told:
        world.http.sales += 1
    await world.http.request("POST", "/m")
    if is_told:
        world.http.sales -= 1


def _waits(tmp_path: Path, is_told: bool, sales: int) -> dict[str, Any]:
    """Sell while a download runs: how long each sale took (device seconds), what came by air."""
    world = World(tmp_path)
    world.publish(2, image(2, PAYLOAD_BYTES))
    world.site = Shop(tmp_path / "site")
    waited: list[float] = []

    async def story(radio: Radio) -> None:
        loop = asyncio.get_running_loop()
        async with world.site.serve() as port:
            radio.network.route("127.0.0.1", 80, ("127.0.0.1", port))
            await radio.modem.connect("internet")
            update = asyncio.create_task(world.client.run_once())
            while not world.client._download:
                await asyncio.sleep(0.01)
            for _ in range(sales):
                # well inside a piece of 16 KiB
                await asyncio.sleep(2.5 / Radio.SCALE)
                start = loop.time()
                await _sale(world, is_told)
                waited.append((loop.time() - start) * Radio.SCALE)
            await update

    radio = Radio(seed=5, link=GPRS)
    world.reboot(radio.modem)
    radio.run(story, 60)
    return {
        "waited_s": waited,
        "down": radio.network.traffic.payload_down_bytes,
        "resets": world.resets,
    }


def test_a_sale_does_not_wait_for_a_download_and_the_download_ends(tmp_path: Path) -> None:
    behind = _waits(tmp_path / "behind", False, 3)
    first = _waits(tmp_path / "first", True, 3)
    assert max(first["waited_s"]) < min(behind["waited_s"]) / 2, "3.5 s against 12.7 s, as measured"
    assert first["resets"] == behind["resets"] == 1
    # What was on its way when the link was wanted is paid twice: less than 3 KiB a sale here.
    assert first["down"] - behind["down"] < 3 * 4096


def test_a_sale_waits_for_no_list_of_an_update_either(tmp_path: Path) -> None:
    """Metadata and prices are asked for again, and nothing is forgotten for it."""
    world = World(tmp_path)
    world.publish(2)
    world.site = Shop(tmp_path / "site")

    async def story(radio: Radio) -> None:
        async with world.site.serve() as port:
            radio.network.route("127.0.0.1", 80, ("127.0.0.1", port))
            await radio.modem.connect("internet")
            update = asyncio.create_task(world.client.run_once())
            for _ in range(6):
                await asyncio.sleep(2.5 / Radio.SCALE)
                await _sale(world, True)
            await update

    radio = Radio(seed=6, link=GPRS)
    world.reboot(radio.modem)
    radio.run(story, 60)
    assert world.switched_to() == 2
    assert world.new_catalogues == 1
