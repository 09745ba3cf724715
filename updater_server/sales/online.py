"""Online sales: one answer for ever to each (terminal, sequence). For the
terminals' face.

DELIVERED (a voucher taken out of the vault for this sale, float debited, PIN may leave) | REFUSED.
With vouchers of our own vault it is one step in one transaction; a crash leaves either no sale or a
finished one. RESERVED (the voucher taken, nothing debited) is for one that must be asked for
elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from updater_server.errors import ConflictError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, records, vault
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import must_tell_first
from updater_server.server_key import ServerKey
from updater_server.store.prepared import Prepared
from updater_server.store.tables import sale
from updater_server.wire.journal_record import RecordKind

REFUSALS = {
    "blocked": "This terminal is blocked. Call your agent.",
    "unknown_product": "This product is no longer sold.",
    "price_changed": "The price or the commission has changed. Sync, then sell again.",
    "no_float": "Not enough float. Top up, then sell again.",
    "no_vouchers": "Sold out for now. Try another product.",
    "restoring": "The office is being restored. Sell from stock, or try again later.",
}
"""What the merchant is told, by refusal code (docs/formats/messages.md)."""
NOT_KEPT = frozenset(["restoring"])
"""Refusals that are no answer for ever: asked again when the terminal's journal is here, the same
sale may go through."""


@dataclass(frozen=True)
class SaleRequest:
    """Message kind 2."""

    sequence: int
    product_id: str
    amount_minor: int
    commission_minor: int
    time: int


@dataclass(frozen=True)
class Delivered:
    """The customer gets this voucher."""

    pin: str
    serial: str
    expires_at: int
    float_after_minor: int


@dataclass(frozen=True)
class Refused:
    """Nothing was sold and nothing was debited."""

    code: str
    text: str


def _stored_answer(
    connection: Connection, key: ServerKey, row: Any, now: int
) -> Delivered | Refused:
    if row.state != "delivered":
        return Refused(row.refusal_code, row.refusal_text)
    if not ledger.is_posted(connection, ledger.void_reference(row.terminal_id, row.sequence)):
        try:
            opened = vault.reveal(connection, key, row.voucher_id)
            return Delivered(opened.pin, opened.serial, opened.expires_at, row.float_after_minor)
        except VaultError as error:
            _void(connection, row, error, now)
    return Refused("no_vouchers", REFUSALS["no_vouchers"])


def _void(connection: Connection, row: Any, error: VaultError, now: int) -> None:
    """Give a delivered sale's money back: its terminal asks for the PIN, and nobody has it any
    more, or it is none that a terminal could take. Without an answer the terminal would ask for
    ever, and nothing else of it would come in.
    """
    terminal_id, sequence = row.terminal_id, row.sequence
    posted = ledger.entries_of(connection, ledger.sale_reference(terminal_id, sequence))
    ledger.post(
        connection,
        "void",
        ledger.void_reference(terminal_id, sequence),
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    vault.set_useless_aside(connection, row.voucher_id, error, now)
    what = "does not open any more"
    if isinstance(error, vault.UnfitVoucher):
        what = f"is none that a terminal could take ({error})"
    text = f"sale {sequence}: its voucher {what}; the money was given back"
    raise_alarm(connection, terminal_id, "sale_voided", text, now)


def _contradicts_journal(connection: Connection, terminal_id: bytes, request: SaleRequest) -> bool:
    """Whether the terminal's own journal, as far as it is here, has another record at this sequence
    number.
    """
    record = records.find(connection, terminal_id, request.sequence)
    return record is not None and (
        record.kind != RecordKind.INTENT_ONLINE
        or record.time != request.time
        or record.body[:3] != [request.product_id, request.amount_minor, request.commission_minor]
    )


_STORED = Prepared(
    select(sale).where(
        sale.c.terminal_id == bindparam("terminal_id"), sale.c.sequence == bindparam("sequence")
    )
)
_REQUESTED = ["terminal_id", "sequence", "product_id", "amount_minor", "terminal_time"]
_REQUESTED += ["commission_minor", "created_at", "state"]
_DELIVERED = Prepared(insert(sale), [*_REQUESTED, "voucher_id", "float_after_minor"])
_REFUSED = Prepared(insert(sale), [*_REQUESTED, "refusal_code", "refusal_text"])


def _is_the_same(stored: Any, request: SaleRequest) -> bool:
    kept = (stored.product_id, stored.amount_minor, stored.commission_minor, stored.terminal_time)
    return kept == (
        request.product_id,
        request.amount_minor,
        request.commission_minor,
        request.time,
    )


def sell(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    owner: Any,
    request: SaleRequest,
    now: int,
) -> Delivered | Refused:
    """Sell one voucher, or repeat the answer given to this sequence before. `owner` is the
    terminal's row (`fleet.terminals`), read in this transaction.

    Raises:
        ConflictError: the sequence was used for something else; the alarm is raised already, so
            commit.
        PricesUnavailable: no catalogue can be read; nothing was decided.
    """
    terminal_id: bytes = owner.id
    stored = _STORED.first(connection, terminal_id=terminal_id, sequence=request.sequence)
    if stored is not None and _is_the_same(stored, request):
        return _stored_answer(connection, key, stored, now)
    # Behind what is acknowledged there is no record yet.
    is_told = request.sequence <= owner.acknowledged_through
    if stored is not None or (is_told and _contradicts_journal(connection, terminal_id, request)):
        text = f"sale {request.sequence} was asked for again with another content"
        raise_alarm(connection, terminal_id, "sale_conflict", text, now)
        raise ConflictError(text)
    code = _why_not(connection, prices, owner, request)
    if code in NOT_KEPT:
        return Refused(code, REFUSALS[code])
    row = _row(terminal_id, request, now)
    if code is not None:
        return _refuse(connection, row, code)
    taken = vault.take_open(connection, key, request.product_id, 1, now, vault.ONLINE_SHELF_LIFE_S)
    if not taken:
        text = f"sold out: {request.product_id}"
        raise_alarm(connection, None, "no_vouchers", text, now)
        return _refuse(connection, row, "no_vouchers")
    prices.record(connection, owner.catalogue, now)
    return _deliver(connection, row, taken[0], now)


def _why_not(
    connection: Connection, prices: PriceLists, owner: Any, request: SaleRequest
) -> str | None:
    """The code of `REFUSALS` for which this sale must not be, whatever the vault holds; or None.

    Raises:
        PricesUnavailable: no catalogue can be read.
    """
    product = prices.product(owner.catalogue, request.product_id)
    if owner.blocked:
        return "blocked"
    if must_tell_first(connection, owner.id):
        return "restoring"
    if product is None:
        return "unknown_product"
    # The merchant pays what he was shown, or learns that it has changed; never another figure.
    if (product.amount_minor, product.commission_minor) != (
        request.amount_minor,
        request.commission_minor,
    ):
        return "price_changed"
    cost_minor = request.amount_minor - request.commission_minor
    return "no_float" if ledger.float_minor(connection, owner.id) < cost_minor else None


def _row(terminal_id: bytes, request: SaleRequest, now: int) -> dict[str, Any]:
    """What the table `sale` keeps of a request, whatever comes of it."""
    return {
        "terminal_id": terminal_id,
        "sequence": request.sequence,
        "product_id": request.product_id,
        "amount_minor": request.amount_minor,
        "terminal_time": request.time,
        "commission_minor": request.commission_minor,
        "created_at": now,
    }


def _refuse(connection: Connection, row: dict[str, Any], code: str) -> Refused:
    answer = Refused(code, REFUSALS[code])
    _REFUSED.run(
        connection, **row, state="refused", refusal_code=answer.code, refusal_text=answer.text
    )
    return answer


def _deliver(
    connection: Connection, row: dict[str, Any], taken: vault.Voucher, now: int
) -> Delivered:
    """The voucher is this sale's for ever, and the float pays it; then its PIN may leave."""
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    after = ledger.post(
        connection,
        "sale",
        ledger.sale_reference(terminal_id, sequence),
        ledger.sale_entries(terminal_id, row["amount_minor"], row["commission_minor"]),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    if after is None:  # its price is all commission
        after = ledger.float_minor(connection, terminal_id)
    _DELIVERED.run(
        connection,
        **row,
        state="delivered",
        voucher_id=taken.voucher_id,
        float_after_minor=after,
    )
    vault.give(connection, [taken.voucher_id], terminal_id, now, sale_sequence=sequence)
    return Delivered(taken.pin, taken.serial, taken.expires_at, after)
