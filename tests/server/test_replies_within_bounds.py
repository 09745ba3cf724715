"""What the server answers, a terminal can take: a voucher, a float or a batch that it cannot is
never debited, never blocks the next one, and a person reads of it.
"""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import insert

from tests.server.shop import NOW, Shop, voucher_csv
from updater_server.errors import InputError, StateError
from updater_server.sales import batches, incoming, ledger
from updater_server.service import Service
from updater_server.store.engine import writing
from updater_server.store.tables import voucher
from updater_server.wire import limits
from updater_server.wire.replies import ReplyUnfit, check_reply

MILLISECONDS = 1_893_456_000_000
YEAR_9999 = 253_402_300_799


def put_in_vault(
    shop: Shop, serial: str, pin: str = "12345678", expires_at: int = 0, key_of: str = ""
) -> None:
    """A row as an older import may have left it, past every check of today's."""
    sealed = shop.service.key.seal("voucher", f"air50\0{key_of or serial}".encode(), pin.encode())
    with writing(shop.service.engine) as connection:
        connection.execute(
            insert(voucher).values(
                product_id="air50",
                serial=serial,
                pin_sealed=sealed,
                pin_digest=shop.service.key.digest("pin digest", f"{serial}{pin}".encode()),
                expires_at=expires_at,
                imported_at=NOW,
                free=True,
            )
        )


BAD = {
    "expires in the year 9999": {"serial": "X1", "expires_at": YEAR_9999},
    "expires in milliseconds": {"serial": "X1", "expires_at": MILLISECONDS},
    "expires beyond 32 bits": {"serial": "X1", "expires_at": limits.UINT32 + 1},
    "a PIN of 33": {"serial": "X1", "pin": "9" * 33, "expires_at": NOW + 900_000},
    "a PIN of 3": {"serial": "X1", "pin": "123", "expires_at": NOW + 900_000},
    "a serial number of 41": {"serial": "S" * 41, "expires_at": NOW + 900_000},
    "a serial number of none": {"serial": "", "expires_at": NOW + 900_000},
    "sealed by another key": {"serial": "X1", "key_of": "X2", "expires_at": NOW + 900_000},
}


@pytest.mark.parametrize("wrong", BAD)
def test_a_voucher_that_no_terminal_takes_is_set_aside_and_the_next_one_sold(
    shop: Shop, wrong: str
) -> None:
    device = shop.enrol()
    put_in_vault(shop, **BAD[wrong])  # type: ignore[arg-type]
    put_in_vault(shop, "GOOD", expires_at=YEAR_9999 - 1 if "expires" in wrong else 0)
    shop.sql("SELECT 1")
    good = "GOOD"
    if "expires" in wrong:
        good = "AIR50-000001"
        shop.stock_vault(count=1, start=1)
    reply = device.sale(1)
    assert (reply[1], reply[3]) == (0, good)
    check_reply(reply, 100)
    assert shop.float_of(device) == 100_000 - 4_750
    assert shop.problems() == []


def test_a_vault_of_unfit_vouchers_only_sells_nothing_debits_nothing_and_says_so(
    shop: Shop,
) -> None:
    device = shop.enrol()
    for n in range(3):
        put_in_vault(shop, f"X{n}", expires_at=YEAR_9999)
    assert device.sale(1)[6] == "no_vouchers"
    assert shop.float_of(device) == 100_000
    assert shop.alarms() == ["no_vouchers", "voucher_unfit"]
    assert shop.sql("SELECT reason, COUNT(*) FROM voucher_aside GROUP BY 1") == [("unfit", 3)]
    assert shop.problems() == []


def test_a_wrong_server_key_sets_nothing_aside(shop: Shop) -> None:
    shop.enrol()
    shop.stock_vault(count=3)
    Service.open(shop.folder)
    (shop.folder / "server.key").write_bytes(bytes(32))
    with pytest.raises(StateError):
        Service.open(shop.folder)
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE free = 0") == [(0,)]
    assert shop.sql("SELECT COUNT(*) FROM voucher_aside") == [(0,)]


