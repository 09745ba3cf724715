"""The terminal's whole way to the server on simulated time, without the terminal: radio duty, link,
HTTP client, ladder, driver; the simulated modem and network; a small server on the same loop.

Everything is one event loop (`SimulatedLoop`), so hours take moments and any run repeats.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

# Loaded before the clock is set: what is loaded by name later has the host's.
import firmware.net.modem.climb
import firmware.net.modem.joining
import firmware.net.modem.m95
import firmware.net.modem.names
import firmware.net.modem.sim800
import firmware.net.modem.start  # noqa: F401
from bootloader.shared.partitions import Partition
from firmware import bell
from firmware.duties.radio import Radio as RadioDuty
from firmware.net.http_client import HttpClient
from firmware.net.link import Link
from firmware.net.modem.driver import Modem
from firmware.office.messenger import NoNetwork, http_post
from firmware.sales.journal import Journal
from firmware.sales.ring import SECTOR_BYTES
from hw_sim.flash.part import NorFlash
from hw_sim.modem import GsmPart, Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import LinkProfile
from hw_sim.pacing import Pace
from hw_sim.simulated_loop import SimulatedLoop

STEADY = LinkProfile()
HOST, PORT = "duka.example", 80
BYTE_S = 10 / 115200
BEGIN_UNIX_S = 1_800_000_000.0


class LoopPace(Pace):
    """The clock of the running simulated loop, calendar and all."""

    @property
    def unscaled(self) -> Pace:
        """This clock: it has no other."""
        return self

    def unix_s(self) -> float:
        """The world's calendar."""
        return BEGIN_UNIX_S + self.now_s()


class Flag:
    """MicroPython's ThreadSafeFlag, for CPython."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Ring."""
        self._event.set()

    async def wait(self) -> None:
        """Until it rang."""
        await self._event.wait()
        self._event.clear()


class Uart:
    """`board.uart("modem")`, with an interrupt when bytes have come; as small a FIFO as a board's,
    what finds it full is lost.
    """

    IRQ_RXIDLE = 1
    SIZE_BYTES = 1024

    def __init__(self, part: GsmPart) -> None:
        self._part = part
        self._fifo = bytearray()
        self._ring: Callable[[Any], None] = lambda uart: None
        self._loop = cast(SimulatedLoop, asyncio.get_running_loop())
        self._flooded_until_s = 0.0
        part.send = self._take

    def flood(self, seconds: float) -> None:
        """Bytes come as fast as the CPU reads them, for that long or while the part has power."""
        self._flooded_until_s = self._loop.time() + seconds
        self._ring(self)

    @property
    def _is_flooded(self) -> bool:
        if not self._part.line.talking:
            self._flooded_until_s = 0.0
        return self._loop.time() < self._flooded_until_s

    def _take(self, data: bytes) -> None:
        self._fifo += data[: self.SIZE_BYTES - len(self._fifo)]
        self._ring(self)

    def irq(self, handler: Callable[[Any], None], trigger: int) -> None:
        """Call back when bytes came."""
        self._ring = handler

    def any(self) -> int:
        """Bytes that wait."""
        return self.SIZE_BYTES if self._is_flooded else len(self._fifo)

    def readinto(self, buf: Any) -> int | None:
        """As many as fit."""
        if self._is_flooded:
            # Reading them takes as long as they take on the wire: the FIFO is never empty.
            self._loop.pass_time(len(buf) * BYTE_S)
            buf[:] = b"#" * len(buf)
            return len(buf)
        size = min(len(buf), len(self._fifo))
        buf[:size] = self._fifo[:size]
        del self._fifo[:size]
        return size or None

    def write(self, data: Any) -> int:
        """All of it."""
        self._part.on_host_bytes(bytes(data))
        return len(data)


