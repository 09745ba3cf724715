"""Commands on what a terminal holds in trust: logs, configure, unlock, retire, sync, history."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tools.errors import LinkError
from tools.technician import custody, provisioning
from tools.technician.log import Job, JobLog
from tools.technician.options import (
    AccessPoint,
    AccessPointLogin,
    Language,
    OnePort,
    Ports,
    Server,
    TimeZone,
    Token,
    console,
    reached_at,
    run_jobs,
)
from tools.technician.progress import Row
from updater_server import channels


def logs(
    context: typer.Context,
    port: Ports,
    out: Annotated[Path, typer.Option(help="folder for the exports")] = Path("exports"),
) -> None:
    """Export journal and diagnostics of a terminal. No secret is in it."""
    run_jobs(
        context.obj, "logs", port, lambda *given: custody.export_logs(given[0], out, *given[1:])
    )


def configure(
    context: typer.Context,
    port: OnePort,
    server: Server,
    token: Token,
    merchant: Annotated[str, typer.Option(help="name on the receipt")] = "",
    new_pin: Annotated[bool, typer.Option(help="ask for a new PIN of the merchant's")] = False,
    merchant_pin: Annotated[str, typer.Option(help="the new PIN, 4 to 8 digits")] = "",
    server_for_terminal: Annotated[
        str, typer.Option(help="host:port as the terminal shall reach the server")
    ] = "",
    apn: AccessPoint = "",
    apn_login: AccessPointLogin = "",
    channel: Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))] = "",
    language: Language = "",
    time_zone: TimeZone = "",
    slip: Annotated[
        list[str] | None,
        typer.Option(help="NAME=TEXT for slips: place, telephone, helpline, terms.en and so on"),
    ] = None,
) -> None:
    """Change the settings that you name; all others stay as they are. The server permits it and
    notes your name. A terminal that is out of service for its settings needs merchant and PIN."""
    if new_pin and not merchant_pin:
        merchant_pin = typer.prompt("Merchant pin", hide_input=True)
    office = custody.Office(server, token)

    def work(name: str, job: Job, row: Row) -> str:
        before = custody.settings_of(name)
        reached = server_for_terminal or (server if before is None else "")
        patch = provisioning.changes(
            merchant=merchant,
            pin=merchant_pin,
            reached=reached_at(server, server_for_terminal) if reached else None,
            apn=apn,
            apn_login=apn_login,
            channel=channel,
            language=language,
            time_zone=time_zone,
        )
        for name_of, value in provisioning.slip_settings(slip or []).items():
            old = patch.get(name_of)
            patch[name_of] = {**old, **value} if isinstance(old, dict) else value
        if before is None:
            whole = provisioning.whole_settings(patch)
            return custody.bring_settings(name, whole, office, job, row)
        if not patch:
            raise LinkError("name what to change: see tech configure --help")
        said = custody.change_settings(name, patch, office, job, row)
        for line in provisioning.differences(before, patch):
            console.print("  " + line, markup=False)
        return said

    run_jobs(context.obj, "configure", [port], work)


def unlock(context: typer.Context, port: Ports, server: Server, token: Token) -> None:
    """Let a merchant who is locked out try a PIN again at once."""
    office = custody.Office(server, token)
    run_jobs(
        context.obj, "unlock", port, lambda *given: custody.unlock(given[0], office, *given[1:])
    )


def retire(
    context: typer.Context,
    port: Ports,
    server: Server,
    token: Token,
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
) -> None:
    """Wipe keys and stock. Refuses while sales are neither sent nor exported."""
    if not yes:
        typer.confirm(f"Wipe {', '.join(port)} for good?", abort=True)
    office = custody.Office(server, token)
    log: JobLog = context.obj
    run_jobs(log, "retire", port, lambda *given: custody.retire(given[0], office, log, *given[1:]))


def sync(
    context: typer.Context,
    server: Server,
    token: Token,
    port: Annotated[
        list[str] | None, typer.Option("--port", help="send this terminal's sales by cable")
    ] = None,
) -> None:
    """Send the bench log and exported journals to the server; with --port a terminal's sales."""
    office = custody.Office(server, token)
    if port:
        run_jobs(
            context.obj,
            "sync",
            port,
            lambda *given: custody.sync_by_cable(given[0], office, *given[1:]),
        )
    custody.sync_log(office, context.obj, console.print)
    console.print("The server has this bench's log.")


def history(
    context: typer.Context,
    terminal: Annotated[str, typer.Argument(help="terminal id or chip; all if left out")] = "",
) -> None:
    """Show what was done at this bench."""
    for entry in context.obj.history(terminal):
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["at"]))
        release = entry["details"].get("release", "")
        what = entry["terminal"] or entry["uid"] or entry["port"]
        sent = "" if entry["synced"] else "  (not sent)"
        console.print(
            f"{at}  {entry['who']}  {entry['job']}  {what}  release {release or '-'}  "
            f"{entry['result']}{sent}",
            soft_wrap=True,
        )
