"""A night that is cut anywhere ends with the same page; a person decides, by name; the page and the
exported day can be checked by others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import event
from typer.testing import CliRunner, Result

from tests.matching.day import Day, sold_online, topped_up
from tests.server.engines import SQLITE_ALONE
from updater_server.__main__ import cli
from updater_server.errors import ConflictError, InputError
from updater_server.matching import day_rows, export, page, runs, terminals
from updater_server.sales import vends
from updater_server.store.engine import reading

ON_BOTH_ENGINES = True


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_at(day: Day, statement: int) -> Iterator[list[int]]:
    """Whoever asks the database for the n-th time is killed; yields how often it was asked."""
    engine = day.counter.service.engine
    asked = [0]

    def ask(*_: Any) -> None:
        asked[0] += 1
        if asked[0] == statement:
            raise Killed

    event.listen(engine, "before_cursor_execute", ask)
    try:
        yield asked
    except Killed:
        pass
    finally:
        event.remove(engine, "before_cursor_execute", ask)


FORGOTTEN = [f"DELETE FROM matching_{what}" for what in ("page", "finding", "step")]
"""A look at a day begins anew, at what it was to look at."""


def a_bad_day(day: Day) -> None:
    """Something of several kinds is wrong."""
    first, second = day.file()
    day.take([{**first, "value": "KES 90.0000"}, {**second, "status": "Failed"}])
    day.retell(day.online + 1, 5, [day.online, "no_float"])


def life_goes_on(day: Day) -> None:
    """After the day, whatever else: sales, a file, a record that turns the story."""
    topped_up(day.device, "0744000000")
    sold_online(day.device)
    day.device.upload(first=len(day.device.journal) - 5)
    lines = [{**line, "value": "KES 80.0000"} for line in day.file()]
    day.take(lines, until=day.ends + 1)


def test_a_night_that_is_cut_anywhere_ends_with_the_same_page(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at each question of the first look, while life goes on."""
    monkeypatch.setattr(terminals, "STEP_ROWS", 2)
    a_bad_day(day)
    day.night()
    content, _, _ = day.page().rpartition("signed ")
    day.forge(*FORGOTTEN)
    with killed_at(day, 0) as asked:
        day.night()
    assert asked[0] > 60
    steps = range(1, asked[0], max(1, asked[0] // 12))
    for at in steps:
        day.forge(*FORGOTTEN)
        with killed_at(day, at) as asked:
            day.night()
        assert asked[0] == at
        if at == steps[len(steps) // 2]:
            life_goes_on(day)
        day.night()
        again, _, _ = day.page().rpartition("signed ")
        assert again == content, at


WRONG_BUILDS = ("looks at what is there now", "forgets where it was")


@pytest.mark.parametrize("name", WRONG_BUILDS)
def test_a_wrong_build_writes_another_page(
    day: Day, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above is for is seen by it."""
    monkeypatch.setattr(terminals, "STEP_ROWS", 2)
    a_bad_day(day)
    day.night()
    before = day.page()
    day.forge(*FORGOTTEN)
    if name == "looks at what is there now":
        cut = json.loads(day.shop.sql("SELECT cut FROM matching_run")[0][0])
        wide = {**cut, "files": 9, "journal": 999, "transactions": 999, "vends": 999, "open": {}}
        life_goes_on(day)
        monkeypatch.setattr(runs, "_read", lambda row: _with_cut(row, wide))
    else:
        with killed_at(day, 60):
            day.night()
        monkeypatch.setattr(runs._Place, "counted", lambda _self, more: more)
    day.night()
    assert day.page() != before


def _with_cut(row: Any, cut: dict[str, Any]) -> page.Run:
    return page.Run(
        row.id, row.day, row.round, row.begins_at, row.ends_at, cut, row.begun_by, row.begun_at
    )


def test_what_a_person_accepts_is_posted_once_under_the_name(day: Day) -> None:
    a_bad_day(day)
    day.night()
    before = day.shop.float_of(day.device)
    by_kind = {(row.kind, row.subject): row for row in day.open_ones()}
    assert set(by_kind) == {
        ("amount", day.at_supplier(day.tops[0])),
        ("only_ours", day.at_supplier(day.tops[1])),
        ("only_ours", day.at_terminal(day.online)),
    }
    less = by_kind["amount", day.at_supplier(day.tops[0])]
    assert day.decide(less.id) == "give_back"
    assert day.decide(less.id) == "give_back"
    assert day.shop.float_of(day.device) == before + 1000
    failed = by_kind["only_ours", day.at_supplier(day.tops[1])]
    assert day.decide(failed.id) == "give_back"
    assert day.shop.float_of(day.device) == before + 1000 + 9500
    with pytest.raises(ConflictError, match="was decided as give_back"):
        day.decide(failed.id, "note")
    assert "reconciliation_open" in day.shop.alarms()
    given_up = by_kind["only_ours", day.at_terminal(day.online)]
    assert day.decide(given_up.id, "note", "the merchant has it") == "note"
    assert day.shop.float_of(day.device) == before + 10_500
    assert "reconciliation_open" not in day.shop.alarms()
    assert day.open_ones() == []
    found = day.shop.problems()  # the journal was spoiled by this test
    assert [words for words in found if "record" not in words and "ledger" in words] == []
    noted = day.shop.sql("SELECT operator, action FROM operator_log ORDER BY id")
    assert noted[-3:] == [("asha", "reconcile give_back")] * 2 + [("asha", "reconcile note")]


def test_a_decision_needs_an_open_finding_a_reason_and_what_was_proposed(day: Day) -> None:
    a_bad_day(day)
    day.night()
    (first, *_) = day.open_ones()
    for finding, decision, reason, words in (
        (first.id, "", " ", "say why"),
        (first.id, "charge", "x", "proposes give_back"),
        (999, "", "x", "is not open"),
    ):
        with pytest.raises(InputError, match=words):
            day.decide(finding, decision, reason)


def test_a_file_that_comes_late_settles_what_was_missing(day: Day) -> None:
    day.night()
    assert [row.kind for row in day.open_ones()] == ["no_file"]
    assert day.night().round == 1  # nothing new to look at
    day.take(day.file())
    assert day.night().round == 2
    assert day.found() == {}
    assert day.open_ones() == []
    assert "reconciliation_open" not in day.shop.alarms()


def test_a_line_that_turns_up_on_the_next_day_settles_what_was_missing(day: Day) -> None:
    first, second = day.file()
    day.take([second], until=day.ends + 3600)
    day.night()
    assert [row.kind for row in day.open_ones()] == ["only_ours"]
    day.shop.clock[0] += 86_400
    day.begins, day.ends = day.ends, day.ends + 86_400
    day.take([{**first, "at": day.begins + 7200}])
    with reading(day.counter.service.engine) as connection:
        following = runs.next_day(connection, day.shop.clock[0])
    assert following is not None
    day.night(following)
    assert day.open_ones() == []


def test_an_open_sale_is_no_difference_yet(day: Day) -> None:
    day.forge(f"UPDATE vend SET state = 'unknown' WHERE sequence = {day.tops[0]}")
    day.take([])
    day.night()
    assert day.found() == {"only_ours": [day.at_supplier(day.tops[1])]}
    assert vends.UNKNOWN in day.counter.states()


def test_a_page_is_chained_to_the_one_before_it(day: Day) -> None:
    day.take(day.file())
    day.night()
    content, _, _ = day.page().rpartition("signed ")
    day.shop.clock[0] += 86_400
    with reading(day.counter.service.engine) as connection:
        following = runs.next_day(connection, day.shop.clock[0])
    assert following is not None
    run = day.night(following)
    assert run.cut["previous"] == hashlib.sha256(content.encode()).hexdigest()


def test_a_page_is_checked_with_the_public_key_alone(day: Day) -> None:
    day.take(day.file())
    day.night()
    text, public = day.page(), page.public_key(day.counter.service.key)
    assert page.verify(text, public).startswith(f"day {day.name} in Africa/Nairobi")
    for wrong, key in (
        (text.replace("matched: 4", "matched: 5"), public),
        (text, "00" * 32),
        (text, "zz"),
        ("", public),
        (text[:-3] + "0\n", public),
    ):
        with pytest.raises(InputError, match="page"):
            page.verify(wrong, key)


def test_a_day_that_is_not_over_is_not_held_against_anybody(day: Day) -> None:
    day.shop.clock[0] = day.ends + 299
    with pytest.raises(InputError, match="is not over"):
        day.night()


def test_an_exported_day_is_what_the_page_says_and_the_same_bytes_each_time(
    day: Day, tmp_path: Path
) -> None:
    day.take(day.file())
    run = day.night()
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        with reading(day.counter.service.engine) as connection:
            made.append(export.write(connection, run, folder))
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    beside = made[0].path.with_suffix(".parquet.sha256").read_text()
    assert beside == f"{made[0].sha256}  {made[0].path.name}\n"
    file = str(made[0].path)
    read = duckdb.read_parquet(file).fetchall()
    digest = hashlib.sha256()
    for row in read:
        digest.update(json.dumps(list(row), ensure_ascii=False).encode() + b"\n")
    assert f"rows {len(read)} sha256 {digest.hexdigest()}" in day.page()
    with duckdb.connect() as reader:
        reader.execute("SELECT key, value FROM parquet_kv_metadata($file)", {"file": file})
        metadata = reader.fetchall()
    assert (b"rows_sha256", digest.hexdigest().encode()) in metadata
    assert [day_rows.Row._make(row).face_minor for row in read] == [5000, 10000, 10000, 5000]


def command(day: Day, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["reconcile", *arguments, "--data", str(day.shop.folder)])


@SQLITE_ALONE
def test_the_commands_hold_a_day_and_show_it(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    a_bad_day(day)
    now = day.shop.clock[0]
    monkeypatch.setattr("updater_server.service.time.time", lambda: now)
    held = command(day, "day", day.name, "--by", "asha")
    assert held.exit_code == 1, held.output
    assert "3 to decide" in held.output
    listed = command(day, "list")
    assert "3 open" in listed.output
    first = str(day.open_ones()[0].id)
    accepted = command(day, "accept", first, "--by", "asha", "--reason", "seen")
    assert accepted.output == f"finding {first}: give back\n"
    shown = command(day, "page", day.name)
    assert shown.output == day.page()
    key = CliRunner().invoke(cli, ["reconcile", "key", "--data", str(day.shop.folder)]).output
    file = day.shop.folder / "page.txt"
    file.write_text(shown.output)
    verified = CliRunner().invoke(cli, ["reconcile", "verify", str(file), key.strip()])
    assert verified.exit_code == 0, verified.output
    exported = command(day, "export", day.name, str(day.shop.folder / "out"))
    assert "4 rows" in exported.output


@SQLITE_ALONE
def test_a_terminal_that_has_not_heard_of_a_correction_is_not_taken_for_wrong(day: Day) -> None:
    first, second = day.file()
    day.take([{**first, "value": "KES 90.0000"}, second])
    day.night()
    before = day.shop.float_of(day.device)
    (less,) = day.open_ones()
    day.decide(less.id)
    assert day.device.check_in(own_float=before)[2] == before + 1000
    assert "float_mismatch" not in day.shop.alarms()
    day.device.check_in(own_float=before + 1000)
    assert "float_mismatch" not in day.shop.alarms()
    day.device.check_in(own_float=before + 2000)  # that nobody gave it
    assert "float_mismatch" in day.shop.alarms()
