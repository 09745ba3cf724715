"""What befalls a fleet is on the board, in a mailbox and on a telephone within two minutes, once;
and that it is over, too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from tests.board.world import World, world
from tests.measure.counts import counted
from tests.server.shop import NOW, a_release
from updater_server.faces.dashboard import board
from updater_server.fleet import check_ins, starts, terminals
from updater_server.lookout import befallen, regions
from updater_server.store.engine import writing
from updater_server.store.tables import alarm, check_in

TWO_MINUTES_S = 120


@pytest.fixture
def here(tmp_path: Path, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(board, "FRESH_S", 0.0)  # its own clock is not the world's
    monkeypatch.setattr(board, "SHARE", 0)
    with world(tmp_path / "data", signed) as made:
        made.scene.put_on(7, "stable", NOW - 1000)
        made.scene.let_out(7, "stable", NOW - 900)
        yield made


def rollback(here: World) -> Callable[[], None]:
    device = here.enrol(1)
    device.check_in(_2=7)
    here.scene.put_on(8, "stable", NOW)
    device.check_in(_2=7, _8=[8, "self-test: no printer"])

    def over() -> None:
        device.check_in(_2=8)

    return over


def crash_loop(here: World) -> Callable[[], None]:
    device = here.enrol(1)
    for boot in range(1, starts.LIMIT + 2):
        device.check_in(_5=boot)
        here.shop.clock[0] += 20

    def over() -> None:
        here.shop.clock[0] += starts.WINDOW_S
        device.check_in(_5=starts.LIMIT + 2)

    return over


def unknown_release(here: World) -> Callable[[], None]:
    device = here.enrol(1)
    device.check_in(_2=66)

    def over() -> None:
        device.check_in(_2=7)

    return over


def unknown_image(here: World) -> Callable[[], None]:
    device = here.enrol(1)
    device.check_in(_2=7)
    wrong, right = "ab" * 32, a_release(7).entry.image.sha256

    def tell(image: str) -> None:
        with writing(here.shop.service.engine) as connection:
            owner = terminals.get(connection, device.terminal_id)
            said: dict[str, Any] = {
                "terminal_time": here.now,
                "release": 7,
                "slot": "a",
                "trial": False,
            }
            said |= {"boot_count": 1, "battery_mv": 3900, "signal": 20, "own_float_minor": 0}
            said |= {"failure_release": None, "failure_reason": None}
            report = check_ins.CheckIn(**said, journal_oldest=1, journal_next=1, image=image)
            check_ins.record_check_in(connection, owner, report, here.now)

    tell(wrong)
    return lambda: tell(right)


HAPPENS = {
    "rollback": rollback,
    "crash_loop": crash_loop,
    "unknown_release": unknown_release,
    "unknown_image": unknown_image,
}


@pytest.mark.parametrize("code", HAPPENS)
def test_it_is_on_the_board_in_a_mailbox_and_on_a_telephone_within_two_minutes_once(
    here: World, code: str
) -> None:
    here.pass_time(20)
    assert here.told(code) == ([], 0, [])
    over = HAPPENS[code](here)
    here.pass_time(TWO_MINUTES_S)
    mails, sms, hooks = here.told(code)
    assert (len(mails), sms, hooks) == (1, 1, ["firing"])
    assert code in here.board()
    here.pass_time(400)
    assert here.told(code)[1:] == (1, ["firing"]), "once, and not only for one look"
    assert code in here.board()
    over()
    here.pass_time(TWO_MINUTES_S)
    mails, sms, hooks = here.told(code)
    assert mails[1:] == [f"[duka] over: {code}"]
    assert (sms, hooks) == (2, ["firing", "resolved"])
    assert code not in here.board()


def test_a_rollback_of_many_is_one_alarm_until_the_last_of_them_is_well(here: World) -> None:
    devices = [here.enrol(n) for n in range(1, 6)]
    for device in devices:
        device.check_in(_2=7, _8=[8, "crash"])
    here.pass_time(60)
    for device in devices[:-1]:
        device.check_in(_2=8)
    here.pass_time(60)
    assert here.shop.sql("SELECT count FROM alarm WHERE code = 'rollback'") == [(5,)]
    assert here.told("rollback")[2] == ["firing"]
    devices[-1].check_in(_2=8)
    here.pass_time(60)
    assert here.told("rollback")[2] == ["firing", "resolved"]


def test_a_merchant_who_switches_it_off_and_on_some_times_is_no_crash_loop(here: World) -> None:
    device = here.enrol(1)
    for boot in range(1, 40):
        device.check_in(_5=boot)
        here.shop.clock[0] += starts.WINDOW_S // (starts.LIMIT - 1)
    here.pass_time(60)
    assert here.told("crash_loop") == ([], 0, [])


@pytest.mark.parametrize("every_s", [1, 60, 500])
def test_a_loop_is_found_however_often_its_terminal_gets_through(here: World, every_s: int) -> None:
    device = here.enrol(1)
    device.check_in(_5=1)
    boot = 1
    for _ in range(8):
        here.shop.clock[0] += every_s
        boot += max(1, every_s // 20)
        device.check_in(_5=boot)
    here.pass_time(60)
    assert len(here.told("crash_loop")[0]) == 1


# --- regions ---

BIG = {"NORTH": 150, "SOUTH": 150, "COAST": 120}
USUAL = 0.6


def test_a_region_that_falls_silent_is_told_of_by_name_within_two_minutes_and_when_it_is_back(
    here: World,
) -> None:
    drawn = random.Random(5)
    several = here.regions(BIG)
    here.live_through(several, regions.LEAST_DAYS, USUAL, drawn)

    def minutes(count: int, silent: tuple[str, ...]) -> None:
        for _ in range(count * 6):
            for code, terminals_there in several.items():
                if code not in silent:
                    here.hear(terminals_there, USUAL / 3, drawn)
            here.pass_time(10)

    minutes(4, ())
    assert here.told("silent_region") == ([], 0, [])
    minutes(2, ("SOUTH",))
    mails, sms, hooks = here.told("silent_region")
    assert (len(mails), sms, hooks) == (1, 1, ["firing"])
    assert "SOUTH: less than a fifth" in here.board()
    assert "NORTH: less" not in here.board()
    minutes(10, ("SOUTH",))
    assert here.told("silent_region")[1:] == (1, ["firing"]), "once"
    minutes(2, ())
    assert here.told("silent_region")[2] == ["firing", "resolved"]
    assert here.told("silent_everywhere") == ([], 0, [])


def test_when_nobody_is_heard_it_is_this_server_that_is_deaf(here: World) -> None:
    drawn = random.Random(6)
    several = here.regions(BIG)
    here.live_through(several, regions.LEAST_DAYS, USUAL, drawn)
    here.pass_time(TWO_MINUTES_S)
    assert len(here.told("silent_everywhere")[0]) == 1
    assert here.told("silent_region") == ([], 0, [])


def test_a_small_region_and_a_quiet_night_are_missed_by_nobody() -> None:
    expected = {"SMALL": [2.0, 5.0, 12.0, 20.0, 29.0], "NIGHT": [0.0] * 5, "BIG": [40.0] * 5}
    nobody = {name: [0] * 5 for name in expected}
    assert regions.silent(nobody, expected, [])[0] == ["BIG"]
    slower = {"SLOW": [3.0, 15.0, 90.0, 300.0, 500.0]}
    assert regions.silent({"SLOW": [0, 0, 20, 30, 400]}, slower, []) == ([], 1)
    assert regions.silent({"SLOW": [0, 0, 17, 30, 400]}, slower, []) == (["SLOW"], 1)
    assert regions.silent({"SLOW": [0, 0, 30, 30, 400]}, slower, ["SLOW"])[0] == ["SLOW"]
    assert regions.silent({"SLOW": [0, 0, 37, 30, 400]}, slower, ["SLOW"])[0] == []


def test_a_silence_does_not_become_a_habit(here: World) -> None:
    drawn = random.Random(7)
    several = here.regions({"NORTH": 150, "SOUTH": 150})
    here.live_through(several, regions.LEAST_DAYS, USUAL, drawn)
    for _ in range(12):
        here.hear(several["NORTH"], USUAL, drawn)
        here.pass_time(60)
    rows = here.shop.sql(
        "SELECT COUNT(*) FROM region_heard WHERE region = 'SOUTH' AND at >= :t", t=NOW
    )
    assert rows[0][0] <= 1


# --- a storm ---


def test_a_storm_costs_no_message_a_statement_and_people_one_message(here: World) -> None:
    device = here.enrol(1)
    for _ in range(3):
        device.check_in(_5=1)
    asked = {}
    for name in ("quiet", "looping"):
        if name == "looping":
            with writing(here.shop.service.engine) as connection:
                connection.execute(update(check_in).values(looping_since=NOW, boots_from=1))
        boot = 1 if name == "quiet" else 500
        device.check_in(_5=boot)
        with counted(here.shop.service.engine, steps=False) as counts:
            device.check_in(_5=boot)
        asked[name] = len(counts.questions)
    assert asked["looping"] == asked["quiet"]
    here.pass_time(60)
    assert len(here.told("crash_loop")[0]) == 1


def test_in_a_storm_of_rollbacks_nothing_is_told_twice_and_all_of_it_ends(here: World) -> None:
    device = here.enrol(1)
    device.check_in(_2=66, _8=[8, "crash"])
    with writing(here.shop.service.engine) as connection:
        rows = [
            {"code": "rollback", "text": f"release {n}: it was so", "first_at": NOW,
             "last_at": NOW, "count": 1}
            for n in range(9, 9 + 2 * befallen._AT_ONCE)
        ]  # fmt: skip
        connection.execute(insert(alarm), rows)
    still = "SELECT COUNT(*), MAX(count) FROM alarm WHERE closed_at IS NULL AND code = "
    here.pass_time(10)
    assert 1 < here.shop.sql(still + "'rollback'")[0][0] < 2 * befallen._AT_ONCE
    here.pass_time(30)
    assert here.shop.sql(still + "'rollback'") == [(1, 1)]
    assert here.shop.sql(still + "'unknown_release'") == [(1, 1)]


def test_a_lookout_that_begins_anew_tells_of_nothing_twice(here: World) -> None:
    unknown_release(here)
    here.pass_time(60)
    here.lookout = type(here.lookout)(here.shop.service)
    here.pass_time(600)
    assert here.told("unknown_release")[2] == ["firing"]


def test_an_alarm_that_is_raised_by_each_look_would_be_noticed(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong variant: alarms that are closed and raised anew."""
    right = befallen.change

    def anew(*arguments: object) -> befallen.Change:
        found = right(*arguments)  # type: ignore[arg-type]
        known = here.shop.sql(
            "SELECT id FROM alarm WHERE closed_at IS NULL AND code = 'unknown_release'"
        )
        return befallen.Change(found.begun, [row[0] for row in known] or found.over)

    monkeypatch.setattr(befallen, "change", anew)
    unknown_release(here)
    here.pass_time(1200)
    assert here.told("unknown_release")[2] != ["firing"]
