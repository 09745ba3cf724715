"""The ring by itself: turning, filling, and every kind of damage to what is already written."""

from __future__ import annotations

import random
import struct
from binascii import crc32
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import pytest

from bootloader.shared.partitions import Partition
from firmware.sales.journal import Journal, JournalFull
from firmware.sales.ring import JournalDamaged
from firmware.sales.sale import SaleRefused
from firmware.sales.state import (
    BOOT,
    CARRIED,
    INTENT_OFFLINE,
    INTENT_ONLINE,
    PRINTED,
    REPRINT,
    SETTING,
    restated,
)
from hw_sim.flash import NorFlash, PowerCut
from tests.money import office, oracle
from tests.money.nor import Nor
from tests.money.shop import TIME, open_shop


def ring(sectors: int = 8, content: bytes | None = None) -> tuple[Nor, Any]:
    flash = Nor(content or b"\xff" * sectors * 4096)
    journal = Journal(Partition(flash, 0, flash.size_bytes), lambda: TIME)
    journal.mount()
    return flash, journal


def sell(journal: Any, index: int) -> None:
    sale = journal.append(INTENT_OFFLINE, ["air50", 5000, 250, 7, index])
    journal.append(PRINTED, [sale, 0])


def offset_of(flash: Nor, raw: bytes) -> int:
    return bytes(flash.cells).index(raw)


def test_a_blank_partition_becomes_an_empty_journal() -> None:
    _, journal = ring()
    assert (journal.next_sequence, journal.oldest) == (1, 1)
    assert list(journal.records(1)) == []


def test_records_come_back_in_order_with_their_bytes() -> None:
    flash, journal = ring()
    for n in range(5):
        assert journal.append(SETTING, ["volume", n]) == n + 1
    got = list(journal.records(2))
    assert [(s, k, t, b) for s, k, t, b, _ in got] == [
        (n + 1, SETTING, TIME, ["volume", n]) for n in range(1, 5)
    ]
    assert [oracle.parse(raw).body for *_, raw in got] == [["volume", n] for n in range(1, 5)]
    assert oracle.check_chain(oracle.read(bytes(flash.cells))) == []


def test_mounting_again_gives_the_same_state_at_any_point_of_two_turns() -> None:
    flash, journal = ring()
    journal.acknowledge(0, 10_000_000, TIME)
    journal.append(9, [7, 900])
    for n in range(600):
        sell(journal, n)
        if n % 40 == 39:
            journal.acknowledge(journal.next_sequence - 3, 10_000_000 - 4750 * n)
        if n % 7 == 0:
            _, again = ring(content=bytes(flash.cells))
            assert again.state.dump() == journal.state.dump()
            assert again.next_sequence == journal.next_sequence
            assert again.ring.chain == journal.ring.chain
    assert journal.oldest > 300, "it turned"
    assert oracle.check_chain(oracle.read(bytes(flash.cells))) == []


def test_a_full_ring_refuses_intents_but_lets_a_sale_end_and_empties_by_acknowledgement(
    tmp_path: Path,
) -> None:
    _, journal = ring()
    sale = 0
    with pytest.raises(JournalFull):
        while True:
            sale = journal.append(INTENT_OFFLINE, ["air50", 5000, 250, 7, sale])
            journal.append(PRINTED, [sale, 0])
    assert not journal.room_for_sale()
    kept = journal.oldest
    with pytest.raises(JournalFull):
        journal.append(BOOT, [1, 1, "power-on"])
    journal.append(REPRINT, [sale])
    journal.append(PRINTED, [sale, 1])
    with pytest.raises(JournalFull):
        for _ in range(400):
            journal.append(REPRINT, [sale])
    journal.append(PRINTED, [sale, 1])
    assert journal.oldest == kept == 1, "nothing left the ring"
    journal.acknowledge(journal.next_sequence - 1, 0, TIME)
    assert journal.room_for_sale()
    sell(journal, 1)


