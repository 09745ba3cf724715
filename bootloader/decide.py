"""Which slot boots: a pure decision over the newest control record. `bootloader.boot` calls it.

The table of every decision is in docs/formats/control-block.md; tests/boot walks through its rows.
"""

from bootloader.shared.compat import const
from bootloader.shared.control import OTHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.control import State

CRASHES_IN_A_ROW = const(5)
"""A confirmed release that crashed so often without running well gives way to the other slot."""
_FAILED_TRIAL = ("crashed in trial", "not confirmed in time")


def decide(
    state: "State | None", reset_cause: str, forced: bool = False, damaged: tuple[str, ...] = ()
) -> "tuple[State | None, str | None, str | None]":
    """`(new state, slot, why)`: what to record, then what to do.

    `state` is the newest valid State or None; `reset_cause` as `board.reset_cause()`; `forced` is
    True if someone holds the recovery key; `damaged` names the slots whose image was found not to
    have the recorded SHA-256. `slot` is "a", "b" or None, which means serial recovery; `why` is
    then the reason, in words for the technician. `state` itself is not changed.
    """
    if state is None:
        return None, None, "boot records lost"
    new = state.copy()
    new.request = None
    if reset_cause == "watchdog":
        new.crash("watchdog: the release stopped answering")
    if forced:
        return new, None, "key held at power-on"
    if state.request:
        return new, None, "asked for"
    if not new.active:
        return new, None, "no image yet"

    slot = new.slots[new.active]
    other = OTHER[new.active]
    way_back = other not in damaged and new.is_way_back(other)
    why = None
    if new.active in damaged:
        why = "image damaged in flash"
    elif slot.state not in ("good", "trial"):
        why = "no bootable image"
    elif not new.security_fits(new.active):
        why = "security version too low"
    elif slot.state == "trial" and new.crashes >= max(1, slot.crashes_allowed):
        # With no way back it goes on trying: one that starts may sell, recovery does not.
        why = "crashed in trial" if way_back else None
    elif slot.state == "trial" and new.unconfirmed_boots >= max(1, slot.unconfirmed_boots_allowed):
        # It may merely never have found a network.
        why = "not confirmed in time" if way_back else None
    elif slot.state == "good" and new.crashes >= CRASHES_IN_A_ROW:
        why = "crashed again and again" if way_back else None

    if why:
        # What the crash itself said is worth more than our word for it.
        if not why.startswith("crashed") or new.failed_release != slot.release:
            new.fail(slot.release, why)
        if not way_back:
            return new, None, why
        new.trial_failed = why in _FAILED_TRIAL
        slot.state = "bad"
        if new.slots[other].state == "ready":
            new.slots[other].state = "trial"
        new.active = other
        new.crashes = 0
        new.unconfirmed_boots = int(new.slots[other].state == "trial")
    elif slot.state == "trial":
        new.unconfirmed_boots += 1
    new.boot_count += 1
    return new, new.active, why
