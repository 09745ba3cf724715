"""what may never change is refused by PostgreSQL as well

The same promises as on SQLite (0002, 0005 to 0007, 0009, 0012, 0014), and two that several writers
at once need: an entry of a float waits for the one before it to be committed, and that a ledger
transaction sums to zero is looked at again when it commits, when what others wrote shows.

Later steps use the functions made here: `duka_append_only()`, `duka_kept()`.
"""

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    *("ledger_transaction", "ledger_entry", "voucher_assignment", "stock_outcome"),
    *("journal_record", "price", "bench_entry", "journal_late", "loss_accepted"),
    *("server_constant", "voucher_aside", "stock_return", "deposit", "operator_log"),
    *("technician_event", "check_point"),
)
_KEPT = ("sale", "voucher", "voucher_import", "database_restore", "technician", "terminal")

_SUMS = """
CREATE FUNCTION duka_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (SELECT COUNT(*) < 2 OR SUM(amount_minor) <> 0 FROM ledger_entry
      WHERE transaction_id = NEW.id) THEN
    RAISE EXCEPTION 'a ledger transaction must sum to zero' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""
_FUNCTIONS = (
    """
CREATE FUNCTION duka_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$""",
    """
CREATE FUNCTION duka_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'a row of %% is kept for ever', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$""",
    """
CREATE FUNCTION duka_refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '%%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$""",
    # The order of the floats' entries is that of their ids: who comes second waits, then is held
    # against what the first one left.
    """
CREATE FUNCTION duka_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept BOOLEAN; newest RECORD;
BEGIN
  IF EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.transaction_id) THEN
    RAISE EXCEPTION 'the ledger transaction is closed' USING ERRCODE = 'check_violation';
  END IF;
  SELECT starts_with(name, 'float:') INTO kept FROM account WHERE id = NEW.account_id;
  IF kept THEN
    PERFORM pg_advisory_xact_lock(25708, NEW.account_id::INTEGER);
    SELECT id, balance_after_minor AS balance INTO newest FROM ledger_entry
      WHERE account_id = NEW.account_id ORDER BY id DESC LIMIT 1;
    IF NEW.balance_after_minor IS DISTINCT FROM COALESCE(newest.balance, 0) + NEW.amount_minor
        OR NEW.id <= newest.id THEN
      RAISE EXCEPTION 'a running balance follows from the entry before it'
        USING ERRCODE = 'check_violation';
    END IF;
  ELSIF NEW.balance_after_minor IS NOT NULL THEN
    RAISE EXCEPTION 'a running balance follows from the entry before it'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    _SUMS,
    _SUMS.replace("duka_sums_to_zero", "duka_still_sums").replace("NEW.id", "NEW.transaction_id"),
    """
CREATE FUNCTION duka_voucher_may_be_free(voucher) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN
  RETURN NOT EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = $1.id)
    AND (SELECT COUNT(*) FROM voucher_assignment WHERE voucher_id = $1.id)
      = (SELECT COUNT(*) FROM stock_return WHERE voucher_id = $1.id)
    AND NOT EXISTS (SELECT 1 FROM voucher_import WHERE id = $1.import_id
      AND state NOT IN ('releasing', 'complete'));
END $$""",
    """
CREATE FUNCTION duka_given_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.turn <> (SELECT COUNT(*) FROM stock_return WHERE voucher_id = NEW.voucher_id)
      OR EXISTS (SELECT 1 FROM voucher_aside WHERE voucher_id = NEW.voucher_id) THEN
    RAISE EXCEPTION 'a voucher is given once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
    """
CREATE FUNCTION duka_returned_unsold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM voucher_assignment a WHERE a.voucher_id = NEW.voucher_id
        AND a.batch_id = NEW.batch_id AND a.batch_index = NEW.batch_index AND a.turn =
        (SELECT COUNT(*) FROM stock_return WHERE voucher_id = NEW.voucher_id))
      OR EXISTS (SELECT 1 FROM stock_outcome o WHERE o.batch_id = NEW.batch_id
        AND o.batch_index = NEW.batch_index AND o.outcome = 'sold' AND NOT EXISTS
        (SELECT 1 FROM stock_outcome s WHERE s.batch_id = NEW.batch_id
        AND s.batch_index = NEW.batch_index AND s.outcome = 'spoiled')) THEN
    RAISE EXCEPTION 'only an unsold voucher comes back, once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$""",
)

