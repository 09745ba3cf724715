"""The SIM card, and where it stands with the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from hw_sim.network.sms_pdu import Message


class Registration(IntEnum):
    """`<stat>` of +CREG and +CGREG (3GPP TS 27.007 section 7.2)."""

    IDLE = 0
    HOME = 1
    SEARCHING = 2
    DENIED = 3
    ROAMING = 5


@dataclass
class StoredSms:
    """A message on the card: state (0 unread, 1 read, 2 not sent, 3 sent), the bytes as they are
    kept, and what they say.
    """

    state: int
    pdu: bytes
    message: Message


@dataclass
class SimCard:
    """A SIM card. Its PIN counter lives on the card, so it outlasts power cuts.

    `pin` None is a card without PIN lock. Three wrong PINs lock the card until `puk` is given.
    """

    imsi: str = "639020000000017"
    iccid: str = "89254021000000000172"
    pin: str | None = None
    puk: str = "12345678"
    gprs_contract: bool = True
    pin_attempts_left: int = 3
    puk_attempts_left: int = 10
    messages: list[StoredSms | None] = field(default_factory=lambda: [None] * 20)
