"""The modem's own TCP/IP stack: the data context and its connections, one or up to six.

For `hw_sim.modem` only. Source: SIM800 AT manual, chapter "TCPIP application toolkit", and
the TCPIP application note's state diagram; the M95's is the same under other names. Server mode is
not modelled (refused).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from hw_sim.modem.at import AtError
from hw_sim.modem.connection import Connection, Modes, Step
from hw_sim.modem.dialect import Dialect
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.tasks import Tasks
from hw_sim.network.errors import PdpRefusedError
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.listener import NetworkListener
from hw_sim.network.pdp import PdpContext

CONNECTIONS: Final = 6


class IpState(Enum):
    """What AT+CIPSTATUS says of the context."""

    INITIAL = "IP INITIAL"
    START = "IP START"
    CONFIG = "IP CONFIG"
    GPRS_ACTIVE = "IP GPRSACT"
    STATUS = "IP STATUS"
    PDP_DEACTIVATED = "PDP DEACT"


_HAS_ADDRESS = {IpState.GPRS_ACTIVE, IpState.STATUS}


class IpStack:
    """One PDP context and its connections, driven by the AT commands."""

    def __init__(
        self,
        network: GsmNetwork,
        line: SerialLine,
        tasks: Tasks,
        dialect: Dialect,
        listener: NetworkListener,
        attached: Callable[[], bool],
    ) -> None:
        """`listener` hears when the network takes the context; `attached` tells of GPRS."""
        self._network = network
        self._line = line
        self._tasks = tasks
        self._dialect = dialect
        self._listener = listener
        self._attached = attached
        self._context: PdpContext | None = None
        self.modes = Modes()
        self.connections = [
            Connection(number, line, tasks, self.modes, dialect) for number in range(CONNECTIONS)
        ]
        self.apn = ""
        """The access point name that was set."""
        self.login = ("", "")
        self.state = IpState.INITIAL

    @property
    def said(self) -> str:
        """The state in the part's words: that of the one connection, where there is but one."""
        one = self.connections[0]
        if self.modes.several:
            used = any(each.state is not None for each in self.connections)
            return "IP PROCESSING" if used else self.state.value
        return self.state.value if one.state is None else one.said

    # -- bringing the context up and down ---------------------------------------------------------

    def set_apn(self, apn: str, login: tuple[str, str] = ("", "")) -> None:
        """Set the access point and start: only from IP INITIAL. `login`: its user and password."""
        self._require(IpState.INITIAL)
        if max(len(apn), *map(len, login)) > 50:
            raise AtError(50)
        self.apn = apn
        self.login = login
        self.state = IpState.START

    async def bring_up(self) -> None:
        """Only from IP START; failure leaves PDP DEACT, which only `shut` leaves."""
        self._require(IpState.START)
        self.state = IpState.CONFIG
        try:
            if not self._attached():
                raise PdpRefusedError("not attached")
            context = await self._network.activate_pdp(self.apn, self._listener, self.login)
        except PdpRefusedError as refusal:
            self.state = IpState.PDP_DEACTIVATED
            self._line.line(self._dialect.context_lost)
            code = 133 if "contract" in str(refusal) else 148
            raise AtError(code) from None
        self._context = context
        self.state = IpState.GPRS_ACTIVE

    def local_address(self) -> str:
        """The address; the step that makes IP GPRSACT into IP STATUS."""
        if self.state not in _HAS_ADDRESS or self._context is None:
            raise AtError(3)
        self.state = IpState.STATUS
        return self._context.address

    def shut(self) -> None:
        """Everything down without a word, from any state."""
        self._drop_connections()
        self._drop_context()
        self.state = IpState.INITIAL

    def lose_context(self) -> None:
        """The context is gone (network, detach, radio off): said if there was one."""
        had_context = self._context is not None
        connecting = [each for each in self.connections if each.state is Step.CONNECTING]
        self._drop_connections()
        self._drop_context()
        if not had_context:
            return
        self.state = IpState.PDP_DEACTIVATED
        for connection in connecting:
            connection.fails(self.state.value)
        self._line.line(self._dialect.context_lost)

    def reset(self) -> None:
        """The modem starts: nothing is set."""
        self.shut()
        modes = self.modes
        modes.several = modes.manual_receive = modes.quick_send = modes.header = False

    # -- connections ------------------------------------------------------------------------------

    @property
    def occupied(self) -> bool:
        """Whether any connection exists or is being made."""
        return any(each.occupied for each in self.connections)

    def may_connect(self) -> bool:
        """Whether a connection may be made in this state."""
        return self.state in (IpState.INITIAL, IpState.STATUS)

    def start_connecting(self, connection: Connection, kind: str, name: str, port: int) -> None:
        """The outcome comes later as CONNECT OK or CONNECT FAIL. `kind`: TCP or UDP."""
        connection.kind = kind
        connection.remote = name, port
        connection.drop()
        is_first = self.state is IpState.INITIAL
        if is_first:
            self.state = IpState.START
        else:
            connection.begin()
        connection.work = self._tasks.spawn(self._connect(connection, is_first))

    async def _connect(self, connection: Connection, bring_up_first: bool) -> None:
        # from IP INITIAL the part sets the default access point and brings it up by itself
        if bring_up_first:
            try:
                await self.bring_up()
            except AtError:
                connection.fails(self.state.value)
                return
            self.state = IpState.STATUS
            connection.begin()
        assert self._context is not None
        await connection.connect(self._context)

    def resolve_later(self, name: str, tell: Callable[[str | None], None]) -> None:
        """Ask for a name's address, and `tell` it in its own time."""
        context = self._context
        if self.state not in _HAS_ADDRESS or context is None:
            raise AtError(3)

        async def resolve() -> None:
            tell(await context.resolve(name))

        self._line.line("OK")
        self._tasks.spawn(resolve())

    # -- inside -----------------------------------------------------------------------------------

    def _drop_connections(self) -> None:
        for connection in self.connections:
            connection.drop()

    def _drop_context(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.deactivate()

    def _require(self, state: IpState) -> None:
        if self.state is not state:
            raise AtError(3)
