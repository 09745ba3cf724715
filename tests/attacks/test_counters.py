"""Forged counters gain what the table says, and the judges of that are awake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks import counter_rows
from tests.attacks.counter_rows import ROWS, Attack
from tests.server.conftest import signed
from tests.telemetry.fleet import NEW, Fleet
from updater_server.channels import sheets
from updater_server.faces.dashboard import sheet_page
from updater_server.verdict import expectation

__all__ = ["signed"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1].__name__)
def test_who_forges_counters_gains_nothing(
    row: tuple[str, Attack], signed: Path, tmp_path: Path
) -> None:
    assert counter_rows.play(row, signed, tmp_path / "data").gained == ""


def test_a_terminal_whose_weight_has_no_bound_is_found(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectation, "residual", lambda seen, due, _: 100 * (seen - due))
    played = counter_rows.play(ROWS[0], signed, tmp_path / "data")
    assert played.gained


def test_the_sheet_of_a_bad_release_says_who_and_where_and_reads_as_a_page(
    signed: Path, tmp_path: Path
) -> None:
    found: list[sheets.Sheet] = []

    def bad(fleet: Fleet) -> None:
        fleet.failing[NEW] = 0.5
        fleet.let_out(counter_rows.WAVE)
        fleet.work()
        for _ in range(6):
            fleet.hour()
        folder = fleet.shop.service.folder.repository
        found.append(sheets.read(folder)["stable"][str(NEW)])

    counter_rows.play(("bad", bad), signed, tmp_path / "data")
    (sheet,) = found
    line = next(one for one in sheet.lines if one.guard == "sale_failed")
    assert (sheet.ruling, len(line.most)) == ("halt", 10)
    assert line.bound is not None
    assert line.score > line.bound
    assert [one.adds for one in line.most] == sorted((one.adds for one in line.most), reverse=True)
    assert sum(one.terminals for one in line.regions) == sheet.in_beta
    page = sheet_page.html("stable", NEW, sheet, sheet.at_s + 60)
    assert line.most[0].terminal in page
    assert '<b class="bad">halt</b>' in page
