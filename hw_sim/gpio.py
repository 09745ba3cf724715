"""The CPU's pins: who drives which line, and what level is on it.

The board makes one bank and ties devices to its pins.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

PIN_COUNT: Final = 30
"""GPIO 0 to 29, as on RP2040 and RP2350A."""


FALLING, RISING = 4, 8
"""Edges of a line that can interrupt the CPU; values as in MicroPython's `machine.Pin` on RP2."""


class Mode(IntEnum):
    """Values as in MicroPython's `machine.Pin` on RP2 boards."""

    IN = 0
    OUT = 1
    OPEN_DRAIN = 2


class Pull(IntEnum):
    """Values as in MicroPython's `machine.Pin` on RP2 boards."""

    NONE = 0
    UP = 1
    DOWN = 2


class GpioBank:
    """The pins of one CPU; after a reset all are inputs without pull.

    `tie_input` gives a pin its outside world: a function from "level the pin's pull gives, or
    None" to the level that is there. `tie_output` is told of every change of the level that the
    CPU drives (None: not driven).
    """

    def __init__(self) -> None:
        self._mode = [Mode.IN] * PIN_COUNT
        self._pull = [Pull.NONE] * PIN_COUNT
        self._value = [False] * PIN_COUNT
        self._inputs: dict[int, Callable[[], bool]] = {}
        self._outputs: dict[int, Callable[[bool | None], None]] = {}
        self._conducts: dict[int, Callable[[], bool]] = {}
        self._edges: dict[int, int] = {}
        self._seen: dict[int, bool] = {}
        self.is_looking = False
        """Whether a level is asked for on behalf of the edge detector, not by the CPU."""
        self.interrupt: Callable[[int], None] = lambda pin: None
        """Told of each edge on a pin that the CPU listens to."""

    def tie_input(
        self, pin: int, level: Callable[[], bool], conducts: Callable[[], bool] = lambda: True
    ) -> None:
        """`level()` is read whenever the CPU reads `pin` while not driving it. `conducts()`:
        whether what the CPU drives onto it may change other lines now.
        """
        self._inputs[check_pin(pin)] = level
        self._conducts[pin] = conducts

    def tie_output(self, pin: int, changed: Callable[[bool | None], None]) -> None:
        """`changed(level)` is called whenever what the CPU drives onto `pin` changes."""
        self._outputs[check_pin(pin)] = changed

    def reset(self) -> None:
        """All pins back to inputs; tied devices see their lines let go."""
        self._edges.clear()
        for pin in range(PIN_COUNT):
            before = self.driven(pin)
            self._mode[pin] = Mode.IN
            self._pull[pin] = Pull.NONE
            self._value[pin] = False
            self._tell(pin, before)

    def configure(self, pin: int, mode: int, pull: int, value: int | None) -> None:
        """Set a pin's direction and pull, and its output value when `value` is not None.

        Raises:
            ValueError: no such pin, mode or pull.
        """
        check_pin(pin)
        new_mode, new_pull = Mode(mode), Pull(pull)
        before = self.driven(pin)
        self._mode[pin] = new_mode
        self._pull[pin] = new_pull
        if value is not None:
            self._value[pin] = bool(value)
        self._tell(pin, before)

    def write(self, pin: int, value: bool) -> None:
        """Set the output latch; it shows on the line when the pin is an output."""
        before = self.driven(check_pin(pin))
        self._value[pin] = value
        self._tell(pin, before)

    def listen(self, pin: int, edges: int) -> None:
        """Tell of edges on `pin` from now on: 4 falling, 8 rising (as MicroPython's on RP2), or
        both; 0 for no more. ValueError for a pin or an edge that does not exist.
        """
        if edges & ~(FALLING | RISING):
            raise ValueError(f"a pin tells of falling (4) or rising (8) edges, not of {edges}")
        self._edges.pop(check_pin(pin), None)
        if edges:
            self._edges[pin] = edges
            self._seen[pin] = self.read(pin)

    def look(self) -> None:
        """Something outside has moved: tell of the edges that it made."""
        for pin, edges in list(self._edges.items()):
            self.is_looking = True
            level = self.read(pin)
            self.is_looking = False
            if level != self._seen[pin]:
                self._seen[pin] = level
                if edges & (RISING if level else FALLING):
                    self.interrupt(pin)

    def driven(self, pin: int) -> bool | None:
        """What the CPU drives onto the line; None when it does not."""
        mode = self._mode[pin]
        if mode is Mode.OUT:
            return self._value[pin]
        if mode is Mode.OPEN_DRAIN and not self._value[pin]:
            return False
        return None

    def is_output(self, pin: int) -> bool:
        """Whether the CPU has made it an output, whatever is on the line now."""
        return self._mode[pin] is not Mode.IN

    def pull(self, pin: int) -> bool | None:
        """The level that the pin's own pull gives; None without a pull."""
        pull = self._pull[pin]
        return None if pull is Pull.NONE else pull is Pull.UP

    def read(self, pin: int) -> bool:
        """The level on the line: driven, from outside, from the pull, or low."""
        driven = self.driven(check_pin(pin))
        if driven is not None and pin not in self._inputs:
            return driven
        outside = self._inputs.get(pin)
        if outside is not None:
            return outside()
        return bool(self.pull(pin))

    def _tell(self, pin: int, before: bool | None) -> None:
        after = self.driven(pin)
        changed = self._outputs.get(pin)
        if changed is not None and after != before:
            changed(after)
        if self._edges and after != before and pin in self._inputs and self._conducts[pin]():
            self.look()


def check_pin(pin: int) -> int:
    """`pin` when there is such a one, else ValueError."""
    if not 0 <= pin < PIN_COUNT:
        raise ValueError(f"no pin GP{pin}: there are GP0 to GP{PIN_COUNT - 1}")
    return pin
