"""The SIM800's words, where they differ from another part's. In the heap only while they are taken
over (`start`) or a name is asked for (`names`).

Source: SIM800 Series AT Command Manual 1.12, SIM800 Series TCPIP Application Note 1.05.
"""

from firmware.net.modem.chat import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.chat import Step

# As `driver` reads them: open, send, what says that it was taken, receive, how its answer begins,
# which of the figures there is the size, close.
WORDS = (
    b"AT+CIPSTART=",
    b"AT+CIPSEND=%d",
    b"DATA ACCEPT:",
    b"AT+CIPRXGET=2,%d",
    b"+CIPRXGET: 2,",
    0,
    b"AT+CIPCLOSE=1",
)
POWER_DOWN = b"AT+CPOWD=1"
REFUSE_CALLS = b"AT+GSMBUSY=1"
ADDRESS = b"AT+CIFSR"
RESOLVE = b"AT+CDNSGIP="


def data_service(names: bytes) -> "tuple[Step, ...]":
    """What brings it up, from any state; `names`: access point, user and password, in quotes."""
    return (
        (b"AT+CIPSHUT", (b"SHUT OK",), 65000),
        (b"AT+CIPMUX=0", OK, 2000),
        (b"AT+CIPQSEND=1", OK, 2000),
        (b"AT+CIPRXGET=1", OK, 2000),
        (b"AT+CSTT=" + names, OK, 2000),
        (b"AT+CIICR", OK, 85000),
    )
