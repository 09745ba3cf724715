"""books in which nothing is real, and what may not cross between them and all others

What the books are is one row of `server_constant`, which is append-only: it comes before all else,
or never.
"""

from alembic import op

revision: str = "0033"
down_revision: str | None = "0031"
branch_labels = None
depends_on = None

_IS_SANDBOX = "EXISTS (SELECT 1 FROM server_constant WHERE name = 'books' AND value = 'sandbox')"
_BEGUN = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table})"  # noqa: S608 our own names
    for table in ("terminal", "voucher", "ledger_transaction", "supplier", "api_token")
)
_GUARDS = (
    # (name, when, table, what is refused, in what words)
    (
        "sandbox_first",
        "INSERT",
        "server_constant",
        f"NEW.name = 'books' AND ({_BEGUN})",
        "books that were begun are no sandbox",
    ),
    (
        "voucher_sandbox",
        "INSERT",
        "voucher",
        f"(substr(NEW.serial, 1, 8) = 'SANDBOX-') <> {_IS_SANDBOX}",
        "a voucher of a sandbox never leaves it, and no other comes in",
    ),
    *(
        (
            f"terminal_sandbox_{name}",
            when,
            "terminal",
            f"NEW.hardware_class <> 'program' AND {_IS_SANDBOX}",
            "a sandbox has no real terminal",
        )
        for name, when in (("made", "INSERT"), ("changed", "UPDATE OF hardware_class"))
    ),
    *(
        (
            f"supplier_sandbox_{name}",
            when,
            "supplier",
            f"(NEW.kind = 'sandbox') <> {_IS_SANDBOX}",
            "a sandbox has its own supplier, and nobody else has it",
        )
        for name, when in (("made", "INSERT"), ("changed", "UPDATE OF kind"))
    ),
)


def upgrade() -> None:
    """No books that there are become a sandbox's."""
    for name, when, table, refused, words in _GUARDS:
        if op.get_bind().dialect.name == "postgresql":
            # A condition of a trigger cannot ask other tables there; a function's can.
            op.get_bind().exec_driver_sql(
                f"CREATE FUNCTION duka_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {refused} THEN RAISE EXCEPTION '{words}' USING ERRCODE = 'check_violation'; "
                "END IF; RETURN NEW; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {when} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION duka_{name}()"
            )
            continue
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} ON {table} WHEN {refused} "
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )
