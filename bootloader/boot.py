"""From reset to what shall run: a release, or serial recovery. `bootloader.main` calls it.

The path: lock the boot image, who am I, newest control record, decide, check the image, record the
attempt. Nothing here judges: that is `bootloader.decide`.
"""

import time

from bootloader import identity, images, screen
from bootloader.decide import CRASHES_IN_A_ROW, decide
from bootloader.plan import BootInfo, Identity, Plan, Repair
from bootloader.shared.compat import const
from bootloader.shared.control import ControlBlock, ControlError, encode

try:
    import micropython
except ImportError:
    micropython = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.board import Board
    from bootloader.shared.control import State

_LONGEST_PAUSE_S = const(60)


def run(board: "Board") -> Plan | Repair:
    """The Plan of what to boot, already recorded as an attempt; a Repair if nothing may boot."""
    if hasattr(micropython, "kbd_intr"):
        micropython.kbd_intr(-1)  # Ctrl-C on the console stops no release
    boot = board.partitions["boot"]
    board.flash.lock(boot.offset + boot.size_bytes)
    cause = board.reset_cause()
    repair = Repair()
    repair.who = repair.control = None
    try:
        who = identity.load(board.partitions["identity"], board.unique_id())
        if who is None:
            repair.why = "no identity yet"
            return repair
        key = who.control_key(board.unique_id())
        control = ControlBlock(board.partitions["control"], key)
        repair.who = who
        repair.control = control
        slot, why = choose(board, control, cause, recovery_key_held(board))
        if slot is None:
            repair.why = why or ""
            return repair
    except (identity.IdentityError, ControlError, OSError) as fault:
        repair.why = str(fault)
        return repair
    state = control.state
    if state.crashes > CRASHES_IN_A_ROW:
        # Nothing else to boot: go on trying, but slowly, or the control sectors wear out in weeks.
        screen.show(board, "Starting again after a fault. Please wait.")
        time.sleep(min(state.crashes, _LONGEST_PAUSE_S))
    plan = Plan()
    plan.info = boot_info(state, slot, who, cause)
    plan.image_size = state.slots[slot].image_size
    plan.control_key = key
    return plan


def boot_info(state: "State", name: str, who: identity.Identity, reset_cause: str) -> BootInfo:
    """What the release in slot `name` is told; `control` and `watchdog` are still None."""
    slot = state.slots[name]
    info = BootInfo()
    info.slot = name
    info.trial = slot.state == "trial"
    info.release = slot.release
    info.boot_count = state.boot_count
    info.reset_cause = reset_cause
    info.last_failure = None
    if state.failure_reason:
        info.last_failure = {"release": state.failed_release, "reason": state.failure_reason}
    info.trial_failed = state.trial_failed
    info.control = info.watchdog = None
    # Not `who` itself: its class would hold the bootloader in memory while the release runs.
    info.identity = Identity()
    for key, value in who.__dict__.items():
        setattr(info.identity, key, value)
    return info


def choose(
    board: "Board", control: ControlBlock, reset_cause: str, forced: bool
) -> tuple[str | None, str | None]:
    """Decide, check the chosen image in flash, and record the attempt: `(slot or None, why)`."""
    state = control.load()
    if control.newer_lost:
        _count_above(board, control.state)
    damaged: tuple[str, ...] = ()
    while True:
        new, slot, why = decide(state, reset_cause, forced, damaged)
        if state is None or new is None:
            return None, why
        if slot is None or images.is_intact(board.partitions["slot_" + slot], new.slots[slot]):
            break
        damaged += (slot,)
    if slot or control.newer_lost or encode(new, b"") != encode(state, b""):
        control.write(new)
    return slot, why


def _count_above(board: "Board", state: "State") -> None:
    """Let the boots go on above all numbers that a lost record may have counted."""
    try:
        state.boot_count = identity.add_era(board.partitions["identity"])
    except identity.IdentityError:
        pass  # all used up: messages do not rest on the count alone


def recovery_key_held(board: "Board") -> bool:
    """True if `*` (last row, first column) is pressed: its row pulls its column low."""
    for row in board.keypad_rows:
        row.value(1)
    board.keypad_rows[3].value(0)
    time.sleep(0.001)  # a 47 kOhm pull-up and a long membrane need their microseconds
    held = board.keypad_columns[0].value() == 0
    board.keypad_rows[3].value(1)
    return held
