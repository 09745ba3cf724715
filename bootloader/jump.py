"""The jump into a release, with as little of the bootloader left in memory as can be.

`bootloader.main` calls `run` with what `bootloader.boot` chose. Everything of the bootloader but
this module is dropped before the release runs, and read anew from the boot image if it crashes.
"""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.plan import Plan
    from bootloader.shared.board import Board, Watchdog

_SLOT_PATH = "/slot"
_WATCHDOG_MS = 8000


def run(board: "Board", plan: "Plan") -> None:
    """Run the release until it ends, then record a crash if it was one. Does not return."""
    layout = {name: (p.offset, p.size_bytes) for name, p in board.partitions.items()}
    watchdog = board.watchdog(_WATCHDOG_MS)
    reason = _start(board, plan, layout, watchdog)
    del plan.info
    if reason is not None:
        try:
            drop_modules()
            if _SLOT_PATH in sys.path:
                sys.path.remove(_SLOT_PATH)
            gc.collect()
            watchdog.feed()
            from bootloader.crash import record_crash
            from bootloader.shared.partitions import table

            board.partitions = table(board.flash, layout)
            record_crash(board, plan.control_key, reason)
        except BaseException as fault:
            print_exception(fault)
            while True:  # the watchdog's reset is counted as the crash that could not be recorded
                pass
    board.reset()


def _start(
    board: "Board", plan: "Plan", layout: "dict[str, tuple[int, int]]", watchdog: "Watchdog"
) -> str | None:
    """Run the release in the chosen slot; None if it ended by itself, else how it crashed."""
    import vfs

    info = plan.info
    info.watchdog = watchdog
    image = board.partitions["slot_" + info.slot].mapped(plan.image_size)
    drop_modules()
    try:
        vfs.mount(vfs.VfsRom(image), _SLOT_PATH)  # type: ignore[attr-defined]  # the stubs lack it
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


def drop_modules() -> None:
    """Forget every module that one image or the other brought."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("bootloader", "firmware", "board", "main"):
            del sys.modules[name]


def print_exception(fault: BaseException) -> None:
    """The traceback, on the console, for the technician."""
    if hasattr(sys, "print_exception"):
        sys.print_exception(fault)
