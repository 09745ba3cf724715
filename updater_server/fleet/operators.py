"""Who did what at the command line, kept for ever. For the commands that change money, stock or
what a terminal may do.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, insert, select

from updater_server.errors import InputError
from updater_server.store.tables import operator_log

_NAME = re.compile(r"[\w][\w .@+-]{0,63}")
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{2,39}")


def name(text: str) -> str:
    """An operator's name as it is noted.

    Raises:
        InputError: none, or not 1 to 64 letters, digits and `.@+-`.
    """
    text = text.strip()
    if not _NAME.fullmatch(text):
        raise InputError(f"--by {text[:70]!r} is no name: say who you are, as in --by asha")
    return text


def reference(text: str) -> str:
    """A reference that is posted once for ever: small and capital letters are the same.

    Raises:
        InputError: not 3 to 40 letters, digits and `._/-`.
    """
    text = text.strip()
    if not _REFERENCE.fullmatch(text):
        raise InputError(
            f"--reference {text[:50]!r}: 3 to 40 letters, digits or . _ / -, "
            "as on the bank slip or the mobile-money message"
        )
    return text.upper()


def words(text: str, longest: int) -> str:
    """Free text as it can be kept: what is no text (of a broken terminal, say) becomes "?"."""
    return text.encode("utf-8", "replace").decode()[:longest]


def note(
    connection: Connection, operator: str, action: str, subject: str, details: str, now: int
) -> None:
    """Record an act in the transaction that does it."""
    connection.execute(
        insert(operator_log).values(
            at=now,
            operator=operator,
            action=action,
            subject=subject[:64],
            details=words(details, 300),
        )
    )


def newest(connection: Connection, subject: str | None, limit: int) -> list[dict[str, Any]]:
    """What was done last, of one subject (a terminal's id, an import) or of all, newest first."""
    wanted = select(operator_log).order_by(operator_log.c.id.desc()).limit(limit)
    if subject is not None:
        wanted = wanted.where(operator_log.c.subject == subject)
    return [dict(row) for row in connection.execute(wanted).mappings()]
