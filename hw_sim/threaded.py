"""The board for plain threads: tests and tools call it, its event loop runs beside them.

with SimulatedBoard(tmp_path / "flash.bin", unique_id=b"\\0" * 8) as board:
    board.power_on()
    board.type("1234#")
    board.wait_for(lambda: not board.lcd_picture().blank, timeout_s=5)
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hw_sim.board import Board
from hw_sim.events import Event
from hw_sim.finger import KEY_HOLD_MS
from hw_sim.flash import CutMoment, NorFlash
from hw_sim.hosted.imports import Sources
from hw_sim.lcd import Picture
from hw_sim.loop_thread import LoopThread

T = TypeVar("T")


class SimulatedBoard:
    """A `Board` with a thread of its own; every method may be called from any thread.

    Takes what `Board` takes. With `loop_thread`, it lives there instead, beside others.
    With `hosted` its program runs in this process: see `Board.host`; for `costs` see `Board`.
    `board` is the board itself: read its attributes freely; change anything through `call`.
    """

    def __init__(
        self,
        flash: NorFlash | Path | str,
        *,
        loop_thread: LoopThread | None = None,
        hosted: Sources | None = None,
        costs: Mapping[str, int] | None = None,
        **options: Any,
    ) -> None:
        self._own_thread = loop_thread is None
        self.loop_thread = loop_thread or LoopThread()
        """Where it lives."""
        self._closed = False
        try:
            self.board = self.loop_thread.call(lambda: Board(flash, **options))
            if hosted is not None:
                self.board.host(hosted)
            if costs:
                if not self.board.pace.jumps:
                    raise ValueError(
                        "what a program computes takes its own time where time is real"
                    )
                self.board.costs = costs
            self.loop_thread.run(self.board.open())
        except BaseException:
            if self._own_thread:
                self.loop_thread.close()
            raise
        self.loop = self.loop_thread.loop
        """The event loop that the board lives on."""
        self.flash = self.board.flash
        self.battery = ThreadSafeBattery(self)
        self.serial_port = self.board.console.port_path
        """The technician's serial port: a device path that stays the same over resets."""

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
            self.loop_thread.run(self.board.close())
            if self._own_thread:
                self.loop_thread.close()

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function` on the board's thread: `board.call(network.set_coverage, False)`."""
        return self.loop_thread.call(function, *args)

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = 60) -> T:
        """Run a coroutine on the board's event loop."""
        return self.loop_thread.run(work, timeout_s)

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
        """See `Finger.press`; returns when the key was let go."""
        self.run(self.board.finger.press(key, hold_ms))

    def type(self, keys: str, hold_ms: int = KEY_HOLD_MS) -> None:
        """See `Finger.type`."""
        self.run(self.board.finger.type(keys, hold_ms), timeout_s=10 + 5 * len(keys))

    def hold(self, key: str) -> None:
        """Put a finger on `key` and leave it there."""
        self.call(self.board.keypad.press, key)

    def release(self, key: str) -> None:
        """Take it off."""
        self.call(self.board.keypad.release, key)

    def lcd_picture(self) -> Picture:
        """What is on the display."""
        return self.call(self.board.lcd.picture)

    @property
    def console_log(self) -> bytes:
        """What the CPU printed on the console so far (the last megabyte)."""
        return self.call(lambda: self.board.console.log)

    def console_write(self, data: bytes) -> None:
        """Type on the console without opening the port."""
        self.call(self.board.console.write, data)

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
        if not self.board.pace.wait_until(predicate, timeout_s):
            raise TimeoutError(f"{what} did not happen in {timeout_s} s\n{self.summary()}")

    def pause(self, seconds: float) -> None:
        """Let that much of the board's time go by."""
        self.board.pace.pause(seconds)

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
        """See `Battery.mv`."""
        return self._board.board.battery.mv

    def set_mv(self, mv: int) -> None:
        """See `Battery.set_mv`."""
        self._board.call(self._board.board.battery.set_mv, mv)

    def set_charging(self, charging: bool) -> None:
        """See `Battery.set_charging`."""
        self._board.call(self._board.board.battery.set_charging, charging)
