"""A release manager's repository, a site that serves it, and a terminal that updates from it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from bootloader.shared import partitions
from bootloader.shared.control import ControlBlock
from firmware.net.http_client import HttpClient
from firmware.update.client import UpdateClient
from hw_sim.flash import NorFlash
from tests.support.static_site import Direct, Site
from updater_server.channels.entry import (
    Catalogue,
    Hardware,
    Image,
    OfflinePolicy,
    Product,
    ReleaseEntry,
)
from updater_server.channels.payloads import build_payloads
from updater_server.channels.policy import Policy
from updater_server.channels.repository import Repository
from updater_server.channels.rollout import EVERYBODY
from updater_server.channels.rollouts import Rollouts

NOW = datetime(2026, 5, 1, tzinfo=UTC)
KEY = bytes(range(32))
TERMINAL_ID = bytes.fromhex("0123456789abcdef")
NOTE_KEY = bytes(range(100, 132))


def _signer(role: str, number: int) -> CryptoSigner:
    """The same key in every run: bytes on the air hang on it."""
    seed = hashlib.sha256(f"{role} {number}".encode()).digest()
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


@functools.cache
def signers() -> tuple[dict[str, list[CryptoSigner]], list[CryptoSigner]]:
    by_role = {
        role: [_signer(role, number) for number in range(rule.key_count)]
        for role, rule in Policy().roles.items()
    }
    return by_role, [signer for found in by_role.values() for signer in found]


@functools.cache
def _first_site() -> TemporaryDirectory[str]:
    """The site as it is first published, made once a process; a world has a copy."""
    made = TemporaryDirectory()
    by_role, everybody = signers()
    keys = {role: [s.public_key for s in found] for role, found in by_role.items()}
    day_before = NOW - timedelta(days=1)
    repository = Repository.create(Path(made.name), keys, Policy(), everybody, day_before)
    repository.set_catalogue("default", catalogue(1), everybody, NOW)
    repository.publish(everybody, NOW)
    return made


def image(release: int, size: int = 6000) -> bytes:
    """Much alike from release to release, little compressible."""
    content = bytearray(random.Random(7).randbytes(size))
    content[100:104] = release.to_bytes(4, "big")
    return bytes(content)


def reader_of_patches(release: int, size: int = 6000) -> bytes:
    """As `image`, with a program that reads patches."""
    content = bytearray(image(release, size))
    content[200:209] = b"patch.mpy"
    return bytes(content)


def catalogue(version: int) -> Catalogue:
    product = Product("air50", "Savanna 50", "Savanna", 5000, 250 + version, "Dial *130*PIN#", [4])
    return Catalogue(version, "KES", 2, [product], OfflinePolicy(10000, 2, 20000, 259200))


class World:
    """`run()` is one `run_once` of a terminal that has been powered on before; `reboot()` first
    forgets what is not in flash or files.
    """

    def __init__(self, folder: Path, running: bytes | None = None) -> None:
        """`running`: the image in the running slot, if not `image(1)`."""
        running = running or image(1)
        self.folder = folder
        self.all_signers = signers()[1]
        shutil.copytree(_first_site().name, folder / "site")
        self.repository = Repository.open(folder / "site")
        self.site = Site(folder / "site")
        self.data = folder / "data"
        (self.data / "trust").mkdir(parents=True)
        shutil.copy(folder / "site/metadata/1.root.json", self.data / "trust/root.json")
        self.flash = NorFlash(None)
        self.table = partitions.table(self.flash)
        self.table["slot_a"].program(0, running)
        control = ControlBlock(self.table["control"], KEY)
        control.create(0)
        policy = {"crashes_allowed": 2, "unconfirmed_boots_allowed": 4, "selftest_deadline_s": 300}
        digest = hashlib.sha256(running).digest()
        control.adopt("a", len(running), digest, 1, 1, policy)
        control.confirm()
        self.time_s = int(NOW.timestamp()) + 3600
        self.facts = {"open_sale": False, "idle_s": 99, "battery_mv": 4000, "unsynced_records": 0}
        self.last_failure: dict[str, Any] | None = None
        self.trial_failed = True
        self.trial = False
        self.logged: list[str] = []
        self.resets = 0
        self.new_catalogues = 0
        self.bootloader_version = 1
        self.reboot()

    def publish(
        self,
        release: int,
        content: bytes | None = None,
        bases: dict[int, bytes] | None = None,
        *,
        let_out: bool = True,
        **fields: Any,
    ) -> ReleaseEntry:
        content = image(release) if content is None else content
        settings: dict[str, Any] = {
            "security_version": 1,
            "hardware": Hardware("duka-r1", [1]),
            "image": Image(len(content), hashlib.sha256(content).hexdigest()),
        }
        entry = ReleaseEntry(
            release=release,
            version=f"1.{release}",
            commit="0123456789abcdef",
            built=int(NOW.timestamp()),
            **(settings | fields),
        )
        entry = self.repository.add_release(
            "stable", entry, build_payloads(content, bases), self.all_signers, NOW
        )
        if let_out:
            self.repository.set_rollout("stable", release, EVERYBODY, self.all_signers, NOW)
        self.repository.publish(self.all_signers, NOW)
        return entry

    def let_go(self, release: int) -> None:
        """What whoever stole the keys of plans and server can do: everybody, whatever the pace."""
        with patch.object(Rollouts, "_check_pace", lambda *_: None):
            self.repository.set_rollout("stable", release, EVERYBODY, self.all_signers, NOW)
        self.repository.publish(self.all_signers, NOW)

    def _reset(self) -> None:
        self.resets += 1

    def _count_catalogue(self) -> None:
        self.new_catalogues += 1

    def reboot(self, transport: Any = None) -> None:
        self.control = ControlBlock(self.table["control"], KEY)
        assert self.control.load()
        board = SimpleNamespace(
            HARDWARE_CLASS="duka-r1",
            HARDWARE_REVISION=1,
            BOOTLOADER_VERSION=self.bootloader_version,
            partitions=self.table,
            reset=self._reset,
        )
        boot_info = SimpleNamespace(
            slot="a",
            trial=self.trial,
            release=1,
            last_failure=self.last_failure,
            trial_failed=self.trial_failed,
            control=self.control,
            identity=SimpleNamespace(terminal_id=TERMINAL_ID),
        )
        self.http = HttpClient(transport or Direct(self.site), "127.0.0.1", 80)
        self.client = UpdateClient(
            self.http,
            board,
            boot_info,
            "stable",
            "catalogue/default.json",
            900,
            self.logged.append,
            lambda: self.time_s,
            lambda: self.facts,
            self._count_catalogue,
            str(self.data),
            NOTE_KEY,
        )

    def run(self) -> int:
        seconds: int = asyncio.run(self.client.run_once())
        return seconds

    def says(self, words: str) -> bool:
        return any(words in line for line in self.logged)

    @property
    def slot_b(self) -> Any:
        return self.control.state.slots["b"]

    def switched_to(self) -> int:
        """The release that the control block boots next."""
        control = ControlBlock(self.table["control"], KEY)
        state = control.load()
        slot = state.slots[state.active]
        partition = self.table["slot_" + state.active]
        content = bytes(partition.read(0, slot.image_size))
        assert hashlib.sha256(content).digest() == slot.sha256, "the active slot must be intact"
        return int(slot.release)
