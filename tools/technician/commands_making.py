"""Commands that make terminals: fetch, provision, enrol, conform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tools.errors import LinkError
from tools.technician import batch, conform, custody, provisioning
from tools.technician.log import Job
from tools.technician.options import (
    AccessPoint,
    AccessPointLogin,
    Channel,
    Folder,
    Language,
    MaybeServer,
    MaybeToken,
    OnePort,
    Passphrase,
    Ports,
    Root,
    Server,
    TimeZone,
    Token,
    console,
    need,
    reached_at,
    run_jobs,
    secret,
    signed_files,
)
from tools.technician.progress import Row, on_each_port
from tools.technician.provisioning import Merchant, ServerAccess, make_config
from tools.technician.signed_files import fetch_signed_files


def fetch(
    server: Server,
    root: Annotated[Path, typer.Option(help="root.json from the release managers")],
    out: Annotated[Path, typer.Option(help="folder for the signed files")],
    channel: Channel = "stable",
) -> None:
    """Keep a channel's newest release in a folder, for a bench without a network."""
    signed = fetch_signed_files(server, root.read_bytes(), channel)
    signed.save(out)
    console.print(f"Release {signed.entry.version} of {channel} is in {out}.")


def provision_boards(
    context: typer.Context,
    port: Ports,
    boot_image: Annotated[Path, typer.Option(help="boot-….romfs from `release build`")],
    merchant: Annotated[str, typer.Option(help="name on the receipt")],
    merchant_pin: Annotated[str, typer.Option(prompt=True, hide_input=True, help="4 to 8 digits")],
    server: MaybeServer = "",
    token: MaybeToken = "",
    root: Root = None,
    folder: Folder = None,
    channel: Channel = "stable",
    float_minor: Annotated[int, typer.Option(min=0, help="opening float, minor units")] = 0,
    apn: AccessPoint = "internet",
    apn_login: AccessPointLogin = "",
    language: Language = "en",
    time_zone: TimeZone = "+00:00",
    server_for_terminal: Annotated[
        str, typer.Option(help="host:port as the terminal reaches it, if other")
    ] = "",
    offline_batch: Annotated[
        Path | None, typer.Option(help="enrol later: seal what the server must learn in this file")
    ] = None,
    passphrase: Passphrase = "",
) -> None:
    """Turn blank boards into terminals that sell. Run it again after any fault: it goes on."""
    host, port_number = reached_at(server, server_for_terminal)
    if not host:
        raise LinkError("name the server: --server, or --server-for-terminal with --offline-batch")
    access = ServerAccess(server, token, host, port_number, apn, apn_login)
    if offline_batch is not None:
        enrol: provisioning.Enrol = batch.Batch(offline_batch, secret(passphrase)).add
    else:
        need(token, "--token")
        enrol = provisioning.enrol_online(access)
    config = make_config(
        access,
        Merchant(merchant, merchant_pin, language),
        channel,
        {"utc_offset_s": provisioning.utc_offset_s(time_zone)},
    )
    signed = signed_files(server, root, folder, channel)
    image = boot_image.read_bytes()

    def work(name: str, job: Job, row: Row) -> str:
        terminal = provisioning.provision(name, signed, image, config, enrol, job, row, float_minor)
        if offline_batch is not None:
            return f"terminal {terminal} is ready; enrol it with: tech enrol {offline_batch}"
        return f"terminal {terminal} is ready to sell"

    run_jobs(context.obj, "provision", port, work)


def provision(
    port: str,
    server: ServerAccess,
    root: bytes,
    boot_image: bytes | None,
    merchant: Merchant,
    *,
    channel: str = "stable",
    float_minor: int = 0,
    settings: dict[str, Any] | None = None,
    out: Console = console,
) -> str:
    """Provision the blank terminal on `port`; return its terminal id (16 hex digits).

    `boot_image` is None for a board that was made with its bootloader in the interpreter.
    `settings` are further fields of config.json (docs/formats/terminal-files.md).

    Raises:
        LinkError: the terminal does not answer, refuses, or is not blank; or the PIN is not 4 to 8
            digits.
        httpx.HTTPError: the server does not answer, or refuses the enrolment.
    """
    config = make_config(server, merchant, channel, settings or {})
    signed = fetch_signed_files(server.url, root, channel)
    enrol = provisioning.enrol_online(server)

    def work(name: str, row: Row) -> str:
        job = Job("provision", name)
        return provisioning.provision(
            name, signed, boot_image, config, enrol, job, row, float_minor
        )

    result = on_each_port([port], work, out)[port]
    if isinstance(result, Exception):
        raise result
    return result


def enrol(
    file: Annotated[Path, typer.Argument(help="from `provision --offline-batch`")],
    server: Server,
    token: Token,
    passphrase: Passphrase = "",
) -> None:
    """Tell the server of the terminals in an offline batch. It may be repeated."""
    if not file.exists():
        raise LinkError(f"there is no {file}")
    office = custody.Office(server, token)
    terminals = batch.Batch(file, secret(passphrase)).terminals()
    for new in terminals:
        office.enrol(new.body())
        console.print(f"Terminal {new.terminal} is enrolled.")
    console.print(f"{len(terminals)} terminals. Delete {file} now: it holds their keys.")


def conform_command(
    context: typer.Context,
    port: OnePort,
    image: Annotated[Path, typer.Option(help="selftest-….romfs from `release build`")],
) -> None:
    """Check that a blank board keeps what docs/porting.md asks of it. It is blank again after."""
    content = image.read_bytes()
    run_jobs(
        context.obj,
        "conform",
        [port],
        lambda name, job, row: conform.conform(name, content, job, row, console.print),
    )
