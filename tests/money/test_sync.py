"""What the terminal and the server tell each other, and what it survives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cbor2
import pytest

from bootloader.shared import cose
from firmware.office import sync
from firmware.office.ask import ask
from firmware.office.messenger import SALE, BadReply, Messenger, NoNetwork, ServerRefused
from firmware.office.stock_delivery import stop_batches
from firmware.sales.sale import SaleRefused
from firmware.sales.stock import StockError
from tests.money import office
from tests.money.shop import FLOAT_MINOR, TIME, Shop, open_shop, run

KEYS = cose.derive_keys(office.DEVICE_KEY, office.TERMINAL_ID)


def messenger(answer: Any) -> Messenger:
    async def post(body: bytes) -> tuple[int, bytes]:
        return answer(body)  # type: ignore[no-any-return]

    return Messenger(KEYS, office.TERMINAL_ID, 1, post, b"salt")


def test_terminal_and_ledger_agree_to_the_cent_after_a_sync(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for n in range(12):
        shop.sell_online() if n % 3 == 0 else shop.sell_offline()
    assert shop.till.float_minor == FLOAT_MINOR - 12 * 4750
    assert shop.server.ledger_minor == FLOAT_MINOR - 4 * 4750
    assert shop.till.unsynced_count > 0
    shop.sync()
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 12 * 4750
    assert shop.till.unsynced_count == 0
    assert shop.server.alarms == []
    assert len(shop.server.sold) == 8


def test_every_message_of_a_long_sync_stays_under_2_kib(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    sizes = []
    post = shop.server.post

    def weigh(body: bytes) -> tuple[int, bytes]:
        sizes.append(len(body))
        return post(body)

    for _ in range(50):
        shop.sell_offline()
    shop.server.post = weigh  # type: ignore[method-assign]
    shop.sync()
    assert len(sizes) > 1
    assert max(sizes) <= 2048


def test_a_sync_whose_replies_are_lost_posts_nothing_twice(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for _ in range(3):
        shop.sell_offline()
    shop.lose_replies = True
    for _ in range(3):
        with pytest.raises(NoNetwork):
            shop.sync()
    assert shop.till.float_minor == FLOAT_MINOR - 3 * 4750
    shop.lose_replies = False
    shop = shop.reboot()
    shop.sync()
    assert shop.till.float_minor == shop.server.ledger_minor == FLOAT_MINOR - 3 * 4750


def test_a_sync_does_not_ask_for_the_sale_that_its_merchant_is_asking_for(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    sale = shop.till.begin_online("air50")
    shop.till.under_way = sale.sequence
    shop.sync()
    assert shop.server.asked == []
    shop.till.under_way = 0
    shop.sync()
    assert [asked[1] for asked in shop.server.asked] == [sale.sequence]


def test_a_sale_whose_answer_decides_nothing_is_asked_for_less_and_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(tmp_path)
    monkeypatch.setattr("firmware.sales.till.ticks_ms", lambda: shop.time * 1000 % (1 << 30))
    answer, asked = shop.server.answer, []

    def says_nothing(request: dict[int, Any]) -> dict[int, Any]:
        if request[0] != SALE:
            return answer(request)
        asked.append(shop.time)
        return {0: -1, 1: "teapot", 2: "no server of ours says so"}

    shop.server.answer = says_nothing  # type: ignore[method-assign]
    with pytest.raises(ServerRefused):
        shop.sell_online()
    for _ in range(288):
        shop.time += 300
        shop.sync()
    assert len(asked) == 30, "of 288 syncs a day"
    shop.server.answer = answer  # type: ignore[method-assign]
    shop.time += 3600
    shop.sync()
    [sale] = shop.till.unfinished()
    assert sale.has_voucher


def test_a_sale_made_while_the_sync_is_under_way_is_still_counted(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    post = shop.server.post

    def busy(body: bytes) -> tuple[int, bytes]:
        shop.server.post = post  # type: ignore[method-assign]
        shop.sell_offline()
        return post(body)

    shop.server.post = busy  # type: ignore[method-assign]
    shop.sync()
    assert shop.till.float_minor == FLOAT_MINOR - 2 * 4750
    assert shop.journal.state.offline_count == 1
    shop.sync()
    assert shop.till.float_minor == shop.server.ledger_minor


def test_a_top_up_arrives_with_the_next_check_in(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.server.ledger_minor += 100_000
    shop.check_in()
    assert shop.till.float_minor == FLOAT_MINOR + 100_000 - 4750


def test_a_check_in_with_nothing_new_writes_nothing_and_renews_the_settlement(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sync()
    shop.check_in()
    before = bytes(shop.flash.cells)
    shop.server.time = shop.time = TIME + 900
    shop.check_in()
    assert bytes(shop.flash.cells) == before
    assert shop.journal.state.settled_at == TIME + 900


def idle_days(
    shop: Shop, days: int, *, sync_s: int = 300, poll_s: int = 900
) -> tuple[list[int], int]:
    """Days on which nobody sells, as `firmware.duties.radio` spends them: the sizes of the journal
    messages, and how many records were written.
    """
    sizes = []
    before = shop.journal.next_sequence
    post = shop.server.post

    def weigh(body: bytes) -> tuple[int, bytes]:
        sizes.append(len(body))
        return post(body)

    for at in range(sync_s, days * 86400 + 1, sync_s):
        shop.server.time = shop.time = TIME + at
        is_poll = at % poll_s == 0
        if is_poll:
            shop.check_in()
        shop.server.post = weigh  # type: ignore[method-assign]
        run(sync.sync(shop.journal, shop.messenger, shop.till, is_poll))
        shop.server.post = post  # type: ignore[method-assign]
    return sizes, shop.journal.next_sequence - before


@pytest.mark.parametrize("sold", [0, 1, 5])
def test_an_idle_day_settles_four_times_and_eight_settlements_are_one_message(
    tmp_path: Path, sold: int
) -> None:
    shop = open_shop(tmp_path / "stock")
    for _ in range(sold):
        shop.sell_offline()
    shop.sync()
    sizes, records = idle_days(shop, 9)
    # Every six hours the settlement is put down anew, lest it look old after a power cut.
    assert (len(sizes), records) == (4, 36)
    assert max(sizes) < 600
    waiting = shop.journal.next_sequence - 1 - shop.journal.state.acknowledged
    assert waiting == 5
    assert len(shop.server.records) == shop.journal.state.acknowledged
    assert shop.server.check_ins[-1][10][2] == shop.journal.state.acknowledged + 1
    assert shop.troubles(shop.durable) == []
    assert shop.reboot().journal.state.settled_at >= shop.time - 6 * 3600


def test_a_settlement_waits_for_company(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sync()
    shop.sync()
    shop.sell_offline()
    assert run(sync.sync(shop.journal, shop.messenger, shop.till, False)) > 0
    settled = shop.journal.next_sequence - 1
    assert shop.journal.state.acknowledged == settled - 1
    assert run(sync.sync(shop.journal, shop.messenger, shop.till, False)) == 0
    assert run(sync.sync(shop.journal, shop.messenger, shop.till, True)) == 0
    shop.sell_offline()
    assert run(sync.sync(shop.journal, shop.messenger, shop.till, False)) > 1
    assert shop.journal.state.acknowledged > settled
    again = shop.reboot()
    again.sync()
    assert again.troubles(again.durable) == []
    assert again.till.float_minor == again.server.ledger_minor


def test_after_a_day_of_check_ins_a_power_cut_makes_the_settlement_six_hours_old_at_most(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sync()
    for at in range(900, 86400, 900):
        shop.server.time = shop.time = TIME + at
        shop.check_in()
        assert shop.time - shop.reboot().journal.state.settled_at < 6 * 3600


def test_a_server_that_has_forgotten_records_hears_them_again_before_its_float_counts(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.sync()
    before, told = shop.till.float_minor, list(shop.server.records)
    shop.server.records = []
    take, shop.server._take = shop.server._take, lambda raw: False  # type: ignore[method-assign]
    ledger_minor, shop.server.ledger_minor = shop.server.ledger_minor, 10**9
    shop.check_in()
    assert shop.till.float_minor == before, "not before it has heard them"
    shop.server._take = take  # type: ignore[method-assign]
    shop.server.ledger_minor = ledger_minor
    shop.check_in()
    assert shop.server.records[: len(told)] == told


def test_a_server_with_another_journal_changes_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.sync()
    before = shop.till.float_minor
    shop.server.records = [None] * 10_000
    shop.server.ledger_minor = 1
    with pytest.raises(BadReply, match="records up to"):
        shop.check_in()
    assert shop.till.float_minor == before


def test_a_server_that_acknowledges_nothing_does_not_make_the_terminal_send_for_ever(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.server._take = lambda raw: False  # type: ignore[method-assign]
    sent: list[bytes] = []
    post = shop.server.post

    def noted(body: bytes) -> tuple[int, bytes]:
        sent.append(body)
        return post(body)

    shop.server.post = noted  # type: ignore[method-assign]
    assert shop.sync() == 0
    assert len(sent) == 1


def test_a_lost_last_record_is_not_called_lost_before_one_is_written_behind_it(
    tmp_path: Path,
) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sync()
    sale = shop.till.begin_offline("air50")
    at = bytes(shop.flash.cells).index(shop.durable[sale.sequence])
    shop.flash.cells[at + 12] &= 0x0F
    shop.lose_replies = True
    with pytest.raises(NoNetwork):
        shop.sync()
    assert len(shop.server.records) == sale.sequence - 1
    shop = shop.reboot()
    other = shop.sell_offline()
    shop.sync()
    assert shop.server.sold == {tuple(other.place): other.sequence}
    assert shop.server.alarms == [], "its number went to another record"


def test_a_record_that_flash_lost_is_sent_as_lost_and_the_rest_is_taken(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    for _ in range(4):
        shop.sell_offline()
    raw = shop.durable[shop.journal.next_sequence - 2]
    at = bytes(shop.flash.cells).index(raw)
    image = bytearray(shop.flash.cells)
    image[at + 12] ^= 1
    again = shop.reboot(bytes(image))
    again.sync()
    assert len([a for a in again.server.alarms if "was lost" in a]) == 1
    assert len(again.server.alarms) == 1
    assert again.till.unsynced_count == 0


def test_a_sale_whose_number_is_another_sale_at_the_server_is_given_up(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.answers[shop.journal.next_sequence] = (b"another", {0: 2, 1: 0})
    assert shop.sell_online() == "conflict"
    assert shop.till.unfinished() == []
    assert shop.till.float_minor == FLOAT_MINOR


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda body: (503, b""), NoNetwork),
        (lambda body: (401, b""), BadReply),
        (lambda body: (409, b""), BadReply),
        (lambda body: (200, b""), BadReply),
        (lambda body: (200, b"\xff" * 50), BadReply),
        (lambda body: (200, body), BadReply),
    ],
)
def test_an_answer_without_the_seal_decides_nothing(
    answer: Any, error: type[Exception], tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock")
    sale = shop.till.begin_online("air50")
    with pytest.raises(error):
        run(ask(messenger(answer), shop.till, sale))
    assert [s.has_voucher for s in shop.till.unfinished()] == [False]


def test_an_answer_to_another_request_does_not_open(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    seen: list[bytes] = []

    def replay(body: bytes) -> tuple[int, bytes]:
        if not seen:
            seen.append(shop.server.post(body)[1])
        return 200, seen[0]

    again = messenger(replay)
    again._boot_count = 50
    assert run(again.exchange(1, {}))[0] == 1
    with pytest.raises(BadReply, match="seal"):
        run(again.exchange(1, {}))


def test_a_sealed_refusal_says_why(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.answer = lambda request: {  # type: ignore[method-assign]
        0: -1,
        1: "unknown_batch",
        2: "no such batch",
    }
    with pytest.raises(ServerRefused, match="unknown_batch: no such batch"):
        run(shop.messenger.exchange(4, {1: 99}))


# --- stock ---


def test_stock_is_sold_only_once_its_record_is_in_the_journal(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock", batches={})
    shop.till.stock.store(7, office.stock_file(7, "air50", 5000, 10))
    assert shop.till.stock_left("air50") == 0
    shop.server.waiting = {7: office.stock_file(7, "air50", 5000, 10)}
    shop.check_in()
    assert shop.till.stock_left("air50") == 10
    assert shop.server.waiting == {}


def test_a_batch_sent_again_keeps_its_place_and_is_confirmed_again(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    shop.server.waiting = {7: shop.server.received[7]}
    shop.check_in()
    assert shop.till.stock_left("air50") == 99
    assert shop.server.waiting == {}


def test_a_lost_stock_file_is_fetched_again_and_sold_on_from_where_it_was(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    first = shop.sell_offline()
    (tmp_path / "stock" / "7.cbor").unlink()
    shop = shop.reboot()
    assert shop.till.stock_left("air50") == 0
    assert shop.server.waiting == {}, "the server believes that the terminal has it"
    shop.check_in()
    second = shop.sell_offline()
    assert (first.place, second.place) == ([7, 0], [7, 1])


def test_a_batch_that_was_sold_out_and_forgotten_is_never_taken_again(tmp_path: Path) -> None:
    batches = {n: office.stock_file(n, "air50", 5000, 1) for n in range(1, 9)}
    shop = open_shop(tmp_path / "stock", batches=batches)
    for _ in range(8):
        shop.sell_offline()
    shop.server.waiting = {20: office.stock_file(20, "air50", 5000, 2)}
    shop.check_in()
    assert sorted(shop.journal.state.batches) == [2, 3, 4, 5, 6, 7, 8, 20]
    assert not (shop.folder / "1.cbor").exists()
    shop.server.waiting = {1: batches[1]}
    shop.check_in()
    assert shop.till.stock_left("air50") == 2
    assert 1 not in shop.reboot().journal.state.batches


def test_a_batch_sold_out_while_the_next_one_is_fetched_keeps_its_file(tmp_path: Path) -> None:
    batches = {n: office.stock_file(n, "air50", 5000, 1 if n < 3 else 2) for n in range(1, 9)}
    shop = open_shop(tmp_path / "stock", batches=batches)
    first = shop.sell_offline()
    shop.server.waiting[9] = office.stock_file(9, "air50", 5000, 2)
    shop.server.waiting[10] = office.stock_file(10, "air50", 5000, 2)
    post = shop.messenger.post
    sold: list[Any] = []

    async def meanwhile(body: bytes) -> tuple[int, bytes]:
        if 9 in shop.journal.state.batches and not sold:
            sold.append(shop.till.begin_offline("air50"))
        reply: tuple[int, bytes] = await post(body)
        return reply

    shop.messenger.post = meanwhile
    shop.check_in()
    (sale,) = sold
    assert (first.place[0], sale.place[0]) == (1, 2)
    assert sorted(shop.journal.state.batches) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert shop.till.voucher(sale).pin == office.stock_pin(2, 0)


def test_a_ninth_batch_waits_until_one_is_sold_out(tmp_path: Path) -> None:
    batches = {n: office.stock_file(n, "air50", 5000, 1) for n in range(1, 10)}
    shop = open_shop(tmp_path / "stock", batches=batches)
    assert sorted(shop.server.waiting) == [9]
    shop.sell_offline()
    shop.check_in()
    assert shop.server.waiting == {}


GOOD = {1: 7, 2: "air50", 3: 5000, 4: 0, 5: [["S", b"0123456789ab"]]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xa5",
        cbor2.dumps({**GOOD, 1: 8}),
        cbor2.dumps({**GOOD, 2: 5}),
        cbor2.dumps({**GOOD, 3: 0}),
        cbor2.dumps({**GOOD, 4: -1}),
        cbor2.dumps({**GOOD, 5: []}),
        cbor2.dumps({**GOOD, 5: [["S"]]}),
        cbor2.dumps({**GOOD, 5: [["", b"0123456789ab"]]}),
        cbor2.dumps({**GOOD, 5: [["S", b"short"]]}),
        cbor2.dumps({**GOOD, 5: [["S", "0123456789ab"]]}),
        cbor2.dumps(GOOD)[:-1],
        cbor2.dumps(GOOD) + b"\x00",
        cbor2.dumps({**GOOD, 6: 1}),
        b"\xa5\x01\x07\x02\x65air50\x03\x01\x04\x00\x05\x9b" + b"\xff" * 8,
    ],
)
def test_a_malformed_stock_file_is_refused_and_the_old_one_stays(
    data: bytes, tmp_path: Path
) -> None:
    shop = open_shop(tmp_path / "stock")
    stock = shop.till.stock
    before = stock.digest(7)
    with pytest.raises(StockError):
        stock.store(7, data)
    assert stock.digest(7) == before
    stock.store(7, cbor2.dumps(GOOD))


def test_vouchers_of_every_length_are_found_by_index(tmp_path: Path) -> None:
    entries = [["S" * (1 + n % 40), bytes(12 + n % 29)] for n in range(80)]
    shop = open_shop(tmp_path / "stock", batches={})
    stock = shop.till.stock
    stock.store(7, cbor2.dumps({**GOOD, 5: entries}))
    for index in (79, 0, 40, 41, 23, 24, 70, 71):
        assert stock.entry(7, index) == entries[index]
    for index in (-1, 80):
        with pytest.raises(StockError):
            stock.entry(7, index)


def test_a_voucher_moved_to_another_place_does_not_open(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    file = cbor2.loads(office.stock_file(7, "air50", 5000, 3))
    file[5][0], file[5][1] = file[5][1], file[5][0]
    shop.till.stock.store(7, cbor2.dumps(file))
    for index in (0, 1):
        with pytest.raises(StockError):
            shop.till.stock.open_pin(7, index)
    assert shop.till.stock.open_pin(7, 2)[0] == office.stock_pin(7, 2)


def test_a_message_of_a_restarted_terminal_is_not_a_replay(tmp_path: Path) -> None:
    shop: Shop = open_shop(tmp_path / "stock")
    for _ in range(3):
        shop = shop.reboot()
        shop.check_in()
    assert shop.server.counter == 4 << 24 | 1


def test_a_recalled_batch_is_sold_from_no_more_and_stays_so_after_a_restart(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.sell_offline()
    assert shop.till.stock_left("air50") == 99
    stop_batches(shop.journal, [7, 99])
    assert shop.till.stock_left("air50") == 0
    before = shop.journal.next_sequence
    stop_batches(shop.journal, [7])
    assert shop.journal.next_sequence == before, "said once"
    again = shop.reboot()
    assert again.till.stock_left("air50") == 0
    assert again.till.stock_left("air100") == 20
    with pytest.raises(SaleRefused, match="no_stock"):
        again.till.begin_offline("air50")


@pytest.mark.parametrize("told", [None, 3, ["x"], [0], [1 << 32], list(range(1, 18))])
def test_recalled_batches_that_make_no_sense_are_no_answer(tmp_path: Path, told: Any) -> None:
    shop = open_shop(tmp_path / "stock")
    shop.server.more = {6: told}
    with pytest.raises(BadReply):
        shop.check_in()
