"""distributors, agents and merchants with floats of their own, what they earn, and closed days"""

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    "party",
    "terminal_owner",
    "commission_rate",
    "credit_limit",
    "movement",
    "closed_day",
    "day_share",
)


def upgrade() -> None:
    """Nothing is owned yet: terminals go on with their own floats."""
    _parties()
    _what_holds_for_them()
    _their_money()
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in APPEND_ONLY:
        if on_postgresql:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _parties() -> None:
    op.create_table(
        "party",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("parent_id", BIG),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(
            "kind IN ('distributor', 'agent', 'merchant')", name=op.f("ck_party_kind")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["party.id"], name=op.f("fk_party_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("code", name=op.f("uq_party_code")),
    )
    op.create_index(op.f("ix_party_parent_id"), "party", ["parent_id"])
    op.create_table(
        "terminal_owner",
        sa.Column("id", BIG, nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["terminal.id"], name=op.f("fk_terminal_owner_terminal_id")
        ),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.id"], name=op.f("fk_terminal_owner_party_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal_owner")),
    )
    op.create_index(op.f("ix_terminal_owner_party_id"), "terminal_owner", ["party_id"])
    op.create_index(
        op.f("ix_terminal_owner_terminal_id_since"), "terminal_owner", ["terminal_id", "since"]
    )


def _what_holds_for_them() -> None:
    op.create_table(
        "commission_rate",
        sa.Column("id", BIG, nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("product_id", sa.String(length=32)),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("rate_ppm BETWEEN 0 AND 1000000", name=op.f("ck_commission_rate_rate")),
        sa.ForeignKeyConstraint(
            ["party_id"], ["party.id"], name=op.f("fk_commission_rate_party_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rate")),
    )
    op.create_index(op.f("ix_commission_rate_party_id"), "commission_rate", ["party_id"])
    op.create_table(
        "credit_limit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("limit_minor", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("limit_minor >= 0", name=op.f("ck_credit_limit_limit")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_credit_limit_party_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_limit")),
    )
    op.create_index(op.f("ix_credit_limit_party_id"), "credit_limit", ["party_id"])


def _their_money() -> None:
    op.create_table(
        "movement",
        sa.Column("reference", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("from_account", sa.String(length=64), nullable=False),
        sa.Column("to_account", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bank_line", sa.String(length=64)),
        sa.Column("reverses", sa.String(length=48)),
        sa.Column("posted_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_movement_moves")),
        sa.CheckConstraint("from_account <> to_account", name=op.f("ck_movement_accounts")),
        sa.CheckConstraint(
            "kind IN ('deposit', 'payback', 'transfer', 'reversal')", name=op.f("ck_movement_kind")
        ),
        sa.ForeignKeyConstraint(
            ["reverses"], ["movement.reference"], name=op.f("fk_movement_reverses")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_movement")),
        sa.UniqueConstraint("bank_line", name=op.f("uq_movement_bank_line")),
        sa.UniqueConstraint("reverses", name=op.f("uq_movement_reverses")),
    )
    op.create_index(op.f("ix_movement_created_at"), "movement", ["created_at"])
    op.create_table(
        "closed_day",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("begins_at", BIG, nullable=False),
        sa.Column("ends_at", BIG, nullable=False),
        sa.Column("sold_minor", BIG, nullable=False),
        sa.Column("earned_minor", BIG, nullable=False),
        sa.Column("closed_by", sa.String(length=64), nullable=False),
        sa.Column("closed_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_closed_day")),
    )
    op.create_table(
        "day_share",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("party_id", BIG, autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("sold_minor", BIG, nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("share_minor", BIG, nullable=False),
        sa.ForeignKeyConstraint(["day"], ["closed_day.day"], name=op.f("fk_day_share_day")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_day_share_party_id")),
        sa.PrimaryKeyConstraint("day", "party_id", "product_id", name=op.f("pk_day_share")),
    )
