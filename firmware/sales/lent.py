"""Modules of this room that are wanted now and then lie in the heap only while they are used."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load_module(name: str) -> "Any":
    """The module `name` of this room. Who keeps something of it keeps all of it."""
    return __import__("firmware.sales." + name, None, None, ("",))


def give_back(name: str) -> None:
    """Forget the module `name` of this room."""
    if sys.implementation.name == "micropython":  # elsewhere heap is no matter, and loading slow
        del sys.modules["firmware.sales." + name]
        delattr(sys.modules["firmware.sales"], name)
