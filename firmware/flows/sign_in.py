"""Signing in with the merchant's PIN.

Wrong PINs cost a growing time, and the count survives a power cut: pulling the battery is not a
way to try all PINs.
"""

import asyncio

from bootloader.shared.hashes import equal, pbkdf2_sha256
from firmware.log import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk

PIN_DIGITS = 8
FREE_TRIES = 3
FIRST_LOCK_S = 30
LONGEST_LOCK_S = 3600
REST_MS = 600000  # so seldom a terminal that nobody touches draws its first page anew


def lock_s(wrong: int) -> int:
    """How long the terminal stays locked after `wrong` wrong PINs in a row, in seconds."""
    if wrong < FREE_TRIES:
        return 0
    return min(LONGEST_LOCK_S, FIRST_LOCK_S << min(wrong - FREE_TRIES, 10))


async def run(desk: "Desk") -> bool:
    """Ask for the PIN; True when it was right."""
    words = desk.words
    pause_s = lock_s(desk.memory.get("wrong", 0))
    if pause_s and desk.memory.get("locked", False):
        await _wait_out(desk, pause_s)
    waiting = len(desk.till.unfinished())
    text = words("waiting", waiting) if waiting else words("your_pin")
    title = desk.config.merchant_name
    pin = await desk.ui.digits(title, text, PIN_DIGITS, True, None, rest_ms=REST_MS)
    if pin is None:
        return False
    # the try is counted before it is judged, so that a cut between the two gains nothing
    wrong = desk.memory.get("wrong", 0) + 1
    desk.memory.put("wrong", wrong)
    pause_s = lock_s(wrong)
    desk.memory.put("locked", pause_s > 0)
    if equal(
        pbkdf2_sha256(pin.encode(), desk.config.pin_salt, desk.config.pin_rounds),
        desk.config.pin_hash,
    ):
        desk.memory.put("wrong", 0)
        desk.memory.put("locked", False)
        return True
    log("session", "wrong PIN, {} in a row".format(wrong))
    if not pause_s:
        text = words("tries_left", FREE_TRIES - wrong)
        await desk.ui.bad(words("wrong_pin"), text, timeout_ms=10000)
        return False
    await _wait_out(desk, pause_s)
    return False


async def _wait_out(desk: "Desk", pause_s: int) -> None:
    """Show the lock until it is over; then one more try is free."""
    for left_s in range(pause_s, 0, -1):
        desk.ui.tell(desk.words("locked"), desk.words("locked_for", left_s))
        await asyncio.sleep_ms(desk.second_ms)
        desk.ui.alive()
    desk.memory.put("locked", False)
