"""The command interpreter: reads lines from the host, and answers each by the table of commands."""

from __future__ import annotations

from hw_sim.modem.at import MAXIMUM_LINE, AtError, parse_line
from hw_sim.modem.command_table import NO_RESULT, Table
from hw_sim.modem.serial_line import SerialLine
from hw_sim.modem.settings import Settings
from hw_sim.pacing import Pace


class Interpreter:
    """Answers AT lines one after the other, each after `answer_delay_s` device seconds."""

    def __init__(
        self, line: SerialLine, settings: Settings, table: Table, pace: Pace, answer_delay_s: float
    ) -> None:
        self._line = line
        self._settings = settings
        self._table = table
        self._pace = pace
        self._answer_delay_s = answer_delay_s
        self._last_line = ""
        self.within: dict[str, list[str]] = {}
        """By the name of a command: what comes unasked in the middle of its next answers."""

    async def run(self) -> None:
        """Read and answer, for ever; begins without a last line for A/."""
        self._last_line = ""
        while True:
            text = await self._read_line()
            if text is None:
                await self._pace.sleep(self._answer_delay_s)
                self._line.line("ERROR")
            elif text.upper().startswith("AT"):
                self._last_line = text
                await self._answer(text[2:])

    async def _read_line(self) -> str | None:
        """One command line without its end; None when it was too long. Echoes as it goes."""
        line = bytearray()
        too_long = False
        while True:
            byte = await self._line.byte()
            if byte == 0x0A and not line:
                continue
            if self._settings.now.echo:
                self._line.write(bytes((byte,)))
            if byte == 0x0D:
                break
            if byte == 0x08:
                del line[-1:]
                continue
            if byte >= 0x20:
                line.append(byte)
            # noise before AT does not count: the part looks for the two letters
            start = bytes(line).upper().find(b"AT")
            if start > 0 and not too_long:
                del line[:start]
            if line.upper() == b"A/" and self._last_line:
                return self._last_line
            if len(line) > MAXIMUM_LINE + 2:
                too_long = bytes(line[:2]).upper() == b"AT"
                del line[2:]
        if too_long:
            return None
        return line.decode("latin-1")

    async def _answer(self, body: str) -> None:
        await self._pace.sleep(self._answer_delay_s)
        result: str | None = None
        try:
            for command in parse_line(body):
                known = self._table.get(command.name)
                if known is None:
                    raise AtError
                if unasked := self.within.get(command.name):
                    self._line.line(unasked.pop())
                result = await known.answer(command, self._line.line)
        except AtError as error:
            result = error.result(self._settings.now.verbose_errors)
        if result != NO_RESULT:
            self._line.line(result or "OK")
