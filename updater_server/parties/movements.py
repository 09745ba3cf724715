"""Money of parties: what they pay in and out, and what goes down the tree to those who sell. For
the command line.

A reference is posted once for ever, with who did it; a line of the bank's statement as well. A
wrong movement is undone by an entry of its own. A float never goes below zero, or below the credit
that was allowed and has not run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, or_, select

from updater_server.errors import ConflictError, InputError
from updater_server.fleet import merchant_notices, operators, terminals
from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.sales import currency, deposits, ledger
from updater_server.sales.currency import Currency
from updater_server.sales.prices import PriceLists
from updater_server.store.tables import credit_limit, movement

LIMIT_MINOR = 10**15
"""Of one movement, and of a party's float: far from what a row can hold."""


@dataclass(frozen=True)
class Holder:
    """Who has a float: a party or a terminal."""

    account: str
    party: Party | None
    terminal_id: bytes | None

    @property
    def name(self) -> str:
        """As people call it."""
        return self.party.code if self.party else (self.terminal_id or b"").hex()


def holder(connection: Connection, text: str) -> Holder:
    """The party with this code, else the terminal whose id begins so.

    Raises:
        InputError: neither.
    """
    try:
        found = tree.find(connection, text)
        return Holder(found.account, found, None)
    except InputError:
        pass
    try:
        terminal_id = terminals.find(connection, text)
    except InputError as error:
        raise InputError(f"{text[:40]!r} is neither a party nor a terminal: {error}") from error
    return Holder(ledger.float_account(terminal_id), None, terminal_id)


@dataclass(frozen=True)
class Order:
    """What is to move: `amount` as people write it, with its currency."""

    amount: str
    reference: str
    operator: str
    now: int
    bank_line: str = ""


def set_credit(
    connection: Connection,
    who: Party,
    amount_minor: int,
    until: int,
    reason: str,
    order: Order,
    code: str = "",
) -> None:
    """Allow a float in the currency `code` ("": that of the books' beginning) to go `amount_minor`
    below zero until `until` (Unix time); it replaces what was allowed before.

    Raises:
        InputError: it would have run out already, or is absurdly large.
    """
    if amount_minor and until <= order.now:
        raise InputError("the credit would have run out before it began")
    if not 0 <= amount_minor <= LIMIT_MINOR:
        raise InputError(f"{amount_minor} is no credit")
    connection.execute(
        insert(credit_limit).values(
            party_id=who.id,
            limit_minor=amount_minor,
            currency=code,
            expires_at=until,
            set_by=order.operator,
            reason=operators.words(reason, 200),
            created_at=order.now,
        )
    )
    details = f"{amount_minor} until {until}"
    operators.note(connection, order.operator, "credit", who.code, details, order.now)


def credit_minor(connection: Connection, party_id: int, now: int, code: str = "") -> int:
    """How far below zero a party's float in the currency `code` may go now ("": in that of the
    books' beginning).
    """
    first = currency.of_books(connection) or currency.UNKNOWN
    codes = {code, first.code, ""} if code in ("", first.code) else {code}
    row = connection.execute(
        select(credit_limit.c.limit_minor, credit_limit.c.expires_at)
        .where(credit_limit.c.party_id == party_id, credit_limit.c.currency.in_(codes))
        .order_by(credit_limit.c.id.desc())
        .limit(1)
    ).one_or_none()
    return int(row.limit_minor) if row is not None and row.expires_at > now else 0


def deposit(connection: Connection, prices: PriceLists, who: Party, order: Order) -> dict[str, Any]:
    """A party paid in: the bank has it, its float grows. The same again changes nothing.

    Raises:
        InputError: the amount or its currency is wrong.
        ConflictError: the reference or the bank's line was used for something else.
    """
    return _move(connection, prices, "deposit", (ledger.BANK, who.account), order)


def payback(connection: Connection, prices: PriceLists, who: Party, order: Order) -> dict[str, Any]:
    """A party takes some of its float back. Raises as `deposit`, and if it has not so much."""
    return _move(connection, prices, "payback", (who.account, ledger.BANK), order)


