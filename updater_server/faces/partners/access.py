"""Who asks, how often, and what is within their reach. For `calls` and `app`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from litestar.exceptions import (
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from sqlalchemy import Connection

from updater_server.parties import tokens, tree
from updater_server.parties.movements import Holder
from updater_server.parties.tokens import Caller

A_SECOND = 10.0
AT_ONCE = 60.0
_CALLERS = 10_000


def caller(connection: Connection, authorization: str) -> Caller:
    """Who holds the bearer's token. Raises NotAuthorizedException (401)."""
    scheme, _, token = authorization.partition(" ")
    found = tokens.of_token(connection, token.strip()) if scheme.lower() == "bearer" else None
    if found is None and token.strip().startswith(tokens.SANDBOX_PREFIX):
        raise NotAuthorizedException("a token of a sandbox opens nothing here: this is real money")
    if found is None:
        raise NotAuthorizedException("a token is needed: Authorization: Bearer duka_…")
    return found


def mover(asks: Caller) -> None:
    """Raises PermissionDeniedException (403): this token only reads."""
    if not asks.may_move:
        raise PermissionDeniedException("this token only reads")


def reaches(connection: Connection, asks: Caller, holder: Holder) -> bool:
    """Whether a party or terminal is the caller's own, or stands under it."""
    if asks.party is None:
        return True
    lowest = holder.party
    if lowest is None:
        lowest = tree.owner_of(connection, holder.terminal_id or b"")
    if lowest is None:
        return False
    return any(one.id == asks.party.id for one in tree.chain(connection, lowest))


class Pace:
    """How often each may ask: `A_SECOND`, and `AT_ONCE` after a rest, unless others are given. Safe
    to call from several threads.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        a_second: float | None = None,
        at_once: float | None = None,
    ) -> None:
        self._clock = clock
        self._a_second = a_second
        self._at_once = at_once
        self._lock = threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}

    def ask(self, number: int) -> None:
        """Raises TooManyRequestsException (429), with Retry-After: not now."""
        with self._lock:
            now = self._clock()
            at_once = AT_ONCE if self._at_once is None else self._at_once
            a_second = A_SECOND if self._a_second is None else self._a_second
            left, at = self._left.get(number, (at_once, now))
            left = min(at_once, left + (now - at) * a_second)
            if left < 1:
                raise TooManyRequestsException(
                    "too often: wait a second", headers={"retry-after": "1"}
                )
            if len(self._left) >= _CALLERS:
                self._left.clear()
            self._left[number] = (left - 1, now)
