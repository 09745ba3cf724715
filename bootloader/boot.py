"""From reset to what shall run: a release, or serial recovery. `bootloader.main` calls it.

The path: lock the boot image, who am I, newest control record, decide, check the image, record the
attempt. The jump is `bootloader.jump`. Nothing here judges: that is `bootloader.decide`.
"""

import time
from hashlib import sha256

from bootloader import identity, screen
from bootloader.decide import CRASHES_IN_A_ROW, decide
from bootloader.jump import BootInfo, Plan
from bootloader.shared.compat import const
from bootloader.shared.control import ControlBlock, ControlError, encode
from bootloader.shared.partitions import PartitionError

try:
    import micropython
except ImportError:
    micropython = None

_BLOCK_BYTES = const(4096)
_LONGEST_PAUSE_S = const(60)


def run(board):
    """The Plan of what to boot, already recorded as an attempt; recovery does not return."""
    if hasattr(micropython, "kbd_intr"):
        micropython.kbd_intr(-1)  # Ctrl-C on the console stops no release
    boot = board.partitions["boot"]
    board.flash.lock(boot.offset + boot.size_bytes)
    control = slot = who = None
    cause = board.reset_cause()
    try:
        who = identity.load(board.partitions["identity"], board.unique_id())
        if who is None:
            why = "no identity yet"
        else:
            key = who.control_key(board.unique_id())
            control = ControlBlock(board.partitions["control"], key)
            slot, why = choose(board, control, cause, recovery_key_held(board))
    except (identity.IdentityError, ControlError, OSError) as fault:
        why = str(fault)
    if slot is None:
        recover(board, who, control, why)
    state = control.state
    if state.crashes > CRASHES_IN_A_ROW:
        # Nothing else to boot: go on trying, but slowly, or the control sectors wear out in weeks.
        screen.show(board, "Starting again after a fault. Please wait.")
        time.sleep(min(state.crashes, _LONGEST_PAUSE_S))
    return Plan(BootInfo(state, who, cause), state.slots[slot].image_size, key)


def record_crash(board, control_key, reason):
    """Note that the release which ran crashed, and why."""
    control = ControlBlock(board.partitions["control"], control_key)
    control.load()
    control.record_crash(reason)


def choose(board, control, reset_cause, forced):
    """Decide, check the chosen image in flash, and record the attempt: `(slot or None, why)`."""
    state = control.load()
    if control.newer_lost:
        _count_above(board, state)
    damaged = ()
    while True:
        new, slot, why = decide(state, reset_cause, forced, damaged)
        if slot is None or image_is_intact(board.partitions["slot_" + slot], new.slots[slot]):
            break
        damaged += (slot,)
    if new is not None and (slot or control.newer_lost or encode(new, b"") != encode(state, b"")):
        control.write(new)
    return slot, why


def _count_above(board, state):
    """Let the boots go on above all numbers that a lost record may have counted."""
    try:
        state.boot_count = identity.add_era(board.partitions["identity"])
    except identity.IdentityError:
        pass  # all used up: messages do not rest on the count alone


def image_is_intact(partition, slot):
    """True if the flash holds the image that the control record speaks of."""
    try:
        return image_sha256(partition, slot.image_size) == slot.sha256
    except (PartitionError, OSError):
        return False


def image_sha256(partition, image_size):
    """SHA-256 of the first `image_size` bytes. Raises PartitionError if there are not so many."""
    if not 0 < image_size <= partition.size_bytes:
        raise PartitionError("no image of that size")
    digest = sha256()
    block = bytearray(_BLOCK_BYTES)
    for offset in range(0, image_size, _BLOCK_BYTES):
        view = memoryview(block)[: min(_BLOCK_BYTES, image_size - offset)]
        partition.read_into(offset, view)
        digest.update(view)
    return digest.digest()


def recovery_key_held(board):
    """True if `*` (last row, first column) is pressed: its row pulls its column low."""
    for row in board.keypad_rows:
        row.value(1)
    board.keypad_rows[3].value(0)
    time.sleep(0.001)  # a 47 kOhm pull-up and a long membrane need their microseconds
    held = board.keypad_columns[0].value() == 0
    board.keypad_rows[3].value(1)
    return held


def recover(board, who, control, why):
    """Serial recovery; does not return. `who` and `control` are None as far as they are unknown."""
    from bootloader import recovery

    screen.show(board, "Needs repair: take it to your technician. (" + why + ")")
    recovery.run(board, who, control)
