"""One table of metrics: the server's figures are those of docs/formats/metrics.toml, and a window
stays small.
"""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.telemetry.making import made_window
from updater_server.telemetry import metrics, windows
from updater_server.verdict import policy

DOCS = Path(__file__).resolve().parents[2] / "docs/formats"
TABLE = tomllib.loads((DOCS / "metrics.toml").read_text("utf-8"))
BAR_BYTES = 120


def plain(found: Any) -> Any:
    """A named tuple as the table would have it, without what is empty."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in found._asdict().items()
        if value not in ((), 0)
    }


def differences(table: dict[str, Any]) -> list[str]:
    """Where the server's constants are not the table's."""
    found = []
    for section, mine in (
        ("counter", metrics.COUNTERS),
        ("least", metrics.LEAST),
        ("histogram", metrics.HISTOGRAMS),
        ("ledger", metrics.LEDGER),
        ("guard", metrics.GUARDED),
    ):
        theirs = table[section]
        found += sorted(mine.keys() ^ theirs.keys())
        both = mine.keys() & theirs.keys()
        found += sorted(name for name in both if plain(mine[name]) != theirs[name])
    bounds = {name: list(getattr(metrics, name.upper())) for name in table["window"]}
    found += sorted(name for name in bounds if bounds[name] != table["window"][name])
    return found


def test_the_server_counts_what_the_table_says() -> None:
    assert differences(TABLE) == []


@pytest.mark.parametrize(
    ("section", "name", "key", "value"),
    [
        ("counter", "sales_tried", "id", 99),
        ("counter", "minutes_on", "most", 60),
        ("histogram", "answer", "bounds", [1, 2]),
        ("ledger", "air", "purposes", ["sale"]),
        ("guard", "crash", "failed", ["crashes"]),
        ("least", "heap_low_bytes", "unit", "words"),
    ],
)
def test_another_figure_would_be_noticed(section: str, name: str, key: str, value: object) -> None:
    table = {part: dict(rows) for part, rows in TABLE.items()}
    table[section][name] = {**table[section][name], key: value}
    assert differences(table) == [name]


def test_no_number_is_given_twice() -> None:
    parts = ("counter", "least", "histogram", "ledger")
    numbers = [row["id"] for part in parts for row in TABLE[part].values()]
    assert len(set(numbers)) == len(numbers)


def test_every_guard_of_the_usual_policy_is_counted_or_told_by_silence() -> None:
    names = {guard.name for guard in policy.usual().guards}
    assert names - metrics.GUARDED.keys() == set(policy.OUTCOMES)


def test_the_page_names_every_metric_and_every_refusal() -> None:
    page = (DOCS / "metrics.md").read_text("utf-8")
    names = [*windows.REASONS, *metrics.GUARDED, *metrics.LEDGER["air"].purposes]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_a_window_is_small(hours: int) -> None:
    chance = random.Random(hours)
    sizes = sorted(
        # the key, and the head of a byte string
        len(cbor2.dumps({13: cbor2.dumps(made_window(chance, hours), canonical=True)})) - 1
        for _ in range(1000)
    )
    assert sizes[950] <= BAR_BYTES, sizes[950]
    assert sizes[950] > 40, "a window that tells nothing"
