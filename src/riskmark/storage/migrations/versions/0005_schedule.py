"""Firings of the schedule, notices that wait to be sent, and totals of all runs."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the three tables; totals count from here on."""
    op.create_table(
        "schedule_firing",
        sa.Column("schedule", KEY, nullable=False),
        sa.Column("instant", Instant(), nullable=False),
        sa.Column("expression", sa.Text(), nullable=True),
        sa.Column("run_id", KEY, nullable=True),
        sa.Column("fired_at", Instant(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("schedule", "instant", name=op.f("pk_schedule_firing")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", KEY, nullable=False),
        sa.Column("event", KEY, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("channel", KEY, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'sent', 'given_up')", name=op.f("ck_outbox_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "uq_outbox_subject_event_channel", "outbox", ["subject", "event", "channel"], unique=True
    )
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_outbox_to_send", "outbox", ["next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "run_total",
        sa.Column("measure", KEY, nullable=False),
        sa.Column("label", KEY, nullable=False),
        sa.Column("second", KEY, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("measure", "label", "second", name=op.f("pk_run_total")),
    )
