"""No page cuts an amount or a name: real flows on this interpreter, every text of a page noted."""

from __future__ import annotations

import ast
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.flows import day_report, float, last_sales, sell, shift, training
from firmware.flows.steps import amount, cancel, favourites, hand_over, others, shift_slip
from firmware.office.look_up import Answer
from firmware.sales.catalogue import Catalogue
from firmware.sales.recent import Recent
from firmware.sales.sale import Sale, Voucher
from firmware.ui.canvas import WIDTH, Canvas, text_width
from firmware.ui.screen import Screen
from firmware.ui.texts import LANGUAGES
from tests.merchant.desk import desk_of, ended, prices
from tests.merchant.slips import printed
from tests.merchant.stage import desk_for, noticed, sale_of
from tests.money.shop import open_shop

MOST_MINOR = 10**12
MOST_PRICE_MINOR = 2**30 - 1

CURRENCIES = [("KES", 2), ("UGX", 0), ("TND", 3), ("XOF", 0), ("MWK", 2), ("WWW", 3)]
"""With 0, 2 and 3 minor digits; the last one is as wide as letters are."""


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("shop")
    return open_shop(folder, sectors=64).till


def _float_to(till: Any, minor: int) -> None:
    till.journal.state.ledger_minor = minor


def _sold(catalogue: Catalogue, price_minor: int) -> Voucher:
    product = catalogue.product("power")
    assert product is not None
    said = [3, 1_790_000_000, "power", price_minor, 0, "1" * 20, b"", "S", 0]
    return Voucher(("1" * 20, "S", 0), [], product, Sale([1, 1, 0, 1], said, False))


REPORT: Any = SimpleNamespace(
    products=[("air50", 999, MOST_MINOR - 1)],
    people=[(0, 1, 1), (65534, 9999, MOST_MINOR - 1)],
    count=9999,
    total_minor=MOST_MINOR,
    commission_minor=MOST_MINOR // 3,
    reprints=9,
)


SHIFT: Any = SimpleNamespace(cash_minor=MOST_MINOR // 2)


async def _last_sales(desk: Any) -> None:
    """The list, and then all that is known of the newest, which is of a product as it costs now."""
    price_minor = desk.catalogue.product("air50").amount_minor
    sale = desk.till.journal.append(3, ["power", price_minor, 0, "1" * 20])
    desk.till.journal.append(4, [sale, b"", "S" * 40, 0, 0])
    desk.till.journal.append(6, [sale, 0])
    found = Recent(desk.till)
    await found.look_back()
    assert await last_sales._choose(desk, found, 0, found.sift()) == 0
    await last_sales._open(desk, found, 0)


async def _bounded(desk: Any) -> None:
    """A supplier that takes no less than the price list's most."""
    most_minor = desk.catalogue.product("air50").amount_minor

    async def look_up(*_: Any) -> Answer:
        return Answer("", "N", most_minor, most_minor)

    desk.look_up = look_up
    product = desk.catalogue.product("power")
    desk.ui.busy = busy
    await others._known(desk, product, "1" * 20, 0)


async def _favourites(desk: Any) -> None:
    real, favourites.kept = favourites.kept, lambda: [["pin", "air50"]]
    try:
        await favourites.choose(desk, "pin")
    finally:
        favourites.kept = real


async def busy(work: Any, *_: Any) -> tuple[bool, Any]:
    """What is waited for comes at once."""
    return True, await work


PAGES: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "the float": float.run,
    "a voucher's price": lambda desk: sell.confirm(desk, desk.catalogue.product("air50")),
    "the day's report": lambda desk: desk.ui.ask(
        "x", [row for row in day_report._rows(desk, REPORT) if row], (("*", "back"),)
    ),
    "cash of a shift": lambda desk: desk.ui.ask(
        "x", shift_slip.cash_rows(desk, SHIFT, 2 * SHIFT.cash_minor, 0), (("*", "back"),)
    ),
    "cash that is typed": lambda desk: shift._cash(desk, "x", desk.words("cash_count")),
    "sold": lambda desk: hand_over.done(
        desk, _sold(desk.catalogue, desk.catalogue.product("air50").amount_minor), True, True
    ),
    "agreeing to what others make": lambda desk: others._confirm(
        desk,
        desk.catalogue.product("power"),
        "1" * 20,
        desk.catalogue.product("air50").amount_minor,
        1,
    ),
    "agreeing, in training": lambda desk: training._confirm(
        desk,
        desk.catalogue.product("power"),
        "1" * 20,
        desk.catalogue.product("air50").amount_minor,
    ),
    "sold, in training": lambda desk: training._done(
        desk, _sold(desk.catalogue, desk.catalogue.product("air50").amount_minor)
    ),
    "the bounds of an amount": lambda desk: amount.typed(desk, desk.catalogue.product("power")),
    "the steps of an amount": lambda desk: amount.typed(desk, desk.catalogue.product("power")),
    "the bounds of a customer": lambda desk: _bounded(desk),
    "the last sales": _last_sales,
    "favourites": _favourites,
    "the list of products": lambda desk: desk.ui.choose(
        "x", [(p.name, desk.money(p.amount_minor)) for p in desk.catalogue.products]
    ),
}


