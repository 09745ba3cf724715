"""How an operation can fail, with its power or without, and what that leaves in the cells.

Modelled, not measured: docs/simulated-parts.md. Every choice comes from the caller's `chance`.
"""

from __future__ import annotations

import random
from typing import Final, Literal

CutMoment = Literal[
    "before", "torn", "high", "first", "almost", "bits", "early", "half", "late", "weak", "after"
]
"""How far one operation came when the supply failed (docs/simulated-parts.md, modelled).

Both: `before` nothing, `after` all of it, `torn` the lower half of the bytes, `weak` all of it, but
one of the changed bits, or those of one to four bytes, read differently from time to time.
A program also: `high` the upper half of the bytes, `first` only the first, `almost` all but the
last, `bits` every byte in part.
An erase also: `early` a part of the old zeros is gone, `half` half of them, `late` all but a few
percent.
"""

Fault = Literal["silent", "worn"]
"""What goes wrong without a cut: `silent` this operation does nothing and says nothing; `worn` from
this operation on the sector keeps some bits at 0 whatever erases it."""

PROGRAM_CUTS: Final[tuple[CutMoment, ...]] = (
    "before", "torn", "high", "first", "almost", "bits", "weak", "after",
)  # fmt: skip
ERASE_CUTS: Final[tuple[CutMoment, ...]] = (
    "before", "torn", "early", "half", "late", "weak", "after",
)  # fmt: skip

# Shares of the old zeros that are still there when an erase is stopped (modelled).
_ZEROS_LEFT: Final = {"early": 0.9, "half": 0.5, "late": 0.03}


def partly_programmed(old: bytes, new: bytes, how: CutMoment, chance: random.Random) -> bytes:
    """What a program from `old` to `new` leaves that was stopped so; weak bits are all there."""
    size = len(new)
    if how == "torn":
        return new[: size // 2] + old[size // 2 :]
    if how == "high":
        return old[: size // 2] + new[size // 2 :]
    if how == "first":
        return new[:1] + old[1:]
    if how == "almost":
        return new[: size - 1] + old[size - 1 :]
    if how == "bits":
        keep = chance.randbytes(size)
        return bytes(n | (o & k) for n, o, k in zip(new, old, keep, strict=True))
    return new


def partly_erased(old: bytes, how: CutMoment, chance: random.Random) -> bytes:
    """What an erase of `old` leaves that was stopped so; weak bits are all gone."""
    size = len(old)
    if how == "torn":
        return b"\xff" * (size // 2) + old[size // 2 :]
    new = bytearray(b"\xff" * size)
    if how == "weak":
        return bytes(new)
    share = _ZEROS_LEFT.get(how, 0.0)
    pick = chance.random
    for i in [i for i in range(size) if old[i] != 0xFF]:
        left = 0
        for bit in (1, 2, 4, 8, 16, 32, 64, 128):
            if not old[i] & bit and pick() < share:
                left |= bit
        new[i] = 0xFF ^ left
    return bytes(new)
