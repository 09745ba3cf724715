"""The CPU of a board that runs its program on CPython: the face of `hw_sim.cpu.Cpu`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hw_sim.bus import BusServer, Handler
from hw_sim.flash import NorFlash
from hw_sim.hosted.chip import Chip, Port, Sizes, romfs_bytes
from hw_sim.hosted.imports import Sources
from hw_sim.hosted.link import Link
from hw_sim.pacing import Turn
from hw_sim.simulated import SimulatedLoop


def has_program(flash: NorFlash, romfs_limit_bytes: int) -> bool:
    """Whether a start-up ROM would find something to run; looked at past the chip."""
    return bool(romfs_bytes(flash.cells.memory[:8], romfs_limit_bytes))


class HostedCpu:
    """One start of the chip. `on_exit(cpu, AT_PROMPT)` comes on the loop when the program has come
    to its end; a program that was killed tells nobody.
    """

    pid: int | None = None
    """It has no process."""

    def __init__(
        self,
        turn: Turn,
        serve: Handler,
        bus: BusServer,
        port: Port,
        sources: Sources,
        sizes: Sizes,
        on_exit: Callable[[HostedCpu, int], None],
    ) -> None:
        """Put it together, on the simulated loop that runs. `sources`: see `imports.Sources`."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop), "a hosted CPU needs simulated time"
        self._on_exit = on_exit
        self._link = Link(loop, turn, serve, self._run)
        self._chip = Chip(
            self._link.request, port, sources, sizes, bus.take_flash_changed, bus.fault
        )
        self._chip.is_gone = lambda: self._link.is_cut

    def start(self) -> None:
        """Let it run until it first waits."""
        self._link.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not (self._link.ended or self._link.is_cut)

    def look(self) -> tuple[float, bool]:
        """As of an interpreter; here the link looks itself."""
        return 0.0, False

    def kill(self) -> None:
        """End it as the loss of its supply does, wherever it is."""
        self._link.cut()

    def _run(self) -> None:
        status: int | None = None
        try:
            status = self._chip.run()
        finally:
            self._link.is_cut = True  # what is cleared away reaches nothing any more
            self._chip.clear_away()
            if status is not None:
                ended = status
                self._link.call_back(lambda: self._on_exit(self, ended))
