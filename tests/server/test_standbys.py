"""A standby that is gone is seen from the primary, by a user without special rights."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server.engines import POSTGRESQL_ALONE
from tests.server.shop import Shop
from tests.support import postgres
from updater_server.channels.history import History
from updater_server.faces.dashboard.board_figures import look
from updater_server.faces.dashboard.board_parts import lights
from updater_server.fleet import alarms
from updater_server.robots import canaries
from updater_server.robots.canaries import Canaries
from updater_server.store.engine import reading

pytestmark = POSTGRESQL_ALONE


def test_a_standby_that_is_gone_is_told_by_the_servers_own_user(shop: Shop) -> None:
    server, slot = postgres.server(), "duka_standby"
    (shop.folder / canaries.FILE).write_text("standbys = 1\n")
    job = Canaries(shop.service)

    def said(after_s: int = 60) -> list[str]:
        shop.clock[0] += after_s
        job.look()
        with reading(shop.service.engine) as connection:
            found = alarms.open_alarms(connection, code=canaries.STANDBY)
        return [one["text"] for one in found]

    def board() -> str:
        return lights(look(shop.service, History(shop.service.folder.repository)))

    with server.connect("postgres") as connection:
        connection.execute("SELECT pg_create_physical_replication_slot(%s)", (slot,))
    try:
        with copying(server, slot):
            assert said() == []
            assert "standbys copy" in board()
            assert "NOT standbys copy" not in board()
            assert shop.sql("SELECT state FROM canary WHERE queue = 'standbys'") == [("came",)]
        assert (said(10), said(30)) == ([], [])
        words = "standbys: 0 of 1 copy what is written: look at PostgreSQL's machines"
        assert said() == [words]
        assert "NOT standbys copy" in board()
        with copying(server, slot):
            assert said() == []
    finally:
        with server.connect("postgres") as connection:
            connection.execute("SELECT pg_drop_replication_slot(%s)", (slot,))


@contextmanager
def copying(server: postgres.PostgresServer, slot: str) -> Iterator[None]:
    """Somebody takes what is written by this slot, as a standby does."""
    folder = tempfile.mkdtemp(dir=server.folder)
    Path(folder).chmod(0o777)
    program = [str(server.programs / "pg_receivewal"), "-h", str(server.folder)]
    running = subprocess.Popen(
        [*program, "-U", postgres.OWNER, "-S", slot, "-D", folder],
        stderr=subprocess.DEVNULL,
        **server.as_whom(),
    )
    try:
        _until_active(server, slot, True)
        yield
    finally:
        running.kill()
        running.wait()
        _until_active(server, slot, False)


def _until_active(server: postgres.PostgresServer, slot: str, wanted: bool) -> None:
    with server.connect("postgres") as connection:
        for _ in range(600):
            row = connection.execute(
                "SELECT active FROM pg_replication_slots WHERE slot_name = %s", (slot,)
            ).fetchone()
            if row == (wanted,):
                return
            time.sleep(0.1)
    raise AssertionError(f"the slot is not {'active' if wanted else 'free'}")
