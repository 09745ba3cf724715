"""Copies of the device's modules for this room alone: nobody else meets what it does to them.

The world replaces in them what waits, and `/data`; a mutant their code. The modules that the rest
of the process imports stay as they are. Import device code `with own():`, and call what imports
when it runs `with present():`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

MODULES: dict[str, ModuleType] = {}
"""The copies by name."""


def module(name: str, first: Iterable[str] = ()) -> ModuleType:
    """The copy of a module, made now if it is not there; as `firmware.lent.load`."""
    if name not in MODULES:
        with own():
            importlib.import_module(name)
    return MODULES[name]


def _is_device_code(name: str) -> bool:
    return name.partition(".")[0] in ("bootloader", "firmware")


@contextmanager
def own() -> Iterator[None]:
    """While it lasts, an import of device code gives the copies."""
    others = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_device_code(name)}
    sys.modules.update(MODULES)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_device_code(name)]:
            MODULES[name] = sys.modules.pop(name)
        sys.modules.update(others)


@contextmanager
def present() -> Iterator[None]:
    """As `own`, but quickly: for code that imports again what is among the copies already."""
    others = {name: sys.modules[name] for name in MODULES if name in sys.modules}
    sys.modules.update(MODULES)
    try:
        yield
    finally:
        for name in MODULES:
            sys.modules.pop(name, None)  # what was loaded by its name alone is a copy only
        sys.modules.update(others)


with own():
    import firmware.lent

    # what is loaded by its name is a copy, too, whoever of this room is imported first
    firmware.lent.load = module
