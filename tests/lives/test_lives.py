"""A short life is lived and judged, and the judge is not asleep."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lives import judge
from tests.lives.__main__ import differences, live, make_town
from tests.lives.habits import Deed, day
from tests.lives.life import Record
from tests.lives.wrong_builds import WRONG_BUILDS, WrongBuild
from tests.support.merchant import FLOAT_MINOR
from tests.support.nursery import ROOT
from tests.terminal.conftest import MakeWorld, make_world, manner, shop, states

__all__ = ["make_world", "manner", "shop", "states"]


def test_a_day_is_the_same_each_time_it_is_drawn_and_another_for_others() -> None:
    assert day(1, 0, 0) == day(1, 0, 0)
    assert len({tuple(day(seed, one, 0)) for seed in (1, 2) for one in (0, 1)}) == 4
    deeds = {
        event.deed for one in range(40) for number in range(7) for event in day(1, one, number)
    }
    assert deeds == set(Deed)


@pytest.mark.parametrize("wrong", WRONG_BUILDS, ids=lambda wrong: wrong.name)
def test_every_wrong_build_fits_the_code(wrong: WrongBuild) -> None:
    for path, old, new in wrong.edits:
        assert (ROOT / path).read_text().count(old) == 1, f"{path} has not {old!r} once"
        assert old != new


@pytest.mark.slow
def test_a_day_of_a_shop_breaks_no_promise(tmp_path: Path) -> None:
    said: list[str] = []
    make_town(tmp_path / "factory")
    record = live(tmp_path, 1, 1, 0, True, said.append)
    assert record.broken == []
    assert record.days == len(said) == 1
    assert record.outcomes["sold"] >= 1
    assert record.bytes_by_purpose["check-in"] > 0


def test_a_float_that_is_off_by_a_cent_is_a_broken_promise(shop: MakeWorld) -> None:
    world = shop("calm")
    world.wait_online()
    assert judge.money(world, FLOAT_MINOR) == []
    assert any("float" in text for text in judge.money(world, FLOAT_MINOR + 1))


def test_a_deposit_that_no_check_in_could_tell_of_yet_is_none_and_another_sum_is(
    shop: MakeWorld,
) -> None:
    world = shop("calm")
    world.wait_online()
    world.deposit(5_000)
    said = "terminal and ledger have different floats"
    assert judge.money(world, FLOAT_MINOR + 5_000, 5_000) == []
    assert judge.money(world, FLOAT_MINOR + 5_000) == [said]
    assert judge.money(world, FLOAT_MINOR + 5_000, 4_999) == [said]


def test_a_release_that_should_run_and_does_not_is_a_broken_promise(shop: MakeWorld) -> None:
    world = shop("calm")
    world.wait_online()
    assert judge.trust(world, 1, []) == []
    assert "not 2" in judge.trust(world, 2, [])[0]
    assert judge.trust(world, 1, [3]) == ["nobody was told that release 3 failed"]


def test_a_customer_who_goes_without_for_no_reason_is_a_broken_promise() -> None:
    calm_s, enough_minor = 3600, 90_000
    assert judge.service("refused", calm_s, enough_minor)
    assert judge.service("no answer", calm_s, enough_minor)
    assert judge.service("from stock", calm_s, enough_minor) == []
    assert judge.service("refused", 60, enough_minor) == [], "the network may not be back yet"
    assert judge.service("refused", calm_s, 5_000) == [], "the float is at its end"


def test_a_server_that_is_away_is_asked_now_and_then_and_not_all_day() -> None:
    lost = judge.InVain(since_s=3600, on_air_bytes=5_000, deeds=5)
    assert judge.in_vain(lost, 3600 + 11 * 3600, 5_000 + 19_000) == []
    assert judge.in_vain(lost, 3600 + 11 * 3600, 5_000 + 90_000) == ["90000 bytes in vain in 11 h"]


def test_a_midnight_that_differs_on_micropython_is_told_with_its_day() -> None:
    bulk, sample = Record(4, midnights=["a", "b", "c"]), Record(4, midnights=["a", "b"])
    assert differences([bulk], [sample]) == []
    sample.midnights[1] = "x"
    assert "on day 1 it came to x" in differences([bulk], [sample])[0]
    died = Record(4)
    assert differences([bulk], [died]), "a life that saw no midnight has nothing to compare"
