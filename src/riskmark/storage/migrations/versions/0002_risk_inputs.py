"""Imported factor returns and benchmark weights; risk numbers; lines packed by cell."""

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
    "effective_bets", "diversification_ratio", "nonlinear_weight",
    "factor_share", "specific_share", "corr_mean", "corr_mean_abs", "effective_rank",
)  # fmt: skip
OF_ALL = sa.text("instrument_id IS NULL AND portfolio_id IS NULL")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")

NUMBER, WHOLE, TEXT = "double precision", "bigint", "text"
OF_OPTIONS = {
    "booked_to": WHOLE, "exposure": NUMBER, "units": NUMBER, "underlying_price": NUMBER,
    "volatility": NUMBER, "delta": NUMBER, "gamma": NUMBER, "vega": NUMBER, "theta": NUMBER,
    "rho": NUMBER, "greeks_null": TEXT, "implied_vol": NUMBER, "implied_vol_null": TEXT,
}  # fmt: skip
"""What the lines of options go on with, since now; those of other positions end before."""
VIEWS = {
    "position_value": (
        "cell_pack", "positions", ("portfolio_id", "session"),
        {
            "instrument_id": WHOLE, "quantity": NUMBER, "mark": NUMBER, "mark_kind": TEXT,
            "mark_age": WHOLE, "market_value": NUMBER, "weight": NUMBER, "pnl": NUMBER,
            "beta": NUMBER, "beta_null": TEXT,
            "component_es_95": NUMBER, "component_es_95_null": TEXT,
            **OF_OPTIONS,
        },
    ),
    "factor_exposure": (
        "cell_pack", "exposures", ("portfolio_id", "session"),
        {
            "model": TEXT, "factor": TEXT, "exposure": NUMBER, "exposure_null": TEXT,
            "money": NUMBER, "money_null": TEXT, "stderr": NUMBER, "stderr_null": TEXT,
            "coverage": NUMBER, "coverage_null": TEXT, "risk_share": NUMBER,
            "risk_share_null": TEXT,
        },
    ),
    "stress_result": (
        "cell_pack", "stress", ("portfolio_id", "session"),
        {
            "scenario": TEXT, "direct": NUMBER, "direct_null": TEXT, "predictive": NUMBER,
            "predictive_null": TEXT, "beyond_delta": NUMBER,
        },
    ),
    "sector_exposure": (
        "cell_pack", "sectors", ("portfolio_id", "session"),
        {"sector": TEXT, "long": NUMBER, "short": NUMBER, "net": NUMBER, "gross": NUMBER},
    ),
    "symbol_fit": (
        "fit_pack", "fits", ("instrument_id", "session"),
        {
            "model": TEXT, "factor": TEXT, "n": WHOLE, "alpha": NUMBER, "beta": NUMBER,
            "stderr": NUMBER, "r2": NUMBER, "residual_sd": NUMBER, "quality": TEXT,
            "reason": TEXT, "stderr_hac": NUMBER, "vif": NUMBER,
        },
    ),
}  # fmt: skip
"""Views that read packed lines as rows: table, column, keys, and the fields of a line."""
SINCE_NOW = frozenset(
    {"component_es_95", "component_es_95_null", "stderr_null", "risk_share", "risk_share_null",
     "stderr_hac", "vif"}
)  # fmt: skip
"""Fields that no line has had before."""


def upgrade() -> None:
    """Add the tables, the columns, and the index that finds changes that touch everything."""
    _create_inputs()
    _create_results()
    _pack_lines()


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


def _create_results() -> None:
    for name in RISK:
        op.add_column("snapshot", sa.Column(name, sa.Double(), nullable=True))
    # PostgreSQL keeps a view's columns as they were when it was made.
    op.execute("DROP VIEW v_latest")
    op.execute(
        "CREATE VIEW v_latest AS SELECT p.name, s.* FROM snapshot s "
        "JOIN portfolio p ON p.id = s.portfolio_id AND p.deleted_at IS NULL "
        "WHERE s.session = (SELECT MAX(session) FROM snapshot WHERE portfolio_id = p.id)"
    )


def _pack_lines() -> None:
    """Pack the rows that are there, and put views in the places of their tables."""
    op.create_table(
        "cell_pack",
        sa.Column("portfolio_id", KEY, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        *(
            sa.Column(name, JSON, nullable=False)
            for name in ("positions", "exposures", "stress", "sectors")
        ),
        sa.PrimaryKeyConstraint("portfolio_id", "session", name=op.f("pk_cell_pack")),
    )
    op.create_table(
        "fit_pack",
        sa.Column("instrument_id", SERIAL, nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("fits", JSON, nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("pk_fit_pack")),
    )
    cell = "t.portfolio_id = s.portfolio_id AND t.session = s.session"
    op.execute(
        "INSERT INTO cell_pack (portfolio_id, session, positions, exposures, stress, sectors) "
        f"SELECT s.portfolio_id, s.session, {_packed('position_value', cell)}, "
        f"{_packed('factor_exposure', cell)}, '[]', {_packed('sector_exposure', cell)} "
        "FROM snapshot s"
    )
    of_symbol = _packed("symbol_fit", "t.instrument_id = s.instrument_id")
    op.execute(
        "INSERT INTO fit_pack (instrument_id, session, fits) "
        f"SELECT s.instrument_id, MAX(s.session), {of_symbol} FROM symbol_fit s "
        "GROUP BY s.instrument_id"
    )
    for name in VIEWS:
        if name != "stress_result":
            op.drop_table(name)
        op.execute(f"CREATE VIEW {name} AS {_unpacked(name)}")


def _packed(name: str, condition: str) -> str:
    """Return the expression that packs the rows of a table; stderr was there of fits alone."""
    fields = [
        field for field in VIEWS[name][3] if name != "position_value" or field not in OF_OPTIONS
    ]
    lacking = SINCE_NOW | ({"stderr"} if name == "factor_exposure" else set())
    values = ", ".join("NULL" if field in lacking else f't."{field}"' for field in fields)
    if op.get_bind().dialect.name == "sqlite":
        line, lines = f"json_array({values})", "json_group_array(json({line}))"
    else:
        line, lines = f"json_build_array({values})", "json_agg({line})"
    packed = lines.format(line=line)
    return f"(SELECT COALESCE({packed}, '[]') FROM {name} t WHERE {condition})"


def _unpacked(name: str) -> str:
    """Return the query that reads lines as rows."""
    table, column, keys, fields = VIEWS[name]
    heads = ", ".join(f"p.{key}" for key in keys)
    if op.get_bind().dialect.name == "sqlite":
        parts = [
            f"json_extract(line.value, '$[{place}]') AS \"{field}\""
            for place, field in enumerate(fields)
        ]
        return f"SELECT {heads}, {', '.join(parts)} FROM {table} p, json_each(p.{column}) line"
    parts = [
        f'(line ->> {place})::{kind} AS "{field}"'
        for place, (field, kind) in enumerate(fields.items())
    ]
    return (
        f"SELECT {heads}, {', '.join(parts)} "
        f"FROM {table} p CROSS JOIN LATERAL json_array_elements(p.{column}) AS line"
    )
