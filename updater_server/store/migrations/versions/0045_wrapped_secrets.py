"""the secrets that seal are in the database, wrapped under `server.key`, and can be changed

Empty: the first start that has the key writes them (`updater_server.wrapped`). What is sealed says
by its first bytes under which secret (docs/formats/sealed.md); none of the first one's. The
database itself refuses what is sealed under a secret that it has not, and lets no secret go under
which something is sealed. A voucher's PIN and what a supplier delivered may change in one way
alone: they are sealed anew under the newest secret.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SEALED = {
    "voucher": "pin_sealed",
    "terminal": "key_sealed",
    "supplier": "secrets_sealed",
    "vend": "answer_sealed",
    "webhook": "secret_sealed",
}
_UNKNOWN = "it is sealed under a secret that is not here"
_LOST = "what is sealed under it would be lost"
_FIXED = "a wrapped secret is only wrapped anew"
_VEND_KEPT = (
    "id", "terminal_id", "sequence", "supplier", "code", "recipient", "amount_minor", "currency",
    "minor_digits", "reference", "state", "tries", "next_at", "supplier_reference", "created_at",
    "sent_at", "decided_at",
)  # fmt: skip
_VEND_FIXED = (
    "terminal_id", "sequence", "supplier", "code", "recipient", "amount_minor", "currency",
    "minor_digits", "reference", "created_at",
)  # fmt: skip
_VEND_MOVES = (
    "NOT (NEW.state = OLD.state AND OLD.decided_at IS NULL"
    " OR (OLD.state = 'reserved' AND NEW.state IN ('sent', 'rejected'))"
    " OR (OLD.state = 'sent' AND NEW.state IN ('delivered', 'rejected', 'unknown'))"
    " OR (OLD.state = 'unknown' AND NEW.state IN ('delivered', 'rejected'))) OR "
    + " OR ".join(f"NEW.{name} <> OLD.{name}" for name in _VEND_FIXED)
    + " OR (OLD.supplier_reference IS NOT NULL"
    " AND NEW.supplier_reference IS DISTINCT FROM OLD.supplier_reference)"
)
_VEND_SAME = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _VEND_KEPT)


def upgrade() -> None:
    """The table, then its guards."""
    op.create_table(
        "wrapped_secret",
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("mark", sa.LargeBinary(length=8), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=60), nullable=False),
        sa.Column("wrapped_under", sa.String(length=16), nullable=False),
        sa.Column("wrapped_at", BIG, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_wrapped_secret")),
    )
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


# --- SQLite ---


def _mark(value: str) -> str:
    is_marked = f"substr({value}, 1, 6) = X'd41f64756b61'"
    return f"CASE WHEN {is_marked} THEN substr({value}, 1, 8) ELSE X'' END"


def _anew(column: str) -> str:
    """Whether it is sealed anew, under the newest secret."""
    return (
        f"({_mark(f'NEW.{column}')} IS (SELECT mark FROM wrapped_secret WHERE number > 0 "  # noqa: S608
        f"ORDER BY number DESC LIMIT 1) AND {_mark(f'OLD.{column}')} <> {_mark(f'NEW.{column}')})"
    )


def _on_sqlite() -> None:
    for table, column in _SEALED.items():
        for verb in ("INSERT", f"UPDATE OF {column}"):
            op.execute(
                f"CREATE TRIGGER {table}_sealed_{verb[:6].lower()} BEFORE {verb} ON {table} "  # noqa: S608
                f"WHEN length(NEW.{column}) > 0 AND EXISTS (SELECT 1 FROM wrapped_secret) "
                f"AND {_mark(f'NEW.{column}')} NOT IN "
                f"(SELECT mark FROM wrapped_secret WHERE number > 0) "
                f"BEGIN SELECT RAISE(ABORT, '{_UNKNOWN}'); END"
            )
    used = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE length({column}) > 0 AND {_mark(column)} = OLD.mark)"  # noqa: S608
        for table, column in _SEALED.items()
    )
    op.execute(
        "CREATE TRIGGER wrapped_secret_used BEFORE DELETE ON wrapped_secret WHEN OLD.number = 0 "  # noqa: S608
        f"OR OLD.number = (SELECT MAX(number) FROM wrapped_secret) OR {used} "
        f"BEGIN SELECT RAISE(ABORT, '{_LOST}'); END"
    )
    op.execute(
        "CREATE TRIGGER wrapped_secret_fixed BEFORE UPDATE ON wrapped_secret "
        "WHEN NEW.number <> OLD.number OR NEW.mark <> OLD.mark OR NEW.made_at <> OLD.made_at "
        f"OR NEW.made_by <> OLD.made_by BEGIN SELECT RAISE(ABORT, '{_FIXED}'); END"
    )
    op.execute("DROP TRIGGER voucher_forward")
    op.execute(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher WHEN NEW.id <> OLD.id "  # noqa: S608
        "OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial "
        f"OR (NEW.pin_sealed <> OLD.pin_sealed AND NOT {_anew('pin_sealed')}) "
        "OR NEW.expires_at <> OLD.expires_at "
        "OR NEW.import_id IS NOT OLD.import_id OR NEW.import_line IS NOT OLD.import_line "
        "OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest "
        "OR NEW.pin_mark IS NOT OLD.pin_mark OR NEW.operator IS NOT OLD.operator)) "
        "OR (OLD.free = 0 AND NEW.free <> 0 AND ("
        "EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = OLD.id) "
        "OR (SELECT COUNT(*) FROM voucher_assignment WHERE voucher_id = OLD.id) "
        "<> (SELECT COUNT(*) FROM stock_return WHERE voucher_id = OLD.id) "
        "OR EXISTS (SELECT 1 FROM voucher_import WHERE id = OLD.import_id "
        "AND state NOT IN ('releasing', 'complete')))) "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is given once'); END"
    )
    op.execute("DROP TRIGGER vend_forward")
    moves = _VEND_MOVES.replace("IS DISTINCT FROM", "IS NOT")
    same = _VEND_SAME.replace("IS NOT DISTINCT FROM", "IS")
    op.execute(
        f"CREATE TRIGGER vend_forward BEFORE UPDATE ON vend "
        f"WHEN ({moves}) AND NOT ({same} AND {_anew('answer_sealed')}) "
        "BEGIN SELECT RAISE(ABORT, 'a sale of a supplier only moves forward'); END"
    )


# --- PostgreSQL ---

_USED = "\n    OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE length({column}) > 0 AND duka_mark({column}) = $2)"  # noqa: S608
    for table, column in _SEALED.items()
)
_FUNCTIONS = (
    """
