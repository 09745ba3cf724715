"""What the technician's commands have in common: their options, and how a job runs on each port."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from tools.errors import LinkError, explain
from tools.technician.log import Job, JobLog
from tools.technician.progress import Row, on_each_port
from tools.technician.signed_files import SignedFiles, fetch_signed_files, load_signed_files
from updater_server import channels

console = Console(highlight=False)

Ports = Annotated[
    list[str], typer.Option("--port", help="serial port, such as /dev/ttyACM0; repeat for several")
]
OnePort = Annotated[str, typer.Option("--port", help="serial port, such as /dev/ttyACM0")]
Server = Annotated[
    str, typer.Option(envvar="DUKA_SERVER", help="the server's address, http://…", prompt=True)
]
MaybeServer = Annotated[
    str, typer.Option("--server", envvar="DUKA_SERVER", help="the server's address, http://…")
]
Token = Annotated[
    str,
    typer.Option(
        envvar="DUKA_TECHNICIAN_TOKEN", help="your credential", prompt=True, hide_input=True
    ),
]
MaybeToken = Annotated[
    str, typer.Option("--token", envvar="DUKA_TECHNICIAN_TOKEN", help="your credential")
]
Root = Annotated[Path | None, typer.Option(help="root.json from the release managers")]
Folder = Annotated[
    Path | None, typer.Option(help="folder of signed files (`tech fetch`), instead of the server")
]
Channel = Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))]
Language = Annotated[str, typer.Option(help="of screen and slip until the merchant changes it")]
AccessPoint = Annotated[str, typer.Option(help="access point (APN) of the SIM card")]
AccessPointLogin = Annotated[
    str, typer.Option(help="USER:PASSWORD of the access point, if it wants one; : for none")
]
TimeZone = Annotated[
    str, typer.Option(help="the shop's time, as hours and minutes from UTC: +03:00")
]
Passphrase = Annotated[
    str, typer.Option(envvar="DUKA_BATCH_PASSPHRASE", help="of the offline batch")
]


def run_jobs(log: JobLog, name: str, on: list[str], work: Callable[[str, Job, Row], str]) -> None:
    """Do a job on each port and say how each ended; exit code 1 if one did not end well."""

    def noted(port: str, row: Row) -> str:
        with log.job(name, port) as job:
            return work(port, job, row)

    results = on_each_port(on, noted, console)
    failed = 0
    for port, result in results.items():
        if isinstance(result, Exception):
            failed += 1
            text = explain(result)
            console.print(f"error: {text if port in text else port + ': ' + text}", soft_wrap=True)
        else:
            console.print(f"{port}: {result}.", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def reached_at(server: str, server_for_terminal: str) -> tuple[str, int]:
    """Host and port by which a terminal reaches the server. LinkError when they are none."""
    address = httpx.URL(server)
    if not server_for_terminal:
        return address.host, address.port or 80
    host, _, text = server_for_terminal.partition(":")
    if not host or not (text or "80").isdecimal() or not 1 <= int(text or 80) <= 65535:
        raise LinkError("--server-for-terminal is host:port, with a port from 1 to 65535")
    return host, int(text or 80)


def signed_files(server: str, root: Path | None, folder: Path | None, channel: str) -> SignedFiles:
    """The newest release of a channel, from `folder` or from the server.

    Raises:
        LinkError: neither was named.
    """
    if folder is not None:
        return load_signed_files(folder)
    if root is None:
        raise LinkError("name --server and --root, or a --folder of signed files")
    return fetch_signed_files(need(server, "--server"), root.read_bytes(), channel)


def need(value: str, name: str) -> str:
    """`value`; LinkError when the option `name` was left out."""
    if not value:
        raise LinkError(f"{name} is needed")
    return value


def secret(passphrase: str) -> str:
    """The passphrase of an offline batch: as given, or asked for."""
    return passphrase or getpass.getpass("Passphrase of the batch: ")
