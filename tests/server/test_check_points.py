"""`check` goes on from where the last one found all right, and finds what the whole check finds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner, Result

from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE, SQLITE_ALONE, as_owner, forge, forged
from tests.server.shop import NOW, Shop
from updater_server.__main__ import cli
from updater_server.parties import days, movements, tree
from updater_server.parties.movements import Order
from updater_server.sales import check_points, checks, deposits, questions, restoring
from updater_server.store.engine import reading, writing

ON_BOTH_ENGINES = True

LAST_SALE = "(SELECT MAX(rowid) FROM sale)"
LAST_ENTRY = "(SELECT MAX(id) FROM ledger_entry)"
LAST_STOCK_SALE = "(SELECT MAX(id) FROM ledger_transaction WHERE kind = 'stock_sale')"
LAST_RECORD = "(SELECT MAX(rowid) FROM journal_record)"
LAST_DEPOSIT = "(SELECT MAX(rowid) FROM deposit)"
LAST_MOVEMENT = "(SELECT MAX(reference) FROM movement)"
LAST_DAY = "(SELECT MAX(day) FROM closed_day)"
GIVEN_LAST = "(SELECT voucher_id FROM voucher_assignment ORDER BY rowid DESC LIMIT 1)"

NUMBER_BACK = "UPDATE number SET value = value - 1"


def a_vend(state: str, at: int) -> str:
    """The last sale gets a supplier's half."""
    return (
        "INSERT INTO vend (terminal_id, sequence, supplier, code, recipient, amount_minor,"
        " currency, minor_digits, reference, state, created_at, tries, next_at)"
        " SELECT terminal_id, sequence, 'x', '', '0712345678', amount_minor, 'KES', 2, 'r',"
        f" '{state}', {at}, 0, 0 FROM sale WHERE rowid = {LAST_SALE}"
    )


