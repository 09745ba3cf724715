"""The technician's command line: `python -m tools tech --help`.

What is on a serial port, and provisioning.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import serial.tools.list_ports
import tuf.ngclient
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Targets

from tools.terminal_link import BlankBoard, LinkError, RecoveryLink, StatusResponse
from tools.terminal_link import Progress as LinkProgress
from updater_server import channels

app = typer.Typer(no_args_is_help=True, help="Terminals on a serial cable.")
console = Console(highlight=False)

PIN_ROUNDS = 2000
_RESTART_S = 10

PortOption = Annotated[str, typer.Option("--port", help="serial port, such as /dev/ttyACM0")]


@dataclass(frozen=True)
class Merchant:
    """Who sells on this terminal: the name on the receipt and the PIN to sign in with."""

    name: str
    pin: str
    language: str = "en"


@dataclass(frozen=True)
class ServerAccess:
    """Where the server is for the technician, and for the terminal's modem."""

    url: str
    token: str
    host: str
    port: int
    apn: str = "internet"


@dataclass(frozen=True)
class SignedFiles:
    """What the channel offers, verified by python-tuf from the root the technician holds."""

    metadata: dict[str, bytes]
    entry: channels.ReleaseEntry
    image: bytes
    catalogue: bytes


@app.command("list")
def list_ports() -> None:
    """Name the serial ports of this computer."""
    ports = serial.tools.list_ports.comports()
    for port in ports:
        console.print(f"{port.device}  {port.description}")
    if not ports:
        console.print("No serial port. Is the cable in?")


@app.command("status")
def status(port: PortOption) -> None:
    """Say what is on a port in recovery."""
    with RecoveryLink(port) as link:
        found = link.status()
    console.print(
        f"{found.hardware_class} revision {found.revision}, bootloader {found.bootloader}, "
        f"{found.state}, chip {found.uid.hex()}"
        + (f", terminal {found.terminal.hex()}" if found.terminal else "")
    )


@app.command("provision")
def provision_command(
    port: PortOption,
    server: Annotated[str, typer.Option(help="the server's address, http://…")],
    token: Annotated[str, typer.Option(envvar="DUKA_TECHNICIAN_TOKEN", help="your credential")],
    root: Annotated[Path, typer.Option(help="root.json from the release managers")],
    boot_image: Annotated[Path, typer.Option(help="boot-….romfs from `release build`")],
    merchant: Annotated[str, typer.Option(help="name on the receipt")],
    merchant_pin: Annotated[str, typer.Option(prompt=True, hide_input=True, help="4 to 8 digits")],
    channel: Annotated[str, typer.Option(help=", ".join(channels.CHANNELS))] = "stable",
    float_minor: Annotated[int, typer.Option(min=0, help="opening float, minor units")] = 0,
    server_for_terminal: Annotated[
        str, typer.Option(help="host:port as the terminal reaches it, if other")
    ] = "",
) -> None:
    """Turn a blank terminal into one that sells."""
    address = httpx.URL(server)
    host, port_number = address.host, address.port or 80
    if server_for_terminal:
        host, _, text = server_for_terminal.partition(":")
        port_number = int(text or 80)
    terminal = provision(
        port,
        ServerAccess(server, token, host, port_number),
        root.read_bytes(),
        boot_image.read_bytes(),
        Merchant(merchant, merchant_pin),
        channel=channel,
        float_minor=float_minor,
    )
    console.print(f"Terminal {terminal} is ready to sell.")


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
        LinkError: the terminal does not answer, refuses, or is not blank.
        httpx.HTTPError: the server does not answer, or refuses the enrolment.
        ValueError: the merchant's PIN is not 4 to 8 digits.
    """
    config = make_config(server, merchant, channel, settings or {})
    signed = fetch_signed_files(server.url, root, channel)
    if boot_image is not None:
        with BlankBoard(port) as board, _bar("boot image", out) as progress:
            board.write_boot(boot_image, progress)
            board.reset()
    with _recovery(port) as link:
        found = link.status()
        if found.state != "blank":
            raise LinkError("this terminal has an identity already; it is not blank")
        terminal = _enrol(link, found, server, float_minor)
        files = {f"trust/{name}.json": content for name, content in signed.metadata.items()}
        files["config.json"] = json.dumps(config).encode()
        files["catalogue.json"] = signed.catalogue
        for name, content in files.items():
            with _bar(name, out) as progress:
                link.upload_file(f"/data/{name}", content, progress)
        with _bar(f"release {signed.entry.version}", out) as progress:
            link.upload_image(signed.image, progress)
        link.reset()
    return terminal


def make_config(
    server: ServerAccess, merchant: Merchant, channel: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return config.json as docs/formats/terminal-files.md describes it.

    Raises:
        ValueError: the PIN is not 4 to 8 digits.
    """
    if not (merchant.pin.isascii() and merchant.pin.isdigit() and 4 <= len(merchant.pin) <= 8):
        raise ValueError("the merchant's PIN must be 4 to 8 digits")
    salt = secrets.token_bytes(16)
    pin_hash = hashlib.pbkdf2_hmac("sha256", merchant.pin.encode(), salt, PIN_ROUNDS)
    return {
        "server": {"host": server.host, "port": server.port},
        "apn": server.apn,
        "channel": channel,
        "catalogue": "catalogue/default.json",
        "merchant": {
            "name": merchant.name,
            "pin_salt": salt.hex(),
            "pin_hash": pin_hash.hex(),
            "pin_rounds": PIN_ROUNDS,
        },
        "language": merchant.language,
        "poll_s": 900,
        "sync_s": 300,
        **settings,
    }


