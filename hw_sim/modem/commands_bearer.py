"""The bearer that the SIM800's own applications use, beside the TCP/IP commands' context: SAPBR,
and the context that 27.007 knows: CGDCONT, CGACT. Clients of others open it before anything else.

Source: SIM800 series IP application note. The applications themselves (HTTP, FTP) are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.serial_line import SerialLine
from hw_sim.network.errors import PdpRefusedError
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.listener import NetworkListener
from hw_sim.network.pdp import PdpContext

_OPEN, _CLOSED = 1, 3


class Bearer:
    """Bearer profile 1; the others are refused. `attached` tells of GPRS."""

    def __init__(
        self,
        network: GsmNetwork,
        line: SerialLine,
        listener: NetworkListener,
        attached: Callable[[], bool],
    ) -> None:
        self._network = network
        self._line = line
        self._listener = listener
        self._attached = attached
        self._context: PdpContext | None = None
        self._settings: dict[str, str] = {}

    def reset(self) -> None:
        """The modem starts or goes off."""
        self._settings = {}
        self._drop()

    def commands(self) -> Table:
        """The commands about it."""
        return {
            "+SAPBR": Command(write=self._do, test="(0-4),(1),(...)"),
            "+CGDCONT": Command(write=_first),
            "+CGACT": Command(write=lambda c: None),
        }

    async def _do(self, command: AtCommand) -> None:
        what = command.number(0, 0, 4)
        command.number(1, 1, 1)
        if what == 3:
            self._settings[command.text(2).upper()] = command.text(3)
        elif what == 1:
            await self._open()
        elif what == 0:
            if not self._is_open:
                raise AtError(3)
            self._drop()
        elif what == 2:
            state = _OPEN if self._is_open else _CLOSED
            address = self._context.address if self._context and self._is_open else ""
            self._line.line(f'+SAPBR: 1,{state},"{address}"')
        else:
            for name, value in self._settings.items():
                self._line.line(f'+SAPBR: "{name}","{value}"')

    @property
    def _is_open(self) -> bool:
        return self._context is not None and self._context.active

    async def _open(self) -> None:
        if self._is_open or not self._attached():
            raise AtError(3)
        login = self._settings.get("USER", ""), self._settings.get("PWD", "")
        try:
            self._context = await self._network.activate_pdp(
                self._settings.get("APN", ""), self._listener, login
            )
        except PdpRefusedError:
            raise AtError(3) from None

    def _drop(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.deactivate()


def _first(command: AtCommand) -> None:
    command.number(0, 1, 1)
