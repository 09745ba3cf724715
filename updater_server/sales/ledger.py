"""The double-entry ledger. Any module of `sales` posts through `post`; nothing else writes to it.

Sign: what we owe or have earned is positive, what we hold or have spent is negative; each
transaction sums to zero and the database refuses one that does not. Each entry of a float carries
the balance after it, which the database refuses unless it follows from the entry before: so a float
costs the same to know on any day. Of the accounts that every sale posts to nobody keeps a balance:
it is the sum of their entries.

    float:<terminal>   what a merchant may still sell for
    float:party:<id>   what a distributor, an agent or a merchant may still hand down
    bank               top-ups received (negative: we hold it)
    voucher_sales      face value of the vouchers sold
    commission         what merchants earned on them (negative: we spent it)
    reserved           what merchants paid for sales that a supplier has not decided

Each is there once for each currency, but a terminal's float: a terminal has one currency for ever.
A transaction is in one currency, and the database refuses one that is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    Sequence,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql

from updater_server.errors import InputError
from updater_server.store.engine import is_sqlite
from updater_server.store.prepared import Prepared
from updater_server.store.tables import (
    account,
    ledger_entry,
    ledger_transaction,
    number,
    terminal,
)
from updater_server.wire import limits

BANK = "bank"
VOUCHER_SALES = "voucher_sales"
COMMISSION = "commission"
RESERVED = "reserved"
_FLOAT = "float:"
AMOUNT_LIMIT_MINOR = limits.TOP_UP_MINOR[1]


def float_account(terminal_id: bytes) -> str:
    """Name of a terminal's float account."""
    return f"{_FLOAT}{terminal_id.hex()}"


def terminal_of(name: str) -> bytes | None:
    """Whose float this account is; None if it is no terminal's."""
    rest = name.removeprefix(_FLOAT)
    return None if rest == name or ":" in rest else bytes.fromhex(rest)


