"""Books in several currencies: a terminal has one for ever, no two meet in one transaction, and
what an older database was kept in stays what it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.server.engines import SQLITE_ALONE, Store, as_owner
from tests.server.shop import CATALOGUE, KES, NOW, PASSPHRASE, Shop
from updater_server import channels
from updater_server.errors import InputError
from updater_server.parties import days, movements, statements, tree
from updater_server.parties.movements import Order
from updater_server.sales import checks, currency, deposits, ledger, stock
from updater_server.sales.currency import Currency
from updater_server.store.engine import migrate, open_engine, reading, writing

ON_BOTH_ENGINES = True

UGX = Currency("UGX", 0)
IN_UGX = channels.Catalogue(
    1, "UGX", 0,
    [channels.Product("air50", "Nile 2000", "Nile", 2000, 100, "Dial *130*PIN#", [4] * 4)],
    CATALOGUE.offline,
)  # fmt: skip
UGANDA = "catalogue/uganda.json"


@pytest.fixture(scope="module")
def two_lists(signed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed repository with a price list in shillings of Kenya and one in Uganda's."""
    folder = tmp_path_factory.mktemp("two-lists")
    shutil.copytree(signed / "repository", folder / "repository")
    shutil.copy(signed / "empty.db", folder / "empty.db")
    signers = channels.keys.load_all(signed / "keys", PASSPHRASE)
    repository = channels.Repository.open(folder / "repository")
    repository.set_catalogue("uganda", IN_UGX, signers)
    repository.publish(signers)
    return folder / "repository"


@pytest.fixture
def both(tmp_path: Path, two_lists: Path, store: Store) -> Iterator[Shop]:
    """A server with vouchers and both price lists."""
    made = Shop.open(tmp_path / "data", two_lists, store.new_url())
    made.stock_vault(count=20)
    yield made
    made.service.engine.dispose()


def balances(shop: Shop) -> dict[tuple[str, str], int]:
    """Each shared account, by name and currency."""
    rows = shop.sql(
        "SELECT a.name, a.currency, SUM(e.amount_minor) FROM account a JOIN ledger_entry e"
        " ON e.account_id = a.id WHERE a.name NOT LIKE 'float:%' GROUP BY a.name, a.currency"
    )
    return {(name, code): int(total) for name, code, total in rows}


def test_each_terminal_sells_in_its_own_currency(both: Shop) -> None:
    kenyan, ugandan = both.enrol(1), both.enrol(2, 10_000, UGANDA)
    assert kenyan.sale(1)[1] == 0
    assert ugandan.sale(1, amount=2000)[1] == 0
    assert (both.float_of(kenyan), both.float_of(ugandan)) == (95_250, 8_100)
    assert balances(both) == {
        ("bank", "KES"): -100_000, ("voucher_sales", "KES"): 5000, ("commission", "KES"): -250,
        ("bank", "UGX"): -10_000, ("voucher_sales", "UGX"): 2000, ("commission", "UGX"): -100,
    }  # fmt: skip
    with reading(both.service.engine) as connection:
        assert currency.all_of(connection) == {"KES": KES, "UGX": UGX}
    assert both.problems() == []


def test_a_sale_from_stock_is_in_the_terminals_currency(both: Shop) -> None:
    both.enrol(1)
    device = both.enrol(2, 10_000, UGANDA)
    batch = both.assign(device)
    device.ask({0: 4, 1: batch})
    device.record(9, [batch, 3])
    device.record(2, ["air50", 2000, 100, batch, 0])
    device.upload()
    assert balances(both)["voucher_sales", "UGX"] == 2000
    assert both.problems() == []


@pytest.mark.parametrize("two", ["KES and UGX", "KES and nothing said"])
def test_the_database_refuses_a_transaction_in_two_currencies(both: Shop, two: str) -> None:
    both.enrol(1)
    other = {"KES and UGX": "UGX", "KES and nothing said": ""}[two]
    with pytest.raises(IntegrityError, match="in one currency"), as_owner(both.folder) as raw:
        raw.execute(
            text(
                "INSERT INTO account (name, currency) VALUES ('voucher_sales', 'KES'),"
                f" ('voucher_sales', '{other}')"
            )
        )
        raw.execute(
            text(
                "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) SELECT 900,"
                " id, CASE currency WHEN 'KES' THEN 5 ELSE -5 END FROM account"
                " WHERE name = 'voucher_sales'"
            )
        )
        raw.execute(
            text(
                "INSERT INTO ledger_transaction (id, kind, reference, created_at)"
                " VALUES (900, 'top_up', 'topup:x', 1)"
            )
        )
    assert both.problems() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE terminal SET currency = 'UGX'",
        "UPDATE account SET currency = 'UGX'",
        "UPDATE account SET name = 'till' WHERE name = 'bank'",
        "DELETE FROM account",
        "UPDATE currency SET minor_digits = 0",
        "INSERT INTO account (name, currency) SELECT name, 'UGX' FROM account"
        " WHERE name LIKE 'float:%'",
    ],
)
def test_the_database_keeps_what_currency_money_is_in(both: Shop, statement: str) -> None:
    both.enrol(1)
    with pytest.raises(IntegrityError), as_owner(both.folder) as raw:
        raw.execute(text(statement))


