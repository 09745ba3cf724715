"""A key press is one key press: contact noise, long presses, ghosts and stuck keys."""

from __future__ import annotations

from firmware.drivers.keypad import KEYS, QUEUE_KEYS, STEADY_SCANS, Debouncer, Keypad


def bit(keys: str) -> int:
    return sum(1 << KEYS.index(key) for key in keys)


def play(*scans: str) -> str:
    """The keys reported for a recording; each scan names the keys that read pressed."""
    debouncer = Debouncer()
    return "".join(debouncer.feed(bit(scan)) or "" for scan in scans)


def steady(keys: str) -> list[str]:
    return [keys] * STEADY_SCANS


def test_every_key_is_reported_as_itself() -> None:
    for key in KEYS:
        assert play(*steady(""), *steady(key), *steady("")) == key


def test_contact_bounce_makes_one_press() -> None:
    bouncing = ["5", "", "5", "5", "", "5"]
    assert play(*steady(""), *bouncing, *steady("5"), "", "5", "", *steady("")) == "5"


def test_a_spike_shorter_than_the_debounce_time_is_no_press() -> None:
    assert play(*steady(""), *["5"] * (STEADY_SCANS - 1), *steady("")) == ""


def test_a_key_held_down_does_not_repeat() -> None:
    assert play(*["7"] * 500) == "7"


def test_the_same_key_twice_is_two_presses() -> None:
    assert play(*steady("1"), *steady(""), *steady("1"), *steady("")) == "11"


def test_a_second_key_counts_while_the_first_is_still_down() -> None:
    assert play(*steady("1"), *steady("12"), *steady("2"), *steady("")) == "12"


def test_three_corners_of_a_rectangle_do_not_type_the_fourth() -> None:
    # 1, 2 and 4 down join row 2 to column 2: key 5 reads pressed though nobody touches it
    assert play(*steady("1"), *steady("12"), *steady("1245"), *steady("12"), *steady("")) == "12"


def test_a_key_that_first_showed_among_ghosts_is_not_typed_when_the_others_go() -> None:
    assert play(*steady("12"), *steady("1245"), *steady("45"), *steady("5"), *steady("")) == ""


def test_two_keys_in_the_same_scan_are_neither() -> None:
    assert play(*steady(""), *steady("36"), *steady("")) == ""


class Matrix:
    """Contacts as wires: a pressed key joins its row to its column; columns are pulled up."""

    def __init__(self) -> None:
        self.pressed = ""
        self.row_levels = [1, 1, 1, 1]
        self.rows = [MatrixPin(self, row, True) for row in range(4)]
        self.columns = [MatrixPin(self, column, False) for column in range(4)]
        self.reads = 0


class MatrixPin:
    def __init__(self, matrix: Matrix, number: int, is_row: bool) -> None:
        self._matrix, self._number, self._is_row = matrix, number, is_row

    def value(self, level: int | None = None) -> int:
        if level is not None:
            self._matrix.row_levels[self._number] = level
            return level
        self._matrix.reads += 1
        joined = [
            KEYS.index(key) // 4
            for key in self._matrix.pressed
            if KEYS.index(key) % 4 == self._number
        ]
        return int(all(self._matrix.row_levels[row] for row in joined))


def test_the_scan_names_the_key_whose_row_and_column_meet() -> None:
    matrix = Matrix()
    keypad = Keypad(matrix.rows, matrix.columns)
    for key in KEYS:
        matrix.pressed = key
        assert keypad.scan() == bit(key)
    matrix.pressed = ""
    assert keypad.scan() == 0 and not keypad.any_down()


def test_an_idle_keypad_costs_one_look_at_each_column() -> None:
    matrix = Matrix()
    keypad = Keypad(matrix.rows, matrix.columns)
    keypad.scan()
    assert matrix.reads == 4


def test_keys_typed_faster_than_they_are_taken_wait_in_order_up_to_a_limit() -> None:
    matrix = Matrix()
    keypad = Keypad(matrix.rows, matrix.columns)
    typed = ("1234567890" * QUEUE_KEYS)[: QUEUE_KEYS + 2]
    for key in typed:
        for pressed in (key, ""):
            matrix.pressed = pressed
            for _ in range(STEADY_SCANS):
                keypad.step()
    taken = [keypad.take() for _ in typed]
    assert taken == [*typed[:QUEUE_KEYS], None, None]


def test_keys_pressed_before_a_question_do_not_answer_it() -> None:
    matrix = Matrix()
    keypad = Keypad(matrix.rows, matrix.columns)
    matrix.pressed = "#"
    for _ in range(STEADY_SCANS):
        keypad.step()
    keypad.forget()
    assert keypad.take() is None
