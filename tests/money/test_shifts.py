"""Shifts and Z reports: what they count, and that their numbers rise, against all records ever."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from bootloader.shared import cbor
from firmware.sales import shifts, tally
from firmware.sales.journal import JournalFull
from firmware.sales.sale import SaleRefused
from firmware.sales.shifts import Shifts
from tests.money import oracle
from tests.money.shop import TIME, Shop, open_shop
from tests.money.test_journal_ring import ring

DAY_S = 86400


def found(shop: Shop, number: int | None = None) -> Any:
    books = Shifts(shop.journal)
    asyncio.run(books.look_back(number))
    return books


def z(shop: Shop) -> Any:
    """The next Z report, as the flow makes it."""
    books = found(shop, 0)
    return books.make_z(tally.Tally(shop.journal, books.next_z()[1]))


def ever(shop: Shop, before: dict[int, bytes] | None = None) -> dict[int, oracle.Record]:
    return {n: oracle.parse(raw) for n, raw in {**(before or {}), **shop.durable}.items()}


def figures(made: Any) -> tuple[int, int, int]:
    return made.count, made.total_minor, made.commission_minor


def test_a_z_report_counts_what_was_sold_since_the_one_before(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.sell_online("air100")
    first = z(shop)
    assert (first.number, first.first) == (1, 1) and figures(first) == (2, 15000, 500)
    shop.sell_offline()
    second = z(shop)
    assert (second.number, second.first) == (2, first.sequence + 1)
    assert figures(second) == (1, 5000, 250)
    assert figures(z(shop)) == (0, 0, 0)


def test_its_record_has_the_chains_tag_before_it(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    made = z(shop)
    records = oracle.read(bytes(shop.flash.cells))
    assert made.tag == records[made.sequence - 1].raw[-8:]
    assert records[made.sequence].kind == 17
    assert records[made.sequence].body == [1, 1, 1, 5000, 250, made.tag]


def test_a_sale_that_was_open_at_one_z_counts_in_the_next(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.lose_replies = True
    with pytest.raises(Exception, match="lost"):
        shop.sell_online("air100")
    shop.lose_replies = False
    assert figures(z(shop)) == (0, 0, 0)
    shop.recover()
    assert figures(z(shop)) == (1, 10000, 250)
    assert figures(z(shop)) == (0, 0, 0)


def test_what_comes_while_it_is_added_up_is_in_it(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    books = found(shop, 0)
    added = tally.Tally(shop.journal, 1)
    asyncio.run(added.run())
    shop.sell_offline()
    shop.sync()
    assert figures(books.make_z(added)) == (1, 5000, 250)


def test_a_sale_given_back_after_a_z_is_taken_off_the_next(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_offline("air50")
    assert figures(z(shop)) == (1, 5000, 250)
    shop.journal.append(5, [sale.sequence, "spoiled"])
    assert figures(z(shop)) == (-1, -5000, -250)


def test_a_cancelled_sale_is_in_no_report(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_online()
    last = shop.till.last_sale().sequence
    shop.journal.append(5, [last, "cancelled"])
    day = tally.of_days(shop.journal, shop.time, 0)
    day.finish()
    assert figures(day) == figures(z(shop)) == (0, 0, 0)


def test_numbers_go_on_after_a_start(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    assert [z(shop).number, z(shop).number] == [1, 2]
    shop = shop.reboot()
    assert z(shop).number == 3
    assert found(shop, 2).last.number == 2
    assert found(shop, 9).last is None


def test_a_number_never_comes_again_when_its_record_has_left_the_ring(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", sectors=8)
    last = z(shop)
    while shop.journal.oldest <= last.sequence:
        shop.journal.append(10, ["padding", "." * 200])
        if shop.journal.free_sectors() < 3:
            shop.sync()
    made = z(shop)
    assert made.number > last.number
    assert made.number <= made.sequence and made.first == shop.journal.oldest > 1
    assert z(shop).number == made.number + 1


def test_a_number_that_flash_lost_is_not_given_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    z(shop)
    lost = z(shop)
    shop.sell_offline()
    cells = bytearray(shop.flash.cells)
    raw = shop.durable[lost.sequence]
    cells[cells.index(raw) : cells.index(raw) + len(raw)] = bytes(len(raw))
    again = shop.reboot(bytes(cells))
    assert z(again).number == 3


def test_a_full_journal_makes_no_z_and_closes_no_shift(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", sectors=8)
    books = found(shop)
    books.open_shift(1, 0)
    with pytest.raises(JournalFull):
        while True:
            shop.journal.append(10, ["padding", "." * 200])
    before = shop.journal.next_sequence
    books = found(shop)
    with pytest.raises(SaleRefused, match="journal_full"):
        z(shop)
    with pytest.raises(SaleRefused, match="journal_full"):
        books.close_shift(books.open[0], 0, tally.Tally(shop.journal, 1), 0)
    assert shop.journal.next_sequence == before, "and what was sold can be finished"
    assert shop.journal._fits(4096, 1)


def test_a_shift_expects_what_was_there_and_what_its_person_sold(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.till.person = 1
    shop.sell_offline()
    found(shop).open_shift(1, 20000)
    shop.sell_online("air100")
    shop.till.person = 0
    shop.sell_offline()
    (mine,) = found(shop).open
    assert (mine.person, mine.cash_minor, mine.time) == (1, 20000, shop.time)
    added = tally.Tally(shop.journal, mine.number, only=1)
    assert found(shop).close_shift(mine, 29000, added, 0) == 30000
    assert oracle.read(bytes(shop.flash.cells))[shop.journal.next_sequence - 1].body == [
        *[mine.number, 29000, 30000, 1, 1, 0]
    ]
    assert found(shop.reboot()).open == []


def test_each_has_a_shift_of_their_own(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for person in (2, 0):
        found(shop).open_shift(person, 0)
    books = found(shop)
    assert [one.person for one in books.open] == [2, 0]
    assert books.of(0) is books.open[1] and books.of(1) is None
    books.close_shift(books.open[0], 0, tally.Tally(shop.journal, 1, only=2), 2)
    assert [one.person for one in found(shop).open] == [0]


def test_the_last_twenty_that_are_closed_are_there_the_newest_first(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    opened = []
    for cash_minor in range(23):
        found(shop).open_shift(0, cash_minor)
        (one,) = found(shop).open
        opened.append(one.number)
        found(shop).close_shift(one, cash_minor, tally.Tally(shop.journal, one.number), 0)
    closed = found(shop.reboot()).closed
    assert [one.number for one in closed] == opened[:2:-1] and len(closed) == 20
    assert [one.counted_minor for one in closed] == list(range(22, 2, -1))


def test_days_are_the_shops_own_and_weeks_begin_on_monday(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    offset_s = 3 * 3600
    for hours in (-30, -20, -2, 0):
        shop.time = TIME + hours * 3600
        shop.sell_offline()
    assert (TIME + offset_s) % DAY_S // 3600 == 17, "there it is Monday, seventeen o'clock"

    def sold(back: int, days: int) -> int:
        added = tally.of_days(shop.journal, TIME, offset_s, None, back, days)
        added.finish()
        count: int = added.count
        return count

    assert [sold(0, 1), sold(1, 1), sold(2, 1)] == [2, 2, 0]
    assert [tally.since_monday(TIME + n * DAY_S, offset_s) for n in range(8)] == [*range(7), 0]


@pytest.mark.parametrize("seed", range(4))
def test_reports_are_what_all_records_ever_written_say(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    shop = open_shop(tmp_path / "stock")
    made: list[Any] = []
    before: dict[int, bytes] = {}
    for _ in range(60):
        move = chance.randrange(8)
        shop.till.person = chance.randrange(3)
        try:
            if move < 3:
                shop.sell_offline()
            elif move == 3:
                shop.sell_online(chance.choice(("air50", "air100")))
            elif move == 4:
                shop.lose_replies = True
                shop.sell_online()
            elif move == 5:
                shop.recover()
            elif move == 6:
                made.append(z(shop))
            else:
                before.update(shop.durable)
                shop = shop.reboot()
        except Exception as error:
            assert "lost" in str(error) or isinstance(error, SaleRefused), error
        shop.lose_replies = False
    made.append(z(shop))
    records = ever(shop, before)
    assert [one.number for one in made] == list(range(1, len(made) + 1))
    between = itertools.pairwise([0, *[one.sequence for one in made]])
    for one, (last, after) in zip(made, between, strict=True):
        assert one.first == last + 1
        assert figures(one) == oracle.counted(records, one.first, after)
    for person in range(3):
        added = tally.Tally(shop.journal, 1, only=person)
        added.finish()
        assert figures(added) == oracle.counted(records, 1, 1 << 32, person)


def test_who_reads_while_reading_disturbs_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    alone = [sequence for sequence, *_ in shop.journal.records(1)]
    beside = []
    for sequence, _, _, body, _ in shop.journal.records(1):
        assert shop.journal.read(1) and body is not None
        beside.append(sequence)
    assert beside == alone


def test_a_release_of_before_reads_a_journal_with_them() -> None:
    _, journal = ring(8)
    state = cbor.dumps(journal.state.dump())
    for kind, body in ((15, [0, 1]), (16, [1, 0, 0, 0, 1, 1]), (17, [1, 1, 0, 0, 0, bytes(8)])):
        journal.append(kind, body)
    journal.state.time_seen = 0
    assert cbor.dumps(journal.state.dump()) == state, "nothing in the checkpoint says so"
    assert (shifts.SHIFT_OPENED, shifts.SHIFT_CLOSED, shifts.Z_REPORT) == (15, 16, 17)