def test_a_price_list_in_another_currency_sells_nothing_and_is_told(both: Shop) -> None:
    device = both.enrol(1)
    with as_owner(both.folder) as raw:
        raw.execute(text(f"UPDATE terminal SET catalogue = '{UGANDA}'"))
    assert device.sale(1, amount=2000)[6] == "unknown_product"
    assert both.alarms() == ["other_currency"]
    with writing(both.service.engine) as connection:
        for act in (_deposited, _assigned):
            with pytest.raises(InputError, match="a terminal keeps its currency"):
                act(connection, both, device.terminal_id)
    assert both.float_of(device) == 100_000


def _deposited(connection: object, shop: Shop, terminal_id: bytes) -> None:
    prices = shop.service.prices
    deposits.post(connection, prices, terminal_id, "5 UGX", "SLIP", "asha", NOW)  # type: ignore[arg-type]


def _assigned(connection: object, shop: Shop, terminal_id: bytes) -> None:
    service = shop.service
    stock.assign(connection, service.key, service.prices, terminal_id, "air50", 1, NOW)  # type: ignore[arg-type]


def test_deposits_are_read_in_the_terminals_currency(both: Shop) -> None:
    kenyan, ugandan = both.enrol(1), both.enrol(2, 0, UGANDA)
    with writing(both.service.engine) as connection:
        for device, amount, reference in (
            (kenyan, "50.25 KES", "ONE"),
            (ugandan, "5000 UGX", "TWO"),
        ):
            deposits.post(
                connection, both.service.prices, device.terminal_id, amount, reference, "asha", NOW
            )
        for amount in ("50.25 KES", "50.25 UGX"):
            with pytest.raises(InputError, match="UGX"):
                deposits.post(
                    connection, both.service.prices, ugandan.terminal_id, amount, "X", "asha", NOW
                )
        deposits.undo(connection, "TWO", "asha", "wrong slip", NOW)
    assert (both.float_of(kenyan), both.float_of(ugandan)) == (105_025, 0)
    assert both.problems() == []


def test_a_party_has_a_float_in_each_currency_and_no_transfer_changes_one(both: Shop) -> None:
    kenyan, ugandan = both.enrol(1, 0), both.enrol(2, 0, UGANDA)
    prices = both.service.prices
    with writing(both.service.engine) as connection:
        lake = tree.add(connection, "LAKE", "Lake", "merchant", "", "asha", NOW)
        for device in (kenyan, ugandan):
            tree.give_terminal(connection, device.terminal_id, lake, "asha", NOW)
        for amount, reference in (("100 KES", "A-1"), ("9000 UGX", "A-2")):
            movements.deposit(connection, prices, lake, Order(amount, reference, "asha", NOW))
        giver = movements.holder(connection, "LAKE")
        for device, amount, reference in (
            (kenyan, "60.50 KES", "T-1"),
            (ugandan, "4000 UGX", "T-2"),
        ):
            taker = movements.holder(connection, device.terminal_id.hex())
            movements.transfer(connection, prices, giver, taker, Order(amount, reference, "a", NOW))
        taker = movements.holder(connection, ugandan.terminal_id.hex())
        with pytest.raises(InputError, match="kept in UGX"):
            movements.transfer(connection, prices, giver, taker, Order("5 KES", "T-3", "a", NOW))
        with pytest.raises(InputError, match="there is only 5,000 UGX"):
            movements.transfer(connection, prices, giver, taker, Order("5001 UGX", "T-4", "a", NOW))
        movements.reverse(connection, "T-2", "a slip", Order("", "", "asha", NOW))
        left = [ledger.balance_of_float(connection, lake.account, code) for code in ("KES", "UGX")]
        lines = [
            len(statements.of_account(
                connection, "Lake", lake.account, money, "2026-09-01", "2026-10-01"
            ).lines)
            for money in (KES, UGX)
        ]  # fmt: skip
    assert left == [3950, 9000]
    assert lines == [2, 3]
    assert (both.float_of(kenyan), both.float_of(ugandan)) == (6050, 0)
    assert both.problems() == []


