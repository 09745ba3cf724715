"""A server's process that ends at a statement, before a commit or after one, and its next start.

To a database a process that ends is a connection that ends: what was not committed is undone. To a
terminal it is an answer that never comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

STATEMENT, BEFORE_COMMIT, AFTER_COMMIT = "statement", "before commit", "after commit"


class Crashed(BaseException):
    """The process has ended: nothing of the product catches it."""


class Cut:
    """Ends whoever uses the engines that it watches, once, where it is armed for."""

    def __init__(self) -> None:
        self.crashes = 0
        self._where = ""
        self._left = 0

    def arm(self, where: str, left: int) -> None:
        """Let the next `where` but `left` be the last thing that happens."""
        self._where, self._left = where, left

    def disarm(self) -> None:
        """Let everything happen."""
        self._where = ""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """For who looks on, and is no part of what is cut."""
        where, self._where = self._where, ""
        yield
        self._where = where

    def watch(self, engine: Engine) -> None:
        """From now on what goes through this engine can end."""
        dialect: Any = engine.dialect
        commit = dialect.do_commit

        def cut_commit(connection: Any) -> None:
            self._reach(BEFORE_COMMIT)
            commit(connection)
            self._reach(AFTER_COMMIT)

        dialect.do_commit = cut_commit
        event.listen(engine, "before_cursor_execute", lambda *_: self._reach(STATEMENT))

    def _reach(self, where: str) -> None:
        if where != self._where:
            return
        if self._left:
            self._left -= 1
            return
        self._where = ""
        self.crashes += 1
        raise Crashed(where)
