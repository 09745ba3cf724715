"""Every wait and every reading of time in the simulator goes through `hw_sim.pacing`.

Two things beside the board live by the wall and say so here: no part of a board may use them.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hw_sim

ROOM = Path(hw_sim.__file__).parent
CLOCKS = {
    "time": {"time", "monotonic", "perf_counter", "sleep", "time_ns", "monotonic_ns"},
    "asyncio": {"sleep", "timeout", "timeout_at", "wait_for"},
    "datetime": {"now", "utcnow", "today"},
}
PACES = {"pacing.py", "simulated.py", "simulated_loop.py"}
OF_A_LOOP = {"call_later", "call_at"}
BESIDE_THE_BOARD = {
    "suppliers": "programs that the server reaches over TCP; they know no board",
    "panel/bench.py": "how long a person's finger lay on a key in a browser, between two steps",
}


def readings(source: str) -> list[str]:
    """What in `source` asks another clock than a pace for the time, or waits on it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in CLOCKS:
            found += [a.name for a in node.names if a.name in CLOCKS[node.module]]
        if not isinstance(node, ast.Attribute):
            continue
        of = ast.unparse(node.value)
        asks = (
            node.attr in CLOCKS.get(of, ()),
            node.attr in OF_A_LOOP and "pace" not in of,
            node.attr == "time" and "loop" in of,
        )
        if any(asks):
            found.append(f"{of}.{node.attr}")
    return found


def beside(name: str) -> str:
    """The entry of `BESIDE_THE_BOARD` that the file belongs to, or ""."""
    return next((e for e in BESIDE_THE_BOARD if name == e or name.startswith(f"{e}/")), "")


def sources() -> dict[str, str]:
    """What each file of the simulator says, by its path in there; the paces are not among them."""
    return {
        str(file.relative_to(ROOM)): file.read_text()
        for file in sorted(ROOM.rglob("*.py"))
        if file.name not in PACES and "micropython" not in file.parts
    }


def users(of: str, files: dict[str, str]) -> set[str]:
    """Which of `files`, outside what is beside the board, import that entry of it."""
    module = f"hw_sim.{of.removesuffix('.py').replace('/', '.')}"
    found = set()
    for name, source in files.items():
        for node in ast.walk(ast.parse(source)):
            told = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                told = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            if not beside(name) and any(f"{t}.".startswith(f"{module}.") for t in told):
                found.add(name)
    return found


def test_only_the_pace_asks_for_the_time() -> None:
    files = {name: source for name, source in sources().items() if not beside(name)}
    assert len(files) > 30
    found = {name: readings(source) for name, source in files.items()}
    assert not {name: names for name, names in found.items() if names}


@pytest.mark.parametrize("entry", BESIDE_THE_BOARD)
def test_no_part_of_a_board_uses_what_lives_by_the_wall(entry: str) -> None:
    files = sources()
    assert any(readings(source) for name, source in files.items() if beside(name) == entry), (
        "an excuse that nothing needs"
    )
    assert {name for name in users(entry, files) if not name.startswith("panel/")} == set()
    for bad in ("from hw_sim.{} import x", "import hw_sim.{}"):
        module = entry.removesuffix(".py").replace("/", ".")
        assert users(entry, {"modem/part.py": bad.format(module)}) == {"modem/part.py"}
    if "/" in entry:
        folder, file = entry.removesuffix(".py").split("/")
        bad = f"from hw_sim.{folder} import {file}"
        assert users(entry, {"modem/part.py": bad}) == {"modem/part.py"}


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import monotonic",
        "import asyncio\nasyncio.timeout(1)",
        "loop.call_later(1, print)",
        "asyncio.get_running_loop().time()",
        "from datetime import datetime\ndatetime.now()",
    ],
)
def test_this_check_would_notice(source: str) -> None:
    assert readings(source)


def test_the_pace_itself_would_be_found() -> None:
    assert readings((ROOM / "pacing.py").read_text())
