"""What every request needs, opened once: database, server key, price lists, clock. Made by
every command of `cli`, and handed to the faces.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url, select

from updater_server import server_key, wrapped
from updater_server.channels.newest import Newest
from updater_server.errors import StateError
from updater_server.fleet import terminals
from updater_server.fleet.terminals import KeyRing
from updater_server.sales import vault
from updater_server.sales.prices import PriceLists
from updater_server.sales.vending import Desk
from updater_server.server_key import SealedValue, ServerKey
from updater_server.store import engine as database
from updater_server.store.tables import terminal
from updater_server.telemetry.spool import Spool


def unix_time() -> int:
    """Now, Unix seconds."""
    return int(time.time())


def _some_sealed(connection: Connection) -> list[SealedValue]:
    """A few of the things that are sealed in a database, to try a key on."""
    sealed = [
        SealedValue(terminals.PURPOSE, row.id, row.key_sealed)
        for row in connection.execute(select(terminal.c.id, terminal.c.key_sealed).limit(20))
    ]
    return sealed + vault.some_sealed(connection)


def open_key(folder: DataFolder, engine: Engine, now: int) -> ServerKey:
    """What seals and opens in this folder's database; its secrets are made the first time.

    Raises:
        StateError: see `wrapped.opened`.
    """
    return wrapped.opened(folder.server_key, engine, _some_sealed, now)


@dataclass(frozen=True)
class DataFolder:
    """Where everything of one server lives."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "duka.db"

    @property
    def database_url(self) -> Path:
        """Holds the URL of the PostgreSQL database, if it is one (`init --database`)."""
        return self.path / "database-url"

    @property
    def is_begun(self) -> bool:
        """Whether it has a database already, or keeps where one is."""
        return self.database.exists() or self.database_url.exists()

    @property
    def has_moved(self) -> bool:
        """Whether the books are not in the SQLite file (any more)."""
        return self.database_url.exists()

    @property
    def place(self) -> Path | str:
        """Where the database is: the SQLite file, or a URL."""
        try:
            return self.database_url.read_text().strip()
        except FileNotFoundError:
            return self.database

    @property
    def place_in_words(self) -> str:
        """The same for people, without a password."""
        place = self.place
        return str(place) if isinstance(place, Path) else repr(make_url(place))

    @property
    def server_key(self) -> Path:
        """The server's secret."""
        return self.path / "server.key"

    @property
    def repository(self) -> Path:
        """The channels (`updater_server.channels.Repository`)."""
        return self.path / "repository"

    @property
    def last_good(self) -> Path:
        """The channels as they last verified (`updater_server.channels.last_good`)."""
        return self.path / "channels-last-good"

    @property
    def online_keys(self) -> Path:
        """Keys with which the server renews the channels by itself (`updater_server.renewal`)."""
        return self.path / "online-keys"

    @property
    def restoring(self) -> Path:
        """There while a restore is under way, or was cut short."""
        return self.path / "restoring"

    @property
    def counted(self) -> Path:
        """How far the database had counted (`updater_server.startup.count_on`)."""
        return self.path / "counted"

    @property
    def telemetry(self) -> Path:
        """What terminals told of themselves: the spool, and on SQLite the tables."""
        return self.path / "telemetry"

    @property
    def history(self) -> Path:
        """Days of what terminals told that are over, as Parquet."""
        return self.path / "history"

    @property
    def port(self) -> Path:
        """The port in use, while the server runs."""
        return self.path / "port"

    @property
    def coap_port(self) -> Path:
        """The port for datagrams, while the server answers any."""
        return self.path / "coap-port"

    def check_restored(self) -> None:
        """Refuse a folder whose database is half put back.

        Raises:
            StateError: so it is.
        """
        if self.restoring.exists():
            raise StateError(f"a restore of {self.path} was cut short: run `restore` again")


@dataclass(frozen=True)
class Service:
    """The running server's parts."""

    folder: DataFolder
    engine: Engine
    key: ServerKey
    prices: PriceLists
    newest: Newest
    now: Callable[[], int] = field(default=unix_time)
    key_ring: KeyRing = field(default_factory=KeyRing)
    desk: Desk | None = None
    """Where suppliers are asked, in a server that runs."""
    sandbox: Service | None = None
    """Where programs are tried, in a server that runs and has one (`updater_server.sandbox`)."""
    coap_port: int | None = None
    """Where datagrams are answered, if they are; terminals are told with each check-in."""
    sms_to: str = ""
    """Where short messages are answered, if they are; terminals are told with each check-in."""
    spool: Spool = field(init=False)
    """Where what terminals tell of themselves waits for the worker."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "spool", Spool(self.folder.telemetry, self.now))

    @property
    def is_left_behind(self) -> bool:
        """Whether its books have moved to another database since it was opened."""
        return database.is_sqlite(self.engine) and self.folder.has_moved

    @staticmethod
    def open(path: Path, now: Callable[[], int] = unix_time) -> Service:
        """Open a data folder that `init` made.

        Raises:
            StateError: not one, of another version, or its key is missing, another database's or
                readable by others; the text says what to do.
        """
        folder = DataFolder(path)
        folder.check_restored()
        place = folder.place
        if isinstance(place, Path) and not place.exists():
            raise StateError(f"{path} holds no server: run `init --data {path}` first")
        if not folder.server_key.exists():
            raise StateError(f"{path} has a database but no server.key: restore the key")
        server_key.load(folder.server_key)
        engine = database.open_engine(place)
        database.check_schema(engine)
        key = open_key(folder, engine, now())
        prices = PriceLists(folder.repository, folder.last_good)
        return Service(folder, engine, key, prices, Newest(folder.repository), now)
