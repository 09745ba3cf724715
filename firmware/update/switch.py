"""Names the prepared slot in the boot records: the next start tries it. For `client` only."""

from bootloader.shared.control import OTHER, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootloader.shared.control import Policy
    from bootloader.shared.release import Release
    from firmware.boot_info import BootInfo

    from .record import Record


def switch(
    boot: "BootInfo", release: "Release", record: "Record", log: "Callable[[str], object]"
) -> bool:
    """Begin the trial of `release`; the caller resets. False: the boot records do not let it."""
    name = OTHER[boot.slot]
    policy: Policy = {
        "crashes_allowed": release.crashes_allowed,
        "unconfirmed_boots_allowed": release.unconfirmed_boots_allowed,
        "selftest_deadline_s": release.selftest_deadline_s,
    }
    try:
        boot.control.start_trial(
            name,
            release.image_size_bytes,
            release.image_sha256,
            release.release,
            release.security_version,
            policy,
        )
    except ControlError as error:
        log("control block: " + str(error))
        record.postpone(release.release, "control")
        return False
    record.begin_trial(release.release, release.text)
    log("switching to release %d in slot %s" % (release.release, name))
    return True
