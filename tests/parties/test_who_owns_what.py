"""Distributors, agents, merchants: where they stand, and money that goes down to the terminals."""

from __future__ import annotations

import sqlite3

import pytest

from tests.parties.trade import DAY_S, Trade
from updater_server.errors import ConflictError, InputError
from updater_server.parties import tree
from updater_server.sales import deposits
from updater_server.store.engine import driver_connection, reading, writing

PARTY_TABLES = (
    "party", "terminal_owner", "commission_rate", "credit_limit", "movement", "closed_day",
    "day_share",
)  # fmt: skip


def test_money_goes_down_the_tree_and_the_terminal_sells_with_it(trade: Trade) -> None:
    trade.deposit("LAKE", "5000 KES", "SLIP-1", "BANK-77")
    trade.transfer("LAKE", "SHORE", "3000 KES", "T-1")
    trade.transfer("SHORE", "ASHA", "1000 KES", "T-2")
    trade.transfer("ASHA", trade.terminal, "400 KES", "T-3")
    assert [trade.float_of(code) for code in ("LAKE", "SHORE", "ASHA")] == [200000, 200000, 60000]
    assert trade.shop.float_of(trade.device) == 100_000 + 40_000
    reply = trade.device.sale(1)
    assert (reply[1], reply[5]) == (0, 140_000 - 4_750)
    assert trade.shop.problems() == []


def test_a_terminal_that_hears_of_a_transfer_later_is_no_mismatch(trade: Trade) -> None:
    trade.device.check_in(own_float=100_000)
    trade.deposit("ASHA", "500 KES", "SLIP-1")
    trade.transfer("ASHA", trade.terminal, "400 KES", "T-1")
    assert trade.device.check_in(own_float=100_000)[2] == 140_000
    assert trade.device.check_in(own_float=140_000)[2] == 140_000
    assert trade.shop.alarms() == []


def test_money_sent_twice_is_moved_once(trade: Trade) -> None:
    first = trade.deposit("LAKE", "50.50 KES", "SLIP-1")
    assert trade.deposit("LAKE", "50.50 KES", "SLIP-1") == first
    moved = trade.transfer("LAKE", "SHORE", "20 KES", "T-1")
    assert trade.transfer("LAKE", "SHORE", "20 KES", "T-1") == moved
    assert (trade.float_of("LAKE"), trade.float_of("SHORE")) == (3050, 2000)


@pytest.mark.parametrize("other", ["amount", "party", "kind", "bank line"])
def test_a_reference_is_one_movements_for_ever(trade: Trade, other: str) -> None:
    trade.deposit("LAKE", "50 KES", "SLIP-1", "BANK-1")
    with pytest.raises(ConflictError, match="posted before"):
        if other == "kind":
            trade.payback("LAKE", "50 KES", "SLIP-1")
        else:
            code = "SHORE" if other == "party" else "LAKE"
            amount = "51 KES" if other == "amount" else "50 KES"
            trade.deposit(code, amount, "SLIP-1", "BANK-2" if other == "bank line" else "BANK-1")
    assert trade.float_of("LAKE") == 5000


def test_a_line_of_the_banks_statement_is_one_deposits(trade: Trade) -> None:
    trade.deposit("LAKE", "50 KES", "SLIP-1", "BANK-1")
    with pytest.raises(ConflictError, match="SLIP-1 already"):
        trade.deposit("LAKE", "50 KES", "SLIP-2", "BANK-1")
    assert trade.float_of("LAKE") == 5000


def test_a_slip_counts_once_whether_a_partys_or_a_terminals(trade: Trade) -> None:
    trade.deposit("LAKE", "50 KES", "SLIP-1")
    with (
        pytest.raises(ConflictError, match="in the ledger already"),
        writing(trade.shop.service.engine) as connection,
    ):
        deposits.post(
            connection, trade.shop.service.prices, trade.device.terminal_id, "50 KES", "SLIP-1",
            "asha", trade.now[0],
        )  # fmt: skip
    assert trade.shop.float_of(trade.device) == 100_000


