"""The Li-ion cell, its divider to the ADC, and the charger's detect line.

Set by tests and panels; read by the board.
"""

from __future__ import annotations

from collections.abc import Callable

FULL_MV = 4200


class Battery:
    """Voltage of the cell in millivolts, and whether a charger is plugged in.

    `changed` (set by the board) is called after each change: the brown-out supervisor looks then.
    """

    def __init__(self, *, divider: float, reference_mv: int, mv: int = 4000) -> None:
        self._divider = divider
        self._reference_mv = reference_mv
        self._mv = mv
        self._charging = False
        self.changed: Callable[[], None] = lambda: None

    @property
    def mv(self) -> int:
        """The cell's voltage."""
        return self._mv

    @property
    def charging(self) -> bool:
        """Whether a charger is plugged in."""
        return self._charging

    def set_mv(self, mv: int) -> None:
        """Set the cell's voltage. ValueError outside 0 to 5000 mV: no such cell."""
        if not 0 <= mv <= 5000:
            raise ValueError(f"a Li-ion cell has no {mv} mV")
        self._mv = mv
        self.changed()

    def set_charging(self, charging: bool) -> None:
        """Plug the charger in or out."""
        self._charging = charging
        self.changed()

    def adc_u16(self) -> int:
        """What `ADC.read_u16` gives: 12 bits of the divided voltage, spread to 16 as RP2 boards
        do."""
        part = self._mv / self._divider / self._reference_mv
        raw = min(4095, int(part * 4095 + 0.5))
        return raw << 4 | raw >> 8
