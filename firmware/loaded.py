"""Modules that lie in the heap only while they work: imported where they are used, forgotten here.

On a board every class and function of an imported module takes heap, its code does not: importing
again costs milliseconds. CPython keeps them.
"""

import gc
import sys


def unload(room: str, names: tuple[str, ...]) -> None:
    """Forget these modules of the package `room`; what of them is still referred to stays as long
    as it is.
    """
    if sys.implementation.name == "micropython":
        for name in names:
            if sys.modules.pop(room + "." + name, None) and hasattr(sys.modules[room], name):
                delattr(sys.modules[room], name)
    gc.collect()
