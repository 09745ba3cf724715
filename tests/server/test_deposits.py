"""A merchant's money: booked once however often it is sent, by a name, in one currency."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.server import shop as shops
from tests.server.device import Device
from tests.server.engines import SQLITE_ALONE
from tests.server.shop import CATALOGUE, Shop
from updater_server import channels
from updater_server.__main__ import cli
from updater_server.errors import ConflictError, InputError
from updater_server.faces import dashboard
from updater_server.fleet import terminals
from updater_server.sales import currency, deposits
from updater_server.sales.currency import Currency
from updater_server.store.engine import reading, writing

ON_BOTH_ENGINES = {
    "test_a_deposit_sent_twice_is_booked_once",
    "test_an_undo_is_an_entry_of_its_own_and_happens_once",
    "test_a_payback_is_at_most_the_float_and_can_be_undone",
    "test_whoever_moves_money_or_stock_is_noted",
}


def post(
    shop: Shop,
    device: Device,
    amount: str = "500.50 KES",
    reference: str = "SLIP-1",
    by: str = "asha",
    payback: bool = False,
) -> int:
    with writing(shop.service.engine) as connection:
        row = deposits.post(
            connection, shop.service.prices, device.terminal_id, amount, reference, by,
            shop.clock[0], payback=payback,
        )  # fmt: skip
    return int(row["float_after_minor"])


def undo(shop: Shop, reference: str = "SLIP-1", below_zero: bool = False) -> int:
    with writing(shop.service.engine) as connection:
        row = deposits.undo(
            connection, reference, "joy", "wrong slip", shop.clock[0], below_zero=below_zero
        )
    return int(row["float_after_minor"])


def test_a_deposit_sent_twice_is_booked_once(shop: Shop) -> None:
    device = shop.enrol()
    assert post(shop, device) == 150_050
    device_sold = shop.float_of(device)
    assert post(shop, device, by="joy") == 150_050  # the answer of then
    assert shop.float_of(device) == device_sold
    assert shop.sql("SELECT posted_by FROM deposit") == [("asha",)]
    assert shop.problems() == []


@pytest.mark.parametrize("other", ["amount", "terminal", "payback"])
def test_a_reference_is_one_deposits_for_ever(shop: Shop, other: str) -> None:
    device, second = shop.enrol(1), shop.enrol(2)
    post(shop, device)
    with pytest.raises(ConflictError, match="by asha"):
        post(
            shop,
            second if other == "terminal" else device,
            "500.51 KES" if other == "amount" else "500.50 KES",
            payback=other == "payback",
        )
    assert (shop.float_of(device), shop.float_of(second)) == (150_050, 100_000)


def test_an_undo_is_an_entry_of_its_own_and_happens_once(shop: Shop) -> None:
    device = shop.enrol()
    post(shop, device)
    assert undo(shop) == 100_000
    assert undo(shop) == 100_000
    assert post(shop, device) == 150_050  # repeating the deposit repeats its answer, not itself
    assert shop.float_of(device) == 100_000
    for wrong in ("UNDO:SLIP-1", "SLIP-9"):
        with pytest.raises(InputError):
            undo(shop, wrong)
    assert shop.problems() == []


def test_money_that_was_sold_with_is_taken_back_only_on_a_plain_word(shop: Shop) -> None:
    device = shop.enrol(float_minor=0)
    shop.stock_vault()
    post(shop, device)
    device.sale(1)
    with pytest.raises(InputError, match="below-zero"):
        undo(shop)
    assert undo(shop, below_zero=True) == -4750
    assert device.sale(2)[6] == "no_float"
    assert shop.problems() == []


def test_a_payback_is_at_most_the_float_and_can_be_undone(shop: Shop) -> None:
    device = shop.enrol()
    with pytest.raises(InputError, match=r"only 1,000\.00 KES"):
        post(shop, device, "1000.01 KES", payback=True)
    assert post(shop, device, "1000 KES", payback=True) == 0
    assert undo(shop) == 100_000
    assert shop.problems() == []


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("50000.50", "50000.50 KES"),
        ("50000", "50000.50 KES"),
        ("50000.5 KES", "2 digits"),
        ("50000.505 KES", "2 digits"),
        ("-5 KES", "no amount"),
        ("+5 KES", "no amount"),
        ("5e4 KES", "no amount"),
        ("5,000 KES", "no amount"),
        ("5,50 KES", "no amount"),
        (".50 KES", "no amount"),
        ("5. KES", "no amount"),
        ("0 KES", "nothing would move"),
        ("0.00 KES", "nothing would move"),
        ("٥ KES", "no amount"),
        ("５ KES", "no amount"),
        ("5 UGX", "kept in KES"),
        ("nan KES", "no amount"),
        ("", "no amount"),
        ("9999999999999 KES", "more than any float"),
        ("10000000000 KES", "holds at most"),
        ("1" * 40 + " KES", "no amount"),
    ],
)
def test_an_amount_is_taken_as_people_write_it_or_not_at_all(
    shop: Shop, amount: str, says: str
) -> None:
    device = shop.enrol()
    with pytest.raises(InputError, match=says):
        post(shop, device, amount)
    assert shop.float_of(device) == 100_000


@pytest.mark.parametrize(
    ("digits", "written", "minor"),
    [(0, "475000 UGX", 475_000), (2, "4750.00 UGX", 475_000), (3, "475.000 UGX", 475_000)],
)
def test_each_currency_has_its_own_digits(digits: int, written: str, minor: int) -> None:
    money = Currency("UGX", digits)
    assert money.parse(written) == minor
    assert money.parse(money.show(minor).replace(",", "")) == minor
    with pytest.raises(InputError):
        money.parse("1." + "1" * (digits + 1) + " UGX")


def test_a_terminal_keeps_its_currency_whatever_its_price_list_says(
    shop: Shop, signed: Path
) -> None:
    device = shop.enrol()
    post(shop, device)
    signers = channels.keys.load_all(signed / "keys", shops.PASSPHRASE)
    repository = channels.Repository.open(shop.folder / "repository")
    dollars = channels.Catalogue(2, "USD", 2, CATALOGUE.products, CATALOGUE.offline)
    repository.set_catalogue("default", dollars, signers)
    repository.publish(signers)
    with pytest.raises(InputError, match="a terminal keeps its currency"):
        post(shop, device, "5.00 USD", "SLIP-2")
    with reading(shop.service.engine) as connection:
        assert currency.shown(connection, shop.service.prices) == Currency("KES", 2)


def test_every_figure_shown_has_its_currencys_digits(shop: Shop, signed: Path) -> None:
    signers = channels.keys.load_all(signed / "keys", shops.PASSPHRASE)
    repository = channels.Repository.open(shop.folder / "repository")
    shillings = channels.Catalogue(2, "UGX", 0, CATALOGUE.products, CATALOGUE.offline)
    repository.set_catalogue("default", shillings, signers)
    repository.publish(signers)
    device = shop.enrol(float_minor=475_000)
    shop.stock_vault()
    device.sale(1)
    post(shop, device, "25000 UGX")
    assert "495,250<" in dashboard.page(shop.service)
    assert "5,000 UGX face value" in dashboard.page(shop.service)
    shown = command(shop, "report").stdout
    assert "495,250" in shown
    assert "−500,000 UGX" in shown
    assert "250 UGX" in shown
    assert "495,250 UGX" in command(shop, "terminal", "statement", device.terminal_id.hex()).stdout


def test_a_blocked_terminal_gets_no_float_but_may_be_paid_out(shop: Shop) -> None:
    device = shop.enrol()
    with writing(shop.service.engine) as connection:
        terminals.set_blocked(connection, device.terminal_id, True)
    with pytest.raises(InputError, match="blocked"):
        post(shop, device)
    assert post(shop, device, "1000 KES", "SLIP-2", payback=True) == 0


# --- at the command line ---


def command(shop: Shop, *arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*arguments, "--data", str(shop.folder)])


def test_whoever_moves_money_or_stock_is_noted(shop: Shop) -> None:
    shop.clock[0] = int(time.time())
    shop.stock_vault()
    shop.enrol(0xAB << 48)
    asha = ("--by", "asha")
    slip = ("--reference", "mpesa-qx12")
    for arguments in (
        ("terminal", "deposit", "00ab", "50000.50 kes", *slip, *asha),
        ("terminal", "deposit", "00ab", "50000.50 KES", "--reference", " MPESA-QX12", *asha),
        ("terminal", "payback", "00ab", "1 KES", "--reference", "out-1", *asha),
        ("stock", "assign", "00ab", "air50", "2", "--reference", "monday", *asha),
        ("stock", "assign", "00ab", "air50", "2", "--reference", "monday", *asha),
        ("terminal", "text", "00ab", "hello", *asha),
        ("terminal", "block", "00ab", *asha),
        ("terminal", "unblock", "00ab", *asha),
        ("terminal", "undo", "mpesa-qx12", "--reason", "wrong slip", "--by", "joy"),
        ("stock", "return", "00ab", "--by", "joy"),
    ):
        done = command(shop, *arguments)
        assert done.exit_code == 0, (arguments, done.stderr)
    noted = command(shop, "audit", "00ab").stdout
    for act in ("deposit", "payback", "stock assign", "text", "block", "unblock"):
        assert f"asha: {act} 00ab" in noted
    assert "joy: undo 00ab" in noted
    assert noted.count("MPESA-QX12") == 2  # the deposit once, its undo once
    statement = command(shop, "terminal", "statement", "00ab").stdout
    assert "50,000.50" in statement
    assert "wrong slip" in statement
    assert shop.sql("SELECT COUNT(*) FROM stock_batch") == [(1,)]
    assert shop.problems() == []


@SQLITE_ALONE
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("terminal", "float", "00ab", "5000"), "terminal deposit"),
        (("terminal", "deposit", "00ab", "5 KES"), "--reference"),
        (("terminal", "deposit", "00ab", "5 KES", "--reference", "x"), "3 to 40"),
        (("terminal", "deposit", "00ab", "5 KES", "--reference", "a:b:c"), "3 to 40"),
        (
            ("terminal", "deposit", "00ab", "5 KES", "--reference", "abc", "--by", " "),
            "who you are",
        ),
        (("terminal", "deposit", "00ac000000000000", "5 KES", "--reference", "abc"), "00ab"),
        (("terminal", "deposit", "00", "5 KES", "--reference", "abc"), "first 4 or more"),
        (("terminal", "deposit", "00a%", "5 KES", "--reference", "abc"), "first 4 or more"),
        (("terminal", "block", "[red]"), "[red]"),
        (("terminal", "undo", "never-was"), "NEVER-WAS"),
        (("stock", "assign", "00ab", "gold", "1", "--reference", "abc"), "gold"),
        (("stock", "return", "00ab", "--wiped"), "blocked"),
        (("stock", "return", "00ab", "--unused", "S1"), "--note"),
        (("vouchers", "recall", "77"), "no import 77"),
        (("vouchers", "recall", "9" * 30), "Invalid value"),
        (("alarm", "close", "9" * 30), "Invalid value"),
        (("terminal", "text", "00ab", "a\x1bc"), "no screen shows"),
        (("terminal", "text", "00ab", "\udce9"), "no screen shows"),
        (("vouchers", "check", "/nonexistent"), "No such file"),
        (("vouchers", "check", "/"), "Is a directory"),
        (("audit", "ffff"), "ffff"),
        (("alarm", "close", "99"), "99"),
    ],
)
def test_wrong_input_is_told_in_words_and_is_exit_status_2(
    shop: Shop, arguments: tuple[str, ...], says: str
) -> None:
    shop.enrol(0xAB << 48)
    refused = command(shop, *arguments)
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


@SQLITE_ALONE
def test_a_server_key_that_is_not_this_databases_is_refused_everywhere(
    shop: Shop, tmp_path: Path
) -> None:
    shop.stock_vault(count=3)
    shop.enrol()
    shop.service.engine.dispose()
    kept = tmp_path / "kept.key"
    shutil.move(shop.folder / "server.key", kept)
    before = (shop.folder / "duka.db").read_bytes()
    for make in (lambda path: None, lambda path: path.write_bytes(bytes(32))):
        make(shop.folder / "server.key")
        if (shop.folder / "server.key").exists():
            (shop.folder / "server.key").chmod(0o600)
        for arguments in (("init",), ("serve",), ("report",), ("check",), ("vouchers", "imports")):
            refused = command(shop, *arguments)
            assert refused.exit_code == 1, arguments
            assert "server.key" in refused.stderr
            assert "Traceback" not in refused.stderr
    assert (shop.folder / "duka.db").read_bytes() == before
    shutil.copy(kept, shop.folder / "server.key")
    assert command(shop, "check").exit_code == 0
