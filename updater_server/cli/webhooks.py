"""The operator's commands about who is told of what is posted: `webhook`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from updater_server import words
from updater_server.cli.shared import By, Data, acting, out, refusals, say
from updater_server.parties import tree, webhooks
from updater_server.service import Service
from updater_server.store.engine import reading, writing

webhook_cli = typer.Typer(no_args_is_help=True, help="Programs that are told of what is posted.")


@webhook_cli.command("add")
def add_webhook(
    name: Annotated[str, typer.Argument(help="Which program it is.")],
    url: Annotated[str, typer.Argument(help="Where it listens: https://…")],
    data: Data,
    by: By,
    party: Annotated[str, typer.Option(help="Of whose floats: a code; nothing: of all.")] = "",
) -> None:
    """Tell a program of everything that is posted from now on. Shows its secret, once."""
    with acting(data, by) as act:
        whose = tree.find(act.connection, party) if party else None
        secret = webhooks.put(
            act.connection, act.service.key, name, url, whose, act.operator, act.now
        )
    say(f"secret: {secret}")


@webhook_cli.command("list")
def list_webhooks(data: Data) -> None:
    """Every webhook, how far it was told, and why not further."""
    with refusals(), reading(Service.open(data).engine) as connection:
        rows = webhooks.listing(connection)
    table = Table("webhook", "where", "told through", "since", "why not", "dead letters")
    for row in rows:
        since = row["first_failed_at"]
        table.add_row(
            row["name"], escape(row["url"]), str(row["through"]),
            "stopped" if row["stopped"] else "" if since is None else words.minute(since),
            escape(row["error"]), str(row["dead"]),
        )  # fmt: skip
    out.print(table)


@webhook_cli.command("stop")
def stop_webhook(name: str, data: Data, by: By) -> None:
    """Tell a program nothing for now."""
    with acting(data, by) as act:
        webhooks.stop(act.connection, name, True, act.operator, act.now)
    say(f"{name}: told nothing")


@webhook_cli.command("resume")
def resume_webhook(name: str, data: Data, by: By) -> None:
    """Tell a program all since it was stopped, and what comes."""
    with acting(data, by) as act:
        webhooks.stop(act.connection, name, False, act.operator, act.now)
    say(f"{name}: told again")


@webhook_cli.command("again")
def send_again(
    number: Annotated[int, typer.Argument(help="Of the dead letter.")], data: Data, by: By
) -> None:
    """Send what was given up once more."""
    from updater_server.notices import hooks  # not at each command's start

    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            url, secret, body, name = webhooks.dead_letter(connection, service.key, number)
        why = hooks.deliver(url, secret, body, f"{name}-dead-{number}", service.now())
        if not why:
            with writing(service.engine) as connection:
                webhooks.dead_letter_sent(connection, number, by, service.now())
    say(f"NOT taken: {why}" if why else "taken")
    if why:
        raise typer.Exit(1)
