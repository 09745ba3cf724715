"""The rows of the threat table of whoever sends short messages, in anybody's name: to a terminal
that sells by them, and to its office. Terminal, modem, network, service centre and server are on
one loop of simulated time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hw_sim.network.sms_pdu import of_text
from tests.attacks.scene import Gained
from tests.attacks.whole import Played
from tests.server.shop import NOW, Shop
from tests.support.by_sms import MINE, OFFICE, THIEF, SmsCounter, data, without_data
from updater_server.fleet import texting
from updater_server.store.engine import reading
from updater_server.wire.sealed import seal_word

Attack = Callable[[SmsCounter], Coroutine[Any, Any, None]]
ROWS: list[tuple[str, Attack]] = []
QUIET_S = 900.0
"""By then the terminal has read whatever came."""
FLOOD = 60
MOST_MESSAGES = 4
"""So many may a sale cost its merchant while the card is flooded."""


def row(name: str) -> Callable[[Attack], Attack]:
    """An attack of this name."""

    def kept(attack: Attack) -> Attack:
        ROWS.append((name, attack))
        return attack

    return kept


def nothing_gained(counter: SmsCounter, vouchers: int, office_said: int) -> None:
    """Raises Gained unless so many vouchers were given, and the office paid for so many."""
    if counter.lost_and_doubled() != (0, 0) or counter.till.given != vouchers:
        raise Gained(f"{counter.till.given} vouchers for {vouchers} sales")
    if len(counter.office_said) != office_said:
        raise Gained(f"the office paid for {len(counter.office_said)} messages")
    if counter.till.blocked:
        raise Gained("the terminal is locked")
    if counter.on_card:
        raise Gained("the card fills up")


async def one_sale(counter: SmsCounter) -> tuple[bytes, bytes]:
    """An honest sale; (its question, its answer)."""
    assert await counter.ask(counter.sale())
    return counter.sent[-1].message.data, counter.office_said[-1]


@row("SMS: questions sent again from a stranger's number, and made up")
async def forged_sender(counter: SmsCounter) -> None:
    asked, _ = await one_sale(counter)
    for content in (asked, asked[:-1], bytes(140), secrets.token_bytes(100)):
        for sender in (THIEF, MINE):
            counter.centre.bring(sender, OFFICE, data(OFFICE, content))
    await asyncio.sleep(QUIET_S)
    nothing_gained(counter, 1, 1)
    with reading(counter.shop.service.engine) as connection:
        if texting.number_of(connection, counter.device.terminal_id) != MINE:
            raise Gained("the office texts somebody else")


@row("SMS: an answer brought again, bent, and for another sale")
async def replayed_answer(counter: SmsCounter) -> None:
    _, said = await one_sale(counter)
    counter.centre.leave(OFFICE)
    waits = counter.sale()
    if await counter.ask(waits):
        raise Gained("an answer out of nothing")
    for content in (said, said, said[:-1] + bytes([said[-1] ^ 1]), said[:40]):
        counter.bring(content)
    await asyncio.sleep(QUIET_S)
    if waits.has_voucher or counter.till.given > 1:
        raise Gained("another sale's voucher")
    counter.centre.reach(OFFICE, counter._at_office)  # and the question that waited is answered
    await counter.driven.until(lambda: waits.has_voucher, QUIET_S, "its own answer")
    await asyncio.sleep(QUIET_S)
    nothing_gained(counter, 2, 2)


@row("SMS: the office's words, brought again after they were taken back")
async def replayed_word(counter: SmsCounter) -> None:
    hurried: list[int] = []
    counter.driven.asking.hurry = lambda: hurried.append(1)  # type: ignore[attr-defined]
    words = [counter.word(texting.CHECK_IN), counter.word(texting.LOCK, 5)]
    for content in words:
        counter.bring(content)
    await counter.driven.until(lambda: counter.till.blocked, QUIET_S, "the lock")
    counter.till.blocked = False  # as the office's answer to its check-in says
    counter.memory.put("held", False)
    heeded = len(hurried)
    for content in words * 3:
        counter.bring(content, sender=THIEF)
    await asyncio.sleep(QUIET_S)
    if len(hurried) != heeded:
        raise Gained("it checks in at a thief's word")
    nothing_gained(counter, 0, 0)


@row("SMS: words under another key, to another terminal, ahead of time")
async def words_of_his_own(counter: SmsCounter) -> None:
    hurried: list[int] = []
    counter.driven.asking.hurry = lambda: hurried.append(1)  # type: ignore[attr-defined]
    mine = counter.device.terminal_id
    for says in (texting.LOCK, texting.CHECK_IN, 0):
        for at_s in (NOW, NOW + 5, (1 << 63) - 1):
            counter.bring(seal_word(secrets.token_bytes(16), mine, at_s, says))
            counter.bring(seal_word(bytes(16), bytes(8), at_s, says))
    real = counter.word(texting.LOCK)
    for at in range(len(real)):
        counter.bring(real[:at] + bytes([real[at] ^ 1]) + real[at + 1 :])
    await asyncio.sleep(2 * QUIET_S)
    if hurried or counter.memory.get("word", 0):
        raise Gained("a word is heeded that the office did not say")
    nothing_gained(counter, 0, 0)


@row("SMS: a flood of texts, bytes and words that fills the card")
async def flood(counter: SmsCounter) -> None:
    for number in range(FLOOD):
        counter.driven.network.sms.forward(of_text("144", f"You have won {number}"))
        for size in (20, 90):
            content = b"\x01" + secrets.token_bytes(size - 1)
            counter.driven.network.sms.forward(data(THIEF, content))
    sale, tries = counter.sale(), 0
    while not await counter.ask(sale):
        tries += 1
        if tries > FLOOD:
            raise Gained("nothing can be sold any more")
        await asyncio.sleep(60)
    if len(counter.sent) > MOST_MESSAGES:
        raise Gained(f"the merchant paid for {len(counter.sent)} messages")
    await asyncio.sleep(QUIET_S)
    nothing_gained(counter, 1, len(counter.office_said))
    counter.bring(counter.word(texting.LOCK))
    await counter.driven.until(lambda: counter.till.blocked, QUIET_S, "the office's lock")


def play(row_: tuple[str, Attack], signed: Path, folder: Path) -> Played:
    """One row, in a world of its own."""
    name, attack = row_
    shop = Shop.open(folder / "data", signed / "repository")
    shop.stock_vault(count=20)
    try:
        without_data(shop, attack, folder)
    except AssertionError as gained:
        return Played(name, str(gained) or type(gained).__name__, "")
    finally:
        shop.service.engine.dispose()
    return Played(name, "", "")
