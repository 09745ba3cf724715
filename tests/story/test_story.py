"""The story holds, told as anyone tells it: by its own command, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