def fetch_signed_files(url: str, root: bytes, channel: str) -> SignedFiles:
    """Fetch a channel's newest release and the price list, verified by python-tuf from `root`.

    Raises:
        LinkError: the channel has no release yet, or what the server has does not verify.
    """
    with tempfile.TemporaryDirectory() as folder:
        metadata_dir, target_dir = Path(folder, "metadata"), Path(folder, "targets")
        metadata_dir.mkdir()
        target_dir.mkdir()
        updater = tuf.ngclient.Updater(
            str(metadata_dir),
            f"{url}/tuf/metadata/",
            str(target_dir),
            f"{url}/tuf/targets/",
            bootstrap=root,
        )

        def fetch(path: str) -> bytes:
            info = updater.get_targetinfo(path)
            if info is None:
                raise LinkError(f"the server's channels do not list {path}")
            return Path(updater.download_target(info, str(target_dir / "target"))).read_bytes()

        try:
            updater.refresh()
            updater.get_targetinfo(f"{channel}/any/0.full")
            role = Metadata[Targets].from_file(str(metadata_dir / f"{channel}.json"))
            entries = [
                channels.ReleaseEntry.parse(target.custom)
                for path, target in role.signed.targets.items()
                if path.endswith(".full")
            ]
            if not entries:
                raise LinkError(f"channel {channel} has no release yet")
            newest = max(entries, key=lambda entry: entry.release)
            full = next(payload.path for payload in newest.payloads if payload.kind == "full")
            image = channels.expand(channels.Payload("full", fetch(full)))
            catalogue = fetch("catalogue/default.json")
        except (RepositoryError, DownloadError) as error:
            raise LinkError(f"what {url} serves does not verify: {error}") from error
        names = ("root", "timestamp", "snapshot", "targets", channel)
        metadata = {name: (metadata_dir / f"{name}.json").read_bytes() for name in names}
    return SignedFiles(metadata, newest, image, catalogue)


def _enrol(
    link: RecoveryLink, found: StatusResponse, server: ServerAccess, float_minor: int
) -> str:
    terminal_id = secrets.token_bytes(8)
    key = link.make_identity(terminal_id)
    answer = httpx.post(
        f"{server.url}/v1/terminals",
        headers={"Authorization": f"Bearer {server.token}"},
        json={
            "terminal": terminal_id.hex(),
            "key": key.hex(),
            "class": found.hardware_class,
            "revision": found.revision,
            "float_minor": float_minor,
        },
    )
    answer.raise_for_status()
    return terminal_id.hex()


@contextmanager
def _recovery(port: str) -> Iterator[RecoveryLink]:
    """Wait for the bootloader to come up in recovery after a restart."""
    deadline = time.monotonic() + _RESTART_S
    while True:
        try:
            link = RecoveryLink(port).__enter__()
            break
        except LinkError:
            if time.monotonic() > deadline:
                raise
    try:
        yield link
    finally:
        link.__exit__()


@contextmanager
def _bar(name: str, out: Console) -> Iterator[LinkProgress]:
    columns = (
        TextColumn("  {task.description:<22}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
