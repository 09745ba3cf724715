"""A GSM modem on a UART, as far as its AT commands and its power key show it: a SIM800, or what
`dialect` makes of it.

The board calls the `UartPeer` methods and `on_power_key`; tests and the front panel may read the
public attributes. Behaviour follows the public SIM800 series AT command manual (V1.09) and what
users of the part report; where the two differ, the harsher for a driver is chosen and said.

Choices worth knowing:

- Fixed baud rate: RDY and the other start-up lines are sent (under autobauding the part keeps
  silent).
- Host bytes while the modem is off or starting are lost. While a command runs they wait in a buffer
  of `INPUT_BUFFER_BYTES`; beyond it they are lost and counted.
- +CIPRXGET: 1 comes once until everything was read.
- Unread data outlives CLOSED, not AT+CIPCLOSE, AT+CIPSHUT or +PDP: DEACT.
- AT+CLTS=1 acts at the next registration. Without it the clock starts at 2004-01-01.
- Output leaves at the UART's real baud rate whatever the time scale, as the CPU at the other end is
  not faster either; baud None is no limit.
- A call is heard, refused and hung up, never spoken in.
- A network that refused the card is asked again only after a start, the radio off and on, or
  AT+COPS.
- Not modelled, answered ERROR: the HTTP commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hw_sim.modem.at import AtCommand
from hw_sim.modem.command_table import NO_RESULT, Command, Table
from hw_sim.modem.commands_bearer import Bearer
from hw_sim.modem.commands_call import Calls
from hw_sim.modem.commands_clock import Clock
from hw_sim.modem.commands_identity import Identity
from hw_sim.modem.commands_network import Registrar
from hw_sim.modem.commands_sim import SimHolder
from hw_sim.modem.commands_sms import Messages
from hw_sim.modem.commands_tcp import TcpCommands
from hw_sim.modem.commands_tcp_m95 import M95TcpCommands
from hw_sim.modem.commands_ussd import Ussd
from hw_sim.modem.consumption import Draw, Meter
from hw_sim.modem.dialect import M95 as M95_DIALECT
from hw_sim.modem.dialect import SIM800, Dialect
from hw_sim.modem.interpreter import Interpreter
from hw_sim.modem.ip_stack import IpStack
from hw_sim.modem.part_faults import PartFaults
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.modem.tasks import Tasks
from hw_sim.network.faults import Cure
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sim_card import Registration
from hw_sim.uart import unconnected

POWER_KEY_HOLD_S: Final = 1.0


class GsmPart:
    """The modem. Off until power is there and the power key was low for a second.

    `battery_mv` is asked for AT+CBC. Delays are device seconds, run at the network's time scale.
    `line` is its end of the serial line, with counters of lost bytes and a transcript; `meter` is
    what it drew, `faults` is what it does wrong.
    """

    send: Callable[[bytes], None]
    dialect: Dialect = SIM800
    _tcp: type[TcpCommands | M95TcpCommands] = TcpCommands

    def __init__(
        self,
        network: GsmNetwork,
        *,
        imei: str = "866104020000012",
        battery_mv: Callable[[], int] = lambda: 3950,
        boot_s: float = 2.5,
        sim_ready_s: float = 1.0,
        sms_ready_s: float = 3.0,
        shutdown_s: float = 1.5,
        answer_delay_s: float = 0.01,
        baud: int | None = 115200,
    ) -> None:
        self.network = network
        self.send = unconnected
        self.imei = imei
        self._battery_mv = battery_mv
        self._boot_s = boot_s
        self._shutdown_s = shutdown_s
        self._pace = pace = network.pace
        self._power = False
        self._running = False
        self._stopping = False
        self._starts_silently = False
        self.meter = Meter(pace)
        self._hung = False
        self._key_timer: asyncio.TimerHandle | None = None
        self._tasks = Tasks()
        self._settings = Settings(self.dialect)
        self.line = SerialLine(pace, self._settings, lambda data: self.send(data), baud)
        self._clock = Clock(network, self.line, self._settings)
        self._sim = SimHolder(network)
        self._ip = IpStack(
            network, self.line, self._tasks, self.dialect, self, lambda: self.attached
        )
        self._bearer = Bearer(network, self.line, self, lambda: self.attached)
        self._calls = Calls(network, self.line, self._settings, self._tasks, self.dialect)
        self._registrar = Registrar(
            network,
            self._sim,
            self._clock,
            self._ip,
            self.line,
            self._settings,
            self._tasks,
            self.meter,
            sim_ready_s=sim_ready_s,
            sms_ready_s=sms_ready_s,
            restart=self._restart,
        )
        self._messages = Messages(network, self._sim, self.line)
        self._ussd = Ussd(network, self.line, self._tasks)
        self._messages.registered = self._ussd.registered = self._registrar.has_network
        self._registrar.on_registered = self._messages.collect
        self._interpreter = Interpreter(
            self.line, self._settings, self._all_commands(), pace, answer_delay_s
        )
        self.faults = PartFaults(
            self.line, self._interpreter, self._tasks, pace, self._shut_down, self.dialect
        )

    # -- trouble: for tests, scripts and the front panel ------------------------------------------

    def hang(self) -> None:
        """The part's own software hangs: not a byte in or out till it is switched off."""
        self._hung = True
        self.line.listening = self.line.talking = False
        self.line.clear()

    def crash(self, *, silent: bool = False) -> None:
        """The part restarts by itself, as after a dip of its supply: the next word is RDY, or none
        at all with `silent`, as of one that waits for the host's baud rate.
        """
        self._starts_silently = silent
        self._restart()
        self._starts_silently = False

    # -- what people may look at ------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether the modem is switched on and past its start-up."""
        return self._running

    @property
    def registration(self) -> Registration:
        """What +CREG would say."""
        return self._registrar.registration

    @property
    def ip_state(self) -> str:
        """What AT+CIPSTATUS would say."""
        return self._ip.said

    @property
    def attached(self) -> bool:
        """Whether the terminal is attached to GPRS."""
        return self._registrar.attached

    # -- the board's side -------------------------------------------------------------------------

    def on_power(self, on: bool) -> None:
        """Supply came or went. Coming up, the modem stays off until its key is pressed."""
        if on == self._power:
            return
        self._power = on
        if on:
            self._clock.start()
            return
        self._let_key_go()
        self._stop()

    def on_power_key(self, low: bool) -> None:
        """PWRKEY moved: held low for a second it switches on, or shuts down in good order."""
        self._let_key_go()
        if low and self._power:
            self._key_timer = self._pace.call_later(POWER_KEY_HOLD_S, self._key_held)

    def on_host_bytes(self, data: bytes) -> None:
        """Bytes from the CPU: lost while the modem is off, kept in a buffer while it is busy."""
        self.line.take(data)

    # -- the network's side -----------------------------------------------------------------------

    def on_network_change(self) -> None:
        """The network calls: coverage, admission or signal changed."""
        self._registrar.on_network_change()

    def on_sim_change(self) -> None:
        """The network calls: a card came or went; only its going is noticed before a restart."""
        if self._running and self._sim.notice_removal():
            self.line.line("+CPIN: NOT READY")
            self._registrar.leave()

    def on_sms(self) -> None:
        """The network calls: a message waits."""
        self._messages.collect()

    def on_call(self, number: str, seconds: float) -> None:
        """The network calls: somebody rings."""
        self._calls.rings(number, seconds)

    def on_pdp_deactivated(self) -> None:
        """The network calls: the data context is gone."""
        self._ip.lose_context()

    # -- power ------------------------------------------------------------------------------------

    def _let_key_go(self) -> None:
        if self._key_timer is not None:
            self._key_timer.cancel()
            self._key_timer = None

    def _key_held(self) -> None:
        self._key_timer = None
        if self._stopping:
            return
        if self._tasks:
            self._shut_down(announce=True)
        else:
            self._start()

    def _start(self) -> None:
        self._settings.restore()
        self._hung = False
        self._sim.reset()
        self._ip.reset()
        self._registrar.reset()
        self._calls.reset()
        self._messages.reset()
        self.line.reset()
        self.line.talking = True
        self.meter.turn(Draw.CAMPED)
        self._tasks.spawn(self._run(self._starts_silently))
        self._tasks.spawn(self.line.carry_out())

    async def _run(self, is_silent: bool) -> None:
        await self._pace.sleep(self._boot_s)
        self._running = True
        self.line.listening = not (self._hung or self._stopping)
        self.line.now_awake()
        self.network.listeners.attach(self)
        self._sim.look()
        if not is_silent:
            self.line.line("RDY")
            self.line.line(f"+CFUN: {self._registrar.level}")
        self._registrar.begins_silently = is_silent
        self._registrar.begin()
        await self._interpreter.run()

    def _stop(self) -> None:
        self._running = self._stopping = False
        self.line.listening = self.line.talking = False
        self.network.listeners.detach(self)
        self._ip.shut()
        self._bearer.reset()
        self._tasks.cancel_all()
        self.line.clear()
        self.meter.turn(Draw.OFF)
        self.network.faults.cured(Cure.POWER)

    def _shut_down(self, *, announce: bool) -> None:
        if announce and self._running:
            self.line.line("NORMAL POWER DOWN")
        self._stopping = True
        self.line.listening = self.line.talking = False
        self.network.listeners.detach(self)
        self._ip.shut()
        self._bearer.reset()
        self._registrar.registration = Registration.IDLE
        self._pace.call_later(self._shutdown_s, self._shut_down_done)

    def _shut_down_done(self) -> None:
        if not self._stopping:
            return
        if self.line.idle:
            self._stop()
        else:  # the farewell line leaves at the baud rate, however hasty the scale
            self._pace.unscaled.call_later(0.01, self._shut_down_done)

    def _restart(self) -> None:
        if self._running:
            self._stop()
            self._start()

    # -- commands ---------------------------------------------------------------------------------

    def _all_commands(self) -> Table:
        identity = Identity(self.dialect, self.imei, self.line, self._battery_mv)
        tcp = self._tcp(self._ip, self.line, self._settings, self._pace)
        return {
            **self._settings.commands(),
            self.dialect.power_down: Command(every=self._power_down, test=None),
            **identity.commands(),
            **self._sim.commands(),
            **self._registrar.commands(),
            **self._clock.commands(),
            **self._calls.commands(),
            **self._messages.commands(),
            **self._ussd.commands(),
            **tcp.commands(),
            **(self._bearer.commands() if self.dialect is SIM800 else {}),
        }

    def _power_down(self, command: AtCommand) -> str:
        self._shut_down(announce=bool(command.number(0, 0, 1)))
        return NO_RESULT


class Sim800(GsmPart):
    """A SIMCom SIM800."""


class M95(GsmPart):
    """A Quectel M95."""

    dialect = M95_DIALECT
    _tcp = M95TcpCommands
