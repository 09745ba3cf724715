"""The last sales as the terminal finds them, against every record that was ever written."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootloader.shared.partitions import Partition
from firmware.office.ask import ask
from firmware.office.messenger import NoNetwork
from firmware.sales import recent
from firmware.sales.journal import Journal, JournalFull
from firmware.sales.sale import SaleRefused
from tests.money import office, oracle
from tests.money.nor import Nor
from tests.money.shop import TIME, Shop, open_shop
from tests.money.test_journal_ring import ring

MOST = 20


def look(till: Any) -> Any:
    """The list as the flow makes it."""
    found = recent.Recent(till)
    asyncio.run(found.look_back())
    found.sift()
    return found


def told(shop: Shop) -> list[tuple[Any, ...]]:
    """What the terminal says of each: number, state, product, amount, recipient, serial."""
    found = look(shop.till)
    rows = []
    for at in range(found.sift()):
        sale = found.sale(at)
        assert sale is not None
        rows.append(
            (
                found.number(at),
                found.stands(at, sale),
                sale.product_id,
                sale.amount_minor,
                sale.recipient,
                found.serial(at, sale),
                sale.time,
            )
        )
    return rows


def wanted(shop: Shop, ever: dict[int, bytes]) -> list[tuple[Any, ...]]:
    """The same from all records that were ever durable, by docs/formats/journal.md alone."""
    records = {sequence: oracle.parse(raw) for sequence, raw in ever.items()}
    in_ring = min(oracle.read(bytes(shop.flash.cells)))
    by_sale: dict[int, list[oracle.Record]] = {}
    for record in records.values():
        if record.kind in (4, 5, 6, 11, 13):
            by_sale.setdefault(record.body[0], []).append(record)
    rows: list[tuple[Any, ...]] = []
    for number in sorted((n for n, r in records.items() if r.kind in (2, 3)), reverse=True):
        intent, later = records[number], by_sale.get(number, [])
        if number < in_ring and not any(r.kind == 11 and r.sequence >= in_ring for r in later):
            continue
        answers = [r for r in later if r.kind == 4]
        refusals = [r.body[1] for r in later if r.kind == 5]
        words = [r.body[1] for r in later if r.kind == 6]
        if refusals:
            stands = "st_back" if intent.kind == 2 or refusals == ["lost"] else "st_refused"
        elif 0 in words:
            stands = "st_out"
        elif words:
            stands = "st_doubt"
        elif intent.kind == 3 and not answers:
            stands = "st_waits"
        else:
            stands = "st_ready" if number in shop.till._fresh else "st_doubt"
        recipient = intent.body[3] if intent.kind == 3 and len(intent.body) > 3 else None
        if intent.kind == 2:
            serial = f"S{intent.body[3]}-{intent.body[4]}"
        else:
            serial = answers[-1].body[2] if answers else ""
        rows.append((number, stands, *intent.body[:2], recipient, serial, intent.time))
    return rows[:MOST]


def copy_of_any(shop: Shop, dice: random.Random) -> None:
    """One that is listed, printed again: its copy is worth what the first print was."""
    found = look(shop.till)
    for at in dice.sample(range(found.sift()), found.sift()):
        sale = found.sale(at)
        assert sale is not None
        if sale.has_voucher and found.stands(at, sale) not in ("st_refused", "st_back"):
            voucher = shop.till.reprint(sale)
            before = {pin for pin, _, sequence in shop.paper if sequence == sale.sequence}
            assert before <= {voucher.pin} and voucher.copy > 0
            shop.print(sale, voucher, "copy", dice.random() < 0.5)
            return


def one_step(shop: Shop, dice: random.Random, padding: int) -> None:
    """Something that a day brings; `padding`: how much else is journaled with it, at most."""
    do = dice.random()
    shop.time += dice.randrange(400)
    shop.server.time = shop.time
    shop.online = dice.random() < 0.8
    shop.lose_replies = dice.random() < 0.1
    shop.server.refuse = "no_vouchers" if dice.random() < 0.1 else None
    shop.server.details = [["customer", "x" * 40]] if dice.random() < 0.5 else []
    try:
        if do < 0.35:
            sale = shop.till.begin_offline("air50")
            if dice.random() < 0.9:
                shop.print(sale, shop.till.voucher(sale), "original", dice.random() < 0.8)
        elif do < 0.55:
            shop.sell_online()
        elif do < 0.75:
            shop.server.pending[0] = dice.randrange(2)
            shop.sell_power()
        elif do < 0.8:
            shop.recover()
        elif do < 0.9:
            copy_of_any(shop, dice)
        else:
            shop.check_in()
            shop.sync()
            for _ in range(dice.randrange(padding)):  # what is no sale
                shop.journal.append(10, ["padding", "." * 200])
    except (SaleRefused, NoNetwork, JournalFull):
        pass


def days(seed: int, folder: Path) -> int:
    """A terminal's days over a ring that turns; how often its list was compared with the truth."""
    dice = random.Random(seed)
    batches = {n: office.stock_file(n, "air50", 5000, 100) for n in range(5, 12)}
    shop = open_shop(folder, sectors=6, batches=batches)
    ever = dict(shop.durable)
    lists = 0
    for _ in range(200):
        one_step(shop, dice, dice.choice((2, 2, 60)))
        if dice.random() < 0.05:
            shop = shop.reboot()
        ever.update({n: record.raw for n, record in oracle.read(bytes(shop.flash.cells)).items()})
        if dice.random() < 0.2:
            assert told(shop) == wanted(shop, ever)
            lists += 1
    assert shop.journal.oldest > 50, "the ring never turned"
    assert shop.troubles(ever) == []
    return lists


