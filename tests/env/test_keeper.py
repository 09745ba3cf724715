"""What is started in a folder goes with whoever started it, whatever the end is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.env import keeper
from tests.env.parts import ROOT

# A parent that has a keeper, a child in a session of its own, and a grandchild. Whoever starts the
# tests in the background of a script has them ignore SIGINT.
_PARENT = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.env.keeper import Keeper
from tests.env.parts import Part
folder = pathlib.Path(sys.argv[1])
keeper = Keeper(folder)
part = Part("one", folder / "one", ["sh", "-c", "trap '' TERM; sleep 600 & sleep 600"])
part.start()
print("started", flush=True)
sys.stdin.readline()
{then}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "whole"
    made.mkdir()
    yield made
    keeper.sweep(made)


def parent(folder: Path, then: str) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        [sys.executable, "-c", _PARENT.format(then=then), str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdin and started.stdout
    assert started.stdout.readline() == b"started\n"
    deadline = time.monotonic() + 20
    while len(keeper.at_work_in(folder)) < 3:
        assert time.monotonic() < deadline, keeper.at_work_in(folder)
        time.sleep(0.02)
    started.stdin.write(b"seen\n")
    started.stdin.flush()
    return started


def gone(folder: Path) -> bool:
    deadline = time.monotonic() + 20
    while (keeper.at_work_in(folder) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not keeper.at_work_in(folder) and not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_parent_that_is_killed_leaves_nothing(folder: Path, number: int) -> None:
    started = parent(folder, "time.sleep(600)")
    os.kill(started.pid, number)
    started.wait(120)
    assert gone(folder)


def test_a_parent_that_ends_by_itself_leaves_nothing(folder: Path) -> None:
    assert parent(folder, "keeper.end()").wait(30) == 0
    assert gone(folder)


def test_without_a_keeper_something_would_be_left(folder: Path) -> None:
    careless = parent(folder, "keeper._process.kill(); time.sleep(600)")
    time.sleep(0.1)
    careless.kill()
    careless.wait(120)
    time.sleep(0.5)
    assert len(keeper.at_work_in(folder)) == 3


def test_only_what_works_in_the_folder_is_ended(folder: Path, tmp_path: Path) -> None:
    beside = subprocess.Popen(["sleep", "600"], cwd=tmp_path)
    try:
        keeper.sweep(folder)
        assert beside.poll() is None
    finally:
        beside.kill()
        beside.wait()
