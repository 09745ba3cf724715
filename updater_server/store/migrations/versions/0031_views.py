"""the log of sales by whatever people ask for, their counts, and the regions of parties"""

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WAYS = ("party_id", "recipient", "serial", "supplier_reference")


def upgrade() -> None:
    """Empty: the worker fills them from the ledger, the old sales first."""
    _log()
    op.create_table(
        "sale_count",
        sa.Column("begins_at", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", BIG, autoincrement=False, nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("release", BIG, autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("face_minor", BIG, nullable=False),
        sa.Column("commission_minor", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "begins_at", "kind", "product_id", "agent_id", "region", "supplier", "release",
            "currency", name=op.f("pk_sale_count"),
        ),
    )  # fmt: skip
    op.create_table(
        "party_region",
        sa.Column("id", BIG, nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_party_region_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_region")),
    )
    op.create_index(op.f("ix_party_region_party_id"), "party_region", ["party_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER party_region_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON party_region FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER party_region_no_{verb.lower()} BEFORE {verb} ON party_region BEGIN "
            "SELECT RAISE(ABORT, 'party_region is append-only'); END"
        )


def _log() -> None:
    op.create_table(
        "sale_log",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("party_id", BIG),
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("face_minor", BIG, nullable=False),
        sa.Column("commission_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("serial", sa.String(length=64)),
        sa.Column("recipient", sa.String(length=20)),
        sa.Column("supplier", sa.String(length=16), nullable=False),
        sa.Column("supplier_reference", sa.String(length=64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale_log")),
    )
    op.create_index(op.f("ix_sale_log_at_id"), "sale_log", ["at", "id"])
    for way in _WAYS:
        op.create_index(op.f(f"ix_sale_log_{way}_at_id"), "sale_log", [way, "at", "id"])
