"""Modules that lie in the heap only while they work: imported where they are used, forgotten here.

On a board every class and function of an imported module takes heap, its code does not: importing
again costs milliseconds. CPython keeps them.
"""

import gc
import sys


def unload(names: tuple[str, ...]) -> None:
    """Forget these modules; what of them is still referred to stays as long as it is."""
    if sys.implementation.name == "micropython":
        for name in names:
            if sys.modules.pop(name, None):
                room, _, own = name.rpartition(".")
                if hasattr(sys.modules.get(room), own):
                    delattr(sys.modules[room], own)
    gc.collect()