def test_a_full_journal_is_a_refused_sale_at_the_till(tmp_path: Path) -> None:
    batches = {n: office.stock_file(n, "air50", 5000, 100) for n in (7, 8)}
    shop = open_shop(tmp_path / "stock", sectors=4, batches=batches)
    with pytest.raises(SaleRefused, match="journal_full"):
        for _ in range(150):
            shop.sell_offline()
            shop.journal.state.offline_count = 0
            shop.journal.state.offline_total_minor = 0
    shop.sync()
    shop.sell_offline()


def test_an_unfinished_sale_never_leaves_the_ring_and_never_fills_it() -> None:
    flash, journal = ring()
    journal.append(3, ["air50", 5000, 250])
    for n in range(1200):
        sell(journal, n)
        journal.acknowledge(journal.next_sequence - 1, n)
    assert journal.oldest > 1000, "it turned and turned"
    (entry,) = journal.state.unfinished
    assert entry[:3] == [1, 0, 4750]
    assert restated(journal.read, entry) == [INTENT_ONLINE, TIME, "air50", 5000, 250, None]
    carried = [r for r in oracle.read(bytes(flash.cells)).values() if r.kind == CARRIED]
    assert 1 <= len(carried) <= 8, "once a turn, as each costs airtime"
    assert oracle.check_chain(oracle.read(bytes(flash.cells))) == []
    _, again = ring(content=bytes(flash.cells))
    assert again.state.dump() == journal.state.dump()


def test_a_full_ring_takes_settlements_for_ever_and_the_last_one_that_empties_it() -> None:
    _, journal = ring()
    with pytest.raises(JournalFull):
        for n in range(2000):
            sell(journal, n)
    while journal.free_sectors() > 1 or journal.ring.at < 4000:
        journal.append(PRINTED, [1, 0])
    written = journal.next_sequence
    for n in range(500):
        journal.acknowledge(0, n, TIME + n * 86400)
    assert journal.next_sequence - written < 100
    assert (journal.state.ledger_minor, journal.state.settled_at) == (499, TIME + 499 * 86400)
    for through in range(30, journal.next_sequence, 30):
        journal.acknowledge(through, 7)
    sell(journal, 3000)


@pytest.mark.parametrize("what", ["a bit", "the body", "the whole record", "the tag"])
@pytest.mark.parametrize("seed", range(4))
def test_damage_to_one_record_costs_that_record_only(what: str, seed: int) -> None:
    flash, journal = ring()
    journal.append(9, [7, 900])
    for n in range(100):
        sell(journal, n)
    records = oracle.read(bytes(flash.cells))
    victim = random.Random(seed).randrange(2, 200)
    raw = records[victim].raw
    at = offset_of(flash, raw)
    image = bytearray(flash.cells)
    if what == "a bit":
        image[at + random.Random(seed).randrange(len(raw))] ^= 4
    elif what == "the body":
        image[at + 10 : at + len(raw) - 12] = bytes(len(raw) - 22)
    elif what == "the tag":
        image[at + len(raw) - 8 : at + len(raw)] = bytes(8)
    else:
        image[at : at + len(raw)] = bytes(len(raw))
    _, again = ring(content=bytes(image))
    got = {s: raw for s, _, _, _, raw in again.records(1)}
    assert got == {s: (b"" if s == victim else r.raw) for s, r in records.items()}
    assert again.next_sequence == journal.next_sequence
    assert again.state.batches[7][0] >= journal.state.batches[7][0]
    assert again.append(SETTING, ["x", 1]) == journal.next_sequence


def test_a_spoiled_head_loses_no_record_wherever_it_is() -> None:
    flash, journal = ring()
    for n in range(150):
        sell(journal, n)
    expected = [(s, raw) for s, _, _, _, raw in journal.records(1)]
    newest = journal.ring.newest
    for sector in range(newest + 1):
        image = bytearray(flash.cells)
        image[sector * 4096 + 5] ^= 0x10
        if sector == 0:
            continue  # the oldest: its records are found again only by the next mount's older heads
        _, again = ring(content=bytes(image))
        assert [(s, raw) for s, _, _, _, raw in again.records(1)] == expected, sector
        assert again.next_sequence == journal.next_sequence


