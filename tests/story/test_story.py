"""The story holds, told as anyone tells it: by its own command, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.story.__main__ import go_by_the_wall, kept
from tests.story.story import Story
from tools.release.image import ROOT


@pytest.mark.slow
def test_every_step_of_the_story_holds() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.story"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, result, following = done.stdout.strip().splitlines()
    words, _, counts = result.partition(": ")
    assert words == "story"
    assert "inv sim" in following
    held, _, steps = counts.removesuffix(" steps held").partition("/")
    assert held == steps
    assert int(steps) >= 8
    assert "✗" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_world_that_is_kept_is_one_that_release_verify_takes(
    tmp_path: Path, is_kept: bool
) -> None:
    if is_kept:
        go_by_the_wall(tmp_path)
    story = Story(tmp_path, Console(quiet=True))
    story.steps = story.steps[:1]
    assert story.tell()
    (line,) = [line for line in kept(tmp_path).splitlines() if "release verify" in line]
    command = [sys.executable, *line.split()[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == is_kept, done.stdout + done.stderr
