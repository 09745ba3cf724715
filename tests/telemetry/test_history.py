"""A day of what terminals told stays as Parquet: every number of it, once, readable by others."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import cbor2
import duckdb
import pytest
from typer.testing import CliRunner

from tests.server.shop import NOW, Shop
from tests.telemetry.test_intake import HOUR_S, RELEASE, a_window, encoded, taken
from updater_server.__main__ import cli
from updater_server.telemetry import history
from updater_server.telemetry.store import day_of

ON_BOTH_ENGINES = True
DAY_S = 24 * HOUR_S
TODAY = day_of(NOW)


def told_of(shop: Shop, count: int = 3) -> None:
    """So many terminals tell a window each, the first one restarts, and one counter is unknown."""
    for number in range(1, count + 1):
        device = shop.enrol(number)
        values: dict[str, Any] = {
            "_1": 20,
            "_2": 20 - number,
            "_3": number,
            "_33": [1, 2, 3],
            "_200": number,
        }
        more: dict[str, Any] = {"_14": RELEASE + 1} if number == 1 else {}
        device.check_in(_13=encoded(a_window(**values)), **more)


def rows_of(path: Path, what: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as asked:
        return asked.execute(f"SELECT {what} FROM '{path}' ORDER BY kind, terminal").fetchall()


def test_every_number_is_in_the_file_once_and_the_hash_fits(shop: Shop, tmp_path: Path) -> None:
    told_of(shop)
    _, told = taken(shop)
    made = history.write(told, TODAY, tmp_path)
    assert made.rows == 4
    what = "terminal, release, length_s, sales_tried, sales_failed, answer_2, answer_4, others"
    assert rows_of(made.path, what) == [
        *((n, RELEASE, HOUR_S, 20, n, 3, 0, cbor2.dumps({200: n})) for n in (1, 2, 3)),
        (1, RELEASE + 1, 0, 0, 0, 0, 0, None),
    ]
    subprocess.run(
        ["sha256sum", "--quiet", "-c", f"{made.path.name}.sha256"], cwd=tmp_path, check=True
    )
    again = history.write(told, TODAY, tmp_path / "again")
    assert again.path.read_bytes() == made.path.read_bytes()


def test_only_days_that_are_over_are_written_and_each_once(shop: Shop, tmp_path: Path) -> None:
    told_of(shop)
    _, told = taken(shop)
    assert history.write_missing(told, TODAY, tmp_path) == []
    tomorrow = day_of(NOW + DAY_S)
    assert [one.rows for one in history.write_missing(told, tomorrow, tmp_path)] == [4]
    assert history.write_missing(told, tomorrow, tmp_path) == []


def test_a_file_whose_hash_was_not_written_any_more_is_made_again(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_of(shop)
    _, told = taken(shop)
    folder = tmp_path / "history"

    def cut(*_: object) -> None:
        raise OSError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(history, "write_atomically", cut)
        with pytest.raises(OSError, match="cut"):
            history.write(told, TODAY, folder)
    assert history.kept(folder) == []
    assert len(history.write_missing(told, day_of(NOW + DAY_S), folder)) == 1
    assert history.kept(folder) == [TODAY]
    assert sorted(path.name for path in folder.iterdir()) == [
        f"told-{TODAY}.parquet",
        f"told-{TODAY}.parquet.sha256",
    ]


def test_a_store_gets_what_it_lacks_and_nothing_that_is_not_whole(
    shop: Shop, tmp_path: Path
) -> None:
    told_of(shop)
    _, told = taken(shop)
    made = history.write(told, TODAY, shop.service.folder.history)
    (shop.service.folder.history / "told-20200101.parquet").write_bytes(b"half")
    command = ["artefacts", "history", f"file://{tmp_path}/store", "--data", str(shop.folder)]
    assert CliRunner().invoke(cli, command).output.startswith("sent 2 files")
    stored = tmp_path / "store" / "history" / made.path.name
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == made.sha256
    assert CliRunner().invoke(cli, command).output.startswith("sent 0 files")
