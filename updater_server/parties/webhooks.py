"""Who is told of what is posted, and how far each was told. For `notices.hooks` and the commands.

The ledger is the outbox: a transaction of it is there or not there with the sale that it is, has a
number, and never changes. A webhook has the number that it was told of last; so nothing is written
beside a sale, nothing is forgotten by a crash, and what is told again has the same numbers.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet import operators
from updater_server.parties import tree
from updater_server.parties.tree import Party
from updater_server.sales import ledger
from updater_server.sales.suppliers.http import Address
from updater_server.server_key import ServerKey
from updater_server.store.engine import new_id
from updater_server.store.tables import (
    account,
    ledger_entry,
    ledger_transaction,
    webhook,
    webhook_dead,
)

AT_ONCE = 50
"""Transactions in one message."""
_LOOKED_AT = 500
_NAME = re.compile("[a-z][a-z0-9-]{1,31}")
PURPOSE = "webhook"
"""What its secret is sealed for (`ServerKey.seal`)."""
_FLOATS = "float:"


@dataclass(frozen=True)
class Batch:
    """What a webhook is to be told next: all that it may know of the transactions `first` to
    `through`. Without a `body` it may know of none of them.
    """

    name: str
    url: str
    secret: bytes
    first: int
    through: int
    body: bytes | None
    attempts: int
    first_failed_at: int | None


def put(
    connection: Connection,
    key: ServerKey,
    name: str,
    url: str,
    whose: Party | None,
    by: str,
    now: int,
) -> str:
    """A new webhook, from now on; returns its secret, which is shown once. `whose`: of what it is
    told (a party and all under it); None: of everything.

    Raises:
        InputError: the name is taken or none, or the address is none that is safe.
    """
    if not _NAME.fullmatch(name):
        raise InputError("a webhook's name has 2 to 32 letters a-z, digits and dashes")
    if connection.scalar(select(webhook.c.name).where(webhook.c.name == name)) is not None:
        raise InputError(f"there is a webhook {name} already: take another name")
    Address.parse(url.partition("?")[0])
    if len(url) > 300:
        raise InputError("an address has up to 300 letters")
    secret = "whsec_" + secrets.token_urlsafe(32)
    connection.execute(
        insert(webhook).values(
            name=name, party_id=None if whose is None else whose.id, url=url,
            secret_sealed=key.seal(PURPOSE, name.encode(), secret.encode()),
            through=newest_posted(connection), attempts=0, next_at=now, error="", stopped=0,
            created_by=by, created_at=now,
        )
    )  # fmt: skip
    operators.note(connection, by, "webhook", name, url[:60], now)
    return secret


def stop(connection: Connection, name: str, stopped: bool, by: str, now: int) -> None:
    """Tell it nothing for now, or again all since. Raises InputError: there is none."""
    changed = connection.execute(
        update(webhook)
        .where(webhook.c.name == name)
        .values(stopped=int(stopped), attempts=0, next_at=now, first_failed_at=None)
    )
    if changed.rowcount != 1:
        raise InputError(f"there is no webhook {name[:32]!r}")
    operators.note(connection, by, f"webhook {'stop' if stopped else 'resume'}", name, "", now)


def names(connection: Connection) -> list[str]:
    """Those that are told."""
    return list(
        connection.scalars(
            select(webhook.c.name).where(webhook.c.stopped == 0).order_by(webhook.c.name)
        )
    )


def listing(connection: Connection) -> list[dict[str, Any]]:
    """Every webhook, with how much of it is dead; without its secret."""
    dead = (
        select(func.count())
        .where(webhook_dead.c.webhook == webhook.c.name, webhook_dead.c.sent_at.is_(None))
        .scalar_subquery()
    )
    shown = [column for column in webhook.c if column.name != "secret_sealed"]
    rows = connection.execute(select(*shown, dead.label("dead")).order_by(webhook.c.name))
    return [dict(row) for row in rows.mappings()]


def due(connection: Connection, key: ServerKey, name: str, currency: str, now: int) -> Batch | None:
    """What is next for a webhook, if it may be tried now. In a still reading transaction: a number
    that is given later must not be below one that was told.

    Raises:
        VaultError: its secret does not open.
    """
    row = connection.execute(select(webhook).where(webhook.c.name == name)).one_or_none()
    if row is None or row.stopped or row.next_at > now:
        return None
    found = connection.execute(
        select(ledger_transaction)
        .where(ledger_transaction.c.id > row.through)
        .order_by(ledger_transaction.c.id)
        .limit(_LOOKED_AT)
    ).all()
    if not found:
        return None
    told, through = _told(connection, list(found), row.party_id)
    body = None
    if told:
        body = json.dumps({"webhook": name, "currency": currency, "events": told}).encode()
    secret = key.open(PURPOSE, name.encode(), row.secret_sealed)
    return Batch(
        name, row.url, secret, found[0].id, through, body, row.attempts, row.first_failed_at
    )


def newest_posted(connection: Connection) -> int:
    """The number of the ledger's newest transaction; 0: there is none."""
    return int(connection.scalar(select(func.max(ledger_transaction.c.id))) or 0)


