"""A few rows on a whole terminal and the server process in the suite; `inv attacks` plays all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.rows import CONCEDED, ROWS
from tests.attacks.terminal_rows import SERIAL
from tests.attacks.whole import WholeScene
from tests.support.sources import CheckoutSources
from tests.support.world import quiet_tools
from tests.terminal.conftest import States, simulated, states

__all__ = ["states"]


@pytest.fixture
def scene(states: States, tmp_path: Path) -> Iterator[WholeScene]:
    folder = tmp_path / "world"
    shutil.copytree(states(True) / "ready", folder)
    hosted = CheckoutSources(folder / "manager" / "checkout")
    with quiet_tools():
        made = WholeScene(folder, 1, 9, simulated(board={"hosted": hosted}))
        yield made
        made.close()


@pytest.mark.slow
def test_attacks_on_a_whole_terminal_gain_what_the_table_concedes_and_no_more(
    scene: WholeScene,
) -> None:
    by_name = {row.attack.__name__: row for row in ROWS}
    scene.play(by_name["one_stable"])
    for row in SERIAL:
        if "settings" in row.name or row.name.startswith("cable"):
            scene.play_by_hand(row)
    assert "release 9" in scene.concedes(CONCEDED[0])
