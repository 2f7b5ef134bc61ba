"""One portfolio: its series, and everything that is known of it on a session, as tables.

``session`` is everywhere a date or ISO text; without it the newest snapshot is meant. A number
that cannot be had is NaN, and ``attrs["nulls"]`` of the table has the reason.
"""

from typing import TYPE_CHECKING, Any

from riskmark.notebook.answers import Answers
from riskmark.notebook.arguments import Day, as_day
from riskmark.notebook.extras import load_extra
from riskmark.notebook.measures import RISK_SECTIONS, SECTIONS, measure_table
from riskmark.notebook.session_lines import SessionLines
from riskmark.notebook.tables import (
    COUNT,
    DAY,
    NUMBER,
    TEXT,
    make_table,
    nulls_under,
    numbers,
)
from riskmark.reports.history import FIELDS, load_history
from riskmark.reports.shown import EVERY_PART, Part

if TYPE_CHECKING:
    from altair import Chart
    from pandas import DataFrame  # type: ignore[import-untyped]

    from riskmark.notebook.figures.plots import Plots

_TESTS = ("kupiec", "independence", "conditional")
_BACKTEST = {
    "confidence": NUMBER,
    **dict.fromkeys(("sessions", "skipped", "exceptions", "actual_exceptions"), COUNT),
    "expected": NUMBER,
    **numbers(f"{name}{end}" for name in _TESTS for end in ("", "_p")),
    "traffic_light": TEXT,
}


class Portfolio(SessionLines, Answers):
    """One portfolio of a book; ``Book.portfolio`` makes it."""

    @property
    def plot(self) -> "Plots":
        """Its figures: ``plot.nav()``, ``plot.var()`` and so on; see ``Plots``."""
        from riskmark.notebook.figures.plots import Plots  # noqa: PLC0415 - each knows the other

        return Plots(self)

    def figure(self, name: str, session: Day = None) -> "Chart":
        """Draw a figure as the pages and the reports have it.

        Parameters
        ----------
        name : str
            One of ``riskmark.reports.figures.NAMES``, as ``"drawdown"`` or ``"risk_shares"``.
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        altair.Chart
            The figure; it states its unit.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        InputError
            There is no such figure, or nothing to draw; the message says why.
        """
        load_extra("altair")
        from riskmark.notebook.figures.shared import shared_figure  # noqa: PLC0415 - needs Altair

        return shared_figure(self, name, session=as_day(session, "session"))

    def history(self, *measures: str, first: Day = None, last: Day = None) -> "DataFrame":
        """Return the series of stored numbers.

        Parameters
        ----------
        *measures : str
            Names of stored measures, as ``"nav"``, ``"beta"`` or ``"var_95_money"``; none: those
            of ``riskmark history``.
        first, last : str or date, optional
            The range, both sessions included; ISO text or dates.

        Returns
        -------
        DataFrame
            Index ``session`` (dates, ascending); columns ``state``, and each measure in its
            own unit: money for ``nav``, a fraction for ``return``, a fraction a year for
            ``vol_63``. ``vol_trend`` and ``har_fallback`` are codes. The reason of a NaN stands in
            ``attrs["nulls"]`` as that of ``2022-12-28.return``.

        Raises
        ------
        InputError
            No such number is stored, or the range ends before it begins.
        """
        chosen = measures or FIELDS
        begin, end = as_day(first, "first"), as_day(last, "last")
        with self._app.database.read() as connection:
            found = load_history(
                connection, self._app.principal, self.id, first=begin, last=end, fields=chosen
            )
        columns = {"session": DAY, "state": TEXT, **numbers(chosen)}
        nulls = {
            f"{row.session}.{name}": reason
            for row in found.rows
            for name, reason in row.nulls().items()
        }
        lines = (row.document() for row in found.rows)
        return make_table(lines, columns, index=("session",), nulls=nulls)

    def snapshot(self, session: Day = None) -> "DataFrame":
        """Return every single number of a session.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``section``, ``measure``; columns ``value`` (codes for words: rising 1, falling
            −1, true 1), ``unit`` (its unit, in words) and ``reason`` (why it is NaN).

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.LIQUIDITY})
        return measure_table(document, SECTIONS, settings=self._app.settings)

    def risk(self, session: Day = None) -> "DataFrame":
        """Return the numbers of a session that tell of risk.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            As ``snapshot``, with the sections ``risk``, ``concentration``, ``factor_risk`` and
            ``correlation``; each row has its unit.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.LIQUIDITY})
        return measure_table(document, RISK_SECTIONS, settings=self._app.settings)

    def correlation(self, session: Day = None) -> "DataFrame":
        """Return the correlations of the positions over the last 90 sessions.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Square: index and columns are symbols, cluster by cluster, values correlations from
            −1 to 1 (no unit). ``attrs["clusters"]`` has the symbols of each cluster, and
            ``attrs["left_out"]`` a reason for every symbol held that is not in it.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.CORRELATION})
        found = document["correlation"]
        clusters = found["clusters"] or []
        order = [symbol for cluster in clusters for symbol in cluster]
        place = {symbol: row for row, symbol in enumerate(found["symbols"] or ())}
        lines = [
            {"symbol": one, **{two: found["matrix"][place[one]][place[two]] for two in order}}
            for one in order
        ]
        return make_table(
            lines,
            {"symbol": TEXT, **numbers(order)},
            index=("symbol",),
            nulls=nulls_under(document["nulls"], "correlation"),
            session=document["session"],
            clusters=clusters,
            left_out={one["symbol"]: str(one["reason"]) for one in found["left_out"] or ()},
        )

    def backtests(self, session: Day = None) -> "DataFrame":
        """Return whether VaR was right over the last 250 sessions.

        Parameters
        ----------
        session : str or date, optional
            The last session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``measure``; columns ``confidence`` (a fraction), ``sessions``, ``skipped``,
            ``exceptions``, ``actual_exceptions`` and ``expected`` (counts), the statistics
            ``kupiec``, ``independence``, ``conditional`` (no unit) with their p-values ``…_p``
            (fractions), and Basel's ``traffic_light``. ``attrs["exceptions"]`` has the sessions
            of each measure's exceptions.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.BACKTESTS})
        lines = document["backtests"]["var"]
        return make_table(
            lines,
            {"measure": TEXT, **_BACKTEST},
            index=("measure",),
            nulls=nulls_under(document["nulls"], "backtests.var"),
            session=document["session"],
            exceptions={line["measure"]: list(line["exception_sessions"]) for line in lines},
        )

    def document(self, session: Day = None) -> dict[str, Any]:
        """Return everything that is known of a session, as ``riskmark show --json`` does.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        dict
            Nested by the names of the interface; each unit is that of the page of measures.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        return self._shown(session, EVERY_PART)