CREATE FUNCTION duka_mark(BYTEA) RETURNS BYTEA LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN substring($1 FROM 1 FOR 6) = '\\xd41f64756b61'::bytea
    THEN substring($1 FROM 1 FOR 8) ELSE ''::bytea END
$$""",
    """
CREATE FUNCTION duka_is_unknown(BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN
  RETURN length($1) > 0 AND EXISTS (SELECT 1 FROM wrapped_secret)
    AND NOT EXISTS (SELECT 1 FROM wrapped_secret WHERE number > 0 AND mark = duka_mark($1));
END $$""",
    """
CREATE FUNCTION duka_is_anew(BYTEA, BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN
  RETURN duka_mark($1) IS DISTINCT FROM duka_mark($2)
    AND duka_mark($2) IS NOT DISTINCT FROM (SELECT mark FROM wrapped_secret
    WHERE number > 0 ORDER BY number DESC LIMIT 1);
END $$""",
    f"""
CREATE FUNCTION duka_is_used(BIGINT, BYTEA) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN
  RETURN $1 = 0 OR $1 = (SELECT MAX(number) FROM wrapped_secret)
    OR {_USED};
END $$""",  # noqa: S608
)


def _on_postgresql() -> None:
    do = op.get_bind().exec_driver_sql
    for function in _FUNCTIONS:
        do(function)
    for table, column in _SEALED.items():
        for verb in ("INSERT", f"UPDATE OF {column}"):
            do(
                f"CREATE TRIGGER {table}_sealed_{verb[:6].lower()} BEFORE {verb} ON {table} "
                f"FOR EACH ROW WHEN (duka_is_unknown(NEW.{column})) "
                f"EXECUTE FUNCTION duka_refused('{_UNKNOWN}')"
            )
    do(
        "CREATE TRIGGER wrapped_secret_used BEFORE DELETE ON wrapped_secret FOR EACH ROW "
        f"WHEN (duka_is_used(OLD.number, OLD.mark)) EXECUTE FUNCTION duka_refused('{_LOST}')"
    )
    do(
        "CREATE TRIGGER wrapped_secret_kept BEFORE TRUNCATE ON wrapped_secret "
        "FOR EACH STATEMENT EXECUTE FUNCTION duka_kept()"
    )
    do(
        "CREATE TRIGGER wrapped_secret_fixed BEFORE UPDATE ON wrapped_secret FOR EACH ROW "
        "WHEN (NEW.number <> OLD.number OR NEW.mark <> OLD.mark OR NEW.made_at <> OLD.made_at "
        f"OR NEW.made_by <> OLD.made_by) EXECUTE FUNCTION duka_refused('{_FIXED}')"
    )
    do("DROP TRIGGER voucher_forward ON voucher")
    do(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher FOR EACH ROW WHEN ("
        "NEW.id <> OLD.id OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial"
        " OR (NEW.pin_sealed <> OLD.pin_sealed"
        " AND NOT duka_is_anew(OLD.pin_sealed, NEW.pin_sealed))"
        " OR NEW.expires_at <> OLD.expires_at OR NEW.import_id IS DISTINCT FROM OLD.import_id"
        " OR NEW.import_line IS DISTINCT FROM OLD.import_line"
        " OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest"
        " OR NEW.pin_mark IS DISTINCT FROM OLD.pin_mark"
        " OR NEW.operator IS DISTINCT FROM OLD.operator))"
        " OR (NEW.free AND NOT OLD.free AND NOT duka_voucher_may_be_free(OLD))"
        ") EXECUTE FUNCTION duka_refused('a voucher is given once')"
    )
    do("DROP TRIGGER vend_forward ON vend")
    do(
        f"CREATE TRIGGER vend_forward BEFORE UPDATE ON vend FOR EACH ROW WHEN (({_VEND_MOVES})"
        f" AND NOT ({_VEND_SAME} AND duka_is_anew(OLD.answer_sealed, NEW.answer_sealed)))"
        " EXECUTE FUNCTION duka_refused('a sale of a supplier only moves forward')"
    )
