"""People: passwords, sessions, tokens, grants, tries, the audit log; edits that await a run."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")


def upgrade() -> None:
    """Add what accounts need."""
    op.add_column("account", sa.Column("password_hash", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    _add_ways_in()
    _add_sharing()
    op.create_table(
        "audit_entry",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("account_id", KEY, nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])


def _add_ways_in() -> None:
    op.create_table(
        "web_session",
        sa.Column("token_hash", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        _account_of("web_session"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"])
    op.create_table(
        "api_token",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token_hash", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        _account_of("api_token"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_account_id"), "api_token", ["account_id"])
    op.create_table(
        "setup_link",
        sa.Column("token_hash", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        _account_of("setup_link"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_link")),
    )
    op.create_index(op.f("ix_setup_link_account_id"), "setup_link", ["account_id"])
    op.create_table(
        "sign_in_try",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    op.create_index("ix_sign_in_try_subject_at", "sign_in_try", ["subject", "at"])


def _add_sharing() -> None:
    op.create_table(
        "portfolio_grant",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("granted_by", KEY, nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        _portfolio_of("portfolio_grant"),
        _account_of("portfolio_grant"),
        _account_of("portfolio_grant", "granted_by"),
        sa.PrimaryKeyConstraint("portfolio_id", "account_id", name=op.f("pk_portfolio_grant")),
    )
    op.create_index(op.f("ix_portfolio_grant_account_id"), "portfolio_grant", ["account_id"])
    op.create_table(
        "portfolio_edit",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("account_id", KEY, nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        _portfolio_of("portfolio_edit"),
        _account_of("portfolio_edit"),
        sa.PrimaryKeyConstraint("portfolio_id", name=op.f("pk_portfolio_edit")),
    )
    op.create_index(op.f("ix_portfolio_edit_due_at"), "portfolio_edit", ["due_at"])


def _account_of(table: str, column: str = "account_id") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], ["account.id"], name=name)


def _portfolio_of(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_portfolio_id")
    return sa.ForeignKeyConstraint(["portfolio_id"], ["portfolio.id"], name=name)
