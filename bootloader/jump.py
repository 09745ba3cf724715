"""The jump into a release, with as little of the bootloader left in memory as can be.

`bootloader.main` calls `run` with what `bootloader.boot` chose. Everything of the bootloader but
this module is dropped before the release runs, and read anew from the boot image if it crashes.
"""

import gc
import sys

_SLOT_PATH = "/slot"
_WATCHDOG_MS = 8000


class Identity:
    """Who the terminal is, for a release: `terminal_id` (8 bytes), `device_key` (32 bytes),
    `hardware_class`, `hardware_revision`, `chip_id` (bytes)."""


class BootInfo:
    """What a release is told (docs/architecture.md, "Start-up")."""

    def __init__(self, state, who, reset_cause):
        slot = state.slots[state.active]
        self.slot = state.active
        self.trial = slot.state == "trial"
        self.release = slot.release
        self.boot_count = state.boot_count
        self.reset_cause = reset_cause
        self.last_failure = None
        if state.failure_reason:
            self.last_failure = {"release": state.failed_release, "reason": state.failure_reason}
        self.trial_failed = state.trial_failed  # whether that ended a trial: never try it again
        self.control = None
        self.watchdog = None
        self.identity = Identity()
        for name, value in who.__dict__.items():
            setattr(self.identity, name, value)


class Plan:
    """What to boot: a BootInfo, the image's size in bytes, the key of the control block."""

    def __init__(self, info, image_size, control_key):
        self.info = info
        self.image_size = image_size
        self.control_key = control_key


def run(board, plan):
    """Run the release until it ends, then record a crash if it was one. Does not return."""
    layout = {name: (p.offset, p.size_bytes) for name, p in board.partitions.items()}
    watchdog = board.watchdog(_WATCHDOG_MS)
    reason = _start(board, plan, layout, watchdog)
    plan.info = None
    if reason is not None:
        try:
            drop_modules()
            if _SLOT_PATH in sys.path:
                sys.path.remove(_SLOT_PATH)
            gc.collect()
            watchdog.feed()
            from bootloader import boot
            from bootloader.shared.partitions import table

            board.partitions = table(board.flash, layout)
            boot.record_crash(board, plan.control_key, reason)
        except BaseException as fault:
            print_exception(fault)
            while True:  # the watchdog's reset is counted as the crash that could not be recorded
                pass
    board.reset()


def _start(board, plan, layout, watchdog):
    """Run the release in the chosen slot; None if it ended by itself, else how it crashed."""
    import vfs

    info = plan.info
    info.watchdog = watchdog
    image = board.partitions["slot_" + info.slot].mapped(plan.image_size)
    drop_modules()
    try:
        vfs.mount(vfs.VfsRom(image), _SLOT_PATH)
        sys.path.insert(0, _SLOT_PATH)
        # From the release's own copy of the shared layer, so that it can mend a fault in ours and
        # catches the same exception classes as are raised.
        from bootloader.shared.control import ControlBlock
        from bootloader.shared.partitions import table

        board.partitions = table(board.flash, layout)
        info.control = ControlBlock(board.partitions["control"], plan.control_key)
        info.control.load()
        gc.collect()
        watchdog.feed()
        from firmware import main

        main.run(board, info)
    except BaseException as fault:
        print_exception(fault)
        return type(fault).__name__ + ": " + str(fault)
    return None


def drop_modules():
    """Forget every module that one image or the other brought."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("bootloader", "firmware", "board", "main"):
            del sys.modules[name]


def print_exception(fault):
    """The traceback, on the console, for the technician."""
    if hasattr(sys, "print_exception"):
        sys.print_exception(fault)
