"""A blank board becomes a terminal that sells. Every step may be cut and the whole repeated.

Boot image → identity (key made on the board) → enrolment → signed files and settings → release.
Up to the release the terminal tells its key again to whoever names its id, so a lost cable, server
or supply costs only the step that was under way.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tools import oracle
from tools.bench import ports
from tools.bench.log import Job
from tools.bench.progress import Row
from tools.bench.signed_files import SignedFiles
from tools.terminal_link import BlankBoard, LinkError, RecoveryLink, StatusResponse

PIN_ROUNDS = 2000


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
class NewTerminal:
    """What the server must learn of a terminal; `key` is its device key: keep it nowhere."""

    terminal: str
    key: str
    hardware_class: str
    revision: int
    float_minor: int

    def body(self) -> dict[str, Any]:
        """For `POST /v1/terminals`."""
        return {
            "terminal": self.terminal,
            "key": self.key,
            "class": self.hardware_class,
            "revision": self.revision,
            "float_minor": self.float_minor,
        }


Enrol = Callable[[NewTerminal], None]


def enrol_online(server: ServerAccess) -> Enrol:
    """Enrolment over the network, now. It may be repeated."""

    def enrol(new: NewTerminal) -> None:
        answer = httpx.post(
            f"{server.url}/v1/terminals",
            headers={"Authorization": f"Bearer {server.token}"},
            json=new.body(),
        )
        answer.raise_for_status()

    return enrol


def make_config(
    server: ServerAccess, merchant: Merchant, channel: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return config.json as docs/formats/terminal-files.md describes it.

    Raises:
        ValueError: the PIN is not 4 to 8 digits.
        Unfit: a terminal would be out of service with these settings.
    """
    if not (merchant.pin.isascii() and merchant.pin.isdigit() and 4 <= len(merchant.pin) <= 8):
        raise ValueError("the merchant's PIN must be 4 to 8 digits")
    salt = secrets.token_bytes(16)
    pin_hash = hashlib.pbkdf2_hmac("sha256", merchant.pin.encode(), salt, PIN_ROUNDS)
    table = {
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
    oracle.check_settings(table)
    return table


def provision(
    port: str,
    signed: SignedFiles,
    boot_image: bytes | None,
    config: dict[str, Any],
    enrol: Enrol,
    job: Job,
    row: Row,
    float_minor: int = 0,
) -> str:
    """Provision the terminal on `port`, from wherever an earlier try stopped; its terminal id.

    `boot_image` is None for a board that was made with its bootloader in the interpreter.

    Raises:
        LinkError: the terminal does not answer, refuses, or has an identity already.
        Unfit: the terminal could not use these settings or the signed price list.
        httpx.HTTPError: the server does not answer, or refuses the enrolment.
    """
    oracle.TERMINAL.target("the price list", signed.catalogue)
    found = ports.wait_for(port, ports.BLANK, ports.RECOVERY, ports.SELLING, timeout_s=15)
    if found.what == ports.SELLING:
        raise LinkError(f"{port}: terminal {found.terminal} sells already; it is not blank")
    if found.what == ports.BLANK:
        if boot_image is None:
            raise LinkError(f"{port}: this board has no bootloader: name a boot image")
        with BlankBoard(port) as board:
            board.write_boot(boot_image, row.step("boot image"))
            board.reset()
        ports.wait_for(port, ports.RECOVERY)
    with RecoveryLink(port) as link:
        status = link.status()
        job.uid = status.uid.hex()
        job.terminal = _make_identity(port, link, status, enrol, float_minor)
        files = {f"trust/{name}.json": content for name, content in signed.metadata.items()}
        files["config.json"] = oracle.check_settings(config)
        files["catalogue.json"] = signed.catalogue
        for name, content in files.items():
            link.upload_file(f"/data/{name}", content, row.step(name))
        link.upload_image(signed.image, row.step(f"release {signed.entry.version}"))
        job.details["bootloader"] = status.bootloader
        job.details["release"] = signed.entry.release
        link.reset()
    return job.terminal


def _make_identity(
    port: str, link: RecoveryLink, status: StatusResponse, enrol: Enrol, float_minor: int
) -> str:
    if status.state == "foreign":
        raise LinkError(f"{port}: the flash holds another terminal's identity: it was copied")
    terminal_id = status.terminal or secrets.token_bytes(8)
    try:
        key = link.make_identity(terminal_id)
    except LinkError as error:
        if status.terminal is None:
            raise
        raise LinkError(
            f"{port}: this terminal has an identity already ({terminal_id.hex()}); it is not blank"
        ) from error
    enrol(
        NewTerminal(
            terminal_id.hex(), key.hex(), status.hardware_class, status.revision, float_minor
        )
    )
    return terminal_id.hex()
