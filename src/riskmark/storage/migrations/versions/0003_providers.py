"""Requests and circuits of providers, what they were asked for, lack and say of symbols."""

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
    """Add the tables."""
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
    _add_profiles()
    _add_cross_checks()


def _add_profiles() -> None:
    op.create_table(
        "symbol_profile",
        sa.Column("instrument_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("kind_by", sa.Text(), nullable=True),
        sa.Column("name_by", sa.Text(), nullable=True),
        sa.Column("sector_by", sa.Text(), nullable=True),
        sa.Column("currency_by", sa.Text(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("conflict", sa.Text(), nullable=True),
        sa.Column("conflict_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_symbol_profile")),
    )


def _add_cross_checks() -> None:
    op.create_table(
        "cross_check",
        sa.Column("instrument_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("target", sa.Date(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_cross_check")),
    )
    op.create_table(
        "price_difference",
        sa.Column("instrument_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("provider", KEY, nullable=False),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("stored_close", sa.Double(), nullable=False),
        sa.Column("stored_provider", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "instrument_id", "session", "provider", name=op.f("pk_price_difference")
        ),
    )
    op.create_table(
        "held_action",
        sa.Column("instrument_id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", KEY, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "instrument_id", "ex_date", "kind", "provider", name=op.f("pk_held_action")
        ),
    )