def test_stock_passes_over_unfit_vouchers(shop: Shop) -> None:
    device = shop.enrol()
    put_in_vault(shop, "X1", pin="9" * 33, expires_at=NOW + 9_000_000)
    shop.stock_vault(count=3)
    batch = shop.assign(device, count=3)
    assert [serial for serial, _ in device.open_stock(device.ask({0: 4, 1: batch})[1])] == [
        f"AIR50-{n:06d}" for n in range(3)
    ]
    assert shop.problems() == []


def test_a_sale_delivered_long_ago_that_no_terminal_takes_is_given_back_once(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=1)
    sequence = device.record(3, ["air50", 5000, 250])
    assert device.sale(sequence)[1] == 0
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER voucher_forward")
        connection.exec_driver_sql(f"UPDATE voucher SET expires_at = {YEAR_9999}")
    for _ in range(2):
        assert device.sale(sequence)[6] == "no_vouchers"
        assert shop.float_of(device) == 100_000
    device.record(5, [sequence, "no_vouchers"])
    assert device.upload()[1] == 2
    assert shop.alarms() == ["sale_voided", "voucher_unfit"]
    assert shop.problems() == []


def spoil_batch(shop: Shop, batch: int) -> None:
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS voucher_forward")
        connection.exec_driver_sql(
            f"UPDATE voucher SET serial = serial || ' ' WHERE id IN "
            f"(SELECT voucher_id FROM voucher_assignment WHERE batch_id = {batch})"
        )


