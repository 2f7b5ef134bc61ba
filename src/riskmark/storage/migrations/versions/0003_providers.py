"""Requests and circuits of providers, symbols that they lack, and what they were asked for."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "provider_limit",
        sa.Column("domain", KEY, nullable=False),
        sa.Column("calls", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_calls", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_provider_limit")),
    )
    op.create_table(
        "provider_symbol",
        sa.Column("provider", KEY, nullable=False),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "symbol", name=op.f("pk_provider_symbol")),
    )
    op.create_table(
        "price_check",
        sa.Column("instrument_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("target", sa.Date(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_price_check")),
    )
