"""What the CPU asks of its chip, request by request: a table from the bus's operations to devices.

The board makes one and hands it to the bus. The bytes are in docs/formats/sim-bus.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from hw_sim import gpio
from hw_sim.bus import TRANSFER_LIMIT_BYTES, Answer, BadArgument, FlashRefused, Op
from hw_sim.devices import Devices
from hw_sim.events import EventLog, ResetCause
from hw_sim.flash import FlashError, FlashLockedError, PowerCut
from hw_sim.pacing import Pace, Turn
from hw_sim.watchdog import Watchdog

_ERRNO_READ_ONLY = 30
_ERRNO_INVALID = 22
_DONE: Answer = (0, b"")
_FOR_EVER = 0xFFFFFFFF
_UART_LINE = 30
"""The line of UART 0 among those of the interrupts; below are the pins."""
_CONSOLE_LINE = 29

_Request = Callable[[int, int, int, bytes], "Answer | asyncio.Future[Answer] | None"]
"""(unit, arg, arg2, payload) → answer, at once or later; None is `_DONE`."""


class Owner(Protocol):
    """What the requests need of the board around them."""

    unique_id: bytes
    watchdog: Watchdog

    @property
    def cause(self) -> ResetCause:
        """Of the CPU's last start."""
        ...

    def soft_reset(self) -> None:
        """Start the CPU again, as its program asked."""
        ...

    def power_off(self) -> None:
        """Pull the battery."""
        ...


