"""The whole, put together: who starts after whom, where everybody is, and that all of it goes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.env.keeper import Keeper
from tests.env.parts import ROOT, Part, answers, as_ourselves, free_ports, program, until
from tests.measure.load import make_folder
from tests.measure.past import PRODUCT
from tests.server.shop import NOW, make_repository, voucher_csv
from tests.server.test_server_process import Process
from tests.suppliers.counter import CATALOGUE
from tests.support.postgres import programs_folder
from updater_server.artefacts import SERVED, open_store
from updater_server.fleet import technicians
from updater_server.sales import incoming
from updater_server.service import Service
from updater_server.store.engine import writing

NODES = 3
SERVERS = 2
BUCKET = "channels"
UP_S = 60.0
_OWNER, _USER = "postgres", "duka"
_RECEIVERS = """\
[[receiver]]
name = "office"
kind = "email"
to = "office@duka.example"
grade = 3
per_hour = 60
host = "127.0.0.1"
port = {port}
from = "duka@duka.example"
starttls = false
"""

_STREAMS = "replica?replication_state=streaming"


class Whole:
    """Everything, in a folder. `parts` by name: etcd, database-1 to -3, store, server-1 and -2,
    worker, worker-2, mail, balancer.
    """

    def __init__(self, terminals: int = 8, vouchers: int = 500) -> None:
        self._terminals = terminals
        self._vouchers = vouchers
        self.folder = Path(tempfile.mkdtemp(prefix="duka-env-", dir="/tmp"))
        self.folder.chmod(0o755)  # PostgreSQL's user goes through it
        self._keeper = Keeper(self.folder)
        self.parts: dict[str, Part] = {}
        self.viewer = ""
        """The token of a board."""
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look_after, daemon=True)
        ports = iter(free_ports(5 + 2 * NODES + SERVERS))
        self._etcd, self._etcd_peers, self._store_port = (next(ports) for _ in range(3))
        self.balancer_port, self.mail_port = next(ports), next(ports)
        self._database_ports = [next(ports) for _ in range(NODES)]
        self._rest_ports = [next(ports) for _ in range(NODES)]
        self.server_ports = [next(ports) for _ in range(SERVERS)]
        self._passwords = {name: secrets.token_hex(8) for name in (_OWNER, _USER, "replicator")}

    # --- where things are ---

    def url(self, user: str = _USER, database: str = "duka") -> str:
        """What `--database` takes: all three, whoever of them takes writes."""
        hosts = ",".join(["127.0.0.1"] * NODES)
        ports = ",".join(map(str, self._database_ports))
        place = f"host={hosts}&port={ports}&target_session_attrs=read-write"
        return f"postgresql://{user}:{self._passwords[user]}@/{database}?{place}"

    def url_of_primary(self, database: str) -> str:
        """For its owner, of the machine that is the primary now: a standby may not know a database
        yet that was made just now.
        """
        port = self._database_ports[int(self.primary().rpartition("-")[2]) - 1]
        return f"postgresql://{_OWNER}:{self._passwords[_OWNER]}@127.0.0.1:{port}/{database}"

    def replication_url(self) -> str:
        """How whoever keeps back-ups comes to the primary."""
        return self.url("replicator", "")

    def data(self, number: int = 1) -> Path:
        """The data folder of a server process."""
        return self.folder / f"server-{number}" / "data"

    def primary(self) -> str:
        """The name of the part that is PostgreSQL's primary now; "" while nobody is."""
        return self._who("primary")

    def standby(self) -> str:
        """The name of the part whose disk the primary waits for; "" while nobody is."""
        return self._who("synchronous")

    def _who(self, role: str) -> str:
        return next(self._all_who(role), "")

    def _all_who(self, role: str) -> Iterator[str]:
        for number, port in enumerate(self._rest_ports, 1):
            with contextlib.suppress(OSError):
                asked = urllib.request.urlopen(f"http://127.0.0.1:{port}/{role}", timeout=2)
                with asked:
                    yield f"database-{number}"

    def healthy(self, number: int) -> bool:
        """Whether a server process says that it is well."""
        where = f"http://127.0.0.1:{self.server_ports[number - 1]}/health"
        try:
            with urllib.request.urlopen(where, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def mails(self) -> int:
        """How many came to the mail server."""
        return len(list((self.folder / "mail").glob("*.eml")))

    # --- up and down ---

    def up(self) -> None:
        """Bring it up; returns when terminals can sell.

        Raises:
            NotHere: a program is not installed.
            TimeoutError: something did not come.
        """
        with ThreadPoolExecutor(1) as beside:
            signed = beside.submit(
                make_repository, self.folder / "signed", self.folder / "release-keys", CATALOGUE
            )
            serve = ["-H", "127.0.0.1", "-p", str(self._store_port)]
            self._add(Part("store", self.folder / "store", [program("moto_server"), *serve]))
            self._start_database()
            signed.result()
        self._make_servers()
        self._start_rest()
        self._watch.start()
        until(self.is_whole, UP_S, "servers, standby and balancer")

    def down(self) -> None:
        """Take all of it away; it may be half up."""
        self._over.set()
        if self._watch.is_alive():
            self._watch.join()
        self._keeper.end()

    def _look_after(self) -> None:
        while not self._over.wait(0.2):
            for part in list(self.parts.values()):
                part.look(time.monotonic())

    def is_whole(self) -> bool:
        """Whether everybody answers, and the primary has a synchronous standby and another one: who
        is still on his way back is none yet, and a second blow would find one copy alone.
        """
        ports = [*self.server_ports, self.balancer_port, self.mail_port, self._store_port]
        return (
            all(answers(port) for port in ports)
            and all(self.healthy(number + 1) for number in range(SERVERS))
            and bool(self.primary() and self.standby())
            and len(list(self._all_who(_STREAMS))) == NODES - 1
            and self._is_written()
        )

    def _is_written(self) -> bool:
        """Whether whoever connects finds a primary. What Patroni says of one may be older than the
        blow that it got.
        """
        with contextlib.suppress(psycopg.Error), self.connect():
            return True
        return False

    def _add(self, part: Part) -> None:
        self.parts[part.name] = part
        part.start()

    # --- PostgreSQL ---

    def _start_database(self) -> None:
        client, peers = (f"http://127.0.0.1:{port}" for port in (self._etcd, self._etcd_peers))
        self._add(
            Part(
                "etcd", self.folder / "etcd",
                [
                    program("etcd"), "--name=one", "--data-dir=data", "--log-level=warn",
                    f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                    f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}",
                    f"--initial-cluster=one={peers}",
                ],
            )
        )  # fmt: skip
        until(lambda: answers(self._etcd), UP_S, "etcd")
        for number in range(1, NODES + 1):
            self._add(self._node(number))
        until(lambda: bool(self.primary()), UP_S, "a primary of PostgreSQL")
        self._make_roles()

    def _node(self, number: int) -> Part:
        name = f"database-{number}"
        folder = self.folder / name
        rest = f"127.0.0.1:{self._rest_ports[number - 1]}"
        listens = f"127.0.0.1:{self._database_ports[number - 1]}"
        environment = {
            "PATRONI_NAME": name,
            "PATRONI_RESTAPI_LISTEN": rest,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
            "PATRONI_ETCD3_HOSTS": f"127.0.0.1:{self._etcd}",
            "PATRONI_POSTGRESQL_LISTEN": listens,
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": listens,
            "PATRONI_POSTGRESQL_DATA_DIR": str(folder / "data"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(programs_folder()),
            "PATRONI_POSTGRESQL_PGPASS": str(folder / "pgpass"),
            "PATRONI_SUPERUSER_USERNAME": _OWNER,
            "PATRONI_SUPERUSER_PASSWORD": self._passwords[_OWNER],
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": self._passwords["replicator"],
            "PATRONI_LOG_LEVEL": "INFO",
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [program("patroni"), str(ROOT / "deploy" / "patroni.yml")]
        return Part(name, folder, command, environment, as_nobody=True)

    def connect(self, user: str = _OWNER, database: str = "duka") -> psycopg.Connection:
        """A connection to the primary, every statement committed."""
        return psycopg.connect(self.url(user, database), autocommit=True, connect_timeout=5)

    def _make_roles(self) -> None:
        with self.connect(database="postgres") as owner:
            owner.execute("SET synchronous_commit = local")  # standbys are still on their way
            owner.execute("CREATE ROLE duka_app NOLOGIN")
            owner.execute(f"CREATE ROLE {_USER} LOGIN PASSWORD '{self._passwords[_USER]}'")
            owner.execute(f"GRANT duka_app TO {_USER}")
            owner.execute("CREATE DATABASE duka")
        until(lambda: bool(self.standby()), UP_S, "a synchronous standby")

    # --- servers ---

    def _make_servers(self) -> None:
        for number in range(1, SERVERS + 1):
            (self.folder / f"server-{number}").mkdir()
        first = self.data(1)
        with _environment(DUKA_DATABASE_OWNER=self.url(_OWNER)):
            make_folder(first, self.folder / "signed", self._terminals, self.url())
        (first / "notices.toml").write_text(_RECEIVERS.format(port=self.mail_port))
        service = Service.open(first)
        with writing(service.engine) as connection:
            self.viewer = technicians.add(
                connection, "The wall", technicians.VIEWER, "the office", NOW
            )
            csv = voucher_csv(PRODUCT, range(self._vouchers))
            incoming.import_csv(connection, service.key, csv, NOW)
        service.engine.dispose()
        self.fill_store()
        for number in range(2, SERVERS + 1):  # as another machine gets it
            other = self.data(number)
            other.mkdir(mode=0o700)
            shutil.copy2(first / "server.key", other / "server.key")
            (other / "repository").mkdir()
            shutil.copy2(first / "repository" / "policy.json", other / "repository")
            self._artefacts("pull", number)
            joined = Process(other).quick("init", "--database", self.url())
            assert joined.exit_code == 0, joined.output

    # --- the object store ---

    def fill_store(self) -> None:
        """Give the store what the first server has; it may have forgotten everything."""
        until(lambda: answers(self._store_port), UP_S, "the object store")
        bucket = f"http://127.0.0.1:{self._store_port}/{BUCKET}"
        made = urllib.request.Request(bucket, method="PUT")
        urllib.request.urlopen(made, timeout=10).close()
        self._artefacts("push", 1)

    def refresh_from_store(self) -> bool:
        """Bring the other servers what is in the store; whether they serve the same bytes now."""
        for number in range(2, SERVERS + 1):
            self._artefacts("pull", number)
        return len({self._served(number) for number in range(1, SERVERS + 1)}) == 1

    def _served(self, number: int) -> bytes:
        where = f"http://127.0.0.1:{self.server_ports[number - 1]}/tuf/metadata/timestamp.json"
        with urllib.request.urlopen(where, timeout=10) as answer:
            return bytes(answer.read())

    def same_in_store(self) -> int:
        """How many files the store gives terminals, each byte for byte as a server does, whole and
        in ranges.

        Raises:
            AssertionError: one of them differs.
        """
        repository = self.data() / "repository"
        names = [
            str(path.relative_to(repository))
            for folder in SERVED
            for path in sorted((repository / folder).rglob("*"))
            if path.is_file()
        ]
        served = f"http://127.0.0.1:{self.balancer_port}/tuf/"
        with _environment(**self._as_its_user()):
            store = open_store(f"s3://{BUCKET}")
            for name in names:
                kept = bytes(store.get(name).bytes())
                assert kept == _fetched(served + name, "bytes=0-"), name
                part = bytes(store.get_range(name, start=7, end=100))
                assert part == _fetched(served + name, "bytes=7-99"), name
        return len(names)

    def _as_its_user(self) -> dict[str, str]:
        """What says to a program where the object store is, and who asks."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._store_port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "one",
            "AWS_SECRET_ACCESS_KEY": "two",
        }

    def _artefacts(self, word: str, number: int) -> None:
        with _environment(**self._as_its_user()):
            done = Process(self.data(number)).quick("artefacts", word, f"s3://{BUCKET}")
        if done.exit_code:
            raise OSError(done.output)

    def _start_rest(self) -> None:
        python = program("python")
        for number, port in enumerate(self.server_ports, 1):
            serve = ["serve", "--data", str(self.data(number)), "--port", str(port), "--drain", "3"]
            command = [python, "-m", "updater_server", *serve]
            self._add(Part(f"server-{number}", self.folder / f"server-{number}", command))
        mail = [python, "-m", "tests.env.mail", str(self.mail_port), str(self.folder / "mail")]
        self._add(Part("mail", self.folder / "mail", mail))
        worker = [python, "-m", "updater_server", "worker", "--data"]
        self._add(Part("worker", self.folder / "worker", [*worker, str(self.data(1))]))
        for number in range(2, SERVERS + 1):  # what terminals told that server
            only = [*worker, str(self.data(number)), "--only", "telemetry"]
            self._add(Part(f"worker-{number}", self.folder / f"worker-{number}", only))
        places = {
            **as_ourselves(),
            "DUKA_BIND": f"127.0.0.1:{self.balancer_port}",
            **{
                f"DUKA_SERVER_{number}": f"127.0.0.1:{port}"
                for number, port in enumerate(self.server_ports, 1)
            },
        }
        haproxy = [program("haproxy"), "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
        self._add(Part("balancer", self.folder / "balancer", haproxy, places))


def _fetched(url: str, part: str) -> bytes:
    """A range of a file."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": part})) as answer:
        return bytes(answer.read())


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """What a command finds in its environment, for the while."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


@contextmanager
def whole(terminals: int = 8, vouchers: int = 500) -> Iterator[Whole]:
    """The whole, up; gone at the end, whatever the end is."""
    made = Whole(terminals, vouchers)
    try:
        made.up()
        yield made
    finally:
        made.down()
