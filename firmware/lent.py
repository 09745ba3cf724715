"""Modules that lie in the heap only while they work: loaded for it, given back after it.

On a board every class and function of a loaded module takes heap, its code does not: loading it
again costs milliseconds. CPython keeps them all.
"""

import sys

from bootloader.shared.compat import collect, const
from firmware import counts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


_HEAP_LOW_BYTES = const(26)


def load(name: str, first: "Iterable[str]" = ()) -> "Any":
    """The module `name`. Who keeps something of it keeps all of it.

    `first`: modules that it needs, from the bottom up. An import within an import within a task
    takes more stack than a board has; so each finds what it imports already there.
    """
    collect()
    free = counts.heap_free()
    counts.values[_HEAP_LOW_BYTES] = min(free, counts.values[_HEAP_LOW_BYTES] or free)
    for needed in first:
        at_hand(needed)
    return at_hand(name)


def at_hand(name: str) -> "Any":
    """The module `name`, loaded only if it is not yet; someone else gives it back."""
    return __import__(name, None, None, ("",))


def loaded(room: str, but: tuple[str, ...] = ()) -> list[str]:
    """The names of all modules of the package `room` that are loaded now, `but` these."""
    return [name for name in sys.modules if name.startswith(room + ".") and name not in but]


def give_back(names: "Iterable[str]") -> None:
    """Forget the modules `names`; what of them is still referred to stays as long as it is."""
    if sys.implementation.name == "micropython":
        for name in names:
            if sys.modules.pop(name, None):
                room, _, leaf = name.rpartition(".")
                if room in sys.modules and hasattr(sys.modules[room], leaf):
                    delattr(sys.modules[room], leaf)
    collect()
