"""Short messages to terminals: on which number each is reached, and the office's words to it. For
`sms`, which carries them, and the command line.

A word counts up under the terminal's own key, so that a terminal heeds each once. It can lock and
call in; only the answer to a check-in lets a terminal go again. Source: docs/formats/messages.md,
"By short message".
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from updater_server.errors import InputError
from updater_server.fleet import terminals
from updater_server.server_key import ServerKey
from updater_server.store.tables import sms_number, sms_word
from updater_server.wire import limits
from updater_server.wire.sealed import seal_word

LOCK, CHECK_IN = 1, 2
NAMES = {LOCK: "lock", CHECK_IN: "check in"}
_KEY_BYTES = 16


@dataclass(frozen=True)
class Due:
    """A word that is to go out: to which number, as what bytes."""

    id: int
    number: str
    data: bytes


def number_of(connection: Connection, terminal_id: bytes) -> str:
    """Where the terminal is reached; "" if nobody knows."""
    asked = select(sms_number.c.number).where(sms_number.c.terminal_id == terminal_id)
    return connection.scalar(asked) or ""


def set_number(
    connection: Connection, terminal_id: bytes, number: str, set_by: str, now: int
) -> None:
    """Keep where a terminal is reached; `set_by` "": it asked from there, which changes nothing
    that a person has set.

    Raises:
        InputError: that is no telephone number.
    """
    if not limits.SMS_NUMBER_PATTERN.fullmatch(number):
        raise InputError(f"{number[:20]!r} is no telephone number: +254700000001")
    mine = sms_number.c.terminal_id == terminal_id
    known = connection.execute(select(sms_number).where(mine)).first()
    if known is None:
        values = {"terminal_id": terminal_id, "number": number, "set_by": set_by, "at": now}
        connection.execute(insert(sms_number).values(values))
    elif (set_by or not known.set_by) and (known.number, known.set_by) != (number, set_by):
        changed = update(sms_number).where(mine)
        connection.execute(changed.values(number=number, set_by=set_by, at=now))


def say(connection: Connection, terminal_id: bytes, says: int, said_by: str, now: int) -> bool:
    """Have a word sent; False where nobody knows the terminal's number."""
    if not number_of(connection, terminal_id):
        return False
    mine = sms_word.c.terminal_id == terminal_id
    # what waits is overtaken by what is said now
    given_up = update(sms_word).where(mine, sms_word.c.state == "waiting")
    connection.execute(given_up.values(state="given_up", done_at=now))
    last = connection.scalar(select(func.max(sms_word.c.counter)).where(mine)) or 0
    row = {"terminal_id": terminal_id, "counter": max(last + 1, now), "says": says}
    row |= {"said_by": said_by, "at": now, "state": "waiting"}
    connection.execute(insert(sms_word).values(row))
    return True


def has_waiting(connection: Connection) -> bool:
    """Whether any word waits."""
    asked = select(sms_word.c.id).where(sms_word.c.state == "waiting").limit(1)
    return connection.scalar(asked) is not None


def due(connection: Connection, key: ServerKey, now: int, most: int = 20) -> list[Due]:
    """The words that wait, oldest first, sealed. One that no terminal would heed any more, or that
    locks one which was let go since, is given up.
    """
    asked = select(sms_word).where(sms_word.c.state == "waiting").order_by(sms_word.c.id)
    found = []
    for row in connection.execute(asked.limit(most)).all():
        number = number_of(connection, row.terminal_id)
        is_stale = row.counter < now - limits.SMS_WORD_AGE_S[1] or (
            row.says == LOCK and not terminals.is_blocked(connection, row.terminal_id)
        )
        if not number or is_stale:
            _end(connection, row.id, "given_up", now)
            continue
        word_key = terminals.cable_key(connection, key, row.terminal_id, b"duka word 1")
        data = seal_word(word_key[:_KEY_BYTES], row.terminal_id, row.counter, row.says)
        found.append(Due(row.id, number, data))
    return found


def sent(connection: Connection, word_id: int, now: int) -> None:
    """The service centre has it."""
    _end(connection, word_id, "sent", now)


def _end(connection: Connection, word_id: int, state: str, now: int) -> None:
    mine = sms_word.c.id == word_id
    connection.execute(update(sms_word).where(mine).values(state=state, done_at=now))