def way_after(
    connection: Connection, key: ServerKey, name: str, through: int
) -> tuple[str, bytes] | None:
    """(url, secret) of a webhook that was told of all up to this number and is not stopped, else
    None. Raises as `due` does.
    """
    mine = (webhook.c.name == name, webhook.c.stopped == 0, webhook.c.through >= through)
    row = connection.execute(select(webhook.c.url, webhook.c.secret_sealed).where(*mine)).first()
    if row is None:
        return None
    return row.url, key.open(PURPOSE, name.encode(), row.secret_sealed)


def _told(
    connection: Connection, found: list[Any], party_id: int | None
) -> tuple[list[dict[str, Any]], int]:
    """What may be known of these transactions, and through which of them."""
    reach = _Reach(connection, party_id)
    told: list[dict[str, Any]] = []
    for row in found:
        floats = {
            name: amount_minor
            for name, amount_minor in _entries(connection, row.id)
            if name.startswith(_FLOATS) and reach.has(name)
        }
        owner = None if row.terminal_id is None else ledger.float_account(row.terminal_id)
        if floats or (owner is not None and reach.has(owner)):
            told.append(
                {
                    "id": row.id,
                    "kind": row.kind,
                    "reference": row.reference,
                    "terminal": None if row.terminal_id is None else row.terminal_id.hex(),
                    "sequence": row.sequence,
                    "at": row.created_at,
                    "floats": {
                        reach.shown(name): amount_minor for name, amount_minor in floats.items()
                    },
                }
            )
        if len(told) == AT_ONCE:
            return told, int(row.id)
    return told, int(found[-1].id)


def _entries(connection: Connection, transaction_id: int) -> list[tuple[str, int]]:
    rows = connection.execute(
        select(account.c.name, ledger_entry.c.amount_minor)
        .join(account, account.c.id == ledger_entry.c.account_id)
        .where(ledger_entry.c.transaction_id == transaction_id)
    )
    return [(row.name, row.amount_minor) for row in rows]


class _Reach:
    """Which floats a party's webhook may know of: its own, and those under it, now."""

    def __init__(self, connection: Connection, party_id: int | None) -> None:
        self._connection = connection
        self._party_id = party_id
        self._known: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        """Whether it may know of the float with this account's name."""
        if self._party_id is None:
            return True
        if name not in self._known:
            lowest = self._owner(name)
            self._known[name] = lowest is not None and any(
                one.id == self._party_id for one in tree.chain(self._connection, lowest)
            )
        return self._known[name]

    def _owner(self, name: str) -> Party | None:
        terminal_id = ledger.terminal_of(name)
        if terminal_id is not None:
            return tree.owner_of(self._connection, terminal_id)
        return tree.by_id(self._connection, int(name.rpartition(":")[2]))

    def shown(self, name: str) -> str:
        """A terminal's id or a party's code."""
        terminal_id = ledger.terminal_of(name)
        if terminal_id is not None:
            return terminal_id.hex()
        return tree.by_id(self._connection, int(name.rpartition(":")[2])).code


def told(connection: Connection, batch: Batch, now: int) -> None:
    """Note that a batch arrived, or had nothing in it."""
    connection.execute(
        update(webhook)
        .where(webhook.c.name == batch.name, webhook.c.through < batch.through)
        .values(through=batch.through, attempts=0, next_at=now, first_failed_at=None, error="")
    )


def failed(connection: Connection, batch: Batch, why: str, pause_s: int, now: int) -> None:
    """Note that a batch did not arrive; it is tried again."""
    connection.execute(
        update(webhook)
        .where(webhook.c.name == batch.name)
        .values(
            attempts=batch.attempts + 1,
            next_at=now + pause_s,
            first_failed_at=batch.first_failed_at or now,
            error=why[:200],
        )
    )


def bury(connection: Connection, batch: Batch, why: str, now: int) -> int:
    """Give a batch up: it is kept, and what comes after it goes on; returns its number."""
    assert batch.body is not None, "nothing to keep"
    made = connection.execute(
        insert(webhook_dead).values(
            webhook=batch.name, body=batch.body.decode(), error=why[:200], died_at=now
        )
    )
    told(connection, batch, now)
    return new_id(made)


def dead_letter(
    connection: Connection, key: ServerKey, number: int
) -> tuple[str, bytes, bytes, str]:
    """(url, secret, body, name) of what was given up, to be sent again.

    Raises:
        InputError: there is none of this number, or it was sent since.
    """
    row = connection.execute(
        select(webhook_dead.c.body, webhook)
        .join(webhook, webhook.c.name == webhook_dead.c.webhook)
        .where(webhook_dead.c.id == number, webhook_dead.c.sent_at.is_(None))
    ).one_or_none()
    if row is None:
        raise InputError(f"there is no dead letter {number}")
    secret = key.open(PURPOSE, row.name.encode(), row.secret_sealed)
    return row.url, secret, row.body.encode(), row.name


def dead_letter_sent(connection: Connection, number: int, by: str, now: int) -> None:
    """Note that it arrived after all."""
    connection.execute(update(webhook_dead).where(webhook_dead.c.id == number).values(sent_at=now))
    operators.note(connection, by, "webhook again", str(number), "", now)
