"""The application: the one place that chooses real parts and puts them together."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from riskmark.domain.reasons import Source
from riskmark.domain.runs import RunRequest
from riskmark.domain.sessions import FIRST_DATE, Calendar, Clock
from riskmark.errors import InputError
from riskmark.settings import LoadedSettings, Settings
from riskmark.storage import books, migrate, schema
from riskmark.storage.books import LOCAL_OPERATOR, Principal
from riskmark.storage.calendar import keep_calendar, load_calendar
from riskmark.storage.engines import Database, open_database
from riskmark.storage.mounts import check_file_system
from riskmark.storage.provider_limits import ProviderLimits

if TYPE_CHECKING:
    from riskmark.engine.queue import Submitted
    from riskmark.engine.recorder import Observer
    from riskmark.engine.run import RunResult
    from riskmark.engine.worker import Worker
    from riskmark.providers.limits import Time
    from riskmark.providers.sources import Sources

EXCHANGE_ZONE = ZoneInfo("America/New_York")
"""Whose date is "today" for what people enter."""
LAST_YEAR = 2200
"""The last year that a clock may show; the calendar's library ends some decades later."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)  # noqa: TID251 - the one clock


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still: ``RISKMARK_NOW``, and tests."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant given."""
        return self.instant


def clock_from(text: str | None) -> Clock:
    """Return the clock that ``RISKMARK_NOW`` asks for; without it, the machine's."""
    if not text:
        return SystemClock()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"RISKMARK_NOW is not an ISO instant: {text!r}") from error
    if instant.tzinfo is None:
        raise InputError(f"RISKMARK_NOW needs a time zone, such as Z: {text!r}")
    if not FIRST_DATE.year < instant.year <= LAST_YEAR:
        message = f"RISKMARK_NOW lies outside {FIRST_DATE.year + 1} to {LAST_YEAR}: {text!r}"
        raise InputError(message)
    return FixedClock(instant)


