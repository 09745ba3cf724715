"""Calls: the part rings until somebody hangs up, answers or gives up. GSMBUSY or QREFUSECS, H, A,
CLIP, CLCC.

A call has the radio of a class B part: data stands still from the first RING to the end.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.dialect import Dialect
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.modem.tasks import Tasks
from hw_sim.network.gsm import GsmNetwork

_RING_EVERY_S: Final = 3.0


class Calls:
    """The one call that a part can have."""

    def __init__(
        self,
        network: GsmNetwork,
        line: SerialLine,
        settings: Settings,
        tasks: Tasks,
        dialect: Dialect,
    ) -> None:
        self._refuses_by, self._figure = dialect.refuses_calls
        self._network = network
        self._line = line
        self._settings = settings
        self._tasks = tasks
        self._call: asyncio.Task[None] | None = None
        self._number = ""
        self._refuses_all = False

    def reset(self) -> None:
        """The modem starts: calls are taken."""
        self._refuses_all = False
        self._end()

    def rings(self, number: str, seconds: float) -> None:
        """Somebody rings for that long."""
        faults = self._network.faults
        if self._refuses_all or self._call is not None:
            faults.calls_refused += 1
            return
        faults.calls_heard += 1
        self._number = number
        self._call = self._tasks.spawn(self._ring(seconds))

    def commands(self) -> Table:
        """The commands about calls."""
        return {
            self._refuses_by: Command(
                read=lambda: str(int(self._refuses_all)), write=self._refuse, test="(0-2)"
            ),
            "H": Command(every=lambda c: self._hang_up(), test=None),
            "+CHUP": Command(every=lambda c: self._hang_up()),
            "A": Command(every=lambda c: self._answer(), test=None),
            "+CLIP": self._settings.command("caller_id", 1, "(0,1)"),
            "+CLCC": Command(every=lambda c: self._list()),
        }

    async def _ring(self, seconds: float) -> None:
        self._network.suspend(True)
        try:
            async with self._network.pace.limit(seconds):
                while True:
                    self._line.line("RING")
                    if self._settings.now.caller_id:
                        self._line.line(f'+CLIP: "{self._number}",145,"",0,"",0')
                    await self._network.pace.sleep(_RING_EVERY_S)
        except TimeoutError:
            self._line.line("NO CARRIER")
        finally:
            self._network.suspend(False)
            self._call = None

    def _end(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _refuse(self, command: AtCommand) -> None:
        self._refuses_all = command.number(self._figure, 0, 2) > 0
        if self._refuses_all:
            self._end()

    def _hang_up(self) -> None:
        self._end()

    def _answer(self) -> None:
        if self._call is None:
            raise AtError(3)  # conversations are not modelled: who is answered hangs up
        self._end()

    def _list(self) -> None:
        if self._call is not None:
            self._line.line(f'+CLCC: 1,1,4,0,0,"{self._number}",145,""')
