"""terminals that were reported stolen"""

import sqlalchemy as sa
from alembic import op

revision: str = "0044"
down_revision: str | None = "0043"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """None was: those that are blocked stay so."""
    op.add_column("terminal", sa.Column("stolen_at", BIG))
