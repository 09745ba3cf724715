"""What SIM card, modem and network say of themselves. Loaded by name; nothing goes over the air."""

from firmware.lent import give_back, load
from firmware.net.modem.errors import ModemError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk
    from firmware.flows.steps.report import Rows

_FIGURES = "firmware.net.modem.figures"
_ASK_MS = 30000
_STATES = ("rg_none", "rg_home", "rg_search", "rg_denied", "rg_none", "rg_roam")
"""By the figure of +CREG (3GPP TS 27.007, section 7.2)."""
_LEAST_DBM = -113  # +CSQ: 0; each further one is 2 dB more (27.007, section 8.5)
_UNKNOWN = 31


async def rows(desk: "Desk") -> "Rows | None":
    """None: the technician did not wait for it. A modem that does not answer is a row, too."""
    words = desk.words
    done, found = await desk.ui.busy(
        _asked(desk), words("sim_network"), words("wait_modem"), _ASK_MS, ("*", "stop")
    )
    if not done:
        return None
    trouble = desk.link.trouble
    if found is None:
        return [(words("n_no_modem"), "")]
    signal = desk.link.signal
    strength = "-"
    if signal <= _UNKNOWN:
        strength = "{} ({} dBm)".format(signal, _LEAST_DBM + 2 * signal)
    state = found["state"]
    at = int(state) if state.isdigit() else 0
    table = [
        (words("operator"), found["operator"]),
        (words("registered"), words(_STATES[at] if at < len(_STATES) else _STATES[0])),
        (words("signal"), strength),
        (words("cell"), found["cell"]),
        (words("address"), found["address"]),
        ("APN", desk.config.apn),
        (words("sim"), found["card"]),
        ("IMEI", found["imei"]),
        (words("modem"), found["revision"]),
    ]
    shown: Rows = [(words("n_" + trouble), "")] if trouble else []
    for name, value in table:
        shown.append((name, value or "-"))
    return shown


async def _asked(desk: "Desk") -> dict[str, str] | None:
    try:
        found: dict[str, str] = await load(_FIGURES).asked(desk.link.modem)
        return found
    except ModemError:
        return None
    finally:
        give_back((_FIGURES,))