async def _deposit(desk: Any) -> None:
    desk.message, desk.unread = None, 1
    desk.updates = SimpleNamespace(news=lambda to: "")
    minor = desk.till.float_minor
    await noticed(desk, [((1_790_000_000, 0), [1_790_000_000, minor, "W" * 48, minor])])


PAGES["a deposit"] = _deposit
NAMES = st.one_of(
    st.just("Savanna 50"), st.just("W" * 32), st.text("Wi1 éM", min_size=1, max_size=32)
)


def amounts_of(name: str, desk: Any, price_minor: int, float_minor: int) -> list[str]:
    """The amounts that a page must show whole."""
    price = desk.money(price_minor)
    unit: int = 10**desk.catalogue.minor_digits
    return {
        "the float": [desk.money(float_minor)],
        "a voucher's price": [
            price,
            desk.money(float_minor),
            desk.money(float_minor - price_minor + price_minor // 20),
        ],
        "the day's report": [
            desk.money(REPORT.total_minor),
            desk.money(REPORT.products[0][2]),
            desk.money(REPORT.commission_minor),
            desk.money(float_minor),
        ],
        "cash of a shift": [
            desk.money(SHIFT.cash_minor),
            desk.money(2 * SHIFT.cash_minor),
            desk.money(-2 * SHIFT.cash_minor),
        ],
        "cash that is typed": [
            desk.money(9999999999 * (1 if price_minor % unit else unit)),
        ],
        "sold": [price, desk.money(float_minor)],
        "agreeing to what others make": [price, desk.money(float_minor - 1)],
        "agreeing, in training": [price],
        "sold, in training": [price],
        "the bounds of an amount": [price],
        "the steps of an amount": [price, desk.money(1)],
        "the bounds of a customer": [price],
        "the last sales": [price],
        "favourites": [price],
        "the list of products": [price],
        "a deposit": [desk.money(float_minor)],
    }[name]


def look(
    till: Any, page: str, how: tuple[str, int], price: int, float_minor: int, name: str, to: str
) -> None:
    """Show a page, turn to its end, and judge it."""
    currency, digits = how
    catalogue = prices(currency, digits, price, name)
    _float_to(till, float_minor)
    keys = {
        "sold": "BBBBBB#",
        "sold, in training": "BBBBBB#",
        "the last sales": "#BBBBBB*",
        "a deposit": "#BBBBBB*",
        "the steps of an amount": "9999999999#BBBBBB#*",
        "cash that is typed": "9999999999#",
        "the bounds of a customer": "#BBBBBB#*",
    }.get(page, "BBBBBB*")
    desk = desk_of(catalogue, till, keys, to)
    ended(PAGES[page](desk))
    screen = desk.ui.screen
    assert screen.faults() == []
    told = screen.told()
    for text in amounts_of(page, desk, price, float_minor):
        shown = [line.strip() for line in told.split("\n")]
        whole = [line for line in shown if line in (text, f"{currency} {text}")]
        assert whole, f"{text} is not whole in {told!r}"
    whole_names = ("a voucher's price", "agreeing to what others make", "the last sales")
    if page in whole_names or page.startswith(("sold", "agreeing")):
        spaceless = told.replace("\n", "").replace(" ", "")
        assert name.replace(" ", "") in spaceless, f"{name!r} is cut in {told!r}"


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    how=st.sampled_from(CURRENCIES),
    price=st.one_of(st.integers(1, MOST_PRICE_MINOR), st.just(MOST_PRICE_MINOR)),
    float_minor=st.one_of(st.integers(-MOST_MINOR, MOST_MINOR), st.just(MOST_MINOR)),
    name=NAMES,
    to=st.sampled_from(LANGUAGES),
)
@pytest.mark.parametrize("page", PAGES)
def test_no_page_cuts_an_amount_or_a_name(
    page: str, how: tuple[str, int], price: int, float_minor: int, name: str, to: str, till: Any
) -> None:
    look(till, page, how, price, float_minor, name, to)


