"""USSD sessions: CUSD."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.tasks import Tasks
from hw_sim.network.gsm import GsmNetwork

_ANSWERS_S = 1.5


class Ussd:
    """The commands of one part; `registered` says whether it has a network."""

    def __init__(self, network: GsmNetwork, line: SerialLine, tasks: Tasks) -> None:
        self._network = network
        self._line = line
        self._tasks = tasks
        self.registered: Callable[[], bool] = lambda: False

    def commands(self) -> Table:
        """The command about USSD."""
        return {"+CUSD": Command(read=lambda: "1", write=self._ask, test="(0-2)")}

    def _ask(self, command: AtCommand) -> None:
        mode = command.number(0, 0, 2)
        if mode == 2:
            self._network.ussd.end()
        text = command.text(1, "")
        if mode != 1 or not text:
            return
        if not self.registered():
            raise AtError(30)
        self._tasks.spawn(self._answer(text))

    async def _answer(self, text: str) -> None:
        await self._network.pace.sleep(_ANSWERS_S)
        state, words = self._network.ussd.ask(text)
        self._line.line(f'+CUSD: {state},"{words}",15' if words else f"+CUSD: {state}")
