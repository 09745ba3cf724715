"""What is PostgreSQL's alone: rights, who may be on it, how it must be set, back-up, restore."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from typer.testing import CliRunner, Result

from tests.server.device import Device
from tests.server.engines import POSTGRESQL_ALONE, as_owner
from tests.server.shop import NOW, Shop
from tests.support import postgres
from updater_server import backup, startup
from updater_server.__main__ import cli
from updater_server.errors import StateError
from updater_server.faces.app import make_app
from updater_server.faces.health import Health
from updater_server.sales import checks
from updater_server.sales.restore_state import batch_floor, open_restore
from updater_server.service import DataFolder, Service
from updater_server.store import copies, postgresql, rights
from updater_server.store import engine as database
from updater_server.store.engine import is_the_databases_fault, reading, writing
from updater_server.store.tables import metadata

pytestmark = POSTGRESQL_ALONE

_OF_POSTGRESQL = {"arrival"}


def command(shop: Shop, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--data", str(shop.folder)])


def raw(shop: Shop) -> psycopg.Connection[Any]:
    name = make_url(str(shop.service.folder.place)).database
    assert name
    connection = postgres.server().connect(name)
    connection.execute(f"SET search_path = {postgresql.SCHEMA}")
    return connection


def a_busy_shop(shop: Shop) -> Device:
    device = shop.enrol()
    shop.stock_vault()
    device.sale(1)
    batch = shop.assign(device)
    device.record(1, [1, 7, "power-on"])
    device.record(2, ["air50", 5000, 250, batch, 0])
    device.upload()
    return device


# --- tables, guards, rights ---


def test_the_migrations_make_the_tables_and_columns_that_the_code_uses(shop: Shop) -> None:
    with reading(shop.service.engine) as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column for column in found.get_columns(table.name)}
            assert set(columns) - _OF_POSTGRESQL == set(table.columns.keys()), table
            for column in table.columns:
                assert columns[column.name]["nullable"] == bool(column.nullable), column
            key = found.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key], table
        assert set(found.get_table_names()) - {"alembic_version"} == set(metadata.tables)


def test_every_table_is_guarded_or_may_be_changed(shop: Shop) -> None:
    with raw(shop) as connection:
        rows = connection.execute(
            "SELECT event_object_table, event_manipulation FROM information_schema.triggers"
            " WHERE action_orientation = 'STATEMENT'"
        ).fetchall()
        truncated = connection.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgtype & 32 <> 0"
        ).fetchall()
    append_only = {table for table, verb in rows if verb == "UPDATE"}
    unguarded = set(metadata.tables) - append_only - set(rights.CHANGED) - set(rights.DELETED)
    assert unguarded == {"account", "number", "restore_serial"}
    assert append_only <= {table for (table,) in truncated}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_minor = 1",
        "DELETE FROM sale",
        "TRUNCATE journal_record",
        "UPDATE account SET name = 'x'",
        "DROP TABLE sale",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id INTEGER)",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
def test_the_servers_role_may_do_only_what_the_server_does(shop: Shop, statement: str) -> None:
    a_busy_shop(shop)
    with pytest.raises(ProgrammingError), writing(shop.service.engine) as connection:
        connection.execute(text(statement))
    assert shop.problems() == []


def test_the_owner_cannot_empty_what_is_kept_for_ever(shop: Shop) -> None:
    a_busy_shop(shop)
    for table in ("ledger_entry", "sale", "voucher", "terminal"):
        with pytest.raises(IntegrityError), as_owner(shop.folder) as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
    assert shop.problems() == []


def test_entries_that_come_into_a_transaction_as_it_commits_are_refused(shop: Shop) -> None:
    """The row that closes it does not show yet: what is looked at again at the commit does."""
    with raw(shop) as one, raw(shop) as other:
        one.autocommit = other.autocommit = False
        one.execute("INSERT INTO account (name) VALUES ('a'), ('b')")
        one.commit()
        entry = "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor) VALUES "
        one.execute(entry + "(7, 1, 5), (7, 2, -5)")
        one.execute(
            "INSERT INTO ledger_transaction (id, kind, reference, created_at)"
            " VALUES (7, 'test', 'r', 1)"
        )
        other.execute(entry + "(7, 1, 3)")  # nothing closes it yet, as far as this one sees
        one.commit()
        with pytest.raises(psycopg.errors.CheckViolation, match="must sum to zero"):
            other.commit()
    assert shop.problems() == []


# --- who may be on it, and how it must be set ---


def test_servers_share_a_database_and_nobody_changes_its_tables_meanwhile(shop: Shop) -> None:
    other = Service.open(shop.folder, lambda: NOW)
    with startup.its_place(shop.service) as cut_off, startup.its_place(other):
        assert not cut_off
        refused = command(shop, "init")
        assert refused.exit_code == 1
        assert "another server runs" in " ".join(refused.output.split())
        with pytest.raises(StateError, match="stop all"), postgresql.presence(other.engine, True):
            pass  # of another machine, which does not see the folder's lock
    assert command(shop, "init").exit_code == 0
    with (
        postgresql.presence(other.engine, alone=True),
        pytest.raises(StateError, match="being changed"),
        startup.its_place(shop.service),
    ):
        pass
    other.engine.dispose()


def test_a_database_that_may_lose_what_was_sold_is_not_sold_from(shop: Shop) -> None:
    with pytest.raises(StateError, match="fsync is off"):
        startup.examine(shop.service, cut_off=False)
    assert Health(shop.service).problems() == []


def test_a_folders_database_is_chosen_once_and_its_password_is_never_shown(shop: Shop) -> None:
    refused = command(shop, "init", "--database", "postgresql://x:secret@/elsewhere")
    assert refused.exit_code == 1
    assert "chosen at its first" in " ".join(refused.output.split())
    shop.service.folder.database_url.write_text("postgresql://x:secret@/elsewhere?host=/nowhere")
    assert "secret" not in shop.service.folder.place_in_words
    for arguments in (("report",), ("check",), ("init",)):
        told = command(shop, *arguments)
        assert told.exit_code == 1
        assert "secret" not in told.output
        assert "Traceback" not in told.output
    with pytest.raises(StateError, match="no URL"):
        database.open_engine("duka at the usual place")


def test_a_lock_that_is_held_too_long_is_the_databases_fault(shop: Shop) -> None:
    with raw(shop) as other:
        other.execute("SELECT pg_advisory_lock(25707, 1)")
        with pytest.raises(OperationalError) as refused, writing(shop.service.engine) as connection:
            assert connection
    assert is_the_databases_fault(refused.value)


MINE = (1).to_bytes(8, "big").hex()


def test_an_operators_commands_work(shop: Shop) -> None:
    device = a_busy_shop(shop)
    device.check_in(own_float=shop.float_of(device))
    for arguments in (
        ("terminal", "deposit", MINE, "50.00 KES", "--reference", "SLIP-1"),
        ("terminal", "block", MINE), ("terminal", "lost", MINE), ("stock", "show", MINE),
        ("report",), ("report", "--prefix", "00", "--only", "silent"), ("audit", MINE),
        ("check", "--full"), ("vouchers", "imports"), ("technician", "list"),
        ("terminal", "statement", MINE), ("restored", "status"),
    ):  # fmt: skip
        done = command(shop, *arguments)
        assert done.exit_code == 0, (arguments, done.output)
        assert done.output, arguments


def test_the_offices_pages_work(shop: Shop) -> None:
    a_busy_shop(shop)
    application: Any = make_app(shop.service)

    async def get(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            if path.startswith("/v1"):
                return await client.get(path, headers={"Authorization": f"Bearer {shop.token}"})
            return await client.get(path, auth=("x", shop.token))

    for path in ("/", "/?page=2", "/v1/terminals", "/v1/terminals?prefix=00"):
        answer = asyncio.run(get(path))
        assert answer.status_code == 200, answer.text
        assert answer.text


# --- back-up and restore ---


def test_a_back_up_is_put_back_whole_and_what_was_there_is_kept(shop: Shop, tmp_path: Path) -> None:
    device = a_busy_shop(shop)
    assert shop.problems() == []
    made = backup.make(shop.service, tmp_path / "copies")
    assert made.problems == ()
    before = {name: shop.sql(f"SELECT * FROM {name}") for name in metadata.tables}
    given = shop.sql("SELECT id, product_id, count FROM stock_batch")
    device.sale(5)
    old_batch = shop.assign(device)
    shop.service.engine.dispose()
    restored, aside = backup.restore(shop.service.folder, made.path, NOW)
    assert restored.backup_id == made.backup_id
    assert shop.sql(f"SELECT COUNT(*) FROM {aside}.sale") == [(2,)]
    new = {"server_mark", "restore_scope", "restore_terminal", "database_restore", "alarm"}
    sent = shop.sql("SELECT id, product_id, count FROM stock_batch WHERE sent_at = :now", now=NOW)
    assert sent == given
    for name in set(before) - new - {"stock_batch"}:  # that one may have been fetched since
        assert sorted(map(repr, shop.sql(f"SELECT * FROM {name}"))) == sorted(
            map(repr, before[name])
        ), name
    assert shop.problems() == []
    with reading(shop.service.engine) as connection:
        assert open_restore(connection) is not None
        floor = batch_floor(connection)
    assert device.sale(6)[6] == "restoring"
    shop.stock_vault(count=5, start=500)
    assert shop.assign(device) == floor + 1 > old_batch
    assert shop.assign(device, count=1) == floor + 2
    assert shop.problems() == []


def test_a_restore_that_fails_half_way_changes_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = a_busy_shop(shop)
    made = backup.make(shop.service, tmp_path / "copies")
    device.sale(5)
    before = shop.sql("SELECT * FROM ledger_entry ORDER BY id")

    def cut(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(copies, "count_on", cut)
    with pytest.raises(ZeroDivisionError):
        backup.restore(shop.service.folder, made.path, NOW)
    assert shop.sql("SELECT * FROM ledger_entry ORDER BY id") == before
    assert shop.problems() == []
    assert device.sale(6)[1] == 0


def test_a_back_up_of_another_kind_or_with_a_changed_byte_is_refused(
    shop: Shop, tmp_path: Path
) -> None:
    a_busy_shop(shop)
    made = backup.make(shop.service, tmp_path / "copies")
    other = DataFolder(tmp_path / "other")
    other.path.mkdir()
    other.server_key.write_bytes(shop.service.folder.server_key.read_bytes())
    other.server_key.chmod(0o600)
    with pytest.raises(StateError, match="another kind"):
        backup.restore(other, made.path, NOW)
    with (made.path / "tables" / "sale.copy").open("r+b") as file:
        file.seek(3)
        file.write(b"?")
    with pytest.raises(StateError, match="damaged"):
        backup.restore(shop.service.folder, made.path, NOW)


def test_a_restore_goes_to_an_empty_database_as_well(shop: Shop, tmp_path: Path) -> None:
    a_busy_shop(shop)
    made = backup.make(shop.service, tmp_path / "copies")
    server = postgres.server()
    fresh = DataFolder(tmp_path / "fresh")
    fresh.path.mkdir()
    fresh.server_key.write_bytes(shop.service.folder.server_key.read_bytes())
    fresh.server_key.chmod(0o600)
    fresh.database_url.write_text(server.url(server.make()))
    _, aside = backup.restore(fresh, made.path, NOW)
    assert aside is None
    service = Service.open(fresh.path, lambda: NOW)
    with reading(service.engine) as connection:
        assert checks.problems(connection) == []
    service.engine.dispose()
