"""What a terminal that runs holds of the heap stays within its budget, and leaves the bar free."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.measure import running
from tests.support.world import quiet_tools
from tools.lab import qemu

BUDGET: dict[str, int] = json.loads(running.BUDGET.read_text())
FLOWS = sorted(set(BUDGET) - set(running.UPDATES))


def figures(**changed: int) -> running.Figures:
    """Figures that are the budget's, but these peaks."""
    peaks = {**BUDGET, **changed}
    return {name: {"peak": peak, "in_use": peak, "piece": 0} for name, peak in peaks.items()}


@pytest.mark.full
def test_every_state_of_a_terminal_at_work_keeps_its_budget(tmp_path: Path) -> None:
    try:
        firmware = qemu.firmware()
    except qemu.Unavailable as error:
        pytest.skip(str(error))
    with quiet_tools():
        measured = running.measure(running.prepare(tmp_path / "world"), firmware)
    assert running.worse(measured) == [], measured


def test_the_budget_has_every_state_and_leaves_the_bar_free_in_every_flow() -> None:
    assert {"sign_in_page", "menu", "sell", "topup", "meter", "reprint", "look"} < set(BUDGET)
    assert running.worse(figures()) == []
    assert max(BUDGET[flow] for flow in FLOWS) <= running.HEAP_BYTES - running.FREE_BYTES


@pytest.mark.parametrize("state", sorted(BUDGET))
def test_a_state_that_needs_more_than_its_margin_is_named(state: str) -> None:
    assert running.worse(figures(**{state: BUDGET[state] + running.MARGIN_BYTES})) == []
    (said,) = running.worse(figures(**{state: BUDGET[state] + running.MARGIN_BYTES + 1}))
    assert said.startswith(f"{state}: ")
    missing = figures()
    del missing[state]
    assert state in running.worse(missing)[0], "a figure that was not measured is no good one"


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_that_leaves_less_than_the_bar_is_named(flow: str) -> None:
    too_much = running.HEAP_BYTES - running.FREE_BYTES + 1
    assert f"{flow}: {running.FREE_BYTES - 1} bytes free" in " ".join(
        running.worse(figures(**{flow: too_much}))
    )
