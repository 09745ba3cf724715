"""The settings that AT&W keeps over a power cut, and the commands that set one of them each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hw_sim.modem.at import AtCommand
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.dialect import Dialect


@dataclass
class Profile:
    """What can be kept."""

    echo: bool = True
    verbose_errors: int = 0
    creg: int = 0
    cgreg: int = 0
    network_time: bool = False
    sleep: int = 0
    caller_id: int = 0


class Settings:
    """The profile in force (`now`) and the one that was kept."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._saved = Profile()
        self.now = Profile()

    def restore(self) -> None:
        """A start, or ATZ: what was kept is in force."""
        self.now = replace(self._saved)

    def commands(self) -> Table:
        """ATE, Z, &F, &W, and the settings that nothing else depends on."""
        return {
            "E": Command(every=lambda c: self.put("echo", c, 1), test=None),
            "Z": Command(every=lambda c: self.restore(), test=None),
            "&F": Command(every=lambda c: self._factory(), test=None),
            "&W": Command(every=lambda c: self._save(), test=None),
            "+CMEE": self.command("verbose_errors", 2, "(0-2)"),
            self._dialect.network_time: self.command("network_time", 1, "(0,1)"),
            self._dialect.sleep: self.command("sleep", 2, "(0-2)"),
        }

    def command(self, field: str, highest: int, test: str) -> Command:
        """The command that reads and sets `field`, a number from 0 to `highest`."""
        return Command(
            read=lambda: str(int(getattr(self.now, field))),
            write=lambda c: self.put(field, c, highest),
            test=test,
        )

    def put(self, field: str, command: AtCommand, highest: int) -> None:
        """Set `field` to the command's only argument. Raises AtError outside its range."""
        kind = type(getattr(self.now, field))
        setattr(self.now, field, kind(command.number(0, 0, highest)))

    def _factory(self) -> None:
        self.now = Profile()

    def _save(self) -> None:
        self._saved = replace(self.now)
