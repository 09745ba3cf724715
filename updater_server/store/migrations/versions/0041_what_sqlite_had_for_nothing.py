"""PostgreSQL: indexes end with the row's id where SQLite's do by themselves

Of a terminal's credits those behind a number are asked for at each check-in, and of what it ran the
newest for each sale that is counted: without the id in the index, all that there ever were are
read. Rows of queues change as often as sales are made; vacuum comes after a hundredth of a table,
not after a fifth.
"""

from alembic import op

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels = None
depends_on = None

_CREDITS = "kind IN ('top_up', 'refund', 'correction')"
_INDEXES = {
    "ix_ledger_transaction_credits": f"ledger_transaction (terminal_id, id) WHERE {_CREDITS}",
    "ix_running_history_terminal_id": "running_history (terminal_id, id)",
}
_QUEUES = ("vend", "notice", "sms_word")


def upgrade() -> None:
    """On SQLite nothing changes."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name, what in _INDEXES.items():
        op.execute(f"DROP INDEX {name}")
        op.execute(f"CREATE INDEX {name} ON {what}")
    for table in _QUEUES:
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01)")
