"""What a person does at the panel happens to the board, is told to every page, and is recorded."""

from __future__ import annotations

import base64
import io
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from hw_sim import script
from hw_sim.panel.feed import _BEHIND_LIMIT, Feed
from hw_sim.panel.panel import Job
from tests.panel.conftest import WAIT_S, MakePanel, eventually, kind

PRINTING = """
from machine import UART
uart = UART(1, baudrate=9600)
uart.write(b"Receipt 42\\n\\x1bd\\x04Receipt 43\\n")
print("ready")
"""


def test_a_key_is_down_while_the_finger_is(make_panel: MakePanel) -> None:
    visitor = make_panel()
    keypad = visitor.parts.board.board.keypad
    assert visitor.key("5", down=True) == 200
    eventually(lambda: keypad.pressed == {"5"}, "the key")
    visitor.stream(kind("state", keys="5"))
    time.sleep(0.5)
    assert keypad.pressed == {"5"}
    visitor.key("5", down=False)
    eventually(lambda: not keypad.pressed, "the key let go")
    first, second = visitor.panel.benches[0].session.splitlines()
    assert first == "# A shop: recorded by hand"
    assert second.startswith("press 5 hold ")


def test_keys_typed_quickly_are_pressed_in_their_order(make_panel: MakePanel) -> None:
    visitor = make_panel()
    seen: list[str] = []
    keypad = visitor.parts.board.board.keypad
    press = keypad.press

    def pressed(key: str) -> None:
        seen.append(key)
        press(key)

    keypad.press = pressed  # type: ignore[method-assign]
    for key in "2580#":
        visitor.key(key, down=True)
        visitor.key(key, down=False)
    eventually(lambda: len(seen) == 5 and not keypad.pressed, "five keys")
    assert seen == list("2580#")
    assert visitor.panel.benches[0].session.splitlines()[1:] == [f"press {key}" for key in seen]


@pytest.mark.parametrize("body", ["", "[]", '{"key": "Z", "down": true}', '{"key": 5}', "{"])
def test_no_other_keys_are_there(make_panel: MakePanel, body: str) -> None:
    visitor = make_panel()
    assert visitor.ask("/t/0/key", body)[0] == 400
    assert not visitor.parts.board.board.keypad.pressed


def test_a_step_is_done_told_and_recorded(make_panel: MakePanel) -> None:
    visitor = make_panel()
    for step in ("network off", "battery 3500", "charger on", "cover open", "sim out"):
        assert visitor.do(step) == (200, "done")
    told = visitor.stream(kind("state", coverage=False, mv=3500, charging=True, cover=False))
    assert told[0]["kind"] == "hello"
    visitor.stream(kind("recorded", text="sim out"))
    session = visitor.ask("/t/0/session.txt")[1].decode()
    assert script.parse(session)[0].text == "network off"
    visitor.ask("/t/0/forget", "")
    assert script.parse(visitor.ask("/t/0/session.txt")[1].decode()) == []


def test_a_step_that_cannot_be_is_refused_in_words(make_panel: MakePanel) -> None:
    visitor = make_panel()
    status, text = visitor.do("battery much")
    assert status == 400
    assert "battery much" in text
    assert "recorded" not in {told["kind"] for told in visitor.stream(kind("state"))}


def test_no_step_writes_a_file_of_this_computer(make_panel: MakePanel, tmp_path: Path) -> None:
    visitor = make_panel()
    path = tmp_path / "screen.png"
    assert visitor.do(f"lcd {path}")[0] == 400
    assert visitor.ask("/t/0/play", f"charger on\nlcd {path}")[0] == 400
    assert visitor.do("lcd")[0] == 200
    assert not path.exists()
    assert not visitor.parts.board.board.battery.charging


def test_a_recorded_session_is_played_again(make_panel: MakePanel) -> None:
    visitor = make_panel(read_as=lambda picture: "status\nTitle\nmore")
    visitor.do("network off")
    time.sleep(0.4)
    visitor.do("charger on")
    session = visitor.ask("/t/0/session.txt")[1].decode()
    assert 'wait shows "Title" 60s' in session
    board, network = visitor.parts.board, visitor.parts.network
    board.battery.set_charging(False)
    board.call(network.set_coverage, True)
    assert visitor.ask("/t/0/play", session)[0] == 200
    visitor.stream(kind("playing", text="played to its end"))
    assert not network.coverage
    assert board.board.battery.charging


