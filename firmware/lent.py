"""Code that lies in the heap only while it is used: the menu's flows, the technician's commands."""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load(name: str) -> "Any":
    """The module `name`. Who keeps something of it keeps all of it."""
    gc.collect()
    return __import__(name, None, None, ("run",))


def give_back(room: str, stay: tuple[str, ...]) -> None:
    """Forget all modules of the package `room` but those that are named in `stay`."""
    for name in list(sys.modules):
        if name.startswith(room + ".") and name not in stay:
            del sys.modules[name]
            parent, leaf = name.rsplit(".", 1)
            if parent in sys.modules and hasattr(sys.modules[parent], leaf):
                delattr(sys.modules[parent], leaf)
    gc.collect()
