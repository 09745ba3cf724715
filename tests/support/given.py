"""A command that a test gives within its own process ends as its program does: what it had open to
a database is closed. Else only the collector closes it, whenever that comes, and a PostgreSQL that
is asked often has no connection left for the next test.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import typer.testing


def close_what_commands_open() -> None:
    """Begin, if the tests use a database at all."""
    if "sqlalchemy" not in sys.modules:
        return
    from sqlalchemy import Engine

    under_way: list[list[Engine]] = []
    made, invoked = Engine.__init__, typer.testing.CliRunner.invoke

    @functools.wraps(made)
    def make(self: Engine, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        for engines in under_way:
            engines.append(self)

    @functools.wraps(invoked)
    def invoke(self: typer.testing.CliRunner, *arguments: Any, **named: Any) -> Any:
        mine: list[Engine] = []
        under_way.append(mine)
        try:
            return invoked(self, *arguments, **named)
        finally:
            under_way.remove(mine)
            for engine in mine:
                engine.dispose()

    Engine.__init__ = make  # type: ignore[method-assign]
    typer.testing.CliRunner.invoke = invoke  # type: ignore[method-assign]
