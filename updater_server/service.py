"""What every request needs, opened once: database, server key, price lists, clock. Made by `app`
and `__main__`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from updater_server import database, server_key
from updater_server.errors import StateError
from updater_server.sales.prices import PriceLists
from updater_server.server_key import ServerKey


def unix_time() -> int:
    """Now, Unix seconds."""
    return int(time.time())


@dataclass(frozen=True)
class DataFolder:
    """Where everything of one server lives."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "duka.db"

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
    def port(self) -> Path:
        """The port in use, while the server runs."""
        return self.path / "port"


@dataclass(frozen=True)
class Service:
    """The running server's parts."""

    folder: DataFolder
    engine: Engine
    key: ServerKey
    prices: PriceLists
    now: Callable[[], int] = field(default=unix_time)

    @staticmethod
    def open(path: Path, now: Callable[[], int] = unix_time) -> Service:
        """Open a data folder that `init` made.

        Raises:
            StateError: not one, of another version, or its key is readable by others; the text says
                what to do.
        """
        folder = DataFolder(path)
        if not folder.database.exists():
            raise StateError(f"{path} holds no server: run `init --data {path}` first")
        key = server_key.load(folder.server_key)
        engine = database.open_engine(folder.database)
        database.check_schema(engine)
        return Service(folder, engine, key, PriceLists(folder.repository, folder.last_good), now)
