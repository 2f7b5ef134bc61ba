"""Where P&L came from, why numbers changed, and what trades would do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmark.notebook.arguments import Day, Trades, as_day, as_trades, one_of
from riskmark.notebook.reader import Reader
from riskmark.notebook.tables import FLAG, TEXT, make_table, nulls_under, numbers
from riskmark.notebook.trials import Trial, make_trial
from riskmark.storage.calendar import load_calendar

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]


_PNL = numbers(("pnl",))
_CHANGES = ("from", "to", "change")
_PARTS = ("flows", "income", "trades", "prices", "window", "restatements", "leaving", "entering")
_LEFT_OVER = ("specific", "excluded", "beyond_delta", "trading", "unexplained")
_TOTALS = ("from", "to", "sessions", "missing", "pnl", "realized", "unrealized", "income")


class Answers(Reader):
    """Questions about a portfolio whose answers are computed when they are asked."""

    def attribution(
        self,
        session: Day = None,
        *,
        by: str = "position",
        first: Day = None,
        last: Day = None,
    ) -> "DataFrame":
        """Tell where the P&L of a range came from, as ``riskmark attribution`` does.

        Parameters
        ----------
        session : str or date, optional
            One session instead of a range; default: the newest.
        by : str
            ``"position"``, ``"sector"`` or ``"factor"``.
        first, last : str or date, optional
            The range, both sessions included.

        Returns
        -------
        DataFrame
            Index ``symbol``, ``sector`` or ``factor``; column ``pnl`` in money, which sums to
            ``attrs["pnl"]``. By position ``sector`` and ``held`` (true or false) stand beside
            it; by factor ``exposure`` (money) and ``return`` (a fraction), and what the factors
            leave over has the rows ``specific``, ``excluded``, ``beyond_delta`` (of options),
            ``trading`` and ``unexplained``.
            ``attrs`` has the range and its totals in money.

        Raises
        ------
        NotValued
            There is no snapshot in the range.
        InputError
            ``by`` is another word, or a session and a range are given.
        """
        from riskmark.reports.attribution import load_attribution  # noqa: PLC0415 - see the class
        from riskmark.reports.ways import By  # noqa: PLC0415 - see the class

        way = By(one_of(by, tuple(By), "by"))
        app = self._app
        with app.database.read() as connection:
            found = load_attribution(
                connection,
                app.principal,
                self.id,
                calendar=load_calendar(connection),
                settings=app.settings,
                first=as_day(first, "first"),
                last=as_day(last, "last"),
                session=as_day(session, "session"),
            )
        document = found.document(way)
        attrs = {name: document[name] for name in _TOTALS}
        nulls = document["nulls"]
        if way is By.FACTOR:
            lines, columns = _by_factor(document["factors"]), numbers(("exposure", "return", "pnl"))
            nulls = nulls_under(nulls, "factors")
        elif way is By.SECTOR:
            lines, columns = document["sectors"] or [], _PNL
        else:
            lines, columns = document["positions"] or [], {"sector": TEXT, "held": FLAG, **_PNL}
        key = "symbol" if way is By.POSITION else str(way)
        return make_table(lines, {key: TEXT, **columns}, index=(key,), nulls=nulls, **attrs)

    def explain(self, *, first: Day = None, last: Day = None) -> "DataFrame":
        """Tell why numbers changed between two sessions, as ``riskmark explain`` does.

        Parameters
        ----------
        first : str or date, optional
            The earlier session; default: the one before ``last``.
        last : str or date, optional
            The later session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``section`` (``numbers``, or ``factors`` for exposures of the default model)
            and ``name``; columns ``from``, ``to``, ``change``, and its parts ``flows``,
            ``income``, ``trades``, ``prices``, ``window`` (of which ``leaving`` and
            ``entering``) and ``restatements``, each in the unit of the number: money for NAV, a
            ratio for beta and exposures, a fraction a year for volatility, a fraction for VaR.
            NaN where a number has no such part, or, with a reason, where it cannot be had.

        Raises
        ------
        NotValued
            One of the sessions has no snapshot.
        """
        from riskmark.reports.explain import load_explanation  # noqa: PLC0415 - see the class

        app = self._app
        with app.database.read() as connection:
            found = load_explanation(
                connection,
                app.principal,
                self.id,
                calendar=load_calendar(connection),
                settings=app.settings,
                first=as_day(first, "first"),
                last=as_day(last, "last"),
            )
        document = found.document()
        lines = [_change("numbers", name, one) for name, one in document["numbers"].items()]
        lines += [_change("factors", one["factor"], one) for one in document["factors"]["lines"]]
        attrs = {name: document[name] for name in ("from", "to", "sessions")}
        return make_table(
            lines,
            {"section": TEXT, "name": TEXT, **numbers((*_CHANGES, *_PARTS))},
            index=("section", "name"),
            nulls=document["nulls"],
            model=document["factors"]["model"],
            **attrs,
        )

    def what_if(
        self,
        trades: Trades | None = None,
        *,
        target_vol: float | None = None,
        hedge_beta: str | None = None,
        session: Day = None,
    ) -> Trial:
        """Compute every number before and after trades that are not made.

        Parameters
        ----------
        trades : mapping of str to number, or pairs, optional
            Shares of each symbol to buy (> 0) or sell (< 0) at the mark of the session, as
            ``{"AAPL": -10}`` or ``[("AAPL", -10)]``.
        target_vol : float, optional
            Scale every position so that the volatility of 63 sessions becomes this, a fraction
            a year: 0.12 is 12 %.
        hedge_beta : str, optional
            Trade as much of this symbol as brings beta to 0.
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        Trial
            Tables of the trades, and of the numbers before and after, each with its unit.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        InputError
            Nothing to try; or a trade, target or hedge that cannot be made.
        UnknownSymbol
            No instrument has the symbol.
        """
        return make_trial(
            self._app,
            self.id,
            as_trades({} if trades is None else trades),
            target_vol=target_vol,
            hedge_beta=hedge_beta,
            session=as_day(session, "session"),
        )


def _by_factor(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the factors' lines, and what they leave over as lines too."""
    rest = [
        {"factor": name, "exposure": None, "return": None, "pnl": document[name]}
        for name in _LEFT_OVER
    ]
    return [*document["lines"], *rest]


def _change(section: str, name: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of one number, with its parts side by side."""
    parts = {**line["parts"], **line.get("window", {})}
    return {
        "section": section,
        "name": name,
        **{one: line[one] for one in _CHANGES},
        **{one: parts.get(one) for one in _PARTS},
    }
