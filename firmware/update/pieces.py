"""Which modules each step of an update needs, this one among them: in the heap for that step. For
`client` only.
"""

from firmware.lent import give_back, load, loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ROOM = "firmware.update"
_AT_REST = (
    "firmware.update.client",
    "firmware.update.errors",
    "firmware.update.last_look",
    "firmware.update.newest",
    "firmware.update.record",
    "firmware.update.server",
)
_JUDGES = (  # from the bottom up
    "bootloader.shared.canonical",
    "bootloader.shared.crypto.ed25519",
    "bootloader.shared.crypto.signatures",
    "bootloader.shared.tuf_files",
    "bootloader.shared.tuf_paths",
    "bootloader.shared.tuf_delegations",
    "bootloader.shared.tuf_signed",
    "bootloader.shared.tuf",
    "bootloader.shared.release",
    "bootloader.shared.rollout",
)
_TO_VERIFY = _JUDGES[:-2] + ("firmware.update.verified",)
_TO_CHOOSE = _JUDGES[-2:] + (
    "firmware.update.gate",
    "firmware.update.offer",
    "firmware.update.download",
)
# What an offer is made of: as long as there is one, a second copy would only take room.
_OF_AN_OFFER = ("bootloader.shared.release",) + _TO_CHOOSE[2:]
_TO_PREPARE = (
    "firmware.update.download",
    "firmware.update.install",
    "firmware.update.payload",
)


_NEEDS = {"metadata": _TO_VERIFY, "choice": _TO_CHOOSE, "prepare": _TO_PREPARE}


def bring(name: str) -> "Any":
    """The module of a step, with all that it needs."""
    return load(_ROOM + "." + name, _NEEDS[name])


def tidy(is_offered: bool) -> None:
    """Give back all that lay in the heap for one step; what an offer is made of stays with it."""
    stay = _OF_AN_OFFER if is_offered else ()
    give_back([name for name in _JUDGES if name not in stay])
    give_back(loaded(_ROOM, _AT_REST + stay))
