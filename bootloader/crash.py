"""A release crashed: that is noted for the next start. `bootloader.jump` reads this file anew from
the boot image when it needs it, with all that the release left behind dropped.
"""

from bootloader.shared.control import ControlBlock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board


def record_crash(board: "Board", control_key: bytes, reason: str) -> None:
    """Note that the release which ran crashed, and why. Raises ControlError, OSError."""
    control = ControlBlock(board.partitions["control"], control_key)
    control.load()
    control.record_crash(reason)
