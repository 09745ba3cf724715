"""The tasks of a terminal at work, and the watchdog that is fed while they show signs of life.

A task that fails ends the program with its error, so that the bootloader counts the crash.
"""

import asyncio

from bootloader.shared import breath
from bootloader.shared.compat import const, ticks_diff, ticks_ms
from firmware import counts
from firmware.bell import BEAT_MS, NOBODY_LOOKS_MS, REST_BEAT_MS, to_beat_ms, wait_at_most
from firmware.drivers.keypad import SCAN_MS
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from typing import Any

    from bootloader.shared.board import Board
    from firmware.boot_info import BootInfo
    from firmware.drivers.keypad import Keypad
    from firmware.duties.radio import Radio
    from firmware.ui.dialogs import Dialogs

    Work = list[Coroutine[Any, Any, None]]

MERCHANT_SILENT_MS = 30000
RADIO_SILENT_MS = 1200000
TECHNICIAN_SILENT_MS = 300000
_WHO_REST = const(2)
"""Radio and updates: with a merchant who is not there nobody else begins anything long."""
_ON_MS = const(0)  # of `counts`


class Supervisor:
    """Runs the tasks, and breathes for them where long arithmetic lets none of them run."""

    def __init__(
        self,
        board: "Board",
        boot_info: "BootInfo",
        keypad: "Keypad",
        ui: "Dialogs",
        radio: "Radio",
    ) -> None:
        """`ui`, `radio`: the merchant's and the radio's signs of life."""
        self._board = board
        self._watchdog = boot_info.watchdog
        self._keypad = keypad
        self._ui = ui
        self._radio = radio
        self._selling: list["asyncio.Task[None]"] = []
        self._failed: Exception | None = None
        self._is_selling = True
        self._resting = 0
        self._stirred = asyncio.Event()
        self._fed_ms = self._breath_ms = self._technician_ms = ticks_ms()
        breath.use(self._breathe)

    async def run(self, always: "Work", selling: "Work") -> None:
        """Run all tasks until one of them fails; raises what it raised.

        `selling`: those that end when a technician comes to test the parts.
        """
        _others = [asyncio.create_task(self._watched(work)) for work in always]
        self._selling = [asyncio.create_task(self._watched(work)) for work in selling]
        await self.watch()

    async def _watched(self, work: "Coroutine[Any, Any, None]") -> None:
        try:
            await work
        except Exception as error:
            self._failed = error

    async def watch(self) -> None:
        """Feed the watchdog while merchant and radio live; raises what a task failed with."""
        silent = None
        counted_ms = ticks_ms()
        while True:
            if self._failed:
                raise self._failed
            now = ticks_ms()
            counts.add(_ON_MS, ticks_diff(now, counted_ms))
            counted_ms = now
            if not self._is_selling:
                if ticks_diff(now, self._technician_ms) > TECHNICIAN_SILENT_MS:
                    log("service", "left alone: back to selling")
                    self._board.reset()
            elif ticks_diff(now, self._ui.alive_ms) > MERCHANT_SILENT_MS:
                silent = "merchant"
            elif ticks_diff(now, self._radio.alive_ms) > RADIO_SILENT_MS:
                silent = "radio"
            if silent is None:
                self._watchdog.feed()
                self._fed_ms = now
            else:
                # no more feeding, even if the task comes back: its state is not to be trusted
                breath.use(None)
                log("main", silent + " task hangs, waiting for the watchdog")
            await self._to_next_feed()

    async def _to_next_feed(self) -> None:
        self._stirred.clear()
        if self._resting == _WHO_REST and self._ui.idle_ms() >= NOBODY_LOOKS_MS:
            await wait_at_most(self._stirred.wait(), to_beat_ms(REST_BEAT_MS))
        else:
            await asyncio.sleep_ms(to_beat_ms(BEAT_MS))

    async def rest(self, pause: "Awaitable[object]") -> object:
        """Await `pause`, in which the task that calls this does nothing that takes long; what it
        returns.

        While all rest the watchdog is fed seldom; who comes back has it fed before working.
        """
        self._resting += 1
        try:
            return await pause
        finally:
            self._resting -= 1
            self._stirred.set()
            breath.breathe()

    def _breathe(self) -> None:
        # In the middle of long arithmetic no task runs: keys are taken all the same. The watchdog
        # is kept quiet as long as a silent merchant task would be borne, so a hang still ends.
        now = ticks_ms()
        if ticks_diff(now, self._breath_ms) >= SCAN_MS:
            self._breath_ms = now
            self._keypad.step()
            self._stirred.set()
            if ticks_diff(now, self._fed_ms) < MERCHANT_SILENT_MS:
                self._watchdog.feed()

    async def stop_selling(self) -> None:
        """End the tasks that sell for a technician's tests, until the next restart or
        `TECHNICIAN_SILENT_MS` without another call.

        A cut in the middle of any of these tasks is what they are made for.
        """
        if self._is_selling:
            self._is_selling = False
            for task in self._selling:
                task.cancel()
            await asyncio.sleep_ms(0)
            self._keypad.forget()
        self._technician_ms = ticks_ms()
