"""Every wait and every reading of time in the simulator goes through `hw_sim.pacing`."""

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


def test_only_the_pace_asks_for_the_time() -> None:
    files = [
        file
        for file in sorted(ROOM.rglob("*.py"))
        if file.name not in PACES and "micropython" not in file.parts
    ]
    assert len(files) > 30
    found = {str(file.relative_to(ROOM)): readings(file.read_text()) for file in files}
    assert not {name: names for name, names in found.items() if names}


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
