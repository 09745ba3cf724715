"""Each row that concerns what is served, on the quick stage; `inv attacks` plays all rows on whole
terminals.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.__main__ import families
from tests.attacks.client import TIME_ROWS, ClientScene, play
from tests.attacks.rows import CONCEDED, ROWS
from tests.attacks.scene import Gained, Row


@pytest.mark.parametrize("chosen", [*ROWS, *TIME_ROWS], ids=lambda chosen: chosen.attack.__name__)
def test_the_attacker_gains_nothing(chosen: Row, tmp_path: Path) -> None:
    play(chosen, tmp_path)


@pytest.mark.parametrize("number", range(len(CONCEDED)))
def test_who_holds_all_that_is_conceded_does_gain_so_the_judge_is_awake(
    number: int, tmp_path: Path
) -> None:
    gains = [f"release {ClientScene.evil}", "a flag is on"]
    with pytest.raises(Gained, match=gains[number]):
        play(CONCEDED[number], tmp_path)


def test_every_row_has_a_name_of_its_own_that_fits_a_line() -> None:
    names = [row.name for family in families() for row in family.rows]
    assert len(names) == len(set(names)) >= 30
    assert max(map(len, names)) <= 69
