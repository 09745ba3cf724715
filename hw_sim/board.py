"""The board: a MicroPython CPU with everything that is wired to it, and a power switch.

`Board` lives on a running event loop; `hw_sim.threaded.SimulatedBoard` is the same for plain
threads.

What a reset does to the CPU: `machine.reset()` and the end of the program's process with status 0
(the REPL's Ctrl-D, `sys.exit`) start it again with the cause "soft"; the watchdog with "watchdog".
A CPU that crashes (any other status, or a signal) stays dead until the watchdog or a power cycle,
as a chip in a hard fault does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from hw_sim.bus import BusServer
from hw_sim.chip_requests import ChipRequests
from hw_sim.console import Console
from hw_sim.cpu import Cpu, find_interpreter
from hw_sim.description import REFERENCE, BoardDescription
from hw_sim.devices import Devices, repeatable
from hw_sim.events import EVENT_LIMIT, EventLog, ResetCause
from hw_sim.finger import Finger
from hw_sim.flash import CutMoment, NorFlash
from hw_sim.hosted.chip import Sizes
from hw_sim.hosted.cpu import HostedCpu, has_program
from hw_sim.hosted.imports import Sources
from hw_sim.pacing import Pace
from hw_sim.qemu import QemuChip, QemuCpu
from hw_sim.uart import UartPeer
from hw_sim.watchdog import Watchdog

UNIQUE_ID_BYTES = 8


class Board:
    """The board on the running event loop; every call belongs to that loop's thread.

    Devices are attributes: `flash`, `keypad`, `lcd`, `battery`, `buzzer`, `rtc`, `modem`,
    `printer`, `noise`, `uarts` (the CPU's side of each); so are `finger`, which presses the keys,
    `watchdog` and `events`. `resets` is the cause of each start of the CPU, oldest first;
    `cpu_faulted` whether it crashed and has not been reset since.

    `costs`, set before a start: what calls of functions take on a real core, microseconds by
    "module:function" or "module:class.method", where the pace jumps; all else that a program
    computes takes none.

    `chip` is the CPU if it shall not be an interpreter of this host; its flash is a file.
    `seed` fixes contact bounce and power-up noise. `throttle_uarts` makes the CPU's transmissions
    take the time they take on a wire. `watchdog_stretch` multiplies watchdog timeouts, for hosts so
    slow that a real second is too short. `pace` is the board's clock: real time if left out.
    """

    costs: Mapping[str, int] = {}
    _hosted: Sources | None = None
    _loop: asyncio.AbstractEventLoop | None = None

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
        pace: Pace | None = None,
    ) -> None:
        """Put the board together, without supply.

        Raises:
            FlashFileError: the flash file cannot be this board's.
            InterpreterError: there is no MicroPython.
            ValueError: `unique_id` has not 8 bytes, or the pace jumps and the chip cannot follow.
        """
        if chip and pace and pace.jumps:
            raise ValueError("an emulated chip has a clock of its own: it needs real time")
        if len(unique_id) != UNIQUE_ID_BYTES:
            raise ValueError(f"the chip's unique id has 8 bytes, not {len(unique_id)}")
        self.description, self.unique_id = description, unique_id
        self.pace = pace = pace or Pace()
        self.events = events = EventLog(pace.now_s)
        self._chip = chip
        self._interpreter = "" if chip else interpreter or find_interpreter()
        self._own_flash = not isinstance(flash, NorFlash)
        if not isinstance(flash, NorFlash):
            flash = NorFlash(flash, size_bytes=description.flash_size_bytes)
        devices = Devices(flash, description, pace, repeatable(seed), bounce, modem, printer)
        self._devices = devices
        self.flash, self.keypad, self.lcd = flash, devices.keypad, devices.lcd
        self.battery, self.buzzer, self.rtc = devices.battery, devices.buzzer, devices.rtc
        self.modem, self.printer, self.uarts = modem, printer, devices.uarts
        self.noise = devices.noise
        self.battery.changed = self._supply_changed
        self.finger = Finger(self.keypad, pace)
        self.resets: deque[ResetCause] = deque(maxlen=EVENT_LIMIT)
        self.powered = self.cpu_faulted = self._held_by_brownout = False
        self._cpu: Cpu | QemuCpu | HostedCpu | None = None
        self.watchdog = Watchdog(
            pace, description.watchdog_max_ms, watchdog_stretch, self._watchdog_bit
        )
        self._turn = pace.turn()
        self._requests = ChipRequests(
            self, devices, events, pace, self._turn, throttle_uarts=throttle_uarts
        )
        self.bus = BusServer(self._requests.serve, lambda text: events.note("bus", text), pace)
        flash.on_damage = self.bus.flash_changed
        self.console = Console(serial_link, piped=pace.jumps)
        self.console.arrived = self._console_said
        if pace.jumps:
            self.noise.source = repeatable(seed + 1).randbytes

    # by hand: open, close, power

    def host(self, sources: Sources) -> None:
        """From the next start on, run programs on CPython, in this process (`hw_sim.hosted`).
        `sources` is the text that each compiled file was made from, by the file's SHA-256. A prompt
        is MicroPython's all the same.

        Raises:
            ValueError: the pace does not jump.
        """
        if not self.pace.jumps:
            raise ValueError("a hosted CPU needs simulated time")
        self._hosted = sources

    async def open(self) -> None:
        """Bring up the serial port. Before anything else."""
        self._loop = asyncio.get_running_loop()
        await self.bus.open()
        self.console.open()

    async def close(self) -> None:
        """Switch off and give everything back. A flash that was passed in stays open."""
        self.power_off()
        await self.bus.close()
        self.console.close()
        if self._own_flash:
            self.flash.close()
        self._loop = None

    def power_on(self) -> None:
        """Close the power switch; the CPU starts. Nothing happens when it is closed already."""
        if self.powered:
            return
        self.powered = True
        self.events.note("power", "on")
        self._devices.power_on()
        self._held_by_brownout = self._devices.too_weak(self.description.brownout_mv)
        if self._held_by_brownout:
            self._note_brownout()
        else:
            self._start_cpu(ResetCause.POWER_ON)

    def power_off(self) -> None:
        """Pull the battery: the CPU is killed wherever it is, every device loses its supply."""
        if not self.powered:
            return
        self.powered = False
        self._stop_cpu()
        self.events.note("power", "off")
        self._devices.power_off()

    def reset_button(self) -> None:
        """Press the reset button, if there is supply."""
        if self.powered and not self._held_by_brownout:
            self._restart(ResetCause.HARD)

    def cut_power_at_flash_operation(self, operation: int, how: CutMoment = "torn") -> None:
        """Pull the battery at that flash operation, counted as `flash.operations`."""
        self.flash.cut_power_at(operation, how)

    # the CPU's life

    @property
    def cpu_running(self) -> bool:
        """Whether the CPU runs: has supply, is not held in reset and did not crash."""
        return self._cpu is not None and self._cpu.running

    @property
    def cpu_pid(self) -> int | None:
        """The interpreter's process, None when there is none."""
        return None if self._cpu is None else self._cpu.pid

    @property
    def cause(self) -> ResetCause:
        """Why the CPU last started, as it may ask."""
        return self.resets[-1]

    @property
    def wake_ups(self) -> int:
        """How often the CPU slept and went on; counted where time is simulated."""
        return self._requests.wake_ups

    def soft_reset(self) -> None:
        """The program asked to be started again; what it had printed is carried on first."""
        self.console.drain()
        self._restart(ResetCause.SOFT)

    def _start_cpu(self, cause: ResetCause, *, stay_in_raw_repl: bool = False) -> None:
        self.cpu_faulted = False
        self.resets.append(cause)
        self.events.note("reset", cause.name.lower())
        self._turn.take(lambda: self._boot_cpu(stay_in_raw_repl))

    def _boot_cpu(self, stay_in_raw_repl: bool) -> None:
        if self._chip is not None:
            if self.flash.path is None:
                raise ValueError("an emulated chip needs its flash in a file")
            self._cpu = self._chip.start(
                flash_file=self.flash.path,
                console=self.console.cpu_terminal,
                bus=f"{self.bus.port}:{self.bus.new_token()}",
                wires=self.uarts,
                on_exit=self._cpu_ended_in_thread,
            )
            return
        sources = None if stay_in_raw_repl else self._hosted
        if sources is not None and has_program(self.flash, self.description.romfs_bytes):
            self._requests.runs_ahead = True
            self.console.hold_for_cpu(True)
            sizes = Sizes(self.flash.size_bytes, self.description.romfs_bytes, self.costs)
            serve, ended = self._requests.serve, self._hosted_ended
            cpu = HostedCpu(self._turn, serve, self.bus, self.console, sources, sizes, ended)
            self._cpu = cpu
            cpu.start()
            return
        self._boot_interpreter(stay_in_raw_repl)
        if stay_in_raw_repl:
            self.console.write(b"\x01")

    def _hosted_ended(self, cpu: HostedCpu, _status: int) -> None:
        """MicroPython would show its prompt: let it. Pins and the rest of the chip stay."""
        if cpu is self._cpu:
            self._boot_interpreter(True)

    def _boot_interpreter(self, stay_in_raw_repl: bool) -> None:
        self._requests.runs_ahead = False
        self.console.hold_for_cpu(False)
        self._cpu = Cpu(
            self._interpreter,
            terminal=self.console.cpu_terminal,
            heap_bytes=self.description.heap_bytes,
            window_bytes=self.description.flash_size_bytes,
            romfs_bytes=self.description.romfs_bytes,
            output=self.console.cpu_output,
            simulated_time=self.pace.jumps,
            costs=self.costs,
            bus=f"{self.bus.address}:{self.bus.new_token()}",
            stay_in_raw_repl=stay_in_raw_repl,
            on_exit=self._cpu_ended_in_thread,
        )
        self._turn.watch(self._cpu.look)

    def _console_said(self) -> None:
        if self.cpu_running:
            self._requests.console_said(may_be_at_prompt=isinstance(self._cpu, Cpu))

    def _stop_cpu(self) -> None:
        """End the CPU and put what belongs to its chip into the state after a reset."""
        cpu, self._cpu = self._cpu, None
        self.bus.cut_off()
        if cpu is not None:
            cpu.kill()
        self._turn.rest()
        self.watchdog.stop()
        self._requests.reset()
        self._devices.reset_chip()
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
            self._watchdog_bit()
        elif status == 0:
            self.console.drain()
            raw = self.console.in_raw_repl
            self.console.say(b"MPY: soft reboot\r\n")
            self._restart(ResetCause.SOFT, stay_in_raw_repl=raw)
        else:
            # The chip hangs in its fault handler; a running watchdog still counts.
            self._turn.rest()
            self.cpu_faulted = True
            self.events.note("fault", f"the interpreter ended with status {status}")

    def _watchdog_bit(self) -> None:
        self.events.note("watchdog", "not fed in time")
        self._restart(ResetCause.WATCHDOG)

    def _supply_changed(self) -> None:
        if not self.powered:
            return
        if self._held_by_brownout:
            if not self._devices.too_weak(self.description.brownout_release_mv):
                self._held_by_brownout = False
                self._start_cpu(ResetCause.BROWNOUT)
        elif self._devices.too_weak(self.description.brownout_mv):
            self._held_by_brownout = True
            self._note_brownout()
            self._stop_cpu()

    def _note_brownout(self) -> None:
        self.events.note("brownout", f"{self.battery.mv} mV: the CPU is held in reset")
