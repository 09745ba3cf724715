"""The supplier's half of a sale, arrow by arrow: RESERVED → SENT → DELIVERED | REJECTED | UNKNOWN,
and UNKNOWN → DELIVERED | REJECTED. For `online`, `vending` and the command line.

Each arrow is one transaction, with its money and its word in `vend_event`. The float pays at
RESERVED, into the account `reserved`; DELIVERED moves the money on to the sales, REJECTED gives it
back: always new entries. SENT is committed before the first byte leaves, so what a crash leaves in
RESERVED was surely never sent, and what it leaves in SENT may have been.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from updater_server.fleet.alarms import raise_alarm
from updater_server.sales import ledger, vend_rows
from updater_server.sales.suppliers.base import (
    Accepted,
    Delivered,
    NotSent,
    Order,
    Outcome,
    Rejected,
    Unclear,
    note,
)
from updater_server.sales.vend_names import reference_of
from updater_server.server_key import ServerKey
from updater_server.store.engine import new_id
from updater_server.store.tables import sale, vend, vend_event

RESERVED, SENT, UNKNOWN = "reserved", "sent", "unknown"
DELIVERED, REJECTED = "delivered", "rejected"
OPEN = (RESERVED, SENT, UNKNOWN)
FIRST_PAUSE_S = 5
"""After how long a terminal may ask again for a sale that has just begun."""
UNSENT_S = 30
"""A sale that was not sent by then is given up: its customer is gone."""
LOST_S = 90
"""A sale that was sent so long ago has no call under way any more: longer than any deadline."""
_PATIENCE_S = (5, 10, 20, 40, 80, 160, 320, 600)
_SOURCES = frozenset(("terminal", "answer", "query", "statement", "person", "server"))
REFUSAL_TEXTS = {
    "supplier_refused": "The supplier refused this. Check the number, then try again.",
    "supplier_down": "Not available now; nothing was sent. Try again later.",
}


# --- RESERVED ---


def is_open_for(connection: Connection, supplier: str, recipient: str, amount_minor: int) -> bool:
    """Whether a sale of the same amount to the same recipient is not decided yet: a second one
    could not be told from it.
    """
    found = select(vend.c.id).where(
        vend.c.supplier == supplier,
        vend.c.recipient == recipient,
        vend.c.state.in_(OPEN),
        vend.c.amount_minor == amount_minor,
    )
    return connection.scalar(found.limit(1)) is not None


def reserve(
    connection: Connection, row: dict[str, Any], order: dict[str, Any], now: int, unsure: str = ""
) -> int:
    """Begin a sale: the float pays it, nobody was asked for it yet; returns the vend's id.

    `row` is what `sale` keeps of the request; `order` has supplier, code, recipient, currency and
    minor_digits. `unsure`: why it may have been sent already; then it begins as UNKNOWN.
    """
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    paid = ledger.reserve_entries(terminal_id, row["amount_minor"], row["commission_minor"])
    if any(paid.values()):  # else its price is all commission
        ledger.post(
            connection,
            "reserve",
            ledger.reserve_reference(terminal_id, sequence),
            paid,
            terminal_id=terminal_id,
            sequence=sequence,
            now=now,
        )
    after = ledger.float_minor(connection, terminal_id)
    connection.execute(insert(sale).values(**row, state="reserved", float_after_minor=after))
    state = UNKNOWN if unsure else RESERVED
    made = connection.execute(
        insert(vend).values(
            **order,
            terminal_id=terminal_id,
            sequence=sequence,
            amount_minor=row["amount_minor"],
            reference=reference_of(terminal_id, sequence),
            state=state,
            created_at=now,
            sent_at=min(now, row["terminal_time"]) if unsure else None,  # as far as is known
            tries=0,
            next_at=now + (_PATIENCE_S[0] if unsure else UNSENT_S),
        )
    )
    vend_id = new_id(made)
    say(connection, vend_id, state, "terminal", unsure or "asked for", now)
    return vend_id


def adopt(
    connection: Connection,
    terminal_id: bytes,
    sequence: int,
    product_id: str,
    recipient: str,
    serial: str,
    now: int,
) -> None:
    """Take over a delivered sale that a restore made this server forget, as its terminal tells it.
    What was delivered is not here; the terminal has it.
    """
    sold = _sale_of_terminal(connection, terminal_id, sequence)
    made = connection.execute(
        insert(vend).values(
            terminal_id=terminal_id, sequence=sequence, amount_minor=sold.amount_minor,
            supplier="", code=product_id[:64], recipient=recipient[:20],
            currency="", minor_digits=0, reference=reference_of(terminal_id, sequence),
            supplier_reference=f"{sequence}-{terminal_id.hex()}-{serial}"[:64], state=DELIVERED,
            created_at=now, decided_at=now, tries=0, next_at=now,
        )
    )  # fmt: skip
    say(connection, new_id(made), DELIVERED, "terminal", f"adopted, serial {serial}", now)


# --- SENT ---


def begin_sending(connection: Connection, vend_id: int, now: int) -> Order | None:
    """Note that it is about to be sent, for the first and only time; None if it was before, or was
    given up. Commit before a byte leaves.
    """
    moved = connection.execute(
        update(vend)
        .where(vend.c.id == vend_id, vend.c.state == RESERVED)
        .values(state=SENT, sent_at=now, next_at=now + LOST_S)
    )
    if moved.rowcount != 1:
        return None
    say(connection, vend_id, SENT, "server", "", now)
    return vend_rows.order_of(vend_rows.find(connection, vend_id))


# --- what came of it ---


def settle(
    connection: Connection, key: ServerKey, vend_id: int, outcome: Outcome, source: str, now: int
) -> str:
    """Take in what is now known of a sale; returns its state. `source` says who knows it. A
    decision stands: what contradicts it is an alarm.
    """
    assert source in _SOURCES
    row = vend_rows.find(connection, vend_id)
    reference = outcome.reference if isinstance(outcome, Accepted | Delivered) else None
    if reference is not None and _is_anothers(connection, row, reference):
        outcome = Unclear(f"{reference} is the name of another sale", suspicious=True)
    if row["state"] not in OPEN:
        return _hear_later(connection, row, outcome, source, now)
    match outcome:
        case Delivered():
            return _deliver(connection, key, row, outcome, source, now)
        case Rejected():
            return _give_back(connection, row, outcome, source, now)
        case NotSent():
            if source != "answer":
                return _wait(connection, row, row["state"], source, outcome.reason, None, now)
            down = Rejected(outcome.reason, "supplier_down")
            return _give_back(connection, row, down, source, now)
        case Accepted():
            text = f"it has it as {outcome.reference}"
            return _wait(connection, row, row["state"], source, text, outcome.reference, now)
        case Unclear():
            if outcome.suspicious:
                _alarm(connection, row, "supplier_answer", outcome.reason, now)
            # An answer that is lost says nothing; that a question was not answered changes nothing.
            state = UNKNOWN if source == "answer" else row["state"]
            return _wait(connection, row, state, source, outcome.reason, None, now)


def _is_anothers(connection: Connection, row: RowMapping, reference: str) -> bool:
    if row["supplier_reference"] not in (None, reference):
        return True
    owner = connection.scalar(
        select(vend.c.id).where(
            vend.c.supplier == row["supplier"], vend.c.supplier_reference == reference
        )
    )
    return owner not in (None, row["id"])


def _wait(
    connection: Connection,
    row: RowMapping,
    state: str,
    source: str,
    text: str,
    reference: str | None,
    now: int,
) -> str:
    """Nothing is decided; look again later, and later each time."""
    if row["state"] == UNKNOWN:
        state = UNKNOWN
    named = {} if reference is None else {"supplier_reference": reference}
    tries = min(row["tries"] + 1, 1000)
    pause_s = _PATIENCE_S[min(tries, len(_PATIENCE_S)) - 1]
    connection.execute(
        update(vend)
        .where(vend.c.id == row["id"])
        .values(state=state, tries=tries, next_at=now + pause_s, **named)
    )
    if state != row["state"] or named or tries == 1:
        say(connection, row["id"], state, source, text, now)
    return state


def _deliver(
    connection: Connection, key: ServerKey, row: RowMapping, got: Delivered, source: str, now: int
) -> str:
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    kept = json.dumps([got.token, [list(pair) for pair in got.details]]).encode()
    sealed = key.seal("vend", vend_rows.context(row), kept)
    _decide(
        connection, row, DELIVERED, now,
        supplier_reference=got.reference, answer_sealed=sealed,
    )  # fmt: skip
    sold = _sale_of(connection, row)
    ledger.post(
        connection,
        "sale",
        ledger.sale_reference(terminal_id, sequence),
        ledger.reserved_sale_entries(sold.amount_minor, sold.commission_minor),
        terminal_id=terminal_id,
        sequence=sequence,
        now=now,
    )
    _move_sale(connection, row, state="delivered")
    say(connection, row["id"], DELIVERED, source, got.reference, now)
    return DELIVERED


def _give_back(
    connection: Connection, row: RowMapping, why: Rejected, source: str, now: int
) -> str:
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    _decide(connection, row, REJECTED, now)
    sold = _sale_of(connection, row)
    back = ledger.reserve_entries(terminal_id, sold.amount_minor, sold.commission_minor)
    if any(back.values()):
        ledger.post(
            connection,
            "release",
            ledger.release_reference(terminal_id, sequence),
            {name: -amount_minor for name, amount_minor in back.items()},
            terminal_id=terminal_id,
            sequence=sequence,
            now=now,
        )
    text = REFUSAL_TEXTS[why.code]
    _move_sale(connection, row, state="refused", refusal_code=why.code, refusal_text=text)
    say(connection, row["id"], REJECTED, source, why.reason, now)
    return REJECTED


def _decide(connection: Connection, row: RowMapping, state: str, now: int, **more: object) -> None:
    if row["state"] == RESERVED and state == DELIVERED:  # a statement knows what we do not
        connection.execute(
            update(vend).where(vend.c.id == row["id"]).values(state=SENT, sent_at=now)
        )
    connection.execute(
        update(vend).where(vend.c.id == row["id"]).values(state=state, decided_at=now, **more)
    )


def _sale_of(connection: Connection, row: RowMapping) -> Any:
    return _sale_of_terminal(connection, row["terminal_id"], row["sequence"])


def _sale_of_terminal(connection: Connection, terminal_id: bytes, sequence: int) -> Any:
    return connection.execute(
        select(sale.c.amount_minor, sale.c.commission_minor).where(
            sale.c.terminal_id == terminal_id, sale.c.sequence == sequence
        )
    ).one()


def _move_sale(connection: Connection, row: RowMapping, **values: object) -> None:
    connection.execute(
        update(sale)
        .where(sale.c.terminal_id == row["terminal_id"], sale.c.sequence == row["sequence"])
        .values(**values)
    )


def _hear_later(
    connection: Connection, row: RowMapping, outcome: Outcome, source: str, now: int
) -> str:
    """Something is said of a sale that is decided."""
    state = str(row["state"])
    against = (isinstance(outcome, Delivered) and state == REJECTED) or (
        isinstance(outcome, Rejected) and state == DELIVERED
    )
    if against:
        what = f"refused ({outcome.reason})" if isinstance(outcome, Rejected) else "delivered"
        text = f"it says that it was {what}, and it is {state}"
        say(connection, row["id"], state, source, text, now)
        _alarm(connection, row, "supplier_contradicts", text, now)
    elif isinstance(outcome, Unclear) and outcome.suspicious:
        _alarm(connection, row, "supplier_answer", outcome.reason, now)
    return state


# --- what there is ---


def open_ones(connection: Connection) -> list[RowMapping]:
    """Every sale that is not decided, the oldest first."""
    found = select(vend).where(vend.c.state.in_(OPEN)).order_by(vend.c.created_at, vend.c.id)
    return list(connection.execute(found).mappings().all())


def ask_again_s(row: RowMapping, now: int) -> int:
    """After how many seconds a terminal may ask again for one that is open."""
    age_s = int(now - row["created_at"])
    return max(FIRST_PAUSE_S, min(600, age_s // 2))


def say(connection: Connection, vend_id: int, state: str, source: str, text: str, now: int) -> None:
    """Keep what happened to a sale, or was said of it; `state` is the one after it."""
    connection.execute(
        insert(vend_event).values(
            vend_id=vend_id, at=now, state=state, source=source, note=note(text)
        )
    )


def _alarm(connection: Connection, row: RowMapping, code: str, text: str, now: int) -> None:
    words = f"sale {row['sequence']} ({row['supplier']}, {row['reference']}): {text}"
    raise_alarm(connection, row["terminal_id"], code, note(words), now)
