"""An installation, opened for reading: its portfolios."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from riskmark.engine.version import current_rules
from riskmark.notebook.portfolio import Portfolio
from riskmark.notebook.tables import COUNT, DAY, NUMBER, TEXT, make_table
from riskmark.reports.books import list_books
from riskmark.reports.status import load_status
from riskmark.storage.books import find_portfolio
from riskmark.storage.calendar import load_calendar

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

    from riskmark.app import App

_COLUMNS = {
    "name": TEXT,
    "id": TEXT,
    "kind": TEXT,
    "mode": TEXT,
    "currency": TEXT,
    "opening_equity": NUMBER,
    "lots": COUNT,
    "open_lots": COUNT,
    "first_session": DAY,
    "valued_through": DAY,
    "state": TEXT,
}


class Book:
    """An installation, opened for reading; ``riskmark.open`` makes it."""

    def __init__(self, app: "App") -> None:
        self._app = app

    def __repr__(self) -> str:
        return f"Book({self._app.database.shown_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database; the next question opens them again.

        Returns
        -------
        None
            Nothing, so no unit.
        """
        self._app.database.close()

    def portfolio(self, name: str) -> Portfolio:
        """Return one of the portfolios.

        Parameters
        ----------
        name : str
            Its name or its id.

        Returns
        -------
        Portfolio
            The portfolio; its methods state their units.

        Raises
        ------
        UnknownPortfolio
            There is none of this name or id.
        AmbiguousPortfolio
            Several owners have one of this name; its message has their ids.
        """
        with self._app.database.read() as connection:
            found = find_portfolio(connection, self._app.principal, name)
        return Portfolio(self._app, found)

    def portfolios(self) -> "DataFrame":
        """List the portfolios, and how far each is valued.

        Returns
        -------
        DataFrame
            Index ``name``; columns ``id``, ``kind`` (``book`` or ``combined``), ``mode``,
            ``currency``, ``opening_equity`` (money), ``lots`` and ``open_lots`` (counts),
            ``first_session`` and ``valued_through`` (dates; NaT without snapshots), ``state``
            (``current``, ``partial``, ``behind`` or ``empty``, as ``riskmark status`` has it now).
        """
        app = self._app
        with app.database.read() as connection:
            heads = list_books(connection, app.principal)
            calendar = load_calendar(connection)
            rules = current_rules(app.settings, calendar, target=app.target(calendar))
            status = load_status(connection, app.principal, rules=rules)
        of_id = {one.portfolio_id: one.document() for one in status.portfolios}
        lines = [{**of_id[one.portfolio.portfolio_id], **one.document()} for one in heads]
        return make_table(lines, _COLUMNS, index=("name",), target=rules.target_session)
