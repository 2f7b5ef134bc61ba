"""The queue of runs: how urgent, how large, for whom, and not before when."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs of before were not for a worker."""
    op.add_column("run", sa.Column("priority", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("run", sa.Column("scope_size", sa.Integer(), nullable=True))
    op.add_column(
        "run",
        sa.Column("for_worker", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("run", sa.Column("not_before", Instant(), nullable=True))
