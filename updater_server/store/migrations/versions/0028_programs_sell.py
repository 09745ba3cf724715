"""programs of partners sell by tills, and are told of what was posted; telephones may ask"""

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0026"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("api_order",)


def upgrade() -> None:
    """No program sells yet, and nobody is told of anything."""
    op.add_column("api_token", sa.Column("till_id", sa.LargeBinary(length=8)))
    op.create_table(
        "api_order",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token_id", BIG, nullable=False),
        sa.Column("order_key", sa.String(length=72), nullable=False),
        sa.Column("terminal_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_order")),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_api_order_token_id")),
        sa.UniqueConstraint("token_id", "order_key", name=op.f("uq_api_order_token_id_order_key")),
        sa.UniqueConstraint(
            "terminal_id", "sequence", name=op.f("uq_api_order_terminal_id_sequence")
        ),
    )
    _told()
    _telephones()
    _guards()


def _told() -> None:
    op.create_table(
        "webhook",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("party_id", BIG),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("through", BIG, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", BIG, nullable=False),
        sa.Column("first_failed_at", BIG),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("stopped", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_webhook")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_webhook_party_id")),
    )
    op.create_table(
        "webhook_dead",
        sa.Column("id", BIG, nullable=False),
        sa.Column("webhook", sa.String(length=32), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("died_at", BIG, nullable=False),
        sa.Column("sent_at", BIG),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_dead")),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhook.name"], name=op.f("fk_webhook_dead_webhook")
        ),
    )
    op.create_index(op.f("ix_webhook_dead_webhook"), "webhook_dead", ["webhook"])


def _telephones() -> None:
    op.create_table(
        "telephone",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("party_id", BIG, nullable=False),
        sa.Column("pin_hashed", sa.LargeBinary(), nullable=False),
        sa.Column("wrong_pins", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("added_at", BIG, nullable=False),
        sa.Column("withdrawn_at", BIG),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_telephone")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_telephone_party_id")),
    )


def _guards() -> None:
    """An order of a program is one sale's for ever."""
    if op.get_bind().dialect.name == "postgresql":
        for table in _APPEND_ONLY:
            op.get_bind().exec_driver_sql(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
            )
        return
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
