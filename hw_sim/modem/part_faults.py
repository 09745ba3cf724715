"""What the part itself does wrong, by name, beside hanging and starting anew: it babbles, it speaks
in the middle of an answer, its supply sags.
"""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.modem.dialect import Dialect
from hw_sim.modem.interpreter import Interpreter
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.tasks import Tasks
from hw_sim.pacing import Pace


class PartFaults:
    """The misbehaviours of one part. `shut_down` switches it off without a farewell."""

    def __init__(
        self,
        line: SerialLine,
        interpreter: Interpreter,
        tasks: Tasks,
        pace: Pace,
        shut_down: Callable[..., None],
        dialect: Dialect,
    ) -> None:
        self._line = line
        self._interpreter = interpreter
        self._tasks = tasks
        self._pace = pace
        self._shut_down = shut_down
        self._dialect = dialect

    def say_within(self, command: str, line: str, times: int = 1) -> None:
        """Let this line come unasked in the middle of the next answers to `command`, such as
        "+CIFSR": an SMS, a ring, a warning of the supply.
        """
        self._interpreter.within[command] = [line] * times

    def swallow(self, start: str, count: int = 1) -> None:
        """Let the next line that begins so, such as "+CMGS:", never come, nor what follows it:
        `count` lines in all.
        """
        self._line.swallow(start, count)

    def babble(
        self,
        seconds: float,
        text: str = "+DEBUG: 0",
        every_s: float = 0.02,
        *,
        is_deaf: bool = False,
    ) -> None:
        """Lines that nobody asked for, one after the other, between all that the part says; with
        the power they end sooner. A part that `is_deaf` answers nothing, for as long as it has
        power.
        """
        if self._line.talking:
            self._line.listening = self._line.listening and not is_deaf
            self._tasks.spawn(self._babble(seconds, text, every_s))

    def under_voltage(self) -> None:
        """The supply sags: the part warns, and switches itself off."""
        if self._line.talking:
            for words in self._dialect.under_voltage:
                self._line.line(words)
            self._shut_down(announce=False)

    async def _babble(self, seconds: float, text: str, every_s: float) -> None:
        for _ in range(int(seconds / every_s)):
            self._line.line(text)
            await self._pace.sleep(every_s)
