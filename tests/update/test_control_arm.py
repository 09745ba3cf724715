"""The control arm of a wave: it restarts once in each, under the gates of the release, into what it
runs; and both arms are asked to tell their counters each hour.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bootloader.shared.release import ReleaseRefused
from bootloader.shared.rollout import Rollout
from firmware import counts
from tests.update.test_rollout import my_place
from tests.update.world import NOW, TERMINAL_ID, World
from updater_server.channels.newest import Newest
from updater_server.channels.rollout import Control, RolloutPlan, Wave, drawn


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish(2, let_out=False)
    wave(world, 0)
    wave(world, my_place(world), my_place(world) + 1)
    return world


def wave(world: World, threshold: int, control: int = 0, release: int = 2) -> None:
    """Let the release out so far; who is beyond it up to `control` is its control arm."""
    arm = Control(control, 0) if control else None
    world.repository.set_rollout("stable", release, threshold, world.all_signers, NOW, 0, arm)
    world.repository.publish(world.all_signers, NOW)


def halt(world: World) -> None:
    world.repository.halt("stable", 2, world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)


def looks_and_waits(world: World) -> None:
    """It finds that it is to restart, and somebody is at its keys."""
    world.facts["idle_s"] = 2
    world.run()
    assert world.says("a restart is due")


def says_it(world: World, then: Callable[[], object] = lambda: None) -> list[int]:
    """What the terminal says before it restarts; `then` happens while it does."""
    said: list[int] = []

    def on_restart(release: int) -> Awaitable[None]:
        async def answered() -> None:
            said.append(release)
            then()
            tag = Newest(world.folder / "site").tag()
            assert tag
            world.client.newest.told(tag)

        return answered()

    world.client.on_restart = on_restart
    return said


def again(world: World) -> None:
    """Start anew, and look as at any start."""
    world.reboot()
    world.run()


def test_a_control_restarts_once_and_installs_nothing(world: World) -> None:
    said = says_it(world)
    world.run()
    assert (world.resets, world.switched_to(), said) == (1, 1, [1])
    assert world.says("restarting, as control of release 2")
    assert world.site.fetched_bytes(".full") == 0
    assert world.slot_b.state == "empty"
    for _ in range(3):
        again(world)
    assert world.resets == 1
    assert world.site.requests[-1][2] == 304, "and nothing is left that it must look for"


def test_it_counts_the_start_as_wanted_once(world: World) -> None:
    world.run()
    world.reboot()
    assert world.client.record.restarted


def test_the_next_wave_restarts_it_again(world: World) -> None:
    world.run()
    wave(world, my_place(world), my_place(world) + 2)
    again(world)
    assert world.resets == 2
    again(world)
    assert world.resets == 2


@pytest.mark.parametrize(
    "facts",
    [{"open_sale": True}, {"idle_s": 2}, {"battery_mv": 3000}, {"unsynced_records": 99}],
    ids=lambda facts: next(iter(facts)),
)
def test_it_restarts_under_the_gates_of_the_release(
    world: World, facts: dict[str, int | bool]
) -> None:
    open_facts = dict(world.facts)
    looks_and_waits(world)
    world.facts.update(open_facts | facts)
    world.time_s += 1
    assert world.run() == 5
    assert world.resets == 0
    assert world.client.waits is None, "no release waits here"
    world.facts.update(open_facts)
    world.run()
    assert world.resets == 1


def test_a_sale_that_outlasts_the_next_look_holds_that_up_and_no_release(world: World) -> None:
    looks_and_waits(world)
    world.facts.update(open_sale=True, idle_s=99)
    world.time_s += 900
    assert world.run() == 5
    assert (world.resets, world.client.waits) == (0, [0, "gate_sale"])
    world.facts["open_sale"] = False
    world.run()
    assert (world.resets, world.client.waits) == (1, None)


def test_a_sale_that_begins_before_it_asks_for_the_last_time_goes_first(world: World) -> None:
    looks_and_waits(world)
    world.facts["idle_s"] = 99
    said = says_it(world)
    steps = [False, True]
    world.client._gate_facts = lambda: world.facts | {"open_sale": bool(steps and steps.pop(0))}
    assert world.run() == 5
    assert (world.resets, said, world.client.waits) == (0, [], [0, "gate_sale"])
    world.run()
    assert (world.resets, said) == (1, [1])


def test_a_sale_that_begins_while_it_says_so_goes_first(world: World) -> None:
    said = says_it(world, lambda: world.facts.update(open_sale=True))
    world.run()
    assert (world.resets, said) == (0, [1])
    world.facts["open_sale"] = False
    says_it(world)
    world.run()
    assert world.resets == 1


def test_a_halt_keeps_it_from_restarting(world: World) -> None:
    looks_and_waits(world)
    halt(world)
    world.facts["idle_s"] = 99
    world.run()
    assert world.resets == 0
    assert world.says("passed over: 2 is halted")


@pytest.mark.parametrize("threshold", [0, 1], ids=["control", "beta"])
def test_a_halt_that_comes_with_the_last_answer_is_heeded(world: World, threshold: int) -> None:
    if threshold:
        wave(world, my_place(world) + 1)
    said = says_it(world, lambda: halt(world))
    world.run()
    assert (world.resets, len(said)) == (0, 1)
    world.run()
    assert (world.resets, world.switched_to(), len(said)) == (0, 1, 1)


def test_a_release_on_trial_is_nobodys_control(world: World) -> None:
    world.trial = True
    again(world)
    assert world.resets == 0


def test_a_control_that_is_let_out_installs_the_release(world: World) -> None:
    looks_and_waits(world)
    wave(world, 10_000)
    world.facts["idle_s"] = 99
    said = says_it(world)
    world.run()
    world.run()
    assert world.switched_to() == 2
    assert said == [2]


def test_a_disk_that_keeps_nothing_gets_no_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would restart again and again."""
    monkeypatch.setattr(type(world.client.record), "save", lambda self: False)
    world.run()
    assert world.resets == 0
    assert world.says("no restart as a control")
    world.run()
    assert world.resets == 0


