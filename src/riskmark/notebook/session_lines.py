"""The lines of one session as tables: factors, scenarios, episodes, sectors, positions."""

from typing import TYPE_CHECKING

from riskmark.notebook.arguments import Day, one_of
from riskmark.notebook.reader import Reader
from riskmark.notebook.tables import (
    DAY,
    NUMBER,
    TEXT,
    make_table,
    nulls_under,
    numbers,
)
from riskmark.reports.option_lines import GREEKS
from riskmark.reports.shown import Part

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-untyped]

_FACTOR = numbers(("exposure", "money", "stderr", "coverage", "risk_share"))
_SECTOR = numbers(("long", "short", "net", "gross", "benchmark"))
_REPLAY = numbers(("pnl", "own_share", "proxied_share", "replayed_share"))
_OPTION = numbers(("exposure", "units", "underlying_price", "volatility", *GREEKS, "implied_vol"))
_POSITION = {
    "quantity": NUMBER,
    "mark": NUMBER,
    "mark_kind": TEXT,
    "mark_age": NUMBER,
    **numbers(("market_value", "weight", "pnl", "beta", "component_es_95", "sessions_to_sell")),
    "sector": TEXT,
}


class SessionLines(Reader):
    """Questions about a portfolio whose answers are the lines beside a snapshot."""

    def factors(self, session: Day = None) -> "DataFrame":
        """Return the exposures to the factors of every model.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``model``, ``factor``; columns ``exposure`` (a ratio: beta of NAV), ``money``,
            ``stderr`` (of ``exposure``, a ratio), ``coverage`` (share of gross with a fit, a
            fraction) and ``risk_share`` (of the variance, a fraction; the default model only,
            whose name is ``attrs["default_model"]``).

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session)
        split = document["factor_risk"]
        lines = [
            {
                **line,
                "risk_share": split["contributions"].get(line["factor"])
                if line["model"] == split["model"]
                else None,
            }
            for line in document["factors"]
        ]
        return make_table(
            lines,
            {"model": TEXT, "factor": TEXT, **_FACTOR},
            index=("model", "factor"),
            nulls=nulls_under(document["nulls"], "factors"),
            session=document["session"],
            default_model=split["model"],
        )

    def stress(self, session: Day = None, *, by: str | None = None) -> "DataFrame":
        """Return what the scenarios would gain or lose.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.
        by : str, optional
            ``"factor"`` or ``"position"``: the parts of each scenario, which sum to it.

        Returns
        -------
        DataFrame
            Index ``scenario``, and ``factor`` or ``symbol`` with ``by``; columns ``direct`` (the
            shocked factors alone) and ``predictive`` (the others following), in money; a loss is
            negative.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        InputError
            ``by`` is another word.
        """
        columns = numbers(("direct", "predictive"))
        index: tuple[str, ...] = ("scenario",)
        if by is None:
            document = self._shown(session)
            lines = document["stress"]
        else:
            one_of(by, ("factor", "position"), "by")
            document = self._shown(session, {Part.STRESS})
            index = ("scenario", "factor" if by == "factor" else "symbol")
            lines = [
                {"scenario": line["scenario"], **part}
                for line in document["stress"]
                for part in line[f"{by}s"] or ()
            ]
        return make_table(
            lines,
            {**dict.fromkeys(index, TEXT), **columns},
            index=index,
            nulls=nulls_under(document["nulls"], "stress"),
            session=document["session"],
        )

    def replays(self, session: Day = None) -> "DataFrame":
        """Return what episodes of history would do to what is held.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``scenario``; columns ``first``, ``last`` (dates), ``pnl`` (money),
            ``own_share``, ``proxied_share`` and ``replayed_share`` (fractions of gross).

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.REPLAYS})
        return make_table(
            document["replays"],
            {"scenario": TEXT, "first": DAY, "last": DAY, **_REPLAY},
            index=("scenario",),
            nulls=nulls_under(document["nulls"], "replays"),
            session=document["session"],
        )

    def sectors(self, session: Day = None) -> "DataFrame":
        """Return the exposure to sectors.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``sector``, the largest first; columns ``long``, ``short``, ``net``, ``gross``
            and ``benchmark`` (its weight), fractions of NAV.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session)
        return make_table(
            document["sectors"],
            {"sector": TEXT, **_SECTOR},
            index=("sector",),
            nulls=nulls_under(document["nulls"], "sectors"),
            session=document["session"],
        )

    def positions(self, session: Day = None) -> "DataFrame":
        """Return what is held at the close, and what was closed in the session.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``symbol``, the largest first; columns ``quantity`` (shares), ``mark`` (price),
            ``mark_kind``, ``mark_age`` and ``sessions_to_sell`` (sessions), ``market_value`` and
            ``pnl`` (money), ``weight`` and ``component_es_95`` (fractions of NAV), ``beta`` (a
            ratio), ``sector``.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session, {Part.LIQUIDITY})
        return make_table(
            document["positions"] or [],
            {"symbol": TEXT, **_POSITION},
            index=("symbol",),
            nulls=nulls_under(document["nulls"], "positions"),
            session=document["session"],
        )

    def greeks(self, session: Day = None) -> "DataFrame":
        """Return what the options held are worth, and how that moves.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        DataFrame
            Index ``symbol``; columns ``underlying``, ``exposure`` (delta exposure, money),
            ``units`` (shares that the position is on), ``underlying_price`` (price),
            ``volatility`` and ``implied_vol`` (fractions a year), and for one share ``delta``
            (a ratio), ``gamma`` (per unit of price), ``vega`` (money per point of volatility),
            ``theta`` (money per calendar day) and ``rho`` (money per percent of rate).
            ``attrs["total"]`` holds those of the portfolio in money.

        Raises
        ------
        NotValued
            There is no snapshot of that session.
        """
        document = self._shown(session)
        lines = [
            {"symbol": line["symbol"], **line["greeks"]}
            for line in document["positions"] or []
            if "greeks" in line
        ]
        return make_table(
            lines,
            {"symbol": TEXT, "underlying": TEXT, **_OPTION},
            index=("symbol",),
            nulls={
                name.replace(".greeks.", ".", 1): reason
                for name, reason in nulls_under(document["nulls"], "positions").items()
                if ".greeks." in name
            },
            session=document["session"],
            total=document["greeks"],
        )