@dataclass(frozen=True, slots=True)
class App:
    """An installation, opened: settings, database, clock, and on whose behalf it works."""

    loaded: LoadedSettings
    database: Database
    clock: Clock
    principal: Principal = LOCAL_OPERATOR
    wall: Clock = field(default_factory=SystemClock)
    """What a run's own instants are taken from, whatever ``clock`` says of sessions."""
    is_connected: bool = False
    """Whether runs ask the providers that the settings name."""
    provider_time: "Time | None" = None
    """By what limits, circuits and waiting go; None: the machine's, whatever ``clock`` says."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    @property
    def today(self) -> date:
        """The present date at the exchange."""
        return self.clock.now().astimezone(EXCHANGE_ZONE).date()

    def target(self, calendar: Calendar, as_of: date | None = None) -> int:
        """Return the ordinal of the target session: the last one published, or at ``as_of``."""
        delay = timedelta(minutes=self.settings.publish_delay_minutes)
        newest = calendar.target(self.clock.now(), delay)
        if newest < 0:
            raise InputError("no session of the calendar has been published yet")
        if as_of is None:
            return newest
        if as_of > self.today:
            raise InputError(f"{as_of} is in the future")
        ordinal = min(newest, calendar.on_or_before(as_of))
        if ordinal < 0:
            raise InputError(f"there is no session on or before {as_of}")
        return ordinal

    def run(
        self,
        source: Source,
        *,
        portfolios: tuple[str, ...] | None = None,
        as_of: date | None = None,
        from_session: date | None = None,
        force: bool = False,
        offline: bool = False,
        observe: "Observer" = lambda _: None,
    ) -> "RunResult":
        """Run the batch for ``portfolios`` (names or ids; None: all)."""
        from riskmark.engine.notices import notified  # noqa: PLC0415 - few commands run
        from riskmark.engine.run import run_batch  # noqa: PLC0415 - slow, and few commands run

        with self.database.read() as connection:
            calendar = load_calendar(connection)
            request = self.request(
                connection,
                source,
                calendar=calendar,
                portfolios=portfolios,
                as_of=as_of,
                from_session=from_session,
                force=force,
                offline=offline,
            )
        telling = notified(self.database, self.settings) if self.is_connected else nullcontext()
        with telling:
            return run_batch(
                self.database,
                self.settings,
                self.wall,
                request,
                calendar=calendar,
                sources=self.sources if self.is_connected else None,
                observe=observe,
            )

    def submit(
        self,
        source: Source,
        *,
        portfolios: tuple[str, ...] | None = None,
        as_of: date | None = None,
        from_session: date | None = None,
        force: bool = False,
        offline: bool = False,
    ) -> "Submitted":
        """Queue a run for a worker, or join the live run that does the same work."""
        from riskmark.engine.queue import submit_alone  # noqa: PLC0415 - few commands submit

        with self.database.read() as connection:
            request = self.request(
                connection,
                source,
                calendar=load_calendar(connection),
                portfolios=portfolios,
                as_of=as_of,
                from_session=from_session,
                force=force,
                offline=offline,
            )
        return submit_alone(self.database, request, at=self.wall.now())

    def worker(self, *, concurrency: int = 1) -> "Worker":
        """Put a worker together, which carries out what is submitted."""
        from riskmark.engine.worker import Worker  # noqa: PLC0415 - slow, and few commands work

        return Worker(
            self.database,
            self.settings,
            self.wall,
            sources=self.sources if self.is_connected else None,
            concurrency=concurrency,
        )

    def sources(self, calendar: Calendar) -> "Sources":
        """Put the providers together that the settings name."""
        from riskmark.providers.files import FileReader  # noqa: PLC0415
        from riskmark.providers.limits import RealTime  # noqa: PLC0415 - few commands ask
        from riskmark.providers.sources import Outside, open_sources  # noqa: PLC0415
        from riskmark.storage.market_files import read_market_files  # noqa: PLC0415
        from riskmark.storage.tables import find_files  # noqa: PLC0415

        reader = FileReader(
            find_files,
            bars=lambda path: read_market_files(path).bars,
            actions=lambda path: read_market_files(None, path).actions,
        )
        store = ProviderLimits(self.database)
        time = self.provider_time or RealTime()
        outside = Outside(store, reader, self.clock.now, time)
        return open_sources(self.settings, calendar, outside)

    def request(
        self,
        connection: Connection,
        source: Source,
        *,
        calendar: Calendar,
        portfolios: tuple[str, ...] | None = None,
        as_of: date | None = None,
        from_session: date | None = None,
        force: bool = False,
        offline: bool = False,
    ) -> RunRequest:
        """Turn what an entry point asks for into a request to the one run function."""
        scope = None
        if portfolios is not None:
            found = [books.find_portfolio(connection, self.principal, name) for name in portfolios]
            scope = tuple(sorted({portfolio.portfolio_id for portfolio in found}))
        return RunRequest(
            source=source,
            requested_by=self.principal.account_id,
            target=calendar.sessions[self.target(calendar, as_of)],
            scope=scope,
            from_session=from_session,
            force=force,
            offline=offline,
        )


def build(loaded: LoadedSettings, clock: Clock, *, is_connected: bool = False) -> App:
    """Open the installation that the settings name; the database is not touched yet.

    ``is_connected``: its runs ask the providers, unless they are told not to.
    """
    settings = loaded.settings
    allowed = settings.sqlite.allow_network_file_system
    check_file_system(settings.database_url, is_allowed=allowed)
    database = open_database(settings.database_url)
    return App(loaded, database, clock, is_connected=is_connected)


def prepare(app: App) -> None:
    """Make the database ready for use: schema on SQLite's first use, and the calendar.

    A PostgreSQL database is migrated by ``riskmark init`` alone: several processes of
    several versions may share it.
    """
    with app.database.read() as connection:
        version = migrate.schema_version(connection)
    if version != schema.HEAD:
        if not app.database.is_sqlite:
            with app.database.read() as connection:
                migrate.check_schema(connection)
        migrate.migrate(app.database)
    keep_calendar(app.database, app.settings.calendar, app.clock.now())


def initialise(app: App) -> bool:
    """Create or migrate the database, and its calendar; return whether anything was done."""
    migrated = migrate.migrate(app.database)
    prepare(app)
    return migrated
