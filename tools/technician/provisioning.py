"""A blank board becomes a terminal that sells. Every step may be cut and the whole repeated.

Boot image → identity (key made on the board) → enrolment → signed files and settings → release.
Up to the release the terminal tells its key again to whoever names its id, so a lost cable, server
or supply costs only the step that was under way.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tools import oracle
from tools.errors import LinkError
from tools.technician import ports
from tools.technician.log import Job
from tools.technician.progress import Row
from tools.technician.recovery_link import BlankBoard, RecoveryLink, StatusResponse
from tools.technician.signed_files import SignedFiles
from updater_server import channels

PIN_ROUNDS = 2000
BOOT_PARTITION_BYTES = 0x040000
_ROMFS = b"\xd2\xcd"
USUAL: dict[str, Any] = {
    "apn": "internet",
    "channel": "stable",
    "catalogue": "catalogue/default.json",
    "language": "en",
    "poll_s": 10800,
    "sync_s": 300,
}
"""Settings of a terminal unless a technician names others."""


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
    apn_login: str = ""


@dataclass(frozen=True)
class NewTerminal:
    """What the server must learn of a terminal; `key` is its device key: keep it nowhere."""

    terminal: str
    key: str
    hardware_class: str
    revision: int
    float_minor: int
    channel: str = "stable"
    catalogue: str = "catalogue/default.json"
    merchant: str | None = None

    def body(self) -> dict[str, Any]:
        """For `POST /v1/terminals`."""
        return {
            "terminal": self.terminal,
            "key": self.key,
            "class": self.hardware_class,
            "revision": self.revision,
            "float_minor": self.float_minor,
            "channel": self.channel,
            "catalogue": self.catalogue,
            "merchant": self.merchant,
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
        LinkError: the PIN is not 4 to 8 digits, or the channel is none.
        Unfit: a terminal would be out of service with these settings.
    """
    if channel not in channels.CHANNELS:
        raise LinkError(f"no channel {channel}: {', '.join(channels.CHANNELS)}")
    named = {
        "server": {"host": server.host, "port": server.port},
        "apn": server.apn,
        **login_settings(server.apn_login),
        "channel": channel,
        "language": merchant.language,
    }
    shop = {"name": merchant.name, **pin_settings(merchant.pin), **settings.get("merchant", {})}
    whole = {**USUAL, **named, **settings, "merchant": shop}
    oracle.check_settings(whole)
    return whole


def login_settings(login: str) -> dict[str, str]:
    """What settings hold of an access point's USER:PASSWORD; `:` takes back what was there.

    Raises:
        LinkError: there is no colon in it.
    """
    if not login:
        return {}
    user, colon, password = login.partition(":")
    if not colon:
        raise LinkError("the access point's login is written as USER:PASSWORD, or : for none")
    return {"apn_user": user, "apn_password": password}


def pin_settings(pin: str) -> dict[str, Any]:
    """What settings hold of a merchant's PIN.

    Raises:
        LinkError: it is not 4 to 8 digits.
    """
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
        raise LinkError("the merchant's PIN must be 4 to 8 digits")
    salt = secrets.token_bytes(16)
    pin_hash = hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, PIN_ROUNDS)
    return {"pin_salt": salt.hex(), "pin_hash": pin_hash.hex(), "pin_rounds": PIN_ROUNDS}


def utc_offset_s(time_zone: str) -> int:
    """Seconds from UTC of a time zone written as `+03:00`.

    Raises:
        LinkError: it is written otherwise, or lies outside of -12:00 to +14:00.
    """
    found = re.fullmatch(r"([+-])(\d{2}):([0-5]\d)", time_zone, re.ASCII)
    if found:
        offset_s = (int(found[2]) * 60 + int(found[3])) * (-60 if found[1] == "-" else 60)
        if -43200 <= offset_s <= 50400:
            return offset_s
    raise LinkError(f"{time_zone!r} is no time zone: write it as +03:00, from -12:00 to +14:00")


def changes(
    *,
    merchant: str,
    pin: str,
    reached: tuple[str, int] | None,
    apn: str,
    apn_login: str,
    channel: str,
    language: str,
    time_zone: str,
) -> dict[str, Any]:
    """The part of config.json that these change; what is empty or None is left out.

    Raises:
        LinkError: a value is impossible.
    """
    if channel and channel not in channels.CHANNELS:
        raise LinkError(f"no channel {channel}: {', '.join(channels.CHANNELS)}")
    shop: dict[str, Any] = {"name": merchant} if merchant else {}
    if pin:
        shop |= pin_settings(pin)
    named: dict[str, Any] = {
        "merchant": shop,
        "server": {"host": reached[0], "port": reached[1]} if reached else {},
        "apn": apn,
        "channel": channel,
        "language": language,
    }
    patch = {name: value for name, value in named.items() if value}
    patch |= login_settings(apn_login)
    if time_zone:
        patch["utc_offset_s"] = utc_offset_s(time_zone)
    return patch