def test_records_behind_the_very_first_head_are_not_lost_with_it() -> None:
    flash, journal = ring()
    for n in range(3):
        sell(journal, n)
    kept = [raw for *_, raw in journal.records(1)]
    for spoiled in range(40):
        cells = bytearray(flash.cells)
        cells[spoiled] ^= 0x10
        spoilt, again = ring(content=bytes(cells))
        assert [raw for *_, raw in again.records(1) if raw] == kept
        sell(again, 3)
        _, later = ring(content=bytes(spoilt.cells))
        assert later.next_sequence == again.next_sequence == 9
        assert spoilt.violations == 0


def test_a_spoiled_checkpoint_is_made_good_from_the_sector_before() -> None:
    flash, journal = ring()
    journal.append(9, [7, 900])
    for n in range(150):
        sell(journal, n)
    image = bytearray(flash.cells)
    image[journal.ring.newest * 4096 + 40] ^= 1
    _, again = ring(content=bytes(image))
    assert again.state.dump() == journal.state.dump()


def test_a_head_seen_as_torn_once_is_never_believed_later() -> None:
    flash, journal = ring()
    while journal.ring.at <= 4034:
        journal.append(SETTING, ["n", 1])
    before = bytes(flash.cells)
    journal.append(SETTING, ["name", "a value that does not fit into what is left"])
    head = bytes(flash.cells[4096 : 4096 + 40 + int.from_bytes(flash.cells[4120:4122], "big")])
    # The cut came while that head was written; a smaller record then still went into sector 0,
    # and only later the weak cells of the head read as if it were whole.
    other_flash, other = ring(content=before)
    sequence = other.append(SETTING, ["n", 2])
    assert other.ring.newest == 0
    image = bytearray(other_flash.cells)
    image[4096 : 4096 + len(head)] = head
    _, again = ring(content=bytes(image))
    assert again.next_sequence == sequence + 1
    assert again.read(sequence)[2] == ["n", 2]


def test_flash_that_does_not_keep_a_byte_is_left_behind() -> None:
    flash, journal = ring()
    journal.append(SETTING, ["n", 1])
    flash.cells[journal.ring.at + 12] = 0x00  # a cell stuck at zero just where the next record goes
    sequence = journal.append(SETTING, ["n", 2])
    assert journal.ring.at > 256
    _, again = ring(content=bytes(flash.cells))
    assert again.read(sequence)[2] == ["n", 2]
    assert again.next_sequence == sequence + 1


def test_flash_that_keeps_nothing_is_said_to_be_damaged() -> None:
    flash, journal = ring()
    flash.cells[256:] = bytes(len(flash.cells) - 256)

    def stuck(address: int) -> None:
        flash.erases += 1

    flash.erase = stuck  # type: ignore[method-assign]
    with pytest.raises(JournalDamaged):
        for _ in range(9):
            journal.append(SETTING, ["n", "x" * 60])


def test_what_is_no_journal_is_not_taken_for_an_empty_one() -> None:
    flash, journal = ring()
    for n in range(150):
        sell(journal, n)
    image = bytearray(flash.cells)
    for sector in range(8):
        image[sector * 4096] = 0
    with pytest.raises(JournalDamaged):
        ring(content=bytes(image))
    with pytest.raises(JournalDamaged):
        ring(content=random.Random(1).randbytes(8 * 4096))


@pytest.mark.parametrize(("kind", "body"), [(0, []), (128, []), (6, ["x" * 240])])
def test_a_record_out_of_bounds_is_refused_before_anything_is_written(
    kind: int, body: list[Any]
) -> None:
    flash, journal = ring()
    before = bytes(flash.cells)
    with pytest.raises(ValueError, match="out of bounds"):
        journal.append(kind, body)
    assert bytes(flash.cells) == before


