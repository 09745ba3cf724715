"""Each row of the threat table, on CPython; `python -m tests.attacks` plays them on MicroPython."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.rows import ROWS, Gained, Row, play
from tests.attacks.thief import SERVER, Scene, Thief


@pytest.mark.parametrize("chosen", ROWS, ids=lambda chosen: chosen.attack.__name__)
def test_the_attacker_gains_nothing(chosen: Row, tmp_path: Path) -> None:
    play(chosen, tmp_path)


def test_who_holds_all_that_is_conceded_does_gain_so_the_judge_is_awake(tmp_path: Path) -> None:
    def everything(scene: Scene) -> None:
        thief = Thief(scene, *SERVER, "stable")
        thief.list_evil("stable", "stable/duka-r1/9.full")
        thief.point("stable")

    with pytest.raises(Gained, match="release 9"):
        play(Row("conceded", everything), tmp_path)
