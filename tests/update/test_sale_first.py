"""A sale does not wait behind a download, on the simulated GSM network: what it takes and costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.duties.check_in import CheckIn
from firmware.kept.files import Kept
from firmware.net.link import Link
from firmware.office import ask, check_in, stock_delivery
from firmware.office.messenger import NoNetwork
from firmware.terminal import Terminal
from hw_sim.network.link import LinkProfile
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
            radio.network.internet.route("127.0.0.1", 80, ("127.0.0.1", port))
            await radio.modem.connect("internet")
            update = asyncio.create_task(world.client.run_once())
            while not (world.client.offer and world.client.offer.download):
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
            radio.network.internet.route("127.0.0.1", 80, ("127.0.0.1", port))
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


def test_the_terminal_holds_downloads_back_for_just_as_long_as_a_sale_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = _customers_terminal()
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((app.http.sales, app.till.under_way))

    async def answers(*of: Any) -> str:
        look()
        return ""

    async def hears_nothing(*of: Any) -> str:
        look()
        raise NoNetwork("no answer")

    async def is_cut(*of: Any) -> str:
        look()
        raise ValueError

    sale: Any = SimpleNamespace(sequence=7)
    monkeypatch.setattr(ask, "ask", answers)
    assert asyncio.run(app.fetch_voucher(sale)) == ""
    monkeypatch.setattr(ask, "ask", hears_nothing)
    assert asyncio.run(app.fetch_voucher(sale)) is None
    monkeypatch.setattr(ask, "ask", is_cut)
    with pytest.raises(ValueError):
        asyncio.run(app.fetch_voucher(sale))
    assert seen == [(1, 7)] * 3, "and no sync asks for it besides"
    assert (app.http.sales, app.till.under_way) == (0, 0)


def test_and_for_as_long_as_it_asks_whose_meter_that_is() -> None:
    app = _customers_terminal()
    seen: list[int] = []
    answers: list[Any] = [{1: 0, 2: "Asha", 3: 0, 4: 0}, NoNetwork("no answer")]

    async def exchange(kind: int, question: Any) -> Any:
        seen.append(app.http.sales)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    app.messenger = SimpleNamespace(exchange=exchange)
    found = asyncio.run(app.look_up("power", "37190000016", 5000))
    assert found is not None and found.name == "Asha"
    assert asyncio.run(app.look_up("power", "37190000016", 5000)) is None
    assert (seen, app.http.sales) == ([1, 1], 0)


def _customers_terminal() -> Any:
    """The terminal's own way to ask, without the parts that asking does not need."""
    app: Any = Terminal.__new__(Terminal)
    app.http = SimpleNamespace(sales=0)
    app.messenger = None
    app.till = SimpleNamespace(under_way=0)
    app.link = Link(SimpleNamespace())
    return app


def _duty(waits: Any, kept: dict[str, Any], trial: bool = False) -> tuple[CheckIn, Any]:
    """A terminal's check-in, and the terminal, without the parts that it does not need."""
    boot = SimpleNamespace(last_failure=None, release=1, slot="a", trial=trial, boot_count=3)
    updates = SimpleNamespace(refusal=None, waits=waits, reported=lambda refusal: None)
    app: Any = SimpleNamespace(
        boot_info=boot,
        updates=updates,
        journal=None,
        messenger=SimpleNamespace(sms_to="", coap_port=0, notices=None),
        till=SimpleNamespace(blocked=False, stolen=False),
        memory=SimpleNamespace(get=kept.get, put=kept.__setitem__),
        stock=None,
        files=Kept(False),
        config=SimpleNamespace(poll_s=900),
        link=Link(SimpleNamespace(signal=20)),
        now=lambda: 1790000000,
        battery=SimpleNamespace(mv=3900),
        clock=SimpleNamespace(set=lambda time: None),
        board=SimpleNamespace(rtc=SimpleNamespace(datetime=lambda when=None: None), random=bytes),
    )
    return CheckIn(app), app


@pytest.mark.parametrize("waits", [None, [2, "battery"]])
def test_a_check_in_says_what_the_update_waits_for_and_nothing_if_it_does_not(
    monkeypatch: pytest.MonkeyPatch, waits: Any
) -> None:
    told: list[dict[int, Any]] = []

    async def server(journal: Any, messenger: Any, till: Any, status: dict[int, Any]) -> Any:
        told.append(status)
        return 1790000000, None, [], []

    async def no_stock(*of: Any) -> int:
        return 0

    monkeypatch.setattr(check_in, "check_in", server)
    monkeypatch.setattr(stock_delivery, "fetch_stock", no_stock)
    kept: dict[str, Any] = {}
    duty, app = _duty(waits, kept)
    app.messenger.coap_port = 5683  # as the office says
    duty.done = True
    asyncio.run(duty.run())
    assert told[0].get(12) == waits
    assert (12 in told[0]) == (waits is not None)
    assert kept == {"coap_port": 5683}, "the road that the office told of, and nothing else is new"


@pytest.mark.parametrize(("trial", "port"), [(False, 5683), (True, 0)])
def test_a_start_has_the_road_of_before_but_a_trial_must_show_that_it_has_the_other(
    trial: bool, port: int
) -> None:
    """A release that could only speak by datagram would be confirmed, and fetch nothing more."""
    _, app = _duty(None, {"coap_port": 5683}, trial)
    assert app.messenger.coap_port == port