class ChipRequests:
    """Serves the CPU of one board.

    With `throttle_uarts` its transmissions take the time they take on a wire.
    """

    def __init__(
        self,
        board: Owner,
        devices: Devices,
        events: EventLog,
        pace: Pace,
        turn: Turn,
        *,
        throttle_uarts: bool,
    ) -> None:
        self._board = board
        self._devices = devices
        self._events = events
        self._pace = pace
        self._throttle = throttle_uarts
        self._transmission: asyncio.TimerHandle | None = None
        self._turn = turn
        self.wake_ups = 0
        """How often the CPU slept and went on; counted where time is simulated."""
        self.runs_ahead = False
        """Whether a wait may be over at once; for a CPU that asks by calls."""
        self._alarm: asyncio.TimerHandle | None = None
        self._interrupts = 0
        self._sleeps = False
        self._wake: Callable[[], None] | None = None
        devices.gpio.interrupt = self._interrupt
        flash, bank, rtc = devices.flash, devices.gpio, devices.rtc
        table: dict[Op, _Request] = {
            Op.RESET: lambda unit, arg, arg2, data: board.soft_reset(),
            Op.RESET_CAUSE: lambda unit, arg, arg2, data: (int(board.cause), b""),
            Op.UNIQUE_ID: lambda unit, arg, arg2, data: (0, board.unique_id),
            Op.PIN_CONFIGURE: self._configure_pin,
            Op.PIN_WRITE: lambda unit, arg, arg2, data: bank.write(unit, bool(arg)),
            Op.PIN_READ: lambda unit, arg, arg2, data: (int(bank.read(unit)), b""),
            Op.PIN_INTERRUPT: lambda unit, arg, arg2, data: bank.listen(unit, arg),
            Op.ADC_READ: self._read_adc,
            Op.UART_OPEN: lambda unit, arg, arg2, data: devices.uart(unit).open(arg),
            Op.UART_WAITING: lambda unit, arg, arg2, data: (devices.uart(unit).waiting_bytes, b""),
            Op.UART_READ: self._read_uart,
            Op.UART_WRITE: self._write_uart,
            Op.UART_INTERRUPT: self._listen_uart,
            Op.SPI_OPEN: self._open_spi,
            Op.SPI_WRITE: lambda unit, arg, arg2, data: devices.write_spi(unit, data),
            Op.FLASH_SIZE: lambda unit, arg, arg2, data: (flash.size_bytes, b""),
            Op.FLASH_READ: self._read_flash,
            Op.FLASH_PROGRAM: lambda unit, arg, arg2, data: flash.program(arg, data),
            Op.FLASH_ERASE: lambda unit, arg, arg2, data: flash.erase(arg),
            Op.FLASH_LOCK: lambda unit, arg, arg2, data: flash.lock(arg),
            Op.WATCHDOG_START: lambda unit, arg, arg2, data: board.watchdog.start(arg),
            Op.WATCHDOG_FEED: lambda unit, arg, arg2, data: board.watchdog.feed(),
            Op.RTC_READ: lambda unit, arg, arg2, data: (0, _clock_fields(rtc.now())),
            Op.RTC_SET: lambda unit, arg, arg2, data: rtc.set(_clock_time(data)),
            Op.PWM: self._drive_pwm,
            Op.WAIT: self._wait,
            Op.RANDOM: lambda unit, arg, arg2, data: (0, devices.noise.take(arg)),
        }
        self._table = _by_number(table)

    def serve(
        self, op: Op, unit: int, arg: int, arg2: int, payload: bytes
    ) -> Answer | asyncio.Future[Answer]:
        """Answer one request.

        Raises:
            BadArgument: the board has nothing of the kind.
            FlashRefused: the flash refused the operation.
        """
        try:
            request = self._table[op]
            if request is None:
                raise ValueError(f"{op.name} is not for a running CPU")
            answer = request(unit, arg, arg2, payload)
        except FlashLockedError as error:
            raise FlashRefused(_ERRNO_READ_ONLY, str(error)) from error
        except FlashError as error:
            raise FlashRefused(_ERRNO_INVALID, str(error)) from error
        except ValueError as error:
            raise BadArgument(str(error)) from error
        except PowerCut as cut:
            self._events.note("flash cut", str(cut))
            self._board.power_off()
            return _DONE
        except Exception as error:
            # A fault of ours must not pass for one of the program's.
            self._events.note("simulator fault", repr(error))
            raise
        return _DONE if answer is None else answer

    def reset(self) -> None:
        """The chip was reset: its transmitter has stopped in the middle of what it sent."""
        if self._transmission is not None:
            self._transmission.cancel()
            self._transmission = None
        self._set_alarm(None)
        self._wake = None
        self._sleeps = False
        self._interrupts = 0
        for uart in self._devices.uarts.values():
            uart.arrived = None

    def _set_alarm(self, alarm: asyncio.TimerHandle | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = alarm

    def _wait(self, unit: int, arg: int, arg2: int, data: bytes) -> Answer | asyncio.Future[Answer]:
        """The CPU has computed for `arg2` us and sleeps `arg` ms (all ones: for ever), or until an
        interrupt; told are the lines that made one, and its own clock in us.
        """
        pace = self._pace
        self.wake_ups += arg > 0
        now_s = pace.now_s()
        computed_s = now_s + arg2 / 1e6
        if self.runs_ahead and (arg != _FOR_EVER or self._interrupts):
            sleep_s = computed_s - now_s if self._interrupts else arg2 / 1e6 + arg / 1000
            if self._turn.run_ahead(sleep_s):
                return self._woken()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def go_on() -> None:
            self._sleeps = False
            answer.set_result(self._woken())

        def wake() -> None:
            self._wake = None
            self._set_alarm(
                pace.call_later(computed_s - pace.now_s(), lambda: self._turn.take(go_on))
            )

        def sleep_over() -> None:
            self._wake = None
            self._turn.take(go_on)

        self._turn.rest()
        self._sleeps = True
        if self._interrupts:
            wake()
        else:
            self._wake = wake
            if arg != _FOR_EVER:
                self._set_alarm(pace.call_later(arg2 / 1e6 + arg / 1000, sleep_over))
        return answer

    def _woken(self) -> Answer:
        lines, self._interrupts = self._interrupts, 0
        return lines, round(self._pace.now_s() * 1e6).to_bytes(8, "little")

    def _listen_uart(self, unit: int, arg: int, arg2: int, data: bytes) -> None:
        line = partial(self._interrupt, _UART_LINE + unit)
        self._devices.uart(unit).arrived = line if arg else None

    def console_said(self, may_be_at_prompt: bool) -> None:
        """Bytes have come for the CPU on its console: one that sleeps wakes, one that waits at a
        prompt computes.
        """
        self._interrupt(_CONSOLE_LINE)
        if may_be_at_prompt and not self._sleeps:
            self._turn.take(lambda: None)

    def _interrupt(self, line: int) -> None:
        self._interrupts |= 1 << line
        if self._wake is not None:
            self._wake()

    def _configure_pin(self, unit: int, arg: int, arg2: int, data: bytes) -> None:
        latch = arg >> 16 & 0xFF
        value = None if latch == 2 else latch
        self._devices.gpio.configure(unit, arg & 0xFF, arg >> 8 & 0xFF, value)

    def _read_adc(self, unit: int, arg: int, arg2: int, data: bytes) -> Answer:
        if unit != self._devices.description.battery_adc:
            raise ValueError(f"nothing is wired to ADC channel {unit}")
        return self._devices.battery.adc_u16(), b""

    def _read_uart(self, unit: int, arg: int, arg2: int, data: bytes) -> Answer:
        return 0, self._devices.uart(unit).read(min(arg, TRANSFER_LIMIT_BYTES))

    def _write_uart(
        self, unit: int, arg: int, arg2: int, data: bytes
    ) -> Answer | asyncio.Future[Answer]:
        uart = self._devices.uart(unit)
        if not self._throttle or not uart.baud:
            uart.transmit(data)
            return len(data), b""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def sent() -> None:
            uart.transmit(data)
            answer.set_result((len(data), b""))

        self._transmission = self._pace.call_later(uart.seconds_for(len(data)), sent)
        return answer

    def _open_spi(self, unit: int, arg: int, arg2: int, data: bytes) -> None:
        if unit != self._devices.description.lcd_spi:
            raise ValueError(f"nothing is wired to SPI {unit}")

    def _read_flash(self, unit: int, arg: int, arg2: int, data: bytes) -> Answer:
        flash, size = self._devices.flash, min(arg2, TRANSFER_LIMIT_BYTES)
        return int(flash.is_weak(arg, size)), flash.read(arg, size)

    def _drive_pwm(self, unit: int, arg: int, arg2: int, data: bytes) -> None:
        gpio.check_pin(unit)
        if unit == self._devices.description.buzzer_pin:
            self._devices.buzzer.drive(arg, arg2)


def _by_number(table: dict[Op, _Request]) -> list[_Request | None]:
    """The same as a list: what is asked a hundred thousand times a day is found by its number."""
    found: list[_Request | None] = [None] * (max(Op) + 1)
    for op, request in table.items():
        found[op] = request
    return found


def _clock_fields(now: datetime) -> bytes:
    small = (now.month, now.day, now.weekday(), now.hour, now.minute, now.second, 0)
    return now.year.to_bytes(2, "little") + bytes(small)


def _clock_time(fields: bytes) -> datetime:
    if len(fields) != 9:
        raise ValueError("the clock is set by 9 bytes")
    year = int.from_bytes(fields[:2], "little")
    month, day, _, hour, minute, second, _ = fields[2:]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
