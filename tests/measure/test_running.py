"""What a terminal that runs holds of the heap stays within its budget, and leaves the bar free."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.measure import running
from tests.support.world import quiet_tools
from tools.lab import qemu

BUDGET: dict[str, int] = json.loads(running.BUDGET.read_text())


def figures(**changed: int) -> running.Figures:
    """Figures that are the budget's, but these peaks."""
    peaks = {**BUDGET, **changed}
    return {name: {"peak": peak, "in_use": peak, "piece": 0} for name, peak in peaks.items()}


@pytest.fixture
def firmware() -> Path:
    """The emulated board's interpreter."""
    try:
        return qemu.firmware()
    except qemu.Unavailable as error:
        pytest.skip(str(error))


def test_a_terminal_at_work_has_not_grown(tmp_path: Path, firmware: Path) -> None:
    with quiet_tools():
        measured = running.measure(running.prepare(tmp_path / "world"), firmware, is_whole=False)
    assert running.worse(measured, running.EVERY_DAY) == [], measured


@pytest.mark.full
def test_every_state_of_a_terminal_at_work_keeps_its_budget(tmp_path: Path, firmware: Path) -> None:
    with quiet_tools():
        measured = running.measure(running.prepare(tmp_path / "world"), firmware)
    assert running.worse(measured) == [], measured


def test_the_budget_has_every_state_and_leaves_the_bar_free_in_every_flow() -> None:
    assert {"sign_in_page", "menu", "sell", "topup", "meter", "reprint", "look"} < set(BUDGET)
    assert running.worse(figures()) == []
    assert max(BUDGET.values()) <= running.HEAP_BYTES - running.FREE_BYTES
    assert set(running.EVERY_DAY) <= set(BUDGET)


@pytest.mark.parametrize("state", sorted(BUDGET))
def test_a_state_that_needs_more_than_its_margin_is_named(state: str) -> None:
    assert running.worse(figures(**{state: BUDGET[state] + running.MARGIN_BYTES})) == []
    said, *_ = running.worse(figures(**{state: BUDGET[state] + running.MARGIN_BYTES + 1}))
    assert said.startswith(f"{state}: ")
    missing = figures()
    del missing[state]
    assert state in running.worse(missing)[0], "a figure that was not measured is no good one"


@pytest.mark.parametrize("flow", sorted(BUDGET))
def test_a_state_that_leaves_less_than_the_bar_is_named(flow: str) -> None:
    too_much = running.HEAP_BYTES - running.FREE_BYTES + 1
    assert f"{flow}: {running.FREE_BYTES - 1} bytes free" in " ".join(
        running.worse(figures(**{flow: too_much}))
    )
