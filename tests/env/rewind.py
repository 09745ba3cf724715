"""`inv env --rewind`: somebody drops the books; they are brought back to the moment before, by
`deploy/restore-to.sh`, and the terminals tell what they did since.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import psycopg

from tests.env.parts import ROOT, Part, program, unprivileged, until
from tests.env.selling import delivered
from tests.env.whole import NODES, SERVERS, UP_S, Whole, whole
from tests.measure.load import FLOAT_MINOR, Load, Terminal
from tests.measure.past import Life
from tests.server.test_server_process import Process
from tests.support.postgres import nobody, programs_folder
from updater_server.sales import restoring
from updater_server.service import Service
from updater_server.store.engine import reading

TERMINALS = 4
EACH = 25
"""Sales of a terminal before the moment, and as many after it."""
AT_ONCE = 12
"""Records of a journal in a message."""
RECOVERY_S = 120.0
SLOT = "archive"


class Archive:
    """The machine that the back-ups are on: a base back-up, and all that is written since."""

    def __init__(self, made: Whole) -> None:
        self._made = made
        self.folder = made.folder / "archive"
        self._own = made.replication_url()
        receive = [
            str(programs_folder() / "pg_receivewal"), "--no-password", f"--slot={SLOT}",
            "-D", "wal", "-d", f"{self._own}&application_name={SLOT}",
        ]  # fmt: skip
        self.part = Part("archive", self.folder, receive, as_nobody=True)
        self.base, self.wal = self.folder / "base", self.folder / "wal"
        self.wal.mkdir()
        _give(self.wal)
        self.run([str(programs_folder() / "pg_basebackup"), "--no-password",
                  "--checkpoint=fast", "-D", str(self.base), "-d", self._own])  # fmt: skip
        made.parts["archive"] = self.part
        self.part.start()
        until(lambda: self._behind() is not None, UP_S, "the archive")

    def run(self, command: Sequence[str]) -> str:
        """A program as PostgreSQL's user, to its end; what it said."""
        found = {**os.environ, "PATH": f"{programs_folder()}:{os.environ['PATH']}"}
        done = subprocess.run(
            [*unprivileged(), *command], cwd=self.folder, env=found, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode:
            raise OSError(f"{command[0]}: {done.stdout}")
        return done.stdout

    def _behind(self) -> int | None:
        """Bytes that the primary has and the archive has not; None while it is not connected."""
        with self._made.connect(database="postgres") as connection:
            found = connection.execute(
                "SELECT pg_current_wal_lsn() - write_lsn FROM pg_stat_replication"
                " WHERE application_name = %s AND write_lsn IS NOT NULL",
                (SLOT,),
            ).fetchone()
        return None if found is None else int(found[0])

    def has_everything(self) -> bool:
        """Whether nothing is on its way."""
        return self._behind() == 0


def _give(folder: Path) -> None:
    user = nobody()
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)


def _sell(terminals: Sequence[Terminal]) -> None:
    """So many sales of each; nothing of the journals is told."""
    seen = [Load() for _ in terminals]

    def work(terminal: Terminal, own: Load) -> None:
        for _ in range(EACH):
            terminal.sell(own)

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(terminals, seen, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.sales for each in seen) == EACH * len(terminals)


def _moment(made: Whole) -> datetime:
    """Now, by the primary's clock, with a second without sales on either side."""
    time.sleep(1)
    with made.connect() as connection:
        row = connection.execute("SELECT now()").fetchone()
    assert row
    time.sleep(1)
    moment: datetime = row[0]
    return moment


def _drop_the_books(made: Whole) -> None:
    with made.connect() as owner:
        owner.execute("DROP SCHEMA duka CASCADE")


def _bring_back(made: Whole, archive: Archive, moment: datetime) -> str:
    """As the page has it, step by step; what the script said."""
    servers = [f"server-{number}" for number in range(1, SERVERS + 1)]
    for name in (*servers, "worker", "worker-2", "archive"):
        made.parts[name].end()
    databases = [made.parts[f"database-{number}"] for number in range(1, NODES + 1)]
    for part in databases:
        part.end()
        (part.folder / "data").rename(part.folder / "data-before")
    _forget_cluster(databases[0])
    said = archive.run(
        [
            str(ROOT / "deploy" / "restore-to.sh"), str(archive.base), str(archive.wal),
            str(databases[0].folder / "data"), moment.isoformat(" "),
        ]
    )  # fmt: skip
    databases[0].start()
    until(lambda: bool(made.primary()), UP_S, "a primary")
    for part in databases[1:]:
        part.start()
    until(lambda: bool(made.standby()), 2 * UP_S, "a synchronous standby")
    return said


