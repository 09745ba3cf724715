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
from updater_server.channels.rollout import EVERYBODY, Control, RolloutError, RolloutPlan, Wave
from updater_server.verdict.records import Trial

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


def with_control(threshold: int, within: int, control: Control) -> RolloutPlan:
    """Release 7 let out so far, and a control arm behind it."""
    before = RolloutPlan({"7": Wave(SALT, 0)})
    return before.with_threshold(7, threshold, within, control)


def test_a_terminal_that_knows_no_control_takes_what_it_took_without() -> None:
    without, made = plan(300, 5), with_control(300, 5, Control(3000, 0))
    assert RolloutPlan.parse(json.loads(made.encode())) == made
    some = IDS[:3000]
    assert [takes(made.custom(), one) for one in some] == [
        takes(without.custom(), one) for one in some
    ]
    assert not any(made.is_control(7, one) for one in some if made.allows(7, one))


@pytest.mark.parametrize(
    ("reach", "control"), [((300, 0), Control(3000, 0)), ((0, 40_000), Control(1, 9_000))]
)
def test_the_arms_of_a_plan_are_those_of_its_trial(
    reach: tuple[int, int], control: Control
) -> None:
    made = with_control(*reach, control)
    trial = Trial(1, 7, SALT, reach[0], control[0], 0, (), {}, reach[1], control[1])
    for one in IDS:
        arm = "beta" if made.allows(7, one) else "control" if made.is_control(7, one) else "none"
        assert trial.arm(one) == arm
    drawn = sum(trial.arm(one) == "beta" for one in IDS), sum(made.is_control(7, o) for o in IDS)
    assert abs(drawn[0] / sum(drawn) - trial.share) < 0.03 or sum(drawn) < 20


def test_a_control_arm_ends_behind_its_wave_and_with_it() -> None:
    with pytest.raises(RolloutError, match="further than its wave"):
        with_control(300, 5, Control(300, 5))
    made = with_control(300, 0, Control(3000, 0))
    assert made.with_threshold(7, 1000).control == {}
    assert made.only([8]).control == {}
    assert made.with_halted(7, True).control == made.control
    assert not any(made.with_halted(7, True).is_control(7, one) for one in IDS[:500])
