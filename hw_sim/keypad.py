"""A 4x4 matrix keypad, electrically: contacts that bounce, join rows to columns, and ghost.

The board ties it to the CPU's pins; tests and panels press its keys. It has no diodes, so three
keys pressed on three corners of a rectangle read like four.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hw_sim.gpio import GpioBank

BOUNCE_MAX_S: Final = 0.006
"""Membrane keypads settle within some 5 ms (typical data sheets); modelled."""
BOUNCE_MAX_EDGES: Final = 8


@dataclass
class _Contact:
    """One key's switch: settled level, and the instants at which it chatters on the way there."""

    pressed: bool = False
    edges_s: list[float] = field(default_factory=list)
    scans_since_change: int = 0
    """How often the CPU looked at this contact, settled, since it last changed."""
    first_scan_s: float = 0.0

    def closed(self, now_s: float) -> bool:
        """Whether the contact conducts at `now_s`."""
        if not self.edges_s:
            return self.pressed
        if now_s >= self.edges_s[-1]:
            self.edges_s.clear()  # it has settled, and time never goes back
            return self.pressed
        remaining = sum(1 for edge in self.edges_s if edge > now_s)
        return self.pressed ^ bool(remaining % 2)

    def settled(self, now_s: float) -> bool:
        return not self.edges_s or now_s >= self.edges_s[-1]


class Keypad:
    """The switch matrix between `row_pins` and `column_pins` of a GPIO bank.

    `clock` gives seconds, rising; bounce is drawn from `rng`, so a seed gives the same chatter
    again.
    """

    def __init__(
        self,
        gpio: GpioBank,
        *,
        row_pins: tuple[int, ...],
        column_pins: tuple[int, ...],
        layout: tuple[str, ...],
        rng: random.Random,
        clock: Callable[[], float],
        bounce: bool = True,
    ) -> None:
        self._gpio = gpio
        self._pins = row_pins + column_pins
        self._rows = len(row_pins)
        self._rng = rng
        self._clock = clock
        self._bounce = bounce
        self._place: dict[str, tuple[int, int]] = {}
        self._contacts: dict[str, _Contact] = {}
        self._by_column: defaultdict[int, list[tuple[int, _Contact]]] = defaultdict(list)
        self._moved: dict[str, _Contact] = {}
        """Those that a finger moved, until they are open and still again: all that can conduct."""
        for row, keys in enumerate(layout):
            for column, key in enumerate(keys):
                contact = _Contact()
                self._place[key] = (row, self._rows + column)
                self._contacts[key] = contact
                self._by_column[self._rows + column].append((row_pins[row], contact))
        self.shorts = 0
        """Reads at which a driven-low row was joined to a driven-high one: two push-pull outputs
        fighting. Real drivers let go of the rows they do not scan."""
        for node, pin in enumerate(self._pins):
            gpio.tie_input(
                pin,
                lambda node=node: self._level(node),  # type: ignore[misc]
                lambda node=node: self._conducts(node),  # type: ignore[misc]
            )

    @property
    def keys(self) -> frozenset[str]:
        """The keys there are."""
        return frozenset(self._place)

    @property
    def pressed(self) -> frozenset[str]:
        """The keys a finger is on."""
        return frozenset(key for key, contact in self._contacts.items() if contact.pressed)

    @property
    def in_use(self) -> bool:
        """Whether a program that scans is running: it has made the rows outputs."""
        return any(self._gpio.is_output(pin) for pin in self._pins[: self._rows])

    def press(self, key: str) -> None:
        """Put a finger on `key`. ValueError when there is no such key."""
        self._move(key, True)

    def release(self, key: str) -> None:
        """Take the finger off `key`. ValueError when there is no such key."""
        self._move(key, False)

    def scans_since_change(self, key: str) -> tuple[int, float]:
        """How often the CPU looked at `key` since it settled, and over how long (seconds).

        A look is a read of the key's column while the CPU drives its row low.
        """
        contact = self._contact(key)
        if not contact.scans_since_change:
            return 0, 0.0
        return contact.scans_since_change, self._clock() - contact.first_scan_s

    def _contact(self, key: str) -> _Contact:
        if key not in self._contacts:
            raise ValueError(f"no key {key!r}: there are {''.join(self._place)}")
        return self._contacts[key]

    def _move(self, key: str, pressed: bool) -> None:
        contact = self._contact(key)
        if contact.pressed == pressed:
            return
        self._gpio.look()  # the chatter of the last move has ended since, and nobody saw its end
        contact.pressed = pressed
        contact.scans_since_change = 0
        self._moved[key] = contact
        now_s = self._clock()
        # An even number of edges, so that the chatter ends where the finger wants it.
        count = 2 * self._rng.randint(0, BOUNCE_MAX_EDGES // 2) if self._bounce else 0
        contact.edges_s = sorted(now_s + self._rng.random() * BOUNCE_MAX_S for _ in range(count))
        self._gpio.look()

    def _level(self, node: int) -> bool:
        """The level on one line: what the lines it is joined to are driven or pulled to."""
        now_s = self._clock()
        closed = self._closed(now_s) if self._moved else ()
        if node >= self._rows and not self._gpio.is_looking:
            self._note_scan(node, now_s)
        if not closed:
            pin = self._pins[node]
            level = self._gpio.driven(pin)
            if level is None:
                level = self._gpio.pull(pin)
            return self._noise() if level is None else level
        joined = {node}
        grew = True
        while grew:
            grew = False
            for row, column in closed:
                if (row in joined) != (column in joined):
                    joined |= {row, column}
                    grew = True
        driven = {self._gpio.driven(self._pins[each]) for each in joined}
        if False in driven:
            if True in driven:
                self.shorts += 1
            return False
        if True in driven:
            return True
        pulls = {self._gpio.pull(self._pins[each]) for each in joined}
        if True in pulls:
            return True
        if False in pulls:
            return False
        return self._noise()

    def _conducts(self, node: int) -> bool:
        """Whether a contact joins that line to another, or may at any moment."""
        return any(
            node in self._place[key] or contact.edges_s for key, contact in self._moved.items()
        )

    def _closed(self, now_s: float) -> list[tuple[int, int]]:
        """Where a contact conducts."""
        closed = []
        for key, contact in list(self._moved.items()):
            if contact.closed(now_s):
                closed.append(self._place[key])
            elif not contact.edges_s:
                del self._moved[key]
        return closed

    def _noise(self) -> bool:
        """Nothing holds the line: it floats, and a CPU that forgot its pull-ups reads noise."""
        return self._rng.random() < 0.5

    def _note_scan(self, node: int, now_s: float) -> None:
        driven = self._gpio.driven
        for row_pin, contact in self._by_column[node]:
            if driven(row_pin) is False and contact.settled(now_s):
                if not contact.scans_since_change:
                    contact.first_scan_s = now_s
                contact.scans_since_change += 1
