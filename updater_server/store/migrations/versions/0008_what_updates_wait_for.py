"""what updates wait for, and when the last failure was told"""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("check_in", sa.Column("failure_at", big, nullable=True))
    op.add_column("check_in", sa.Column("wait_release", big, nullable=True))
    op.add_column("check_in", sa.Column("wait_code", sa.String(length=16), nullable=True))
    op.add_column("check_in", sa.Column("wait_since", big, nullable=True))