@pytest.mark.parametrize("seed", range(4))
def test_the_list_is_what_all_records_ever_written_say(seed: int, tmp_path: Path) -> None:
    assert days(seed, tmp_path / "stock") > 20


class _ReadsOneSector(recent.Recent):  # type: ignore[misc]
    """What lies behind the newest sector is not looked for."""

    async def look_back(self) -> None:
        ring = self._journal.ring
        for sequence, kind, _, body, _ in self._journal.records(ring.first[ring.newest % 6]):
            if body:
                self._take(sequence, kind, body)


class _KnowsNoRestating(recent.Recent):  # type: ignore[misc]
    """What was written again at the end of the journal is not seen."""

    def _take(self, sequence: int, kind: int, body: list[Any]) -> None:
        if kind != 11:
            super()._take(sequence, kind, body)


class _ForgetsTheCopy(recent.Recent):  # type: ignore[misc]
    """Printer's words: the last one read counts, and not whether any said that it is out."""

    def _take(self, sequence: int, kind: int, body: list[Any]) -> None:
        if kind == 6 and (known := self._entry(body[0])) and known[2] >= 0:
            known[2] = 2 if body[1] else 1
        else:
            super()._take(sequence, kind, body)


@pytest.mark.parametrize("wrong", [_ReadsOneSector, _ForgetsTheCopy])
def test_a_list_that_reads_the_journal_wrongly_is_noticed(
    wrong: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "Recent", wrong)
    with pytest.raises(AssertionError, match="=="):
        for seed in range(8):
            days(seed, tmp_path / str(seed))


class _Counting(Nor):
    """A flash that counts what is read of it."""

    read_bytes = 0

    def read_into(self, address: int, buf: bytearray | memoryview) -> None:
        self.read_bytes += len(buf)
        super().read_into(address, buf)


def _full(sectors: int) -> tuple[_Counting, Any]:
    """A journal of so many sectors in which nothing may be sold any more, mounted anew."""
    flash, journal = ring(sectors)
    sale = 0
    try:
        while True:
            sale = journal.append(2, ["air50", 5000, 250, 7, sale])
            journal.append(6, [sale, 0])
    except JournalFull:
        pass
    counting = _Counting(bytes(flash.cells))
    again = Journal(Partition(counting, 0, counting.size_bytes), lambda: TIME)
    again.mount()
    return counting, again


@pytest.mark.parametrize("sectors", [8, 128])
def test_a_full_ring_is_read_no_further_back_than_the_list_goes(sectors: int) -> None:
    """57 sales a sector: however long the ring, two sectors at most."""
    flash, journal = _full(sectors)
    flash.read_bytes = 0
    found = look(SimpleNamespace(journal=journal))
    assert found.sift() == MOST and found.number(0) > found.number(MOST - 1)
    assert found.sectors_read <= 2
    assert flash.read_bytes < 3 * 4096 * 2, "a record is read as its head and as a whole"


