"""A world of `inv sim`: made, sold in, gone back to, and used again. All tests share one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hw_sim.panel.panel import Panel
from tests.panel.conftest import WAIT_S, Visitor, eventually, kind
from tools.play import making
from tools.play.bench import GUIDE, Play
from tools.play.eyes import read
from tools.play.making import MakingFailed
from tools.play.world import World

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
        heard = visitor(play).stream(lambda each: each["kind"] == "airsum")
        found[:] = [each for each in heard if kind(line)(each)]
        return any(wanted.items() <= each.items() for each in found)

    eventually(look, f"{line} {wanted}")
    return found


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


@pytest.fixture
def first_day(play: Play) -> Play:
    """The world as it was made."""
    do_job(play, "ready")
    return play


def test_a_sale_by_script_is_on_paper_in_the_ledger_in_the_journal_and_in_the_air(
    first_day: Play,
) -> None:
    play = first_day
    paper = len(play.world.terminals[0].parts.printer.receipts())
    play_script(play, SOLD)
    receipts = play.world.terminals[0].parts.printer.receipts()[paper:]
    assert "Savanna 50" in receipts[0].text
    assert debits(play) == [4750]
    journal = told(play, "journal", what="printed")
    assert ("intent, online", "Savanna 50, KES 50.00") in {(j["what"], j["text"]) for j in journal}
    purposes = {each["purpose"] for each in told(play, "air", purpose="sale")}
    assert {"check-in", "sale"} <= purposes
    sums = told(play, "airsum")[-1]["sums"]
    billed = play.world.terminals[0].parts.network.traffic.modelled_total_bytes
    assert abs(sum(size for size, _ in sums.values()) - billed) < 2000


def test_ready_is_the_first_day_whatever_was_done(first_day: Play) -> None:
    play = first_day
    play_script(play, SOLD)
    assert debits(play)
    assert do_job(play, "ready")
    assert debits(play) == []
    play_script(play, SOLD)
    assert debits(play) == [4750]


def test_factory_is_blank_and_a_technician_makes_it_sell(first_day: Play) -> None:
    play = first_day
    before = play.world.terminals[0].terminal_id
    do_job(play, "factory")
    flash = play.world.terminals[0].parts.board.flash
    assert flash.snapshot() == b"\xff" * flash.size_bytes
    do_job(play, "provision")
    assert play.world.terminals[0].terminal_id != before
    play_script(play, SOLD)


def test_a_float_that_is_low_refuses_and_money_paid_in_helps(first_day: Play) -> None:
    play = first_day
    do_job(play, "low")
    told(play, "journal", what="settled", text=settled(play, "30.00"))
    play_script(play, SOLD.replace('"Sold"', '"Not sold"'))
    assert debits(play) == []
    do_job(play, "deposit")
    told(play, "journal", what="settled", text=settled(play, "1 030.00"))


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
    offered = {
        each["label"]
        for each in visitor(play).stream(lambda each: each["kind"] == "airsum")
        if each["kind"] == "offer"
    }
    assert {"Publish 1.1", "Publish a bad one"} <= offered & {title for title, _ in GUIDE}


def test_one_world_is_open_once(play: Play) -> None:
    with pytest.raises(MakingFailed, match="already"):
        World(play.world.folder)


def test_a_world_is_used_again_as_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "world"
    for visit, text in enumerate((SOLD, SOLD)):
        panel = Panel(read=read)
        play = Play(panel, folder)
        try:
            assert play.world.is_new == (visit == 0)
            play.open()
            play_script(play, text)
            eventually(lambda: len(debits(play)) == visit + 1, "the debit", WAIT_S)  # noqa: B023
        finally:
            panel.close()
            play.close()
    monkeypatch.setattr("tools.play.world.fingerprint", lambda: "other code")
    world = World(folder)
    assert world.is_new
    world.close()
