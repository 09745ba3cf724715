"""A server that is away for a day is asked now and then, and at once by who comes to the keys."""

from __future__ import annotations

import asyncio

from tests.support.driven import Driven, drive

HOUR_S = 3600.0


async def _goes_away(driven: Driven) -> int:
    """What went over the air until then; the terminal is left alone, and has noticed."""
    driven.network.refuse_connects(10**6)
    driven.network.reset_connections()
    driven.link.lost()
    driven.link.hurry()
    await asyncio.sleep(60)
    return driven.network.traffic.modelled_total_bytes


def _asked_in_vain(driven: Driven) -> int:
    """How often, since it was switched on."""
    return len([text for _, text in driven.log if "without an answer" in text])


def test_a_day_without_a_server_costs_thirty_questions_and_not_three_hundred() -> None:
    async def story(driven: Driven) -> tuple[int, int]:
        await driven.online()
        before = await _goes_away(driven)
        asked = _asked_in_vain(driven)
        await asyncio.sleep(24 * HOUR_S)
        bytes_a_day = driven.network.traffic.modelled_total_bytes - before
        return bytes_a_day, _asked_in_vain(driven) - asked

    bytes_a_day, questions = drive(story)
    assert 20 <= questions <= 40
    assert bytes_a_day < 20_000


def test_who_comes_to_the_keys_has_it_asked_at_once_and_often_while_he_is_there() -> None:
    async def story(driven: Driven) -> tuple[float, int]:
        await driven.online()
        await _goes_away(driven)
        await asyncio.sleep(12 * HOUR_S)
        driven.idle_ms = 0
        asked = _asked_in_vain(driven)
        for _ in range(4):
            driven.link.hurry()  # as signing in does
            await asyncio.sleep(HOUR_S / 4)
        often = _asked_in_vain(driven) - asked
        driven.idle_ms = 1_000_000
        await asyncio.sleep(12 * HOUR_S)
        driven.network.refuse_connects(0)
        return await driven.online(most_s=60), often

    back_after_s, often = drive(story)
    assert often >= 12
    assert back_after_s < 30


def test_it_is_found_again_within_the_hour_though_nobody_is_there() -> None:
    async def story(driven: Driven) -> float:
        await driven.online()
        await _goes_away(driven)
        await asyncio.sleep(12 * HOUR_S)
        checked_in = driven.asking.checked_in
        driven.network.refuse_connects(0)
        return await driven.until(lambda: driven.asking.checked_in > checked_in, 1.1 * HOUR_S)

    assert drive(story) <= 1.1 * HOUR_S
