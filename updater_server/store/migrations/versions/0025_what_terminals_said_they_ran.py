"""what each terminal said it runs is a history in two times that nobody can change, and how often
it started lately
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PLACE = {"channel": 16, "catalogue": 64, "image": 64, "settings": 64}
_FAILED = "failure_release IS NOT NULL"


def upgrade() -> None:
    """What was said before this stays without what nobody kept then."""
    for name, length in _PLACE.items():
        op.add_column("running_history", sa.Column(name, sa.String(length=length)))
        op.add_column("check_in", sa.Column(name, sa.String(length=length)))
    for name in ("heard_at", "terminal_time", "boot_count", "release_before"):
        op.add_column("running_history", sa.Column(name, BIG))
    for name in ("boots_from", "boots_since", "looping_since"):
        op.add_column("check_in", sa.Column(name, BIG))
    op.create_index(op.f("ix_running_history_at"), "running_history", ["at"])
    op.create_index(op.f("ix_running_history_release"), "running_history", ["release"])
    for table in ("running_history", "check_in"):
        op.create_index(
            f"ix_{table}_failed",
            table,
            ["failure_release"],
            sqlite_where=sa.text(_FAILED),
            postgresql_where=sa.text(_FAILED),
        )
    op.create_index(
        "ix_check_in_looping",
        "check_in",
        ["looping_since"],
        sqlite_where=sa.text("looping_since IS NOT NULL"),
        postgresql_where=sa.text("looping_since IS NOT NULL"),
    )
    _guard("running_history")


def _guard(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
