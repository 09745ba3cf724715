"""The short form of `inv bench wall`: a look at the board costs the same whatever the fleet, asks a
bounded number of questions, and fits its bytes. Counted, not timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.scene import Scene, begin, settle, two_weeks
from tests.measure.counts import Counts, counted
from tests.measure.wall import BYTES_BAR
from updater_server.faces import dashboard
from updater_server.faces.dashboard.board import LiveBoard
from updater_server.lookout.worker import Lookout

SMALL, LARGE = 600, 6_000
QUESTIONS = 5


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, signed: Path) -> Iterator[tuple[Scene, Scene]]:
    folder = tmp_path_factory.mktemp("fleets")
    made = []
    for size in (SMALL, LARGE):
        scene = begin(folder / str(size), signed)
        two_weeks(scene, size, wave=30)
        settle(scene, size)
        Lookout(scene.shop.service).look()
        made.append(scene)
    yield made[0], made[1]
    for scene in made:
        scene.shop.service.engine.dispose()


def looked(scene: Scene) -> tuple[Counts, str]:
    live = LiveBoard(scene.shop.service)
    live.inside()
    live.forget()
    with counted(scene.shop.service.engine) as counts:
        html, _ = live.inside()
    return counts, html


def test_a_look_costs_the_same_whatever_the_fleet(scenes: tuple[Scene, Scene]) -> None:
    (small, _), (large, _) = looked(scenes[0]), looked(scenes[1])
    assert len(small.questions) == len(large.questions) <= QUESTIONS
    assert large.steps <= 1.2 * small.steps + 100


def test_the_whole_page_fits_its_bytes(scenes: tuple[Scene, Scene]) -> None:
    page = LiveBoard(scenes[1].shop.service).page("somebody", True)
    assert len(page.encode()) <= BYTES_BAR / 2


def test_who_looks_at_the_same_time_costs_one_look(scenes: tuple[Scene, Scene]) -> None:
    clock = [0.0]
    live = LiveBoard(scenes[0].shop.service, lambda: clock[0])
    live.inside()
    with counted(scenes[0].shop.service.engine, steps=False) as counts:
        for _ in range(50):
            live.inside()
            clock[0] += 0.01
        assert counts.questions == []
        clock[0] += 60
        live.inside()
        assert counts.questions


def test_a_page_that_counts_the_fleet_itself_would_be_noticed(scenes: tuple[Scene, Scene]) -> None:
    steps = []
    for scene in scenes:
        with counted(scene.shop.service.engine) as counts:
            dashboard.page(scene.shop.service)
        steps.append(counts.steps)
    assert steps[1] > 3 * steps[0]
