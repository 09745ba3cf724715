"""Names the prepared slot in the boot records: the next start tries it; or, in the control arm of a
wave, notes that this terminal restarts for that. For `client` only.
"""

from bootloader.shared.control import OTHER, ControlError

from .errors import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bootloader.shared.control import Policy
    from firmware.boot_info import BootInfo

    from .newest import Newest
    from .offer import Offer
    from .record import Record


async def is_newest(
    on_restart: "Callable[[int], Awaitable[None]] | None",
    offer: "Offer",
    running: int,
    newest: "Newest",
    stem: "Callable[[], str]",
    log: "Callable[[str], object]",
) -> bool:
    """Tell the server that the terminal restarts now, and into which release. Whether its answer
    named what is here (the tag's `stem`) as the newest; False too where it named nothing, or did
    not hear: that keeps nobody, the word is for who looks after releases.

    Raises:
        Interrupted: it named something else: a halt, perhaps.
    """
    if not on_restart:
        return False
    from firmware.office.messenger import BadReply, NoNetwork, ServerRefused

    newest.forget()
    try:
        await on_restart(running if offer.sham else offer.release.release)
    except (NoNetwork, BadReply, ServerRefused) as error:
        log("restarts, and the server does not know: " + str(error))
        return False
    if newest.tag and not newest.has(stem()):
        raise Interrupted("there is news")
    return newest.tag != ""


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