WRONG = {
    "a ledger transaction does not sum to zero": [
        f"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = {LAST_ENTRY}",
        "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor)"
        " SELECT 1, id, 7 FROM account WHERE name = 'bank'",  # into one that was checked
    ],
    "a float's running balance is not the sum of its entries": [
        "UPDATE ledger_entry SET balance_after_minor = balance_after_minor + 1 WHERE id ="
        " (SELECT MAX(id) FROM ledger_entry WHERE balance_after_minor IS NOT NULL)",
        f"UPDATE ledger_entry SET balance_after_minor = 1 WHERE id = {LAST_ENTRY}",
    ],
    "a ledger entry belongs to no transaction": [
        "DELETE FROM ledger_transaction WHERE id = (SELECT MAX(id) FROM ledger_transaction)"
    ],
    "a ledger transaction has a number that was not given": [NUMBER_BACK],
    "a delivered sale has no voucher of its own": [
        f"DELETE FROM voucher_assignment WHERE sale_sequence = (SELECT sequence FROM sale"
        f" WHERE rowid = {LAST_SALE})"
    ],
    "a sale is neither delivered nor refused, and no supplier is to decide": [
        f"UPDATE sale SET state = 'reserved' WHERE rowid = {LAST_SALE}",
        "UPDATE sale SET state = 'reserved' WHERE rowid = 1",  # one that was checked
    ],
    "a sale and its supplier's half contradict each other": [
        a_vend("rejected", NOW),
        a_vend("delivered", NOW),  # it has no recipient
    ],
    "a delivered sale to a recipient has no supplier's half": [
        f"UPDATE sale SET recipient = '0712345678' WHERE rowid = {LAST_SALE}",
    ],
    "what is reserved for a sale is not what it costs, or is kept though it is decided": [
        a_vend("unknown", NOW),
    ],
    "a supplier has not decided a sale for more than three days": [a_vend("sent", 0)],
    "a sale was sent to a supplier more than once": [
        "INSERT INTO vend_event (vend_id, at, state, source, note)"
        " SELECT 1, 1, 'sent', 'server', '' UNION ALL SELECT 1, 2, 'sent', 'server', ''",
    ],
    "a delivered sale is not in the ledger, or with another amount": [
        f"UPDATE sale SET amount_minor = amount_minor + 1 WHERE rowid = {LAST_SALE}",
    ],
    "the ledger holds a sale that was not delivered": [
        f"DELETE FROM sale WHERE rowid = {LAST_SALE}"
    ],
    "a voucher sold from stock is not in the ledger": [
        f"DELETE FROM ledger_transaction WHERE id = {LAST_STOCK_SALE}"
    ],
    "the ledger holds a stock sale without its record": [
        "DELETE FROM journal_record WHERE sequence = (SELECT sequence FROM ledger_transaction"
        f" WHERE id = {LAST_STOCK_SALE})"
    ],
    "a record came late that was not lost": [
        "INSERT INTO journal_late SELECT terminal_id, sequence, kind, raw, received_at"
        f" FROM journal_record WHERE rowid = {LAST_RECORD}",
        "INSERT INTO journal_late SELECT terminal_id, sequence, kind, raw, received_at"
        " FROM journal_record WHERE rowid = 1",  # of one that was checked
    ],
    "a voucher is given away and still free, or gone and not given": [
        f"UPDATE voucher SET free = TRUE WHERE id = {GIVEN_LAST}",
        "UPDATE voucher SET free = FALSE WHERE id = (SELECT MAX(id) FROM voucher)",
        "INSERT INTO voucher_aside SELECT MIN(id), 'unfit', 'x', 1790000000 FROM voucher"
        " WHERE free",
    ],
    "an import does not have the vouchers it says": [
        "UPDATE voucher_import SET count = count + 1 WHERE id = (SELECT MAX(id) FROM"
        " voucher_import)"
    ],
    "a voucher can be sold though its import is not whole or was recalled (run it again)": [
        "UPDATE voucher_import SET state = 'recalled' WHERE id = 1"  # one that was checked
    ],
    "a voucher came back from stock and was sold from it": [
        "INSERT INTO stock_return SELECT o.batch_id, o.batch_index, a.voucher_id, '', 'x', 1"
        " FROM stock_outcome o JOIN voucher_assignment a ON a.batch_id = o.batch_id"
        " AND a.batch_index = o.batch_index WHERE o.rowid = 1",  # sold before the point
    ],
    "a stock batch was taken back unsent and its vouchers are not in the vault again": [
        "UPDATE stock_batch SET withdrawn_at = 1, sent_at = NULL WHERE id = 1"
    ],
    "a deposit is not in the ledger, or with another amount": [
        f"UPDATE deposit SET amount_minor = amount_minor + 1 WHERE rowid = {LAST_DEPOSIT}"
    ],
    "an undo is not what it undoes": [
        "UPDATE deposit SET terminal_id = x'00' WHERE undoes IS NOT NULL"
    ],
    "a ledger transaction is in several currencies": [
        "UPDATE account SET currency = 'UGX' WHERE name = 'voucher_sales'",
    ],
    "a float is in another currency than its terminal": [
        "UPDATE terminal SET currency = 'UGX'",
    ],
    "a deposit is in another currency than its terminal": [
        f"UPDATE deposit SET currency = 'XXX' WHERE rowid = {LAST_DEPOSIT}"
    ],
    "a sale was given back and its voucher may still be sold": [
        "INSERT INTO ledger_transaction SELECT 900, 'void', 'void:x', terminal_id, sequence, 1"
        f" FROM sale WHERE rowid = {LAST_SALE}"
    ],
    "a stock batch does not have the vouchers it says": [
        "UPDATE stock_batch SET count = count + 1 WHERE id = (SELECT MAX(id) FROM stock_batch)"
    ],
    "a journal has a gap": [
        "UPDATE terminal SET acknowledged_through = acknowledged_through + 1 WHERE id ="
        " (SELECT id FROM terminal ORDER BY id LIMIT 1)",
        f"DELETE FROM journal_record WHERE rowid = {LAST_RECORD}",
    ],
    "a party's movement is not in the ledger, or with another amount": [
        f"UPDATE movement SET amount_minor = amount_minor + 1 WHERE reference = {LAST_MOVEMENT}",
        f"UPDATE movement SET to_account = 'float:party:9' WHERE reference = {LAST_MOVEMENT}",
    ],
    "a reversal is not what it reverses": [
        "UPDATE movement SET currency = 'XXX' WHERE kind = 'reversal' AND reference ="
        f" {LAST_MOVEMENT}"
    ],
    "a closed day sold something else than the ledger has": [
        f"UPDATE closed_sum SET sold_minor = sold_minor + 1 WHERE day = {LAST_DAY}",
        # a sale of now in a day that was checked
        "UPDATE ledger_transaction SET created_at = (SELECT MIN(ends_at) - 1 FROM closed_day)"
        " WHERE id = (SELECT MAX(id) FROM ledger_transaction WHERE kind = 'sale')",
    ],
    "a party's share of a day is not in the ledger, or another": [
        f"INSERT INTO day_share SELECT {LAST_DAY}, id, 'air50', 'KES', 5000, 10000, 50 FROM party"
    ],
    "an accepted finding is not in the ledger, or one that was only noted is": [
        "INSERT INTO matching_decision VALUES"
        f" (900, 'amount', 'x', 'give_back', 'because', 'x', {NOW})",
    ],
    "the ledger holds a correction that nobody accepted": [
        "INSERT INTO ledger_transaction SELECT 900, 'correction', 'correction:7', terminal_id,"
        f" sequence, 1 FROM sale WHERE rowid = {LAST_SALE}"
    ],
    "is not what was sent": [
        f"UPDATE journal_record SET raw = x'0304' WHERE rowid = {LAST_RECORD}",
        # the first behind the point must follow the last before it
        "UPDATE journal_record SET raw = (SELECT raw FROM journal_record WHERE rowid = 1)"
        " WHERE rowid = (SELECT MAX(rowid) - 2 FROM journal_record)",
    ],
    "the ledger is off by": [
        f"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id = {LAST_ENTRY}"
    ],
}
"""Wrong databases: what `check` says, and how a sound one is spoiled behind its last point."""


