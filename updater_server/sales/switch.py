"""Online sales: one answer for ever to each (terminal, sequence). For `device_api`.

RESERVED (a voucher taken out of the vault for this sale) → DELIVERED (float debited, PIN may leave)
| REFUSED. With vouchers of our own vault both steps are one transaction; a crash leaves either no
sale or a finished one.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from updater_server.errors import ConflictError, VaultError
from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, records, vouchers
from updater_server.sales.journal import RecordKind
from updater_server.sales.prices import PriceLists
from updater_server.sales.restore_state import must_tell_first
from updater_server.server_key import ServerKey
from updater_server.tables import sale, terminal

REFUSALS = {
    "blocked": "This terminal is blocked. Call your agent.",
    "unknown_product": "This product is no longer sold.",
    "price_changed": "The price or the commission has changed. Sync, then sell again.",
    "no_float": "Not enough float. Top up, then sell again.",
    "no_vouchers": "Sold out for now. Try another product.",
    "restoring": "The office is being restored. Sell from stock, or try again later.",
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


def _stored_answer(
    connection: Connection, key: ServerKey, row: RowMapping, now: int
) -> Delivered | Refused:
    if row["state"] != "delivered":
        return Refused(row["refusal_code"], row["refusal_text"])
    if not ledger.is_posted(connection, ledger.void_reference(row["terminal_id"], row["sequence"])):
        try:
            opened = vouchers.reveal(connection, key, row["voucher_id"])
            return Delivered(opened.pin, opened.serial, opened.expires_at, row["float_after_minor"])
        except VaultError as error:
            _void(connection, row, error, now)
    return Refused("no_vouchers", REFUSALS["no_vouchers"])


def _void(connection: Connection, row: RowMapping, error: VaultError, now: int) -> None:
    """Give a delivered sale's money back: its terminal asks for the PIN, and nobody has it any
    more, or it is none that a terminal could take. Without an answer the terminal would ask for
    ever, and nothing else of it would come in.
    """
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    posted = ledger.entries_of(connection, f"sale:{terminal_id.hex()}:{sequence}")
    ledger.post(
        connection,
        "void",
        ledger.void_reference(terminal_id, sequence),
        {name: -amount_minor for name, amount_minor in posted.items()},
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    vouchers.set_useless_aside(connection, row["voucher_id"], error, now)
    what = "does not open any more"
    if isinstance(error, vouchers.UnfitVoucher):
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
            return _stored_answer(connection, key, stored, now)
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
    if must_tell_first(connection, terminal_id):
        # Not kept: asked again when its journal is here, the same sale may go through.
        return Refused("restoring", REFUSALS["restoring"])
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
    taken = vouchers.take_open(
        connection, key, request.product_id, 1, now, vouchers.ONLINE_SHELF_LIFE_S
    )
    if not taken:
        text = f"sold out: {request.product_id}"
        raise_alarm(connection, None, "no_vouchers", text, now)
        return refuse("no_vouchers")

    prices.record(connection, owner.catalogue, now)
    opened = taken[0]
    connection.execute(insert(sale).values(**row, state="reserved", voucher_id=opened.voucher_id))
    vouchers.give(connection, [opened.voucher_id], terminal_id, now, sale_sequence=request.sequence)
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
    return Delivered(opened.pin, opened.serial, opened.expires_at, after)
