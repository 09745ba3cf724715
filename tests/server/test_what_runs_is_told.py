"""A terminal tells which image and settings run: once a start, and that holds for the start."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.shop import Shop

IMAGE, SETTINGS = b"i" * 32, b"s" * 32
TOLD = (IMAGE.hex(), SETTINGS.hex())


def history(shop: Shop) -> list[tuple[object, ...]]:
    return shop.sql("SELECT release, image, settings FROM running_history ORDER BY id")


def newest(shop: Shop) -> tuple[object, ...]:
    (found,) = shop.sql("SELECT image, settings FROM check_in")
    return tuple(found)


def test_what_was_told_once_holds_for_the_start(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_5=3, _15=IMAGE, _16=SETTINGS)
    for _ in range(3):
        device.check_in(_5=3)
    assert newest(shop) == TOLD
    assert history(shop) == [(7, *TOLD)], "and is written down once"


def test_the_next_start_tells_it_anew_and_writes_only_what_changed(shop: Shop) -> None:
    device = shop.enrol()
    for boot_count, settings in ((3, SETTINGS), (4, SETTINGS), (5, bytes(32))):
        device.check_in(_5=boot_count, _15=IMAGE, _16=settings)
    assert history(shop) == [(7, *TOLD), (7, IMAGE.hex(), bytes(32).hex())]


def test_a_release_that_does_not_say_leaves_nothing_of_the_one_before(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(_5=3, _2=8, _15=IMAGE, _16=SETTINGS)
    device.check_in(_5=4, _2=7)
    assert newest(shop) == (None, None), "else an image would be called unknown"


@pytest.mark.parametrize("wrong", [b"short", 7, "a" * 32, None], ids=str)
@pytest.mark.parametrize("key", ["_15", "_16"])
def test_what_is_no_digest_is_refused(shop: Shop, key: str, wrong: Any) -> None:
    reply = shop.enrol().check_in(**{key: wrong})
    assert (reply[0], reply[1]) == (-1, "bad_message")
    assert history(shop) == []
