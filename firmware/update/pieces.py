"""Which modules each step of an update needs, this one among them: in the heap for that step. For
`client` only.
"""

from firmware.lent import give_back, load, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .offer import Offer

_ROOM = "firmware.update"
# Names in one text each, which stays in flash.
_AT_REST = "client errors last_look newest record server"
_TO_VERIFY = (  # from the bottom up
    "bootloader.shared.canonical bootloader.shared.crypto.ed25519"
    " bootloader.shared.crypto.signatures bootloader.shared.tuf_files bootloader.shared.tuf_paths"
    " bootloader.shared.tuf_delegations bootloader.shared.tuf_signed bootloader.shared.tuf"
    " firmware.update.taken firmware.update.verified"
)
_TO_CHOOSE = (
    "bootloader.shared.release bootloader.shared.rollout"
    " firmware.update.gate firmware.update.offer firmware.update.download"
)
_TO_PREPARE = "firmware.update.download firmware.update.install firmware.update.payload"
_JUDGES = _TO_VERIFY + " " + _TO_CHOOSE
# What an offer is made of: as long as there is one, a second copy would only take room.
_OF_AN_OFFER = "bootloader.shared.release firmware.update.gate firmware.update.offer"


def bring(name: str) -> "Any":
    """The module of a step, with all that it needs."""
    needs = {"metadata": _TO_VERIFY, "choice": _TO_CHOOSE, "prepare": _TO_PREPARE}
    return load(_ROOM + "." + name, needs[name].split())


def tidy(offer: "Offer | None") -> None:
    """Give back all that lay in the heap for one step; what `offer` is made of stays with it."""
    stay = [_ROOM + "." + name for name in _AT_REST.split()]
    if offer is not None:
        stay += _OF_AN_OFFER.split()
        if offer.download is not None:
            stay.append("firmware.update.download")
    give_back([name for name in _JUDGES.split() if name not in stay])
    give_back(loaded(_ROOM, tuple(stay)))
