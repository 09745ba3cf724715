"""Why the flash did not do what it was asked, and the power cut that stops everything."""

from __future__ import annotations

from hw_sim.flash.cuts import CutMoment


class FlashError(OSError):
    """The flash refused an operation; nothing was changed."""


class FlashAddressError(FlashError):
    """The address is outside the part, or an erase is not on a sector's first byte."""


class FlashPageError(FlashError):
    """A program crosses the end of its page; the part would wrap to the page's start."""


class FlashLockedError(FlashError):
    """The address is write-protected until power-off."""


class FlashFileError(FlashError):
    """The backing file cannot be this part: wrong size, or another board has it open."""


class PowerCut(BaseException):
    """The supply failed at a flash operation, as asked by `cut_power_at`.

    Not an `Exception`: no error handling of the code under test may survive a power cut.
    """

    def __init__(self, operation: int, how: CutMoment) -> None:
        super().__init__(f"power cut at flash operation {operation} ({how})")
        self.operation = operation
        self.how = how
