"""The display controller turns command and data bytes into the pixels an eye would see."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hw_sim.lcd import Lcd

INIT = bytes.fromhex("ae d5 80 a8 3f d3 00 40 8d 14 20 02 a1 c8 da 12 81 cf d9 f1 db 40 a4 a6 af")


def lit(initialise: bytes = INIT) -> Lcd:
    lcd = Lcd(random.Random(1))
    lcd.power(True)
    lcd.write(initialise, is_data=False)
    clear(lcd)
    return lcd


def clear(lcd: Lcd) -> None:
    for page in range(8):
        lcd.write(bytes([0xB0 | page, 0x00, 0x10]), is_data=False)
        lcd.write(bytes(128), is_data=True)
    lcd.write(bytes([0xB0, 0x00, 0x10]), is_data=False)


def pixels(lcd: Lcd) -> set[tuple[int, int]]:
    rows = lcd.picture().rows
    return {(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel}


def test_memory_comes_up_as_noise_and_nothing_shows_before_display_on() -> None:
    lcd = Lcd(random.Random(1))
    assert lcd.picture().blank
    lcd.power(True)
    assert lcd.picture().blank
    lcd.write(INIT, is_data=False)
    assert 1000 < len(pixels(lcd)) < 7000


def test_nothing_shows_without_the_charge_pump() -> None:
    lcd = lit(INIT.replace(b"\x8d\x14", b"\x8d\x10"))
    lcd.write(b"\xff", is_data=True)
    assert lcd.picture().blank


def test_page_addressing_puts_the_low_bit_on_top_and_wraps_in_its_page() -> None:
    lcd = lit()
    lcd.write(bytes([0xB2, 0x0F, 0x17]), is_data=False)  # page 2, column 127
    lcd.write(b"\x01\x80", is_data=True)
    assert pixels(lcd) == {(127, 16), (0, 23)}


def test_horizontal_addressing_fills_a_window_and_starts_again() -> None:
    lcd = lit()
    lcd.write(bytes([0x20, 0x00, 0x21, 10, 11, 0x22, 1, 2]), is_data=False)
    lcd.write(b"\x01\x02\x04\x08\x10", is_data=True)
    assert pixels(lcd) == {(10, 8 + 4), (11, 9), (10, 18), (11, 19)}


def test_vertical_addressing_goes_down_first() -> None:
    lcd = lit()
    lcd.write(bytes([0x20, 0x01, 0x21, 10, 11, 0x22, 1, 2]), is_data=False)
    lcd.write(b"\x01\x02\x04", is_data=True)
    assert pixels(lcd) == {(10, 8), (10, 17), (11, 10)}


def test_a_command_may_come_cut_at_any_byte() -> None:
    lcd = Lcd(random.Random(1))
    lcd.power(True)
    for byte in INIT:
        lcd.write(bytes([byte]), is_data=False)
    assert lcd.display_on
    assert lcd.contrast == 0xCF
    assert lcd.unknown_commands == 0


def test_orientation_start_line_and_inversion_show() -> None:
    lcd = lit()
    lcd.write(b"\x01", is_data=True)
    assert pixels(lcd) == {(0, 0)}
    lcd.write(b"\xa0\xc0", is_data=False)
    assert pixels(lcd) == {(127, 63)}
    lcd.write(b"\xa1\xc8\x41", is_data=False)
    assert pixels(lcd) == {(0, 63)}
    lcd.write(b"\x40\xa7", is_data=False)
    assert len(pixels(lcd)) == 128 * 64 - 1
    lcd.write(b"\xa5", is_data=False)
    assert len(pixels(lcd)) == 128 * 64
    lcd.write(b"\xa4\xa6\xae", is_data=False)
    assert lcd.picture().blank


def test_fewer_multiplexed_rows_leave_the_rest_dark() -> None:
    lcd = lit()
    lcd.write(b"\xa5\xa8\x1f", is_data=False)
    assert len(pixels(lcd)) == 128 * 32
    lcd.write(b"\xa8\x05", is_data=False)
    assert len(pixels(lcd)) == 128 * 32, "an invalid ratio is ignored"


def test_the_reset_line_turns_it_off_and_keeps_the_memory() -> None:
    lcd = lit()
    lcd.write(b"\x01", is_data=True)
    lcd.reset()
    assert lcd.picture().blank
    lcd.write(INIT, is_data=False)
    assert pixels(lcd) == {(0, 0)}


def test_bytes_without_supply_go_nowhere() -> None:
    lcd = Lcd(random.Random(1))
    lcd.write(INIT, is_data=False)
    assert lcd.command_bytes == 0


def test_the_picture_comes_as_half_blocks_braille_and_png(tmp_path: Path) -> None:
    lcd = lit()
    lcd.write(b"\x03\x01\x02", is_data=True)
    picture = lcd.picture()
    assert picture.half_blocks().split("\n")[0].startswith("█▀▄ ")
    assert [len(line) for line in picture.half_blocks().split("\n")] == [128] * 32
    assert picture.braille()[:3] == "⠋⠂⠀"
    assert [len(line) for line in picture.braille().split("\n")] == [64] * 16
    path = tmp_path / "lcd.png"
    picture.save_png(path, pixel_px=4)
    with Image.open(path) as image:
        assert image.size == (128 * 4 + 32, 64 * 4 + 32)
        dark, light = image.getpixel((17, 17)), image.getpixel((16 + 4 * 10, 17))
    assert isinstance(dark, tuple)
    assert isinstance(light, tuple)
    assert sum(dark) < 150 < 350 < sum(light)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=12))
def test_no_bytes_upset_it(chunks: list[tuple[bool, bytes]]) -> None:
    lcd = lit()
    for is_data, data in chunks:
        lcd.write(data, is_data=is_data)
    picture = lcd.picture()
    assert (picture.width_px, picture.height_px) == (128, 64)


@pytest.mark.parametrize("window", [(120, 5), (5, 5)])
def test_a_window_that_ends_before_it_starts_still_moves_on(window: tuple[int, int]) -> None:
    lcd = lit()
    lcd.write(bytes([0x20, 0x00, 0x21, *window]), is_data=False)
    lcd.write(b"\x01" * 300, is_data=True)
    assert pixels(lcd)