_IS_POSTED = Prepared(
    select(ledger_transaction.c.id).where(ledger_transaction.c.reference == bindparam("reference"))
)
_NEXT = Prepared(
    update(number)
    .where(number.c.name == "ledger_transaction")
    .values(value=number.c.value + 1)
    .returning(number.c.value),
    # No row that every sale would wait for; a number that is not used is missing, and no harm.
    on_postgresql=select(Sequence("ledger_transaction_number").next_value()),
)
_NEWEST_BALANCE = (
    select(ledger_entry.c.balance_after_minor)
    .where(ledger_entry.c.account_id == account.c.id)
    .order_by(ledger_entry.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_FLOAT_OF = Prepared(select(_NEWEST_BALANCE).where(account.c.name == bindparam("name")))
FLOAT = (
    select(_NEWEST_BALANCE).where(account.c.name == bindparam("name")).limit(1).scalar_subquery()
)
"""The float of a terminal's account `name`, for a question that needs it; null: it never moved."""
_FIRST_FLOAT = Prepared(
    select(_NEWEST_BALANCE)
    .where(account.c.name == bindparam("name"))
    .order_by(account.c.id)
    .limit(1)
)
_FLOAT_IN = Prepared(
    select(_NEWEST_BALANCE).where(
        account.c.name == bindparam("name"), account.c.currency == bindparam("currency")
    )
)
_CURRENCY = Prepared(select(terminal.c.currency).where(terminal.c.id == bindparam("terminal_id")))
# All entries of a transaction at once: each account is looked up by its key, none is walked to.
_ON_POSTGRESQL = (
    "INSERT INTO ledger_entry "
    "(transaction_id, account_id, amount_minor, balance_after_minor) "
    "SELECT {number}, a.id, CAST(x.value AS BIGINT), "
    "CASE WHEN starts_with(x.key, 'float:') THEN COALESCE((SELECT e.balance_after_minor "
    "FROM ledger_entry e WHERE e.account_id = a.id ORDER BY e.id DESC LIMIT 1), 0) "
    "+ CAST(x.value AS BIGINT) END "
    "FROM {given}json_each_text(CAST(:entries AS JSON)) WITH ORDINALITY AS x(key, value, place), "
    "LATERAL (SELECT id FROM account WHERE name = x.key "
    "AND currency = CAST(:currency AS TEXT) LIMIT 1) a "
    "ORDER BY x.place RETURNING balance_after_minor"
)
_ENTRIES = Prepared(
    text(
        "INSERT INTO ledger_entry "
        "(transaction_id, account_id, amount_minor, balance_after_minor) "
        "SELECT :transaction_id, a.id, x.value, CASE WHEN substr(x.key, 1, 6) = 'float:' THEN "
        "COALESCE((SELECT e.balance_after_minor FROM ledger_entry e WHERE e.account_id = a.id "
        "ORDER BY e.id DESC LIMIT 1), 0) + x.value END "
        "FROM json_each(:entries) x CROSS JOIN account a "  # in the order in which they are named
        "WHERE a.name = x.key AND a.currency = :currency RETURNING balance_after_minor"
    ),
    on_postgresql=text(_ON_POSTGRESQL.format(number="CAST(:transaction_id AS BIGINT)", given="")),
)
# There its number is given by the same question: one exchange less for each sale.
_NUMBERED = Prepared(
    text(
        "WITH given AS MATERIALIZED (SELECT nextval('ledger_transaction_number') AS id) "
        + _ON_POSTGRESQL.format(number="given.id", given="given, ")
        + ", transaction_id"
    )
)
_WRITTEN = Prepared(
    select(account.c.name)
    .join(ledger_entry, ledger_entry.c.account_id == account.c.id)
    .where(ledger_entry.c.transaction_id == bindparam("transaction_id"))
)
_NEW_ACCOUNT = Prepared(
    insert(account),
    ["name", "currency"],
    on_postgresql=postgresql.insert(account).on_conflict_do_nothing(),
)
_TRANSACTION = Prepared(
    insert(ledger_transaction),
    ["id", "kind", "reference", "terminal_id", "sequence", "created_at"],
)


def is_posted(connection: Connection, reference: str) -> bool:
    """Whether this reference is in the ledger already."""
    return _IS_POSTED.scalar(connection, reference=reference) is not None


def post(
    connection: Connection,
    kind: str,
    reference: str,
    entries: Mapping[str, int],
    *,
    terminal_id: bytes | None,
    sequence: int | None,
    now: int,
    currency: str | None = None,
) -> int | None:
    """Record one transaction: `entries` is account name → amount_minor, all of them in `currency`;
    None: that of the terminal. `reference` can be posted once for ever. Returns the balance of the
    float that it moved, the last one named; None if it moved none.

    Raises:
        sqlalchemy.exc.IntegrityError: the reference is there already, or the entries do not sum to
        zero, or a terminal has another currency.
    """
    if currency is None:
        assert terminal_id is not None, "money of no terminal has its currency said"
        currency = currency_of(connection, terminal_id)
    moved = {name: amount_minor for name, amount_minor in entries.items() if amount_minor}
    transaction_id, written = _begun(connection, moved, currency)
    if len(written) < len(moved):
        # Of an account that was not there when the question was asked: it may be another's by now.
        known = _WRITTEN.scalars(connection, transaction_id=transaction_id)
        new = {name: amount for name, amount in moved.items() if name not in known}
        for name in new:
            _NEW_ACCOUNT.run(connection, name=name, currency=currency)
        written += _written(connection, transaction_id, new, currency)
    floats = [after for after in written if after is not None]
    _TRANSACTION.run(
        connection,
        id=transaction_id,
        kind=kind,
        reference=reference,
        terminal_id=terminal_id,
        sequence=sequence,
        created_at=now,
    )
    return int(floats[-1]) if floats else None


def _begun(
    connection: Connection, moved: Mapping[str, int], currency: str
) -> tuple[int, list[int | None]]:
    """The number of a new transaction, and the balances behind those of its entries whose accounts
    are there.
    """
    if is_sqlite(connection):
        transaction_id = int(_NEXT.scalar(connection))
        return transaction_id, _written(connection, transaction_id, moved, currency)
    rows = _NUMBERED.all(connection, entries=json.dumps(moved), currency=currency)
    if not rows:  # none of them is there: nobody was given the number
        return int(_NEXT.scalar(connection)), []
    return int(rows[0].transaction_id), [row.balance_after_minor for row in rows]


def _written(
    connection: Connection, transaction_id: int, moved: Mapping[str, int], currency: str
) -> list[int | None]:
    return _ENTRIES.scalars(
        connection, entries=json.dumps(moved), transaction_id=transaction_id, currency=currency
    )


def currency_of(connection: Connection, terminal_id: bytes) -> str:
    """A terminal's currency; "" if it was not said yet."""
    return str(_CURRENCY.scalar(connection, terminal_id=terminal_id) or "")


def balance(connection: Connection, name: str, currency: str) -> int:
    """Sum of an account's entries, minor units; 0 for one that never moved."""
    total = connection.scalar(
        select(func.sum(ledger_entry.c.amount_minor))
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(account.c.name == name, account.c.currency == currency)
    )
    return int(total or 0)


def balance_of_float(connection: Connection, name: str, currency: str | None = None) -> int:
    """The balance of an account whose name begins as a float's, minor units; None: in the currency
    in which it moved first.
    """
    if currency is None:
        return int(_FIRST_FLOAT.scalar(connection, name=name) or 0)
    return int(_FLOAT_IN.scalar(connection, name=name, currency=currency) or 0)


def float_minor(connection: Connection, terminal_id: bytes) -> int:
    """A terminal's float."""
    return int(_FLOAT_OF.scalar(connection, name=float_account(terminal_id)) or 0)


def told_float_minor(connection: Connection, terminal_id: bytes) -> int:
    """A terminal's float as a message can say it: never more than it is, and never so much that
    the terminal would have to refuse the message.
    """
    least, most = limits.FLOAT_MINOR
    return max(least, min(most, float_minor(connection, terminal_id)))


def floats_minor(connection: Connection, terminal_ids: list[bytes]) -> dict[bytes, int]:
    """The floats of many terminals, in one question."""
    names = {float_account(terminal_id): terminal_id for terminal_id in terminal_ids}
    rows = connection.execute(
        select(account.c.name, _NEWEST_BALANCE.label("float")).where(
            account.c.name.in_(list(names))
        )
    )
    floats = dict.fromkeys(terminal_ids, 0)
    for name, float_minor in rows:
        floats[names[name]] = int(float_minor or 0)
    return floats


def with_floats(connection: Connection, terminals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """These terminals (`fleet.listing`), each with its `float_minor`, in one question."""
    floats = floats_minor(connection, [item["id"] for item in terminals])
    return [{**item, "float_minor": floats[item["id"]]} for item in terminals]


def top_up(
    connection: Connection, terminal_id: bytes, amount_minor: int, reference: str, now: int
) -> int:
    """Move `amount_minor` (negative: pay back) from the bank to a terminal's float; returns the
    float after it.

    Raises:
        InputError: zero, absurdly large, a payback of more than the float, or the float would be
            more than a terminal can be told.
    """
    if amount_minor == 0 or abs(amount_minor) > AMOUNT_LIMIT_MINOR:
        raise InputError(f"{amount_minor} is no amount for a float")
    after = float_minor(connection, terminal_id) + amount_minor
    if amount_minor < 0 and after < 0:
        raise InputError(f"the float is only {after - amount_minor}")
    if after > limits.FLOAT_MINOR[1]:
        raise InputError(
            f"a float is at most {limits.FLOAT_MINOR[1]}, this one would be {after}: "
            f"top up by {limits.FLOAT_MINOR[1] - (after - amount_minor)} at most"
        )
    post(
        connection,
        "top_up",
        f"topup:{reference}",
        {float_account(terminal_id): amount_minor, BANK: -amount_minor},
        terminal_id=terminal_id,
        sequence=None,
        now=now,
    )
    return after


def sale_entries(terminal_id: bytes, amount_minor: int, commission_minor: int) -> dict[str, int]:
    """What one sale moves; negate for a refund."""
    return {
        float_account(terminal_id): commission_minor - amount_minor,
        VOUCHER_SALES: amount_minor,
        COMMISSION: -commission_minor,
    }


def reserve_entries(terminal_id: bytes, amount_minor: int, commission_minor: int) -> dict[str, int]:
    """What a sale moves that its supplier has not decided; negate to give it back."""
    cost_minor = amount_minor - commission_minor
    return {float_account(terminal_id): -cost_minor, RESERVED: cost_minor}


def reserved_sale_entries(amount_minor: int, commission_minor: int) -> dict[str, int]:
    """What such a sale moves when it is delivered: the float has paid it already."""
    return {
        RESERVED: commission_minor - amount_minor,
        VOUCHER_SALES: amount_minor,
        COMMISSION: -commission_minor,
    }


def reserve_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what the money of a supplier's sale is set apart."""
    return f"reserve:{terminal_id.hex()}:{sequence}"


def release_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what it is given back."""
    return f"release:{terminal_id.hex()}:{sequence}"


def sale_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what an online sale is posted."""
    return f"sale:{terminal_id.hex()}:{sequence}"


def stock_sale_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what a sale from stock is posted."""
    return f"stock:{terminal_id.hex()}:{sequence}"


def void_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what an online sale is given back whose voucher the server lost."""
    return f"void:{terminal_id.hex()}:{sequence}"


def refund_reference(terminal_id: bytes, sequence: int) -> str:
    """Under what a sale is given back that its terminal gave up."""
    return f"refund:{terminal_id.hex()}:{sequence}"


def entries_of(connection: Connection, reference: str) -> dict[str, int]:
    """What the transaction with this reference moved: account name → amount_minor."""
    rows = connection.execute(
        select(account.c.name, ledger_entry.c.amount_minor)
        .join(ledger_entry, ledger_entry.c.account_id == account.c.id)
        .join(ledger_transaction, ledger_transaction.c.id == ledger_entry.c.transaction_id)
        .where(ledger_transaction.c.reference == reference)
    )
    return {row.name: row.amount_minor for row in rows}