def a_day(shop: Shop, device: Device, number: int) -> None:
    """A little of everything."""
    shop.stock_vault(count=12, start=100 * number)
    batch = shop.assign(device)
    device.ask({0: 4, 1: batch})
    device.record(9, [batch, 3])
    own = device.record(2, ["air50", 5000, 250, batch, 0])
    device.record(6, [own])
    asked = device.record(3, ["air50", 5000, 250])
    reply = device.sale(asked)
    device.record(4, [asked, bytes(24), reply[3], reply[4], reply[5]])
    device.record(6, [asked])
    device.upload(first=len(device.journal) - 5)
    with writing(shop.service.engine) as connection:
        for reference in (f"SLIP-{number}", f"WRONG-{number}"):
            deposits.post(
                connection, shop.service.prices, device.terminal_id, "700 KES", reference, "x", NOW
            )
        deposits.undo(connection, f"WRONG-{number}", "x", "a slip", NOW)
        lake = tree.add(connection, "LAKE", "Lake", "merchant", "", "x", NOW)
        for reference in (f"PARTY-{number}", f"MISTAKE-{number}"):
            order = Order("70 KES", reference, "x", NOW)
            movements.deposit(connection, shop.service.prices, lake, order)
        movements.reverse(connection, f"MISTAKE-{number}", "a slip", Order("", "", "x", NOW))
        days.set_zone(connection, "Africa/Nairobi", "x", NOW)
        quiet = days.day_of(NOW - (4 - number) * 86400, ZoneInfo("Africa/Nairobi"))
        days.close(connection, quiet, "x", NOW)


def check(shop: Shop, *options: str) -> Result:
    """The command."""
    return CliRunner().invoke(cli, ["check", "--data", str(shop.folder), *options])


def spoil(shop: Shop, *statements: str) -> None:
    """Write into the database without its guards."""
    forge(shop.folder, *statements)


def since_the_point(shop: Shop) -> list[str]:
    """What a check finds that begins at the last point."""
    with reading(shop.service.engine) as connection:
        point, at, why = check_points.newest(connection, shop.service.key)
        assert (at is not None, why) == (True, "")
        return checks.problems(connection, point)


def whole(shop: Shop) -> list[str]:
    """What a check finds that begins at the beginning."""
    with reading(shop.service.engine) as connection:
        return checks.problems(connection)


@pytest.fixture
def checked(shop: Shop) -> Shop:
    """A day that was checked, and one that was not."""
    device = shop.enrol()
    a_day(shop, device, 1)
    first = check(shop)
    assert first.exit_code == 0, first.output
    assert "since" not in first.output
    a_day(shop, device, 2)
    return shop


def test_there_is_a_wrong_database_for_every_question() -> None:
    more = {"is not what was sent", "the ledger is off by"}
    assert set(WRONG) == set(questions.MUST_FIND_NOTHING) | more


@SQLITE_ALONE
@pytest.mark.parametrize(
    ("words", "statement"),
    [(words, statement) for words, several in WRONG.items() for statement in several],
)
def test_what_is_wrong_behind_the_point_is_found_from_it(
    checked: Shop, words: str, statement: str
) -> None:
    assert since_the_point(checked) == whole(checked) == []
    spoil(checked, statement)
    found = since_the_point(checked)
    assert words in " ".join(found)
    assert words in " ".join(whole(checked))
    assert check(checked).exit_code == 1
    assert check(checked).exit_code == 1  # no point was made over it


@POSTGRESQL_ALONE
def test_what_is_wrong_behind_the_point_is_found_from_it_on_postgresql(checked: Shop) -> None:
    """Each in a transaction that is undone."""
    with reading(checked.service.engine) as connection:
        point, _, _ = check_points.newest(connection, checked.service.key)
    for words, statements in WRONG.items():
        for statement in statements:
            if statement == NUMBER_BACK:
                continue  # a sequence gives no number twice, whatever is undone
            with forged(checked.folder, statement) as connection:
                assert words in " ".join(checks.problems(connection, point)), statement
                assert words in " ".join(checks.problems(connection)), statement
    assert whole(checked) == []