def _forget_cluster(part: Part) -> None:
    """What etcd knows of the cluster that was; Patroni's settings come back with the files."""
    command = [program("patronictl"), "-c", str(ROOT / "deploy" / "patroni.yml"), "remove", "duka"]
    done = subprocess.run(
        command, env=part.environment, input="duka\nYes I am aware\n", text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise OSError(done.stdout)


def _is_strict(made: Whole) -> bool:
    """Whether a commit waits for a second disk."""
    try:
        with made.connect() as connection:
            row = connection.execute("SHOW synchronous_standby_names").fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _tell_all(terminal: Terminal) -> None:
    """Check in, tell what the server asks for, and check in again."""
    for _ in range(2):
        content = {
            0: 1, 1: 1, 2: 7, 3: "a", 4: False, 5: terminal.boot_count, 6: 3900, 7: 20, 8: None,
            9: terminal.own_float_minor, 10: [1, terminal.sequence + 1],
        }  # fmt: skip
        has = terminal.ask(content)[3]
        while has < terminal.sequence:
            told = terminal.ask({0: 3, 1: terminal.untold[has : has + AT_ONCE]})
            assert told[1] > has, told
            has = told[1]


def rewind(line: Callable[[str], None]) -> int:
    """Print each step; 0 if the books were those of the moment, and then those of today."""
    wrong = []
    with whole(terminals=TERMINALS, vouchers=3 * EACH * TERMINALS) as made:
        archive = Archive(made)
        terminals = [
            Terminal(Life(number.to_bytes(8, "big"), 0, FLOAT_MINOR), made.balancer_port)
            for number in range(1, TERMINALS + 1)
        ]
        _sell(terminals)
        then = delivered(made.data()).keys()
        moment = _moment(made)
        _sell(terminals)
        for terminal in terminals:
            terminal.close()
        until(archive.has_everything, UP_S, "the archive")
        line(f"{len(then)} sales, then {moment.isoformat(' ')}, then {len(then)} more")
        size = sum(file.stat().st_size for file in archive.base.rglob("*") if file.is_file())
        line(f"base back-up {size / 1e6:.0f} MB, {len(list(archive.wal.iterdir()))} files since")
        _drop_the_books(made)
        line("the owner of the database dropped the books")
        began_at = time.monotonic()
        said = _bring_back(made, archive, moment)
        line(said.strip())
        line(f"cluster back, with a standby, after {time.monotonic() - began_at:.0f} s")
        if not _is_strict(made):
            wrong.append("a commit would not wait for a second disk")
        wrong += _look_at(made, terminals, then, line)
        line(f"all that terminals know is in the books after {time.monotonic() - began_at:.0f} s")
    line("WRONG: " + "; ".join(wrong) if wrong else "all is well")
    return 1 if wrong else 0


def _look_at(
    made: Whole, terminals: Sequence[Terminal], then: object, line: Callable[[str], None]
) -> list[str]:
    """Of the moment first; then of today, when the terminals have told it."""
    wrong = []
    first = Process(made.data())
    books = first.quick("check", "--full")
    found = delivered(made.data()).keys()
    line(f"{len(found)} sales in the books; check --full: {' '.join(books.output.split())}")
    if books.exit_code or found != then:
        wrong.append("the books are not those of that moment")
    for number in range(1, SERVERS + 1):
        made.parts[f"server-{number}"].start()
    for name in ("worker", "worker-2"):
        made.parts[name].start()
    until(lambda: all(made.healthy(number + 1) for number in range(SERVERS)), UP_S, "servers")
    for terminal in terminals:
        terminal.boot_count += 1
        _tell_all(terminal)
        terminal.close()
    service = Service.open(made.data())
    with reading(service.engine) as connection:
        states = [row["state"] for row in restoring.status(connection)]
    service.engine.dispose()
    line(f"terminals: {', '.join(states)}")
    finished = first.quick("restored", "finish")
    _sell(terminals[:1])
    after = delivered(made.data()).keys()
    books = first.quick("check", "--full")
    line(f"{len(after)} sales in the books; check --full: {' '.join(books.output.split())}")
    if finished.exit_code:
        wrong.append(finished.output)
    if books.exit_code or len(after) != (2 * TERMINALS + 1) * EACH:
        wrong.append("the books are not what the terminals know")
    return wrong
