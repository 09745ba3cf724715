"""Online sales: one answer for ever to each (terminal, sequence). For the
terminals' face.

DELIVERED (a voucher taken out of the vault for this sale, float debited, PIN may leave) | REFUSED.
With vouchers of our own vault it is one step in one transaction; a crash leaves either no sale or a
finished one. What a supplier makes is RESERVED here (the float has paid, nothing was asked for yet)
and answered with `Pending`; `vends` has the rest of its way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    insert,
    literal_column,
    select,
)

from updater_server.channels import Catalogue
from updater_server.channels.entry import PIN_KIND, Product
from updater_server.errors import BusyError, ConflictError, InputError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import (
    cancelling,
    ledger,
    records,
    supplier_setup,
    vault,
    vend_rows,
    vends,
)
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import (
    OPEN_RESTORE,
    may_be_with_supplier,
    may_have_forgotten,
    must_tell_of,
    open_restore,
)
from updater_server.sales.vending import Desk
from updater_server.server_key import ServerKey
from updater_server.store.engine import when_committed
from updater_server.store.prepared import Prepared
from updater_server.store.tables import sale
from updater_server.wire.journal_record import RecordKind

REFUSALS = {
    "blocked": "This terminal is blocked. Call your agent.",
    "unknown_product": "This product is no longer sold.",
    "price_changed": "The price or the commission has changed. Sync, then sell again.",
    "no_float": "Not enough float. Top up, then sell again.",
    "no_vouchers": "Sold out for now. Try another product.",
    "cancelled": "This sale is cancelled. Nothing is charged.",
    "restoring": "The office is being restored. Sell from stock, or try again later.",
    "bad_recipient": "This number cannot be. Check it, then sell again.",
    **vends.REFUSAL_TEXTS,
}
"""What the merchant is told, by refusal code (docs/formats/messages.md)."""
_ANOTHER_IS_OPEN = "A sale of this amount to this number is not decided yet. Try again later."
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
    recipient: str | None = None
    """Of what a supplier makes: a telephone, a meter, a bill; digits."""
    cancel: bool = False
    """It was never handed over, and need not be made any more."""


@dataclass(frozen=True)
class Delivered:
    """The customer gets this voucher, or this was delivered to the recipient."""

    pin: str
    serial: str
    expires_at: int
    float_after_minor: int
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Pending:
    """A supplier has not decided. The float has paid; the same question brings the answer."""

    vend_id: int
    ask_again_s: int


@dataclass(frozen=True)
class Refused:
    """Nothing was sold and nothing was debited."""

    code: str
    text: str


Answer = Delivered | Refused | Pending


def _stored_answer(connection: Connection, key: ServerKey, row: Any, now: int) -> Answer:
    if row.state == "refused":
        return Refused(row.refusal_code, row.refusal_text)
    if row.recipient is not None:
        return _vend_answer(connection, key, row, now)
    if not ledger.is_posted(connection, ledger.void_reference(row.terminal_id, row.sequence)):
        try:
            opened = vault.reveal(connection, key, row.voucher_id)
            return Delivered(opened.pin, opened.serial, opened.expires_at, row.float_after_minor)
        except vault.VoucherElsewhere:
            raise  # the customer has it: once its delivery is here again it is told again
        except VaultError as error:
            cancelling.void(connection, row, error, now)
    code = "cancelled" if cancelling.is_cancelled(connection, row.voucher_id) else "no_vouchers"
    return Refused(code, REFUSALS[code])


def stored(
    connection: Connection, key: ServerKey, terminal_id: bytes, sequence: int, now: int
) -> Answer:
    """How a sale stands that was taken in and that a supplier makes. Reads only.

    Raises:
        VaultError: it was delivered, and what was is not here.
    """
    row = _STORED.first(connection, terminal_id=terminal_id, sequence=sequence)
    return _stored_answer(connection, key, row, now)


def _vend_answer(connection: Connection, key: ServerKey, row: Any, now: int) -> Answer:
    """As `stored`, of a row of the table `sale` that is not refused."""
    made = vend_rows.of_sale(connection, row.terminal_id, row.sequence)
    assert made is not None, "a sale to a recipient has its supplier's half"
    if row.state != "delivered":
        return Pending(made["id"], vends.ask_again_s(made, now))
    got = vend_rows.given(key, made)
    return Delivered(got.pin, got.serial, 0, row.float_after_minor, got.details)


def _contradicts_journal(connection: Connection, terminal_id: bytes, request: SaleRequest) -> bool:
    """Whether the terminal's own journal, as far as it is here, has another record at this sequence
    number.
    """
    record = records.find(connection, terminal_id, request.sequence)
    return record is not None and (
        record.kind != RecordKind.INTENT_ONLINE
        or record.time != request.time
        or record.body[:3] != [request.product_id, request.amount_minor, request.commission_minor]
        or records.recipient_of(record) != request.recipient
    )


_MINE = and_(
    sale.c.terminal_id == bindparam("terminal_id"), sale.c.sequence == bindparam("sequence")
)
_STORED = Prepared(select(sale).where(_MINE))
_ONE = select(literal_column("1").label("row")).subquery("one")


def how_it_stands(float_minor: ColumnElement[Any]) -> Prepared:
    """One row: a sale as it is stored, null if it is not, and what decides about a new one."""
    asked = select(sale, float_minor.label("float_minor"), OPEN_RESTORE.label("restore_id"))
    return Prepared(asked.select_from(_ONE.outerjoin(sale, _MINE)))


_STANDS = how_it_stands(ledger.FLOAT)
_REQUESTED = ["terminal_id", "sequence", "product_id", "amount_minor", "terminal_time"]
_REQUESTED += ["commission_minor", "created_at", "recipient", "state"]
_DELIVERED = Prepared(insert(sale), [*_REQUESTED, "voucher_id", "float_after_minor"])
_REFUSED = Prepared(insert(sale), [*_REQUESTED, "refusal_code", "refusal_text"])


def _is_the_same(stored: Any, request: SaleRequest) -> bool:
    return (
        stored.product_id,
        stored.amount_minor,
        stored.commission_minor,
        stored.terminal_time,
        stored.recipient,
    ) == (
        request.product_id,
        request.amount_minor,
        request.commission_minor,
        request.time,
        request.recipient,
    )


def sell(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    owner: Any,
    request: SaleRequest,
    now: int,
    desk: Desk | None = None,
) -> Answer:
    """Sell one voucher, reserve what a supplier makes (`desk` sends it once this is committed), or
    repeat the answer given to this sequence before. `owner` is the terminal's row
    (`fleet.terminals`), read in this transaction.

    Raises:
        ConflictError: the sequence was used for something else; the alarm is raised already, so
            commit.
        PricesUnavailable: no catalogue can be read; nothing was decided.
        BusyError: a supplier may have it, as a restore is open; nothing was decided.
    """
    terminal_id: bytes = owner.id
    stands = _STANDS.first(
        connection,
        terminal_id=terminal_id,
        sequence=request.sequence,
        name=ledger.float_account(terminal_id),
    )
    stored = stands if stands.sequence is not None else None
    if stored is not None and _is_the_same(stored, request):
        if request.cancel and stored.state == "delivered" and stored.recipient is None:
            cancelling.cancel(connection, stored, now)
        return _stored_answer(connection, key, stored, now)
    # Behind what is acknowledged there is no record yet.
    is_told = request.sequence <= owner.acknowledged_through
    if stored is not None or (is_told and _contradicts_journal(connection, terminal_id, request)):
        text = f"sale {request.sequence} was asked for again with another content"
        raise_alarm(connection, terminal_id, "sale_conflict", text, now)
        raise ConflictError(text)
    catalogue = prices.catalogue(owner.catalogue)
    code = _why_not(connection, catalogue, owner, stands, request, now)
    if request.cancel and code not in NOT_KEPT:  # it was never made: from now on it never will be
        code = "restoring" if open_restore(connection) is not None else "cancelled"
    row = _row(terminal_id, request, now)
    if code in NOT_KEPT:
        _look_whether_made(connection, row)
        return Refused(code, REFUSALS[code])
    if code is not None:
        return _refuse(connection, row, code)
    if request.recipient is not None:
        return _reserve(connection, catalogue, row, now, desk)
    taken = vault.take_open(connection, key, request.product_id, 1, now, vault.ONLINE_SHELF_LIFE_S)
    if not taken:
        text = f"sold out: {request.product_id}"
        raise_alarm(connection, None, "no_vouchers", text, now)
        return _refuse(connection, row, "no_vouchers")
    prices.record(connection, owner.catalogue, catalogue, now)
    return _deliver(connection, row, owner.currency, taken[0], now)


def _why_not(
    connection: Connection,
    catalogue: Catalogue,
    owner: Any,
    stands: Any,
    request: SaleRequest,
    now: int,
) -> str | None:
    """The code of `REFUSALS` for which this sale must not be, whatever the vault holds; or None."""
    product = catalogue.product(request.product_id)
    if owner.blocked:
        return "blocked"
    if owner.currency and catalogue.currency != owner.currency:
        text = f"{owner.catalogue} is in {catalogue.currency}, this terminal sells in"
        raise_alarm(connection, owner.id, "other_currency", f"{text} {owner.currency}", now)
        return "unknown_product"
    restore_id = stands.restore_id
    # What its supplier may have is only asked about; its price may be what floats differ by.
    if (
        restore_id is not None
        and not may_be_with_supplier(connection, request.recipient, request.time)
        and must_tell_of(connection, owner.id, restore_id)
    ):
        return "restoring"
    if product is None or (product.kind != PIN_KIND and request.recipient is None):
        return "unknown_product"  # firmware of before takes any product for a voucher
    if not is_recipient(product, request.recipient):
        return "bad_recipient"
    # The merchant pays what he was shown, or learns that it has changed; never another figure.
    if not product.costs(request.amount_minor, request.commission_minor):
        return "price_changed"
    cost_minor = request.amount_minor - request.commission_minor
    return "no_float" if (stands.float_minor or 0) < cost_minor else None


def is_recipient(product: Product, recipient: str | None) -> bool:
    """Whether this can be whom the product goes to; a voucher goes to nobody."""
    if product.recipient is None:
        return recipient is None
    return recipient is not None and product.recipient.takes(recipient)


def _reserve(
    connection: Connection,
    catalogue: Catalogue,
    row: dict[str, Any],
    now: int,
    desk: Desk | None,
) -> Answer:
    """The float pays, and the supplier is asked once this is committed."""
    made = supplier_setup.route(connection, row["product_id"])
    if made is None:
        text = f"no supplier makes {row['product_id']}: say which with `supplier route`"
        raise_alarm(connection, None, "no_supplier", text, now)
    if made is None or desk is None or made.stopped or not desk.takes(made.supplier):
        return _refuse(connection, row, "supplier_down")
    try:
        recipient = desk.adapter(connection, made.supplier).spelled(row["recipient"])
    except (InputError, VaultError) as error:
        raise_alarm(connection, None, "no_supplier", f"{made.supplier}: {error}", now)
        return _refuse(connection, row, "supplier_down")
    if vend_rows.is_open_for(connection, made.supplier, recipient, row["amount_minor"]):
        return _refuse(connection, row, "supplier_down", _ANOTHER_IS_OPEN)
    order = {
        "supplier": made.supplier,
        "code": made.code,
        "recipient": recipient,
        "currency": catalogue.currency,
        "minor_digits": catalogue.minor_digits,
    }
    # What a restored server forgot it may have sent: only who was asked then can tell.
    began = row["sequence"], row["terminal_time"]
    is_forgotten = may_have_forgotten(connection, row["terminal_id"], *began)
    unsure = "a restore may have forgotten it" if is_forgotten else ""
    vend_id = vends.reserve(connection, row, order, now, unsure)
    if not unsure:
        when_committed(connection, lambda: desk.start(vend_id, made.supplier))
    return Pending(vend_id, vends.FIRST_PAUSE_S)


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
        "recipient": request.recipient,
    }


def _look_whether_made(connection: Connection, row: dict[str, Any]) -> None:
    """Before a sale is refused. Raises BusyError: its supplier may have it, so that it waits."""
    if may_be_with_supplier(connection, row["recipient"], row["terminal_time"]):
        raise BusyError(f"a restore may have forgotten what became of sale {row['sequence']}")


def _refuse(
    connection: Connection, row: dict[str, Any], code: str, text: str | None = None
) -> Refused:
    _look_whether_made(connection, row)
    answer = Refused(code, text or REFUSALS[code])
    _REFUSED.run(
        connection, **row, state="refused", refusal_code=answer.code, refusal_text=answer.text
    )
    return answer


def _deliver(
    connection: Connection, row: dict[str, Any], currency: str, taken: vault.Voucher, now: int
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
        currency=currency,
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
