"""The Quectel M95's words, where they differ from another part's. In the heap only while they are
taken over (`start`) or a name is asked for (`names`).

Source: M95 AT Commands Manual 3.2. What it takes for sent lies in its buffer, as with the SIM800's
quick sending; what is left to be read it does not tell, so it is asked till nothing comes.
"""

from firmware.net.modem.chat import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.net.modem.chat import Step

# As those of `sim800`. An answer is "+QIRD: 192.0.2.1:80,TCP,512", or OK alone.
WORDS = (
    b"AT+QIOPEN=",
    b"AT+QISEND=%d",
    b"SEND OK",
    b"AT+QIRD=0,1,0,%d",
    b"+QIRD:",
    2,
    b"AT+QICLOSE",
)
POWER_DOWN = b"AT+QPOWD=1"
REFUSE_CALLS = b"AT+QREFUSECS=0,1"
ADDRESS = b"AT+QILOCIP"
RESOLVE = b"AT+QIDNSGIP="


def data_service(names: bytes) -> "tuple[Step, ...]":
    """What brings it up, from any state; `names`: access point, user and password, in quotes."""
    return (
        (b"AT+QIDEACT", (b"DEACT OK",), 65000),
        (b"AT+QIFGCNT=0", OK, 2000),
        (b"AT+QIMUX=0", OK, 2000),
        (b"AT+QIMODE=0", OK, 2000),
        (b"AT+QINDI=1", OK, 2000),
        (b"AT+QIDNSIP=1", OK, 2000),
        (b"AT+QICSGP=1," + names, OK, 2000),
        (b"AT+QIREGAPP", OK, 5000),
        # The manual allows 150 s: five tries of 30 s (3GPP TS 24.008, T3380). A part that was cut
        # meanwhile says nothing either, so three are waited for, as with the SIM800.
        (b"AT+QIACT", OK, 85000),
    )
