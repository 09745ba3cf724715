"""What time it is, as far as the terminal can know; for everything that writes a time.

The time comes from the server's sealed replies and runs on by the interpreter's ticks. Before the
first reply it is what the board's own clock says, if that is not before the journal's last time.
"""

from bootloader.shared.compat import const, ticks_add, ticks_diff, ticks_ms
from firmware.texts import date_time

_SLOW_S = const(300)  # a slow clock is not one that was set back


def unix_seconds(datetime):
    """Unix seconds of an RTC's (year, month, day, weekday, hour, minute, second, …), in UTC.

    Years begin in March here, so that the leap day is a year's last.
    """
    year, month, day, _, hour, minute, second = datetime[:7]
    if month < 3:
        year -= 1
        month += 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day
    return (days - 719469) * 86400 + hour * 3600 + minute * 60 + second


def set_rtc(rtc, seconds):
    """Let the board's own clock go on from the server's time: it counts while we are off."""
    year, month, day, hour, minute = date_time(seconds)
    weekday = (seconds // 86400 + 3) % 7
    try:
        rtc.datetime((year, month, day, weekday, hour, minute, seconds % 60, 0))
    except (OSError, ValueError):
        pass  # a broken clock: then it tells nothing at the next start


class Clock:
    """Unix seconds that never run backwards by themselves; 0 while unknown."""

    def __init__(self):
        self.set(0)

    def start(self, hint, oldest):
        """Begin with what the board's own clock says (`hint`), but never before `oldest`: a dead
        clock or one set back must not make the terminal younger than what it has journaled. A
        terminal that has journaled no time yet waits for the server's word.

        Returns whether the hint tells nothing of how long the terminal was off.
        """
        self.set(max(hint, oldest) if oldest else 0)
        return hint + _SLOW_S < oldest

    def now(self):
        """Unix seconds, 0 if unknown. To be asked at least once an hour, as ticks wrap."""
        seconds = ticks_diff(ticks_ms(), self._ticks) // 1000
        if seconds > 0 and self._at:
            self._at += seconds
            self._ticks = ticks_add(self._ticks, seconds * 1000)
        return self._at

    def set(self, seconds):
        """The server's word for the time now."""
        self._at = seconds
        self._ticks = ticks_ms()
