"""What recovery does by itself when it begins, before any technician asks."""

from bootloader.recovery import slots, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.recovery.holdings import Holdings


def mend(holdings: "Holdings") -> bool:
    """If the boot records were lost, begin them anew and take back the images that the trust on
    board still vouches for; True if a release can boot now. After a cut it goes on: records that
    name no slot, where an image was once, are ones begun anew. Never raises.
    """
    try:
        return bool(
            holdings.who
            and (holdings.open_control() or _lacks_image(holdings))
            and _find_images(holdings, slots.Slots(holdings))
        )
    except (ValueError, OSError, MemoryError, trust.Refused):
        return False  # the technician's commands will say what is wrong


def _lacks_image(holdings: "Holdings") -> bool:
    return holdings.is_sealed() and not holdings.records().state.active


def _find_images(holdings: "Holdings", both: slots.Slots) -> bool:
    """Take back the intact images that are listed, the newest on trial; True if there are any.

    Which of them had been confirmed was lost with the records.
    """
    found = {}
    for entry in sorted(both.listed(), key=lambda e: -e.release):
        for name in slots.NAMES:
            if name not in found and both.is_intact(name, entry):
                found[name] = entry
    newest_last = sorted(found, key=lambda name: found[name].release)
    if not newest_last:
        return False
    # One of these ran, so none under the lowest may come.
    lowest = min([entry.security_version for entry in found.values()])
    state = holdings.records().state
    state.security_version = max(state.security_version, lowest)
    if len(newest_last) > 1:
        holdings.hold(newest_last[0], found[newest_last[0]])
    holdings.adopt(newest_last[-1], found[newest_last[-1]])
    return True
