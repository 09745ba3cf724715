"""The board: a MicroPython CPU with everything that is wired to it, and a power switch.

`SimulatedBoard` is for tests and tools in plain threads; `Board` is the same on a running event
loop.

    with SimulatedBoard(tmp_path / "flash.bin", unique_id=b"\\0" * 8) as board:
        board.power_on()
        board.type("1234#")
        board.wait_for(lambda: not board.lcd_picture().blank, timeout_s=5)

What a reset does to the CPU: `machine.reset()` and the end of the program's process with status 0
(the REPL's Ctrl-D, `sys.exit`) start it again with the cause "soft"; the watchdog with "watchdog".
A CPU that crashes (any other status, or a signal) stays dead until the watchdog or a power cycle,
as a chip in a hard fault does.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from hw_sim import gpio
from hw_sim.battery import Battery
from hw_sim.bus import (
    TRANSFER_LIMIT_BYTES,
    Answer,
    BadArgument,
    BusServer,
    FlashRefused,
    Op,
)
from hw_sim.buzzer import Buzzer
from hw_sim.console import Console
from hw_sim.cpu import Cpu, find_interpreter
from hw_sim.description import REFERENCE, BoardDescription
from hw_sim.flash import CutMoment, FlashError, FlashLockedError, NorFlash, PowerCut
from hw_sim.gpio import GpioBank
from hw_sim.keypad import Keypad
from hw_sim.lcd import Lcd, Picture
from hw_sim.qemu import QemuChip, QemuCpu
from hw_sim.rtc import RealTimeClock
from hw_sim.serial_link import SerialLink
from hw_sim.uart import HasPowerKey, UartPeer

T = TypeVar("T")

EVENT_LIMIT: Final = 10_000
RANDOM_LIMIT_BYTES: Final = 256
KEY_HOLD_MS: Final = 60
KEY_SCANS: Final = 6
"""A patient finger holds a key until the CPU has looked at it so often, and so long (below)."""
KEY_SCAN_MS: Final = 45
KEY_PATIENCE_MS: Final = 4000
"""A CPU may verify signatures for seconds before it looks at its keypad again."""


class ResetCause(IntEnum):
    """Values as `machine.reset_cause()` gives them."""

    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    SOFT = 5
    BROWNOUT = 6


def _noise(seed: float) -> random.Random:
    """A generator for physical noise, which must come again from the same seed; no secrets."""
    return random.Random(seed)  # noqa: S311


@dataclass(frozen=True)
class Event:
    """Something that happened to the board: `kind` is a word, `detail` for people."""

    time_s: float
    kind: str
    detail: str = ""


class Board:
    """The board on the running event loop; every call belongs to that loop's thread.

    Devices are attributes: `flash`, `keypad`, `lcd`, `battery`, `buzzer`, `rtc`, `modem`,
    `printer`, `uarts` (the CPU's side of each). `events` holds the last `EVENT_LIMIT` events;
    `on_event` is told of each.
    """

    def __init__(
        self,
        flash: NorFlash | Path | str,
        *,
        unique_id: bytes,
        seed: int = 0,
        modem: UartPeer | None = None,
        printer: UartPeer | None = None,
        interpreter: str | None = None,
        chip: QemuChip | None = None,
        description: BoardDescription = REFERENCE,
        serial_link: Path | None = None,
        bounce: bool = True,
        throttle_uarts: bool = False,
        watchdog_stretch: float = 1.0,
        host_time: Callable[[], float] = time.time,
    ) -> None:
        """Put the board together, without supply.

        `chip` is the CPU if it shall not be an interpreter of this host; its flash is a file.
        `seed` fixes contact bounce and power-up noise. `throttle_uarts` makes the CPU's
        transmissions take the time they take on a wire. `watchdog_stretch` multiplies watchdog
        timeouts, for hosts so slow that a real second is too short.

        Raises:
            FlashFileError: the flash file cannot be this board's.
            InterpreterError: there is no MicroPython.
            ValueError: `unique_id` has not 8 bytes.
        """
        if len(unique_id) != 8:
            raise ValueError(f"the chip's unique id has 8 bytes, not {len(unique_id)}")
        self.description = description
        self.unique_id = unique_id
        self._chip = chip
        self._interpreter = "" if chip else interpreter or find_interpreter()
        self._own_flash = not isinstance(flash, NorFlash)
        self.flash = (
            flash
            if isinstance(flash, NorFlash)
            else NorFlash(flash, size_bytes=description.flash_size_bytes)
        )
        rng = _noise(seed)
        self.gpio = GpioBank()
        self.keypad = Keypad(
            self.gpio,
            row_pins=description.keypad_row_pins,
            column_pins=description.keypad_column_pins,
            layout=description.keypad_layout,
            rng=_noise(rng.random()),
            clock=time.monotonic,
            bounce=bounce,
        )
        self.lcd = Lcd(_noise(rng.random()))
        self.battery = Battery(
            divider=description.battery_divider, reference_mv=description.adc_reference_mv
        )
        self.battery.changed = self._supply_changed
        self.buzzer = Buzzer(time.monotonic)
        self.rtc = RealTimeClock(host_time)
        self.modem = modem
        self.printer = printer
        wires = {
            description.modem_uart: (modem, None),  # the modem finds the rate itself
            description.printer_uart: (printer, description.printer_baud),
        }
        self.uarts = {
            number: SerialLink(
                peer,
                fifo_bytes=description.uart_fifo_bytes,
                line_baud=baud,
                rng=_noise(rng.random()),
            )
            for number, (peer, baud) in wires.items()
        }
        if isinstance(modem, HasPowerKey):
            key = modem
            self.gpio.tie_output(
                description.modem_power_key_pin, lambda level: key.on_power_key(level is False)
            )
        self.gpio.tie_output(description.lcd_reset_pin, self._lcd_reset_line)
        self.gpio.tie_input(description.charger_detect_pin, lambda: self.battery.charging)
        self.events: deque[Event] = deque(maxlen=EVENT_LIMIT)
        self.on_event: Callable[[Event], None] | None = None
        self.resets: deque[ResetCause] = deque(maxlen=EVENT_LIMIT)
        """The cause of each start of the CPU, oldest first."""
        self.noise: Callable[[int], bytes] = os.urandom
        """The chip's noise source; a test puts a broken one here."""
        self.noise_bytes_taken = 0
        self.powered = False
        self.cpu_faulted = False
        """Whether the CPU crashed and has not been reset since."""
        self._cause = ResetCause.POWER_ON
        self._cpu: Cpu | QemuCpu | None = None
        self._held_by_brownout = False
        self._throttle = throttle_uarts
        self._watchdog_stretch = watchdog_stretch
        self._watchdog_timeout_s: float | None = None
        self._watchdog_timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finger = asyncio.Lock()
        self._bus = BusServer(self._request, lambda text: self._event("bus", text))
        self.console = Console(serial_link)

    # the bench: open, close, power

    async def open(self) -> None:
        """Bring up the serial port. Before anything else."""
        self._loop = asyncio.get_running_loop()
        await self._bus.open()
        self.console.open()

    async def close(self) -> None:
        """Switch off and give everything back. A flash that was passed in stays open."""
        self.power_off()
        await self._bus.close()
        self.console.close()
        if self._own_flash:
            self.flash.close()
        self._loop = None

    def power_on(self) -> None:
        """Close the power switch; the CPU starts. Nothing happens when it is closed already."""
        if self.powered:
            return
        self.powered = True
        self._event("power", "on")
        self.rtc.power_on()
        self.lcd.power(True)
        for peer in self._peers():
            peer.on_power(True)
        self._held_by_brownout = self._too_weak(self.description.brownout_mv)
        if self._held_by_brownout:
            self._event("brownout", f"{self.battery.mv} mV: the CPU is held in reset")
        else:
            self._start_cpu(ResetCause.POWER_ON)

    def power_off(self) -> None:
        """Pull the battery: the CPU is killed wherever it is, every device loses its supply."""
        if not self.powered:
            return
        self.powered = False
        self._stop_cpu()
        self._event("power", "off")
        for peer in self._peers():
            peer.on_power(False)
        self.lcd.power(False)
        self.flash.power_cycle()

    def reset_button(self) -> None:
        """Press the reset button, if there is supply."""
        if self.powered and not self._held_by_brownout:
            self._restart(ResetCause.HARD)

    @property
    def cpu_running(self) -> bool:
        """Whether the CPU runs: has supply, is not held in reset and did not crash."""
        return self._cpu is not None and self._cpu.running

    @property
    def cpu_pid(self) -> int | None:
        """The interpreter's process, None when there is none."""
        return None if self._cpu is None else self._cpu.pid

    def cut_power_at_flash_operation(self, operation: int, how: CutMoment = "torn") -> None:
        """Pull the battery at that flash operation, counted as `flash.operations`."""
        self.flash.cut_power_at(operation, how)

    # fingers

    async def press(self, key: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """Press `key` and let go, as a patient person does.

        It is held for `hold_ms`, and on until the CPU has looked at it a few times (so a busy CPU
        loses no key), but no longer than `KEY_PATIENCE_MS`; the same when it is let go.
        ValueError when there is no such key.
        """
        async with self._finger:
            self.keypad.press(key)
            try:
                await self._until_scanned(key, hold_ms)
            finally:
                self.keypad.release(key)
            await self._until_scanned(key, hold_ms)

    async def type(self, keys: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """Press the keys one after the other. ValueError, before any, when one does not exist."""
        unknown = set(keys) - self.keypad.keys
        if unknown:
            raise ValueError(f"no keys {''.join(sorted(unknown))!r} on this keypad")
        for key in keys:
            await self.press(key, hold_ms)

    async def _until_scanned(self, key: str, at_least_ms: int) -> None:
        started_s = time.monotonic()
        await asyncio.sleep(at_least_ms / 1000)
        limit_s = KEY_PATIENCE_MS / 1000
        while self.keypad.in_use and time.monotonic() - started_s < limit_s:
            scans, span_s = self.keypad.scans_since_change(key)
            if scans >= KEY_SCANS and span_s * 1000 >= KEY_SCAN_MS:
                return
            await asyncio.sleep(0.005)

    # the CPU's life

    def _start_cpu(self, cause: ResetCause, *, stay_in_raw_repl: bool = False) -> None:
        self._cause = cause
        self.cpu_faulted = False
        self.resets.append(cause)
        self._event("reset", cause.name.lower())
        token = self._bus.new_token()
        if self._chip is not None:
            if self.flash.path is None:
                raise ValueError("an emulated chip needs its flash in a file")
            self._cpu = self._chip.start(
                flash_file=self.flash.path,
                console=self.console.cpu_terminal,
                bus=f"{self._bus.port}:{token}",
                wires=self.uarts,
                on_exit=self._cpu_ended_in_thread,
            )
            return
        self._cpu = Cpu(
            self._interpreter,
            terminal=self.console.cpu_terminal,
            heap_bytes=self.description.heap_bytes,
            window_bytes=self.description.flash_size_bytes,
            romfs_bytes=self.description.romfs_bytes,
            bus=f"{self._bus.port}:{token}",
            stay_in_raw_repl=stay_in_raw_repl,
            on_exit=self._cpu_ended_in_thread,
        )
        if stay_in_raw_repl:
            self.console.write(b"\x01")

    def _stop_cpu(self) -> None:
        """End the CPU and put what belongs to its chip into the state after a reset."""
        cpu, self._cpu = self._cpu, None
        self._bus.cut_off()
        if cpu is not None:
            cpu.kill()
        self._reset_chip()

    def _reset_chip(self) -> None:
        if self._watchdog_timer is not None:
            self._watchdog_timer.cancel()
            self._watchdog_timer = None
        self._watchdog_timeout_s = None
        for uart in self.uarts.values():
            uart.reset()
        self.buzzer.drive(0, 0)
        self.gpio.reset()
        self.console.cpu_was_reset()

    def _restart(self, cause: ResetCause, *, stay_in_raw_repl: bool = False) -> None:
        self._stop_cpu()
        self._start_cpu(cause, stay_in_raw_repl=stay_in_raw_repl)

    def _cpu_ended_in_thread(self, cpu: Cpu | QemuCpu, status: int) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._cpu_ended, cpu, status)
            except RuntimeError:
                pass  # the loop closed meanwhile: nobody is left to be told

    def _cpu_ended(self, cpu: Cpu | QemuCpu, status: int) -> None:
        if cpu is not self._cpu:
            return  # killed by us
        if isinstance(cpu, QemuCpu) and cpu.ended_by_watchdog:
            self._watchdog_expired()
        elif status == 0:
            self.console.drain()
            raw = self.console.in_raw_repl
            self.console.say(b"MPY: soft reboot\r\n")
            self._restart(ResetCause.SOFT, stay_in_raw_repl=raw)
        else:
            # The chip hangs in its fault handler; a running watchdog still counts.
            self.cpu_faulted = True
            self._event("fault", f"the interpreter ended with status {status}")

    def _watchdog_expired(self) -> None:
        self._event("watchdog", "not fed in time")
        self._restart(ResetCause.WATCHDOG)

    def _feed_watchdog(self) -> None:
        if self._watchdog_timeout_s is None:
            return
        if self._watchdog_timer is not None:
            self._watchdog_timer.cancel()
        assert self._loop is not None
        self._watchdog_timer = self._loop.call_later(
            self._watchdog_timeout_s, self._watchdog_expired
        )

    def _supply_changed(self) -> None:
        if not self.powered:
            return
        if self._held_by_brownout:
            if not self._too_weak(self.description.brownout_release_mv):
                self._held_by_brownout = False
                self._start_cpu(ResetCause.BROWNOUT)
        elif self._too_weak(self.description.brownout_mv):
            self._held_by_brownout = True
            self._event("brownout", f"{self.battery.mv} mV: the CPU is held in reset")
            self._stop_cpu()

    def _too_weak(self, limit_mv: int) -> bool:
        return self.battery.mv < limit_mv and not self.battery.charging

    def _peers(self) -> list[UartPeer]:
        return [uart.peer for uart in self.uarts.values() if uart.peer is not None]

    def _event(self, kind: str, detail: str = "") -> None:
        event = Event(time.monotonic(), kind, detail)
        self.events.append(event)
        if self.on_event is not None:
            self.on_event(event)

    # what the CPU asks for

    def _request(
        self, op: Op, unit: int, arg: int, arg2: int, payload: bytes
    ) -> Answer | asyncio.Future[Answer]:
        try:
            answer = self._serve(op, unit, arg, arg2, payload)
        except FlashLockedError as error:
            raise FlashRefused(30, str(error)) from error
        except FlashError as error:
            raise FlashRefused(22, str(error)) from error
        except ValueError as error:
            raise BadArgument(str(error)) from error
        except PowerCut as cut:
            self._event("flash cut", str(cut))
            self.power_off()
            return 0, b""
        except Exception as error:
            # A fault of ours must not pass for one of the program's.
            self._event("simulator fault", repr(error))
            raise
        return (0, b"") if answer is None else answer

    def _serve(
        self, op: Op, unit: int, arg: int, arg2: int, payload: bytes
    ) -> Answer | asyncio.Future[Answer] | None:
        match op:
            case Op.PIN_READ:
                return int(self.gpio.read(unit)), b""
            case Op.PIN_WRITE:
                self.gpio.write(unit, bool(arg))
            case Op.PIN_CONFIGURE:
                latch = arg >> 16 & 0xFF
                value = None if latch == 2 else latch
                self.gpio.configure(unit, arg & 0xFF, arg >> 8 & 0xFF, value)
            case Op.UART_WAITING:
                return self._uart(unit).waiting_bytes, b""
            case Op.UART_READ:
                return 0, self._uart(unit).read(min(arg, TRANSFER_LIMIT_BYTES))
            case Op.UART_WRITE:
                return self._uart_write(self._uart(unit), payload)
            case Op.UART_OPEN:
                self._uart(unit).open(arg)
            case Op.SPI_WRITE:
                self._spi_write(unit, payload)
            case Op.SPI_OPEN:
                if unit != self.description.lcd_spi:
                    raise ValueError(f"nothing is wired to SPI {unit}")
            case Op.FLASH_READ:
                return 0, self.flash.read(arg, min(arg2, TRANSFER_LIMIT_BYTES))
            case Op.FLASH_PROGRAM:
                self.flash.program(arg, payload)
            case Op.FLASH_ERASE:
                self.flash.erase(arg)
            case Op.FLASH_LOCK:
                self.flash.lock(arg)
            case Op.FLASH_SIZE:
                return self.flash.size_bytes, b""
            case Op.WATCHDOG_FEED:
                self._feed_watchdog()
            case Op.WATCHDOG_START:
                self._start_watchdog(arg)
            case Op.ADC_READ:
                if unit != self.description.battery_adc:
                    raise ValueError(f"nothing is wired to ADC channel {unit}")
                return self.battery.adc_u16(), b""
            case Op.RANDOM:
                if not 1 <= arg <= RANDOM_LIMIT_BYTES:
                    raise ValueError(f"the generator gives 1 to {RANDOM_LIMIT_BYTES} bytes")
                self.noise_bytes_taken += arg
                return 0, self.noise(arg)
            case Op.PWM:
                gpio.check_pin(unit)
                if unit == self.description.buzzer_pin:
                    self.buzzer.drive(arg, arg2)
            case Op.RTC_READ:
                return 0, self._rtc_fields()
            case Op.RTC_SET:
                self._set_rtc(payload)
            case Op.RESET_CAUSE:
                return int(self._cause), b""
            case Op.UNIQUE_ID:
                return 0, self.unique_id
            case Op.RESET:
                self.console.drain()
                self._restart(ResetCause.SOFT)
            case _:
                raise ValueError(f"{op.name} is not for a running CPU")
        return None

    def _uart(self, number: int) -> SerialLink:
        if number not in self.uarts:
            raise ValueError(f"no UART {number} on this board")
        return self.uarts[number]

    def _uart_write(
        self, uart: SerialLink, payload: bytes
    ) -> Answer | asyncio.Future[Answer] | None:
        if not self._throttle:
            uart.transmit(payload)
            return len(payload), b""
        assert self._loop is not None
        loop = self._loop
        answer: asyncio.Future[Answer] = loop.create_future()
        cpu = self._cpu

        def sent() -> None:
            # A CPU that was reset meanwhile has stopped its transmitter.
            if cpu is self._cpu and uart.baud:
                uart.transmit(payload)
                answer.set_result((len(payload), b""))

        loop.call_later(uart.seconds_for(len(payload)), sent)
        return answer

    def _spi_write(self, unit: int, payload: bytes) -> None:
        board = self.description
        # The controller listens only while selected and out of reset; undriven, both are pulled up.
        if unit != board.lcd_spi or self.gpio.driven(board.lcd_select_pin) is not False:
            return
        if self.gpio.driven(board.lcd_reset_pin) is False:
            return
        self.lcd.write(payload, is_data=bool(self.gpio.driven(board.lcd_data_command_pin)))

    def _lcd_reset_line(self, level: bool | None) -> None:
        if level is False:
            self.lcd.reset()

    def _start_watchdog(self, timeout_ms: int) -> None:
        limit_ms = self.description.watchdog_max_ms
        if not 1 <= timeout_ms <= limit_ms:
            raise ValueError(f"the watchdog counts 1 to {limit_ms} ms, not {timeout_ms}")
        self._watchdog_timeout_s = timeout_ms / 1000 * self._watchdog_stretch
        self._feed_watchdog()

    def stretch_watchdog(self, stretch: float) -> None:
        """Multiply watchdog timeouts by `stretch` from now on; one that runs counts anew."""
        if self._watchdog_timeout_s is not None:
            self._watchdog_timeout_s *= stretch / self._watchdog_stretch
        self._watchdog_stretch = stretch
        self._feed_watchdog()

    def _rtc_fields(self) -> bytes:
        now = self.rtc.now()
        small = (now.month, now.day, now.weekday(), now.hour, now.minute, now.second, 0)
        return now.year.to_bytes(2, "little") + bytes(small)

    def _set_rtc(self, payload: bytes) -> None:
        if len(payload) != 9:
            raise ValueError("the clock is set by 9 bytes")
        year = int.from_bytes(payload[:2], "little")
        month, day, _, hour, minute, second, _ = payload[2:]
        self.rtc.set(datetime(year, month, day, hour, minute, second, tzinfo=UTC))


class LoopThread:
    """An event loop in a thread of its own, for boards and what they talk to.

    Several boards (and the networks they share) may live on one.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="hw_sim", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = 60) -> T:
        """Run a coroutine there and return what it returns. TimeoutError after `timeout_s`."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a plain function there and return what it returns."""

        async def work() -> T:
            return function(*args)

        return self.run(work())

    def close(self) -> None:
        """Cancel what still runs there and end the thread."""

        async def cancel_all() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        if self.loop.is_closed():
            return
        self.run(cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class SimulatedBoard:
    """A `Board` with a thread of its own; every method may be called from any thread.

    Takes what `Board` takes. With `loop_thread`, it lives there instead, beside others.
    `board` is the board itself: read its attributes freely; change anything through `call`.
    """

    def __init__(
        self, flash: NorFlash | Path | str, *, loop_thread: LoopThread | None = None, **options: Any
    ) -> None:
        self._own_thread = loop_thread is None
        self._thread = loop_thread or LoopThread()
        self._closed = False
        try:
            self.board = self._thread.call(lambda: Board(flash, **options))
            self._thread.run(self.board.open())
        except BaseException:
            if self._own_thread:
                self._thread.close()
            raise

    def __enter__(self) -> SimulatedBoard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch off and give everything back. Harmless when done twice."""
        if not self._closed:
            self._closed = True
            self._thread.run(self.board.close())
            if self._own_thread:
                self._thread.close()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the board lives on."""
        return self._thread.loop

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function` on the board's thread: `board.call(network.set_coverage, False)`."""
        return self._thread.call(function, *args)

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = 60) -> T:
        """Run a coroutine on the board's event loop."""
        return self._thread.run(work, timeout_s)

    def power_on(self) -> None:
        """See `Board.power_on`."""
        self.call(self.board.power_on)

    def power_off(self) -> None:
        """See `Board.power_off`."""
        self.call(self.board.power_off)

    def power_cycle(self) -> None:
        """Off and on again."""
        self.power_off()
        self.power_on()

    def reset_button(self) -> None:
        """See `Board.reset_button`."""
        self.call(self.board.reset_button)

    def cut_power_at_flash_operation(self, operation: int, how: CutMoment = "torn") -> None:
        """See `Board.cut_power_at_flash_operation`."""
        self.call(self.board.cut_power_at_flash_operation, operation, how)

    def press(self, key: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """See `Board.press`; returns when the key was let go."""
        self.run(self.board.press(key, hold_ms))

    def type(self, keys: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """See `Board.type`."""
        self.run(self.board.type(keys, hold_ms), timeout_s=10 + 5 * len(keys))

    def hold(self, key: str) -> None:
        """Put a finger on `key` and leave it there."""
        self.call(self.board.keypad.press, key)

    def release(self, key: str) -> None:
        """Take it off."""
        self.call(self.board.keypad.release, key)

    def lcd_picture(self) -> Picture:
        """What is on the display."""
        return self.call(self.board.lcd.picture)

    def lcd_pixels(self) -> tuple[bytes, ...]:
        """What is on the display: 64 rows of 128 bytes, 1 where a pixel is set."""
        return self.lcd_picture().rows

    def lcd_png(self, path: Path | str) -> None:
        """Write a picture of the display, as it looks, to a PNG file."""
        self.lcd_picture().save_png(path)

    def lcd_text_art(self) -> str:
        """The display in half blocks: 32 lines of 128 characters."""
        return self.lcd_picture().half_blocks()

    @property
    def serial_port(self) -> str:
        """The technician's serial port: a device path that stays the same over resets."""
        return self.board.console.port_path

    @property
    def console_log(self) -> bytes:
        """What the CPU printed on the console so far (the last megabyte)."""
        return self.call(lambda: self.board.console.log)

    def console_write(self, data: bytes) -> None:
        """Type on the console without opening the port."""
        self.call(self.board.console.write, data)

    @property
    def flash(self) -> NorFlash:
        return self.board.flash

    @property
    def battery(self) -> ThreadSafeBattery:
        return ThreadSafeBattery(self)

    @property
    def cpu_running(self) -> bool:
        """See `Board.cpu_running`."""
        return self.call(lambda: self.board.cpu_running)

    @property
    def resets(self) -> list[str]:
        """The cause of each start of the CPU: "power_on", "soft", "watchdog", "brownout",
        "hard"."""
        return self.call(lambda: [cause.name.lower() for cause in self.board.resets])

    @property
    def events(self) -> list[Event]:
        """What happened to the board, oldest first."""
        return self.call(lambda: list(self.board.events))

    def wait_for(
        self, predicate: Callable[[], object], timeout_s: float = 10, *, what: str = "it"
    ) -> None:
        """Return as soon as `predicate()` (called on this thread) is true.

        Raises:
            TimeoutError: it was not within `timeout_s`; the text shows display, console and events.
        """
        deadline_s = time.monotonic() + timeout_s
        while not predicate():
            if time.monotonic() >= deadline_s:
                raise TimeoutError(f"{what} did not happen in {timeout_s} s\n{self.summary()}")
            time.sleep(0.01)

    def wait_for_console(self, text: bytes, timeout_s: float = 10) -> None:
        """Return as soon as the CPU has printed `text`. TimeoutError as `wait_for`."""
        self.wait_for(lambda: text in self.console_log, timeout_s, what=f"{text!r} on the console")

    def summary(self) -> str:
        """The board's state for a person: display, end of the console, last events."""
        events = "\n".join(f"  {e.time_s:.3f} {e.kind} {e.detail}" for e in self.events[-12:])
        console = self.console_log[-1500:].decode(errors="replace")
        picture = self.lcd_picture()
        display = "display: blank" if picture.blank else picture.braille()
        return f"{display}\nconsole:\n{console}\nevents:\n{events}"


class ThreadSafeBattery:
    """`Battery` for any thread."""

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board

    @property
    def mv(self) -> int:
        return self._board.board.battery.mv

    def set_mv(self, mv: int) -> None:
        """See `Battery.set_mv`."""
        self._board.call(self._board.board.battery.set_mv, mv)

    def set_charging(self, charging: bool) -> None:
        """See `Battery.set_charging`."""
        self._board.call(self._board.board.battery.set_charging, charging)
