"""Who may do what in a PostgreSQL database: the owner makes the tables, the server reads them, adds
rows, and changes what may change. For `engine.migrate`.

The server's role is made where the owner may make roles; else the tables are guarded by their
triggers alone. Whoever is to have it is made a member: `GRANT duka_app TO …`.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from updater_server.store.postgresql import APP_ROLE, SCHEMA

CHANGED = (
    *("terminal", "check_in", "alarm", "technician", "voucher", "voucher_import", "stock_batch"),
    *("sale", "server_mark", "database_restore", "restore_scope", "restore_terminal"),
    *("restore_stock", "notice", "api_token", "supplier", "supplier_product", "vend"),
    *("webhook", "webhook_dead", "telephone", "sale_count", "air_month", "sms_number", "sms_word"),
    *("canary", "wrapped_secret", "view_kept"),
)
"""Tables of which the server changes rows. Of all others it only adds some."""
TOLD_SCHEMA = "duka_told"
"""What terminals tell of themselves: the server makes and drops the tables in it, one a day."""
DELETED = (
    *("server_mark", "notice", "notice_told", "fleet_picture", "region_heard"),
    *("sale_log", "sale_count", "canary", "wrapped_secret"),
)


def begin(connection: Connection) -> None:
    """Make the schemas, and the server's role if that is allowed; all may be there."""
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {TOLD_SCHEMA}")
    may = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not _is_there(connection) and connection.exec_driver_sql(may).scalar():
        with connection.begin_nested():
            connection.exec_driver_sql(f"CREATE ROLE {APP_ROLE} NOLOGIN")


def _is_there(connection: Connection) -> bool:
    asked = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    return connection.exec_driver_sql(asked, (APP_ROLE,)).scalar() is not None


def give(connection: Connection) -> None:
    """Give the server's role what it needs on every table that there is, and nothing more."""
    if not _is_there(connection):
        return
    for words in (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM {APP_ROLE}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {APP_ROLE}",
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA {SCHEMA} TO {APP_ROLE}",
        f"REVOKE INSERT ON alembic_version FROM {APP_ROLE}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {APP_ROLE}",
        f"GRANT USAGE, CREATE ON SCHEMA {TOLD_SCHEMA} TO {APP_ROLE}",
    ):
        connection.exec_driver_sql(words)
    counted = "SELECT pg_get_serial_sequence('stock_batch', 'id')"
    sequence = connection.exec_driver_sql(counted).scalar()
    connection.exec_driver_sql(f"GRANT UPDATE ON SEQUENCE {sequence} TO {APP_ROLE}")
    there = set(inspect(connection).get_table_names())
    for verb, tables in (("UPDATE", CHANGED), ("DELETE", DELETED)):
        named = ", ".join(sorted(there.intersection(tables)))
        connection.exec_driver_sql(f"GRANT {verb} ON {named} TO {APP_ROLE}")
    # Of accounts it says once what currency they are in, if nobody knew it before.
    if "currency" in {column["name"] for column in inspect(connection).get_columns("account")}:
        connection.exec_driver_sql(f"GRANT UPDATE (currency) ON account TO {APP_ROLE}")
