"""From reset to a running release, or to serial recovery. The boot image's `main` calls `run`.

The path: lock the boot image, who am I, newest control record, decide, check the image, record the
attempt, watchdog, mount, jump. Nothing here judges: that is `bootloader.decide`.
"""

import gc
import sys
import time
from hashlib import sha256

from bootloader import identity, screen
from bootloader.decide import CRASHES_IN_A_ROW, decide
from bootloader.shared.compat import const
from bootloader.shared.control import REASON_BYTES, ControlBlock, ControlError, encode
from bootloader.shared.partitions import PartitionError

try:
    import micropython
except ImportError:
    micropython = None

WATCHDOG_MS = const(8000)
_BLOCK_BYTES = const(4096)
_LONGEST_PAUSE_S = const(60)


class BootInfo:
    """What a release is told (docs/architecture.md, "Start-up")."""

    def __init__(self, control, who, reset_cause):
        state = control.state
        slot = state.slots[state.active]
        self.slot = state.active
        self.trial = slot.state == "trial"
        self.release = slot.release
        self.boot_count = state.boot_count
        self.reset_cause = reset_cause
        self.last_failure = None
        if state.failure_reason:
            self.last_failure = {"release": state.failed_release, "reason": state.failure_reason}
        self.control = control
        self.identity = who
        self.watchdog = None


def run(board):
    """Does not return: it ends in a reset, or in recovery, which does."""
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
            control = ControlBlock(board.partitions["control"], who.control_key(board.unique_id()))
            slot, why = choose(board, control, cause, recovery_key_held(board))
    except (identity.IdentityError, ControlError, OSError) as fault:
        why = str(fault)
    if slot is None:
        recover(board, who, control, why)
    elif control.state.crashes > CRASHES_IN_A_ROW:
        # Nothing else to boot: go on trying, but slowly, or the control sectors wear out in weeks.
        screen.show(board, "Starting again after a fault. Please wait.")
        time.sleep(min(control.state.crashes, _LONGEST_PAUSE_S))
    reason = start(board, BootInfo(control, who, cause), board.watchdog(WATCHDOG_MS))
    if reason is not None:
        gc.collect()
        try:
            control.load()  # the release has written records since
            control.record_crash(reason)
        except BaseException:
            while True:  # the watchdog's reset is counted as the crash that could not be recorded
                pass
    board.reset()


def choose(board, control, reset_cause, forced):
    """Decide, check the chosen image in flash, and record the attempt: `(slot or None, why)`."""
    state = control.load()
    damaged = ()
    while True:
        new, slot, why = decide(state, reset_cause, forced, damaged)
        if slot is None or image_is_intact(board.partitions["slot_" + slot], new.slots[slot]):
            break
        damaged += (slot,)
    if new is not None and (slot or encode(new, b"") != encode(state, b"")):
        control.write(new)
    return slot, why


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


def start(board, info, watchdog):
    """Run the release in the chosen slot; None if it ended by itself, else how it crashed."""
    import vfs

    info.watchdog = watchdog
    image_size = info.control.state.slots[info.slot].image_size
    image = board.partitions["slot_" + info.slot].mapped(image_size)
    layout = {name: (p.offset, p.size_bytes) for name, p in board.partitions.items()}
    control_key = info.identity.control_key(board.unique_id())
    drop_own_modules()
    try:
        vfs.mount(vfs.VfsRom(image), "/slot")
        sys.path.insert(0, "/slot")
        gc.collect()
        watchdog.feed()
        # From the release's own copy of the shared layer, so that it can mend a fault in ours and
        # catches the same exception classes as are raised.
        from bootloader.shared.control import ControlBlock
        from bootloader.shared.partitions import table

        board.partitions = table(board.flash, layout)
        info.control = ControlBlock(board.partitions["control"], control_key)
        info.control.load()
        from firmware import main

        main.run(board, info)
    except BaseException as fault:
        print_exception(fault)
        return crash_reason(fault)
    return None


def drop_own_modules():
    """The release brings its own `bootloader.shared`; only what is in use stays in memory."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("bootloader", "board", "main"):
            del sys.modules[name]


def crash_reason(fault):
    return (type(fault).__name__ + ": " + str(fault))[:REASON_BYTES]


def print_exception(fault):
    """The traceback, on the console, for the technician."""
    if hasattr(sys, "print_exception"):
        sys.print_exception(fault)


def recover(board, who, control, why):
    """Serial recovery; does not return. `who` and `control` are None as far as they are unknown."""
    from bootloader import recovery

    screen.show(board, "Needs repair: take it to your technician. (" + why + ")")
    recovery.run(board, who, control)