def transfer(
    connection: Connection, prices: PriceLists, giver: Holder, taker: Holder, order: Order
) -> dict[str, Any]:
    """One step down or up the tree: a party and one right under it, a merchant and its terminal.

    Raises:
        InputError: they do not stand so, the giver has not so much, or a blocked terminal would
            get money.
        ConflictError: the reference was used for something else.
    """
    if not (_is_above(connection, giver, taker) or _is_above(connection, taker, giver)):
        raise InputError(f"{giver.name} and {taker.name} are not one right above the other")
    return _move(connection, prices, "transfer", (giver.account, taker.account), order)


def _is_above(connection: Connection, upper: Holder, lower: Holder) -> bool:
    if upper.party is None:
        return False
    if lower.party is not None:
        return lower.party.parent_id == upper.party.id
    owner = tree.owner_of(connection, lower.terminal_id or b"")
    return owner is not None and owner.id == upper.party.id


def reverse(connection: Connection, reference: str, reason: str, order: Order) -> dict[str, Any]:
    """Undo a movement by an entry of its own, once; the same again changes nothing.

    Raises:
        InputError: there is none, it is itself a reversal, or who got the money has it no more.
    """
    wrong = _row(connection, reference)
    if wrong is None:
        raise InputError(
            f"no movement {reference} was posted; a terminal's deposit: `terminal undo`"
        )
    if wrong["kind"] == "reversal":
        raise InputError(f"{reference} is a reversal itself: post the movement anew")
    known = _row(connection, f"UNDO:{reference}")
    if known is not None:
        return known
    accounts = (wrong["to_account"], wrong["from_account"])
    money = currency.named(connection, wrong["currency"])
    _must_have(connection, money, accounts[0], wrong["amount_minor"], order.now)
    row = {
        "reference": f"UNDO:{reference}",
        "kind": "reversal",
        "amount_minor": wrong["amount_minor"],
        "currency": wrong["currency"],
        "bank_line": None,
        "reverses": reference,
        "reason": operators.words(reason, 200),
    }
    return _post(connection, accounts, row, order)


def _move(
    connection: Connection,
    prices: PriceLists,
    kind: str,
    accounts: tuple[str, str],
    order: Order,
) -> dict[str, Any]:
    money = _money(connection, prices, accounts, order.amount)
    amount_minor = money.parse(order.amount)
    if amount_minor > LIMIT_MINOR:
        raise InputError(f"{order.amount[:40]!r} is more than any float holds")
    bank_line = order.bank_line.strip() or None
    if bank_line is not None and (len(bank_line) > 64 or not bank_line.isprintable()):
        raise InputError(f"{bank_line[:40]!r} is no line of a bank's statement: 1 to 64 letters")
    wanted = (kind, *accounts, amount_minor, money.code, bank_line)
    known = _row(connection, order.reference)
    if known is not None:
        names = ("kind", "from_account", "to_account", "amount_minor", "currency", "bank_line")
        if tuple(known[name] for name in names) == wanted:
            return known
        raise ConflictError(
            f"reference {order.reference} was posted before, otherwise: {known['kind']} of "
            f"{money.show(known['amount_minor'])}, by {known['posted_by']}"
        )
    if bank_line is not None:
        other = connection.scalar(
            select(movement.c.reference).where(movement.c.bank_line == bank_line)
        )
        if other is not None:
            raise ConflictError(f"line {bank_line} of the bank's statement is {other} already")
    _must_have(connection, money, accounts[0], amount_minor, order.now)
    _may_take(connection, money, accounts[1], amount_minor)
    if money.code:
        currency.bind(connection, money)
    row = {
        "reference": order.reference,
        "kind": kind,
        "amount_minor": amount_minor,
        "currency": money.code,
        "bank_line": bank_line,
        "reverses": None,
        "reason": "",
    }
    return _post(connection, accounts, row, order)


