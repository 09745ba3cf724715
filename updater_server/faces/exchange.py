"""One message and its reply, as the functions see it that answer the kinds. For `messages`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from updater_server.service import Service
from updater_server.wire import limits
from updater_server.wire.content import BadMessage, Content
from updater_server.wire.sealed import DeviceKeys

Reply = dict[int, Any]


@dataclass(frozen=True)
class Wait:
    """What a supplier is asked for whose terminal waits: once `told` is done, or the desk's
    patience has an end, `reply` makes the answer, with its kind; then `forget`.
    """

    told: Future[Any]
    reply: Callable[[Exchange, Content], Reply]
    forget: Callable[[], None]


@dataclass(frozen=True)
class Exchange:
    """One message and its reply: which terminal asks, and the transaction that it is."""

    service: Service
    connection: Connection
    owner: Any
    """The terminal's row (`fleet.terminals`) as the message found it."""
    device_keys: DeviceKeys
    now: int
    waits_for: list[Wait] = field(default_factory=list)
    """At most one: its answer may come while the terminal waits."""
    told: list[tuple[int, bytes]] = field(default_factory=list)
    """What goes to the spool once the message has happened: (kind of entry, what was told)."""

    @property
    def terminal_id(self) -> bytes:
        """Who asks."""
        return bytes(self.owner.id)


def recipient_of(content: Content, key: int) -> str:
    """Whom something goes to. Raises BadMessage: those are no digits, or too many."""
    value = content.text(key, limits.RECIPIENT_DIGITS[1])
    if not limits.RECIPIENT_PATTERN.fullmatch(value):
        raise BadMessage(f"key {key}: {limits.RECIPIENT_DIGITS[0]} digits or more are needed")
    return value
