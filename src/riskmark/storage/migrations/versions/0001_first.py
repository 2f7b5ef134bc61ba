"""Everything that a book, its market data, the ledger, its results and runs need."""

import sqlalchemy as sa
from alembic import op

from riskmark.storage.types import ExactDecimal, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = Instant()
EXACT = ExactDecimal()


def upgrade() -> None:
    """Create the schema, the local account and the ledger's clock."""
    _create_books()
    _create_market_data()
    _create_ledger()
    _create_results()
    _create_runs()
    _create_views()
    _seed()


def _create_books() -> None:
    op.create_table(
        "account",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", KEY, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.CheckConstraint("role IN ('owner', 'admin')", name=op.f("ck_account_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "instrument",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("owner_id", KEY, nullable=True),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("sector", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("underlying", KEY, nullable=True),
        sa.Column("strike", EXACT, nullable=True),
        sa.Column("expiry", sa.Date(), nullable=True),
        sa.Column("option_type", sa.Text(), nullable=True),
        sa.Column("data_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('stock', 'etf', 'fund', 'index', 'private', 'option', 'other')",
            name=op.f("ck_instrument_kind"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_instrument_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument")),
    )
    op.create_table(
        "portfolio",
        sa.Column("id", KEY, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("kind", sa.Text(), server_default="book", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column("account_type", sa.Text(), nullable=True),
        sa.Column("opening_equity", EXACT, nullable=True),
        sa.Column("benchmark_id", SERIAL, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('book', 'combined')", name=op.f("ck_portfolio_kind")),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["instrument.id"], name=op.f("fk_portfolio_benchmark_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_portfolio_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
    )
    op.create_index(
        "uq_portfolio_owner_name_live",
        "portfolio",
        ["owner_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "portfolio_member",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.CheckConstraint(
            "portfolio_id <> member_id", name=op.f("ck_portfolio_member_not_itself")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["portfolio.id"], name=op.f("fk_portfolio_member_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_portfolio_member_portfolio_id")
        ),
        sa.PrimaryKeyConstraint("portfolio_id", "member_id", name=op.f("pk_portfolio_member")),
    )
    op.create_index(op.f("ix_portfolio_member_member_id"), "portfolio_member", ["member_id"])
    op.create_table(
        "lot",
        sa.Column("id", KEY, nullable=False),
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("quantity", EXACT, nullable=False),
        sa.Column("entry_date", sa.Date(), nullable=False),
        sa.Column("entry_price", EXACT, nullable=False),
        sa.Column("exit_date", sa.Date(), nullable=True),
        sa.Column("exit_price", EXACT, nullable=True),
        sa.Column("multiplier", EXACT, nullable=False),
        sa.Column("investment_class", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "(exit_date IS NULL) = (exit_price IS NULL)", name=op.f("ck_lot_exit_whole")
        ),
        sa.CheckConstraint(
            "exit_date IS NULL OR exit_date >= entry_date", name=op.f("ck_lot_exit_after_entry")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_lot_instrument_id")
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_lot_portfolio_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
    )
    op.create_index(op.f("ix_lot_instrument_id"), "lot", ["instrument_id"])
    op.create_index(op.f("ix_lot_portfolio_id"), "lot", ["portfolio_id"])
    op.create_table(
        "flow",
        sa.Column("id", KEY, nullable=False),
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_flow_portfolio_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow")),
    )
    op.create_index(op.f("ix_flow_portfolio_id"), "flow", ["portfolio_id"])
    op.create_table(
        "instrument_alias",
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("renamed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_instrument_alias_instrument_id")
        ),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_instrument_alias")),
    )
    op.create_index(
        op.f("ix_instrument_alias_instrument_id"), "instrument_alias", ["instrument_id"]
    )
    op.create_table(
        "acceptance",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_acceptance_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_acceptance")),
    )
    op.create_table(
        "valuation",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("price", EXACT, nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_valuation_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "date", name=op.f("pk_valuation")),
    )
    # An instrument without an owner is public; COALESCE makes two nulls the same on both.
    op.create_index(
        "uq_instrument_owner_symbol",
        "instrument",
        [sa.text("COALESCE(owner_id, '')"), "symbol"],
        unique=True,
    )


def _create_market_data() -> None:
    op.create_table(
        "calendar_session",
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_calendar_session")),
        sa.UniqueConstraint("ordinal", name=op.f("uq_calendar_session_ordinal")),
    )
    op.create_table(
        "calendar_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("closures", sa.Text(), nullable=False),
        sa.Column("library_version", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_calendar_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_state")),
    )
    op.create_table(
        "price",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("open", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("close", sa.Double(), nullable=False),
        sa.Column("volume", sa.Double(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.CheckConstraint("close > 0", name=op.f("ck_price_close_positive")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_price_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "session", name=op.f("pk_price")),
    )
    op.create_table(
        "price_pack",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("data_revision", sa.BigInteger(), nullable=False),
        sa.Column("calendar_revision", sa.Integer(), nullable=False),
        sa.Column("first_ordinal", sa.Integer(), nullable=False),
        sa.Column("closes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_price_pack")),
        comment="closes of an instrument, packed: a cache of the table price, never the truth",
    )
    op.create_table(
        "price_correction",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("old_close", sa.Double(), nullable=False),
        sa.Column("new_close", sa.Double(), nullable=False),
        sa.Column("old_provider", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_price_correction_instrument_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_correction")),
    )
    op.create_index(
        op.f("ix_price_correction_instrument_id"), "price_correction", ["instrument_id"]
    )
    op.create_table(
        "quarantine",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("from_session", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("released_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_quarantine_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "from_session", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "action",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("ex_date", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('split', 'dividend', 'spinoff')", name=op.f("ck_action_kind")),
        sa.CheckConstraint("value > 0", name=op.f("ck_action_value_positive")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_action_instrument_id")
        ),
        sa.PrimaryKeyConstraint("instrument_id", "ex_date", "kind", name=op.f("pk_action")),
    )


def _create_ledger() -> None:
    op.create_table(
        "input_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_input_clock_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_input_clock")),
    )
    op.create_table(
        "input_change",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("portfolio_id", KEY, nullable=True),
        sa.Column("instrument_id", SERIAL, nullable=True),
        sa.Column("from_session", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_input_change")),
    )
    op.create_index(op.f("ix_input_change_revision"), "input_change", ["revision"])
    op.create_table(
        "portfolio_progress",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("first_session", sa.Date(), nullable=True),
        sa.Column("snapshots", sa.Integer(), nullable=False),
        sa.Column("inputs_revision", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.Integer(), nullable=False),
        sa.Column("settings_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolio.id"], name=op.f("fk_portfolio_progress_portfolio_id")
        ),
        sa.PrimaryKeyConstraint("portfolio_id", name=op.f("pk_portfolio_progress")),
    )


def _create_results() -> None:
    op.create_table(
        "snapshot",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.Column("nav", sa.Double(), nullable=True),
        sa.Column("cash", sa.Double(), nullable=True),
        sa.Column("long_value", sa.Double(), nullable=True),
        sa.Column("short_value", sa.Double(), nullable=True),
        sa.Column("gross", sa.Double(), nullable=True),
        sa.Column("net", sa.Double(), nullable=True),
        sa.Column("flow", sa.Double(), nullable=True),
        sa.Column("inflow", sa.Double(), nullable=True),
        sa.Column("outflow", sa.Double(), nullable=True),
        sa.Column("pnl", sa.Double(), nullable=True),
        sa.Column("return", sa.Double(), nullable=True),
        sa.Column("income", sa.Double(), nullable=True),
        sa.Column("cum_realized", sa.Double(), nullable=True),
        sa.Column("cum_unrealized", sa.Double(), nullable=True),
        sa.Column("cum_income", sa.Double(), nullable=True),
        sa.Column("excluded_weight", sa.Double(), nullable=True),
        sa.Column("proxied_weight", sa.Double(), nullable=True),
        sa.Column("twr_mtd", sa.Double(), nullable=True),
        sa.Column("twr_qtd", sa.Double(), nullable=True),
        sa.Column("twr_ytd", sa.Double(), nullable=True),
        sa.Column("twr_1m", sa.Double(), nullable=True),
        sa.Column("twr_3m", sa.Double(), nullable=True),
        sa.Column("twr_6m", sa.Double(), nullable=True),
        sa.Column("twr_1y", sa.Double(), nullable=True),
        sa.Column("twr_inception", sa.Double(), nullable=True),
        sa.Column("mwr_inception", sa.Double(), nullable=True),
        sa.Column("max_drawdown", sa.Double(), nullable=True),
        sa.Column("drawdown", sa.Double(), nullable=True),
        sa.Column("volatility", sa.Double(), nullable=True),
        sa.Column("sharpe", sa.Double(), nullable=True),
        sa.Column("sortino", sa.Double(), nullable=True),
        sa.Column("beta", sa.Double(), nullable=True),
        sa.Column("beta_1y", sa.Double(), nullable=True),
        sa.Column("vol_21", sa.Double(), nullable=True),
        sa.Column("vol_63", sa.Double(), nullable=True),
        sa.Column("vol_252", sa.Double(), nullable=True),
        sa.Column("hhi", sa.Double(), nullable=True),
        sa.Column("effective_positions", sa.Double(), nullable=True),
        sa.Column("top_1", sa.Double(), nullable=True),
        sa.Column("top_3", sa.Double(), nullable=True),
        sa.Column("top_10", sa.Double(), nullable=True),
        sa.Column("mwr_annualized", sa.Boolean(), nullable=True),
        sa.Column("drawdown_peak", sa.Date(), nullable=True),
        sa.Column("drawdown_trough", sa.Date(), nullable=True),
        sa.Column("drawdown_recovery", sa.Date(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("nulls", sa.Text(), nullable=False),
        sa.Column("windows", sa.Text(), nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("computed_at", INSTANT, nullable=False),
        sa.Column("inputs_revision", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.Integer(), nullable=False),
        sa.Column("settings_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", "session", name=op.f("pk_snapshot")),
    )
    op.create_index(
        "ix_snapshot_partial",
        "snapshot",
        ["portfolio_id", "session"],
        sqlite_where=sa.text("state = 'partial'"),
        postgresql_where=sa.text("state = 'partial'"),
    )
    op.create_index(op.f("ix_snapshot_session"), "snapshot", ["session"])
    op.create_table(
        "position_value",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("mark", sa.Double(), nullable=True),
        sa.Column("mark_kind", sa.Text(), nullable=True),
        sa.Column("mark_age", sa.Integer(), nullable=True),
        sa.Column("market_value", sa.Double(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("pnl", sa.Double(), nullable=False),
        sa.Column("beta", sa.Double(), nullable=True),
        sa.Column("beta_null", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "session", "instrument_id", name=op.f("pk_position_value")
        ),
    )
    op.create_table(
        "factor_exposure",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("model", KEY, nullable=False),
        sa.Column("factor", KEY, nullable=False),
        sa.Column("exposure", sa.Double(), nullable=True),
        sa.Column("exposure_null", sa.Text(), nullable=True),
        sa.Column("money", sa.Double(), nullable=True),
        sa.Column("money_null", sa.Text(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=True),
        sa.Column("coverage_null", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "session", "model", "factor", name=op.f("pk_factor_exposure")
        ),
    )
    op.create_table(
        "sector_exposure",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("sector", KEY, nullable=False),
        sa.Column("long", sa.Double(), nullable=True),
        sa.Column("short", sa.Double(), nullable=True),
        sa.Column("net", sa.Double(), nullable=True),
        sa.Column("gross", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "session", "sector", name=op.f("pk_sector_exposure")
        ),
    )
    op.create_table(
        "symbol_fit",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("model", KEY, nullable=False),
        sa.Column("factor", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=True),
        sa.Column("beta", sa.Double(), nullable=True),
        sa.Column("stderr", sa.Double(), nullable=True),
        sa.Column("r2", sa.Double(), nullable=True),
        sa.Column("residual_sd", sa.Double(), nullable=True),
        sa.Column("quality", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("instrument_id", "model", "factor", name=op.f("pk_symbol_fit")),
    )
    op.create_table(
        "symbol_metric",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("data_revision", sa.BigInteger(), nullable=False),
        sa.Column("settings_hash", sa.Text(), nullable=False),
        sa.Column("close", sa.Double(), nullable=True),
        sa.Column("mark_kind", sa.Text(), nullable=False),
        sa.Column("mark_age", sa.Integer(), nullable=True),
        sa.Column("return", sa.Double(), nullable=True),
        sa.Column("vol_21", sa.Double(), nullable=True),
        sa.Column("vol_63", sa.Double(), nullable=True),
        sa.Column("vol_252", sa.Double(), nullable=True),
        sa.Column("high_252", sa.Double(), nullable=True),
        sa.Column("low_252", sa.Double(), nullable=True),
        sa.Column("observed_252", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_symbol_metric")),
    )
    op.create_table(
        "restatement",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_values", sa.Text(), nullable=False),
        sa.Column("new_values", sa.Text(), nullable=True),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restatement")),
    )
    op.create_index(op.f("ix_restatement_portfolio_id"), "restatement", ["portfolio_id"])
    op.create_table(
        "restatement_summary",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("snapshots", sa.Integer(), nullable=False),
        sa.Column("largest_change", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "measure", "reason", name=op.f("pk_restatement_summary")),
    )


def _create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("requested_by", KEY, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_key", KEY, nullable=False),
        sa.Column("target", sa.Date(), nullable=False),
        sa.Column("from_session", sa.Date(), nullable=True),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=True),
        sa.Column("heartbeat_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("cells_planned", sa.Integer(), nullable=False),
        sa.Column("cells_complete", sa.Integer(), nullable=False),
        sa.Column("cells_partial", sa.Integer(), nullable=False),
        sa.Column("cells_failed", sa.Integer(), nullable=False),
        sa.Column("cells_deleted", sa.Integer(), nullable=False),
        sa.Column("symbols_asked", sa.Integer(), nullable=False),
        sa.Column("symbols_received", sa.Integer(), nullable=False),
        sa.Column("symbols_unavailable", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')",
            name=op.f("ck_run_status"),
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["account.id"], name=op.f("fk_run_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(
        "ix_run_live",
        "run",
        ["status"],
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_run_live_scope",
        "run",
        ["scope_key"],
        unique=True,
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "run_request",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("requested_by", KEY, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("served", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["account.id"], name=op.f("fk_run_request_requested_by")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_request_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_request")),
    )
    op.create_index(op.f("ix_run_request_run_id"), "run_request", ["run_id"])
    op.create_table(
        "run_phase",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_phase_run_id")),
        sa.PrimaryKeyConstraint("run_id", "phase", name=op.f("pk_run_phase")),
    )
    op.create_table(
        "run_event",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_event_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_event")),
    )
    op.create_index(op.f("ix_run_event_run_id"), "run_event", ["run_id"])
    op.create_table(
        "run_symbol",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("symbol", KEY, nullable=False),
        sa.Column("provider", KEY, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_symbol_run_id")),
        sa.PrimaryKeyConstraint("run_id", "symbol", "provider", name=op.f("pk_run_symbol")),
    )
    op.create_table(
        "run_failure",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("from_session", sa.Date(), nullable=False),
        sa.Column("to_session", sa.Date(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_failure_run_id")),
        sa.PrimaryKeyConstraint(
            "run_id", "portfolio_id", "from_session", name=op.f("pk_run_failure")
        ),
    )


def _create_views() -> None:
    op.execute(
        "CREATE VIEW v_latest AS SELECT p.name, s.* FROM snapshot s "
        "JOIN portfolio p ON p.id = s.portfolio_id AND p.deleted_at IS NULL "
        "WHERE s.session = (SELECT MAX(session) FROM snapshot WHERE portfolio_id = p.id)"
    )
    op.execute(
        "CREATE VIEW v_status AS SELECT p.id, p.name, g.first_session, g.snapshots, "
        "MIN(s.session) AS first_stored, MAX(s.session) AS valued_through, "
        "COUNT(s.session) AS stored, "
        "SUM(CASE WHEN s.state = 'partial' THEN 1 ELSE 0 END) AS partial_sessions "
        "FROM portfolio p LEFT JOIN portfolio_progress g ON g.portfolio_id = p.id "
        "LEFT JOIN snapshot s ON s.portfolio_id = p.id WHERE p.deleted_at IS NULL "
        "GROUP BY p.id, p.name, g.first_session, g.snapshots"
    )


def _seed() -> None:
    op.execute(
        "INSERT INTO account (id, name, role, created_at) "
        "VALUES ('local', 'local operator', 'admin', '1970-01-01 00:00:00.000000+00')"
        if op.get_bind().dialect.name == "postgresql"
        else "INSERT INTO account (id, name, role, created_at) "
        "VALUES ('local', 'local operator', 'admin', '1970-01-01 00:00:00.000000')"
    )
    op.execute("INSERT INTO input_clock (id, revision) VALUES (1, 0)")
