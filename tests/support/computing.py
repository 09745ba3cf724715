"""What a board of the fleet takes to compute, for boards on simulated time.

The instructions are counted on the emulated Cortex-M3 (`inv bench board`, and one figure of
`inv bench decoding`), and take a clock each at 133 MHz: docs/boards.md says what that leaves out.
They are told by the functions that do the work, so that keys, watchdog and network go on where the
program lets them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

BUDGET: Final = Path(__file__).resolve().parent.parent / "measure" / "board_budget.json"
"""{"instructions": {work: count}, "heap_bytes": {work: bytes}} as last accepted."""
CLOCK_HZ: Final = 133_000_000
PATCH_ANSWER_INSTRUCTIONS: Final = 5_550
"""The dearest but one of four pairs (docs/patches.md)."""
CALLS: Final = {
    "bootloader.shared.crypto.ed25519:_double": ("one_signature", 261),
    "bootloader.shared.crypto.p256:_double": ("p256_signature", 255),
    "bootloader.shared.crypto.sha512:sha512._compress": ("sha512_blocks", 8),
    "bootloader.shared.hashes:sha256": ("pbkdf2_rounds", 200),
    "bootloader.shared.canonical:_Reader.value": ("signed_json", 26),
    "firmware.terminal:Terminal.__init__": ("start", 1),
    "firmware.paper.receipt:voucher": ("sale", 1),
    "firmware.update.install:_SlotWriter.write": ("delta_install", 1_323),
}
"""Function → the work that was measured, and how often that calls it: 248 KiB are written in pieces
of 192 bytes."""


@cache
def costs() -> dict[str, int]:
    """Microseconds of a call, by function; see `Board`."""
    instructions = json.loads(BUDGET.read_text())["instructions"]
    counted = {name: instructions[work] // calls for name, (work, calls) in CALLS.items()}
    counted["firmware.update.patch:mixed"] = PATCH_ANSWER_INSTRUCTIONS
    return {name: round(count * 1_000_000 / CLOCK_HZ) for name, count in counted.items()}
