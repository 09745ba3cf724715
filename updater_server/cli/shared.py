"""What every operator's command shares: where it prints, how it refuses, who is asking."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from updater_server.errors import InputError, ServerError
from updater_server.fleet import operators
from updater_server.sales.prices import PricesUnavailable
from updater_server.service import Service
from updater_server.store.engine import writing

REFUSED, WRONG_INPUT = 1, 2
out = Console()
err = Console(stderr=True)


def user() -> str:
    """Who is at this computer, for the notes; a name is no proof. Empty if nobody can tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


Data = Annotated[Path, typer.Option("--data", help="The server's data folder.")]
By = Annotated[
    str,
    typer.Option("--by", envvar="DUKA_OPERATOR", help="Who you are.", default_factory=user,
                 show_default="your user name"),
]  # fmt: skip
OwnerUrl = Annotated[
    str,
    typer.Option(
        "--owner",
        envvar="DUKA_DATABASE_OWNER",
        help="The same database for the user who owns its tables; it is not kept.",
    ),
]
Reference = Annotated[
    str, typer.Option("--reference", help="Counts once for ever: repeat it and nothing repeats.")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
Number = Annotated[int, typer.Argument(min=1, max=2**62)]
Terminal = Annotated[str, typer.Argument(help="Its id, or the first 4 or more digits.")]


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is a line on stderr, not a traceback: exit status 2 for wrong input, else 1."""
    try:
        yield
    except (ServerError, PricesUnavailable) as error:
        refuse(str(error))
        code = WRONG_INPUT if isinstance(error, InputError) else REFUSED
        raise typer.Exit(code) from error
    except DatabaseError as error:
        refuse(f"the database: {error.orig}; {_what_to_do(error.orig)}")
        raise typer.Exit(REFUSED) from error


_MAY_NOT = "42501"
"""PostgreSQL's `insufficient_privilege`."""


def _what_to_do(error: BaseException | None) -> str:
    """The next step of whoever was refused by the database itself."""
    if getattr(error, "sqlstate", None) == _MAY_NOT:
        return "name the user who owns the tables (--owner) where a command takes one"
    if str(error).startswith("connection "):
        return "see that it runs, and that URL and password are right"
    return "try again, and if it stays so run `check`"


@dataclass(frozen=True)
class Act:
    """One decision of an operator's: who decides, when, and the transaction that it is."""

    service: Service
    connection: Connection
    operator: str
    now: int


@contextmanager
def acting(data: Path, by: str) -> Iterator[Act]:
    """Carry out what an operator decides, whole or not at all; a refusal ends the program
    (`refusals`).
    """
    with refusals():
        operator = who(by)
        service = Service.open(data)
        with writing(service.engine) as connection:
            yield Act(service, connection, operator, service.now())


def refuse(text: str) -> None:
    """Say on stderr that it was not done, and why."""
    err.print(f"[red]refused:[/red] {escape(text)}", highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A line on stdout as it is; a narrow terminal breaks it where it likes."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def who(by: str) -> str:
    """The operator's name. Raises InputError."""
    return operators.name(by)