def test_an_acknowledgement_of_what_does_not_exist_is_refused() -> None:
    _, journal = ring()
    sell(journal, 0)
    with pytest.raises(ValueError, match="acknowledged"):
        journal.acknowledge(3, 0)
    journal.acknowledge(2, 0)
    with pytest.raises(ValueError, match="acknowledged"):
        journal.acknowledge(1, 0)


def test_mount_reads_heads_and_one_sector_however_full_the_ring_is() -> None:
    reads = []
    for sales in (10, 1200):
        flash, journal = ring(sectors=32)
        for n in range(sales):
            sell(journal, n)
            if n % 100 == 0:
                journal.acknowledge(journal.next_sequence - 1, 0)
        count = 0

        class Counting(Nor):
            def read_into(self, address: int, buf: bytearray | memoryview) -> None:
                nonlocal count
                count += len(buf)
                super().read_into(address, buf)

        again = Journal(Partition(Counting(bytes(flash.cells)), 0, flash.size_bytes), lambda: TIME)
        again.mount()
        assert again.next_sequence == journal.next_sequence
        reads.append(count)
    assert max(reads) < 32 * 64 + 6 * 4096


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_spoiled_the_journal_mounts_and_goes_on_or_says_it_cannot(seed: int) -> None:
    dice = random.Random(seed)
    flash, journal = ring()
    journal.append(9, [7, 9000])
    for n in range(dice.randrange(20, 500)):
        sell(journal, n)
        if n % 60 == 59:
            journal.acknowledge(journal.next_sequence - 1, 0)
    kept = oracle.read(bytes(flash.cells))
    index = journal.state.batches[7][0]
    for _ in range(6):
        image = bytearray(flash.cells)
        for _ in range(dice.randrange(1, 6)):
            at, size = dice.randrange(len(image)), dice.choice([1, 1, 16, 300, 5000])
            spoilt = dice.choice([bytes(size), b"\xff" * size, dice.randbytes(size)])
            image[at : at + size] = spoilt[: len(image) - at]
        try:
            _, again = ring(content=bytes(image))
        except JournalDamaged:
            continue
        for sequence, kind, _, _, raw in again.records(1):
            if kind and sequence in kept:
                assert raw[:-8] == kept[sequence].raw[:-8], "a tag behind a loss is not judged"
        sequence = again.append(PRINTED, [1, 0])
        assert again.read(sequence)[2] == [1, 0]
        if again.next_sequence - 1 > max(kept) and 7 in again.state.batches:
            assert again.state.batches[7][0] >= index, "a spoiled record never frees a voucher"


def test_a_batch_whose_stock_record_is_lost_sells_nothing_twice() -> None:
    flash, journal = ring()
    stock = journal.append(9, [7, 100])
    sell(journal, 0)
    sell(journal, 1)
    at = offset_of(flash, oracle.read(bytes(flash.cells))[stock].raw)
    image = bytearray(flash.cells)
    image[at + 10] ^= 1
    _, again = ring(content=bytes(image))
    assert again.state.batches[7][0] == 2
    again.append(9, [7, 100])
    assert again.state.batches[7] == [2, 100]


def test_a_walk_goes_on_over_what_is_appended_meanwhile() -> None:
    _, journal = ring()
    for n in range(300):
        journal.append(SETTING, ["n", n])
    seen = []
    for sequence, *_ in journal.records(1):
        seen.append(sequence)
        if sequence <= 300 and sequence % 10 == 0:
            journal.append(SETTING, ["meanwhile", sequence])
    assert seen == list(range(1, 331))