def test_a_ring_of_idle_days_is_read_once_and_ends() -> None:
    """The worst: no sale anywhere. It goes on between sectors, so that a key can stop it."""
    flash, journal = ring(128)
    for n in range(3000):
        journal.append(8, [0, n, TIME, 0, 0, 0])
    counting = _Counting(bytes(flash.cells))
    journal = Journal(Partition(counting, 0, counting.size_bytes), lambda: TIME)
    journal.mount()
    written = journal.ring.newest + 1
    counting.read_bytes = 0
    found = recent.Recent(SimpleNamespace(journal=journal))
    steps = 0
    looking = found.look_back()

    async def step_by_step() -> int:
        nonlocal steps
        task = asyncio.ensure_future(looking)
        while not task.done():
            await asyncio.sleep(0)
            steps += 1
        await task
        return steps

    assert asyncio.run(step_by_step()) >= found.sectors_read == written
    assert found.sift() == 0
    assert counting.read_bytes < 3 * 4096 * written


def test_what_was_found_before_it_was_stopped_are_the_newest() -> None:
    _, journal = ring(16)
    for n in range(3):
        journal.append(2, ["air50", 5000, 250, 7, n])
        for _ in range(30):
            journal.append(10, ["padding", "." * 200])
    found = recent.Recent(SimpleNamespace(journal=journal))
    numbers: list[int] = []

    async def stopped() -> None:
        task = asyncio.ensure_future(found.look_back())
        while not found.sift():
            await asyncio.sleep(0)
        task.cancel()
        numbers.extend(found.number(at) for at in range(found.sift()))

    asyncio.run(stopped())
    assert numbers == [63]


def _restated_and_ended(folder: Path) -> Shop:
    """A sale with details stayed open until the ring had turned, and then came to its end; then
    another one was sold.
    """
    shop = open_shop(folder, sectors=6)
    shop.server.details = [["customer", "x" * 40]]
    sale = shop.till.begin_online("power", None, "37123456785", 20000)
    assert asyncio.run(ask(shop.messenger, shop.till, sale)) == ""
    voucher = shop.till.voucher(sale)
    while shop.journal.oldest <= sale.sequence:
        shop.journal.append(10, ["padding", "." * 200])
        shop.sync()
    shop.print(sale, voucher, "original", False)
    shop.sell_offline()
    return shop


def test_a_sale_that_was_restated_is_listed_and_copied_when_it_is_over(tmp_path: Path) -> None:
    shop = _restated_and_ended(tmp_path)
    found = look(shop.till)
    assert found.sift() == 2
    sale = found.sale(1)
    assert sale is not None and found.stands(1, sale) == "st_doubt"
    voucher = shop.till.reprint(sale)
    assert voucher.pin == shop.paper[0][0] and voucher.details == [["customer", "x" * 40]]
    assert (voucher.recipient, voucher.amount_minor) == ("37123456785", 20000)


def test_a_list_that_knows_no_restating_is_noticed(tmp_path: Path) -> None:
    found = _KnowsNoRestating(_restated_and_ended(tmp_path).till)
    asyncio.run(found.look_back())
    assert found.sift() == 1


def test_a_voucher_that_did_not_open_is_listed_as_returned_and_a_refusal_with_its_reason(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    file = shop.folder / "7.cbor"
    data = bytearray(file.read_bytes())
    data[data.index(b"S7-0") + 8] ^= 1
    file.write_bytes(data)
    sale = shop.till.begin_offline("air50")
    with pytest.raises(SaleRefused, match="spoiled"):
        shop.till.voucher(sale)
    shop.server.refuse = "no_vouchers"
    assert shop.sell_online() == "no_vouchers"
    found = look(shop.till)
    states = []
    for at in range(found.sift()):
        sale = found.sale(at)
        assert sale is not None
        states.append((found.stands(at, sale), found.reason(at)))
    assert states == [("st_refused", "no_vouchers"), ("st_back", "spoiled")]


def test_flash_that_loses_the_record_of_a_sale_takes_that_one_from_the_list_and_no_other(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    sold = [shop.sell_offline() for _ in range(3)]
    before = look(shop.till)
    at = bytes(shop.flash.cells).index(shop.durable[sold[1].sequence])
    shop.flash.cells[at + 12] &= 0x0F
    assert before.sale(1) is None, "listed before it was lost: it is said to be damaged"
    assert before.sale(0) is not None and before.sale(2) is not None
    assert [row[0] for row in told(shop)] == [sold[2].sequence, sold[0].sequence]
