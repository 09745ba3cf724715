"""What the flash of each hardware class has room for. For `channels` and the tools.

Source: docs/architecture.md, "Flash map"; a test holds it to `bootloader/shared/partitions.py`.
"""

from __future__ import annotations

from typing import NamedTuple

_SECTOR_BYTES = 4096


class Layout(NamedTuple):
    """Sizes of the partitions that a release passes through, bytes."""

    slot_bytes: int
    download_bytes: int

    @property
    def payload_limit_bytes(self) -> int:
        """The largest payload: the last sector of `download` is its log."""
        return self.download_bytes - _SECTOR_BYTES


_DUKA_R1 = Layout(0x0A0000, 0x0A0000)
_LAYOUTS = {"duka-r1": _DUKA_R1}


def layout_of(hardware_class: str) -> Layout:
    """The layout of a class; of one that is not known here, the smallest."""
    return _LAYOUTS.get(hardware_class, min(_LAYOUTS.values()))


def does_not_fit(hardware_class: str, image_bytes: int, payload_bytes: dict[str, int]) -> str:
    """Why a terminal of that class has no room for an image or a payload (name → size); "" if it
    has.
    """
    layout = layout_of(hardware_class)
    if image_bytes > layout.slot_bytes:
        return (
            f"the image has {image_bytes:,} bytes and a slot of {hardware_class} "
            f"{layout.slot_bytes:,}"
        )
    for name, size_bytes in payload_bytes.items():
        if size_bytes > layout.payload_limit_bytes:
            return (
                f"{name} has {size_bytes:,} bytes and the download partition of {hardware_class} "
                f"room for {layout.payload_limit_bytes:,}"
            )
    return ""
