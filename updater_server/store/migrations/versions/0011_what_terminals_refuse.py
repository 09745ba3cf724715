"""what terminals refuse: batches that they stopped, files reported"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("stock_batch", sa.Column("stopped_at", big))
    op.add_column("check_in", sa.Column("refused_files", sa.String()))
