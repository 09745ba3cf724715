"""Where the modem stands with the network, and the commands about it: CFUN, CREG, COPS, CGATT."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import NO_RESULT, Command, Table
from hw_sim.modem.commands_clock import Clock
from hw_sim.modem.commands_sim import SimHolder
from hw_sim.modem.consumption import Draw, Meter
from hw_sim.modem.ip_stack import IpStack
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.modem.tasks import Tasks
from hw_sim.network.faults import Cure
from hw_sim.network.gsm import GsmNetwork
from hw_sim.network.sim_card import Registration

OFF, FULL, FLIGHT = 0, 1, 4
"""Levels of AT+CFUN."""
_CHANGE_S: Final = 0.3
_ATTACH_S: Final = 1.0
_SCAN_S: Final = 10
_UNKNOWN_SIGNAL: Final = 99


class Registrar:
    """Registers, and attaches to GPRS, as far as SIM card, network and CFUN allow.

    `sim_ready_s` is how long a card takes to be read, `sms_ready_s` how long after that the part
    says that it is ready. `restart` starts the whole modem anew.
    """

    def __init__(
        self,
        network: GsmNetwork,
        sim: SimHolder,
        clock: Clock,
        ip: IpStack,
        line: SerialLine,
        settings: Settings,
        tasks: Tasks,
        meter: Meter,
        *,
        sim_ready_s: float,
        sms_ready_s: float,
        restart: Callable[[], None],
    ) -> None:
        self._network = network
        self._sim = sim
        self._clock = clock
        self._ip = ip
        self._line = line
        self._settings = settings
        self._tasks = tasks
        self._meter = meter
        self._sim_ready_s = sim_ready_s
        self._sms_ready_s = sms_ready_s
        self._restart = restart
        self._pace = network.pace
        sim.on_unlock = self.begin
        self.on_registered: Callable[[], None] = lambda: None
        self.reset()

    def reset(self) -> None:
        """The modem starts: at full function, and knows of no network."""
        self.registration = Registration.IDLE
        self.attached = False
        self.level = FULL
        self._operator_format = 0
        self._automatic = True
        self._timer: asyncio.Task[None] | None = None
        self._is_forbidden = False
        self.begins_silently = False
        self._network.faults.cured(Cure.POWER)

    def begin(self) -> None:
        """Read the card, then look for a network."""
        self._tasks.spawn(self._begin())

    def on_network_change(self) -> None:
        """Coverage, admission or signal changed. A network that refused the card is not asked
        again before a start, or before the radio or the choice of network was touched.
        """
        if not self._may_register or self._is_forbidden:
            return
        admission = self._network.admission()
        if admission is Registration.SEARCHING or self._registered:
            self._set(admission)
        elif self._timer is None and admission is not self.registration:
            self._look_for_network()

    def leave(self) -> None:
        """Let go of the network."""
        self._is_forbidden = False
        self._network.faults.cured(Cure.RADIO)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._detach()
        self._set(Registration.IDLE)

    def commands(self) -> Table:
        """The commands about the network."""
        put = self._settings.put
        return {
            "+CFUN": Command(
                read=lambda: str(self.level), write=self._set_level, test="(0,1,4),(0,1)"
            ),
            "+CREG": Command(
                read=lambda: self._fields(self._settings.now.creg),
                write=lambda c: put("creg", c, 2),
                test="(0-2)",
            ),
            "+CGREG": Command(
                read=lambda: self._fields(self._settings.now.cgreg, gprs=True),
                write=lambda c: put("cgreg", c, 2),
                test="(0-2)",
            ),
            "+CSQ": Command(show=lambda: f"+CSQ: {self._signal()},0", test="(0-31,99),(0-7,99)"),
            "+COPS": Command(read=self._operator, write=self._choose_operator, test=self._scan),
            "+CGATT": Command(
                read=lambda: str(int(self.attached)), write=self._attach, test="(0,1)"
            ),
        }

    # -- registration -----------------------------------------------------------------------------

    def has_network(self) -> bool:
        """Whether a network has the card."""
        return self._registered

    @property
    def _registered(self) -> bool:
        return self.registration in (Registration.HOME, Registration.ROAMING)

    @property
    def _may_register(self) -> bool:
        return self.level == FULL and self._automatic and self._sim.usable

    async def _begin(self) -> None:
        is_silent, self.begins_silently = self.begins_silently, False
        await self._pace.sleep(self._sim_ready_s)
        words = self._sim.words()
        if not is_silent:
            self._line.line(f"+CPIN: {words}")
        if words != "READY":
            return
        self._look_for_network()
        await self._pace.sleep(self._sms_ready_s)
        if self.level == FULL and not is_silent:
            self._line.line("Call Ready")
            self._line.line("SMS Ready")

    def _look_for_network(self) -> None:
        if not self._may_register:
            return
        self._set(Registration.SEARCHING)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._tasks.spawn(self._register_later())

    async def _register_later(self) -> None:
        await self._pace.sleep(self._network.registration_delay_s)
        self._timer = None
        self._set(self._network.admission())

    def _set(self, new: Registration) -> None:
        if new is self.registration:
            return
        was_registered = self._registered
        self.registration = new
        self._is_forbidden = new is Registration.DENIED
        self._note_draw()
        if self._registered and not was_registered:
            self.attached = self._sim.usable and self._sim.ready().gprs_contract
            self._clock.registered()
            self.on_registered()
        elif not self._registered and new is not Registration.SEARCHING:
            self._detach()
        for name, setting, gprs in (
            ("+CREG", self._settings.now.creg, False),
            ("+CGREG", self._settings.now.cgreg, True),
        ):
            if setting:
                fields = self._fields(setting, gprs=gprs).partition(",")[2]
                self._line.line(f"{name}: {fields}")

    def _note_draw(self) -> None:
        if self.level != FULL:
            self._meter.turn(Draw.RADIO_OFF)
        elif self.registration is Registration.SEARCHING:
            self._meter.turn(Draw.SEARCHING)
        else:
            self._meter.turn(Draw.CAMPED)

    def _fields(self, setting: int, *, gprs: bool = False) -> str:
        status = int(self.registration)
        if gprs and self._registered and not self.attached:
            status = 0
        fields = f"{setting},{status}"
        if setting == 2 and self._registered:
            fields += ',"00C3","1A2B"'
        return fields

    def _detach(self) -> None:
        self.attached = False
        self._ip.lose_context()

    def _signal(self) -> int:
        return self._network.signal if self.level == FULL else _UNKNOWN_SIGNAL

    # -- commands ---------------------------------------------------------------------------------

    async def _set_level(self, command: AtCommand) -> str | None:
        level = command.number(0, OFF, FLIGHT)
        restart = command.number(1, 0, 1, default=0)
        if level not in (OFF, FULL, FLIGHT):
            raise AtError(50)
        if restart:
            self._line.line("OK")
            await self._line.has_left()  # before the part goes silent to restart
            asyncio.get_running_loop().call_soon(self._restart)
            return NO_RESULT
        before, self.level = self.level, level
        self._sim.powered = level != OFF
        if level == before:
            return None
        await self._pace.sleep(_CHANGE_S)
        if level != FULL:
            self.leave()
        self._note_draw()
        if level == OFF:
            self._sim.forget_pin()
            self._line.line("+CPIN: NOT READY")
        elif before == OFF:
            self._sim.look()
            self.begin()
        elif level == FULL:
            self._look_for_network()
        return None

    async def _scan(self) -> str:
        if not self._network.coverage:
            raise AtError(30)
        name, code = self._network.operator_name, self._network.operator_code
        await self._pace.sleep(_SCAN_S)
        return f'(2,"{name}","{name}","{code}"),,(0-4),(0-2)'

    def _operator(self) -> str:
        mode = 0 if self._automatic else 2
        if not self._registered:
            return str(mode)
        long = self._operator_format != 2
        shown = self._network.operator_name if long else self._network.operator_code
        return f'{mode},{self._operator_format},"{shown}"'

    def _choose_operator(self, command: AtCommand) -> None:
        mode = command.number(0, 0, 4)
        if mode == 3:
            self._operator_format = command.number(1, 0, 2)
        elif mode == 2:
            self._automatic = False
            self.leave()
        else:
            self._sim.ready()
            self._automatic = True
            self._is_forbidden = False
            if not self._registered:
                self._look_for_network()

    async def _attach(self, command: AtCommand) -> None:
        if not command.number(0, 0, 1):
            self._detach()
            return
        sim = self._sim.ready()
        await self._pace.sleep(_ATTACH_S)
        if not self._registered:
            raise AtError(30)
        if not sim.gprs_contract:
            raise AtError(133)
        self.attached = True
