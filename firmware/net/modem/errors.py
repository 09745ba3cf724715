"""Why there is no link. What each asks of a technician: `advice.py`; of a merchant: `ui/texts`."""


class ModemError(Exception):
    """No link. `code` names the reason, for logs and for the texts; `climb`: stronger means may
    help.
    """

    code = "modem"
    climb = True

    def __init__(self, detail: str = "") -> None:
        super().__init__(self.code + (": " + detail if detail else ""))


class NoModem(ModemError):
    """It does not answer, whatever the power key does."""

    code = "no_modem"


class NoSim(ModemError):
    """No card, or none that is ready in time. Only a power cycle reads one put in later."""

    code = "no_sim"
    climb = False


class SimLocked(ModemError):
    """The card asks for its PIN or PUK."""

    code = "sim_locked"
    climb = False


class RegistrationDenied(ModemError):
    """The network does not take this card."""

    code = "denied"
    climb = False


class NoCoverage(ModemError):
    """No network is heard here."""

    code = "no_coverage"


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
