"""What reaches the display, and how little of it."""

from __future__ import annotations

from firmware.drivers.lcd import Lcd
from firmware.ui import font
from firmware.ui.canvas import EXTRA, MARKS, WIDTH, Canvas, shorten, text_width, wrap
from hw_sim.lcd import Lcd as Controller
from tests.merchant.glass import Glass, new_screen
from tools.lab import font as drawn


def test_the_font_file_is_what_the_drawings_give() -> None:
    fresh: dict[str, object] = {}
    exec(drawn.source(), fresh)
    for name in ("EXTRA", "INDEX", "SMALL", "BIG"):
        assert fresh[name] == getattr(font, name), "run python -m tools.lab.font"


def test_every_character_differs_from_every_other() -> None:
    seen: dict[bytes, str] = {}
    for char in [*map(chr, range(33, 127)), *EXTRA]:
        canvas = Canvas()
        canvas.text(0, 0, char)
        picture = bytes(canvas.buffer)
        if char in MARKS:
            continue
        alike = {"·", ".", "×", "x", "`"}  # same ink, other place or meaning
        assert picture not in seen or char in alike, (char, seen[picture])
        seen[picture] = char


def test_a_mark_stands_over_the_letter_before_it_and_takes_no_room() -> None:
    for letter in "ẹọẸỌ":
        looks = set()
        for mark in ("", *MARKS):
            canvas, after = Canvas(), Canvas()
            for big in (False, True):
                end = canvas.text(20, 8, letter + mark, big=big)
                assert end == after.text(20, 8, letter, big=big)
                assert text_width(letter + mark, big) == text_width(letter, big)
            looks.add(bytes(canvas.buffer))
        assert len(looks) == 3, letter
    assert wrap("ẹ̀" * 40, 126)[0] == "ẹ̀" * 25


def test_a_dot_below_stands_apart_and_there_is_room_for_a_mark_above() -> None:
    for letter in "ẸỌṢẹọṣ":
        rows = drawn.all_glyphs()[letter]
        assert "#" not in rows[6] and "#" in rows[7]
    for letter, rows_free in (("ẹ", 2), ("ọ", 2), ("Ẹ", 1), ("Ọ", 1)):
        assert not any("#" in row for row in drawn.all_glyphs()[letter][:rows_free])


def test_a_character_the_font_lacks_is_seen_not_swallowed() -> None:
    canvas, question = Canvas(), Canvas()
    canvas.text(0, 0, "ж")
    question.text(0, 0, "?")
    assert canvas.buffer == question.buffer


def test_text_is_as_wide_as_it_is_measured() -> None:
    for text in ("Savanna 50", "KES 1 234.50", "éàç", "iIl1", "MWmw", "ẹ̀M", ""):
        for big, bold in ((False, False), (True, False), (False, True)):
            canvas = Canvas()
            end = canvas.text(0, 0, text, big=big, bold=bold)
            lit = [x for x in range(WIDTH) if any(canvas.buffer[p * WIDTH + x] for p in range(8))]
            width = text_width(text, big, bold)
            assert max(lit, default=-1) < width <= max(lit, default=-1) + 4
            assert width == (end - (2 if big else 1) if text else 0)


def test_text_at_the_edge_is_cut_not_wrapped_round() -> None:
    canvas = Canvas()
    canvas.text(120, 60, "WWWW", big=True)
    assert not any(canvas.buffer[page * WIDTH + x] for page in range(8) for x in range(100))


def test_wrapping_keeps_every_word_and_every_line_fits() -> None:
    text = "Put in a new roll and close the cover. Nothing was sold."
    lines = wrap(text, 126)
    assert " ".join(lines) == text
    assert all(text_width(line) <= 126 for line in lines)
    long = wrap("x" * 100, 126)
    assert "".join(long) == "x" * 100 and all(text_width(line) <= 126 for line in long)


def test_what_does_not_fit_is_shortened_visibly() -> None:
    assert shorten("Savanna", 100) == "Savanna"
    cut = shorten("Savanna Premium Gold 1000", 60)
    assert cut.endswith("..") and text_width(cut) <= 60
    for letter in "MWmwiIl1":
        cut = shorten(letter * 60, 60, True)
        assert cut.endswith("..") and 60 - 9 < text_width(cut, bold=True) <= 60


def test_only_pages_that_changed_are_sent() -> None:
    glass = Glass()
    lcd = Lcd(glass)
    picture = bytearray(1024)
    assert glass.pages_sent == 8 and glass.on
    assert lcd.show(picture) == 0 and glass.pages_sent == 8
    picture[3 * 128 + 5] = 1
    assert lcd.show(picture) == 1 and glass.memory == picture


def test_a_changed_signal_costs_one_page() -> None:
    glass, screen = new_screen()
    screen.page("Menu", ["1 Sell airtime"], [("#", "OK")])
    screen.status(10, "Online", 0, 80)
    before = glass.pages_sent
    screen.status(20, "Online", 0, 80)
    assert glass.pages_sent == before + 1
    screen.status(20, "Online", 0, 80)
    assert glass.pages_sent == before + 1


def test_a_real_controller_shows_the_same_picture_from_noise() -> None:
    import random

    controller = Controller(random.Random(1))
    controller.power(True)

    class Port:
        def command(self, data: bytes) -> None:
            controller.write(bytes(data), is_data=False)

        def data(self, data: bytes) -> None:
            controller.write(bytes(data), is_data=True)

    lcd = Lcd(Port())
    canvas = Canvas()
    canvas.text(3, 13, "Savanna 50", big=True)
    lcd.show(canvas.buffer)
    rows = controller.picture().rows
    for y in range(64):
        for x in range(128):
            assert rows[y][x] == canvas.buffer[(y >> 3) * 128 + x] >> (y & 7) & 1
    assert controller.unknown_commands == 0
