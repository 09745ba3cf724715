"""What lies on a terminal's disk, read from its raw flash with littlefs's own library.

What may lie there is written here once more, from docs/formats/terminal-files.md, and not asked of
the program that is judged (docs/decisions/0033-independent-oracles.md).
"""

from __future__ import annotations

from littlefs import LittleFS, UserContext

from hw_sim.flash import SECTOR_BYTES

_DATA = (0x2B0000, 0x150000)
_KNOWN = (
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
_MOST_BYTES = 96 * 1024
"""Twenty times what a shop's files take: settings, prices, trust and a few batches."""


def files(flash: bytes) -> dict[str, int]:
    """Path below /data → size in bytes."""
    offset, size = _DATA
    context = UserContext(size)
    context.buffer[:] = flash[offset : offset + size]
    disk = LittleFS(context, block_size=SECTOR_BYTES, block_count=size // SECTOR_BYTES)
    found = {}
    for folder, _, names in disk.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            found[path[1:]] = disk.stat(path).size
    return found


def faults(found: dict[str, int]) -> list[str]:
    """What should not be there."""
    strange = [path for path in found if not path.startswith(_KNOWN)]
    said = [f"a file that nobody knows: {path}" for path in strange]
    total = sum(found.values())
    if total > _MOST_BYTES:
        said.append(f"{total} bytes on the disk: {max(found, key=lambda path: found[path])}")
    return said


def batches(found: dict[str, int]) -> set[int]:
    """The batches of stock whose files are there."""
    names = (
        path.partition("/")[2].partition(".")[0] for path in found if path.startswith("stock/")
    )
    return {int(name) for name in names if name.isdigit()}
