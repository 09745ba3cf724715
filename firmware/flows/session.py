"""Signing in, the menu, signing out; `firmware.main` runs `session` for ever.

Wrong PINs cost a growing time, and the count survives a power cut: pulling the battery is not a
way to try all PINs.
"""

import asyncio

from bootloader.shared.hashes import equal, pbkdf2_sha256
from firmware.flows import reports, voucher
from firmware.flows.sell import explain, sell
from firmware.log import log
from firmware.till import SaleRefused
from firmware.ui.dialogs import Idle

PIN_DIGITS = 8
FREE_TRIES = 3
FIRST_LOCK_S = 30
LONGEST_LOCK_S = 3600


def lock_s(wrong):
    """How long the terminal stays locked after `wrong` wrong PINs in a row, in seconds."""
    if wrong < FREE_TRIES:
        return 0
    return min(LONGEST_LOCK_S, FIRST_LOCK_S << min(wrong - FREE_TRIES, 10))


async def session(app):
    """One merchant's time at the terminal: from the PIN to signing out."""
    try:
        if not await sign_in(app):
            return
    except Idle:
        return
    try:
        log("session", "signed in")
        if app.till.unfinished():
            await run_flow(app, voucher.recover)
        await menu(app)
        log("session", "signed out")
    except Idle:
        log("session", "left alone")


async def run_flow(app, flow):
    """One entry of the menu; a sale that the till refuses ends in an explanation."""
    app.selling = True
    try:
        await flow(app)
    except SaleRefused as refused:
        await explain(app, refused.code)
    finally:
        app.selling = False


async def sign_in(app):
    """Ask for the PIN; True when it was right."""
    words = app.words
    pause_s = lock_s(app.memory.get("wrong", 0))
    if pause_s and app.memory.get("locked", False):
        await wait_out(app, pause_s)
    waiting = len(app.till.unfinished())
    text = words("waiting", waiting) if waiting else words("your_pin")
    pin = await app.ui.digits(app.config.merchant_name, text, PIN_DIGITS, True, None)
    if pin is None:
        return False
    # the try is counted before it is judged, so that a cut between the two gains nothing
    wrong = app.memory.get("wrong", 0) + 1
    app.memory.put("wrong", wrong)
    pause_s = lock_s(wrong)
    app.memory.put("locked", pause_s > 0)
    if equal(
        pbkdf2_sha256(pin.encode(), app.config.pin_salt, app.config.pin_rounds),
        app.config.pin_hash,
    ):
        app.memory.put("wrong", 0)
        app.memory.put("locked", False)
        return True
    log("session", "wrong PIN, {} in a row".format(wrong))
    if not pause_s:
        text = words("tries_left", FREE_TRIES - wrong)
        await app.ui.bad(words("wrong_pin"), text, timeout_ms=10000)
        return False
    await wait_out(app, pause_s)
    return False


async def wait_out(app, pause_s):
    """Show the lock until it is over; then one more try is free."""
    for left_s in range(pause_s, 0, -1):
        app.ui.tell(app.words("locked"), app.words("locked_for", left_s))
        await asyncio.sleep_ms(app.second_ms)
        app.ui.alive()
    app.memory.put("locked", False)


async def menu(app):
    """The menu, until the merchant signs out.

    Raises:
        Idle: nobody touched the terminal.
    """
    while True:
        words = app.words
        entries = [
            ("m_sell", sell),
            ("m_reprint", voucher.reprint_last),
            ("m_float", reports.show_float),
            ("m_day", reports.day_report),
            ("m_messages", reports.messages),
            ("m_language", reports.language),
            ("m_info", reports.info),
        ]
        if app.till.unfinished():
            entries.insert(0, ("m_unfinished", voucher.recover))
        at = await app.ui.choose(
            words("menu"), [words(key) for key, _ in entries], "out", (("D", "copy"),)
        )
        if at is None:
            return
        await run_flow(app, voucher.reprint_last if at == "D" else entries[at][1])
