"""What stands on the display is read from its dots: every letter, weight and place."""

from __future__ import annotations

import random
import string

import pytest

from firmware.ui.canvas import Canvas
from firmware.ui.screen import Screen
from hw_sim.lcd import Picture
from tools.play.eyes import read

SEED = 47


def picture(buffer: bytes | bytearray) -> Picture:
    """What the controller shows of a page-addressed buffer."""
    pages = [buffer[page * 128 : (page + 1) * 128] for page in range(8)]
    return Picture(tuple(bytes(byte >> y % 8 & 1 for byte in pages[y // 8]) for y in range(64)))


class _Lcd:
    buffer = b""

    def show(self, buffer: bytearray) -> None:
        self.buffer = bytes(buffer)


def test_a_whole_page_is_read_from_the_top() -> None:
    lcd = _Lcd()
    screen = Screen(lcd)
    screen.status(20, "Online", 3, 80)
    screen.page("Sell Savanna 50?", [("Price", "KES 50.00")], [("*", "Back"), ("#", "Sell")])
    assert read(picture(lcd.buffer)).splitlines() == [
        "Online   3",
        "Sell Savanna 50?",
        "Price   KES 50.00",
        "* Back   # Sell",
    ]


def test_a_marked_line_and_a_big_figure_are_read_too() -> None:
    lcd = _Lcd()
    screen = Screen(lcd)
    screen.page("Menu", ["1 Sell airtime", "2 Float"], [("#", "OK")], marked=0)
    assert "1 Sell airtime\n2 Float" in read(picture(lcd.buffer))
    screen.page("Float", [], [], big="KES 1 234.50")
    assert read(picture(lcd.buffer)).splitlines() == ["Float", "KES 1 234.50"]


@pytest.mark.parametrize("weight", ["plain", "bold", "big"])
def test_words_of_all_letters_are_read_wherever_they_stand(weight: str) -> None:
    chance = random.Random(f"{SEED} {weight}")
    letters = string.ascii_letters + string.digits + "éàçêÉãõñẹọṣɗƙńǹ"
    for _ in range(60):
        words = " ".join(
            "".join(chance.choice(letters) for _ in range(chance.randint(2, 5))) for _ in range(2)
        )
        wide = Canvas().text(0, 0, words, big=weight == "big", bold=weight == "bold") - 1
        if wide > 127:
            continue
        canvas = Canvas()
        canvas.text(
            chance.randint(0, 127 - wide), chance.randint(0, 48), words,
            big=weight == "big", bold=weight == "bold",
        )  # fmt: skip
        assert read(picture(canvas.buffer)) == words


def test_noise_and_drawings_are_no_text() -> None:
    chance = random.Random(SEED)
    assert read(Picture((bytes(128),) * 64)) == ""
    box = Canvas()
    box.fill(20, 10, 60, 40)
    assert read(picture(box.buffer)) == ""
    for _ in range(3):
        assert len(read(picture(chance.randbytes(1024)))) < 12
