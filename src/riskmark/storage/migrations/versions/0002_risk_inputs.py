"""Factor returns and benchmark weights that are imported; risk, factor risk and stress."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RISK = (
    "pnl_hypothetical",
    "rates_beta", "vol_ewma", "vol_har_1d", "vol_har_21d", "vol_trend", "vol_percentile",
    "har_fallback", "var_95", "var_99", "es_95", "es_99", "var_95_param", "var_99_param",
    "var_95_money", "var_99_money", "es_95_money", "es_99_money",
    "var_95_param_money", "var_99_param_money",
    "tracking_error", "active_beta", "benchmark_correlation", "information_ratio",
    "effective_bets", "diversification_ratio",
    "factor_share", "specific_share", "corr_mean", "corr_mean_abs", "effective_rank",
)  # fmt: skip
OF_ALL = sa.text("instrument_id IS NULL AND portfolio_id IS NULL")


def upgrade() -> None:
    """Add the tables, the columns, and the index that finds changes that touch everything."""
    _create_inputs()
    _create_results()


def _create_inputs() -> None:
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


def _create_results() -> None:
    for name in RISK:
        op.add_column("snapshot", sa.Column(name, sa.Double(), nullable=True))
    for table, names in (
        ("position_value", ("component_es_95",)),
        ("factor_exposure", ("stderr", "risk_share")),
    ):
        for name in names:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True))
            op.add_column(table, sa.Column(f"{name}_null", sa.Text(), nullable=True))
    op.create_table(
        "stress_result",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("scenario", KEY, nullable=False),
        sa.Column("direct", sa.Double(), nullable=True),
        sa.Column("direct_null", sa.Text(), nullable=True),
        sa.Column("predictive", sa.Double(), nullable=True),
        sa.Column("predictive_null", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id", "session", "scenario", name=op.f("pk_stress_result")
        ),
    )
    # PostgreSQL keeps a view's columns as they were when it was made.
    op.execute("DROP VIEW v_latest")
    op.execute(
        "CREATE VIEW v_latest AS SELECT p.name, s.* FROM snapshot s "
        "JOIN portfolio p ON p.id = s.portfolio_id AND p.deleted_at IS NULL "
        "WHERE s.session = (SELECT MAX(session) FROM snapshot WHERE portfolio_id = p.id)"
    )
