"""What a terminal will say to what is about to be signed or written: its own readers, asked here.

Whoever signs a release entry, a rollout plan or a price list, and whoever writes a terminal's
settings, asks first. The readers are the very code of the release in this checkout, so nothing is
signed that the terminal would store and not use. `tools.release` and `tools.technician` call it.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from securesystemslib.formats import encode_canonical

from bootloader.shared import canonical, release, rollout
from firmware.kept import config
from firmware.sales import catalogue
from firmware.ui import canvas
from firmware.ui.money_and_dates import money
from updater_server import channels
from updater_server.channels import carried

_WIDEST_NUMBER = "88 "
"""What stands before a name in a list of products."""


class Unfit(Exception):
    """No terminal could use it; the text names the field, as the terminal would."""


def check_settings(table: dict[str, Any]) -> bytes:
    """`config.json` of `table`, as a terminal reads it.

    Raises:
        Unfit: a terminal would be out of service with it.
    """
    content = json.dumps(table, ensure_ascii=False).encode()
    try:
        config.Config(content)
    except config.ConfigError as error:
        raise Unfit(f"these settings would put the terminal out of service: {error}") from error
    return content


def check_change(before: dict[str, Any], patch: dict[str, Any]) -> None:
    """Judge what `patch` makes of settings that were told without what belongs to the PIN.

    Raises:
        Unfit: a terminal would be out of service with it.
    """
    hidden: dict[str, Any] = {"pin_salt": "00" * 16, "pin_hash": "00" * 32, "pin_rounds": 1}
    whole: dict[str, Any] = {**before, "merchant": {**hidden, **before.get("merchant", {})}}
    for name, value in patch.items():
        old = whole.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            value = {**old, **value}
        whole[name] = value
    check_settings(whole)


def _check_names(path: str, found: catalogue.Catalogue) -> None:
    """Raises Unfit if two products, or two operators, read the same in a list that a merchant
    chooses from or looks at.
    """
    names: dict[tuple[str, str], str] = {}
    lines: dict[tuple[str, str, str], str] = {}

    def differs(kind: str, number: str, name: str, price: str, what: str) -> None:
        room = canvas.WIDTH - 6 - canvas.text_width(price)
        shown = canvas.shorten(number + name, room)
        other = names.setdefault((kind, shown), name)
        if other != name or lines.setdefault((kind, shown, price), what) != what:
            raise Unfit(
                f"{path}: a merchant cannot tell {name!r} from {other!r}: both read "
                f"{shown.removeprefix(number)!r}; let them differ sooner"
            )

    for product in found.products:
        price = "" if product.open else money(product.amount_minor, found.minor_digits)
        differs(product.kind, _WIDEST_NUMBER, product.name, price, product.id)
        if product.open:  # in the list of the last sales its amount stands there, too
            most = money(product.open.max_minor, found.minor_digits)
            differs(product.kind + " sold", "", product.name, most, product.id)
        differs("operator", _WIDEST_NUMBER, product.operator, "", product.operator)


class Terminal:
    """A `channels.Judge`: refuses what no terminal would take."""

    def metadata(self, role: str, signed: dict[str, Any]) -> None:
        """Judge a role's metadata before it is signed. Raises Unfit."""
        text = encode_canonical(signed) or ""
        try:
            read = canonical.loads(text.encode(), 12288)
            for path, target in read.get("targets", {}).items():
                if path.endswith(".full"):
                    self._release(path, target)
                elif path.startswith("rollout/"):
                    rollout.Rollout(target.get("custom"), bytes(8))
                elif path.startswith("brake/"):
                    release.field(target.get("custom"), "halted", dict, 0, 16)
                    if "off" in target["custom"]:
                        release.field(target["custom"], "off", list, 0, 8)
                elif path.startswith("catalogue/") and target["length"] > catalogue.MAX_BYTES:
                    raise ValueError(f"{path} is over {catalogue.MAX_BYTES} bytes")
        except (ValueError, release.ReleaseRefused) as error:
            raise Unfit(f"{role}: no terminal would take this: {error}") from error

    def target(self, path: str, data: bytes) -> None:
        """Judge a price list before it is listed. Raises Unfit."""
        try:
            found = catalogue.Catalogue(data)
        except catalogue.CatalogueError as error:
            raise Unfit(f"{path}: no terminal could sell from this: {error}") from error
        _check_names(path, found)

    def request(self, asked: carried.Request) -> None:
        """Judge what was carried to a key, and the price lists that came with it. Raises Unfit."""
        self.metadata(asked.role, asked.signed)
        for path, target in asked.signed.get("targets", {}).items():
            data = asked.contents.get(str(target.get("hashes", {}).get("sha256")))
            if data is not None and path.startswith("catalogue/"):
                self.target(path, data)

    def _release(self, path: str, target: dict[str, Any]) -> None:
        entry = release.Release.parse(path, target)
        # The terminal for which it is made: one that runs what it asks for.
        board = SimpleNamespace(
            HARDWARE_CLASS=entry.hardware_class,
            HARDWARE_REVISION=entry.hardware_revisions[0],
            BOOTLOADER_VERSION=entry.min_bootloader,
            partitions={"slot_a": SimpleNamespace(size_bytes=channels.IMAGE_LIMIT_BYTES)},
        )
        plan = rollout.Rollout(
            {"releases": {str(entry.release): ["00" * 8, 10_000]}, "halted": []}, bytes(8)
        )
        running = release.Running(
            entry.channel,
            max(entry.stepping_stone, entry.release - 1),
            entry.journal_reads[0],
            [entry.journal_writes],
            [],
            plan,
        )
        if release.choose({path: target}, board, entry.security_version, running) is None:
            release.fits(entry, board, entry.security_version)
            release.is_upgrade(entry, running)
            raise ValueError(f"{path} would not be seen")


TERMINAL = Terminal()


def open_repository(directory: Path) -> channels.Repository:
    """The repository, in which nothing is staged or signed that no terminal would take.

    Raises:
        RepositoryDamaged: there is none, or it does not verify.
    """
    return channels.Repository.open(directory, judge=TERMINAL)
