"""The technician's command line: `python -m tools tech --help`; docs/technician.md is its manual.

Each job is a module of `tools/bench`; here are only its options. Every job goes into the bench log.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from tools.bench import batch, conform, custody, ports, provisioning, repair, selftest
from tools.bench.log import BenchLog, Job
from tools.bench.progress import Row, on_each_port
from tools.bench.provisioning import Merchant, ServerAccess, make_config
from tools.bench.signed_files import SignedFiles, fetch_signed_files, load_signed_files
from tools.errors import explain
from tools.terminal_link import LinkError
from updater_server import channels

__all__ = ["Merchant", "ServerAccess", "app", "provision"]

app = typer.Typer(no_args_is_help=True, help="Terminals on a serial cable.")
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
TimeZone = Annotated[
    str, typer.Option(help="the shop's time, as hours and minutes from UTC: +03:00")
]
Passphrase = Annotated[
    str, typer.Option(envvar="DUKA_BATCH_PASSPHRASE", help="of the offline batch")
]


@app.callback()
def options(
    context: typer.Context,
    bench_log: Annotated[
        Path, typer.Option(envvar="DUKA_BENCH_LOG", help="what was done at this bench")
    ] = Path("~/.duka/bench.json"),
    who: Annotated[str, typer.Option(envvar="DUKA_TECHNICIAN", help="your name in it")] = "",
) -> None:
    """Terminals on a serial cable."""
    context.obj = BenchLog(bench_log.expanduser(), who or getpass.getuser())


@app.command("list")
def list_ports(
    port: Annotated[list[str] | None, typer.Option("--port", help="only these")] = None,
) -> None:
    """Name the serial ports of this computer and what is on each."""
    named = [(name, "") for name in port or []] or ports.serial_ports()
    if not named:
        console.print("No serial port. Is the cable in?")
        return
    with ThreadPoolExecutor(len(named)) as pool:
        found = pool.map(ports.probe, [name for name, _ in named])
        for (name, description), on_it in zip(named, found, strict=True):
            console.print(f"{name}  {on_it.words()}  {description}".rstrip(), soft_wrap=True)


@app.command()
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


@app.command("provision")
def provision_command(
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
    host, port_number = _reached_at(server, server_for_terminal)
    if not host:
        raise LinkError("name the server: --server, or --server-for-terminal with --offline-batch")
    access = ServerAccess(server, token, host, port_number, apn)
    if offline_batch is not None:
        enrol: provisioning.Enrol = batch.Batch(offline_batch, _secret(passphrase)).add
    else:
        _need(token, "--token")
        enrol = provisioning.enrol_online(access)
    config = make_config(
        access,
        Merchant(merchant, merchant_pin, language),
        channel,
        {"utc_offset_s": provisioning.utc_offset_s(time_zone)},
    )
    signed = _signed(server, root, folder, channel)
    image = boot_image.read_bytes()

    def work(name: str, job: Job, row: Row) -> str:
        terminal = provisioning.provision(name, signed, image, config, enrol, job, row, float_minor)
        if offline_batch is not None:
            return f"terminal {terminal} is ready; enrol it with: tech enrol {offline_batch}"
        return f"terminal {terminal} is ready to sell"

    _run(context.obj, "provision", port, work)


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


@app.command()
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
    terminals = batch.Batch(file, _secret(passphrase)).terminals()
    for new in terminals:
        office.enrol(new.body())
        console.print(f"Terminal {new.terminal} is enrolled.")
    console.print(f"{len(terminals)} terminals. Delete {file} now: it holds their keys.")


@app.command()
def flash(
    context: typer.Context,
    port: Ports,
    server: MaybeServer = "",
    root: Root = None,
    folder: Folder = None,
    channel: Channel = "stable",
) -> None:
    """Put a release into the other slot and boot it on trial."""
    signed = _signed(server, root, folder, channel)
    _run(context.obj, "flash", port, lambda *given: repair.flash(given[0], signed, *given[1:]))


@app.command()
def recover(
    context: typer.Context,
    port: Ports,
    server: MaybeServer = "",
    root: Root = None,
    folder: Folder = None,
    channel: Channel = "stable",
) -> None:
    """Make a terminal work again whose slots are both spoiled."""
    signed = _signed(server, root, folder, channel)
    _run(context.obj, "recover", port, lambda *given: repair.recover(given[0], signed, *given[1:]))


class _AtKeyboard:
    """The technician who runs this command."""

    def sees(self, question: str) -> bool:
        return typer.confirm(question)

    def hears(self, text: str) -> None:
        console.print(text)


@app.command("selftest")
def selftest_command(context: typer.Context, port: OnePort) -> None:
    """Test every part of a terminal that runs, and print a slip."""
    _run(
        context.obj,
        "selftest",
        [port],
        lambda name, job, row: selftest.selftest(name, _AtKeyboard(), job, row),
    )


@app.command()
def logs(
    context: typer.Context,
    port: Ports,
    out: Annotated[Path, typer.Option(help="folder for the exports")] = Path("exports"),
) -> None:
    """Export journal and diagnostics of a terminal. No secret is in it."""
    _run(context.obj, "logs", port, lambda *given: custody.export_logs(given[0], out, *given[1:]))


@app.command()
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
    channel: Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))] = "",
    language: Language = "",
    time_zone: TimeZone = "",
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
            reached=_reached_at(server, server_for_terminal) if reached else None,
            apn=apn,
            channel=channel,
            language=language,
            time_zone=time_zone,
        )
        if before is None:
            whole = provisioning.whole_settings(patch)
            return custody.bring_settings(name, whole, office, job, row)
        if not patch:
            raise LinkError("name what to change: see tech configure --help")
        said = custody.change_settings(name, patch, office, job, row)
        for line in provisioning.differences(before, patch):
            console.print("  " + line, markup=False)
        return said

    _run(context.obj, "configure", [port], work)


@app.command()
def unlock(context: typer.Context, port: Ports, server: Server, token: Token) -> None:
    """Let a merchant who is locked out try a PIN again at once."""
    office = custody.Office(server, token)
    _run(context.obj, "unlock", port, lambda *given: custody.unlock(given[0], office, *given[1:]))


@app.command()
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
    log: BenchLog = context.obj
    _run(log, "retire", port, lambda *given: custody.retire(given[0], office, log, *given[1:]))


@app.command()
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
        _run(
            context.obj,
            "sync",
            port,
            lambda *given: custody.sync_by_cable(given[0], office, *given[1:]),
        )
    custody.sync_log(office, context.obj, console.print)
    console.print("The server has this bench's log.")


@app.command()
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


@app.command("conform")
def conform_command(
    context: typer.Context,
    port: OnePort,
    image: Annotated[Path, typer.Option(help="selftest-….romfs from `release build`")],
) -> None:
    """Check that a blank board keeps what docs/porting.md asks of it. It is blank again after."""
    content = image.read_bytes()
    _run(
        context.obj,
        "conform",
        [port],
        lambda name, job, row: conform.conform(name, content, job, row, console.print),
    )


def _run(log: BenchLog, name: str, on: list[str], work: Callable[[str, Job, Row], str]) -> None:
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


def _reached_at(server: str, server_for_terminal: str) -> tuple[str, int]:
    """Host and port by which a terminal reaches the server."""
    address = httpx.URL(server)
    if not server_for_terminal:
        return address.host, address.port or 80
    host, _, text = server_for_terminal.partition(":")
    if not host or not (text or "80").isdecimal() or not 1 <= int(text or 80) <= 65535:
        raise LinkError("--server-for-terminal is host:port, with a port from 1 to 65535")
    return host, int(text or 80)


def _signed(server: str, root: Path | None, folder: Path | None, channel: str) -> SignedFiles:
    if folder is not None:
        return load_signed_files(folder)
    if root is None:
        raise LinkError("name --server and --root, or a --folder of signed files")
    return fetch_signed_files(_need(server, "--server"), root.read_bytes(), channel)


def _need(value: str, name: str) -> str:
    if not value:
        raise LinkError(f"{name} is needed")
    return value


def _secret(passphrase: str) -> str:
    return passphrase or getpass.getpass("Passphrase of the batch: ")
