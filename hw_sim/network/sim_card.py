"""The SIM card, and where it stands with the network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Registration(IntEnum):
    """`<stat>` of +CREG and +CGREG (3GPP TS 27.007 section 7.2)."""

    IDLE = 0
    HOME = 1
    SEARCHING = 2
    DENIED = 3
    ROAMING = 5


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
