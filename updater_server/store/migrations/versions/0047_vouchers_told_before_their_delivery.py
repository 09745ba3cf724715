"""a voucher that a terminal told of after a restore gets its PIN when its delivery comes in again

Until then it has none (an empty `pin_sealed`); what it is and that it is given stays as it was. And
on PostgreSQL every number that is given is above those that are there: books that were put back, or
moved there, by a program of before could give some a second time.
"""

from alembic import op

revision: str = "0047"
down_revision: str | None = "0046"
branch_labels = None
depends_on = None

_MARKED = "CASE WHEN substr({0}, 1, 6) = X'd41f64756b61' THEN substr({0}, 1, 8) ELSE X'' END"
_NEW, _OLD = _MARKED.format("NEW.pin_sealed"), _MARKED.format("OLD.pin_sealed")
_ANEW = (
    f"({_NEW} IS (SELECT mark FROM wrapped_secret WHERE number > 0 ORDER BY number DESC LIMIT 1) "  # noqa: S608
    f"AND {_OLD} <> {_NEW})"
)
_COUNT_ON = """
DO $$ DECLARE each RECORD; BEGIN
  FOR each IN SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema()
    AND (is_identity = 'YES' OR column_default LIKE 'nextval(%%')
  LOOP
    EXECUTE format(
      'SELECT setval(s, GREATEST(m, nextval(s) - 1)) FROM (SELECT MAX(%%I) AS m,'
      ' pg_get_serial_sequence(%%L, %%L)::regclass AS s FROM %%I) AS found WHERE m IS NOT NULL',
      each.column_name, each.table_name, each.column_name, each.table_name);
  END LOOP;
END $$"""


def upgrade() -> None:
    """The same guard, but for vouchers without a PIN."""
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
    else:
        _on_sqlite()


def _on_sqlite() -> None:
    op.execute("DROP TRIGGER voucher_forward")
    op.execute(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher WHEN NEW.id <> OLD.id "  # noqa: S608
        "OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial "
        "OR (length(OLD.pin_sealed) > 0 AND ("
        f"(NEW.pin_sealed <> OLD.pin_sealed AND NOT {_ANEW}) "
        "OR NEW.expires_at <> OLD.expires_at "
        "OR NEW.import_id IS NOT OLD.import_id OR NEW.import_line IS NOT OLD.import_line "
        "OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest "
        "OR NEW.pin_mark IS NOT OLD.pin_mark OR NEW.operator IS NOT OLD.operator)))) "
        "OR (OLD.free = 0 AND NEW.free <> 0 AND ("
        "EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = OLD.id) "
        "OR (SELECT COUNT(*) FROM voucher_assignment WHERE voucher_id = OLD.id) "
        "<> (SELECT COUNT(*) FROM stock_return WHERE voucher_id = OLD.id) "
        "OR EXISTS (SELECT 1 FROM voucher_import WHERE id = OLD.import_id "
        "AND state NOT IN ('releasing', 'complete')))) "
        "BEGIN SELECT RAISE(ABORT, 'a voucher is given once'); END"
    )


def _on_postgresql() -> None:
    do = op.get_bind().exec_driver_sql
    do("DROP TRIGGER voucher_forward ON voucher")
    do(
        "CREATE TRIGGER voucher_forward BEFORE UPDATE ON voucher FOR EACH ROW WHEN ("
        "NEW.id <> OLD.id OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial"
        " OR (length(OLD.pin_sealed) > 0 AND ((NEW.pin_sealed <> OLD.pin_sealed"
        " AND NOT duka_is_anew(OLD.pin_sealed, NEW.pin_sealed))"
        " OR NEW.expires_at <> OLD.expires_at OR NEW.import_id IS DISTINCT FROM OLD.import_id"
        " OR NEW.import_line IS DISTINCT FROM OLD.import_line"
        " OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest"
        " OR NEW.pin_mark IS DISTINCT FROM OLD.pin_mark"
        " OR NEW.operator IS DISTINCT FROM OLD.operator))))"
        " OR (NEW.free AND NOT OLD.free AND NOT duka_voucher_may_be_free(OLD))"
        ") EXECUTE FUNCTION duka_refused('a voucher is given once')"
    )
    do(_COUNT_ON)
