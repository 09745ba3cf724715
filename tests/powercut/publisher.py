"""The release managers' site as it was on each day of a scenario, made once a process.

Keys follow from their names, so that every run signs the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import random
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from tests.support.static_site import Direct, Site
from updater_server.channels.entry import (
    Catalogue,
    Hardware,
    Image,
    OfflinePolicy,
    Product,
    ReleaseEntry,
    TrialPolicy,
)
from updater_server.channels.payloads import build_payloads
from updater_server.channels.policy import Policy, RolePolicy
from updater_server.channels.repository import Repository
from updater_server.channels.rollout import EVERYBODY

NOW = datetime(2026, 5, 1, tzinfo=UTC)
TIME_S = int(NOW.timestamp()) + 3600
IMAGE_BYTES = 9000
CHANNEL = "stable"
CATALOGUE = "catalogue/default.json"

GOOD, CRASHES, HANGS = "good", "crashes", "hangs"
BEHAVIOUR = {1: GOOD, 2: GOOD, 3: CRASHES, 4: HANGS, 5: GOOD}
"""What the images do that the releases hold."""
SECURITY_VERSION = {1: 1, 2: 1, 3: 1, 4: 1, 5: 2}


@functools.cache
def image(release: int) -> bytes:
    """Much alike from release to release, little compressible."""
    content = bytearray(random.Random(7).randbytes(IMAGE_BYTES))
    content[100:104] = release.to_bytes(4, "big")
    return bytes(content)


def _signer(name: str) -> CryptoSigner:
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
    return CryptoSigner(private, SSlibKey.from_crypto(private.public_key()))


def _catalogue(version: int) -> Catalogue:
    def product(value: int) -> Product:
        return Product(
            f"air{value}",
            f"Savanna {value}",
            "Savanna",
            value * 100,
            250,
            "Dial *130*PIN#",
            [4, 4, 4, 4],
        )

    products = [product(50), product(100)] + ([product(20)] if version > 1 else [])
    return Catalogue(version, "KES", 2, products, OfflinePolicy(10000, 1000, 100_000_000, 259200))


class Publisher:
    """`days` maps a day's name to the folder of its site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        roles = {role: RolePolicy(1, 1, rule.expiry_days) for role, rule in Policy().roles.items()}
        self._roles = {role: _signer(role) for role in roles}
        self._signers = list(self._roles.values())
        self.days: dict[str, Path] = {}
        # The log names its host, what is signed names the log: the same bytes on every host.
        with patch("updater_server.channels.audit._who", lambda: "manager@office"):
            self._publish_days(Policy(roles))

    def _publish_days(self, policy: Policy) -> None:
        self._repository = Repository.create(
            self._folder / "site",
            {role: [signer.public_key] for role, signer in self._roles.items()},
            policy,
            self._signers,
            NOW - timedelta(days=1),
        )
        self._repository.set_catalogue("default", _catalogue(1), self._signers, NOW)
        self._release(1)
        self._end_of("first")
        self._repository.set_catalogue("default", _catalogue(2), self._signers, NOW)
        self._end_of("catalogue")
        self._release(2, {1: image(1)})
        self._end_of("delta")
        self._release(3)
        self._end_of("crashing")
        self._release(4)
        self._end_of("hanging")
        self._release(5)
        self._end_of("security")

    def _release(self, number: int, bases: dict[int, bytes] | None = None) -> None:
        content = image(number)
        entry = ReleaseEntry(
            release=number,
            version=f"1.{number}",
            commit="0123456789abcdef",
            built=int(NOW.timestamp()),
            security_version=SECURITY_VERSION[number],
            hardware=Hardware("duka-r1", [1]),
            image=Image(len(content), hashlib.sha256(content).hexdigest()),
            trial=TrialPolicy(2, 8, 300),
        )
        payloads = build_payloads(content, bases)
        self._repository.add_release(CHANNEL, entry, payloads, self._signers, NOW)
        self._repository.set_rollout(CHANNEL, number, EVERYBODY, self._signers, NOW)

    def _end_of(self, day: str) -> None:
        self._repository.publish(self._signers, NOW)
        self.days[day] = self._folder / day
        shutil.copytree(self._folder / "site", self.days[day])

    def trust_files(self, day: str) -> dict[str, bytes]:
        """The metadata that a technician brings along, by role."""
        folder = self.days[day] / "metadata"
        found = {}
        for role in ("root", "timestamp", "snapshot", "targets", CHANNEL):
            names = [p for p in folder.iterdir() if p.name.split(".")[-2] == role]
            newest = max(names, key=lambda p: int("0" + p.name.split(".")[0].strip(role)))
            found[role] = newest.read_bytes()
        return found


@functools.cache
def publisher() -> Publisher:
    """The one of this process; its folder goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="duka-powercut-")
    made = Publisher(Path(folder.name))
    made.__dict__["_keeper"] = folder
    return made


@functools.cache
def _file(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


class Line(Direct):
    """The transport to the site of one day; counts what of payloads reaches the terminal."""

    def __init__(self, world: Any) -> None:
        super().__init__(Site(publisher().days[world.day]))
        self._world = world
        self._is_payload = False

    async def open(self, host: str, port: int) -> None:
        if not self._world.online:
            raise OSError("no network")
        await super().open(host, port)

    def follow(self) -> None:
        """Serve what the world's day has."""
        folder = publisher().days[self._world.day]
        if self.site.folder != folder:
            self.site = Site(folder)

    def drop_after(self, size_bytes: int) -> None:
        """Lose the connection once, when so many bytes came."""
        self.follow()
        self.site.cut_after_bytes = size_bytes

    async def send(self, data: Any) -> None:
        self.follow()
        self._is_payload = b"/tuf/targets/" in bytes(data) and b"catalogue" not in bytes(data)
        await super().send(data)

    async def receive(self, max_bytes: int, timeout_ms: int) -> memoryview:
        data = await super().receive(max_bytes, timeout_ms)
        if self._is_payload:
            self._world.payload_bytes += len(data)
        return data


@functools.cache
def digest(release: int) -> bytes:
    """SHA-256 of a release's image."""
    return hashlib.sha256(image(release)).digest()
