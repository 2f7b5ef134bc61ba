"""Imported factor returns, benchmark weights, and robust errors of stored fits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_ALL = sa.text("instrument_id IS NULL AND portfolio_id IS NULL")


def upgrade() -> None:
    """Add the tables, the columns, and the index that finds changes that touch everything."""
    op.create_table(
        "factor_return",
        sa.Column("factor", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("return", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("factor", "session", name=op.f("pk_factor_return")),
    )
    op.create_table(
        "benchmark_weight",
        sa.Column("benchmark_id", SERIAL, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.CheckConstraint("kind IN ('symbol', 'sector')", name=op.f("ck_benchmark_weight_kind")),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["instrument.id"], name=op.f("fk_benchmark_weight_benchmark_id")
        ),
        sa.PrimaryKeyConstraint(
            "benchmark_id", "date", "kind", "name", name=op.f("pk_benchmark_weight")
        ),
    )
    op.create_index(
        "ix_input_change_of_all",
        "input_change",
        ["revision"],
        sqlite_where=OF_ALL,
        postgresql_where=OF_ALL,
    )
    for name in ("stderr_hac", "vif"):
        op.add_column("symbol_fit", sa.Column(name, sa.Double(), nullable=True))
