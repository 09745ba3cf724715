"""The brake, the pace and flags between the last release and today: terminals of before at channels
that have them, and terminals of today at channels that have none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.neighbours.test_neighbours import HERE, trees
from tests.update.world import NOW, World
from updater_server.channels import Pace
from updater_server.channels.rollout import RolloutPlan

pytestmark = pytest.mark.slow
__all__ = ["trees"]


def side(tree: Path, *arguments: object) -> Any:
    """What came of it: the release that is switched to, and the log."""
    script = [sys.executable, str(HERE / "update_side.py"), str(tree), *map(str, arguments)]
    done = subprocess.run(script, cwd=tree, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("halted_by", "takes"),
    [
        pytest.param((), 2, id="a brake that halts nothing, and a pace"),
        pytest.param(("plan", "brake"), 1, id="halted by plan and brake"),
        # it cannot know: so the automaton lets a plan halt, too
        pytest.param(("brake",), 2, id="halted by the brake alone"),
    ],
)
def test_a_terminal_of_before_obeys_the_plan_and_passes_over_the_rest(
    trees: dict[str, Path], tmp_path: Path, halted_by: tuple[str, ...], takes: int
) -> None:
    (tmp_path / "now").mkdir()
    world = World(tmp_path / "now")
    world.publish(2, let_out=False, pace=Pace(1_000_000, 1, 3, 24, 0, 1_000_000))
    world.let_go(2)
    if "plan" in halted_by:
        world.repository.halt("stable", 2, world.all_signers, NOW)
    if "brake" in halted_by:
        world.repository.hold("stable", 2, world.all_signers, NOW)
    world.repository.set_flag("stable", "hourly", 10_000, (), "", world.all_signers, NOW)
    world.repository.brake_flag("stable", "hourly", True, "", world.all_signers, NOW)
    world.repository.publish(world.all_signers, NOW)
    found, logged = side(trees["before"], "take", tmp_path / "before", tmp_path / "now" / "site")
    assert found == takes, logged
    assert not [line for line in logged if "refused" in line or "malformed" in line]


def test_a_terminal_of_today_updates_from_channels_of_before(
    trees: dict[str, Path], tmp_path: Path
) -> None:
    side(trees["before"], "make", tmp_path / "before")
    site = tmp_path / "before" / "site"
    found, logged = side(trees["now"], "take", tmp_path / "now", site)
    if not list((site / "metadata").glob("*.brake-stable.json")):
        assert not [line for line in logged if "brake" in line]
    assert found == 2, logged


def test_a_server_of_before_leaves_flags_out_of_the_plans_that_it_signs(
    trees: dict[str, Path],
) -> None:
    """So they are off, and nothing else is lost."""
    plan = RolloutPlan().with_threshold(7, 300)
    script = """
import json, sys
from updater_server.channels.rollout import RolloutPlan
print(json.dumps(RolloutPlan.parse(json.load(sys.stdin)).with_halted(7, True).custom()))
"""
    turned = plan.with_flag("hourly", 300, ["0a" * 8]).encode()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=trees["before"], input=turned, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert RolloutPlan.parse(json.loads(done.stdout)) == plan.with_halted(7, True)
