"""The operator's commands about what seals the vault: `key`."""

from __future__ import annotations

import typer
from rich.table import Table

from updater_server import resealing, server_key, words, wrapped
from updater_server.cli.shared import By, Data, out, refusals, say, who
from updater_server.fleet import operators
from updater_server.server_key import FOREVER
from updater_server.service import Service
from updater_server.store.engine import reading

key_cli = typer.Typer(no_args_is_help=True, help="server.key, and the secrets that it wraps.")
_TOLD_EVERY = 20_000


@key_cli.command("show")
def show(data: Data) -> None:
    """The key's fingerprint, the secrets, and how much is sealed under each: it counts all."""
    with refusals():
        service = Service.open(data)
        with reading(service.engine) as connection:
            rows = resealing.listed(connection)
        say(f"server.key: fingerprint {server_key.load(service.folder.server_key).fingerprint}")
    table = Table("secret", "made", "by", "wrapped", "sealed under it")
    for row in rows:
        sealed = ", ".join(f"{count} {name}" for name, count in row["sealed"].items() if count)
        if row["number"] == FOREVER:
            sealed = "digests and signatures, for ever"
        table.add_row(
            str(row["number"]),
            words.minute(row["made_at"]),
            row["made_by"],
            words.minute(row["wrapped_at"]),
            sealed or "nothing",
        )
    out.print(table)


@key_cli.command("change")
def change(data: Data, by: By) -> None:
    """Make another server.key. Nothing is sealed anew, and servers that run go on; every other
    machine needs the new file before its next start. Cut short, do it again.
    """
    with refusals():
        operator, service = who(by), Service.open(data)
        now = service.now()
        changed = wrapped.change(
            service.folder.server_key,
            service.engine,
            now,
            lambda connection, text: operators.note(
                connection, operator, "key change", "server.key", text, now
            ),
        )
    say(f"server.key: fingerprint {changed.new}; it wraps {changed.secrets} secrets")
    say(f"copy it now: to every other machine's data folder, and to where {changed.old} is kept")
    say(f"the key of before is {changed.aside}: back-ups made until now need it. Keep it with them")


@key_cli.command("renew")
def renew(data: Data, by: By) -> None:
    """Make another secret that seals, and seal everything anew under it while servers sell. Cut
    short, do it again: it goes on.
    """
    with refusals():
        operator, service = who(by), Service.open(data)
        number = resealing.add(service, operator)
        say(f"secret {number} seals what is new")
        done = resealing.reseal(service, _tell)
    for counted in done:
        say(f"{counted.name}: {counted.seen} looked at, {counted.anew} sealed anew")
    shut = sum(counted.shut for counted in done)
    if shut:
        say(f"{shut} do not open under any secret, and keep the one of before from being dropped")
        raise typer.Exit(1)
    say("every server knows it within a minute; then forget the one of before: key drop")


def _tell(counted: resealing.Counted) -> None:
    if counted.seen % _TOLD_EVERY == 0:
        say(f"{counted.name}: {counted.seen} looked at, {counted.anew} sealed anew")


@key_cli.command("drop")
def drop(data: Data, by: By) -> None:
    """Seal anew what came since `key renew`, and forget the secret of before. The database lets it
    go only if nothing is sealed under it; for a moment nobody writes meanwhile.
    """
    with refusals():
        operator, service = who(by), Service.open(data)
        resealing.reseal(service, _tell)
        number = resealing.drop(service, operator)
    say(f"secret {number} is gone: what was sealed under it opens nowhere any more")