def test_a_record_with_weak_cells_is_made_firm_or_made_no_record_when_it_is_found() -> None:
    came = {True: 0, False: 0}
    for seed in range(300):
        flash = NorFlash(None, size_bytes=8 * 4096)
        flash.cells.set_chance(seed)
        partition = Partition(flash, 0, flash.size_bytes)
        journal = Journal(partition, lambda: TIME)
        journal.mount()
        for _ in range(5):
            journal.append(SETTING, ["n", "x" * (seed % 7)])
        flash.cut_power_at(flash.operations + 1 + seed % 2, "weak")
        with pytest.raises(PowerCut):
            for _ in range(9):
                journal.append(SETTING, ["a longer value", seed])
        at, bits = min(flash.cells.weak.items())
        flash.cells.weak = {at: bits & -bits}  # one weak cell: it reads well every other time
        journal = Journal(partition, lambda: TIME)
        journal.mount()
        assert flash.cells.weak == {}, seed
        assert flash.violations == 0
        is_there = journal.next_sequence
        came[journal.unreadable == 0] += 1
        for _ in range(4):
            again = Journal(partition, lambda: TIME)
            again.mount()
            assert again.next_sequence == is_there
    assert min(came.values()) > 10


def test_records_behind_a_head_with_weak_cells_are_never_lost_with_it() -> None:
    was_bad = 0
    for seed in range(400):
        flash = NorFlash(None, size_bytes=4 * 4096)
        flash.cells.set_chance(seed)
        partition = Partition(flash, 0, flash.size_bytes)
        journal = Journal(partition, lambda: TIME)
        if seed % 2:  # not the very first head, but the next one
            journal.mount()
            while journal.ring.at < 4000:
                journal.append(SETTING, ["n", 0])
        flash.cut_power_at(flash.operations + 2, "weak")
        with pytest.raises(PowerCut):
            journal.mount()
            for _ in range(9):
                journal.append(SETTING, ["n", 0])
        at, bits = min(flash.cells.weak.items())
        flash.cells.weak = {at: bits & -bits}
        appended: list[int] = []
        for _ in range(8):
            journal = Journal(partition, lambda: TIME)
            journal.mount()
            was_bad += journal.unreadable > 0
            assert not appended or journal.next_sequence == appended[-1] + 1, seed
            appended.append(journal.append(SETTING, ["n", seed]))
        assert flash.violations == 0
    assert was_bad > 10


def test_of_two_torn_records_the_one_that_was_not_built_upon_never_comes_back() -> None:
    flash, journal = ring()
    journal.append(SETTING, ["n", 1])
    at = journal.ring.at
    journal.append(SETTING, ["n", 2])
    first = bytes(flash.cells)
    # Two cuts, one in each start: neither record could be read when it mattered.
    flash, journal = ring(content=first[:at] + bytes([first[at] | 0x80]) + first[at + 1 :])
    journal.append(SETTING, ["n", 3])
    cells = bytearray(flash.cells)
    cells[256] |= 0x80
    # Then the first reads well, is built upon, and only later the second reads well, too.
    cells[at : at + 40] = first[at : at + 40]
    flash, journal = ring(content=bytes(cells))
    assert journal.next_sequence == 3
    sequence = journal.append(SETTING, ["n", 4])
    flash.cells[256] &= 0x7F
    _, again = ring(content=bytes(flash.cells))
    assert again.next_sequence == sequence + 1
    assert again.read(sequence)[2] == ["n", 4]


@pytest.mark.parametrize("kind", range(1, 14))
@pytest.mark.parametrize("body", [{}, {0: 1}, 7, None, "sold", b"sold"], ids=repr)
def test_a_whole_record_that_holds_no_list_is_passed_over(kind: int, body: object) -> None:
    flash, journal = ring()
    at = journal.ring.at
    data = cbor2.dumps(body)
    head = bytes([kind, len(data)]) + struct.pack(">II", 1, 1_800_000_000)
    raw = head + data
    raw += struct.pack(">I", crc32(raw))
    raw += sha256(journal.ring.chain + raw[:-4]).digest()[:8]
    flash.cells[at : at + len(raw)] = raw
    _, again = ring(content=bytes(flash.cells))
    assert again.next_sequence == 2
    assert again.read(1) is None
    sell(again, 0)
