"""In what a make of part differs from another, as a table: its name, its own commands and words.
What 3GPP has (registration, card, messages, calls) is alike in all of them.

SIM800: SIM800 series AT command manual 1.09. M95: Quectel's M95 AT commands manual 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Dialect:
    """How a make of part names itself, and what it calls what both have.

    `refuses_calls`: the command, and which of its figures is about calls; `closed` is what the
    state of a connection that has ended is called; `tells_state`: the state comes before a
    connection's failure.
    """

    maker: str
    model: str
    revision: str
    information: tuple[str, ...]
    power_down: str
    refuses_calls: tuple[str, int]
    network_time: str
    sleep: str
    under_voltage: tuple[str, str]
    context_lost: str
    data_has_come: str
    closed: str
    tells_state: bool


SIM800: Final = Dialect(
    maker="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    revision="Revision:1418B04SIM800L24",
    information=("SIM800 R14.18",),
    power_down="+CPOWD",
    refuses_calls=("+GSMBUSY", 0),
    network_time="+CLTS",
    sleep="+CSCLK",
    under_voltage=("UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN"),
    context_lost="+PDP: DEACT",
    data_has_come="+CIPRXGET: 1",
    closed="TCP CLOSED",
    tells_state=True,
)
M95: Final = Dialect(
    maker="Quectel_Ltd",
    model="Quectel_M95",
    revision="Revision: M95FAR02A08",
    information=("Quectel_Ltd", "Quectel_M95", "Revision: M95FAR02A08"),
    power_down="+QPOWD",
    refuses_calls=("+QREFUSECS", 1),
    network_time="+QNITZ",
    sleep="+QSCLK",
    under_voltage=("UNDER_VOLTAGE WARNING", "UNDER_VOLTAGE POWER DOWN"),
    context_lost="+PDP DEACT",
    data_has_come="+QIRDI: 0,1",
    closed="IP CLOSE",
    tells_state=False,
)