@pytest.mark.parametrize(
    "reach", [[10_001, 0], [5, 429_497], [5], "5", [True, 0]], ids=lambda reach: str(reach)
)
def test_a_plan_with_a_wrong_control_arm_is_refused(reach: object) -> None:
    with pytest.raises(ReleaseRefused, match="rollout plan"):
        Rollout({"releases": {}, "halted": [], "control": {"2": reach}}, TERMINAL_ID)


def test_the_terminal_finds_the_arm_that_the_server_means() -> None:
    chance = random.Random(5)
    arms = set()
    for _ in range(300):
        one = chance.randbytes(8)
        salt = chance.randbytes(8).hex()
        at = drawn(salt, one)[0]
        threshold = min(chance.choice([at, chance.randrange(5_000)]), 4_999)
        plan = RolloutPlan({"2": Wave(salt, 0)})
        plan = plan.with_threshold(2, threshold, 200_000, Control(5_000, 99))
        if chance.random() < 0.2:
            plan = plan.with_halted(2, True)
        here = Rollout(json.loads(plan.encode()), one)
        try:
            here.check(2)
            is_beta, is_control = True, False
        except ReleaseRefused:
            is_beta, is_control = False, bool(here.control_of(2))
        assert is_beta == plan.allows(2, one)
        assert is_control == plan.is_control(2, one)
        is_in_an_arm = is_beta or is_control
        assert here.is_watched(1) == here.is_watched(2) == is_in_an_arm
        assert not here.is_watched(3), "what runs is past this wave"
        arms.add((is_beta, is_control))
    assert len(arms) == 3


def test_both_arms_are_asked_for_hourly_windows_and_keep_that_over_a_start(world: World) -> None:
    world.run()
    assert counts.is_hourly
    world.reboot()
    assert world.client.record.is_hourly
    wave(world, 10_000)
    again(world)
    assert not counts.is_hourly, "everybody has it: nobody is compared"
