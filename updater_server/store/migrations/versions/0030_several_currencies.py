"""accounts, terminals and closed days have a currency; a ledger transaction has one and no other

What the books were kept in until now stays what it is. Books that never had a deposit do not know
it yet: theirs is "" until the first one says it.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BOOKS = "COALESCE((SELECT substr(value, 1, 3) FROM server_constant WHERE name = 'currency'), '')"
_TERMINALS = f"UPDATE terminal SET currency = {_BOOKS}"  # noqa: S608 our own words
_ONE = "a ledger transaction is in one currency"
_KEPT = "an account keeps its name and its currency"

_SUMS = """
CREATE OR REPLACE FUNCTION duka_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE found RECORD;
BEGIN
  SELECT COUNT(*) AS entries, SUM(e.amount_minor) AS total, MIN(a.currency) AS least,
    MAX(a.currency) AS most INTO found
    FROM ledger_entry e JOIN account a ON a.id = e.account_id WHERE e.transaction_id = NEW.id;
  IF found.entries < 2 OR found.total <> 0 THEN
    RAISE EXCEPTION 'a ledger transaction must sum to zero' USING ERRCODE = 'check_violation';
  END IF;
  IF found.least <> found.most THEN
    RAISE EXCEPTION 'a ledger transaction is in one currency' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def upgrade() -> None:
    """Columns first, then what was; the guards last."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "currency",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("minor_digits", sa.Integer(), nullable=False),
        sa.CheckConstraint("minor_digits BETWEEN 0 AND 4", name=op.f("ck_currency_digits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_currency")),
        sa.UniqueConstraint("code", name=op.f("uq_currency_code")),
    )
    op.execute(
        "INSERT INTO currency (code, minor_digits) SELECT substr(value, 1, 3), "
        "CAST(substr(value, 5) AS INTEGER) FROM server_constant WHERE name = 'currency'"
    )
    op.add_column(
        "terminal",
        sa.Column("currency", sa.String(length=3), nullable=False, server_default=""),
    )
    op.execute(_TERMINALS)
    op.add_column(
        "credit_limit",
        sa.Column("currency", sa.String(length=3), nullable=False, server_default=""),
    )
    _accounts_on_postgresql() if on_postgresql else _accounts_on_sqlite()
    op.create_index(
        "ix_account_of_terminal",
        "account",
        ["name"],
        unique=True,
        sqlite_where=sa.text(_OF_TERMINAL),
        postgresql_where=sa.text(_OF_TERMINAL),
    )
    _days(on_postgresql)
    _guards_on_postgresql() if on_postgresql else _guards_on_sqlite()


_OF_TERMINAL = "substr(name, 1, 6) = 'float:' AND substr(name, 1, 12) <> 'float:party:'"


def _accounts_on_postgresql() -> None:
    op.execute("ALTER TABLE account ADD COLUMN currency TEXT NOT NULL DEFAULT ''")
    op.execute(_TERMINALS.replace("terminal", "account"))
    op.execute("ALTER TABLE account DROP CONSTRAINT account_name_key")
    op.execute(
        "ALTER TABLE account ADD CONSTRAINT uq_account_name_currency UNIQUE (name, currency)"
    )


def _accounts_on_sqlite() -> None:
    """Another unique key needs another table. That entries miss their accounts meanwhile is looked
    at when all of it commits.
    """
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TABLE account_before AS SELECT id, name FROM account")
    op.execute("DROP TABLE account")
    op.create_table(
        "account",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", "currency", name=op.f("uq_account_name_currency")),
    )
    op.execute(
        "INSERT INTO account (id, name, currency) "  # noqa: S608
        f"SELECT id, name, {_BOOKS} FROM account_before ORDER BY id"
    )
    op.execute("DROP TABLE account_before")


def _days(on_postgresql: bool) -> None:
    op.create_table(
        "closed_sum",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sold_minor", BIG, nullable=False),
        sa.Column("earned_minor", BIG, nullable=False),
        sa.ForeignKeyConstraint(["day"], ["closed_day.day"], name=op.f("fk_closed_sum_day")),
        sa.PrimaryKeyConstraint("day", "currency", name=op.f("pk_closed_sum")),
    )
    op.execute(
        "INSERT INTO closed_sum (day, currency, sold_minor, earned_minor) "  # noqa: S608
        f"SELECT day, {_BOOKS}, sold_minor, earned_minor FROM closed_day"
    )
    for column in ("sold_minor", "earned_minor"):
        op.drop_column("closed_day", column)
    op.execute("CREATE TABLE day_share_before AS SELECT * FROM day_share")
    op.drop_table("day_share")
    op.create_table(
        "day_share",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("party_id", BIG, autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sold_minor", BIG, nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("share_minor", BIG, nullable=False),
        sa.ForeignKeyConstraint(["day"], ["closed_day.day"], name=op.f("fk_day_share_day")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_day_share_party_id")),
        sa.PrimaryKeyConstraint(
            "day", "party_id", "product_id", "currency", name=op.f("pk_day_share")
        ),
    )
    op.execute(
        "INSERT INTO day_share "  # noqa: S608
        "(day, party_id, product_id, currency, sold_minor, rate_ppm, share_minor) "
        f"SELECT day, party_id, product_id, {_BOOKS}, sold_minor, rate_ppm, share_minor "
        "FROM day_share_before"
    )
    op.execute("DROP TABLE day_share_before")
    for table in ("day_share", "closed_sum", "currency"):
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


_MOVED = (
    "OLD.id <> NEW.id OR OLD.name <> NEW.name "
    "OR (OLD.currency <> '' AND NEW.currency <> OLD.currency)"
)
_MOVED_TERMINAL = "OLD.currency <> '' AND NEW.currency <> OLD.currency"
_TERMINAL = "a terminal keeps its currency"


def _guards_on_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER ledger_transaction_currency BEFORE INSERT ON ledger_transaction "  # noqa: S608
        "WHEN (SELECT MIN(a.currency) <> MAX(a.currency) FROM ledger_entry e "
        "JOIN account a ON a.id = e.account_id WHERE e.transaction_id = NEW.id) "
        f"BEGIN SELECT RAISE(ABORT, '{_ONE}'); END"
    )
    op.execute(
        f"CREATE TRIGGER account_forward BEFORE UPDATE ON account WHEN {_MOVED} "
        f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    )
    op.execute(
        "CREATE TRIGGER account_no_delete BEFORE DELETE ON account "
        "BEGIN SELECT RAISE(ABORT, 'an account is kept for ever'); END"
    )
    op.execute(
        "CREATE TRIGGER terminal_currency BEFORE UPDATE OF currency ON terminal "
        f"WHEN {_MOVED_TERMINAL} BEGIN SELECT RAISE(ABORT, '{_TERMINAL}'); END"
    )


def _guards_on_postgresql() -> None:
    do = op.get_bind().exec_driver_sql
    do(_SUMS)
    still = _SUMS.replace("duka_sums_to_zero", "duka_still_sums")
    do(still.replace("NEW.id;", "NEW.transaction_id;"))
    do(
        f"CREATE TRIGGER account_forward BEFORE UPDATE ON account FOR EACH ROW WHEN ({_MOVED}) "
        f"EXECUTE FUNCTION duka_refused('{_KEPT}')"
    )
    do(
        "CREATE TRIGGER account_kept BEFORE DELETE OR TRUNCATE ON account "
        "FOR EACH STATEMENT EXECUTE FUNCTION duka_kept()"
    )
    do(
        "CREATE TRIGGER terminal_currency BEFORE UPDATE OF currency ON terminal FOR EACH ROW "
        f"WHEN ({_MOVED_TERMINAL}) EXECUTE FUNCTION duka_refused('{_TERMINAL}')"
    )