@pytest.mark.parametrize(
    ("giver", "taker"),
    [
        ("LAKE", "ASHA"), ("ASHA", "JOY"), ("SHORE", "terminal"), ("JOY", "terminal"),
        ("LAKE", "LAKE"),
    ],
)  # fmt: skip
def test_money_goes_one_step_and_only_along_the_tree(trade: Trade, giver: str, taker: str) -> None:
    for code in ("LAKE", "SHORE", "ASHA", "JOY"):
        trade.deposit(code, "100 KES", f"SLIP-{code}")
    source, target = (trade.terminal if name == "terminal" else name for name in (giver, taker))
    with pytest.raises(InputError, match="one right above the other"):
        trade.transfer(source, target, "10 KES", "T-1")


def test_nobody_hands_down_what_is_not_there(trade: Trade) -> None:
    trade.deposit("LAKE", "100 KES", "SLIP-1")
    with pytest.raises(InputError, match=r"there is only 100\.00 KES"):
        trade.transfer("LAKE", "SHORE", "100.01 KES", "T-1")
    with pytest.raises(InputError, match="there is only"):
        trade.payback("LAKE", "100.01 KES", "P-1")
    with pytest.raises(InputError, match="there is only"):
        trade.transfer(trade.terminal, "ASHA", "1000.01 KES", "T-2")
    trade.transfer("LAKE", "SHORE", "100 KES", "T-1")
    assert (trade.float_of("LAKE"), trade.float_of("SHORE")) == (0, 10_000)


def test_a_credit_lets_a_float_go_below_zero_until_it_runs_out(trade: Trade) -> None:
    trade.credit("LAKE", 10_000, trade.now[0] + DAY_S)
    trade.transfer("LAKE", "SHORE", "60 KES", "T-1")
    with pytest.raises(InputError, match=r"only −60\.00 KES and a credit of 100\.00 KES"):
        trade.transfer("LAKE", "SHORE", "40.01 KES", "T-2")
    trade.now[0] += DAY_S - 1
    trade.transfer("LAKE", "SHORE", "1 KES", "T-3")
    trade.now[0] += 1
    with pytest.raises(InputError, match="there is only"):
        trade.transfer("LAKE", "SHORE", "1 KES", "T-4")
    assert trade.float_of("LAKE") == -6100
    trade.deposit("LAKE", "70 KES", "SLIP-1")
    trade.transfer("LAKE", "SHORE", "9 KES", "T-5")
    assert trade.float_of("LAKE") == 0
    assert trade.shop.problems() == []


def test_the_newest_credit_holds_and_none_is_given_that_has_run_out(trade: Trade) -> None:
    trade.credit("LAKE", 10_000, trade.now[0] + DAY_S)
    trade.credit("LAKE", 0, trade.now[0] + DAY_S)
    with pytest.raises(InputError, match="there is only"):
        trade.transfer("LAKE", "SHORE", "1 KES", "T-1")
    with pytest.raises(InputError, match="run out before"):
        trade.credit("LAKE", 10_000, trade.now[0])


def test_a_wrong_movement_is_undone_once_by_an_entry_of_its_own(trade: Trade) -> None:
    trade.deposit("LAKE", "100 KES", "SLIP-1")
    trade.transfer("LAKE", "SHORE", "60 KES", "T-1")
    undone = trade.reverse("T-1")
    assert trade.reverse("T-1") == undone
    assert (trade.float_of("LAKE"), trade.float_of("SHORE")) == (10_000, 0)
    with pytest.raises(InputError, match="a reversal itself"):
        trade.reverse("UNDO:T-1")
    with pytest.raises(InputError, match="no movement"):
        trade.reverse("T-9")
    trade.transfer("LAKE", "SHORE", "60 KES", "T-2")
    with pytest.raises(InputError, match="there is only"):
        trade.reverse("SLIP-1")
    assert trade.shop.problems() == []


