"""Every message kind, record of the journal, file and plan between the last release and server and
those of today, both ways, by the real code of both: the one of before comes out of the history.

A cell is (what, who writes or asks, who reads or answers). What is new in the product and in no
cell fails here; so does what the last release cannot live with.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firmware.sales import state
from tests.house.tree import ROOT
from tools.release.image import unpack
from updater_server.channels.rollout import RolloutPlan
from updater_server.wire import keys
from updater_server.wire.journal_record import RecordKind

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
BEFORE = (HERE / "BEFORE").read_text().strip()
"""The commit of the last release and the last server: whoever releases writes it anew."""
PAIRS = [("before", "now"), ("now", "before")]
"""(whose terminal, whose server)."""
MESSAGES = {
    value for name, value in vars(keys.Kind).items() if name.isupper() and isinstance(value, int)
} - {keys.Kind.ERROR}
RECORDS = {int(kind) for kind in RecordKind}
OF_REPORTS = {15, 16, 17}
FILES = {"config.json", "update.json", "catalogue.json", "release", "flash"}
PLANS = {"plan whole", "plan share", "plan within", "plan halted", "plan control", "plan flags"}
PLAN_FIELDS = {"releases", "halted", "within", "control", "flags"}


@dataclass
class Told:
    """What came of one pair."""

    talk: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)
    """The other tree's terminal takes the flash over."""
    read: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)


class Process:
    """One side, spoken to by lines."""

    def __init__(self, script: str, tree: Path, *arguments: str) -> None:
        own = tree / "tests" / "neighbours" / script
        program = [sys.executable, str(own if own.exists() else HERE / script), str(tree)]
        self._process = subprocess.Popen(
            [*program, *arguments], cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def hear(self) -> Any:
        """The next line."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "it ended without a word"
        return json.loads(line)

    def say(self, what: Any) -> None:
        """A line to it."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()


def between(terminal: Path, folder: Path, what: str, server: Process) -> dict[str, Any]:
    """One terminal's program against a server, to its end."""
    side = Process("terminal_side.py", terminal, str(folder), what)
    try:
        while True:
            line = side.hear()
            if isinstance(line, dict):
                return dict(line["done"])
            server.say(line)
            side.say(server.hear())
    finally:
        side.close()


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The product of today, and that of `BEFORE` out of the history."""
    folder = tmp_path_factory.mktemp("before")
    done = subprocess.run(
        ["git", "archive", "--format=tar", BEFORE], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{BEFORE} is not in this history, which is not whole: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        unpack(archive, folder)
    return {"now": ROOT, "before": folder}


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"terminal {pair[0]}")
def told(
    request: pytest.FixtureRequest, trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    """One pair's day."""
    terminal, server = request.param
    folder = tmp_path_factory.mktemp("pair")
    side = Process("server_side.py", trees[server], str(folder / "server"))
    try:
        assert side.hear() == "ready"
        (folder / "stock").mkdir()
        found = Told(between(trees[terminal], folder, "talk", side))
        side.say(["state"])
        found.state = side.hear()
        found.other = between(trees[server], folder, "take-over", side)
        found.read = between(trees[terminal], folder, "read", side)
        side.say(["state"])
        found.end = side.hear()
        yield found
    finally:
        side.close()


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_each_kind_of_message_is_asked_answered_and_understood(told: Told, kind: int) -> None:
    assert kind in told.talk["messages"]


@pytest.mark.parametrize("kind", sorted(RECORDS))
def test_each_kind_of_record_is_taken_in(told: Told, kind: int) -> None:
    if kind in OF_REPORTS and not told.talk["closes_days"]:
        return  # the terminal of before writes none
    assert kind in told.state["kinds"]


def test_the_books_agree_and_nobody_is_called_but_for_the_restore(told: Told) -> None:
    assert told.end["problems"] == []
    assert told.end["alarms"] == ["restored"]


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_file_is_read_as_it_was_meant(told: Told, name: str) -> None:
    files = told.other["files"]
    meant: dict[str, Any] = {
        "config.json": (files.get("config.json"), ["stable", "en", 900]),
        "update.json": (
            files.get("update.json"),
            ["seal", 1_790_000_000, [[7, "crash"], [8, "self-test: no printer"]], {"en": "Faster"}],
        ),
        "catalogue.json": (told.read["catalogue.json"], [[5000, 250], [2000, 100]]),
        "release": (told.read["release"][:2], [7, "1.0.7"]),
    }
    if name == "flash":
        found = {**told.other["found"]}
        left = {key: told.talk[key] for key in found}
        assert found["next"] == left["next"] + 1, "its own start, and nothing lost"
        assert {**found, "next": 0, "unsynced": 0} == {**left, "next": 0, "unsynced": 0}
        assert told.other["bad"] == 0
        return
    assert meant[name][0] == meant[name][1]


@pytest.mark.parametrize("name", sorted(PLANS))
def test_each_plan_lets_the_same_terminals_have_a_release(told: Told, name: str) -> None:
    if name in ("plan control", "plan flags") and name not in told.read["plans"]:
        return  # the server of before writes none
    here, there = told.read["plans"][name]
    assert here == there
    assert any(there) or name == "plan halted"


def test_what_is_new_has_its_cells() -> None:
    """A message, a record, a field of a plan or a file that no cell above speaks of fails here."""
    on_device = {
        value
        for name, value in vars(state).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, int)
    }
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11} <= on_device | RECORDS
    assert set(range(1, 12)) | OF_REPORTS == RECORDS, "a new record: write it in terminal_side.talk"
    assert set(RolloutPlan.__struct_fields__) == PLAN_FIELDS, "a new field: a plan in PLANS"
    assert {1, 2, 3, 4, 5, 6, 7} == MESSAGES, "a new message: ask it in terminal_side.talk"


def test_a_cell_that_is_missing_would_be_noticed(told: Told) -> None:
    with pytest.raises(AssertionError):
        test_each_kind_of_message_is_asked_answered_and_understood(told, max(MESSAGES) + 1)
    with pytest.raises(AssertionError):
        test_each_kind_of_record_is_taken_in(told, max(RECORDS) + 1)