def test_a_script_that_fails_says_where_and_stops(make_panel: MakePanel) -> None:
    visitor = make_panel()
    visitor.ask("/t/0/play", "charger on\nwait printed never 100ms\ncharger off")
    failed = visitor.stream(kind("playing", failed=True))[-1]
    assert failed["line"] == 2
    assert "never" in failed["text"]
    assert visitor.parts.board.board.battery.charging


@pytest.mark.parametrize("step", ['wait shows "never" 60s', "press 1 hold 60s"])
def test_a_panel_that_is_closed_under_a_script_ends_it_without_a_word_of_python(
    make_panel: MakePanel, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    visitor = make_panel()
    visitor.ask("/t/0/play", step + "\ncharger on")
    visitor.stream(kind("playing", line=1))
    [thread] = [each for each in threading.enumerate() if each.name == "script"]
    visitor.panel.close()
    visitor.parts.board.close()
    thread.join(WAIT_S)
    assert (thread.is_alive(), died) == (False, [])


def test_a_script_is_stopped_after_the_step_that_it_is_at(make_panel: MakePanel) -> None:
    visitor = make_panel()
    visitor.ask("/t/0/play", "wait 500ms\nwait 500ms\ncharger on")
    visitor.stream(kind("playing", line=1))
    assert visitor.ask("/t/0/play", "charger on")[0] == 400
    visitor.ask("/t/0/stop", "")
    visitor.stream(kind("playing", text="stopped"))
    assert not visitor.parts.board.board.battery.charging


def test_paper_comes_strip_by_strip_and_is_a_picture_once_torn(make_panel: MakePanel) -> None:
    visitor = make_panel(PRINTING)
    visitor.do("power on")
    visitor.stream(kind("receipts", all=2))
    told = visitor.stream(kind("receipts", torn=1, all=2))
    strips = {each["of"]: each for each in told if each["kind"] == "strip"}
    texts = [(each["text"], each["receipt"]) for each in strips.values() if each["text"]]
    assert texts == [("Receipt 42", 0), ("Receipt 43", 1)]
    picture = Image.open(io.BytesIO(base64.b64decode(next(iter(strips.values()))["picture"])))
    assert picture.width == 384
    assert 0 < picture.height == next(iter(strips.values()))["dots"]
    status, content, headers = visitor.ask("/t/0/receipt/0.png")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(content)).height > picture.height
    assert visitor.ask("/t/0/receipt/2.png")[0] == 404


def test_a_page_that_comes_late_is_told_what_is_so_now(make_panel: MakePanel) -> None:
    visitor = make_panel(PRINTING)
    visitor.do("power on")
    visitor.stream(kind("receipts", all=2))
    told = visitor.stream(kind("receipts", all=2))
    assert [each["kind"] for each in told].count("state") == 1
    assert "ready" in visitor.stream(lambda each: "ready" in each.get("text", ""))[-1]["text"]


def test_a_job_is_done_one_at_a_time_and_told_of(make_panel: MakePanel) -> None:
    visitor = make_panel()
    waiting: list[int] = []

    def slow(at: int) -> str:
        waiting.append(at)
        eventually(lambda: not waiting, "the word to go on")
        return "it was done"

    def failing(at: int) -> str:
        raise OSError(f"terminal {at} has no such thing")

    visitor.panel.offer(
        [Job("slow", "Office", "Slow", "", slow), Job("bad", "Office", "Bad", "", failing)]
    )
    visitor.stream(kind("offer", name="bad", group="Office"))
    assert visitor.ask("/t/0/job/slow", "")[0] == 200
    visitor.stream(kind("job", name="slow", state="running"))
    assert visitor.ask("/t/0/job/bad", "")[0] == 409
    waiting.clear()
    assert visitor.stream(kind("job", state="done"))[-1]["text"] == "it was done"
    eventually(lambda: visitor.ask("/t/0/job/bad", "")[0] == 200, "its turn")
    assert visitor.stream(kind("job", state="failed"))[-1]["text"] == "terminal 0 has no such thing"
    assert visitor.ask("/t/0/job/none", "")[0] == 404


def test_who_does_not_listen_holds_nobody_up() -> None:
    feed = Feed()
    asleep, awake = feed.listen(), feed.listen()
    for number in range(_BEHIND_LIMIT + 10):
        feed.value("meter", 0, n=number)
        assert awake.take(1) is not None
    assert asleep.gone
    assert not awake.gone
