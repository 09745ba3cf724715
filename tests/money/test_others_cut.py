"""A sale that others make, cut at every flash operation: no token is lost, doubled or made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from firmware.office import ask as asking
from firmware.sales import details, state
from firmware.sales.sale import PENDING, SaleRefused
from tests.money.nor import Nor
from tests.money.shop import FLOAT_MINOR, Shop, open_shop, run
from tests.money.test_made_by_others import LONGEST, METER, opened

HOW = ("before", "torn", "after")


class Cut(BaseException):
    """The power went."""


class CutNor(Nor):
    """Loses its power at one operation: before it, in its middle, or right after it."""

    left = -1
    how = "before"

    def program(self, address: int, data: bytes | bytearray | memoryview) -> None:
        self.left -= 1
        if self.left == 0:
            if self.how == "torn":
                super().program(address, bytes(data)[: len(data) // 2])
            elif self.how == "after":
                super().program(address, data)
            raise Cut
        super().program(address, data)


class Mended(Nor):
    """Flash after a cut: a start may write zeros over a spoiled place (journal.md, point 2)."""

    def program(self, address: int, data: bytes | bytearray | memoryview) -> None:
        before = self.violations
        super().program(address, data)
        if not any(data):
            self.violations = before


def _answered(shop: Shop, paper: list[Any]) -> None:
    """A sale whose first answer is pending, with more tokens than a record holds; then paper."""
    sale = shop.till.begin_online("power", None, METER, 20000)
    code = run(asking.ask(shop.messenger, shop.till, sale))
    while code == PENDING:
        code = run(asking.ask(shop.messenger, shop.till, sale))
    voucher = shop.till.voucher(sale)
    paper.append(voucher.details)
    shop.print(sale, voucher, "original")


def _finished(shop: Shop, paper: list[Any]) -> None:
    """What merchant and radio do after a cut, until nothing is open."""
    shop.sync()
    for sale in shop.till.unfinished():
        if not sale.has_voucher:
            while run(asking.ask(shop.messenger, shop.till, sale)) == PENDING:
                pass
        voucher = shop.till.reprint(sale) if sale.may_be_out else shop.till.voucher(sale)
        paper.append(voucher.details)
        shop.print(sale, voucher, "copy" if sale.may_be_out else "original")
    shop.sync()
    shop.check_in()


def _cut_at(folder: Path, number: int, how: str) -> bool:
    """Cut one sale there and judge what comes of it; False if the sale was over before."""
    shop = open_shop(folder, sectors=8, batches={})
    shop.server.details = LONGEST
    shop.server.pending[0] = 1
    flash = CutNor(bytes(shop.flash.cells))
    paper: list[Any] = []
    first = Shop(flash, shop.server, shop.paper, folder, 2)
    flash.left, flash.how = number, how
    try:
        _answered(first, paper)
    except Cut:
        pass
    else:
        return False
    again = Shop(Mended(bytes(flash.cells)), shop.server, shop.paper, folder, 3)
    _finished(again, paper)
    sold = [answer for _, answer in shop.server.answers.values() if answer[1] == 0]
    assert len(sold) <= 1 and again.till.unfinished() == []
    assert all(told == LONGEST for told in paper), "tokens on paper that nobody sold"
    assert bool(paper) == bool(sold), "who paid has his tokens"
    assert again.till.float_minor == again.server.ledger_minor == FLOAT_MINOR - 19500 * len(sold)
    assert again.troubles({**first.durable, **again.durable}) == []
    if sold:
        last = again.till.last_sale()
        assert last is not None and again.till.reprint(last).details == LONGEST
        assert opened(again, last.sequence) == LONGEST
    return True


def all_cuts(folder: Path, how: str) -> int:
    number = 1
    while _cut_at(folder / f"{how}{number}", number, how):
        number += 1
    return number - 1


@pytest.mark.parametrize("how", HOW)
def test_a_cut_anywhere_in_a_sale_of_others_loses_and_doubles_nothing(
    how: str, tmp_path: Path
) -> None:
    assert all_cuts(tmp_path, how) >= 10, "intent, pending, pieces, answer and end"


WRONG_BUILDS: dict[str, tuple[Any, str, Any]] = {
    "details stay in RAM": (
        details,
        "put_down",
        lambda right: lambda *of: [],
    ),
    "a piece is left out": (
        details,
        "put_down",
        lambda right: lambda *of: right(*of)[:-1],
    ),
    "a pending sale is forgotten": (
        state.SalesState,
        "apply",
        lambda right: (
            lambda self, sequence, kind, time, body: (
                self.unfinished.remove(self.entry(body[0]))
                if kind == state.PENDING and self.entry(body[0])
                else right(self, sequence, kind, time, body)
            )
        ),
    ),
    "the recipient is asked for without its number": (
        asking,
        "_SALE_RECIPIENT",
        lambda right: 22,
    ),
}


@pytest.mark.parametrize("wrong", WRONG_BUILDS)
def test_a_wrong_build_is_noticed(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, change = WRONG_BUILDS[wrong]
    monkeypatch.setattr(where, name, change(getattr(where, name)))
    with pytest.raises((AssertionError, SaleRefused, KeyError, ValueError)):
        for how in HOW:
            all_cuts(tmp_path, how)
