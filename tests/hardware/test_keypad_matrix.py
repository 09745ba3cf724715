"""The keypad is copper: contacts bounce, keys join lines, three corners ghost a fourth."""

from __future__ import annotations

import itertools
import random

import pytest

from hw_sim.description import REFERENCE
from hw_sim.gpio import GpioBank, Mode, Pull
from hw_sim.keypad import BOUNCE_MAX_S, Keypad

ROWS, COLUMNS = REFERENCE.keypad_row_pins, REFERENCE.keypad_column_pins


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def wired(
    seed: int = 1, *, bounce: bool = False, pull: Pull = Pull.UP
) -> tuple[GpioBank, Keypad, Clock]:
    gpio, clock = GpioBank(), Clock()
    keypad = Keypad(
        gpio,
        row_pins=ROWS,
        column_pins=COLUMNS,
        layout=REFERENCE.keypad_layout,
        rng=random.Random(seed),
        clock=clock,
        bounce=bounce,
    )
    for pin in ROWS:
        gpio.configure(pin, Mode.IN, Pull.NONE, 0)
    for pin in COLUMNS:
        gpio.configure(pin, Mode.IN, pull, None)
    return gpio, keypad, clock


def scan(gpio: GpioBank) -> set[str]:
    """A driver that lets go of the rows it does not scan."""
    found = set()
    for row, keys in zip(ROWS, REFERENCE.keypad_layout, strict=True):
        gpio.configure(row, Mode.OUT, Pull.NONE, 0)
        found |= {key for key, pin in zip(keys, COLUMNS, strict=True) if not gpio.read(pin)}
        gpio.configure(row, Mode.IN, Pull.NONE, None)
    return found


@pytest.mark.parametrize("key", sorted("".join(REFERENCE.keypad_layout)))
def test_each_key_joins_its_row_to_its_column(key: str) -> None:
    gpio, keypad, _ = wired()
    assert scan(gpio) == set()
    keypad.press(key)
    assert scan(gpio) == {key}
    keypad.release(key)
    assert scan(gpio) == set()


def test_two_keys_read_as_two_and_three_corners_ghost_the_fourth() -> None:
    gpio, keypad, _ = wired()
    keypad.press("1")
    keypad.press("2")
    assert scan(gpio) == {"1", "2"}
    keypad.press("4")
    assert scan(gpio) == {"1", "2", "4", "5"}


def test_push_pull_rows_fight_when_two_keys_share_a_column() -> None:
    gpio, keypad, _ = wired()
    for pin in ROWS:
        gpio.configure(pin, Mode.OUT, Pull.NONE, 1)
    gpio.write(ROWS[0], False)
    keypad.press("1")
    assert gpio.read(COLUMNS[0]) is False
    assert keypad.shorts == 0
    keypad.press("4")
    gpio.read(COLUMNS[0])
    assert keypad.shorts == 1


def test_a_row_driven_high_lifts_a_column_that_is_pulled_down() -> None:
    gpio, keypad, _ = wired(pull=Pull.DOWN)
    gpio.configure(ROWS[0], Mode.OUT, Pull.NONE, 1)
    assert gpio.read(COLUMNS[0]) is False
    keypad.press("1")
    assert gpio.read(COLUMNS[0]) is True


def test_columns_without_pull_ups_read_noise() -> None:
    gpio, _, _ = wired(pull=Pull.NONE)
    assert {gpio.read(COLUMNS[0]) for _ in range(64)} == {True, False}


def chatter(seed: int) -> list[bool]:
    gpio, keypad, clock = wired(seed, bounce=True)
    gpio.configure(ROWS[0], Mode.OUT, Pull.NONE, 0)
    levels = []
    for press in (True, False) * 5:
        (keypad.press if press else keypad.release)("1")
        for _ in range(80):
            clock.now_s += 0.0001
            levels.append(gpio.read(COLUMNS[0]))
        assert levels[-1] is not press, "settles where the finger is"
    return levels


def test_contacts_bounce_before_they_settle_and_a_seed_repeats_it() -> None:
    levels = chatter(5)
    edges = sum(a != b for a, b in itertools.pairwise(levels))
    assert edges > 10, "ten clean moves have ten edges"
    assert levels == chatter(5)
    assert levels != chatter(6)
    assert BOUNCE_MAX_S < 0.008, "the loop above watched all of it"


def test_a_key_that_is_not_there_is_refused() -> None:
    _, keypad, _ = wired()
    for act in (keypad.press, keypad.release, keypad.scans_since_change):
        with pytest.raises(ValueError, match="no key 'E'"):
            act("E")


def test_pressing_a_pressed_key_changes_nothing() -> None:
    gpio, keypad, _ = wired()
    keypad.press("9")
    keypad.press("9")
    assert keypad.pressed == {"9"}
    keypad.release("9")
    assert scan(gpio) == set()


def test_scans_are_counted_from_the_last_change() -> None:
    gpio, keypad, clock = wired()
    keypad.press("1")
    assert keypad.scans_since_change("1") == (0, 0.0)
    scan(gpio)
    clock.now_s += 0.5
    scan(gpio)
    assert keypad.scans_since_change("1") == (2, 0.5)
    keypad.release("1")
    assert keypad.scans_since_change("1") == (0, 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_each_press_interrupts_however_the_contact_chattered_before(seed: int) -> None:
    gpio, keypad, clock = wired(seed, bounce=True)
    for row in ROWS:
        gpio.configure(row, Mode.OPEN_DRAIN, Pull.NONE, 0)
    rang: list[int] = []
    gpio.interrupt = rang.append
    gpio.listen(COLUMNS[0], 4)
    for _ in range(10):
        keypad.press("1")
        assert rang, "a key was pressed"
        clock.now_s += 0.1
        keypad.release("1")
        for _ in range(1 + seed):
            clock.now_s += 0.0005
            gpio.look()  # a row was driven in the middle of it
        clock.now_s += 0.1
        rang.clear()


def test_the_edge_detector_is_not_taken_for_a_program_that_scans() -> None:
    gpio, keypad, clock = wired()
    gpio.configure(ROWS[0], Mode.OPEN_DRAIN, Pull.NONE, 0)
    gpio.listen(COLUMNS[0], 4)
    keypad.press("1")
    for level in (True, False) * 3:
        clock.now_s += 0.01
        gpio.write(ROWS[0], level)
    assert keypad.scans_since_change("1") == (0, 0.0)
    gpio.read(COLUMNS[0])
    assert keypad.scans_since_change("1")[0] == 1
