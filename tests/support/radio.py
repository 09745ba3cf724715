"""The firmware's modem driver wired to the simulated SIM800, in one asyncio loop, for tests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from firmware.net.modem.driver import Modem
from hw_sim.modem import Sim800
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.link import WIRE


class WiredUart:
    """`board.uart("modem")` whose far end is `peer`; what arrives is cut as `chunk` says."""

    def __init__(self, peer: Any, chunk: Callable[[], int] = lambda: 64) -> None:
        self._peer = peer
        self._fifo = bytearray()
        self._chunk = chunk
        peer.send = self._fifo.extend

    def any(self) -> int:
        return len(self._fifo)

    def readinto(self, buf: Any) -> int | None:
        size = min(len(buf), len(self._fifo), max(1, self._chunk()))
        buf[:size] = self._fifo[:size]
        del self._fifo[:size]
        return size or None

    def write(self, data: Any) -> int:
        self._peer.on_host_bytes(bytes(data))
        return len(data)


class PowerKey:
    """The pin on the modem's PWRKEY."""

    def __init__(self, modem: Sim800) -> None:
        self._modem = modem
        self.presses = 0

    def value(self, level: int) -> None:
        self.presses += level == 0
        self._modem.on_power_key(level == 0)


class Radio:
    """`network`, `sim800` (the part) and `modem` (our driver); device time runs `SCALE` times
    faster."""

    SCALE = 40

    def __init__(self, seed: int = 0, **network: Any) -> None:
        settings: dict[str, Any] = {"link": WIRE, "time_scale": self.SCALE, "seed": seed}
        self.network = GsmNetwork(**(settings | network))
        self.sim800 = Sim800(self.network, baud=None)
        sizes = random.Random(seed)
        self.uart = WiredUart(self.sim800, lambda: sizes.randint(1, 48))
        self.key = PowerKey(self.sim800)
        self.logged: list[str] = []
        self.modem = Modem(self.uart, self.key, self.logged.append)
        cell = self.modem.cell
        for waits in (self.modem, cell):
            for name in {"key_ms", "boot_ms", "pause_ms", "sim_ms", "denied_ms", "step_ms"}:
                if hasattr(waits, name):
                    setattr(waits, name, max(10, getattr(waits, name) // self.SCALE))
        cell.answer_ms = 30
        cell.registration_ms = 600
        self.modem.boot_ms = 400

    def run(self, story: Callable[[Radio], Any], limit_s: float = 20) -> Any:
        """Power on, run `story(radio)` to its end, power off."""

        async def everything() -> Any:
            self.sim800.on_power(True)
            try:
                return await asyncio.wait_for(story(self), limit_s)
            finally:
                self.sim800.on_power(False)

        return asyncio.run(everything())
