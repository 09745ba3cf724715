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

from sqlalchemy import Connection, bindparam, insert, select, update

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
from updater_server.sales.vend_rows import Row
from updater_server.server_key import ServerKey
from updater_server.store.engine import new_id
from updater_server.store.prepared import Prepared
from updater_server.store.tables import sale, vend, vend_event
from updater_server.wire import limits

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

_SALE_COLUMNS = ["terminal_id", "sequence", "product_id", "amount_minor", "terminal_time"]
_SALE_COLUMNS += ["commission_minor", "created_at", "recipient", "state", "float_after_minor"]
_SALE = Prepared(insert(sale), _SALE_COLUMNS)
_VEND_COLUMNS = ["supplier", "code", "recipient", "currency", "minor_digits", "terminal_id"]
_VEND_COLUMNS += ["sequence", "amount_minor", "reference", "state", "created_at", "sent_at"]
_VEND = Prepared(insert(vend).returning(vend.c.id), [*_VEND_COLUMNS, "tries", "next_at"])


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
    _SALE.run(connection, **row, state="reserved", float_after_minor=after)
    state = UNKNOWN if unsure else RESERVED
    vend_id = int(
        _VEND.scalar(
            connection,
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

_SENT = Prepared(
    update(vend)
    .where(vend.c.id == bindparam("vend_id"), vend.c.state == RESERVED)
    .values(state=SENT, sent_at=bindparam("sent_at"), next_at=bindparam("next_at"))
)


def begin_sending(connection: Connection, vend_id: int, now: int) -> Order | None:
    """Note that it is about to be sent, for the first and only time; None if it was before, or was
    given up. Commit before a byte leaves.
    """
    if _SENT.run(connection, vend_id=vend_id, sent_at=now, next_at=now + LOST_S) != 1:
        return None
    say(connection, vend_id, SENT, "server", "", now)
    return vend_rows.order_of(vend_rows.find(connection, vend_id))


# --- what came of it ---

_OWNER = Prepared(
    select(vend.c.id).where(
        vend.c.supplier == bindparam("supplier"),
        vend.c.supplier_reference == bindparam("reference"),
    )
)
_WAITS = Prepared(
    update(vend)
    .where(vend.c.id == bindparam("vend_id"))
    .values(
        state=bindparam("new_state"),
        tries=bindparam("tries"),
        next_at=bindparam("next_at"),
        supplier_reference=bindparam("reference"),
    )
)
_DECIDED = Prepared(
    update(vend)
    .where(vend.c.id == bindparam("vend_id"))
    .values(
        state=bindparam("new_state"),
        decided_at=bindparam("decided_at"),
        supplier_reference=bindparam("reference"),
        answer_sealed=bindparam("sealed"),
    )
)
_OF_SALE = (sale.c.terminal_id == bindparam("its_terminal")) & (
    sale.c.sequence == bindparam("its_sequence")
)
_SOLD = Prepared(select(sale.c.amount_minor, sale.c.commission_minor).where(_OF_SALE))
_MOVED = Prepared(
    update(sale)
    .where(_OF_SALE)
    .values(
        state=bindparam("new_state"),
        refusal_code=bindparam("code"),
        refusal_text=bindparam("text"),
    )
)


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
            pause_s = outcome.ask_in_s
            return _wait(connection, row, state, source, outcome.reason, None, now, pause_s)


def _is_anothers(connection: Connection, row: Row, reference: str) -> bool:
    if row["supplier_reference"] not in (None, reference):
        return True
    owner = _OWNER.scalar(connection, supplier=row["supplier"], reference=reference)
    return owner not in (None, row["id"])


def _wait(
    connection: Connection,
    row: Row,
    state: str,
    source: str,
    text: str,
    reference: str | None,
    now: int,
    at_least_s: int = 0,
) -> str:
    """Nothing is decided; look again later, and later each time."""
    if row["state"] == UNKNOWN:
        state = UNKNOWN
    tries = min(row["tries"] + 1, 1000)
    pause_s = max(at_least_s, _PATIENCE_S[min(tries, len(_PATIENCE_S)) - 1])
    _WAITS.run(
        connection,
        vend_id=row["id"],
        new_state=state,
        tries=tries,
        next_at=now + pause_s,
        reference=reference or row["supplier_reference"],
    )
    if state != row["state"] or reference is not None or tries == 1:
        say(connection, row["id"], state, source, text, now)
    return state


def _deliver(
    connection: Connection, key: ServerKey, row: Row, got: Delivered, source: str, now: int
) -> str:
    terminal_id, sequence = row["terminal_id"], row["sequence"]
    kept = json.dumps([got.token, [list(pair) for pair in got.details]]).encode()
    sealed = key.seal(vend_rows.PURPOSE, vend_rows.context(row), kept)
    _decide(connection, row, DELIVERED, now, got.reference, sealed)
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


def _give_back(connection: Connection, row: Row, why: Rejected, source: str, now: int) -> str:
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


def _decide(
    connection: Connection,
    row: Row,
    state: str,
    now: int,
    reference: str | None = None,
    sealed: bytes | None = None,
) -> None:
    if row["state"] == RESERVED and state == DELIVERED:  # a statement knows what we do not
        connection.execute(
            update(vend).where(vend.c.id == row["id"]).values(state=SENT, sent_at=now)
        )
    _DECIDED.run(
        connection, vend_id=row["id"], new_state=state, decided_at=now,
        reference=reference or row["supplier_reference"], sealed=sealed,
    )  # fmt: skip


def _sale_of(connection: Connection, row: Row) -> Any:
    return _sale_of_terminal(connection, row["terminal_id"], row["sequence"])


def _sale_of_terminal(connection: Connection, terminal_id: bytes, sequence: int) -> Any:
    return _SOLD.first(connection, its_terminal=terminal_id, its_sequence=sequence)


def _move_sale(
    connection: Connection,
    row: Row,
    state: str,
    refusal_code: str | None = None,
    refusal_text: str | None = None,
) -> None:
    _MOVED.run(
        connection, its_terminal=row["terminal_id"], its_sequence=row["sequence"],
        new_state=state, code=refusal_code, text=refusal_text,
    )  # fmt: skip


def _hear_later(connection: Connection, row: Row, outcome: Outcome, source: str, now: int) -> str:
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


def ask_again_s(row: Row, now: int) -> int:
    """After how many seconds a terminal may ask again for one that is open: half its age. Each time
    costs its airtime; who waits at the counter can ask at once.
    """
    age_s = int(now - row["created_at"])
    return max(FIRST_PAUSE_S, min(limits.ASK_AGAIN_S[1], age_s // 2))


_SAID = Prepared(insert(vend_event), ["vend_id", "at", "state", "source", "note"])


def say(connection: Connection, vend_id: int, state: str, source: str, text: str, now: int) -> None:
    """Keep what happened to a sale, or was said of it; `state` is the one after it."""
    _SAID.run(connection, vend_id=vend_id, at=now, state=state, source=source, note=note(text))


def _alarm(connection: Connection, row: Row, code: str, text: str, now: int) -> None:
    words = f"sale {row['sequence']} ({row['supplier']}, {row['reference']}): {text}"
    raise_alarm(connection, row["terminal_id"], code, note(words), now)
