"""Terminals that woke together must not ask together: when the mains come back to a town, all of
its terminals start at one instant.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def apart(milliseconds: int, random: "Callable[[int], bytes]") -> int:
    """`milliseconds`, shortened by up to a quarter, as one byte of `random` says."""
    return milliseconds - (milliseconds * random(1)[0] >> 10)
