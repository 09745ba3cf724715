"""The modem's clock and the command that reads and sets it: CCLK; the network may set it too."""

from __future__ import annotations

import time
from typing import Final

from hw_sim.modem.at import AtCommand, AtError
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.network.gsm import GsmNetwork

FIRST_UNIX_S: Final = 1072915200.0
"""2004-01-01, where the part's clock starts."""
_FORMAT: Final = "%y/%m/%d,%H:%M:%S"
_FORMAT_CHARACTERS: Final = 17
_DAY_S: Final = 86400


class Clock:
    """Runs in wall seconds whatever the time scale, from 2004 on until it is set."""

    def __init__(self, network: GsmNetwork, line: SerialLine, settings: Settings) -> None:
        self._network = network
        self._line = line
        self._settings = settings
        self._wall = network.pace.unscaled
        self._base_unix_s = FIRST_UNIX_S
        self._set_at_s = 0.0
        self._quarters = 0

    def start(self) -> None:
        """The supply came: it starts anew."""
        self._set(FIRST_UNIX_S)

    def registered(self) -> None:
        """The modem has registered: AT+CLTS=1 takes the cell's time, if that gives one."""
        if not (self._settings.now.network_time and self._network.gives_time):
            return
        now = self._network.time_unix_s()
        self._set(now)
        t = time.gmtime(now)
        stamp = f"{t.tm_year},{t.tm_mon},{t.tm_mday},{t.tm_hour},{t.tm_min},{t.tm_sec}"
        self._line.line(f'*PSUTTZ: {stamp},"+0",0')
        self._line.line("DST: 0")

    def commands(self) -> Table:
        """The commands about the clock."""
        return {"+CCLK": Command(read=self._read, write=self._write)}

    def _set(self, unix_s: float, quarters: int = 0) -> None:
        """Show that time from now on, in a zone so many quarters of an hour from UTC."""
        self._base_unix_s = unix_s
        self._set_at_s = self._wall.now_s()
        self._quarters = quarters

    def _read(self) -> str:
        unix_s = self._base_unix_s + self._wall.now_s() - self._set_at_s
        return f'"{time.strftime(_FORMAT, time.gmtime(unix_s))}{self._quarters:+03d}"'

    def _write(self, command: AtCommand) -> None:
        text = command.text(0)
        try:
            local = time.strptime(text[:_FORMAT_CHARACTERS], _FORMAT)
            quarters = int(text[_FORMAT_CHARACTERS:] or "+00")
        except ValueError:
            raise AtError(50) from None
        if not -96 <= quarters <= 96:
            raise AtError(50)
        seconds = (local.tm_hour * 60 + local.tm_min) * 60 + local.tm_sec
        self._set(_days(local.tm_year, local.tm_yday) * _DAY_S + seconds, quarters)


def _days(year: int, day_of_year: int) -> int:
    """Days from 1970-01-01 to this day."""
    before = year - 1
    leap_days = (
        before // 4 - before // 100 + before // 400 - (1969 // 4 - 1969 // 100 + 1969 // 400)
    )
    return (year - 1970) * 365 + leap_days + day_of_year - 1