def test_a_day_is_closed_in_each_currency(both: Shop) -> None:
    kenyan, ugandan = both.enrol(1), both.enrol(2, 10_000, UGANDA)
    with writing(both.service.engine) as connection:
        days.set_zone(connection, "Africa/Nairobi", "asha", NOW)
        lake = tree.add(connection, "LAKE", "Lake", "merchant", "", "asha", NOW)
        for device in (kenyan, ugandan):
            tree.give_terminal(connection, device.terminal_id, lake, "asha", NOW)
        connection.execute(
            text(
                "INSERT INTO commission_rate (party_id, rate_ppm, first_day, set_by, created_at)"
                f" VALUES ({lake.id}, 10000, '2026-01-01', 'asha', {NOW})"
            )
        )
    kenyan.sale(1)
    ugandan.sale(1, amount=2000)
    day = days.day_of(NOW, ZoneInfo("Africa/Nairobi"))
    both.clock[0] += 86_400
    with writing(both.service.engine) as connection:
        found = days.close(connection, day, "asha", both.clock[0])
        again = days.close(connection, day, "asha", both.clock[0])
        earned = [
            ledger.balance_of_float(connection, lake.account, code) for code in ("KES", "UGX")
        ]
    assert [(one.product_id, one.currency, one.share_minor) for one in found] == [
        ("air50", "KES", 50), ("air50", "UGX", 20),
    ]  # fmt: skip
    assert again == found
    assert earned == [50, 20]
    rows = both.sql("SELECT currency, sold_minor, earned_minor FROM closed_sum ORDER BY currency")
    assert rows == [("KES", 5000, 50), ("UGX", 2000, 20)]
    assert both.problems() == []


def test_a_currency_keeps_its_digits(both: Shop) -> None:
    both.enrol(1)
    with writing(both.service.engine) as connection:
        with pytest.raises(InputError, match="KES has 2 digits"):
            currency.bind(connection, Currency("KES", 0))
        currency.bind(connection, KES)


def an_older_database(path: Path, said: str) -> None:
    """Books as a server of before several currencies left them."""
    engine = open_engine(path)
    migrate(engine, "0029")
    with writing(engine) as connection:
        for statement in (
            "INSERT INTO account VALUES (1, 'float:0000000000000001'), (2, 'bank')",
            "INSERT INTO ledger_entry VALUES (1, 1, 1, 5, 5), (2, 1, 2, -5, NULL)",
            "INSERT INTO technician (name, token_sha256, created_at) VALUES ('a', x'00', 1)",
            "INSERT INTO terminal (id, key_sealed, hardware_class, hardware_revision, channel,"
            " catalogue, enrolled_at, enrolled_by, initial_float_minor, blocked, last_counter,"
            " acknowledged_through) VALUES (x'0000000000000001', x'00', 'r', 1, 's',"
            " 'catalogue/default.json', 1, 1, 0, FALSE, 0, 0)",
            "INSERT INTO ledger_transaction VALUES (1, 'top_up', 'x', x'0000000000000001', NULL,"
            " 1)",
            "INSERT INTO closed_day VALUES ('2026-01-01', 1, 2, 0, 0, 'asha', 3)",
        ):
            connection.exec_driver_sql(statement)
        if said:
            connection.exec_driver_sql(f"INSERT INTO server_constant VALUES ('currency', '{said}')")
    migrate(engine)
    engine.dispose()


@SQLITE_ALONE
def test_an_older_database_keeps_what_it_was_kept_in(both: Shop, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    an_older_database(path, "UGX:0")
    engine = open_engine(path)
    with writing(engine) as connection:
        assert currency.all_of(connection) == {"UGX": UGX}
        assert ledger.currency_of(connection, bytes(7) + b"\x01") == "UGX"
        assert ledger.balance(connection, "bank", "UGX") == -5
        assert days.newest(connection, 9)[0]["currency"] == "UGX"
        assert checks.problems(connection) == []
    engine.dispose()


@SQLITE_ALONE
def test_an_older_database_that_never_said_learns_it_with_the_first_money(
    both: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "old.db"
    an_older_database(path, "")
    engine = open_engine(path)
    with writing(engine) as connection:
        assert currency.of_books(connection) is None
        ledger.top_up(connection, bytes(7) + b"\x01", 10, "as before", NOW)
        currency.bind(connection, KES)
        assert ledger.currency_of(connection, bytes(7) + b"\x01") == "KES"
        assert ledger.balance(connection, "bank", "KES") == -15
        ledger.top_up(connection, bytes(7) + b"\x01", 10, "after", NOW)
        currency.bind(connection, UGX)
        assert ledger.balance(connection, "bank", "KES") == -25
        assert checks.problems(connection) == []
    engine.dispose()
