"""A server with something to sell, for the tests: in this process, on a clock that the test
holds.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from tests.server.device import Device, Transport
from updater_server import channels, server_key
from updater_server.faces import terminal
from updater_server.fleet import alarms, technicians
from updater_server.fleet.enrolment import Enrolment
from updater_server.sales import (
    check_points,
    checks,
    currency,
    incoming,
    ledger,
    opening,
    stock,
)
from updater_server.sales.currency import Currency
from updater_server.service import DataFolder, Service
from updater_server.store import engine as database
from updater_server.store.engine import reading, writing
from updater_server.store.tables import technician

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "correct horse"
NOW = 1_790_000_000
POLICY = channels.Policy()
KES = Currency("KES", 2)
CATALOGUE = channels.Catalogue(
    1,
    "KES",
    2,
    [
        channels.Product("air50", "Savanna 50", "Savanna", 5000, 250, "Dial *130*PIN#", [4] * 4),
        channels.Product("air20", "Savanna 20", "Savanna", 2000, 100, "Dial *130*PIN#", [4] * 3),
    ],
    channels.OfflinePolicy(10000, 2, 20000, 259200),
)


@dataclass
class Release:
    """A made-up image and its entry."""

    image: bytes
    entry: channels.ReleaseEntry


def a_release(number: int, **changes: Any) -> Release:
    """Deterministic, half compressible, mostly like its neighbours."""
    image = (
        b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(300)) + b"release %d" % number
    )
    fields = {
        "release": number,
        "version": f"1.0.{number}",
        "commit": "0123abc",
        "built": NOW,
        "security_version": 1,
        "hardware": channels.Hardware("duka-r1", [1]),
        "image": channels.Image(len(image), hashlib.sha256(image).hexdigest()),
        "text": {"en": "Faster receipts"},
    }
    return Release(image, channels.ReleaseEntry(**{**fields, **changes}))


def make_repository(
    folder: Path, keys: Path, catalogue: channels.Catalogue = CATALOGUE
) -> channels.Repository:
    """An empty repository with a catalogue, signed by everyone."""
    public = channels.keys.generate_all(keys, POLICY, PASSPHRASE)
    signers = channels.keys.load_all(keys, PASSPHRASE)
    repository = channels.Repository.create(folder, public, POLICY, signers)
    repository.set_catalogue("default", catalogue, signers)
    repository.publish(signers)
    return repository


@functools.cache
def _empty_database() -> bytes:
    """Made once a process, by every migration: half a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        engine = database.open_engine(path)
        database.migrate(engine)
        engine.dispose()
        assert [file.name for file in path.parent.iterdir()] == [path.name], "its log is in it"
        return path.read_bytes()


def make_database(path: Path) -> None:
    """A database as `init` leaves it, with nobody in it."""
    path.write_bytes(_empty_database())


def make_signed(folder: Path) -> Path:
    """`folder` with `keys`, `repository` and `empty.db`; to be copied, not changed."""
    make_database(folder / "empty.db")
    make_repository(folder / "repository", folder / "keys")
    return folder


def voucher_csv(product: str, numbers: Iterable[int]) -> str:
    rows = [f"{product},{7_000_000_000_000_000 + n},{product.upper()}-{n:06d},0" for n in numbers]
    return "\n".join(["product,pin,serial,expiry", *rows, ""])


@dataclass
class Shop:
    """The service, a technician, and the means to look at what it did."""

    folder: Path
    service: Service
    token: str
    clock: list[int] = field(default_factory=lambda: [NOW])
    makes: Callable[[bytes, bytes, Transport], Device] = Device

    @staticmethod
    def open(folder: Path, repository: Path, url: str = "") -> Shop:
        """`url`: of an empty PostgreSQL database, as `init` leaves it."""
        folder.mkdir(parents=True, exist_ok=True)
        data = DataFolder(folder)
        shutil.copytree(repository, data.repository)
        server_key.create(data.server_key)
        if url:
            data.database_url.write_text(url)
        else:
            shutil.copy(repository.parent / "empty.db", data.database)
        engine = database.open_engine(data.place)
        clock = [NOW]
        with writing(engine) as connection:
            token = technicians.add(connection, "Asha", technicians.OFFICE, "the office", NOW)
            technicians.allow_float(connection, "Asha", 10**12, "the office", NOW)
            technicians.set_daily_limit(connection, "Asha", 100_000, "the office", NOW)
        engine.dispose()
        return Shop(folder, Service.open(folder, lambda: clock[0]), token, clock)

    def post(self, body: bytes) -> tuple[int, bytes]:
        """As `POST /m` would."""
        return terminal.handle(self.service, body)

    def enrol(
        self,
        number: int = 1,
        float_minor: int = 100_000,
        catalogue: str = "catalogue/default.json",
    ) -> Device:
        """A new terminal with a float."""
        device = self.makes(
            number.to_bytes(8, "big"), hashlib.sha256(b"%d" % number).digest(), self.post
        )
        particulars = ("duka-r1", 1, float_minor, "stable", catalogue)
        enrolment = Enrolment(device.terminal_id, device.key, *particulars)
        money = currency.of_catalogue(self.service.prices.catalogue(catalogue))
        with writing(self.service.engine) as connection:
            who = connection.scalar(select(technician.c.id).order_by(technician.c.id))
            assert who is not None
            opening.enrol(connection, self.service.key, enrolment, who, self.clock[0], money)
        return device

    def stock_vault(self, product: str = "air50", count: int = 20, start: int = 0) -> None:
        with writing(self.service.engine) as connection:
            csv = voucher_csv(product, range(start, start + count))
            key = self.service.key
            incoming.import_csv(connection, key, csv, self.clock[0], never_here=True)

    def assign(self, device: Device, product: str = "air50", count: int = 3) -> int:
        with writing(self.service.engine) as connection:
            return stock.assign(
                connection,
                self.service.key,
                self.service.prices,
                device.terminal_id,
                product,
                count,
                self.clock[0],
            )

    def float_of(self, device: Device) -> int:
        with reading(self.service.engine) as connection:
            return ledger.float_minor(connection, device.terminal_id)

    def top_up(self, device: Device, amount_minor: int, reference: str) -> None:
        with writing(self.service.engine) as connection:
            ledger.top_up(connection, device.terminal_id, amount_minor, reference, self.clock[0])

    def alarms(self) -> list[str]:
        with reading(self.service.engine) as connection:
            return sorted(item["code"] for item in alarms.open_alarms(connection))

    def problems(self) -> list[str]:
        """What the whole check finds; the one from the last point must agree that all is well."""
        engine, key = self.service.engine, self.service.key
        with reading(engine) as connection:
            found = checks.problems(connection)
            since, _, _ = check_points.newest(connection, key)
            later = checks.problems(connection, since)
            assert found or not later, later
            reached = checks.now(connection, since)
        if not found and reached != since:
            with writing(engine) as connection:
                check_points.close(connection, key, reached, self.clock[0])
        return found

    def sql(self, query: str, **values: Any) -> list[Any]:
        with reading(self.service.engine) as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]
