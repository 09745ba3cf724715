"""The power fails around and inside every flash operation of a day; every promise still holds.

The judge (`Shop.troubles`) reads raw flash, paper and the server's books. Each wrong build below
must be caught by it, or it judges nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import cbor
from firmware.journal import Journal, JournalFull
from firmware.messages import NoNetwork
from firmware.till import SaleRefused, Till
from tests.money import office
from tests.money.nor import Nor, Operation
from tests.money.shop import Shop, open_shop, snapshot

Business = Callable[[Shop], None]
SECTORS = 6


def trading(shop: Shop) -> None:
    """Online, offline, refused, lost answer, reprint, sync."""
    shop.sell_offline()
    shop.sell_online()
    shop.sell_offline("air100", certain=False)
    shop.server.refuse = "no_vouchers"
    shop.sell_online()
    shop.server.refuse = None
    last = shop.till.last_sale()
    shop.print(last, shop.till.reprint(last), "copy")
    shop.lose_replies = True
    with pytest.raises(NoNetwork):
        shop.sell_online()
    shop.sell_offline()
    shop.lose_replies = False
    shop.sync()
    shop.recover()
    shop.sell_online("air100")
    shop.sync()


def turning_the_ring(shop: Shop) -> None:
    """So many sales that the ring turns more than once, acknowledged now and then."""
    for n in range(140):
        shop.sell_offline()
        if n % 23 == 22:
            shop.sync()


def filling_the_ring(shop: Shop) -> None:
    """No network until the journal is full; the sale begun last is finished; then all is sent."""
    for _ in range(400):
        try:
            shop.sell_offline()
        except SaleRefused as refused:
            assert refused.code == "journal_full"
            break
        for _ in range(3):
            last = shop.till.last_sale()
            try:
                shop.print(last, shop.till.reprint(last), "copy")
            except SaleRefused:
                break
    else:
        raise AssertionError("never full")
    shop.sync()
    shop.sell_offline()


GENEROUS = {
    "offline": {
        "max_amount_minor": 10000,
        "max_count": 1000,
        "max_total_minor": 100000000,
        "max_age_s": 259200,
    }
}


def catalogue() -> dict[str, Any]:
    from tests.money.shop import CATALOGUE

    return {**CATALOGUE, **GENEROUS}


class Generous(Shop):
    """With an offline policy that lets the ring fill."""

    def __init__(
        self,
        flash: Nor,
        server: office.Office,
        paper: list[tuple[str, str, int]],
        folder: Path,
        boot_count: int = 1,
        _catalogue: object = None,
    ) -> None:
        super().__init__(flash, server, paper, folder, boot_count, catalogue())


Instant = tuple[Operation, bytes, office.Office, list[tuple[str, str, int]], dict[int, bytes]]


def instants(
    business: Business, folder: Path, shop_class: type[Shop], every: int = 1
) -> Iterator[Instant]:
    """Every `every`-th flash operation of one undisturbed run, with the world just before it."""
    seen: list[Instant] = []
    count = 0
    shop: list[Shop] = []

    def note(operation: Operation) -> None:
        nonlocal count
        count += 1
        if shop and (count % every == 0 or operation.data is None):
            seen.append((operation, *snapshot(shop[0])))

    opened = open_shop(folder, SECTORS, shop_class=shop_class)
    shop.append(opened)
    opened.flash.on_operation = note
    business(opened)
    assert opened.troubles(opened.durable) == []
    yield from seen


def live_on(shop: Shop) -> None:
    """What the terminal does after the cut, up to the server having everything."""
    shop.recover()
    try:
        shop.sell_offline()
    except SaleRefused as refused:
        if refused.code != "journal_full":
            raise
    shop.sync()
    shop.recover()
    shop.sell_online()
    shop.sync()


def unresolved(shop: Shop) -> list[str]:
    """What the money does not add up to once all is sent."""
    wrong = []
    if shop.till.float_minor != shop.server.ledger_minor:
        wrong.append(f"float {shop.till.float_minor}, ledger {shop.server.ledger_minor}")
    if shop.till.unsynced_count:
        wrong.append("sales were left unsent")
    on_paper = {sequence for _, _, sequence in shop.paper}
    sold = set(shop.server.sold.values()) | {
        s for s, (_, answer) in shop.server.answers.items() if answer[1] == 0
    }
    if sold - on_paper:
        wrong.append(f"sold and never handed over: {sorted(sold - on_paper)}")
    return wrong


def cut_everywhere(
    business: Business,
    folder: Path,
    shop_class: type[Shop] = Shop,
    every: int = 1,
    second: int = 0,
    first_only: bool = False,
) -> tuple[int, list[str]]:
    """(distinct flash states after a cut, what went wrong in them).

    With `second` > 0 the recovery of every `second`-th state is cut in its turn, at each operation.
    """
    states = set()
    wrong: list[str] = []
    for n, (operation, before, server, paper, durable) in enumerate(
        instants(business, folder, shop_class, every)
    ):
        for name, content in operation.torn(before):
            case = f"operation {n} at 0x{operation.address:x} {name}"
            if content in states:
                continue
            states.add(content)
            cuts: list[Instant] = []
            lives: list[Shop] = []

            def note(op: Operation, cuts: Any = cuts, lives: Any = lives) -> None:
                if lives:
                    cuts.append((op, *snapshot(lives[0])))

            try:
                flash = Nor(content)
                flash.on_operation = note
                shop = shop_class(flash, copy.deepcopy(server), list(paper), folder, 2)
                lives.append(shop)
                live_on(shop)
                shop = shop.reboot()
                shop.check_in()
                found = shop.troubles({**durable, **lives[0].durable}) + unresolved(shop)
                if flash.violations:
                    found.append("a written byte was written again with other content")
            except Exception as error:
                found = [f"{type(error).__name__}: {error}"]
            wrong += [f"{case}: {trouble}" for trouble in found]
            if wrong and first_only:
                return len(states), wrong
            if second and len(states) % second == 0:
                for m, (op, then, server2, paper2, durable2) in enumerate(cuts):
                    for name2, content2 in op.torn(then):
                        if content2 in states:
                            continue
                        states.add(content2)
                        case2 = f"{case}, then operation {m} {name2}"
                        try:
                            again = shop_class(
                                Nor(content2), copy.deepcopy(server2), list(paper2), folder, 3
                            )
                            live_on(again)
                            found = again.troubles({**durable, **durable2}) + unresolved(again)
                        except Exception as error:
                            found = [f"{type(error).__name__}: {error}"]
                        wrong += [f"{case2}: {trouble}" for trouble in found]
    return len(states), wrong


def test_a_cut_anywhere_in_a_days_trading_loses_and_doubles_nothing(tmp_path: Path) -> None:
    states, wrong = cut_everywhere(trading, tmp_path / "stock", second=40)
    assert wrong == []
    assert states > 250


@pytest.mark.slow
def test_a_cut_anywhere_while_the_ring_turns_loses_and_doubles_nothing(tmp_path: Path) -> None:
    states, wrong = cut_everywhere(turning_the_ring, tmp_path / "stock", Generous, every=5)
    assert wrong == []
    assert states > 150


@pytest.mark.slow
def test_a_cut_anywhere_while_the_ring_fills_loses_and_doubles_nothing(tmp_path: Path) -> None:
    states, wrong = cut_everywhere(filling_the_ring, tmp_path / "stock", Generous, every=15)
    assert wrong == []
    assert states > 120


# --- wrong builds, each a failure that a field has seen ---


class _OpensFirst(Till):  # type: ignore[misc]
    """The voucher is opened and given out before its intent is in flash."""

    def begin_offline(self, product_id: str) -> Any:
        batch, index, _ = self._places(product_id)[0]
        pin, _, _ = self.stock.open_pin(batch, index)
        self.paper.append((pin, "original", self.journal.next_sequence))
        return super().begin_offline(product_id)


class IntentAfterPaper(Shop):
    till_class = _OpensFirst

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.till.paper = self.paper

    def sell_offline(self, product: str = "air50", certain: bool = True) -> Any:
        sale = self.till.begin_offline(product)
        self.till.printed(sale, certain)
        return sale


class _WritesOnTorn(Journal):  # type: ignore[misc]
    """The next record goes right over the bytes of a torn one."""

    def _fold(self, sector: int) -> None:
        super()._fold(sector)
        if self._last:
            self._at: int = (self._last[0] % 4096 + self._last[1] + 3) // 4 * 4


class OverTornBytes(Shop):
    journal_class = _WritesOnTorn


class _EarlyAcknowledge(Journal):  # type: ignore[misc]
    """Records leave the ring when they were sent, not when the server has them."""

    def free_sectors(self) -> int:
        return int(self._sectors - 1)


class AcknowledgedBySending(Generous):
    journal_class = _EarlyAcknowledge


class _NoCheckpoint(Journal):  # type: ignore[misc]
    """A new sector's checkpoint forgets how far the batches are sold."""

    def _open(self) -> None:
        kept = {batch: list(position) for batch, position in self.state.batches.items()}
        for position in self.state.batches.values():
            position[0] = 0
        super()._open()
        self.state.batches = kept


