"""What can never be changed or undone, and what comes into the vault."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests.measure.counts import counted
from tests.server.engines import SQLITE_ALONE, as_owner, forge
from tests.server.shop import Shop, voucher_csv
from updater_server import server_key
from updater_server.errors import InputError, VaultError
from updater_server.sales import checks, incoming, ledger, vault
from updater_server.sales.reconcile import floats_in_any_order
from updater_server.store.engine import migrate, open_engine, reading, writing
from updater_server.store.tables import metadata

ON_BOTH_ENGINES = True

MINE = (1).to_bytes(8, "big")


def a_busy_shop(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    device.sale(1)
    batch = shop.assign(device)
    device.record(1, [1, 7, "power-on"])
    device.record(2, ["air50", 5000, 250, batch, 0])
    device.upload()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_minor = amount_minor + 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_transaction SET reference = 'x'",
        "DELETE FROM ledger_transaction",
        "UPDATE voucher_assignment SET terminal_id = terminal_id",
        "DELETE FROM voucher_assignment",
        "UPDATE journal_record SET raw = NULL",
        "DELETE FROM journal_record",
        "DELETE FROM stock_outcome",
        "UPDATE price SET commission_minor = 0",
        "UPDATE sale SET state = 'refused' WHERE state = 'delivered'",
        "UPDATE sale SET float_after_minor = 0 WHERE state = 'delivered'",
        "DELETE FROM sale",
        "UPDATE voucher SET free = TRUE WHERE NOT free",
        "UPDATE voucher SET serial = 'X' WHERE free",
        "DELETE FROM voucher",
        "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) VALUES (1, 1, 5)",
    ],
)
def test_the_database_itself_refuses_to_rewrite_history(shop: Shop, statement: str) -> None:
    a_busy_shop(shop)
    with pytest.raises(IntegrityError), as_owner(shop.folder) as connection:
        connection.execute(text(statement))
    assert shop.problems() == []


def post(connection: Any, entries: dict[str, int], reference: str = "r") -> None:
    ledger.post(
        connection, "test", reference, entries, terminal_id=None, sequence=None, now=1,
        currency="KES",
    )  # fmt: skip


@pytest.mark.parametrize("entries", [{"a": 5}, {"a": 5, "b": -4}, {}, {"a": 0, "b": 0}])
def test_a_transaction_that_does_not_balance_is_refused_by_the_database(
    shop: Shop, entries: dict[str, int]
) -> None:
    with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
        post(connection, entries)
    assert shop.sql("SELECT * FROM ledger_entry") == []


def test_a_reference_is_posted_once(shop: Shop) -> None:
    with writing(shop.service.engine) as connection:
        post(connection, {"a": 5, "b": -5})
    with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
        post(connection, {"a": 5, "b": -5})
    with reading(shop.service.engine) as connection:
        assert ledger.balance(connection, "a", "KES") == 5


def test_entries_without_a_transaction_do_not_survive_a_commit(shop: Shop) -> None:
    shop.enrol()
    with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
        connection.execute(
            text(
                "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) "
                "SELECT 999, id, 5 FROM account WHERE name = 'bank' UNION ALL "
                "SELECT 999, id, -5 FROM account WHERE name = 'bank'"
            )
        )


_NEWEST_OF_A_FLOAT = (
    "FROM ledger_entry WHERE balance_after_minor IS NOT NULL ORDER BY id DESC LIMIT 1"
)


@pytest.mark.parametrize(
    "forged",
    [
        f"account_id, 5, NULL {_NEWEST_OF_A_FLOAT}",
        f"account_id, 5, 0 {_NEWEST_OF_A_FLOAT}",
        f"account_id, 5, balance_after_minor {_NEWEST_OF_A_FLOAT}",
        f"account_id, 5, balance_after_minor + 6 {_NEWEST_OF_A_FLOAT}",
        "id, 5, 5 FROM account WHERE name = 'voucher_sales'",  # no balance is kept of it
    ],
)
def test_a_running_balance_that_does_not_follow_is_refused_by_the_database(
    shop: Shop, forged: str
) -> None:
    a_busy_shop(shop)
    with (
        pytest.raises(IntegrityError, match="follows from the entry before"),
        writing(shop.service.engine) as connection,
    ):
        connection.execute(
            text(
                "INSERT INTO ledger_entry "
                "(transaction_id, account_id, amount_minor, balance_after_minor) "
                f"SELECT 999, {forged}"
            )
        )


def test_a_spoiled_running_balance_is_found(shop: Shop) -> None:
    a_busy_shop(shop)
    assert shop.problems() == []
    forge(
        shop.folder,
        "UPDATE ledger_entry SET balance_after_minor = balance_after_minor + 1 WHERE id = 1",
    )
    assert shop.problems() == [
        "a float's running balance is not the sum of its entries (1 times; first: 1)"
    ]


@SQLITE_ALONE
@pytest.mark.parametrize(
    "question",
    [lambda c: ledger.float_minor(c, MINE), lambda c: floats_in_any_order(c, MINE, 5, 0)],
)
def test_a_float_is_known_and_compared_without_walking_through_its_past(
    shop: Shop, question: Callable[[Connection], object]
) -> None:
    device = shop.enrol()
    device.record(3, ["air50", 5000, 250])  # without an answer: it is asked about, too
    device.upload()
    with counted(shop.service.engine) as counts, reading(shop.service.engine) as connection:
        question(connection)
    with sqlite3.connect(shop.folder / "duka.db") as raw:
        steps = counts.plans(raw)
    assert steps
    for statement, step in steps:
        assert "SCAN" not in step and "TEMP B-TREE" not in step, step
        # all of one account's entries: right only where the newest alone is taken
        if "ix_ledger_entry_account_id" in step:
            assert "ORDER BY ledger_entry.id DESC" in statement


def test_a_voucher_cannot_be_given_twice(shop: Shop) -> None:
    a_busy_shop(shop)
    for row in ("sale_sequence, batch_id, batch_index", "batch_id, sale_sequence, batch_index"):
        with pytest.raises(IntegrityError), writing(shop.service.engine) as connection:
            connection.execute(
                text(
                    f"INSERT INTO voucher_assignment (voucher_id, terminal_id, {row}, assigned_at) "
                    "SELECT voucher_id, terminal_id, 77, NULL, NULL, 1 FROM voucher_assignment"
                )
            )


def test_money_paid_back_is_at_most_the_float(shop: Shop) -> None:
    device = shop.enrol(float_minor=1000)
    shop.top_up(device, -1000, "back")
    for amount in (-1, 0, 10**13):
        with pytest.raises(InputError):
            shop.top_up(device, amount, f"no {amount}")
    assert shop.float_of(device) == 0


def import_text(shop: Shop, csv: str) -> int:
    with writing(shop.service.engine) as connection:
        return incoming.import_csv(connection, shop.service.key, csv, shop.clock[0])


HEAD = "product,pin,serial,expiry\n"


@SQLITE_ALONE
@pytest.mark.parametrize(
    ("csv", "says"),
    [
        ("", "first line"),
        ("pin,product\n", "first line"),
        (HEAD + "air50,1234\n", "line 2"),
        (HEAD + "air50,1234,S1,0,extra\n", "line 2"),
        (HEAD + "Air 50,1234,S1,0\n", "product"),
        (HEAD + "air50,12,S1,0\n", "PIN"),
        (HEAD + "air50,1234x,S1,0\n", "PIN"),
        (HEAD + "air50,1234,S 1,0\n", "serial"),
        (HEAD + "air50,1234,S1,tomorrow\n", "day"),
        (HEAD + "air50,1234,S1,2020-01-01\n", "expired"),
        (HEAD + "air50,1234,S1,0\nair50,1234,S2,0\n", "line 3"),
        (HEAD + "air50,1234,S1,0\nair50,5678,S1,0\n", "line 3"),
        (HEAD + "air50,7000000000000000,NEW,0\n", "already"),
        (HEAD + 'air50,"1234\n', "line"),
    ],
)
def test_a_bad_delivery_comes_in_not_at_all(shop: Shop, csv: str, says: str) -> None:
    shop.stock_vault(count=1)
    with pytest.raises(InputError, match=says) as refused:
        import_text(shop, csv)
    assert "7000000000000000" not in str(refused.value)
    assert shop.sql("SELECT COUNT(*) FROM voucher") == [(1,)]


def test_a_delivery_with_every_kind_of_expiry_comes_in(shop: Shop) -> None:
    csv = HEAD + "a,1111,S1,\na,2222,S2,0\na,3333 4444,S3,2027-01-31\na,5555,S4,1900000000\n"
    assert import_text(shop, csv) == 4
    found = shop.sql("SELECT expires_at FROM voucher ORDER BY serial")
    assert found == [(0,), (0,), (1801439999,), (1900000000,)]


@SQLITE_ALONE
def test_no_pin_and_no_device_key_is_in_the_database_in_clear(shop: Shop) -> None:
    device = shop.enrol()
    shop.stock_vault()
    pin = device.sale(1)[2]
    shop.service.engine.dispose()
    raw = b"".join(path.read_bytes() for path in shop.folder.glob("duka.db*"))
    assert pin.encode() not in raw
    assert device.key not in raw
    assert shop.token.encode() not in raw


@SQLITE_ALONE
def test_a_sealed_pin_moved_to_another_voucher_does_not_open(shop: Shop) -> None:
    key: server_key.ServerKey = shop.service.key
    sealed = key.seal("voucher", b"air50\0S1", b"1234")
    assert key.open("voucher", b"air50\0S1", sealed) == b"1234"
    for purpose, context, value in (
        ("voucher", b"air50\0S2", sealed),
        ("device key", b"air50\0S1", sealed),
        ("voucher", b"air50\0S1", sealed[:-1] + b"\0"),
        ("voucher", b"air50\0S1", b""),
    ):
        with pytest.raises(VaultError):
            key.open(purpose, context, value)


@SQLITE_ALONE
def test_the_migrations_make_the_tables_that_the_code_uses(shop: Shop) -> None:
    with reading(shop.service.engine) as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_a_delivery_of_thousands_is_quick_and_counted(shop: Shop) -> None:
    assert import_text(shop, voucher_csv("air50", range(2000))) == 2000
    with reading(shop.service.engine) as connection:
        assert vault.free_counts(connection, shop.clock[0]) == {"air50": 2000}


def test_an_older_database_gets_its_running_balances(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = open_engine(path)
    migrate(engine, "0011")
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO account VALUES (1, 'float:aa'), (2, 'bank'), (3, 'float:bb')")
        for number, (mine, amount) in enumerate([(1, 500), (3, 70), (1, -200), (1, 40)], 1):
            raw.execute(
                "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) "
                "VALUES (?, ?, ?), (?, 2, ?)",
                (number, mine, amount, number, -amount),
            )
            raw.execute(
                "INSERT INTO ledger_transaction (id, kind, reference, created_at) "
                "VALUES (?, 'top_up', ?, 1)",
                (number, f"topup:{number}"),
            )
    migrate(engine)
    with reading(engine) as connection:
        balances = connection.execute(
            text("SELECT account_id, balance_after_minor FROM ledger_entry ORDER BY id")
        ).fetchall()
        assert checks.problems(connection) == []
    engine.dispose()
    assert [tuple(row) for row in balances] == [
        (1, 500), (2, None), (3, 70), (2, None), (1, 300), (2, None), (1, 340), (2, None)
    ]  # fmt: skip
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("UPDATE ledger_entry SET balance_after_minor = 0")


def test_an_older_database_counts_its_transactions_on(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = open_engine(path)
    migrate(engine, "0012")
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO account VALUES (1, 'bank'), (2, 'voucher_sales')")
        raw.execute(
            "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor)"
            " VALUES (41, 1, 5), (41, 2, -5)"
        )
        raw.execute(
            "INSERT INTO ledger_transaction (id, kind, reference, created_at)"
            " VALUES (41, 'test', 'old', 1)"
        )
    migrate(engine)
    post = partial(ledger.post, kind="test", terminal_id=None, sequence=None, now=1, currency="")
    with writing(engine) as connection:
        post(connection, reference="new", entries={"bank": 7, "voucher_sales": -7})
        connection.exec_driver_sql(  # by hand, under a number of its own
            "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor)"
            " VALUES (90, 1, 5), (90, 2, -5)"
        )
        connection.exec_driver_sql(
            "INSERT INTO ledger_transaction (id, kind, reference, created_at)"
            " VALUES (90, 'test', 'by hand', 1)"
        )
        post(connection, reference="newer", entries={"bank": 7, "voucher_sales": -7})
    with reading(engine) as connection:
        ids = connection.execute(text("SELECT id FROM ledger_transaction ORDER BY id"))
        assert [row.id for row in ids] == [41, 42, 90, 91]
        assert checks.problems(connection) == []
    with writing(engine) as connection, pytest.raises(IntegrityError, match="given once"):
        connection.exec_driver_sql("UPDATE number SET value = 42")
    engine.dispose()
