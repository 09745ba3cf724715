"""The simulated NOR flash: `NorFlash`, its cells, and how an operation fails; no board around it.

The board keeps one; bulk tests of pure logic use one by itself (`NorFlash(None)`), with the same
calls as the CPU's flash driver.
"""

from hw_sim.flash.cells import SECTOR_BYTES, Operation
from hw_sim.flash.cuts import ERASE_CUTS, PROGRAM_CUTS, CutMoment, Fault
from hw_sim.flash.errors import (
    FlashAddressError,
    FlashError,
    FlashFileError,
    FlashLockedError,
    FlashPageError,
    PowerCut,
)
from hw_sim.flash.part import ERASED, PAGE_BYTES, NorFlash

__all__ = [
    "ERASED",
    "ERASE_CUTS",
    "PAGE_BYTES",
    "PROGRAM_CUTS",
    "SECTOR_BYTES",
    "CutMoment",
    "Fault",
    "FlashAddressError",
    "FlashError",
    "FlashFileError",
    "FlashLockedError",
    "FlashPageError",
    "NorFlash",
    "Operation",
    "PowerCut",
]