def _money(
    connection: Connection, prices: PriceLists, accounts: tuple[str, str], amount: str
) -> Currency:
    """What this is in: a terminal's currency, else the one of the books (or of a price list) that
    the amount names, else that which the books were begun in.
    """
    terminal_ids = [one for one in map(ledger.terminal_of, accounts) if one is not None]
    if terminal_ids:
        return currency.of_terminal(connection, prices, terminal_ids[0])
    first = currency.shown(connection, prices)
    if amount.strip(" ").upper().endswith(first.code):
        return first
    known = currency.every(connection, prices)
    return known.get(amount.strip(" ")[-3:].upper(), first)


def _must_have(
    connection: Connection, money: Currency, name: str, amount_minor: int, now: int
) -> None:
    """Raises InputError: this float would go below what it may."""
    if name == ledger.BANK:
        return
    credit = 0
    if name.startswith("float:party:"):
        party_id = int(name.rpartition(":")[2])
        credit = credit_minor(connection, party_id, now, money.code)
    left = ledger.balance_of_float(connection, name, money.code) - amount_minor
    if left + credit < 0:
        allowed = f" and a credit of {money.show(credit)}" if credit else ""
        raise InputError(f"there is only {money.show(left + amount_minor)}{allowed}")


def _may_take(connection: Connection, money: Currency, name: str, amount_minor: int) -> None:
    """Raises InputError: who would get it may not, or could not be told so much."""
    if name == ledger.BANK:
        return
    most = LIMIT_MINOR
    terminal_id = ledger.terminal_of(name)
    if terminal_id is not None:
        most = deposits.FLOAT_LIMIT_MINOR
        if terminals.is_blocked(connection, terminal_id):
            raise InputError(f"{terminal_id.hex()} is blocked: unblock it before it gets float")
    after = ledger.balance_of_float(connection, name, money.code) + amount_minor
    if after > most:
        raise InputError(
            f"the float would be {money.show(after)}; it holds at most {money.show(most)}"
        )


def _row(connection: Connection, reference: str) -> dict[str, Any] | None:
    found = connection.execute(select(movement).where(movement.c.reference == reference))
    row = found.mappings().one_or_none()
    return None if row is None else dict(row)


def _post(
    connection: Connection, accounts: tuple[str, str], row: dict[str, Any], order: Order
) -> dict[str, Any]:
    giver, taker = accounts
    amount_minor = row["amount_minor"]
    # A slip counts once, whether it was a terminal's or a party's. A terminal knows its credits by
    # their kind, so what comes to it is a top-up as any other.
    reference = f"topup:{row['reference']}"
    if ledger.is_posted(connection, reference):
        raise ConflictError(f"reference {row['reference']} is in the ledger already")
    at_counter = [ledger.terminal_of(name) for name in accounts]
    terminal_id = at_counter[0] or at_counter[1]
    number = merchant_notices.next_number(connection, terminal_id, order.now) if terminal_id else 0
    ledger.post(
        connection,
        "top_up" if terminal_id else "movement",
        reference,
        {giver: -amount_minor, taker: amount_minor},
        terminal_id=terminal_id,
        sequence=None,
        now=order.now,
        currency=row["currency"],
    )
    whole = {
        **row,
        "from_account": giver,
        "to_account": taker,
        "posted_by": order.operator,
        "created_at": order.now,
    }
    connection.execute(insert(movement).values(**whole))
    if terminal_id:
        merchant_notices.money_moved(
            connection,
            terminal_id,
            number,
            amount_minor if at_counter[1] else -amount_minor,
            row["reference"],
            ledger.float_minor(connection, terminal_id),
        )
    details = f"{row['reference']} {amount_minor} {row['currency']} to {taker}"
    operators.note(connection, order.operator, row["kind"], giver, details, order.now)
    return whole


def newest(connection: Connection, account: str, limit: int) -> list[dict[str, Any]]:
    """An account's movements, newest first."""
    rows = connection.execute(
        select(movement)
        .where(or_(movement.c.from_account == account, movement.c.to_account == account))
        .order_by(movement.c.created_at.desc(), movement.c.reference.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]
