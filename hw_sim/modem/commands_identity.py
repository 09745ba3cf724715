"""Who the part says it is, by dialect, and what its supply is: I, CGMI, CGMM, CGMR, CGSN, CBC."""

from __future__ import annotations

from collections.abc import Callable

from hw_sim.modem.at import AtCommand
from hw_sim.modem.command_table import Command, Table
from hw_sim.modem.dialect import Dialect
from hw_sim.modem.serial_line import SerialLine

_EMPTY_MV, _FULL_MV = 3400, 4200


class Identity:
    """The answers of one part."""

    def __init__(
        self, dialect: Dialect, imei: str, line: SerialLine, battery_mv: Callable[[], int]
    ) -> None:
        self._dialect = dialect
        self._imei = imei
        self._line = line
        self._battery_mv = battery_mv

    def commands(self) -> Table:
        """The commands about the part itself."""
        dialect = self._dialect
        serial_number = Command(show=lambda: self._imei)
        return {
            "I": Command(every=self._informs, test=None),
            # results in words only; ATV0 is not modelled
            "V": Command(every=_words_only, test=None),
            "Q": Command(every=_results_only, test=None),
            "X": Command(every=lambda c: None, test=None),
            "&D": Command(every=lambda c: None, test=None),
            "+GSN": serial_number,
            "+CGSN": serial_number,
            "+CGMI": Command(show=lambda: dialect.maker),
            "+GMI": Command(show=lambda: dialect.maker),
            "+CGMM": Command(show=lambda: dialect.model),
            "+GMM": Command(show=lambda: dialect.model),
            "+CGMR": Command(show=lambda: dialect.revision),
            "+GMR": Command(show=lambda: dialect.revision),
            "+GCAP": Command(show=lambda: "+GCAP: +CGSM"),
            "+CBC": Command(show=self._battery, test="(0-2),(1-100),(voltage)"),
            "+IPR": Command(read=lambda: str(self._line.baud or 0), write=lambda c: None),
            "+IFC": Command(read=lambda: "0,0", write=lambda c: None, test="(0-2),(0-2)"),
        }

    def _informs(self, command: AtCommand) -> None:
        for text in self._dialect.information:
            self._line.line(text)

    def _battery(self) -> str:
        millivolts = self._battery_mv()
        percent = min(100, max(1, (millivolts - _EMPTY_MV) * 100 // (_FULL_MV - _EMPTY_MV)))
        return f"+CBC: 0,{percent},{millivolts}"


def _words_only(command: AtCommand) -> None:
    command.number(0, 1, 1)


def _results_only(command: AtCommand) -> None:
    command.number(0, 0, 0)