def test_a_check_says_from_when_on_it_looked(checked: Shop) -> None:
    second = check(checked)
    assert second.exit_code == 0, second.output
    assert "(since " in second.output
    assert "since" not in check(checked, "--full").output
    assert whole(checked) == []


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        (
            "free vouchers and should have",
            "UPDATE voucher SET free = FALSE WHERE id = (SELECT MIN(id) FROM voucher WHERE free)",
        ),
        (
            "free vouchers and should have",
            "UPDATE voucher SET free = TRUE WHERE id = (SELECT voucher_id FROM voucher_assignment"
            " WHERE rowid = 1)",
        ),
        (
            "the floats are off by",
            "UPDATE ledger_entry SET balance_after_minor = balance_after_minor + 1 WHERE id ="
            " (SELECT MAX(id) FROM ledger_entry WHERE account_id = (SELECT id FROM account WHERE"
            " name = 'float:0000000000000002'))",
        ),
    ],
)
def test_what_is_wrong_before_the_point_shows_in_the_totals(
    shop: Shop, words: str, statement: str
) -> None:
    shop.enrol(2)  # its float does not move any more
    a_day(shop, shop.enrol(), 1)
    assert check(shop).exit_code == 0
    assert since_the_point(shop) == []
    spoil(shop, statement)
    assert words in " ".join(since_the_point(shop))
    assert whole(shop)


def test_what_no_total_shows_is_found_from_the_beginning(checked: Shop) -> None:
    spoil(
        checked,
        "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE id IN (SELECT id FROM"
        " ledger_entry WHERE balance_after_minor IS NULL ORDER BY id LIMIT 1)",
    )
    assert check(checked).exit_code == 0  # so `--full` is for a night a week
    assert check(checked, "--full").exit_code == 1


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        (
            "was not written by a check",
            "UPDATE check_point SET content = REPLACE(content, '\"sales\": 1', '\"sales\": 2')",
        ),
        ("was not written by a check", "UPDATE check_point SET at = at + 1"),
        (
            "is not the one that was checked",
            "UPDATE ledger_transaction SET reference = reference || '?'"
            " WHERE kind IN ('top_up', 'movement')",
        ),
    ],
)
def test_a_point_that_does_not_hold_is_not_believed(
    checked: Shop, words: str, statement: str
) -> None:
    spoil(checked, statement)
    told = check(checked)
    assert words in " ".join(told.output.split())
    assert "(since" not in told.output


@SQLITE_ALONE
def test_a_database_that_was_made_compact_goes_on_from_its_point(checked: Shop) -> None:
    """`VACUUM` numbers rows anew, as they were."""
    with closing(sqlite3.connect(checked.folder / "duka.db")) as raw:
        raw.execute("VACUUM")
    assert "(since " in check(checked).output
    spoil(checked, NUMBER_BACK)
    assert check(checked).exit_code == 1


def test_a_point_is_not_changed_or_deleted(checked: Shop) -> None:
    for statement in ("UPDATE check_point SET at = 0", "DELETE FROM check_point"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            as_owner(checked.folder) as connection,
        ):
            connection.exec_driver_sql(statement)


def test_after_a_restore_the_whole_is_checked_once(checked: Shop) -> None:
    with writing(checked.service.engine) as connection:
        restoring.begin(connection, "a back-up", NOW, NOW)
    told = check(checked)
    assert told.exit_code == 0
    assert "restored since the last point: the whole is checked" in " ".join(told.output.split())
    assert "(since " in check(checked).output


def test_a_check_that_is_cut_short_leaves_the_point_where_it_was(
    checked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(check_points, "close", killed)
        assert check(checked).exit_code != 0
        assert check(checked, "--full").exit_code != 0
    spoil(checked, WRONG["a delivered sale has no voucher of its own"][0])
    assert check(checked).exit_code == 1


def test_a_lost_record_that_comes_late_is_held_to_its_chain(shop: Shop) -> None:
    device = shop.enrol()
    for number in range(4):
        device.record(1, [number, 7, "power-on"])
    device.ask({0: 3, 1: [device.journal[0], b"", device.journal[2]]})
    assert check(shop).exit_code == 0
    device.upload(first=2, last=2)
    device.upload(first=4)
    assert since_the_point(shop) == whole(shop) == []
    spoil(shop, "UPDATE journal_late SET raw = (SELECT raw FROM journal_record WHERE sequence = 1)")
    assert "record 2 is not what was sent" in " ".join(since_the_point(shop))
