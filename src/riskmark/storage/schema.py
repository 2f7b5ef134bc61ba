"""The schema: every table, once. The migrations build it; a test compares the two.

One long file, because it is looked up as a whole: which tables there are, and what joins them.

Text keys sort by code point on both databases. Tables of results have no foreign keys:
they are written in bulk by the shard's transaction alone, which holds the portfolio's
progress row, and ``verify`` checks what a foreign key would.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    func,
    text,
)

from riskmark.domain.measures import STORED
from riskmark.storage.types import ExactDecimal, Instant

HEAD = "0007"
"""The newest migration; a test holds it against the migrations."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = Text().with_variant(Text(collation="C"), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")
Json = Text().with_variant(JSON(), "postgresql")

LOCAL_ACCOUNT = "local"
"""The one account until accounts come: whoever runs the command line."""

account = Table(
    "account",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Key, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("password_hash", Text),
    Column("totp_secret", Text),
    Column("totp_step", BigInteger),
    CheckConstraint("role IN ('owner', 'admin')", name="role"),
)

web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", Key, primary_key=True),
    Column("account_id", Key, ForeignKey("account.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("client", Text, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Key, primary_key=True),
    Column("token_hash", Key, nullable=False, unique=True),
    Column("account_id", Key, ForeignKey("account.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
)

setup_link = Table(
    "setup_link",
    metadata,
    Column("token_hash", Key, primary_key=True),
    Column("account_id", Key, ForeignKey("account.id"), nullable=False, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("subject", Key, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_sign_in_try_subject_at", "subject", "at"),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False, index=True),
    Column("account_id", Key),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("detail", Json, nullable=False),
)

instrument = Table(
    "instrument",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("owner_id", Key, ForeignKey("account.id")),
    Column("symbol", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    Column("sector", Text),
    Column("currency", Text, nullable=False),
    Column("underlying", Key),
    Column("strike", ExactDecimal),
    Column("expiry", Date),
    Column("option_type", Text),
    Column("data_revision", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    CheckConstraint(
        "kind IN ('stock', 'etf', 'fund', 'index', 'private', 'option', 'other')", name="kind"
    ),
)
# An instrument without an owner is public; COALESCE makes two nulls the same on both databases.
Index(
    "uq_instrument_owner_symbol",
    func.coalesce(instrument.c.owner_id, text("''")),
    instrument.c.symbol,
    unique=True,
)

instrument_alias = Table(
    "instrument_alias",
    metadata,
    Column("symbol", Key, primary_key=True),
    Column("instrument_id", Serial, ForeignKey("instrument.id"), nullable=False, index=True),
    Column("renamed_on", Date, nullable=False),
)

acceptance = Table(
    "acceptance",
    metadata,
    Column("instrument_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("note", Text, nullable=False),
    Column("accepted_at", Instant, nullable=False),
)

portfolio = Table(
    "portfolio",
    metadata,
    Column("id", Key, primary_key=True),
    Column("owner_id", Key, ForeignKey("account.id"), nullable=False),
    Column("name", Key, nullable=False),
    Column("kind", Text, nullable=False, server_default="book"),
    Column("currency", Text, nullable=False),
    Column("account_name", Text),
    Column("account_type", Text),
    Column("opening_equity", ExactDecimal),
    Column("benchmark_id", Serial, ForeignKey("instrument.id")),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    CheckConstraint("kind IN ('book', 'combined')", name="kind"),
)
Index(
    "uq_portfolio_owner_name_live",
    portfolio.c.owner_id,
    portfolio.c.name,
    unique=True,
    sqlite_where=portfolio.c.deleted_at.is_(None),
    postgresql_where=portfolio.c.deleted_at.is_(None),
)

portfolio_member = Table(
    "portfolio_member",
    metadata,
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), primary_key=True),
    Column("member_id", Key, ForeignKey("portfolio.id"), primary_key=True, index=True),
    CheckConstraint("portfolio_id <> member_id", name="not_itself"),
)

portfolio_grant = Table(
    "portfolio_grant",
    metadata,
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), primary_key=True),
    Column("account_id", Key, ForeignKey("account.id"), primary_key=True, index=True),
    Column("granted_by", Key, ForeignKey("account.id"), nullable=False),
    Column("granted_at", Instant, nullable=False),
)

portfolio_edit = Table(
    "portfolio_edit",
    metadata,
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), primary_key=True),
    Column("account_id", Key, ForeignKey("account.id"), nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
)

lot = Table(
    "lot",
    metadata,
    Column("id", Key, primary_key=True),
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), nullable=False, index=True),
    Column("instrument_id", Serial, ForeignKey("instrument.id"), nullable=False, index=True),
    Column("quantity", ExactDecimal, nullable=False),
    Column("entry_date", Date, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("exit_date", Date),
    Column("exit_price", ExactDecimal),
    Column("multiplier", ExactDecimal, nullable=False),
    Column("investment_class", Text, nullable=False),
    Column("subtype", Text),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("(exit_date IS NULL) = (exit_price IS NULL)", name="exit_whole"),
    CheckConstraint("exit_date IS NULL OR exit_date >= entry_date", name="exit_after_entry"),
)

flow = Table(
    "flow",
    metadata,
    Column("id", Key, primary_key=True),
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), nullable=False, index=True),
    Column("date", Date, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

calendar_session = Table(
    "calendar_session",
    metadata,
    Column("session", Date, primary_key=True),
    Column("ordinal", Integer, nullable=False, unique=True),
    Column("closes_at", Instant, nullable=False),
)

calendar_state = Table(
    "calendar_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("closures", Text, nullable=False),
    Column("library_version", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

price = Table(
    "price",
    metadata,
    Column("instrument_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("session", Date, primary_key=True),
    Column("open", Double),
    Column("high", Double),
    Column("low", Double),
    Column("close", Double, nullable=False),
    Column("volume", Double),
    Column("provider", Text, nullable=False),
    CheckConstraint("close > 0", name="close_positive"),
)

price_pack = Table(
    "price_pack",
    metadata,
    Column("instrument_id", Serial, primary_key=True),
    Column("data_revision", BigInteger, nullable=False),
    Column("calendar_revision", Integer, nullable=False),
    Column("first_ordinal", Integer, nullable=False),
    Column("closes", LargeBinary, nullable=False),
    comment="closes of an instrument, packed: a cache of the table price, never the truth",
)

price_correction = Table(
    "price_correction",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("instrument_id", Serial, ForeignKey("instrument.id"), nullable=False, index=True),
    Column("session", Date, nullable=False),
    Column("old_close", Double, nullable=False),
    Column("new_close", Double, nullable=False),
    Column("old_provider", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("instrument_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("from_session", Date, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("released_at", Instant),
)

action = Table(
    "action",
    metadata,
    Column("instrument_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("ex_date", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Double, nullable=False),
    Column("provider", Text, nullable=False),
    CheckConstraint("kind IN ('split', 'dividend', 'spinoff')", name="kind"),
    CheckConstraint("value > 0", name="value_positive"),
)

valuation = Table(
    "valuation",
    metadata,
    Column("instrument_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("date", Date, primary_key=True),
    Column("price", ExactDecimal, nullable=False),
)

factor_return = Table(
    "factor_return",
    metadata,
    Column("factor", Key, primary_key=True),
    Column("session", Date, primary_key=True),
    Column("return", Double, nullable=False),
)

benchmark_weight = Table(
    "benchmark_weight",
    metadata,
    Column("benchmark_id", Serial, ForeignKey("instrument.id"), primary_key=True),
    Column("date", Date, primary_key=True),
    Column("kind", Key, primary_key=True),
    Column("name", Key, primary_key=True),
    Column("weight", Double, nullable=False),
    CheckConstraint("kind IN ('symbol', 'sector')", name="kind"),
)

input_clock = Table(
    "input_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

input_change = Table(
    "input_change",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("portfolio_id", Key),
    Column("instrument_id", Serial),
    Column("from_session", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

_OF_ALL = text("instrument_id IS NULL AND portfolio_id IS NULL")
Index(
    "ix_input_change_of_all",
    input_change.c.revision,
    sqlite_where=_OF_ALL,
    postgresql_where=_OF_ALL,
)

portfolio_progress = Table(
    "portfolio_progress",
    metadata,
    Column("portfolio_id", Key, ForeignKey("portfolio.id"), primary_key=True),
    Column("first_session", Date),
    Column("snapshots", Integer, nullable=False),
    Column("inputs_revision", BigInteger, nullable=False),
    Column("engine_version", Integer, nullable=False),
    Column("settings_hash", Text, nullable=False),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("portfolio_id", Key, primary_key=True),
    Column("session", Date, primary_key=True, index=True),
    Column("state", Text, nullable=False),
    Column("positions", Integer, nullable=False),
    *(Column(name, Double) for name in STORED),
    Column("mwr_annualized", Boolean),
    Column("drawdown_peak", Date),
    Column("drawdown_trough", Date),
    Column("drawdown_recovery", Date),
    Column("reasons", Text, nullable=False),
    Column("nulls", Text, nullable=False),
    Column("windows", Text, nullable=False),
    Column("run_id", Key, nullable=False),
    Column("computed_at", Instant, nullable=False),
    Column("inputs_revision", BigInteger, nullable=False),
    Column("engine_version", Integer, nullable=False),
    Column("settings_hash", Text, nullable=False),
)

_PARTIAL = text("state = 'partial'")
Index(
    "ix_snapshot_partial",
    snapshot.c.portfolio_id,
    snapshot.c.session,
    sqlite_where=_PARTIAL,
    postgresql_where=_PARTIAL,
)

cell_pack = Table(
    "cell_pack",
    metadata,
    Column("portfolio_id", Key, primary_key=True),
    Column("session", Date, primary_key=True),
    Column("positions", Json, nullable=False),
    Column("exposures", Json, nullable=False),
    Column("stress", Json, nullable=False),
    Column("sectors", Json, nullable=False),
    Column("pruned_at", Instant),
)
"""The lines beside a snapshot (``storage.lines``); SQL reads them through views.

``pruned_at``: when the lines of positions were taken out (``storage.retention``).
"""

_KEPT = text("pruned_at IS NULL")
Index("ix_cell_pack_kept", cell_pack.c.session, sqlite_where=_KEPT, postgresql_where=_KEPT)

fit_pack = Table(
    "fit_pack",
    metadata,
    Column("instrument_id", Serial, primary_key=True),
    Column("session", Date, nullable=False),
    Column("fits", Json, nullable=False),
)
"""The newest fits of an instrument (``storage.lines``)."""

symbol_metric = Table(
    "symbol_metric",
    metadata,
    Column("instrument_id", Serial, primary_key=True),
    Column("session", Date, nullable=False),
    Column("data_revision", BigInteger, nullable=False),
    Column("settings_hash", Text, nullable=False),
    Column("close", Double),
    Column("mark_kind", Text, nullable=False),
    Column("mark_age", Integer),
    Column("return", Double),
    Column("vol_21", Double),
    Column("vol_63", Double),
    Column("vol_252", Double),
    Column("high_252", Double),
    Column("low_252", Double),
    Column("observed_252", Integer, nullable=False),
)

restatement = Table(
    "restatement",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("portfolio_id", Key, nullable=False, index=True),
    Column("session", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("old_values", Text, nullable=False),
    Column("new_values", Text),
    Column("run_id", Key, nullable=False),
    Column("at", Instant, nullable=False),
)

restatement_summary = Table(
    "restatement_summary",
    metadata,
    Column("run_id", Key, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("snapshots", Integer, nullable=False),
    Column("largest_change", Double),
)

run = Table(
    "run",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("requested_by", Key, ForeignKey("account.id"), nullable=False),
    Column("scope", Text, nullable=False),
    Column("scope_key", Key, nullable=False),
    Column("target", Date, nullable=False),
    Column("from_session", Date),
    Column("force", Boolean, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("phase", Text),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("owner", Text),
    Column("lease_until", Instant),
    Column("cancel_requested", Boolean, nullable=False),
    Column("priority", Integer, nullable=False, server_default="2"),
    Column("scope_size", Integer),
    Column("for_worker", Boolean, nullable=False, server_default=false()),
    Column("not_before", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("heartbeat_at", Instant),
    Column("finished_at", Instant),
    Column("cells_planned", Integer, nullable=False),
    Column("cells_complete", Integer, nullable=False),
    Column("cells_partial", Integer, nullable=False),
    Column("cells_failed", Integer, nullable=False),
    Column("cells_deleted", Integer, nullable=False),
    Column("symbols_asked", Integer, nullable=False),
    Column("symbols_received", Integer, nullable=False),
    Column("symbols_unavailable", Integer, nullable=False),
    Column("error", Text),
    CheckConstraint(
        "status IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')",
        name="status",
    ),
)
_LIVE = text("status IN ('queued', 'running')")
Index("uq_run_live_scope", run.c.scope_key, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
Index("ix_run_live", run.c.status, sqlite_where=_LIVE, postgresql_where=_LIVE)

run_request = Table(
    "run_request",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("run_id", Key, ForeignKey("run.id"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("requested_by", Key, ForeignKey("account.id"), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("served", Boolean, nullable=False),
)

run_phase = Table(
    "run_phase",
    metadata,
    Column("run_id", Key, ForeignKey("run.id"), primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
)

run_event = Table(
    "run_event",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("run_id", Key, ForeignKey("run.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("level", Text, nullable=False),
    Column("phase", Text),
    Column("message", Text, nullable=False),
)

run_symbol = Table(
    "run_symbol",
    metadata,
    Column("run_id", Key, ForeignKey("run.id"), primary_key=True),
    Column("symbol", Key, primary_key=True),
    Column("provider", Key, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

run_failure = Table(
    "run_failure",
    metadata,
    Column("run_id", Key, ForeignKey("run.id"), primary_key=True),
    Column("portfolio_id", Key, primary_key=True),
    Column("from_session", Date, primary_key=True),
    Column("to_session", Date, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

provider_limit = Table(
    "provider_limit",
    metadata,
    Column("domain", Key, primary_key=True),
    Column("calls", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("day_calls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("open_until", Instant),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
)

provider_symbol = Table(
    "provider_symbol",
    metadata,
    Column("provider", Key, primary_key=True),
    Column("symbol", Key, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("misses", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)

price_check = Table(
    "price_check",
    metadata,
    Column("instrument_id", Serial, primary_key=True, autoincrement=False),
    Column("first", Date, nullable=False),
    Column("target", Date, nullable=False),
    Column("at", Instant, nullable=False),
)
"""From which session on providers were asked for an instrument, and for which target last."""

schedule_firing = Table(
    "schedule_firing",
    metadata,
    Column("schedule", Key, primary_key=True),
    Column("instant", Instant, primary_key=True),
    Column("expression", Text),
    Column("run_id", Key),
    Column("fired_at", Instant, nullable=False),
    Column("checked_at", Instant),
)
"""Firings that were carried out, once each; one without a run only marks the beginning.

Their runs may be gone by and by: no foreign key. ``checked_at``: when portfolios that were
still behind after it were looked for.
"""

_TO_SEND = text("status = 'waiting'")
outbox = Table(
    "outbox",
    metadata,
    Column("id", Key, primary_key=True),
    Column("event", Key, nullable=False),
    Column("subject", Key, nullable=False),
    Column("channel", Key, nullable=False),
    Column("content", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("error", Text),
    CheckConstraint("status IN ('waiting', 'sent', 'given_up')", name="status"),
)
"""Notices that are sent after the commit that made them; no channel: not yet addressed."""
Index(
    "uq_outbox_subject_event_channel",
    outbox.c.subject,
    outbox.c.event,
    outbox.c.channel,
    unique=True,
)
Index("ix_outbox_to_send", outbox.c.next_at, sqlite_where=_TO_SEND, postgresql_where=_TO_SEND)

run_total = Table(
    "run_total",
    metadata,
    Column("measure", Key, primary_key=True),
    Column("label", Key, primary_key=True),
    Column("second", Key, primary_key=True),
    Column("value", Double, nullable=False),
)
"""What all runs that ever ended add up to, whether or not their rows are kept."""
symbol_profile = Table(
    "symbol_profile",
    metadata,
    Column("instrument_id", Serial, primary_key=True, autoincrement=False),
    Column("kind_by", Text),
    Column("name_by", Text),
    Column("sector_by", Text),
    Column("currency_by", Text),
    Column("asked_at", Instant),
    Column("until", Instant),
    Column("misses", Integer, nullable=False),
    Column("conflict", Text),
    Column("conflict_by", Text),
)
"""Who said what an instrument is: a provider, or ``import`` for people; nobody for a guess."""

cross_check = Table(
    "cross_check",
    metadata,
    Column("instrument_id", Serial, primary_key=True, autoincrement=False),
    Column("target", Date, nullable=False),
    Column("provider", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("compared", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
"""For which target a second provider was last asked for an instrument, and how it answered."""

price_difference = Table(
    "price_difference",
    metadata,
    Column("instrument_id", Serial, primary_key=True, autoincrement=False),
    Column("session", Date, primary_key=True),
    Column("provider", Key, primary_key=True),
    Column("close", Double, nullable=False),
    Column("stored_close", Double, nullable=False),
    Column("stored_provider", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
"""Closes of a second provider that differ from those that are stored."""

held_action = Table(
    "held_action",
    metadata,
    Column("instrument_id", Serial, primary_key=True, autoincrement=False),
    Column("ex_date", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("provider", Key, primary_key=True),
    Column("value", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
"""Actions that a source named and that do not count: doubted, or taken back by people."""

views = MetaData()
"""Views that read lines as rows; nothing is written to them."""

position_value = Table(
    "position_value",
    views,
    Column("portfolio_id", Key),
    Column("session", Date),
    Column("instrument_id", Serial),
    Column("quantity", Double, nullable=False),
    Column("mark", Double),
    Column("mark_kind", Text),
    Column("mark_age", Integer),
    Column("market_value", Double, nullable=False),
    Column("weight", Double),
    Column("pnl", Double, nullable=False),
    Column("beta", Double),
    Column("beta_null", Text),
    Column("component_es_95", Double),
    Column("component_es_95_null", Text),
    # Of options alone; NULL in the rows of other positions.
    Column("booked_to", Serial),
    Column("exposure", Double),
    Column("units", Double),
    Column("underlying_price", Double),
    Column("volatility", Double),
    Column("delta", Double),
    Column("gamma", Double),
    Column("vega", Double),
    Column("theta", Double),
    Column("rho", Double),
    Column("greeks_null", Text),
    Column("implied_vol", Double),
    Column("implied_vol_null", Text),
)

factor_exposure = Table(
    "factor_exposure",
    views,
    Column("portfolio_id", Key),
    Column("session", Date),
    Column("model", Key),
    Column("factor", Key),
    Column("exposure", Double),
    Column("exposure_null", Text),
    Column("money", Double),
    Column("money_null", Text),
    Column("coverage", Double),
    Column("coverage_null", Text),
    Column("stderr", Double),
    Column("stderr_null", Text),
    Column("risk_share", Double),
    Column("risk_share_null", Text),
)

stress_result = Table(
    "stress_result",
    views,
    Column("portfolio_id", Key),
    Column("session", Date),
    Column("scenario", Key),
    Column("direct", Double),
    Column("direct_null", Text),
    Column("predictive", Double),
    Column("predictive_null", Text),
    Column("beyond_delta", Double),
)

sector_exposure = Table(
    "sector_exposure",
    views,
    Column("portfolio_id", Key),
    Column("session", Date),
    Column("sector", Key),
    Column("long", Double),
    Column("short", Double),
    Column("net", Double),
    Column("gross", Double),
)

symbol_fit = Table(
    "symbol_fit",
    views,
    Column("instrument_id", Serial),
    Column("model", Key),
    Column("factor", Key),
    Column("session", Date, nullable=False),
    Column("n", Integer, nullable=False),
    Column("alpha", Double),
    Column("beta", Double),
    Column("stderr", Double),
    Column("r2", Double),
    Column("residual_sd", Double),
    Column("quality", Text),
    Column("reason", Text),
    Column("stderr_hac", Double),
    Column("vif", Double),
)
