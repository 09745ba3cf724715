"""Why there is no link, as everybody knows it; the reasons that making one can have: `no_link`.

What each asks of a technician: `advice.py`; of a merchant: `ui/texts`.
"""


class ModemError(Exception):
    """No link. `code` names the reason, for logs and for the texts; `climb`: stronger means may
    help at once; `next_rung`: with which the next attempt begins where they do not; `longest_ms`:
    to what the pauses between attempts grow; `rests`: the modem is off meanwhile.
    """

    code = "modem"
    climb = True
    next_rung = 0
    longest_ms = 300000
    rests = False

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.code + (": " + detail if detail else ""))


class LinkError(ModemError):
    """The TCP connection could not be made, or is lost; what was under way may or may not have
    arrived.
    """

    code = "link"


class LinkTimeout(LinkError):
    """Nothing came in time; the connection stands."""

    code = "link_timeout"
