"""Waves of 30, 100, 300, … in fleets up to ten million, safe for terminals that know only whole
ten-thousandths."""

from __future__ import annotations

import hashlib
import itertools
import json

import pytest

from bootloader.shared.release import ReleaseRefused
from bootloader.shared.rollout import Rollout
from updater_server.channels import waves
from updater_server.channels.rollout import EVERYBODY, RolloutPlan, Wave

IDS = [hashlib.sha256(b"wave %d" % number).digest()[:8] for number in range(20_000)]
SALT = "0f" * 8


def plan(threshold: int, within: int) -> RolloutPlan:
    """Release 7 let out so far."""
    return RolloutPlan({"7": Wave(SALT, 0)}).with_threshold(7, threshold, within)


def takes(custom: object, terminal_id: bytes) -> bool:
    """What the terminal's own reader says."""
    try:
        Rollout(json.loads(json.dumps(custom)), terminal_id).check(7)
    except ReleaseRefused:
        return False
    return True


def old(custom: dict[str, object]) -> dict[str, object]:
    """What a terminal reads that does not know the finer part."""
    return {name: value for name, value in custom.items() if name != "within"}


def test_waves_grow_threefold_up_to_the_whole_fleet() -> None:
    assert waves.sizes(1) == [1]
    assert waves.sizes(30) == [30]
    assert waves.sizes(250) == [30, 100, 250]
    assert waves.sizes(1000) == [30, 100, 300, 1000]
    most = waves.sizes(10_000_000)
    assert most[:5] == [30, 100, 300, 1000, 3000] and most[-1] == 10_000_000
    assert all(one < other <= 4 * one for one, other in itertools.pairwise(most))
    for fleet in (0, 10_000_001):
        with pytest.raises(ValueError, match="a fleet has"):
            waves.sizes(fleet)


@pytest.mark.parametrize("fleet", [1, 7, 30, 999, 30_000, 1_000_000, 10_000_000])
def test_what_is_signed_for_a_wave_is_that_share_of_the_fleet(fleet: int) -> None:
    for size in waves.sizes(fleet):
        threshold, within = waves.reach(size, fleet)
        share = (threshold + within / 429_496) / EVERYBODY
        assert abs(share * fleet - size) <= max(0.01, fleet / 2**32 * 2)
        plan(threshold, within).check()
    assert waves.reach(fleet, fleet) == (EVERYBODY, 0)
    with pytest.raises(ValueError, match="a wave of"):
        waves.reach(fleet + 1, fleet)


def test_terminal_and_server_agree_on_who_is_in_a_finer_wave() -> None:
    for threshold, within in ((0, 0), (0, 100_000), (3, 429_496), (50, 1), (9_999, 200_000)):
        made = plan(threshold, within)
        chosen = [one for one in IDS if made.allows(7, one)]
        assert chosen == [one for one in IDS if takes(made.custom(), one)]
        due = (threshold + within / 429_496) / EVERYBODY * len(IDS)
        assert abs(len(chosen) - due) < 5 * due**0.5 + 3


def test_a_wider_wave_holds_the_narrower_and_an_old_terminal_is_never_ahead() -> None:
    before: set[bytes] = set()
    for size in (30, 100, 300, 1000):
        made = plan(*waves.reach(size, len(IDS)))
        now = {one for one in IDS if takes(made.custom(), one)}
        early = {one for one in IDS if takes(old(made.custom()), one)}
        assert abs(len(now) - size) < 5 * size**0.5
        assert before <= now and early <= now
        before = now


def test_a_plan_without_a_finer_part_is_as_it_was() -> None:
    made = RolloutPlan().with_threshold(7, 500)
    assert set(made.custom()) == {"releases", "halted"}
    assert made.with_threshold(7, 10, 5).with_threshold(7, EVERYBODY, 5).within == {}
    kept = made.with_threshold(7, 0, 5).with_halted(6, True)
    assert kept.within == {"7": 5} and kept.only([6]).within == {}
    assert kept.only([6, 7]).within == {"7": 5}
    assert not kept.is_for_nobody(7) and kept.is_for_nobody(6)
    assert kept.in_words(7).startswith("for 1.16")


@pytest.mark.parametrize("spoil", [-1, 429_497, "5", None, 1.5, True])
def test_a_finer_part_that_breaks_its_bounds_lets_nobody(spoil: object) -> None:
    custom = {**plan(10_000, 0).custom(), "within": {"7": spoil}}
    assert takes({**custom, "within": {"7": 5}}, IDS[0])
    assert not takes(custom, IDS[0])
    assert not takes({**custom, "within": [7]}, IDS[0])
