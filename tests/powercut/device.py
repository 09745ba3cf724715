"""Copies of the device's modules for this room alone: nobody else meets what it does to them.

The world replaces in them what waits, and `/data`; a mutant their code. The modules that the rest
of the process imports stay as they are. Import device code `with own():`, and call what imports
when it runs `with own():`, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

MODULES: dict[str, ModuleType] = {}
"""The copies by name."""


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
