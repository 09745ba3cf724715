"""The panel for ssh: arrows are no sale, and the whole slip is in sight on 80 x 24."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.flash import NorFlash
from hw_sim.network.gsm import GsmNetwork
from hw_sim.panel import text
from hw_sim.printer import EscPosPrinter
from hw_sim.threaded import SimulatedBoard
from tests.hardware.conftest import UNIQUE_ID
from tests.panel.conftest import eventually

SLIP = [f"line {number}" for number in range(1, 13)]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b[A", "A"),
        ("\x1b[B", "B"),
        ("\x1bOA", "A"),
        ("\x1b[C\x1b[D", ""),
        ("\x1b[1;5A", ""),
        ("\x1b[3~", "C"),
        ("2580\r", "2580#"),
        ("\x7f", "*"),
        ("a\x1b[B5", "AB5"),
    ],
)
def test_what_a_terminal_sends_presses_these_keys(sent: str, keys: str, tmp_path: Path) -> None:
    network, printer = GsmNetwork(), EscPosPrinter()
    with SimulatedBoard(NorFlash(None), unique_id=UNIQUE_ID, printer=printer) as board:
        pressed: list[str] = []
        press = board.board.keypad.press

        def seen(key: str) -> None:
            pressed.append(key)
            press(key)

        board.board.keypad.press = seen  # type: ignore[method-assign]
        panel = text.Panel(board, network, printer)
        pieces = _in_pieces(sent)
        assert text.typed(sent) == (pieces, "")
        for key in pieces:
            panel._key(key)
        board.press("0")  # the finger presses one after the other
        eventually(lambda: "".join(pressed) == keys + "0", f"{keys}, not {pressed}")


def _in_pieces(sent: str) -> list[str]:
    """The keys of what comes byte by byte, as it may over ssh."""
    keys: list[str] = []
    rest = ""
    for piece in sent:
        found, rest = text.typed(rest + piece)
        keys += found
    assert rest == ""
    return keys


def test_an_escape_waits_for_what_may_follow_it() -> None:
    assert text.typed("5\x1b") == (["5"], "\x1b")
    assert text.typed("\x1b[3") == ([], "\x1b[3")
    assert text.typed("\x1bO") == ([], "\x1bO")
    assert text.typed("\x1b5") == (["\x1b", "5"], "")


def test_on_80_by_24_display_state_and_a_whole_slip_are_in_sight() -> None:
    display = ["#" * 64] * 16
    beside = ["power  on", "^C leave"]
    lines = text.laid_out(display, beside, ["", *SLIP], 80, 24)
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines)
    seen = "\n".join(lines)
    assert all(f"┊{each:<32}┊" in seen for each in SLIP)
    assert "^C leave" in seen
    first, last = (next(n for n, line in enumerate(lines) if each in line) for each in SLIP[::11])
    assert first < last


def test_a_short_slip_stands_in_one_column_and_a_longer_one_ends_with_its_end() -> None:
    display = ["#" * 64] * 16
    assert text.laid_out(display, [], SLIP[:2], 80, 24)[18:] == [
        f"┊{each:<32}┊" for each in SLIP[:2]
    ]
    longer = text.laid_out(display, [], [*SLIP, *SLIP, "the end"], 80, 24)
    assert "the end" in "\n".join(longer)


def test_every_line_of_a_longer_slip_can_be_turned_to() -> None:
    display, slip = ["#" * 64] * 16, [f"line {number}" for number in range(1, 30)]

    def shown(turned: int) -> set[str]:
        lines = text.laid_out(display, [], slip, 80, 24, turned)
        return {cell.strip() for line in lines for cell in line.split("┊") if "line" in cell}

    assert [len(shown(turned)) for turned in range(4)] == [12, 12, 5, 12]
    assert shown(0) | shown(1) | shown(2) == set(slip) and shown(3) == shown(0)


def test_as_keys_of_their_own_the_letters_of_an_arrow_would_be_pressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text, "typed", lambda sent: (list(sent), ""))
    keys = [text._KEYS.get(key, key.upper()) for key in text.typed("\x1b[A")[0]]
    assert keys == ["*", "[", "A"]
