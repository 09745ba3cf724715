"""Names the prepared slot in the boot records: the next start tries it; or, in the control arm of a
wave, notes that this terminal restarts for that. For `client` only.
"""

from bootloader.shared.control import OTHER, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootloader.shared.control import Policy
    from firmware.boot_info import BootInfo

    from .offer import Offer
    from .record import Record


async def say(
    on_restart: "Callable[[int], Awaitable[None]]",
    offer: "Offer",
    running: int,
    log: "Callable[[str], object]",
) -> bool:
    """Tell the server that the terminal restarts now, and into which release; whether it heard. If
    not, that keeps nobody: the word is for who looks after releases.
    """
    from firmware.office.messenger import BadReply, NoNetwork, ServerRefused

    try:
        await on_restart(running if offer.sham else offer.release.release)
        return True
    except (NoNetwork, BadReply, ServerRefused) as error:
        log("restarts, and the server does not know: " + str(error))
        return False


def switch(
    boot: "BootInfo", offer: "Offer", record: "Record", log: "Callable[[str], object]"
) -> bool:
    """Begin the trial of the offer's release, or its sham; the caller resets. False: the boot
    records or the disk do not let it.
    """
    release = offer.release
    if offer.sham:
        record.pending = False
        record.sham = offer.sham
        record.restarted = True
        if record.save():
            log("restarting, as control of release %d" % release.release)
            return True
        log("no restart as a control: it would be one again and again")
        return False
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