def test_a_batch_of_vouchers_that_no_terminal_takes_is_replaced_and_the_next_one_offered(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault(count=4)
    bad, good = shop.assign(device, count=2), shop.assign(device, count=2)
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER voucher_forward")
        connection.exec_driver_sql(
            f"UPDATE voucher SET expires_at = {YEAR_9999} WHERE id IN "
            f"(SELECT voucher_id FROM voucher_assignment WHERE batch_id = {bad})"
        )
    assert device.check_in(100_000)[5] == [bad, good]
    assert device.ask({0: 4, 1: bad})[1] == "unknown_batch"
    assert device.check_in(100_000)[5] == [good]
    assert "voucher_unfit" in shop.alarms()
    assert shop.problems() == []


def test_a_batch_that_was_sent_and_that_no_terminal_could_store_is_offered_no_more(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault(count=4)
    bad, good = shop.assign(device, count=2), shop.assign(device, count=2)
    device.ask({0: 4, 1: bad})
    spoil_batch(shop, bad)
    assert device.ask({0: 4, 1: bad})[1] == "unknown_batch"
    told = device.check_in(100_000)
    assert told[5] == [good]
    assert 6 not in told
    assert "stock_unfit" in shop.alarms()


def test_a_batch_of_before_that_is_too_large_is_replaced_by_smaller_ones(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol()
    rows = [f"air50,{n:032d},{'S' * 30}{n:010d},0" for n in range(60)]
    with writing(shop.service.engine) as connection:
        csv = "\n".join(["product,pin,serial,expiry", *rows, ""])
        incoming.import_csv(connection, shop.service.key, csv, NOW)
    with monkeypatch.context() as before:
        before.setattr(limits, "STOCK_FILE_BYTES", (1, 8192))
        batch = shop.assign(device, count=60)
    assert device.ask({0: 4, 1: batch})[1] == "unknown_batch"
    counts = []
    for number in device.check_in(100_000)[5]:
        file = device.ask({0: 4, 1: number})[1]
        assert limits.within(len(file), limits.STOCK_FILE_BYTES)
        counts.append(len(device.open_stock(file)))
    assert counts == [47, 13]
    assert shop.problems() == []


def test_no_batch_is_larger_than_a_terminal_can_take(shop: Shop) -> None:
    device = shop.enrol()
    rows = [f"air50,{n:032d},{'S' * 30}{n:010d},0" for n in range(100)]
    with writing(shop.service.engine) as connection:
        csv = "\n".join(["product,pin,serial,expiry", *rows, ""])
        incoming.import_csv(connection, shop.service.key, csv, NOW)
    with pytest.raises(InputError, match="assign 47"):
        shop.assign(device, count=100)
    batch = shop.assign(device, count=47)
    file = device.ask({0: 4, 1: batch})[1]
    assert limits.within(len(file), limits.STOCK_FILE_BYTES)
    assert len(device.open_stock(file)) == 47


def test_a_batch_that_the_terminal_refuses_is_offered_no_more(shop: Shop) -> None:
    device, other = shop.enrol(1), shop.enrol(2)
    shop.stock_vault(count=4)
    batch, last = shop.assign(device, count=2), shop.assign(device, count=2)
    told = [[f"stock/{batch}", "no memory"]]
    other.check_in(100_000, _11=told)  # not its own batch
    assert device.check_in(100_000)[5] == [batch, last]
    assert device.check_in(100_000, _11=told)[5] == [last]
    assert device.check_in(100_000)[5] == [last]
    assert shop.alarms() == ["file_refused", "file_refused"]


def test_a_batch_is_recalled_until_the_terminal_confirms_it(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault(count=4)
    batch = shop.assign(device, count=2)
    with writing(shop.service.engine) as connection:
        assert (
            "2 vouchers are in the vault again" in batches.recall(connection, batch, "asha", NOW)[1]
        )
    assert device.check_in(100_000)[5] == []
    assert device.ask({0: 4, 1: batch})[1] == "unknown_batch"
    had = shop.assign(device, count=2)
    file = device.ask({0: 4, 1: had})[1]
    device.ask({0: 5, 1: had, 2: hashlib.sha256(file).digest()})
    device.record(9, [had, 2])
    device.upload()
    assert 6 not in device.check_in(100_000)
    with writing(shop.service.engine) as connection:
        assert "stops selling" in batches.recall(connection, had, "asha", NOW + 1)[1]
    assert device.ask({0: 4, 1: had})[1] == file, "an open sale may still need it"
    device.upload()  # an older record says nothing of the recall
    assert device.check_in(100_000)[6] == [had]
    device.record(9, [had, 1], time=NOW + 2)
    device.upload()
    assert 6 not in device.check_in(100_000)
    for number in (batch, had, 99):
        with pytest.raises(InputError), writing(shop.service.engine) as connection:
            batches.recall(connection, number, "asha", NOW)
    assert shop.problems() == []


def test_a_recalled_batch_that_was_sent_and_not_confirmed_is_told_and_goes_to_nobody(
    shop: Shop,
) -> None:
    device = shop.enrol()
    shop.stock_vault(count=2)
    batch = shop.assign(device, count=2)
    device.ask({0: 4, 1: batch})
    with writing(shop.service.engine) as connection:
        assert "may be on the terminal" in batches.recall(connection, batch, "asha", NOW)[1]
    assert device.ask({0: 4, 1: batch})[1] == "unknown_batch"
    told = device.check_in(100_000)
    assert (told[5], told[6]) == ([], [batch])
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE free") == [(0,)]
    assert shop.problems() == []


def test_refused_files_are_kept_until_the_terminal_says_otherwise(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in(100_000, _11=[["catalogue.json", "version is too large"]])
    device.check_in(100_000)
    query = "SELECT refused_files FROM check_in"
    assert shop.sql(query) == [('[["catalogue.json", "version is too large"]]',)]
    device.check_in(100_000, _11=[])
    assert shop.sql(query) == [("[]",)]
    assert shop.alarms() == ["file_refused"]


@pytest.mark.parametrize("told", [3, [["x"]], [["x", 1]], [["", "y"]], [["x", "y" * 101]], [[1]]])
def test_a_report_of_refused_files_that_makes_no_sense_is_none(shop: Shop, told: object) -> None:
    assert shop.enrol().check_in(100_000, _11=told)[1] == "bad_message"


def test_a_float_never_grows_beyond_what_a_terminal_can_be_told(shop: Shop) -> None:
    device = shop.enrol()
    shop.top_up(device, limits.TOP_UP_MINOR[1], "first")
    with pytest.raises(InputError, match="a float is at most"):
        shop.top_up(device, limits.TOP_UP_MINOR[1], "second")
    rest = limits.FLOAT_MINOR[1] - shop.float_of(device)
    shop.top_up(device, rest, "third")
    assert device.check_in()[2] == limits.FLOAT_MINOR[1]


def test_a_float_from_before_that_bound_puts_no_terminal_offline(shop: Shop) -> None:
    device = shop.enrol(float_minor=0)
    with writing(shop.service.engine) as connection:
        account = ledger.float_account(device.terminal_id)
        ledger.post(
            connection,
            "top_up",
            "old",
            {account: 5 * 10**12, ledger.BANK: -5 * 10**12},
            terminal_id=device.terminal_id,
            sequence=None,
            now=NOW,
        )
    assert device.check_in()[2] == limits.FLOAT_MINOR[1]
    shop.stock_vault(count=1)
    sequence = device.record(3, ["air50", 5000, 250])
    assert device.sale(sequence)[5] == limits.FLOAT_MINOR[1]
    assert device.upload()[2] == limits.FLOAT_MINOR[1]


@pytest.mark.parametrize(
    ("reply", "size_bytes"),
    [
        ({0: 1, 1: limits.UINT32 + 1, 2: 0, 3: 0, 4: None, 5: []}, 10),
        ({0: 1, 1: 1, 2: limits.FLOAT_MINOR[1] + 1, 3: 0, 4: None, 5: []}, 10),
        ({0: 1, 1: 1, 2: 0, 3: 0, 4: "x" * 201, 5: []}, 10),
        ({0: 1, 1: 1, 2: 0, 3: 0, 4: None, 5: [0]}, 10),
        ({0: 2, 1: 0, 2: "1234", 3: "S", 4: limits.UINT32 + 1, 5: 0}, 10),
        ({0: 2, 1: 0, 2: "123", 3: "S", 4: 0, 5: 0}, 10),
        ({0: 2, 1: 0, 2: "1234", 3: "S", 4: 0, 5: limits.FLOAT_MINOR[0] - 1}, 10),
        ({0: 3, 1: 0, 2: limits.FLOAT_MINOR[1] + 1}, 10),
        ({0: 4, 1: bytes(limits.STOCK_FILE_BYTES[1] + 1)}, 10),
        ({0: 5, 1: True}, limits.REPLY_BYTES[1] + 1),
    ],
)
def test_an_answer_that_a_terminal_would_refuse_never_leaves(
    reply: dict[int, object], size_bytes: int
) -> None:
    with pytest.raises(ReplyUnfit):
        check_reply(reply, size_bytes)


def test_an_answer_that_no_terminal_takes_is_undone_and_a_person_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = shop.enrol()
    shop.stock_vault()
    monkeypatch.setattr(limits, "unfit_voucher", lambda *_: None if len(_[0]) > 3 else "odd")
    assert device.sale(1)[1] == "bad_message"
    assert shop.float_of(device) == 100_000
    assert shop.sql("SELECT COUNT(*) FROM voucher WHERE free = 0") == [(0,)]
    assert shop.alarms() == ["reply_unfit"]
    monkeypatch.undo()
    assert device.sale(1)[1] == 0


def test_a_text_from_before_its_bound_puts_no_terminal_offline(shop: Shop) -> None:
    device = shop.enrol()
    with writing(shop.service.engine) as connection:
        connection.exec_driver_sql(f"UPDATE terminal SET merchant_text = '{'x' * 300}'")
    assert device.check_in(100_000)[4] == "x" * limits.MERCHANT_TEXT[1]


def test_an_import_names_the_line_of_a_voucher_that_no_terminal_could_take(shop: Shop) -> None:
    lines = voucher_csv("air50", range(1)).splitlines()
    for expiry in ("9999-12-31", str(MILLISECONDS), str(10**20)):
        csv = "\n".join([*lines, f"air50,1234567890123456,Z1,{expiry}", ""])
        with (
            pytest.raises(InputError, match="line 3: the expiry"),
            writing(shop.service.engine) as c,
        ):
            incoming.import_csv(c, shop.service.key, csv, NOW)
