"""What the terminal's work costs on the emulated Cortex-M3 stays within its budget."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.measure import board
from tests.support import computing
from tests.support.world import quiet_tools
from tools.lab import qemu

BUDGET: board.Figures = json.loads(computing.BUDGET.read_text())
EVERY_FIGURE = [(kind, work) for kind, works in BUDGET.items() for work in works]


def test_no_work_costs_over_a_tenth_more_than_its_budget(tmp_path: Path) -> None:
    try:
        firmware = qemu.firmware()
    except qemu.Unavailable as error:
        pytest.skip(str(error))
    with quiet_tools():
        assert board.worse(board.measure(tmp_path, firmware)) == []


def test_the_budget_covers_the_work_that_a_merchant_waits_for() -> None:
    works = {"sale", "one_signature", "metadata_refresh", "delta_install"}
    counted = {name for name, _ in computing.CALLS.values()}
    assert set(BUDGET["instructions"]) == works | counted | {"verified_boot"}
    assert set(BUDGET["heap_bytes"]) == works | {"at_rest"}


@pytest.mark.parametrize(("kind", "work"), EVERY_FIGURE)
def test_a_figure_that_grew_by_over_a_tenth_is_named(kind: str, work: str) -> None:
    figures = copy.deepcopy(BUDGET)
    margin = board.margin(kind, work)
    figures[kind][work] = int(BUDGET[kind][work] * (margin - 0.01))
    assert board.worse(figures) == []
    figures[kind][work] = int(BUDGET[kind][work] * (margin + 0.01))
    (said,) = board.worse(figures)
    assert said.startswith(f"{kind} of {work}: {figures[kind][work]} against a budget of ")
    del figures[kind][work]
    (said,) = board.worse(figures)
    assert work in said, "a figure that was not measured is no good one"
