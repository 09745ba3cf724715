"""Why there is no link. What each asks of a technician: `advice.py`; of a merchant: `ui/texts`."""


class ModemError(Exception):
    """No link. `code` names the reason, for logs and for the texts; `climb`: stronger means may
    help at once; `next_rung`: with which the next attempt begins where they do not; `longest_ms`:
    to what the pauses between attempts grow.
    """

    code = "modem"
    climb = True
    next_rung = 0
    longest_ms = 300000

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.code + (": " + detail if detail else ""))


class NoModem(ModemError):
    """It does not answer, whatever the power key does."""

    code = "no_modem"


class NoSim(ModemError):
    """No card, or none that is ready in time. Only a power cycle reads one put in later."""

    code = "no_sim"
    climb = False
    next_rung = 2


class SimLocked(ModemError):
    """The card asks for its PIN or PUK."""

    code = "sim_locked"
    climb = False


class RegistrationDenied(ModemError):
    """The network does not take this card. A modem asks it again only once its radio was off."""

    code = "denied"
    climb = False
    next_rung = 1


class NoCoverage(ModemError):
    """No network is heard here. Searching is what empties the battery: the modem is off meanwhile,
    and is told to search again as a part that was just switched on.
    """

    code = "no_coverage"
    climb = False
    longest_ms = 900000


class NoData(ModemError):
    """The network gives no data service: no credit, or a wrong access point."""

    code = "no_gprs"


class LinkError(ModemError):
    """The TCP connection could not be made, or is lost; what was under way may or may not have
    arrived.
    """

    code = "link"


class LinkTimeout(LinkError):
    """Nothing came in time; the connection stands."""

    code = "link_timeout"
