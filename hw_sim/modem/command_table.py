"""What a table of AT commands is made of: for each command, what its four forms do.

Each room of commands (`commands_*`) gives its own table; `hw_sim.modem.interpreter` answers by it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.modem.at import AtCommand, AtError, Kind

NO_RESULT: Final = ""
"""A handler that wrote its own last line returns this."""

Act = Callable[[AtCommand], Awaitable[str | None] | str | None]
"""Does the command, at once or in its own time; gives the result line, None for OK."""


@dataclass(frozen=True)
class Command:
    """One command. A form that is not given is refused with error 50.

    `read` and `test` give what is shown after the command's name; an empty test shows nothing and
    is OK. `show` is the line that the bare command shows, `run` what the bare command does instead;
    `every` serves each form that has nothing of its own. `test` None is no form of its own.
    """

    read: Callable[[], str] | None = None
    write: Act | None = None
    run: Act | None = None
    show: Callable[[], str] | None = None
    every: Act | None = None
    test: str | Callable[[], Awaitable[str]] | None = ""

    async def answer(self, command: AtCommand, line: Callable[[str], None]) -> str | None:
        """Do it; lines before the result go to `line`. Raises AtError."""
        kind = command.kind
        if kind is Kind.TEST and self.test is not None:
            text = self.test if isinstance(self.test, str) else await self.test()
            if text:
                line(f"{command.name}: {text}")
            return None
        if kind is Kind.READ and self.read is not None:
            line(f"{command.name}: {self.read()}")
            return None
        if kind is Kind.RUN and self.show is not None:
            line(self.show())
            return None
        act = {Kind.WRITE: self.write, Kind.RUN: self.run}.get(kind) or self.every
        if act is None:
            raise AtError(50)
        result = act(command)
        return result if result is None or isinstance(result, str) else await result


Table = dict[str, Command]
