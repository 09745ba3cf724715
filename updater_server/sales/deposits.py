"""Money that a merchant brings or takes back: each reference is posted once for ever, with who did
it. For the command line.

Nothing is ever changed: a wrong deposit is undone by an entry of its own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import merchant_notices, operators, terminals
from updater_server.sales import currency, ledger
from updater_server.sales.prices import PriceLists
from updater_server.store.tables import deposit
from updater_server.wire import limits

FLOAT_LIMIT_MINOR = limits.TOP_UP_MINOR[1]
"""Of one deposit, and of a float that one leaves; less than a terminal takes in a settlement."""


def post(
    connection: Connection,
    prices: PriceLists,
    terminal_id: bytes,
    amount: str,
    reference: str,
    operator: str,
    now: int,
    *,
    payback: bool = False,
) -> dict[str, Any]:
    """Book a deposit (or pay some of a float back); returns its row. The same again changes nothing
    and returns the same row.

    Raises:
        InputError: the amount, its currency or what would be left of the float is wrong, or a
            blocked terminal would get money.
        ConflictError: the reference was used for something else.
        PricesUnavailable: the terminal's price list, which says its currency, cannot be read.
    """
    money = currency.of_terminal(connection, prices, terminal_id)
    amount_minor = -money.parse(amount) if payback else money.parse(amount)
    if abs(amount_minor) > FLOAT_LIMIT_MINOR:
        raise InputError(f"{amount[:40]!r} is more than any float holds")
    known = _row(connection, reference)
    if known is not None:
        same = (known["terminal_id"], known["amount_minor"], known["currency"]) == (
            terminal_id,
            amount_minor,
            money.code,
        )
        if same:
            return known
        raise ConflictError(
            f"reference {reference} was posted before, otherwise: "
            f"{money.show(known['amount_minor'])} for {known['terminal_id'].hex()}, "
            f"by {known['posted_by']}"
        )
    before = ledger.float_minor(connection, terminal_id)
    if payback and before + amount_minor < 0:
        raise InputError(f"the float is only {money.show(before)}")
    if not payback and terminals.is_blocked(connection, terminal_id):
        raise InputError(f"{terminal_id.hex()} is blocked: unblock it before it gets float")
    if before + amount_minor > FLOAT_LIMIT_MINOR:
        raise InputError(
            f"the float would be {money.show(before + amount_minor)}; "
            f"a terminal holds at most {money.show(FLOAT_LIMIT_MINOR)}"
        )
    currency.bind(connection, money)
    return _post(
        connection, terminal_id, amount_minor, money.code, reference, operator, now, None, ""
    )


def undo(
    connection: Connection,
    reference: str,
    operator: str,
    reason: str,
    now: int,
    *,
    below_zero: bool = False,
) -> dict[str, Any]:
    """Take a deposit or a payback back by an entry of its own, once; the same again changes
    nothing.

    Raises:
        InputError: no such deposit, it is itself an undo, or the merchant has sold with the money
            (unless `below_zero`).
    """
    wrong = _row(connection, reference)
    if wrong is None:
        raise InputError(f"no deposit {reference} was posted")
    known = _row(connection, f"UNDO:{reference}")
    if known is not None:
        return known
    if wrong["undoes"]:
        raise InputError(f"{reference} is an undo itself: post the deposit anew")
    money = currency.named(connection, wrong["currency"])
    after = ledger.float_minor(connection, wrong["terminal_id"]) - wrong["amount_minor"]
    if after < 0 < wrong["amount_minor"] and not below_zero:
        raise InputError(
            f"the float would be {money.show(after)}: the merchant has sold with that money; "
            "--below-zero does it all the same, and the terminal sells nothing until it is paid"
        )
    return _post(
        connection,
        wrong["terminal_id"],
        -wrong["amount_minor"],
        wrong["currency"],
        f"UNDO:{reference}",
        operator,
        now,
        reference,
        reason,
    )


def _row(connection: Connection, reference: str) -> dict[str, Any] | None:
    found = (
        connection.execute(select(deposit).where(deposit.c.reference == reference))
        .mappings()
        .one_or_none()
    )
    return None if found is None else dict(found)


def _post(
    connection: Connection,
    terminal_id: bytes,
    amount_minor: int,
    code: str,
    reference: str,
    operator: str,
    now: int,
    undoes: str | None,
    reason: str,
) -> dict[str, Any]:
    ledger_reference = f"topup:{reference}"
    if ledger.is_posted(connection, ledger_reference):
        raise ConflictError(f"reference {reference} is in the ledger already")
    number = merchant_notices.next_number(connection, terminal_id, now)
    ledger.post(
        connection,
        "top_up",
        ledger_reference,
        {ledger.float_account(terminal_id): amount_minor, ledger.BANK: -amount_minor},
        terminal_id=terminal_id,
        sequence=None,
        now=now,
        currency=code,
    )
    float_after_minor = ledger.float_minor(connection, terminal_id)
    row = {
        "reference": reference,
        "terminal_id": terminal_id,
        "amount_minor": amount_minor,
        "currency": code,
        "posted_by": operator,
        "undoes": undoes,
        "reason": operators.words(reason, 200),
        "float_after_minor": float_after_minor,
        "created_at": now,
    }
    connection.execute(insert(deposit).values(**row))
    merchant_notices.money_moved(
        connection, terminal_id, number, amount_minor, reference, float_after_minor
    )
    action = "undo" if undoes else "deposit" if amount_minor > 0 else "payback"
    operators.note(
        connection, operator, action, terminal_id.hex(), f"{reference} {amount_minor} {code}", now
    )
    return row


def statement(connection: Connection, terminal_id: bytes, limit: int) -> list[dict[str, Any]]:
    """A terminal's deposits, paybacks and undos, newest first."""
    rows = connection.execute(
        select(deposit)
        .where(deposit.c.terminal_id == terminal_id)
        .order_by(deposit.c.created_at.desc(), deposit.c.reference.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
