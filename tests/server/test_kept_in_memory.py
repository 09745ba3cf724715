"""What the server keeps in memory between messages is held against the database."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from typer.testing import CliRunner

from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE
from tests.server.shop import Shop
from updater_server.__main__ import cli
from updater_server.errors import VaultError
from updater_server.fleet.terminals import KeyRing
from updater_server.sales import vault
from updater_server.store import sqlite as sqlite_module
from updater_server.store.engine import (
    is_the_databases_fault,
    reading,
    when_committed,
    writing,
)
from updater_server.store.prepared import undone_if_it_fails


def give_another_key(shop: Shop, device: Device) -> Device:
    other = Device(device.terminal_id, hashlib.sha256(b"another").digest(), shop.post)
    other.boot_count = 2
    sealed = shop.service.key.seal("device key", device.terminal_id, other.key)
    with closing(sqlite3.connect(shop.folder / "duka.db")) as raw, raw:
        raw.execute("UPDATE terminal SET key_sealed = ?", (sealed,))
    return other


def test_a_terminal_whose_key_is_another_now_is_not_heard_under_the_old_one(shop: Shop) -> None:
    device = shop.enrol()
    device.check_in()
    other = give_another_key(shop, device)
    told = {0: 1}
    assert other.post(told)[0] == 401  # the old key is still here
    assert device.post(told)[0] == 503  # it opened, and the row says another: nothing was done
    assert shop.alarms() == ["device_key"]
    assert device.post(told)[0] == 401
    other.check_in()


def test_the_keys_of_few_terminals_are_kept_at_a_time(shop: Shop) -> None:
    ring = KeyRing(limit=2)
    devices = [shop.enrol(number) for number in range(1, 4)]
    with reading(shop.service.engine) as connection:
        for device in devices:
            assert ring.learn(connection, shop.service.key, device.terminal_id)
        assert ring.learn(connection, shop.service.key, bytes(8)) is None
    assert [ring.find(device.terminal_id) is None for device in devices] == [True, True, False]


def test_prices_that_were_rolled_back_are_written_with_the_next_sale(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that fails uses up its counter all the same: its transaction commits."""
    shop.stock_vault()
    device = shop.enrol()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(vault, "give", broken)
        device.sale(1)
    assert shop.alarms() == ["message_failed"]
    assert shop.sql("SELECT COUNT(*) FROM price") == [(0,)]
    device.sale(2)
    assert shop.sql("SELECT COUNT(*) FROM price") == [(2,)]


def test_what_was_to_follow_a_commit_does_not_follow_what_was_undone(shop: Shop) -> None:
    followed: list[str] = []
    engine = shop.service.engine
    with writing(engine) as connection:
        when_committed(connection, lambda: followed.append("whole"))
        with pytest.raises(VaultError), undone_if_it_fails(connection):
            when_committed(connection, lambda: followed.append("part"))
            raise VaultError("no")
        assert followed == []
    assert followed == ["whole"]
    with pytest.raises(VaultError), writing(engine) as connection:
        when_committed(connection, lambda: followed.append("rolled back"))
        raise VaultError("no")
    with writing(engine):
        pass
    assert followed == ["whole"]


def test_a_part_that_fails_takes_back_what_it_wrote_and_nothing_else(shop: Shop) -> None:
    put = "INSERT INTO account (id, name, currency) VALUES ({}, '{}', 'KES')"
    with writing(shop.service.engine) as connection:
        connection.execute(text(put.format(71, "kept")))
        with pytest.raises(IntegrityError), undone_if_it_fails(connection):
            connection.execute(text(put.format(72, "undone")))
            connection.execute(text(put.format(71, "twice")))
    assert shop.sql("SELECT id FROM account WHERE id > 70") == [(71,)]


@POSTGRESQL_ALONE
def test_a_connection_that_is_lost_in_a_part_is_the_databases_fault(shop: Shop) -> None:
    with (
        pytest.raises(OperationalError) as lost,
        writing(shop.service.engine) as connection,
        undone_if_it_fails(connection),
    ):
        connection.execute(text("SET LOCAL ROLE NONE"))  # who may end connections
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_the_databases_fault(lost.value)


def test_a_lock_that_another_process_holds_is_a_refusal_in_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes from the driver, and is caught as SQLAlchemy's."""
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT_MS", 30)
    with closing(sqlite3.connect(shop.folder / "duka.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = CliRunner().invoke(cli, ["alarm", "close", "1", "--data", str(shop.folder)])
        assert told.exit_code == 1
        assert "locked" in told.stderr
        assert "Traceback" not in told.stderr
        other.execute("ROLLBACK")
