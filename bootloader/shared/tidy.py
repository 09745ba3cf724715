"""Room under /data: what nobody needs any more goes. Recovery calls it, and a release at its start.

A name that ends in ".new" was being written when the power or the technician went. What lies
directly under /data under a name that begins as none in docs/formats/terminal-files.md is nobody's.
"""

import os

from .compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RESERVE_BYTES = const(0x10000)
"""What uploads and price lists leave free, so that what is signed can always be replaced."""

_KEPT = (
    "catalogue",
    "config",
    "keep",
    "merchant",
    "stock",
    "trust",
    "update",
    "upload",
    "verified",
)


def free_bytes(data: str = "/data") -> int:
    """What littlefs has left. Raises OSError."""
    found = os.statvfs(data)
    return found[0] * found[3]


def tidy(orphans: bool = False, data: str = "/data") -> None:
    """Remove what was never finished; with `orphans` also what no format names. Never raises."""
    for folder in (data, data + "/trust", data + "/stock"):
        for name in _names(folder):
            if name.endswith(".new"):
                _remove(folder + "/" + name)
    if orphans:
        for name in _names(data):
            if not any(name.startswith(known) for known in _KEPT):
                _remove(data + "/" + name)


def make_room(size_bytes: int, data: str = "/data") -> bool:
    """Whether `size_bytes` fit and the reserve stays; tidies up first if they do not."""
    try:
        for orphans in (None, False, True):
            if orphans is not None:
                tidy(orphans, data)
            if free_bytes(data) >= size_bytes + RESERVE_BYTES:
                return True
    except OSError:
        pass
    return False


def at_start() -> None:
    """What an upload that never ended left, or a release that is gone, must stop no sale."""
    tidy()
    make_room(0)


def _names(folder: str) -> "Sequence[str]":
    try:
        return os.listdir(folder)
    except OSError:
        return ()  # no such folder, or a file


def _remove(path: str) -> None:
    for name in _names(path):
        _remove(path + "/" + name)
    try:
        os.remove(path)
    except OSError:
        pass
