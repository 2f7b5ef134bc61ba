"""Which cells have lost the lines of their positions to retention, and which still have them."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEPT = sa.text("pruned_at IS NULL")


def upgrade() -> None:
    """Add the column, and the index that finds old cells that still have their lines."""
    op.add_column("cell_pack", sa.Column("pruned_at", Instant(), nullable=True))
    op.create_index(
        "ix_cell_pack_kept",
        "cell_pack",
        ["session"],
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    )
