"""Online sales: one answer for ever to each (terminal, sequence). For `device_api`.

RESERVED (a voucher taken out of the vault for this sale) → DELIVERED (float debited, PIN may leave)
| REFUSED. With vouchers of our own vault both steps are one transaction; a crash leaves either no
sale or a finished one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from updater_server.errors import ConflictError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, records, restoring, vouchers
from updater_server.sales.journal import RecordKind
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey
from updater_server.tables import sale, terminal, voucher_assignment

REFUSALS = {
    "blocked": "This terminal is blocked. Call your agent.",
    "unknown_product": "This product is no longer sold.",
    "price_changed": "The price or the commission has changed. Sync, then sell again.",
    "no_float": "Not enough float. Top up, then sell again.",
    "no_vouchers": "Sold out for now. Try another product.",
}


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


def _stored_answer(connection: Connection, key: ServerKey, row: RowMapping) -> Delivered | Refused:
    if row["state"] == "delivered":
        opened = vouchers.reveal(connection, key, row["voucher_id"])
        return Delivered(opened.pin, opened.serial, opened.expires_at, row["float_after_minor"])
    return Refused(row["refusal_code"], row["refusal_text"])


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
        columns = ("product_id", "amount_minor", "commission_minor", "terminal_time")
        if tuple(stored[name] for name in columns) == (
            request.product_id,
            request.amount_minor,
            request.commission_minor,
            request.time,
        ):
            return _stored_answer(connection, key, stored)
    if stored is not None or _contradicts_journal(connection, terminal_id, request):
        text = f"sale {request.sequence} was asked for again with another content"
        raise_alarm(connection, terminal_id, "sale_conflict", text, now)
        raise ConflictError(text)

    owner = connection.execute(select(terminal).where(terminal.c.id == terminal_id)).one()
    product = prices.product(owner.catalogue, request.product_id)
    row = {
        "terminal_id": terminal_id,
        "sequence": request.sequence,
        "product_id": request.product_id,
        "amount_minor": request.amount_minor,
        "terminal_time": request.time,
        "commission_minor": request.commission_minor,
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
    if restoring.must_tell_first(connection, terminal_id):
        # Not kept: asked again when its journal is here, the same sale may go through.
        return Refused("restoring", restoring.REFUSAL_TEXT)
    if product is None:
        return refuse("unknown_product")
    # The merchant pays what he was shown, or learns that it has changed; never another figure.
    if (product.amount_minor, product.commission_minor) != (
        request.amount_minor,
        request.commission_minor,
    ):
        return refuse("price_changed")
    float_before = ledger.float_minor(connection, terminal_id)
    if float_before < request.amount_minor - request.commission_minor:
        return refuse("no_float")
    taken = vouchers.take(connection, request.product_id, 1, now)
    if not taken:
        text = f"sold out: {request.product_id}"
        raise_alarm(connection, None, "no_vouchers", text, now)
        return refuse("no_vouchers")

    prices.record(connection, owner.catalogue, now)
    connection.execute(insert(sale).values(**row, state="reserved", voucher_id=taken[0]))
    connection.execute(
        insert(voucher_assignment).values(
            voucher_id=taken[0],
            terminal_id=terminal_id,
            sale_sequence=request.sequence,
            assigned_at=now,
        )
    )
    ledger.post(
        connection,
        "sale",
        f"sale:{terminal_id.hex()}:{request.sequence}",
        ledger.sale_entries(terminal_id, request.amount_minor, request.commission_minor),
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
    opened = vouchers.reveal(connection, key, taken[0])
    return Delivered(opened.pin, opened.serial, opened.expires_at, after)
