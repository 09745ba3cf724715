"""Stock is wiped when the terminal was away for longer than its price list says, or is stolen: what
nobody opened can be had back by the office, and nothing that was paid for is lost.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.duties import radio
from firmware.office import stock_delivery
from firmware.sales.away import must_wipe
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from tests.money import oracle
from tests.money.shop import TIME, Shop, open_shop
from tests.money.test_selling import with_offline

WIPES = with_offline(wipe_after_s=500_000)
DAY_S = 86400


def files(shop: Shop) -> list[str]:
    return sorted(path.name for path in shop.folder.iterdir())


def said(shop: Shop) -> list[Any]:
    """What the journal says of batches, in order."""
    return [r.body for _, r in sorted(oracle.read(bytes(shop.flash.cells)).items()) if r.kind == 9]


def wipe(shop: Shop) -> None:
    stock_delivery.wipe(shop.journal, shop.till.stock)


def is_due(shop: Shop, now: int) -> bool:
    return bool(must_wipe(shop.till.catalogue, shop.journal.state, now))


def test_a_terminal_is_away_from_its_last_settlement_on_whatever_its_clock_says(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)
    assert not is_due(shop, TIME + 500_000)
    assert is_due(shop, TIME + 500_001)
    assert not is_due(shop, 0), "a clock that knows nothing"
    shop.time = TIME + 499_000
    shop.till.booted(2, 1, "power-on")
    shop.time = TIME
    shop.till.booted(3, 1, "power-on", True)
    assert is_due(shop, TIME), "set back, and a start without a clock is a day"
    shop.time = TIME + 600_000
    shop.server.time = shop.time
    shop.check_in()
    assert not is_due(shop, shop.time)


def test_a_price_list_that_says_nothing_wipes_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    assert not is_due(shop, TIME + 10 * 365 * DAY_S)


def test_nothing_is_sold_from_what_was_wiped_and_the_office_hears_from_which_index_on(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)
    for _ in range(3):
        shop.sell_offline("air50")
    shop.till.stock.wiped_through = 9  # as the duty notes first
    wipe(shop)
    assert files(shop) == []
    assert said(shop)[-2:] == [[7, 3, 1], [9, 0, 1]]
    wipe(shop)
    assert said(shop)[-2:] == [[7, 3, 1], [9, 0, 1]], "harmless twice"
    shop = shop.reboot()
    shop.till.stock.wiped_through = 9  # as the terminal remembers
    with pytest.raises(SaleRefused, match="no_stock"):
        shop.till.begin_offline("air50")
    shop.check_in()
    with pytest.raises(SaleRefused, match="no_stock"):
        shop.till.begin_offline("air50")
    assert files(shop) == [], "no copy of the last sale is worth the file of its batch"
    shop.sell_online("air50")
    assert shop.troubles(shop.durable) == []


def test_what_is_paid_for_is_handed_over_and_then_its_file_goes_too(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)
    sale = shop.till.begin_offline("air50")
    wipe(shop)
    assert files(shop) == ["7.cbor"]
    shop.print(sale, shop.till.voucher(sale), "original")
    wipe(shop)
    assert files(shop) == []


def test_a_full_journal_keeps_no_voucher_in_a_thiefs_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)

    def full(*_: Any) -> int:
        raise JournalFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(shop.journal, "append", full)
        wipe(shop)
    assert files(shop) == []
    shop.check_in()  # at home: nothing was said, so it is there again, and sold once
    shop.sell_offline("air50")
    assert shop.troubles(shop.durable) == []


class Duty:
    """The radio's look at the policy, on a clock that the test holds."""

    def __init__(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms = 0
        self.wipes = 0
        monkeypatch.setattr(radio, "ticks_ms", lambda: self.ms)
        memory = _Memory()
        terminal = SimpleNamespace(
            journal=shop.journal,
            catalogue=shop.till.catalogue,
            now=lambda: shop.time,
            memory=memory,
        )
        self.memory = memory
        self._radio = radio.Radio(terminal, SimpleNamespace(wipe=self._wiped))

    def _wiped(self) -> None:
        self.wipes += 1

    def looks(self, ms: int) -> int:
        self.ms += ms
        self._radio._look_at_policy()
        return self.wipes


class _Memory(dict[str, Any]):
    put = dict.__setitem__


def test_a_clock_that_went_wrong_has_ten_minutes_to_be_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)
    duty = Duty(shop, monkeypatch)
    shop.time = TIME + 10 * 365 * DAY_S
    assert duty.looks(599_000) == 0
    shop.time = TIME + 60  # the server was reached
    assert duty.looks(2_000) == 0
    shop.time = TIME + 500_001
    assert duty.looks(1) == 1
    assert duty.looks(1) == 1, "and not again and again"
    assert duty.memory["wiped"] is True


def test_once_an_open_sale_has_its_end_what_it_kept_is_wiped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(tmp_path / "stock", catalogue=WIPES)
    duty = Duty(shop, monkeypatch)
    sale = shop.till.begin_offline("air50")
    shop.time = TIME + 500_001
    assert (duty.looks(600_000), duty.looks(1)) == (1, 2)
    shop.print(sale, shop.till.voucher(sale), "original")
    assert (duty.looks(1), duty.looks(1)) == (3, 3)