class Office:
    """The server: one answer for a key, for ever. `served`: how often each key was asked for."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.served: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: Any) -> None:
        """One connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: Any) -> None:
        while line := await reader.readline():
            length = 0
            while (header := await reader.readline()).strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length) if length else b""
            key = body.decode() if body else line.split()[1].decode()
            self.served[key] = self.served.get(key, 0) + 1
            answer = f"answer to {key}".encode() if body else b"f" * 4096
            writer.write(b"HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


class Asking:
    """What is asked of the office: `sell` as a sale is, `check_in` as the duty does."""

    def __init__(self, http: HttpClient, link: Link) -> None:
        self._http = http
        self._post = http_post(http)
        self._link = link
        self._number = 0
        self.checked_in = 0

    async def ask(self, key: str) -> None:
        """One message, asked again at once if it may have been seen. Raises NoNetwork."""
        for is_last in (False, True):
            try:
                _, body = await self._post(key.encode())
            except NoNetwork as error:
                if is_last or not error.may_be_seen:
                    raise
            else:
                assert body == f"answer to {key}".encode(), (key, body)
                return

    # as `duties.check_in.CheckIn`

    def is_due(self) -> bool:
        """Every hour, and whenever nobody knows whether there is a network."""
        return False

    async def run(self) -> None:
        """Check in."""
        self._number += 1
        await self.ask(f"check-in {self._number}")
        self._link.reached()
        self.checked_in += 1


class NoWatchdog:
    """As `duties.supervisor.Supervisor`, on a board that has no watchdog to feed."""

    async def rest(self, pause: Awaitable[object]) -> object:
        """Await it."""
        return await pause


class Driven:
    """One terminal's radio. `part` and `network` are the simulator's, `modem`, `link`, `http` and
    `duty` the firmware's; `log` is what the driver logged, with the second it did.
    """

    def __init__(self, seed: int, part: type[GsmPart] = Sim800, **network: Any) -> None:
        self.pace = LoopPace()
        self.loop = asyncio.get_running_loop()
        settings: dict[str, Any] = {"seed": seed, "pace": self.pace, "link": STEADY}
        self.network = GsmNetwork(**(settings | network))
        self.part = part(self.network)
        self.key_presses = 0
        self.idle_ms = 1_000_000
        """Since a key was touched: long ago."""
        self.log: list[tuple[float, str]] = []
        self.uart = Uart(self.part)
        self.modem = Modem(self.uart, self, self._note)
        self.link = Link(self.modem)
        self.http = HttpClient(self.modem, HOST, PORT)
        self.http.told = self.modem.outcome
        self.office = Office(self.pace)
        self.network.internet.serve(HOST, PORT, self.office.serve)
        self.asking = Asking(self.http, self.link)
        rolls = random.Random(seed)
        config = SimpleNamespace(apn="internet", apn_login=("", ""), sync_s=86400)
        flash = NorFlash(size_bytes=4 * SECTOR_BYTES)
        journal = Journal(Partition(flash, 0, flash.size_bytes), lambda: 0)
        journal.mount()  # nothing to sync
        messenger = SimpleNamespace(told=0, sms_to="", notices=None)
        till = SimpleNamespace(unfinished=lambda: (), give_up_lost=lambda: None)
        terminal = SimpleNamespace(
            link=self.link,
            config=config,
            board=SimpleNamespace(random=rolls.randbytes),
            ui=SimpleNamespace(idle_ms=lambda: self.idle_ms),
            journal=journal,
            messenger=messenger,
            till=till,
            supervisor=NoWatchdog(),
            catalogue=SimpleNamespace(wipe_after_s=0),
            now=lambda: 0,
        )
        self.config = config
        self.terminal = terminal
        self.duty = RadioDuty(terminal, self.asking)
        self.part.on_power(True)

    def _note(self, text: str) -> None:
        self.log.append((self.now_s, text))

    @property
    def now_s(self) -> float:
        """Simulated seconds since the loop was made."""
        return self.loop.time()

    def value(self, level: int) -> None:
        """The power key's pin."""
        self.key_presses += level == 0
        self.part.on_power_key(level == 0)

    async def until(self, happens: Callable[[], object], most_s: float, what: str = "") -> float:
        """Let time pass until it is so; how long it took. Fails if not within `most_s`."""
        begun_s = self.now_s
        while not happens():
            said = "\n".join(f"{s:9.1f} {text}" for s, text in self.log[-30:])
            assert self.now_s - begun_s < most_s, f"not within {most_s} s: {what}\n{said}"
            await asyncio.sleep(0.1)
        return self.now_s - begun_s

    async def online(self, most_s: float = 600) -> float:
        """Until a check-in from now on is answered; how long that took."""
        before = self.asking.checked_in
        self.link.lost()
        self.link.hurry()
        return await self.until(lambda: self.asking.checked_in > before, most_s, "online")


def _with_a_clock() -> list[Any]:
    """The firmware's modules loaded now that read the clock."""
    of_the_firmware = (it for name, it in sys.modules.items() if name.startswith("firmware."))
    return [module for module in of_the_firmware if hasattr(module, "ticks_ms")]


@contextmanager
def device_time(loop: SimulatedLoop) -> Iterator[None]:
    """The firmware's clock is that of the loop; `asyncio` has what MicroPython's has besides.

    Raises AssertionError if a module was loaded meanwhile that has the host's clock.
    """

    def ticks_ms() -> int:
        return int(loop.time() * 1000) % (1 << 30)

    async def wait_for_ms(work: Any, ms: int) -> Any:
        return await asyncio.wait_for(work, ms / 1000)

    async def sleep_ms(ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    has_besides: dict[str, Any] = {
        "ThreadSafeFlag": Flag,
        "wait_for_ms": wait_for_ms,
        "sleep_ms": sleep_ms,
    }
    with mock.patch.multiple(asyncio, create=True, **has_besides):
        patches: list[Any] = [
            mock.patch.object(module, "ticks_ms", ticks_ms) for module in _with_a_clock()
        ]
        # Its beats count from when it was loaded: here from the loop's start, not the host's.
        patches.append(mock.patch.object(bell, "_FIRST", 0))
        for patch in patches:
            patch.start()
        try:
            yield
            late = [it.__name__ for it in _with_a_clock() if it.ticks_ms is not ticks_ms]
            assert not late, f"load before the clock is set: {late}"
        finally:
            for patch in patches:
                patch.stop()


def drive(
    story: Callable[[Driven], Coroutine[Any, Any, Any]], seed: int = 1, **network: Any
) -> Any:
    """Run `story` on a new `Driven` whose radio duty runs beside it; what it returns."""

    async def everything() -> Any:
        driven = Driven(seed, **network)
        duty = asyncio.create_task(driven.duty.run())
        telling = asyncio.create_task(story(driven))
        try:
            await asyncio.wait((duty, telling), return_when=asyncio.FIRST_COMPLETED)
            if duty.done():
                duty.result()  # it never ends but by an error
            return await telling
        finally:
            driven.part.on_power(False)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.wait(others)

    loop = SimulatedLoop()
    with device_time(loop), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop()
        work = everything()

        async def flowing() -> Any:
            task = asyncio.current_task()
            assert task is not None
            loop.flow_for(task)
            return await work

        return runner.run(flowing())
