"""A world of `inv sim`: made, sold in, gone back to, and used again. All tests share one."""

from __future__ import annotations

import re
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hw_sim.panel.panel import Panel
from tests.panel.conftest import Visitor, eventually, kind
from tools.play import journal, making, slots
from tools.play.__main__ import STATES
from tools.play.bench import GUIDE, Play
from tools.play.making import MakingFailed
from tools.play.states import LOW_FLOAT_MINOR
from tools.play.world import Terminal, World
from tools.release.image import ROOT

pytestmark = pytest.mark.slow
SOLD = """
wait shows "Your PIN" 90s
wait shows "Online" 90s
type 2580#
wait shows "Menu" 60s
press 1
wait shows "Sell what" 60s
press 2
wait shows "Sell Savanna 50?" 60s
press #
wait shows "Sold" 90s
"""
LEFT = """
press #
wait shows "Menu" 60s
press *
wait shows "Your PIN" 60s
"""


def debits(play: Play) -> list[int]:
    """What each sale took from the float, by the ledger."""
    sql = (
        "select e.amount_minor from ledger_entry e"
        " join ledger_transaction t on t.id = e.transaction_id"
        " join account a on a.id = e.account_id"
        " where a.name like 'float:%' and e.amount_minor < 0 and t.kind in ('sale', 'stock_sale')"
    )
    with closing(sqlite3.connect(play.world.server.folder / "duka.db", timeout=30)) as database:
        return [-row[0] for row in database.execute(sql)]


def visitor(play: Play) -> Visitor:
    """Somebody at the panel."""
    return Visitor(play.panel, play.world.terminals[0].parts)


def told(play: Play, line: str, **wanted: Any) -> list[dict[str, Any]]:
    """Lines of that kind, as a page that opens now is told, once one has these values."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        play.look()
        found[:] = [each for each in snapshot(play) if kind(line)(each)]
        return any(wanted.items() <= each.items() for each in found)

    eventually(look, f"{line} {wanted}")
    return found


def snapshot(play: Play) -> list[dict[str, Any]]:
    """All that a page which opens now is told at once."""
    return told_now(play.panel)


def told_now(panel: Panel) -> list[dict[str, Any]]:
    """The same, of any panel."""
    listener = panel.feed.listen()
    panel.feed.leave(listener)
    return list(iter(lambda: listener.take(0), None))


def play_script(play: Play, text: str) -> None:
    """Play a script at the panel, to its end."""
    play.panel.feed.forget("playing", 0)
    status, said, _ = visitor(play).ask("/t/0/play", text)
    assert status == 200, said
    last = visitor(play).stream(
        lambda each: kind("playing")(each) and (each["line"] == 0 or each["failed"])
    )[-1]
    assert last["text"] == "played to its end", f"line {last['line']}: {last['text']}"


def do_job(play: Play, name: str) -> str:
    """Ask for a job; what it says when it is done."""
    play.panel.feed.forget("job", 0)
    assert visitor(play).ask(f"/t/0/job/{name}", "")[0] == 200
    done = visitor(play).stream(lambda each: kind("job")(each) and each["state"] != "running")[-1]
    assert done["state"] == "done", done["text"]
    return str(done["text"])


def test_a_sale_by_script_is_on_paper_in_the_ledger_in_the_journal_and_in_the_air(
    play: Play,
) -> None:
    before, parts = debits(play), play.world.terminals[0].parts
    paper = len(parts.printer.receipts())
    play_script(play, SOLD)
    assert "Savanna 50" in parts.printer.receipts()[paper].text
    eventually(lambda: debits(play) == [*before, 4750], "the debit")
    journal = told(play, "journal", what="printed")
    assert ("intent, online", "Savanna 50, KES 50.00") in {(j["what"], j["text"]) for j in journal}
    purposes = {each["purpose"] for each in told(play, "air", purpose="sale")}
    assert {"check-in", "sale"} <= purposes
    sums = told(play, "airsum")[-1]["sums"]
    billed = parts.network.traffic.on_air_bytes
    assert abs(sum(size for size, _ in sums.values()) - billed) < 2000
    play_script(play, LEFT)


def test_a_float_that_is_low_is_told_and_so_is_money_paid_in(play: Play) -> None:
    do_job(play, "low")
    settled(play, "30.00")
    do_job(play, "deposit")
    settled(play, "1 030.00")


def test_ready_is_the_first_day_and_factory_a_blank_board_that_a_technician_makes_sell(
    play: Play,
) -> None:
    do_job(play, "low")
    assert float_minor(play) == LOW_FLOAT_MINOR
    do_job(play, "ready")
    assert float_minor(play) == making.FLOAT_MINOR
    assert debits(play) == []
    before = play.world.terminals[0].terminal_id
    do_job(play, "factory")
    flash = play.world.terminals[0].parts.board.flash
    assert flash.snapshot() == b"\xff" * flash.size_bytes
    do_job(play, "provision")
    assert play.world.terminals[0].terminal_id != before
    (world,) = filter(kind("world"), snapshot(play))
    assert (world["making"], world["board"]) == ("", play.world.server.url), "no card stays"
    assert float_minor(play) == making.FLOAT_MINOR
    play_script(play, 'wait shows "Your PIN" 120s')
    do_job(play, "ready")


def test_a_new_version_on_trial_without_a_network_is_confirmed_when_it_comes_back(
    play: Play,
) -> None:
    board = play.world.terminals[0].parts.board
    assert "trial" in do_job(play, "trial")
    first = slots.read(board)
    assert first.on_trial and first.has_way_back
    assert visitor(play).ask("/t/0/do", "network on")[0] == 200
    eventually(lambda: not slots.read(board).on_trial, "confirmed")
    assert slots.read(board).active == first.active

    assert "the one before" in do_job(play, "spoiled")
    eventually(lambda: slots.read(board).active == 3 - first.active, "the way back")
    play_script(play, 'wait shows "Your PIN" 120s')
    do_job(play, "ready")


def test_a_spoiled_only_version_waits_for_a_technician_and_a_blank_board_has_none(
    play: Play,
) -> None:
    assert "technician" in do_job(play, "spoiled")
    play_script(play, 'wait shows "Needs repair" 60s')
    do_job(play, "factory")
    play.panel.feed.forget("job", 0)
    assert visitor(play).ask("/t/0/job/spoiled", "")[0] == 200
    done = visitor(play).stream(lambda each: kind("job")(each) and each["state"] != "running")[-1]
    assert (done["state"], "blank" in done["text"]) == ("failed", True)
    do_job(play, "ready")


def test_a_key_held_at_the_start_leads_to_recovery_and_off_and_on_out_of_it(play: Play) -> None:
    assert "technician" in do_job(play, "recovery")
    play_script(play, 'wait shows "Needs repair" 60s')
    assert visitor(play).ask("/t/0/do", "power cycle")[0] == 200
    play_script(play, 'wait shows "Your PIN" 120s')


def test_a_terminal_that_the_office_blocked_says_so(play: Play) -> None:
    do_job(play, "locked")
    asked = SOLD.partition('wait shows "Sell Savanna 50?"')[0]
    play_script(play, asked + 'wait shows "blocked" 90s')
    do_job(play, "ready")


def test_the_states_that_the_command_line_names_are_those_that_are_offered(play: Play) -> None:
    offered = {
        each["name"]
        for each in snapshot(play)
        if each["kind"] == "offer" and each["group"] == "Start from"
    }
    assert offered == {*STATES, "provision"}


def test_every_record_of_the_journal_has_a_name_for_people() -> None:
    page = (ROOT / "docs/formats/journal.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([\w ,]+) \| `\[", page, re.MULTILINE)
    assert len(rows) > 15
    assert {int(number) for number, _ in rows} == set(journal.NAMES)


def float_minor(play: Play) -> int:
    """The float on the ledger of the terminal on the bench."""
    sql = (
        "select coalesce(sum(e.amount_minor), 0) from ledger_entry e"
        " join account a on a.id = e.account_id where a.name = ?"
    )
    name = f"float:{play.world.terminals[0].terminal_id}"
    with closing(sqlite3.connect(play.world.server.folder / "duka.db", timeout=30)) as database:
        return int(database.execute(sql, [name]).fetchone()[0])


def settled(play: Play, amount: str) -> str:
    """The journal's words once the terminal knows of that float."""
    wanted = f"float {making.CURRENCY} {amount}"
    found: list[str] = []

    def look() -> bool:
        lines = told(play, "journal", what="settled")
        found[:] = [each["text"] for each in lines if each["text"].endswith(wanted)]
        return bool(found)

    eventually(look, wanted)
    return found[-1]


