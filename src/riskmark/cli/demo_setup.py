"""Setting up the demo: its folder, its files, and what is in its database before the first run.

The folder holds the settings, a table of symbols, five positions files and the valuations of
a private asset, all for people to look at, change and import again. Files that are there are
never written over, and a folder that holds anything else is refused. The database is filled in
one transaction, so a set-up that is interrupted leaves nothing, and the next one starts again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection

from riskmark.app import App, FixedClock, build
from riskmark.cli.demo_data import find_price_files, load_demo_bars
from riskmark.domain.portfolio import AccountType
from riskmark.domain.sessions import Calendar
from riskmark.errors import InputError
from riskmark.intake.market_data import Bars
from riskmark.intake.positions_csv import parse_positions
from riskmark.settings import CONFIG_FILE, load_settings
from riskmark.storage.books import Account
from riskmark.storage.calendar import load_calendar
from riskmark.storage.instruments import find_instruments
from riskmark.storage.lots import BookEditor
from riskmark.storage.positions import Moment, Positions, create_book
from riskmark.storage.prices import import_prices
from riskmark.storage.symbol_files import read_symbol_rows
from riskmark.storage.symbols import accept, import_symbols
from riskmark.storage.value_files import import_values, read_value_rows

NOW = datetime(2022, 12, 28, 23, tzinfo=UTC)
"""Where the demo's clock stands: the evening of the last session that has prices."""

DATABASE = "riskmark.db"
UNPRICED = "HARBOUR-FUND"
"""The symbol that nobody has."""
ACCEPTED_BECAUSE = "a fund without public prices"

_FILES = files("riskmark.cli") / "demo_files"
_SYMBOLS = "symbols.csv"
_VALUES = "values.csv"


@dataclass(frozen=True, slots=True)
class DemoFlow:
    """Cash that the demo puts into one of its portfolios or takes out."""

    day: date
    amount: int
    note: str


@dataclass(frozen=True, slots=True)
class DemoBook:
    """One of the demo's portfolios: its account, and what its positions file cannot say."""

    account: Account
    flows: tuple[DemoFlow, ...] = ()

    @property
    def file_name(self) -> str:
        """The name of its positions file."""
        return f"{self.account.name.lower()}.csv"


BOOKS = (
    DemoBook(
        Account("Growth", "Brokerage", AccountType.TAXABLE, Decimal(250_000)),
        (
            DemoFlow(date(2020, 7, 1), 25_000, "savings"),
            DemoFlow(date(2021, 1, 4), 25_000, "savings"),
            DemoFlow(date(2021, 7, 1), 25_000, "savings"),
            DemoFlow(date(2022, 1, 3), 25_000, "savings"),
            DemoFlow(date(2022, 9, 15), -15_000, "taxes"),
        ),
    ),
    DemoBook(Account("Long-Short", "Prime broker", AccountType.OTHER, Decimal(500_000))),
    DemoBook(Account("Income", "Retirement", AccountType.ROTH_IRA)),
    DemoBook(Account("Energy", "Brokerage", AccountType.TAXABLE, Decimal(100_000))),
    DemoBook(Account("Family", "Custodian", AccountType.TRUST, Decimal(1_000_000))),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put into the database."""

    symbols: int
    closes: int
    first: date
    last: date
    portfolios: int
    lots: int
    flows: int
    values: int


class ForeignFolder(InputError):
    """The folder holds something that the demo did not put there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{str(folder)!r} holds something else than a demo, and nothing in it was touched; "
            "choose another folder with --dir"
        )
        self.folder = folder


def prepare_folder(folder: Path) -> None:
    """Make the folder and the files that it lacks; raise ``ForeignFolder`` if it is no demo's."""
    config = _FILES / CONFIG_FILE
    if not _is_demo(folder, config.read_text(encoding="utf-8")):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ForeignFolder(folder)
        find_price_files()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The settings go first: they are what a second try knows the folder by.
        books = (book.file_name for book in BOOKS)
        for source in (config, *(_FILES / name for name in (_SYMBOLS, _VALUES, *books))):
            path = folder / source.name
            if not path.exists():
                path.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write to {str(folder)!r}: {error.strerror}") from error


def _is_demo(folder: Path, config: str) -> bool:
    """Whether the folder has settings that begin as the demo's do; the rest may be changed."""
    path = folder / CONFIG_FILE
    title = config.partition("\n")[0]
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace").startswith(title)


def open_demo(folder: Path) -> App:
    """Open the folder's installation.

    Neither the environment nor the file can name another database: whatever the demo
    writes, it writes here.
    """
    url = f"sqlite:///{folder.absolute() / DATABASE}"
    loaded = load_settings(folder / CONFIG_FILE, {}, database_url=url)
    return build(loaded, FixedClock(NOW))


def fill(app: App, folder: Path) -> Filled | None:
    """Import symbols, prices, portfolios, flows and values, once; None: they are there already."""
    with app.database.write() as connection:
        if find_instruments(connection, [UNPRICED]):
            return None
        bars = load_demo_bars()
        calendar = load_calendar(connection)
        _import_market(connection, app, calendar, bars, folder / _SYMBOLS)
        lots = [
            _import_book(connection, app, calendar, book, folder / book.file_name) for book in BOOKS
        ]
        valued = import_values(
            connection,
            read_value_rows(folder / _VALUES),
            calendar=calendar,
            today=app.today,
            at=app.clock.now(),
            owner_id=app.principal.account_id,
        )
    return Filled(
        symbols=len(bars.symbols),
        closes=len(bars),
        first=bars.session.min().item(),
        last=bars.session.max().item(),
        portfolios=len(BOOKS),
        lots=sum(lots),
        flows=sum(len(book.flows) for book in BOOKS),
        values=valued.received,
    )


def _import_market(
    connection: Connection, app: App, calendar: Calendar, bars: Bars, symbols: Path
) -> None:
    at, currency = app.clock.now(), app.settings.base_currency
    import_symbols(connection, read_symbol_rows(symbols), currency=currency, at=at)
    import_prices(
        connection,
        bars,
        provider="skfolio",
        calendar=calendar,
        target=calendar.sessions[app.target(calendar)],
        base_currency=currency,
        at=at,
    )


def _import_book(
    connection: Connection, app: App, calendar: Calendar, book: DemoBook, path: Path
) -> int:
    """Create a portfolio from its positions file; return how many lots it has."""
    read = parse_positions(path.read_bytes(), today=app.today)
    if not read.is_valid:
        first = read.errors[0]
        raise InputError(f"{path}, row {first.row}: {first.code}; delete the file to get it back")
    moment = Moment(app.today, app.clock.now())
    portfolio = create_book(
        connection,
        app.principal,
        book.account,
        Positions(read.lots, read.instruments),
        calendar=calendar,
        currency=app.settings.base_currency,
        moment=moment,
    )
    if book.flows:
        editor = BookEditor(connection, portfolio, calendar, today=moment.today, at=moment.at)
        for flow in book.flows:
            editor.add_flow(flow.day, Decimal(flow.amount), flow.note)
        editor.finish()
    return len(read.lots)


def accept_unpriced(app: App) -> bool:
    """Accept that the symbol nobody has is valued at cost; return whether that is new."""
    with app.database.write() as connection:
        return accept(connection, UNPRICED, ACCEPTED_BECAUSE, at=app.clock.now())