def test_a_blocked_terminal_gets_nothing_and_can_give_back(trade: Trade) -> None:
    trade.deposit("ASHA", "100 KES", "SLIP-1")
    with writing(trade.shop.service.engine) as connection:
        connection.exec_driver_sql("UPDATE terminal SET blocked = 1")
    with pytest.raises(InputError, match="is blocked"):
        trade.transfer("ASHA", trade.terminal, "10 KES", "T-1")
    trade.transfer(trade.terminal, "ASHA", "10 KES", "T-2")
    assert trade.shop.float_of(trade.device) == 99_000


def test_a_terminal_is_given_no_more_than_it_can_be_told(trade: Trade) -> None:
    most = trade.order(f"{deposits.FLOAT_LIMIT_MINOR // 100} KES", "").amount
    trade.deposit("ASHA", most, "SLIP-1")
    with pytest.raises(InputError, match="it holds at most"):
        trade.transfer("ASHA", trade.terminal, most, "T-1")
    assert trade.float_of("ASHA") == deposits.FLOAT_LIMIT_MINOR // 100 * 100


def test_a_terminal_changes_hands(trade: Trade) -> None:
    trade.deposit("JOY", "100 KES", "SLIP-1")
    with pytest.raises(InputError, match="one right above"):
        trade.transfer("JOY", trade.terminal, "10 KES", "T-1")
    trade.now[0] += 60
    trade.own(trade.device, "JOY")
    trade.transfer("JOY", trade.terminal, "10 KES", "T-1")
    with pytest.raises(InputError, match="terminals are a merchant's"):
        trade.own(trade.device, "SHORE")


@pytest.mark.parametrize(
    ("code", "name", "kind", "under", "words"),
    [
        ("x", "Name", "agent", "", "no code"),
        ("A B", "Name", "agent", "", "no code"),
        ("NEW", "", "agent", "", "no name"),
        ("NEW", "a\nb", "agent", "", "no name"),
        ("NEW", "x" * 65, "agent", "", "no name"),
        ("NEW", "Name", "king", "", "a party is a"),
        ("NEW", "Name", "merchant", "ASHA", "no merchant stands under"),
        ("NEW", "Name", "distributor", "SHORE", "no distributor stands under"),
        ("NEW", "Name", "agent", "NOBODY", "there is no party"),
    ],
)
def test_a_party_that_cannot_be_is_refused(
    trade: Trade, code: str, name: str, kind: str, under: str, words: str
) -> None:
    with pytest.raises(InputError, match=words), writing(trade.shop.service.engine) as connection:
        tree.add(connection, code, name, kind, under, "asha", 1)


def test_a_party_is_added_once_and_its_code_is_nobody_elses(trade: Trade) -> None:
    first = trade.add("PIER", "agent", "LAKE")
    assert trade.add("pier", "agent", "LAKE").id == first.id
    with pytest.raises(ConflictError, match="PIER is taken"):
        trade.add("PIER", "merchant", "LAKE")


def test_agents_do_not_stand_under_agents_for_ever(trade: Trade) -> None:
    under = "SHORE"
    for level in range(2, tree.DEPTH):
        under = trade.add(f"LEVEL-{level}", "agent", under).code
    with pytest.raises(InputError, match="levels down"):
        trade.add("TOO-DEEP", "agent", under)


@pytest.mark.parametrize("table", PARTY_TABLES)
@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_written(
    trade: Trade, table: str, verb: str
) -> None:
    trade.zone()
    today = trade.today()
    trade.rate("LAKE", "1%", today)
    trade.credit("LAKE", 1, trade.now[0] + 1)
    trade.deposit("LAKE", "1 KES", "SLIP-1")
    trade.device.sale(1)
    trade.now[0] += 2 * DAY_S
    trade.close(today)
    with reading(trade.shop.service.engine) as connection:
        raw = driver_connection(connection)
        assert raw.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(verb.format(table))