def test_every_line_of_the_guide_that_names_a_job_names_one_that_is_there(play: Play) -> None:
    offered = {each["label"] for each in snapshot(play) if each["kind"] == "offer"}
    assert {"Publish 1.1", "Publish a bad one"} <= offered & {title for title, _ in GUIDE}


def test_one_world_is_open_once(play: Play) -> None:
    with pytest.raises(MakingFailed, match="already"):
        World(play.world.folder)


def test_a_world_is_used_again_until_the_code_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = []
    for visit in range(2):
        world = World(tmp_path / "world")
        assert world.is_new == (visit == 0)
        world.open()
        world.wait()
        tokens.append(world.token)
        assert urllib.request.urlopen(f"{world.server.url}/health").status == 200
        world.close()
    assert tokens[0] == tokens[1]
    monkeypatch.setattr("tools.play.world.fingerprint", lambda: "other code")
    world = World(tmp_path / "world")
    assert world.is_new
    world.close()


@pytest.mark.parametrize("kept", [True, False])
def test_a_terminal_that_was_made_before_is_on_while_its_server_still_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    (tmp_path / "terminal-0").write_text("6c5f8dd6cb2f0d1a")
    if kept:
        (tmp_path / "kept" / "server").mkdir(parents=True)
    on_meanwhile: list[bool] = []
    pins: list[str] = []

    def never_answers(world: World) -> None:
        on_meanwhile.extend(_is_on(each) for each in world.terminals)
        pins.extend(each["pin"] for each in filter(kind("world"), told_now(panel)))
        raise MakingFailed("the server does not start")

    monkeypatch.setattr(World, "open", lambda world: None)
    monkeypatch.setattr(World, "wait", never_answers)
    panel = Panel()
    with (
        closing(Play(panel, tmp_path)) as visit,
        closing(panel),
        pytest.raises(MakingFailed, match="does not start"),
    ):
        visit.open()
    assert on_meanwhile == [kept]
    assert pins == ["2580"] * kept, "no card stands before a terminal that can be used"


def _is_on(terminal: Terminal) -> bool:
    return terminal.parts.board.board.powered
