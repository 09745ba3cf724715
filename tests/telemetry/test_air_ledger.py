"""The byte ledger on the server: each window is added once, by terminal and month, shown and
priced.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.server.shop import NOW, Shop, make_signed
from updater_server.errors import InputError
from updater_server.faces.airtime import AirFace
from updater_server.faces.board import BoardFace
from updater_server.store.engine import reading
from updater_server.telemetry import air
from updater_server.telemetry.intake import take_in
from updater_server.telemetry.store import WINDOW, Row, Told

TERMINAL, OTHER = (number.to_bytes(8, "big") for number in (1, 2))
PRICES = """
[operator.savanna]
currency = "USD"
per_megabyte_micros = 20_000
per_sms_micros = 10_000
"""


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def shop(tmp_path: Path, signed: Path) -> Iterator[Shop]:
    shop = Shop.open(tmp_path / "data", signed / "repository")
    yield shop
    shop.service.engine.dispose()


def window(start_s: int, units: list[int], terminal: bytes = TERMINAL, hours: int = 20) -> Row:
    told = cbor2.dumps([7, 1, start_s, hours * 3600, {34: units}])
    return Row(terminal, WINDOW, start_s + hours * 3600, 7, 1, start_s, hours * 3600, told)


def months(shop: Shop, terminal: bytes = TERMINAL) -> dict[int, dict[str, int]]:
    with reading(shop.service.engine) as connection:
        return {one.month: one.spent for one in air.of_terminal(connection, terminal)}


def test_windows_are_added_once_however_often_and_in_what_batches_they_come(shop: Shop) -> None:
    rows = [window(NOW + n * 90_000, [n + 1, 0, 0, 0, 0, 0, 2, 3]) for n in range(4)]
    engine = shop.service.engine
    air.keep(engine, rows[:2])
    air.keep(engine, rows[:2])
    air.keep(engine, [rows[3], rows[1], rows[2], rows[3], window(NOW, [5], OTHER)])
    (spent,) = months(shop).values()
    assert spent["sale"] == 32 * (1 + 2 + 3 + 4)
    assert (spent["wasted"], spent["sms"], spent["update"]) == (4 * 64, 4 * 3, 0)
    with reading(engine) as connection:
        (fleet,) = air.of_fleet(connection)
    assert (fleet.terminals, fleet.spent["sale"]) == (2, 32 * 15)
    assert fleet.total_bytes == 32 * 15 + 4 * 64, "messages are no bytes"


def test_a_month_is_the_one_in_which_its_windows_end_and_the_year_changes(shop: Shop) -> None:
    december_s = 1_798_675_200  # 31 December 2026
    air.keep(
        shop.service.engine, [window(december_s, [1], hours=20), window(december_s + 80_000, [2])]
    )
    assert {month: one["sale"] for month, one in months(shop).items()} == {202612: 32, 202701: 64}


def test_who_tells_nothing_of_it_is_in_no_month(shop: Shop) -> None:
    old = Row(TERMINAL, WINDOW, NOW, 7, 1, NOW - 60, 60, cbor2.dumps([7, 1, NOW - 60, 60, {23: 9}]))
    air.keep(shop.service.engine, [old])
    assert months(shop) == {}


def test_a_worker_that_is_killed_between_its_two_books_adds_nothing_twice(shop: Shop) -> None:
    service = shop.service
    told = Told(service.engine, service.folder.telemetry)
    said = window(NOW - 80_000, [10, 5]).told
    service.spool.add(0, TERMINAL, said)

    def killed(rows: list[Row]) -> None:
        air.keep(service.engine, rows)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_in(service.spool, told, service.now, killed)
    take_in(service.spool, told, service.now, lambda rows: air.keep(service.engine, rows))
    (spent,) = months(shop).values()
    assert (spent["sale"], spent["sync"]) == (320, 160)


def test_pages_and_tables_tell_it_and_what_it_costs(shop: Shop) -> None:
    shop.enrol()
    (shop.folder / air.FILE).write_text(PRICES)
    air.keep(shop.service.engine, [window(NOW, [100_000, 0, 0, 0, 0, 0, 0, 2])])
    token = "Basic " + base64.b64encode(f"x:{shop.token}".encode()).decode()
    face: Any = AirFace(shop.service)
    page, kind = face.months(token, {})
    assert kind.startswith("text/html")
    assert "3,200,000" in page.decode()
    assert "0.08 USD" in page.decode(), "3.2 MB at 0.02, two messages at 0.01, rounded"
    content, _ = face.months(token, {"as": "json"})
    assert b'"micros":84000' in content
    lines = face.months(token, {"as": "csv", "month": str(air.month_of(NOW + 72_000))})[0].decode()
    assert lines.splitlines()[1].startswith(
        f"{TERMINAL.hex()},{air.month_of(NOW + 72_000)},3200000"
    )
    assert "3,200,000" in BoardFace(shop.service).terminal(token, TERMINAL.hex())
    with pytest.raises(InputError, match="as is one of"):
        face.months(token, {"as": "pdf"})


@pytest.mark.parametrize(
    "text",
    [
        "operator = 3",
        "[operators.a]\ncurrency='USD'\nper_megabyte_micros=1",
        "[operator.a]\ncurrency='usd'\nper_megabyte_micros=1",
        "[operator.a]\ncurrency='USD'\nper_megabyte_micros=-1",
        "[operator.a]\ncurrency='USD'\nper_megabyte=1",
        "not toml",
    ],
)
def test_a_price_table_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / air.FILE).write_text(text)
    with pytest.raises(InputError, match=r"airtime\.toml"):
        air.operators(tmp_path)
    assert air.operators(tmp_path / "nowhere") == {}


def test_costs_are_rounded_up_and_never_lose_a_part() -> None:
    operator = air.Operator("USD", 20_000, 10_000)
    assert operator.cost_micros(1) == 1
    assert operator.cost_micros(1_000_000, 3) == 50_000
    assert operator.words(50_000) == "0.05 USD"
    assert operator.words(120) == "0.000120 USD"
