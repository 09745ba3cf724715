"""Why no link could be made: what the modem, the card or the network says. In the heap only while
one is made (`ladder`); who is told knows them as `ModemError` with a `code`.
"""

from firmware.net.modem.errors import ModemError


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
    rests = True


class NoData(ModemError):
    """The network gives no data service: no credit, or a wrong access point."""

    code = "no_gprs"
