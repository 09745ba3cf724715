"""The self-test of a release on trial: what a merchant needs has to work before it is kept.

Loaded for a trial only.
"""

import asyncio

from bootloader.shared.compat import ticks_diff, ticks_ms
from bootloader.shared.control import OTHER
from bootloader.shared.partitions import PartitionError
from firmware import lent
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bootloader.shared.control import Slot
    from bootloader.shared.partitions import Partition
    from firmware.duties.check_in import CheckIn
    from firmware.duties.parts import Parts
    from firmware.sales.journal import Journal

_INSTALL = "firmware.update.install"


class SelfTestFailed(Exception):
    """A release on trial did not prove itself in time; ends the program: it is rolled back."""


async def prove(terminal: "Parts", check_in: "CheckIn") -> None:
    """Confirm the release as soon as everything works.

    Raises:
        SelfTestFailed: it did not by its deadline, and there is a release to go back to.
    """
    boot = terminal.boot_info
    slots = boot.control.state.slots
    deadline_ms = slots[boot.slot].selftest_deadline_s * 1000
    # The first release of a terminal has nothing to give way to: it waits for its network.
    other = OTHER[boot.slot]
    way_back = slots[other].state in ("good", "ready")
    started = ticks_ms()
    await _walk(terminal.journal)
    missing: str | None = "keypad"
    while missing:
        missing = _missing(terminal, check_in)
        late = way_back and ticks_diff(ticks_ms(), started) > deadline_ms
        if missing and late and not terminal.selling:
            if await _is_whole(terminal.board.partitions["slot_" + other], slots[other]):
                raise SelfTestFailed("self-test: no " + missing)
            # Its records say that there is one: restarting for it would only begin this again.
            way_back = False
            log("test", "no {}, and no way back: slot {} is damaged".format(missing, other))
        await asyncio.sleep_ms(500)
    # the printer may be mute, out of paper or switched off: that is no fault of a release
    log("test", "printer " + await terminal.printer.status())
    boot.control.confirm()
    boot.trial = False
    # the server learns it at once; whether it does changes nothing here
    check_in.hurry()
    terminal.link.hurry()
    log("test", "release {} confirmed".format(boot.release))


async def _is_whole(partition: "Partition", slot: "Slot") -> bool:
    """Whether flash holds the image that the boot records speak of."""
    try:
        install = lent.load(_INSTALL)
        digest: bytes = await install.digest_of(partition, slot.image_size)
        return digest == slot.sha256
    except (PartitionError, OSError):
        return False
    finally:
        lent.give_back((_INSTALL,))


async def _walk(journal: "Journal") -> None:
    count = 0
    for _ in journal.records(journal.oldest):
        count += 1
        if count % 32 == 0:
            await asyncio.sleep_ms(1)
    log("test", "{} records, {} spoiled".format(count, journal.unreadable))


def _missing(terminal: "Parts", check_in: "CheckIn") -> str | None:
    """What has not shown yet that it works; None when everything has."""
    if terminal.keypad.any_down():
        return "keypad at rest"
    if not terminal.link.modem.registered:
        return "network"
    return None if check_in.done else "check-in"
