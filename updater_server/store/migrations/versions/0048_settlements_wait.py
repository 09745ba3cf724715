"""behind which record a terminal has told nothing but settlements, which wait for company"""

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | None = "0047"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """None said so: they told each settlement."""
    op.add_column("check_in", sa.Column("journal_needed", BIG))
