"""Online sales: one answer for ever to each (terminal, sequence). For `device_api`.

RESERVED (a voucher taken out of the vault for this sale) → DELIVERED (float debited, PIN may leave)
| REFUSED. With vouchers of our own vault both steps are one transaction; a crash leaves either no
sale or a finished one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from updater_server import limits
from updater_server.errors import ConflictError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, vouchers
from updater_server.sales.journal import Record, RecordKind
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey
from updater_server.tables import journal_record, sale, terminal, voucher_assignment

REFUSALS = {
    "blocked": "This terminal is blocked. Call your agent.",
    "unknown_product": "This product is no longer sold.",
    "price_changed": "The price has changed. Sync, then sell again.",
    "no_float": "Not enough float. Top up, then sell again.",
    "no_vouchers": "Sold out for now. Try another product.",
    "voucher_unfit": "That voucher was no good. Nothing was sold. Sell again.",
}


@dataclass(frozen=True)
class SaleRequest:
    """Message kind 2."""

    sequence: int
    product_id: str
    amount_minor: int
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
    connection: Connection, key: ServerKey, row: RowMapping, now: int
) -> Delivered | Refused:
    if row["state"] == "delivered":
        opened = vouchers.reveal(connection, key, row["voucher_id"])
        unfit = limits.unfit_voucher(
            opened.product_id, opened.pin, opened.serial, opened.expires_at
        )
        if unfit:
            return _give_back(connection, row, unfit, now)
        return Delivered(opened.pin, opened.serial, opened.expires_at, row["float_after_minor"])
    return Refused(row["refusal_code"], row["refusal_text"])


def _give_back(connection: Connection, row: RowMapping, why: str, now: int) -> Refused:
    """The end of a sale whose answer no terminal can take: the debit is given back, once."""
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    reference = f"refund:{terminal_id.hex()}:{sequence}"
    if not ledger.is_posted(connection, reference):
        moved = ledger.sale_entries(terminal_id, row["amount_minor"], row["commission_minor"])
        ledger.post(
            connection,
            "refund",
            reference,
            {name: -amount_minor for name, amount_minor in moved.items()},
            terminal_id=terminal_id,
            sequence=sequence,
            now=now,
        )
        text = f"sale {sequence} is given back, its voucher cannot be delivered: {why}"
        raise_alarm(connection, terminal_id, "voucher_unfit", text, now)
    return Refused("voucher_unfit", REFUSALS["voucher_unfit"])


def _contradicts_journal(connection: Connection, terminal_id: bytes, request: SaleRequest) -> bool:
    """Whether the terminal's own journal, as far as it is here, has another record at this sequence
    number.
    """
    raw = connection.scalar(
        select(journal_record.c.raw).where(
            journal_record.c.terminal_id == terminal_id,
            journal_record.c.sequence == request.sequence,
        )
    )
    if raw is None:
        return False
    record = Record.parse(raw)
    return (
        record.kind != RecordKind.INTENT_ONLINE
        or record.time != request.time
        or record.body[:2] != [request.product_id, request.amount_minor]
    )


def sell(
    connection: Connection,
    key: ServerKey,
    prices: PriceLists,
    terminal_id: bytes,
    request: SaleRequest,
    now: int,
) -> Delivered | Refused:
    """Sell one voucher, or repeat the answer given to this sequence before.

    Raises:
        ConflictError: the sequence was used for something else; the alarm is raised already, so
            commit.
        PricesUnavailable: no catalogue can be read; nothing was decided.
    """
    stored = (
        connection.execute(
            select(sale).where(
                sale.c.terminal_id == terminal_id, sale.c.sequence == request.sequence
            )
        )
        .mappings()
        .one_or_none()
    )
    if stored is not None:
        same = (stored["product_id"], stored["amount_minor"], stored["terminal_time"]) == (
            request.product_id,
            request.amount_minor,
            request.time,
        )
        if same:
            return _stored_answer(connection, key, stored, now)
    if stored is not None or _contradicts_journal(connection, terminal_id, request):
        text = f"sale {request.sequence} was asked for again with another content"
        raise_alarm(connection, terminal_id, "sale_conflict", text, now)
        raise ConflictError(text)

    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    product = prices.product(owner.catalogue, request.product_id)
    commission_minor = product.commission_minor if product else 0
    row = {
        "terminal_id": terminal_id,
        "sequence": request.sequence,
        "product_id": request.product_id,
        "amount_minor": request.amount_minor,
        "terminal_time": request.time,
        "commission_minor": commission_minor,
        "created_at": now,
    }

    def refuse(code: str) -> Refused:
        answer = Refused(code, REFUSALS[code])
        connection.execute(
            insert(sale).values(
                **row, state="refused", refusal_code=answer.code, refusal_text=answer.text
            )
        )
        return answer

    if owner.blocked:
        return refuse("blocked")
    if product is None:
        return refuse("unknown_product")
    if product.amount_minor != request.amount_minor:
        return refuse("price_changed")
    float_before = ledger.float_minor(connection, terminal_id)
    if float_before < product.amount_minor - commission_minor:
        return refuse("no_float")
    taken = vouchers.take(connection, key, request.product_id, 1, now)
    if not taken:
        text = f"sold out: {request.product_id}"
        raise_alarm(connection, None, "no_vouchers", text, now)
        return refuse("no_vouchers")

    prices.record(connection, owner.catalogue, now)
    connection.execute(insert(sale).values(**row, state="reserved", voucher_id=taken[0].voucher_id))
    connection.execute(
        insert(voucher_assignment).values(
            voucher_id=taken[0].voucher_id,
            terminal_id=terminal_id,
            sale_sequence=request.sequence,
            assigned_at=now,
        )
    )
    ledger.post(
        connection,
        "sale",
        f"sale:{terminal_id.hex()}:{request.sequence}",
        ledger.sale_entries(terminal_id, request.amount_minor, commission_minor),
        terminal_id=terminal_id,
        sequence=request.sequence,
        now=now,
    )
    after = ledger.float_minor(connection, terminal_id)
    connection.execute(
        update(sale)
        .where(sale.c.terminal_id == terminal_id, sale.c.sequence == request.sequence)
        .values(state="delivered", float_after_minor=after)
    )
    opened = taken[0]
    return Delivered(opened.pin, opened.serial, opened.expires_at, after)
