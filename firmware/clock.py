"""What time it is, as far as the terminal can know; for everything that writes a time.

The time comes from the server's sealed replies and runs on by the interpreter's ticks. Before the
first reply it is what the board's own clock says, if that is not older than the release itself.
"""

from bootloader.shared.compat import ticks_add, ticks_diff, ticks_ms


class Clock:
    """Unix seconds that never run backwards by themselves; 0 while unknown."""

    def __init__(self, hint=0, oldest=0):
        """`hint`: what the board's clock says; `oldest`: no true time is before it."""
        self._at = hint if hint >= oldest else 0
        self._ticks = ticks_ms()

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