SHOWN_BY = {
    ("float", "run"): "the float",
    ("sell", "confirm"): "a voucher's price",
    ("day_report", "_rows"): "the day's report",
    ("report", "sold"): "the day's report",
    ("report", "totals"): "the day's report",
    ("shift", "_cash"): "cash that is typed",
    ("shift_slip", "cash_rows"): "cash of a shift",
    ("shift_slip", "counted_rows"): "cash of a shift",
    ("hand_over", "done"): "sold",
    ("others", "_confirm"): "agreeing to what others make",
    ("others", "_known"): "the bounds of a customer",
    ("training", "_confirm"): "agreeing, in training",
    ("training", "_done"): "sold, in training",
    ("amount", "typed"): "the steps of an amount",
    ("last_sales", "_rows"): "the last sales",
    ("last_sales", "_facts"): "the last sales",
    ("choose", "_listed"): "the list of products",
    ("messages", "_listed"): "a deposit",
    ("messages", "_show"): "a deposit",
    ("messages", "_rows"): "a deposit",
    ("choose", "agree"): "agreeing to what others make",
    ("favourites", "choose"): "favourites",
}
"""Which page of these tests an amount of which function stands on."""
ON_PAPER = {("cancel", "slip")}


def test_every_function_that_shows_an_amount_has_its_page_here() -> None:
    found = set()
    for file in (Path(__file__).resolve().parents[2] / "firmware" / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                isinstance(part, ast.Attribute)
                and part.attr in ("money", "price")
                and isinstance(part.value, ast.Name)
                and part.value.id == "desk"
                for part in ast.walk(node)
            ):
                found.add((file.stem, node.name))
    assert found - ON_PAPER == set(SHOWN_BY) and found > ON_PAPER
    assert set(SHOWN_BY.values()) <= set(PAGES)


def test_the_slip_of_a_cancelled_sale_cuts_neither_amount_nor_name() -> None:
    catalogue = prices("WWW", 3, MOST_PRICE_MINOR, "W" * 32)
    price = desk_of(catalogue, SimpleNamespace(), "#", "en").price
    desk = desk_for("#", "en", {"catalogue": catalogue, "price": price})
    slip = printed(desk, cancel.slip(desk, sale_of("air50", None, False, MOST_PRICE_MINOR)))
    lines = [line.strip() for line in slip.split(b"\n")]
    assert b"W" * 32 in lines and b"WWW 1 073 741.823" in lines


def test_ten_thousand_are_read_as_ten_thousand(till: Any) -> None:
    look(till, "the float", ("KES", 2), 5000, 1_000_000, "x", "en")
    look(till, "the float", ("KES", 2), 5000, 123_456_789, "x", "en")


def _once(self: Screen, y: int, text: str) -> None:
    """As it was: large letters, whatever their width."""
    canvas: Canvas = self._canvas
    canvas.text(max(0, (WIDTH - text_width(text, True)) // 2), y, text, big=True)


def test_the_screen_of_before_is_noticed(till: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "_figure", _once)
    with pytest.raises(AssertionError):
        look(till, "the float", ("KES", 2), 5000, 1_000_000, "x", "en")


def test_lines_that_are_not_spread_are_noticed(till: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.ui.dialogs._spread", lambda lines: lines)
    with pytest.raises(AssertionError):
        look(till, "a voucher's price", ("UGX", 0), 5000, MOST_MINOR, "W" * 32, "en")