_CHANGES = {
    ("sale", "a sale only moves forward"): """
  OLD.state <> 'reserved' OR NEW.state NOT IN ('delivered', 'refused')
  OR NEW.terminal_id <> OLD.terminal_id OR NEW.sequence <> OLD.sequence
  OR NEW.product_id <> OLD.product_id OR NEW.amount_minor <> OLD.amount_minor
  OR NEW.terminal_time <> OLD.terminal_time OR NEW.voucher_id IS DISTINCT FROM OLD.voucher_id
  OR NEW.arrival <> OLD.arrival""",
    ("voucher", "a voucher is given once"): """
  NEW.id <> OLD.id OR NEW.product_id <> OLD.product_id OR NEW.serial <> OLD.serial
  OR NEW.pin_sealed <> OLD.pin_sealed OR NEW.expires_at <> OLD.expires_at
  OR NEW.import_id IS DISTINCT FROM OLD.import_id
  OR NEW.import_line IS DISTINCT FROM OLD.import_line
  OR (OLD.pin_mark IS NOT NULL AND (NEW.pin_digest <> OLD.pin_digest
    OR NEW.pin_mark IS DISTINCT FROM OLD.pin_mark OR NEW.operator IS DISTINCT FROM OLD.operator))
  OR (NEW.free AND NOT OLD.free AND NOT duka_voucher_may_be_free(OLD))""",
    ("voucher_import", "an import only moves forward, and whole"): """
  NEW.id <> OLD.id OR NEW.sha256 <> OLD.sha256 OR NEW.count <> OLD.count
  OR OLD.state = 'recalled' OR (OLD.state = 'storing' AND NEW.state = 'complete')
  OR (OLD.state = 'complete' AND NEW.state <> 'recalled')
  OR (OLD.state = 'releasing' AND NEW.state = 'storing')""",
    ("database_restore", "a restore is only settled, once"): """
  OLD.settled_at IS NOT NULL OR NEW.settled_at IS NULL OR NEW.id <> OLD.id
  OR NEW.backup_id <> OLD.backup_id OR NEW.backup_at <> OLD.backup_at
  OR NEW.restored_at <> OLD.restored_at""",
}

_INSERTS = {
    "ledger_entry": "duka_entry_follows",
    "ledger_transaction": "duka_sums_to_zero",
    "voucher_assignment": "duka_given_in_turn",
    "stock_return": "duka_returned_unsold",
}

_WHOLE_IMPORT = """
CREATE FUNCTION duka_import_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.count <> (SELECT COUNT(*) FROM voucher WHERE import_id = NEW.id) THEN
    RAISE EXCEPTION 'an import only moves forward, and whole' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$"""


def upgrade() -> None:
    """Functions, then the triggers that call them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    do = op.get_bind().exec_driver_sql
    for function in (*_FUNCTIONS, _WHOLE_IMPORT):
        do(function)
    for table in _APPEND_ONLY:
        do(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION duka_append_only()"
        )
    for table in _KEPT:
        do(
            f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION duka_kept()"
        )
    for (table, words), changed in _CHANGES.items():
        do(
            f"CREATE TRIGGER {table}_forward BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN ({changed}) EXECUTE FUNCTION duka_refused('{words}')"
        )
    do(
        "CREATE TRIGGER voucher_import_whole BEFORE UPDATE ON voucher_import FOR EACH ROW "
        "WHEN (NEW.state = 'releasing') EXECUTE FUNCTION duka_import_is_whole()"
    )
    for table, function in _INSERTS.items():
        do(
            f"CREATE TRIGGER {table}_guard BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    do(
        "CREATE CONSTRAINT TRIGGER ledger_entry_sums AFTER INSERT ON ledger_entry "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION duka_still_sums()"
    )
