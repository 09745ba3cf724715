"""In every state that a terminal can come to, each sale that is open ends: its voucher opens, or it
is given back. Real till, stock, journal and sync; a machine that looks for the state where not.
"""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import firmware.sales.journal
from firmware.office import stock_delivery
from firmware.office.ask import ask
from firmware.office.messenger import BadReply, NoNetwork
from firmware.sales.catalogue import Catalogue
from firmware.sales.journal import Journal, JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.state import SETTING, SalesState
from firmware.sales.stock import Stock
from firmware.sales.till import Till
from tests.money import office
from tests.money.shop import CATALOGUE, FLOAT_MINOR, Shop, open_shop, run

DEBIT_MINOR = {"air50": 4750, "air100": 9750}
SECTORS = 4


def _batch(number: int, count: int, spoiled: bool = False) -> bytes:
    """A batch of air50; `spoiled`: its first voucher never opens, on any terminal."""
    content = cbor2.loads(office.stock_file(number, "air50", 5000, count))
    if spoiled:
        content[5][0][1] = content[5][0][1][:-1] + bytes([content[5][0][1][-1] ^ 1])
    return cbor2.dumps(content, canonical=True)


class EverySaleEnds(RuleBasedStateMachine):
    """The merchant sells and leaves sales open, the office sends batches, flash loses files, the
    ring turns; at any time it must be possible to bring everything to an end."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "stock"
        self.batches = 0
        self.poor: set[int] = set()
        self.marred = False
        """Whether a voucher was spoiled that nobody may have tried to open yet."""
        self.here: set[int] = set()
        self.lost = False
        """Whether flash lost files that the terminal had no chance to fetch again."""

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.bring_to_an_end()
        shutil.rmtree(self.folder.parent)

    @initialize(poor=st.sets(st.integers(1, 3)))
    def open(self, poor: set[int]) -> None:
        self.batches = 8
        self.poor |= poor
        batches = {n: _batch(n, 1 + n % 2, n in poor) for n in range(1, 9)}
        self.shop = open_shop(self.folder, SECTORS, batches)
        self.printed: dict[int, str] = {}

    # what the world does

    @rule(count=st.integers(1, 2), spoiled=st.booleans())
    def a_batch_is_assigned(self, count: int, spoiled: bool) -> None:
        self.batches += 1
        if spoiled:
            self.poor.add(self.batches)
        self.shop.server.waiting[self.batches] = _batch(self.batches, count, spoiled)

    @rule(network=st.booleans())
    def the_network_comes_or_goes(self, network: bool) -> None:
        self.shop.online = network

    @rule()
    def the_power_goes(self) -> None:
        self.shop = self._rebooted()

    def _rebooted(self) -> Shop:
        shop = self.shop.reboot()
        shop.online = self.shop.online
        return shop

    @rule(
        how=st.sampled_from(["gone", "cut", "changed", "all gone"]),
        which=st.integers(0, 9),
        tries=st.booleans(),
    )
    def flash_loses_a_stock_file(self, how: str, which: int, tries: bool) -> None:
        files = sorted(self.folder.glob("*"))
        if how == "all gone":
            for file in files:
                file.unlink()
        elif files:
            file = files[which % len(files)]
            raw = bytearray(file.read_bytes())
            if how == "changed":
                raw[-4] ^= 1  # in the seal of the last voucher
            file.write_bytes(raw[:-9] if how == "cut" else raw) if how != "gone" else file.unlink()
        self.shop = self._rebooted()
        self.lost = True
        self.marred |= how == "changed"
        if tries:
            self.finishes_what_is_open()

    @rule(products=st.sampled_from([["air50", "air100"], ["air100"]]))
    def the_catalogue_changes(self, products: list[str]) -> None:
        changed = copy.deepcopy(CATALOGUE)
        changed["products"] = [p for p in CATALOGUE["products"] if p["id"] in products]
        self.shop.till.catalogue = Catalogue(json.dumps(changed))

    @rule(records=st.sampled_from([30, 500]))
    def the_ring_turns(self, records: int) -> None:
        for n in range(records):
            try:
                self.shop.journal.append(SETTING, ["volume", n])
            except JournalFull:
                if not self.shop.online:
                    break
                self.shop.sync()  # then there must be room, whatever is open
                self.shop.journal.append(SETTING, ["volume", n])
            if self.shop.online and n % 20 == 0:
                self.shop.sync()

    # what the merchant does

    @rule()
    @precondition(lambda self: self.shop.online)
    def check_in(self) -> None:
        self.shop.check_in()
        self.shop.sync()
        self.lost = self.marred

    @rule(shown=st.booleans())
    def sells_from_stock_and_stops_half_way(self, shown: bool) -> None:
        try:
            sale = self.shop.till.begin_offline("air50")
            if shown:  # it comes out, and then the power goes
                self.shop.till.voucher(sale)
                self.printed[sale.sequence] = "air50"
        except SaleRefused:
            pass

    @rule(asked=st.booleans(), answered=st.booleans(), shown=st.booleans())
    def sells_online_and_stops_half_way(self, asked: bool, answered: bool, shown: bool) -> None:
        try:
            sale = self.shop.till.begin_online("air100")
            if not asked:
                return
            self.shop.lose_replies = not answered
            if run(ask(self.shop.messenger, self.shop.till, sale)) == "":
                self.here.add(sale.sequence)
                if shown:
                    self.shop.till.voucher(sale)
        except (SaleRefused, NoNetwork):
            pass
        finally:
            self.shop.lose_replies = False

    @rule()
    def finishes_what_is_open(self) -> None:
        for sale in self.shop.till.unfinished():
            try:
                self._hand_over(sale)
            except (SaleRefused, NoNetwork):
                pass

    def _hand_over(self, sale: Any) -> None:
        shop = self.shop
        if not sale.has_voucher and run(ask(shop.messenger, shop.till, sale)):
            return
        voucher = shop.till.reprint(sale) if sale.may_be_out else shop.till.voucher(sale)
        expected = office.stock_pin(*sale.place) if sale.place else f"7{sale.sequence:015d}"
        assert voucher.pin == expected
        self.printed[sale.sequence] = sale.product_id
        shop.till.printed(sale, True)

    # what must always be possible

    @invariant()
    def what_was_sold_opens_without_the_network(self) -> None:
        if not hasattr(self, "shop"):
            return
        till = self.shop.till
        last = till.last_sale()
        for sale in till.unfinished() + ([last] if last else []):
            if sale.online:
                assert sale.has_voucher or sale.sequence not in self.here
                assert not sale.has_voucher or till._open(sale).pin == f"7{sale.sequence:015d}"
            elif not self.lost and sale.place[0] not in self.poor:
                assert till._open(sale).pin == office.stock_pin(*sale.place)
        assert len(till.unfinished()) == len(self.shop.journal.state.unfinished)
        assert bool(last) == bool(self.shop.journal.state.last_sale)

    @rule()
    def bring_to_an_end(self) -> None:
        """With a network and a merchant who goes on, nothing stays open."""
        self.shop.online = True
        self.shop.till.catalogue = Catalogue(json.dumps(CATALOGUE))
        for _ in range(3):
            self.check_in()
            self.finishes_what_is_open()
            if not self.shop.journal.state.unfinished:
                break
            self.shop = self._rebooted()
        assert self.shop.journal.state.unfinished == [], "nothing can end this sale"
        last = self.shop.till.last_sale()
        if last:
            self.shop.check_in()
            assert self.shop.till.reprint(last).pin
        self.shop.sync()
        self.shop.check_in()
        self.shop.sync()
        server = self.shop.server
        sold = {s for place, s in server.sold.items() if s not in self._given_back()}
        sold |= {s for s, (_, answer) in server.answers.items() if answer[1] == 0}
        assert sold == set(self.printed), "sold and never handed over, or handed over for nothing"
        paid = sum(DEBIT_MINOR[product] for product in self.printed.values())
        assert FLOAT_MINOR - server.ledger_minor == paid
        assert self.shop.till.float_minor == server.ledger_minor
        assert server.alarms == []
        assert self.shop.flash.violations == 0

    def _given_back(self) -> set[int]:
        return {r.body[0] for r in self.shop.server.records if r and r.kind == 5}


SETTINGS = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_every_sale_opens_or_is_given_back_whatever_happened() -> None:
    run_state_machine_as_test(EverySaleEnds, settings=SETTINGS)


async def _no_renewal(journal: Any, messenger: Any, stock: Any) -> None:
    pass


Day = list[tuple[str, list[Any]]]
TURN: Day = [("the_ring_turns", [500])] * 2
HALF_ONLINE = ("sells_online_and_stops_half_way", [True, True, False])
ONE_LEFT_OPEN: Day = [HALF_ONLINE, *TURN, ("the_power_goes", [])]
FROM_STOCK: Day = [
    ("sells_from_stock_and_stops_half_way", [True]),
    *TURN,
    ("check_in", []),
    ("the_power_goes", []),
]
LAST_ONE: Day = [HALF_ONLINE, ("finishes_what_is_open", []), *TURN]
NINTH_BATCH: Day = [
    *[("sells_from_stock_and_stops_half_way", [True])] * 2,
    ("a_batch_is_assigned", [2, False]),
    ("check_in", []),
]
LOST_FILE: Day = [
    ("sells_from_stock_and_stops_half_way", [True]),
    ("flash_loses_a_stock_file", ["gone", 0, True]),
]
NEVER_OPENS: Day = [("sells_from_stock_and_stops_half_way", [False]), ("the_power_goes", [])]
NO_ANSWER: Day = [("sells_online_and_stops_half_way", [True, False, False])]
DAYS = [ONE_LEFT_OPEN, FROM_STOCK, LAST_ONE, NINTH_BATCH, LOST_FILE, NEVER_OPENS, NO_ANSWER]

WRONG_BUILDS: dict[str, tuple[Day, Any, str, Any]] = {
    "a sold-out batch goes although a sale needs it": (
        NINTH_BATCH, stock_delivery, "_needed", lambda journal, of=None: {}),
    "a lost stock file is never fetched again": (
        LOST_FILE, stock_delivery, "_renew_stock", _no_renewal),
    "an open sale pins the ring": (ONE_LEFT_OPEN, Journal, "_carry", lambda self, size: None),
    "a sale is restated without anything": (
        ONE_LEFT_OPEN, firmware.sales.journal, "restated", lambda read, known: None),
    "the last sale is not restated": (
        LAST_ONE, SalesState, "first_kept", lambda self: min(self.unfinished, default=None)),
    "a voucher that never opened is not given back": (
        NEVER_OPENS, Stock, "is_renewed", lambda self, batch_id: False),
    "what may be on paper is given back": (
        LOST_FILE, Stock, "is_renewed", lambda self, batch_id: True),
    "an answer is not taken in": (NO_ANSWER, Till, "delivered", lambda self, *delivered: None),
}  # fmt: skip


def _live(day: Day, poor: set[int]) -> None:
    machine = EverySaleEnds()
    machine.open(poor)
    for what, with_these in day:
        getattr(machine, what)(*with_these)
        machine.what_was_sold_opens_without_the_network()
    machine.teardown()


@pytest.mark.parametrize("day", DAYS)
def test_a_day_that_is_hard_on_a_sale_ends_well(day: Day) -> None:
    _live(day, {1} if day is NEVER_OPENS else set())


@pytest.mark.parametrize("wrong", WRONG_BUILDS)
def test_the_judge_finds_a_build_in_which(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    day, owner, name, value = WRONG_BUILDS[wrong]
    monkeypatch.setattr(owner, name, value)
    with pytest.raises((AssertionError, SaleRefused, JournalFull, BadReply)):
        _live(day, {1} if day is NEVER_OPENS else set())
