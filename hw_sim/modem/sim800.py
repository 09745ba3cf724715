"""A SIM800-class GSM modem on a UART, as far as its AT commands and its power key show it.

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
- Not modelled, answered ERROR: SMS, calls, USSD, the bearer and HTTP commands (SAPBR, HTTP...),
  UDP, CIPMUX=1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from hw_sim.modem.at import MAXIMUM_LINE, AtCommand, AtError, Kind, parse_line
from hw_sim.modem.ip_stack import MAXIMUM_SEND_BYTES, IpStack
from hw_sim.network import GsmNetwork, Registration
from hw_sim.uart import unconnected

INPUT_BUFFER_BYTES: Final = 4096
OUTPUT_BUFFER_BYTES: Final = 16384
POWER_KEY_HOLD_S: Final = 1.0
_FIRST_CLOCK_UNIX_S: Final = 1072915200.0  # 2004-01-01, where the part's clock starts

_Handler = Callable[[AtCommand], Awaitable[str | None]]

_NO_RESULT: Final = ""
"""A handler that wrote its own last line returns this."""


@dataclass
class _Profile:
    """Settings that AT&W keeps over a power cut."""

    echo: bool = True
    verbose_errors: int = 0
    creg: int = 0
    cgreg: int = 0
    network_time: bool = False
    sleep: int = 0


class Sim800:
    """The modem. Off until power is there and the power key was low for a second.

    `battery_mv` is asked for AT+CBC. Delays are device seconds, run at the network's time scale.
    """

    send: Callable[[bytes], None]

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
        self.lost_input_bytes = 0
        self.lost_output_bytes = 0
        self.transcript: Callable[[str, bytes], None] | None = None
        """Called with ("host" | "modem", bytes) for people who want to watch the wire."""
        self._battery_mv = battery_mv
        self._boot_s = boot_s
        self._sim_ready_s = sim_ready_s
        self._sms_ready_s = sms_ready_s
        self._shutdown_s = shutdown_s
        self._answer_delay_s = answer_delay_s
        self._baud = baud
        self._pace = network.pace
        self._power = False
        self._running = False
        self._stopping = False
        self._key_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._input = bytearray()
        self._input_arrived = asyncio.Event()
        self._output = bytearray()
        self._output_arrived = asyncio.Event()
        self._saved_profile = _Profile()
        self._clock_base_unix_s = _FIRST_CLOCK_UNIX_S
        self._clock_set_at_s = time.monotonic()
        self._clock_quarters = 0
        self._ip = IpStack(self, self)
        self._handlers = self._command_table()
        self._reset_session()

    # -- trouble: for tests, scripts and the front panel ------------------------------------------

    def hang(self) -> None:
        """The part's own software hangs: not a byte in or out till it is switched off."""
        self._hung = True
        self._input.clear()
        self._output.clear()

    def crash(self) -> None:
        """The part restarts by itself, as after a dip of its supply: the next word is RDY."""
        self._restart()

    # -- what people may look at ------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether the modem is switched on and past its start-up."""
        return self._running

    @property
    def registration(self) -> Registration:
        """What +CREG would say."""
        return self._registration

    @property
    def ip_state(self) -> str:
        """What AT+CIPSTATUS would say."""
        return self._ip.state.value

    @property
    def attached(self) -> bool:
        """Whether the terminal is attached to GPRS."""
        return self._attached

    # -- the board's side -------------------------------------------------------------------------

    def on_power(self, on: bool) -> None:
        """Supply came or went. Coming up, the modem stays off until its key is pressed."""
        if on == self._power:
            return
        self._power = on
        if not on:
            if self._key_timer is not None:
                self._key_timer.cancel()
                self._key_timer = None
            self._stop()
            self._clock_base_unix_s = _FIRST_CLOCK_UNIX_S
            self._clock_set_at_s = time.monotonic()
            self._clock_quarters = 0

    def on_power_key(self, low: bool) -> None:
        """PWRKEY moved: held low for a second it switches on, or shuts down in good order."""
        if self._key_timer is not None:
            self._key_timer.cancel()
            self._key_timer = None
        if low and self._power:
            self._key_timer = self._pace.call_later(POWER_KEY_HOLD_S, self._key_held)

    def on_host_bytes(self, data: bytes) -> None:
        """Bytes from the CPU: lost while the modem is off, kept in a buffer while it is busy."""
        if not self._running or self._stopping or self._hung:
            self.lost_input_bytes += len(data)
            return
        if self.transcript is not None:
            self.transcript("host", data)
        data = self._wake_from_sleep(data)
        room = INPUT_BUFFER_BYTES - len(self._input)
        self.lost_input_bytes += max(0, len(data) - room)
        self._input += data[:room]
        self._input_arrived.set()

    # -- power ------------------------------------------------------------------------------------

    def _key_held(self) -> None:
        self._key_timer = None
        if self._stopping:
            return
        if self._tasks:
            self._shut_down(announce=True)
        else:
            self._start()

    def _start(self) -> None:
        self._reset_session()
        self.spawn(self._run())
        self.spawn(self._write_out())

    def _stop(self) -> None:
        self._running = self._stopping = False
        self.network.detach_listener(self)
        self._ip.power_off()
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        self._output.clear()
        self._input.clear()

    def _shut_down(self, *, announce: bool) -> None:
        if announce and self._running:
            self.unsolicited("NORMAL POWER DOWN")
        self._stopping = True
        self.network.detach_listener(self)
        self._ip.power_off()
        self._registration = Registration.IDLE
        self._pace.call_later(self._shutdown_s, self._shut_down_done)

    def _shut_down_done(self) -> None:
        if self._stopping:
            if self._output:  # the farewell line leaves at the baud rate, however hasty the scale
                asyncio.get_running_loop().call_later(0.01, self._shut_down_done)
            else:
                self._stop()

    def _reset_session(self) -> None:
        self._profile = replace(self._saved_profile)
        self._registration = Registration.IDLE
        self._attached = False
        self._function = 1
        self._sim_seen = self.network.sim
        self._sim_unlocked = False
        self._operator_format = 0
        self._auto_registration = True
        self._last_line = ""
        self._hung = False
        self._registration_timer: asyncio.Task[None] | None = None
        self._last_input_s = 0.0
        self._waking_until_s = 0.0
        self._input.clear()
        self._output.clear()
        self._ip.power_off()
        self._ip.manual_receive = self._ip.quick_send = self._ip.header = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run until the modem's power goes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- the line to the host ---------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Queue bytes for the host; a full output buffer loses them, as without flow control."""
        if self._stopping or self._hung:
            return
        room = OUTPUT_BUFFER_BYTES - len(self._output)
        self.lost_output_bytes += max(0, len(data) - room)
        self._output += data[:room]
        self._output_arrived.set()

    def unsolicited(self, line: str) -> None:
        """Write a line that no command asked for."""
        self._line(line)

    def _line(self, text: str) -> None:
        self.write(f"\r\n{text}\r\n".encode())

    async def _write_out(self) -> None:
        while True:
            if not self._output:
                self._output_arrived.clear()
                await self._output_arrived.wait()
            count = len(self._output)
            if self._baud is not None:
                # ten bits a byte; 5 ms at a time keeps the number of wake-ups low
                count = min(count, max(1, self._baud // 2000))
                await asyncio.sleep(count * 10 / self._baud)
            piece = bytes(self._output[:count])
            del self._output[:count]
            if self.transcript is not None:
                self.transcript("modem", piece)
            self.send(piece)

    async def _input_byte(self) -> int:
        while not self._input:
            self._input_arrived.clear()
            await self._input_arrived.wait()
        self._last_input_s = self._pace.now_s()
        return self._input.pop(0)

    def _wake_from_sleep(self, data: bytes) -> bytes:
        # AT+CSCLK=2: idle for 5 s it sleeps, and what wakes it is lost with all of the next 100 ms
        now_s = self._pace.now_s()
        if self._profile.sleep == 2 and now_s - self._last_input_s > 5 and not self._input:
            self._waking_until_s = now_s + 0.1
        self._last_input_s = now_s
        if now_s < self._waking_until_s:
            self.lost_input_bytes += len(data)
            return b""
        return data

    # -- the command interpreter ------------------------------------------------------------------

    async def _run(self) -> None:
        await self._pace.sleep(self._boot_s)
        self._running = True
        self._last_input_s = self._pace.now_s()
        self.network.attach_listener(self)
        self._sim_seen = self.network.sim
        self._line("RDY")
        self._line(f"+CFUN: {self._function}")
        self.spawn(self._start_sim())
        while True:
            line = await self._read_line()
            if line is None:
                await self._answer_pause()
                self._line("ERROR")
            elif line.upper().startswith("AT"):
                self._last_line = line
                await self._run_line(line[2:])

    async def _read_line(self) -> str | None:
        """One command line without its end; None when it was too long. Echoes as it goes."""
        line = bytearray()
        too_long = False
        while True:
            byte = await self._input_byte()
            if byte == 0x0A and not line:
                continue
            if self._profile.echo:
                self.write(bytes((byte,)))
            if byte == 0x0D:
                break
            if byte == 0x08:
                del line[-1:]
                continue
            if byte >= 0x20:
                line.append(byte)
            # noise before AT does not count: the part looks for the two letters
            start = bytes(line).upper().find(b"AT")
            if start > 0 and not too_long:
                del line[:start]
            if line.upper() == b"A/" and self._last_line:
                return self._last_line
            if len(line) > MAXIMUM_LINE + 2:
                too_long = bytes(line[:2]).upper() == b"AT"
                del line[2:]
        if too_long:
            return None
        return line.decode("latin-1")

    async def _run_line(self, body: str) -> None:
        await self._answer_pause()
        result: str | None = None
        try:
            for command in parse_line(body):
                handler = self._handlers.get(command.name)
                if handler is None:
                    raise AtError
                result = await handler(command)
        except AtError as error:
            result = error.result(self._profile.verbose_errors)
        if result != _NO_RESULT:
            self._line(result or "OK")

    async def _answer_pause(self) -> None:
        await self._pace.sleep(self._answer_delay_s)

    def _command_table(self) -> dict[str, _Handler]:
        def simple(
            name: str,
            *,
            run: Callable[[], str | None] | None = None,
            read: Callable[[], str] | None = None,
            write: Callable[[AtCommand], None] | None = None,
            test: str | None = None,
        ) -> None:
            async def handler(command: AtCommand) -> str | None:
                if command.kind is Kind.READ and read is not None:
                    self._line(f"{name}: {read()}")
                elif command.kind is Kind.WRITE and write is not None:
                    write(command)
                elif command.kind is Kind.RUN and run is not None:
                    answer = run()
                    if answer is not None:
                        self._line(answer)
                elif command.kind is Kind.TEST:
                    if test is not None:
                        self._line(f"{name}: {test}")
                else:
                    raise AtError(50)
                return None

            table[name] = handler

        table: dict[str, _Handler] = {
            "E": self._at_e,
            "I": self._at_i,
            "V": self._at_v,
            "H": self._at_nothing,
            "Z": self._at_z,
            "&F": self._at_factory,
            "&W": self._at_save,
            "+CPIN": self._at_cpin,
            "+CFUN": self._at_cfun,
            "+COPS": self._at_cops,
            "+CGATT": self._at_cgatt,
            "+CPOWD": self._at_cpowd,
            "+CCLK": self._at_cclk,
            "+CIPSHUT": self._at_cipshut,
            "+CSTT": self._at_cstt,
            "+CIICR": self._at_ciicr,
            "+CIFSR": self._at_cifsr,
            "+CIPSTATUS": self._at_cipstatus,
            "+CIPSTART": self._at_cipstart,
            "+CIPSEND": self._at_cipsend,
            "+CIPRXGET": self._at_ciprxget,
            "+CIPCLOSE": self._at_cipclose,
        }
        simple(
            "+CMEE",
            read=lambda: str(self._profile.verbose_errors),
            write=lambda c: setattr(self._profile, "verbose_errors", c.number(0, 0, 2)),
            test="(0-2)",
        )
        simple(
            "+CREG",
            read=lambda: self._registration_fields(self._profile.creg),
            write=lambda c: setattr(self._profile, "creg", c.number(0, 0, 2)),
            test="(0-2)",
        )
        simple(
            "+CGREG",
            read=lambda: self._registration_fields(self._profile.cgreg, gprs=True),
            write=lambda c: setattr(self._profile, "cgreg", c.number(0, 0, 2)),
            test="(0-2)",
        )
        simple("+CSQ", run=lambda: f"+CSQ: {self._signal()},0", test="(0-31,99),(0-7,99)")
        simple(
            "+CLTS",
            read=lambda: str(int(self._profile.network_time)),
            write=lambda c: setattr(self._profile, "network_time", bool(c.number(0, 0, 1))),
            test="(0,1)",
        )
        simple("+GSN", run=lambda: self.imei)
        simple("+CGSN", run=lambda: self.imei)
        simple("+CGMM", run=lambda: "SIMCOM_SIM800L")
        simple("+CGMR", run=lambda: "Revision:1418B04SIM800L24")
        simple("+CIMI", run=lambda: self._sim().imsi)
        simple("+CCID", run=lambda: self._present_sim().iccid)
        simple("+CBC", run=self._battery, test="(0-2),(1-100),(voltage)")
        simple(
            "+CSCLK",
            read=lambda: str(self._profile.sleep),
            write=lambda c: setattr(self._profile, "sleep", c.number(0, 0, 2)),
            test="(0-2)",
        )
        simple("+IPR", read=lambda: str(self._baud or 0), write=lambda c: None)
        simple("+CIPMUX", read=lambda: "0", write=self._set_cipmux, test="(0)")
        simple(
            "+CIPQSEND",
            read=lambda: str(int(self._ip.quick_send)),
            write=lambda c: setattr(self._ip, "quick_send", bool(c.number(0, 0, 1))),
            test="(0,1)",
        )
        simple(
            "+CIPHEAD",
            read=lambda: str(int(self._ip.header)),
            write=lambda c: setattr(self._ip, "header", bool(c.number(0, 0, 1))),
            test="(0,1)",
        )
        simple("+CIPACK", run=self._acknowledgements)
        return table

    # -- basic commands ---------------------------------------------------------------------------

    async def _at_e(self, command: AtCommand) -> None:
        self._profile.echo = bool(command.number(0, 0, 1))

    async def _at_i(self, command: AtCommand) -> None:
        self._line("SIM800 R14.18")

    async def _at_v(self, command: AtCommand) -> None:
        command.number(0, 1, 1)  # results in words only; ATV0 is not modelled

    async def _at_nothing(self, command: AtCommand) -> None:
        pass

    async def _at_z(self, command: AtCommand) -> None:
        self._profile = replace(self._saved_profile)

    async def _at_factory(self, command: AtCommand) -> None:
        self._profile = _Profile()

    async def _at_save(self, command: AtCommand) -> None:
        self._saved_profile = replace(self._profile)

    async def _at_cpowd(self, command: AtCommand) -> str:
        announce = bool(command.number(0, 0, 1))
        self._shut_down(announce=announce)
        return _NO_RESULT

    # -- SIM, radio, registration -----------------------------------------------------------------

    def _present_sim(self) -> Any:
        # the part looks for a card at start-up only; one put in later waits for a restart
        if self._sim_seen is None or self.network.sim is not self._sim_seen:
            raise AtError(10)
        return self._sim_seen

    def _sim(self) -> Any:
        sim = self._present_sim()
        if self._function == 0:
            raise AtError(13)
        if sim.pin_attempts_left == 0:
            raise AtError(12)
        if sim.pin is not None and not self._sim_unlocked:
            raise AtError(11)
        return sim

    def _sim_usable(self) -> bool:
        try:
            self._sim()
        except AtError:
            return False
        return True

    async def _start_sim(self) -> None:
        await self._pace.sleep(self._sim_ready_s)
        try:
            self._sim()
        except AtError as error:
            words = {10: "NOT INSERTED", 11: "SIM PIN", 12: "SIM PUK", 13: "NOT READY"}
            self.unsolicited(f"+CPIN: {words[error.code or 13]}")
            return
        self.unsolicited("+CPIN: READY")
        self._look_for_network()
        await self._pace.sleep(self._sms_ready_s)
        if self._function == 1:
            self.unsolicited("Call Ready")
            self.unsolicited("SMS Ready")

    async def _at_cpin(self, command: AtCommand) -> None:
        if command.kind is Kind.READ:
            try:
                self._sim()
            except AtError as error:
                if error.code not in (11, 12):
                    raise
                self._line("+CPIN: SIM PIN" if error.code == 11 else "+CPIN: SIM PUK")
            else:
                self._line("+CPIN: READY")
            return
        if command.kind is not Kind.WRITE:
            if command.kind is Kind.TEST:
                return
            raise AtError(50)
        sim = self._present_sim()
        entered = command.text(0)
        if sim.pin_attempts_left == 0:
            if sim.puk_attempts_left == 0:
                raise AtError(13)
            new_pin = command.text(1)
            if entered != sim.puk or not (new_pin.isdigit() and 4 <= len(new_pin) <= 8):
                sim.puk_attempts_left -= 1
                raise AtError(16)
            sim.pin, sim.pin_attempts_left, sim.puk_attempts_left = new_pin, 3, 10
        elif sim.pin is None or self._sim_unlocked:
            raise AtError(3)
        elif entered != sim.pin:
            sim.pin_attempts_left -= 1
            raise AtError(12 if sim.pin_attempts_left == 0 else 16)
        sim.pin_attempts_left = 3
        self._sim_unlocked = True
        self.spawn(self._start_sim())

    def _look_for_network(self) -> None:
        if self._function != 1 or not self._auto_registration or not self._sim_usable():
            return
        self._set_registration(Registration.SEARCHING)
        if self._registration_timer is not None:
            self._registration_timer.cancel()
        self._registration_timer = self.spawn(self._register_later())

    async def _register_later(self) -> None:
        await self._pace.sleep(self.network.registration_delay_s)
        self._registration_timer = None
        self._set_registration(self.network.admission())

    def _set_registration(self, new: Registration) -> None:
        if new is self._registration:
            return
        was_registered = self._registered
        self._registration = new
        if self._registered and not was_registered:
            self._attached = self._sim_usable() and self._sim().gprs_contract
            if self._profile.network_time and self.network.gives_time:
                self._take_network_time()
        elif not self._registered and new is not Registration.SEARCHING:
            self._detach()
        for name, setting, gprs in (
            ("+CREG", self._profile.creg, False),
            ("+CGREG", self._profile.cgreg, True),
        ):
            if setting:
                fields = self._registration_fields(setting, gprs=gprs).partition(",")[2]
                self.unsolicited(f"{name}: {fields}")

    @property
    def _registered(self) -> bool:
        return self._registration in (Registration.HOME, Registration.ROAMING)

    def _registration_fields(self, setting: int, *, gprs: bool = False) -> str:
        status = int(self._registration)
        if gprs and self._registered and not self._attached:
            status = 0
        fields = f"{setting},{status}"
        if setting == 2 and self._registered:
            fields += ',"00C3","1A2B"'
        return fields

    def on_network_change(self) -> None:
        """The network calls: coverage, admission or signal changed."""
        if self._function != 1 or not self._auto_registration or not self._sim_usable():
            return
        admission = self.network.admission()
        if admission is Registration.SEARCHING or self._registered:
            self._set_registration(admission)
        elif self._registration_timer is None and admission is not self._registration:
            self._look_for_network()

    def on_sim_change(self) -> None:
        """The network calls: a card came or went; only its going is noticed before a restart."""
        if self._running and self._sim_seen is not None and self.network.sim is not self._sim_seen:
            self._sim_unlocked = False
            self.unsolicited("+CPIN: NOT READY")
            self._leave_network()

    def on_pdp_deactivated(self) -> None:
        """The network calls: the data context is gone."""
        self._ip.lose_context()

    def _leave_network(self) -> None:
        if self._registration_timer is not None:
            self._registration_timer.cancel()
            self._registration_timer = None
        self._detach()
        self._set_registration(Registration.IDLE)

    def _detach(self) -> None:
        self._attached = False
        self._ip.lose_context()

    def _signal(self) -> int:
        return self.network.signal if self._function == 1 else 99

    async def _at_cfun(self, command: AtCommand) -> str | None:
        if command.kind is Kind.READ:
            self._line(f"+CFUN: {self._function}")
            return None
        if command.kind is Kind.TEST:
            self._line("+CFUN: (0,1,4),(0,1)")
            return None
        if command.kind is not Kind.WRITE:
            raise AtError(50)
        level = command.number(0, 0, 4)
        restart = command.number(1, 0, 1, default=0)
        if level not in (0, 1, 4):
            raise AtError(50)
        if restart:
            self._line("OK")
            # the answer leaves before the part goes silent to restart
            while self._output:
                await asyncio.sleep(0.005)
            asyncio.get_running_loop().call_soon(self._restart)
            return _NO_RESULT
        before, self._function = self._function, level
        if level == before:
            return None
        await self._pace.sleep(0.3)
        if level != 1:
            self._leave_network()
        if level == 0:
            self._sim_unlocked = False
            self.unsolicited("+CPIN: NOT READY")
        elif before == 0:
            self._sim_seen = self.network.sim
            self.spawn(self._start_sim())
        elif level == 1:
            self._look_for_network()
        return None

    def _restart(self) -> None:
        if self._running:
            self._stop()
            self._start()

    async def _at_cops(self, command: AtCommand) -> None:
        if command.kind is Kind.TEST:
            if not self.network.coverage:
                raise AtError(30)
            name, code = self.network.operator_name, self.network.operator_code
            await self._pace.sleep(10)
            self._line(f'+COPS: (2,"{name}","{name}","{code}"),,(0-4),(0-2)')
        elif command.kind is Kind.READ:
            mode = 0 if self._auto_registration else 2
            if self._registered:
                long = self._operator_format != 2
                shown = self.network.operator_name if long else self.network.operator_code
                self._line(f'+COPS: {mode},{self._operator_format},"{shown}"')
            else:
                self._line(f"+COPS: {mode}")
        elif command.kind is Kind.WRITE:
            mode = command.number(0, 0, 4)
            if mode == 3:
                self._operator_format = command.number(1, 0, 2)
            elif mode == 2:
                self._auto_registration = False
                self._leave_network()
            else:
                self._sim()
                self._auto_registration = True
                if not self._registered:
                    self._look_for_network()
        else:
            raise AtError(50)

    async def _at_cgatt(self, command: AtCommand) -> None:
        if command.kind is Kind.READ:
            self._line(f"+CGATT: {int(self._attached)}")
        elif command.kind is Kind.TEST:
            self._line("+CGATT: (0,1)")
        elif command.kind is Kind.WRITE:
            if not command.number(0, 0, 1):
                self._detach()
                return
            sim = self._sim()
            await self._pace.sleep(1.0)
            if not self._registered:
                raise AtError(30)
            if not sim.gprs_contract:
                raise AtError(133)
            self._attached = True
        else:
            raise AtError(50)

    # -- clock and battery ------------------------------------------------------------------------

    def _set_clock(self, unix_s: float, quarters: int = 0) -> None:
        self._clock_base_unix_s = unix_s
        self._clock_set_at_s = time.monotonic()
        self._clock_quarters = quarters

    def _take_network_time(self) -> None:
        now = self.network.time_unix_s()
        self._set_clock(now)
        t = time.gmtime(now)
        stamp = f"{t.tm_year},{t.tm_mon},{t.tm_mday},{t.tm_hour},{t.tm_min},{t.tm_sec}"
        self.unsolicited(f'*PSUTTZ: {stamp},"+0",0')
        self.unsolicited("DST: 0")

    async def _at_cclk(self, command: AtCommand) -> None:
        if command.kind is Kind.READ:
            unix_s = self._clock_base_unix_s + time.monotonic() - self._clock_set_at_s
            shown = time.strftime("%y/%m/%d,%H:%M:%S", time.gmtime(unix_s))
            self._line(f'+CCLK: "{shown}{self._clock_quarters:+03d}"')
        elif command.kind is Kind.WRITE:
            text = command.text(0)
            try:
                local = time.strptime(text[:17], "%y/%m/%d,%H:%M:%S")
                quarters = int(text[17:] or "+00")
            except ValueError:
                raise AtError(50) from None
            if not -96 <= quarters <= 96:
                raise AtError(50)
            seconds = (local.tm_hour * 60 + local.tm_min) * 60 + local.tm_sec
            self._set_clock(_days(local.tm_year, local.tm_yday) * 86400 + seconds, quarters)
        elif command.kind is not Kind.TEST:
            raise AtError(50)

    def _battery(self) -> str:
        millivolts = self._battery_mv()
        percent = min(100, max(1, (millivolts - 3400) * 100 // (4200 - 3400)))
        return f"+CBC: 0,{percent},{millivolts}"

    # -- TCP/IP -----------------------------------------------------------------------------------

    def _set_cipmux(self, command: AtCommand) -> None:
        if command.number(0, 0, 1) == 1:
            raise AtError(4)
        if self._ip.occupied:
            raise AtError(3)

    def _acknowledgements(self) -> str:
        sent, acknowledged = self._ip.sent_bytes, self._ip.acknowledged_bytes
        return f"+CIPACK: {sent},{acknowledged},{sent - acknowledged}"

    async def _at_cipshut(self, command: AtCommand) -> str | None:
        if command.kind is not Kind.TEST:
            await self._pace.sleep(0.3)
            self._ip.shut()
            return "SHUT OK"
        return None

    async def _at_cstt(self, command: AtCommand) -> None:
        if command.kind is Kind.READ:
            self._line(f'+CSTT: "{self._ip.apn}","",""')
        elif command.kind is Kind.TEST:
            self._line('+CSTT: "APN","USER","PWD"')
        elif command.kind is Kind.WRITE:
            self._ip.set_apn(command.text(0))
        else:
            self._ip.set_apn("CMNET")

    async def _at_ciicr(self, command: AtCommand) -> None:
        if command.kind is Kind.RUN:
            await self._ip.bring_up()
        elif command.kind is not Kind.TEST:
            raise AtError(50)

    async def _at_cifsr(self, command: AtCommand) -> str | None:
        if command.kind is Kind.TEST:
            return None
        self._line(self._ip.local_address())
        return _NO_RESULT  # the part answers with the address alone, without OK

    async def _at_cipstatus(self, command: AtCommand) -> str | None:
        if command.kind is Kind.TEST:
            return None
        self._line("OK")
        self._line(f"STATE: {self._ip.state.value}")
        return _NO_RESULT

    async def _at_cipstart(self, command: AtCommand) -> str | None:
        if command.kind is Kind.TEST:
            self._line('+CIPSTART: ("TCP"),("(0-255).(0-255).(0-255).(0-255)"),("port")')
            return None
        if command.kind is not Kind.WRITE:
            raise AtError(50)
        if command.text(0).upper() != "TCP":
            raise AtError(4 if command.text(0).upper() == "UDP" else 50)
        name, port = command.text(1), command.number(2, 1, 65535)
        if not name or len(name) > 100:
            raise AtError(50)
        if self._ip.occupied:
            self._line(AtError(3).result(self._profile.verbose_errors))
            return "ALREADY CONNECT"
        if not self._ip.may_connect():
            raise AtError(3)
        self._line("OK")
        self._ip.start_connecting(name, port)
        return _NO_RESULT

    async def _at_cipsend(self, command: AtCommand) -> str | None:
        if command.kind is Kind.TEST:
            self._line("+CIPSEND: <length>")
            return None
        if command.kind is Kind.READ:
            self._line(f"+CIPSEND: {self._ip.send_room_bytes}")
            return None
        if self._ip.state.value != "CONNECT OK":
            raise AtError(3)
        length = None
        if command.kind is Kind.WRITE:
            length = command.number(0, 1, MAXIMUM_SEND_BYTES)
        self.write(b"\r\n> ")
        data = bytearray()
        while length is None or len(data) < length:
            byte = await self._input_byte()
            if length is None and byte == 0x1A:
                break
            if length is None and byte == 0x1B:
                return None
            if self._profile.echo:
                self.write(bytes((byte,)))
            if len(data) < MAXIMUM_SEND_BYTES:
                data.append(byte)
        return await self._ip.send(bytes(data))

    async def _at_ciprxget(self, command: AtCommand) -> None:
        if command.kind is Kind.READ:
            self._line(f"+CIPRXGET: {int(self._ip.manual_receive)}")
            return
        if command.kind is Kind.TEST:
            self._line("+CIPRXGET: (0-4),(1-1460)")
            return
        if command.kind is not Kind.WRITE:
            raise AtError(50)
        mode = command.number(0, 0, 4)
        if mode in (0, 1):
            if self._ip.occupied:  # the manual: to be set before connecting
                raise AtError(3)
            self._ip.manual_receive = bool(mode)
        elif mode == 4:
            self._line(f"+CIPRXGET: 4,{self._ip.unread_bytes()}")
        else:
            limit = command.number(1, 1, 1460 if mode == 2 else 730)
            data, left = self._ip.read(limit)
            header = f"\r\n+CIPRXGET: {mode},{len(data)},{left}\r\n".encode()
            self.write(header + (data if mode == 2 else data.hex().upper().encode()))

    async def _at_cipclose(self, command: AtCommand) -> str | None:
        if command.kind is Kind.TEST:
            self._line("+CIPCLOSE: (0,1)")
            return None
        if command.kind is Kind.WRITE:
            command.number(0, 0, 1)
        self._ip.close()
        return "CLOSE OK"


def _days(year: int, day_of_year: int) -> int:
    """Days from 1970-01-01 to this day."""
    before = year - 1
    leap_days = (
        before // 4 - before // 100 + before // 400 - (1969 // 4 - 1969 // 100 + 1969 // 400)
    )
    return (year - 1970) * 365 + leap_days + day_of_year - 1