class CounterNotInCheckpoint(Generous):
    journal_class = _NoCheckpoint


class _NoSequence(Journal):  # type: ignore[misc]
    """After a start the chain begins anew, as if the records before were nobody's."""

    def mount(self) -> None:
        super().mount()
        self._chain = bytes(8)


class ChainForgotten(Shop):
    journal_class = _NoSequence


class _SealsNothing(Till):  # type: ignore[misc]
    """A finished sale is not journaled as printed until the next one begins."""

    def printed(self, sale: Any, certain: bool) -> None:
        self._fresh.pop(sale.sequence, None)
        self.journal.state.unfinished = []


class PrintedInMemory(Shop):
    till_class = _SealsNothing

    def recover(self) -> None:
        for sale in self.till.unfinished():
            if sale.has_voucher:
                self.print(sale, self.till._open(sale), "original")


WRONG_BUILDS: list[tuple[type[Shop], Business, int]] = [
    (IntentAfterPaper, trading, 1),
    (OverTornBytes, trading, 1),
    (AcknowledgedBySending, filling_the_ring, 40),
    (CounterNotInCheckpoint, turning_the_ring, 11),
    (ChainForgotten, trading, 3),
    (PrintedInMemory, trading, 1),
]


@pytest.mark.parametrize(
    ("shop_class", "business", "every"),
    WRONG_BUILDS,
    ids=[b[0].__name__ for b in WRONG_BUILDS],
)
def test_the_judge_catches_a_build_with(
    shop_class: type[Shop], business: Business, every: int, tmp_path: Path
) -> None:
    try:
        stock = tmp_path / "stock"
        _, wrong = cut_everywhere(business, stock, shop_class, every, first_only=True)
    except (AssertionError, JournalFull, IndexError) as caught_without_a_cut:
        wrong = [str(caught_without_a_cut)]
    assert wrong


def test_a_spoiled_last_record_never_lets_its_pin_be_sold_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", SECTORS)
    sale = shop.till.begin_offline("air50")
    pin = shop.till.voucher(sale).pin
    shop.paper.append((pin, "original", sale.sequence))
    image = bytearray(shop.flash.cells)
    offset, size = shop.journal._base(shop.journal._sector), shop.journal._at
    image[offset + size - 40] &= 0x0F  # inside the intent, which nothing follows
    again = shop.reboot(bytes(image))
    fresh = again.sell_offline()
    assert again.paper[-1][0] != pin
    assert cbor.dumps(fresh.place) != cbor.dumps(sale.place)


def test_an_answer_that_was_lost_is_asked_for_again_and_sold_once(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.lose_replies = True
    with pytest.raises(NoNetwork):
        shop.sell_online()
    again = shop.reboot()
    (sale,) = again.till.unfinished()
    assert not sale.has_voucher
    again.recover()
    assert again.till.unfinished() == []
    assert again.till.float_minor == again.server.ledger_minor
    assert [how for _, how, _ in again.paper] == ["original"]
    assert len(again.server.answers) == 1
