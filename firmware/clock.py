"""What time it is, as far as the terminal can know; for everything that writes a time.

The time comes from the server's sealed replies and runs on by the interpreter's ticks. Before the
first reply it is what the board's own clock says, if that is not before the journal's last time.
"""

from bootloader.shared.calendar import date_time, days
from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootloader.shared.board import Rtc

_SLOW_S = const(300)  # a slow clock is not one that was set back


def unix_seconds(datetime: "Sequence[int]") -> int:
    """Unix seconds of an RTC's (year, month, day, weekday, hour, minute, second, …), in UTC."""
    year, month, day, _, hour, minute, second = datetime[:7]
    return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


def set_rtc(rtc: "Rtc", seconds: int) -> None:
    """Let the board's own clock go on from the server's time: it counts while we are off."""
    year, month, day, hour, minute = date_time(seconds)
    weekday = (seconds // 86400 + 3) % 7
    try:
        rtc.datetime((year, month, day, weekday, hour, minute, seconds % 60, 0))
    except (OSError, ValueError):
        pass  # a broken clock: then it tells nothing at the next start


class Clock:
    """Unix seconds that never run backwards by themselves; 0 while unknown."""

    def __init__(self) -> None:
        self._at = 0
        self._ticks = ticks_ms()

    def start(self, hint: int, oldest: int) -> bool:
        """Begin with what the board's own clock says (`hint`), but never before `oldest`: a dead
        clock or one set back must not make the terminal younger than what it has journaled. A
        terminal that has journaled no time yet waits for the server's word.

        Returns whether the hint tells nothing of how long the terminal was off.
        """
        self.set(max(hint, oldest) if oldest else 0)
        return hint + _SLOW_S < oldest

    def now(self) -> int:
        """Unix seconds, 0 if unknown. To be asked at least once an hour, as ticks wrap."""
        seconds = ticks_diff(ticks_ms(), self._ticks) // 1000
        if seconds > 0 and self._at:
            self._at += seconds
            self._ticks = ticks_add(self._ticks, seconds * 1000)
        return self._at

    def set(self, seconds: int) -> None:
        """The server's word for the time now."""
        self._at = seconds
        self._ticks = ticks_ms()
