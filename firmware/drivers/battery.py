"""The Li-ion cell as a percentage; for the status bar and the check-in."""

from bootloader.shared.compat import const
from firmware import counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board

_BATTERY_LOW_MV = const(25)
# (mV, percent) of a resting Li-ion cell; between two points it is read off a straight line
_CURVE = ((3300, 0), (3500, 8), (3600, 18), (3700, 40), (3800, 60), (3950, 80), (4150, 100))

LOW_PERCENT = 20
"""From here on the merchant is warned."""
WEAK_PERCENT = 8
"""From here on (3,500 mV at rest) a head that burns may pull the cell below what the board needs,
and a slip ends in the middle: nothing new is begun."""


def percent(battery_mv: int) -> int:
    """How full a cell of `battery_mv` is, 0 to 100."""
    below_mv, below = _CURVE[0]
    if battery_mv <= below_mv:
        return 0
    for mv, full in _CURVE[1:]:
        if battery_mv < mv:
            return below + (battery_mv - below_mv) * (full - below) // (mv - below_mv)
        below_mv, below = mv, full
    return 100


class Battery:
    """Readings of `board.battery_mv`, smoothed: a printing head makes the voltage dip."""

    def __init__(self, board: "Board") -> None:
        self._board = board
        self.mv = board.battery_mv()

    def read(self) -> tuple[int, int, bool]:
        """Take a reading; returns (smoothed mV, percent, charging)."""
        self.mv += (self._board.battery_mv() - self.mv) // 4
        counts.values[_BATTERY_LOW_MV] = min(self.mv, counts.values[_BATTERY_LOW_MV] or self.mv)
        return self.mv, percent(self.mv), self._board.charging()