SLIP_OF_SHOP = ("place", "telephone", "tax_number")
SLIP_NUMBERS = ("vat_permille", "paper_mm")
SLIP_TEXTS = ("helpline", "number")


def slip_settings(pairs: list[str]) -> dict[str, Any]:
    """What settings hold for slips, from `NAME=TEXT` as `tech configure --slip` takes it.

    Raises:
        LinkError: a pair is not written so, or its name is none.
    """
    patch: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        _, dot, language = name.partition("terms.")
        if not equals:
            raise LinkError(f"{pair!r}: write NAME=TEXT")
        if dot and language:
            patch.setdefault("terms", {})[language] = text
        elif name in SLIP_OF_SHOP:
            patch.setdefault("merchant", {})[name] = text
        elif name in SLIP_TEXTS:
            patch[name] = text
        elif name in SLIP_NUMBERS and text.isascii() and text.isdigit():
            patch[name] = int(text)
        elif name in SLIP_NUMBERS:
            raise LinkError(f"{name} is a whole number: 160 for 16 %")
        else:
            known = ", ".join([*SLIP_OF_SHOP, *SLIP_TEXTS, *SLIP_NUMBERS, "terms.LANGUAGE"])
            raise LinkError(f"nothing on a slip is called {name!r}: {known}")
    return patch


def whole_settings(patch: dict[str, Any]) -> dict[str, Any]:
    """Settings for a terminal whose own cannot be used, from what the technician named.

    Raises:
        LinkError: merchant, PIN or server were not named.
        Unfit: the terminal would be out of service with them.
    """
    if "server" not in patch or not {"name", "pin_hash"} <= patch.get("merchant", {}).keys():
        raise LinkError(
            "this terminal cannot tell its settings: name --merchant, --merchant-pin and "
            "--server-for-terminal, and what else is not as usual"
        )
    whole = {**USUAL, **patch}
    oracle.check_settings(whole)
    return whole


def differences(before: dict[str, Any], patch: dict[str, Any]) -> list[str]:
    """A line for each setting that `patch` changes; of the PIN only that it is another."""
    lines = []
    for name, value in patch.items():
        inner = value if isinstance(value, dict) else {"": value}
        for key, new in inner.items():
            if key.startswith("pin_"):
                continue
            old = before.get(name, {}).get(key) if key else before.get(name)
            lines.append(f"{name}{'.' * bool(key)}{key}: {old} -> {new}")
        if "pin_hash" in inner:
            lines.append("merchant: another PIN")
    return lines


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
    settings = oracle.check_settings(config)
    found = ports.wait_for(port, ports.BLANK, ports.RECOVERY, ports.SELLING, timeout_s=15)
    if found.what == ports.SELLING:
        raise LinkError(f"{port}: terminal {found.terminal} sells already; it is not blank")
    if found.what == ports.BLANK:
        if boot_image is None:
            raise LinkError(f"{port}: this board has no bootloader: name a boot image")
        if not boot_image.startswith(_ROMFS) or len(boot_image) > BOOT_PARTITION_BYTES:
            raise LinkError("the boot image is none: it is boot-….romfs from `release build`")
        with BlankBoard(port) as board:
            board.write_boot(boot_image, row.step("boot image"))
            board.reset()
        ports.wait_for(port, ports.RECOVERY)
    with RecoveryLink(port) as link:
        status = link.status()
        job.uid = status.uid.hex()
        job.terminal = _make_identity(port, link, status, enrol, config, float_minor)
        files = {f"trust/{name}.json": content for name, content in signed.metadata.items()}
        files["config.json"] = settings
        files["catalogue.json"] = signed.catalogue
        for name, content in files.items():
            link.upload_file(f"/data/{name}", content, row.step(name))
        link.upload_image(signed.image, row.step(f"release {signed.entry.version}"))
        job.details["bootloader"] = status.bootloader
        job.details["release"] = signed.entry.release
        link.reset()
    return job.terminal


def _make_identity(
    port: str,
    link: RecoveryLink,
    status: StatusResponse,
    enrol: Enrol,
    config: dict[str, Any],
    float_minor: int,
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
            terminal_id.hex(),
            key.hex(),
            status.hardware_class,
            status.revision,
            float_minor,
            config["channel"],
            config["catalogue"],
            config["merchant"]["name"],
        )
    )
    return terminal_id.hex()
