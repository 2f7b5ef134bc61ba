"""The figures of a portfolio."""

from typing import TYPE_CHECKING

from riskmark.notebook.extras import load_extra

if TYPE_CHECKING:
    import altair as alt

    from riskmark.notebook.arguments import Day
    from riskmark.notebook.portfolio import Portfolio


class Plots:
    """The figures of a portfolio, by Altair; ``Portfolio.plot`` makes it.

    Each is an ``altair.Chart`` (or ``LayerChart``) to show, change or save. They have no
    background and suit light and dark pages. What is configured as a whole cannot become part
    of another chart: take ``chart.config`` off it first (``chart.config = altair.Undefined``).
    """

    def __init__(self, portfolio: "Portfolio") -> None:
        self._portfolio = portfolio

    def nav(self, *, first: "Day" = None, last: "Day" = None) -> "alt.Chart":
        """Draw the net asset value.

        Parameters
        ----------
        first, last : str or date, optional
            The range of sessions; default: all.

        Returns
        -------
        altair.Chart
            A line in money.
        """
        load_extra("altair")
        from riskmark.notebook.figures.series import nav_figure  # noqa: PLC0415 - needs Altair

        return nav_figure(self._portfolio, first=first, last=last)

    def drawdown(self, *, first: "Day" = None, last: "Day" = None) -> "alt.Chart":
        """Draw how far wealth is below its highest point so far.

        Parameters
        ----------
        first, last : str or date, optional
            The range of sessions; default: all.

        Returns
        -------
        altair.Chart
            An area, a fraction of the peak, in percent.
        """
        load_extra("altair")
        from riskmark.notebook.figures.series import drawdown_figure  # noqa: PLC0415 - the same

        return drawdown_figure(self._portfolio, first=first, last=last)

    def var(self, session: "Day" = None) -> "alt.LayerChart":
        """Draw P&L against the VaR stated the session before, with the exceptions.

        Parameters
        ----------
        session : str or date, optional
            The last of the 250 sessions; default: the newest.

        Returns
        -------
        altair.LayerChart
            Bars of hypothetical P&L and lines of −VaR, in money, with marks on the exceptions.
        """
        load_extra("altair")
        from riskmark.notebook.figures.series import var_figure  # noqa: PLC0415 - the same

        return var_figure(self._portfolio, session=session)

    def exposures(self, session: "Day" = None, *, model: str | None = None) -> "alt.LayerChart":
        """Draw the exposures to the factors of a model.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.
        model : str, optional
            The factor model; default: the one by which risk is split.

        Returns
        -------
        altair.LayerChart
            Bars, a ratio, with a line of one standard error to either side.
        """
        load_extra("altair")
        from riskmark.notebook.figures.bars import exposure_figure  # noqa: PLC0415 - the same

        return exposure_figure(self._portfolio, session=session, model=model)

    def stress(self, session: "Day" = None) -> "alt.Chart":
        """Draw what the scenarios would gain or lose.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        altair.Chart
            Two bars for each scenario, direct and predictive, in money.
        """
        load_extra("altair")
        from riskmark.notebook.figures.bars import stress_figure  # noqa: PLC0415 - the same

        return stress_figure(self._portfolio, session=session)

    def sectors(self, session: "Day" = None) -> "alt.LayerChart":
        """Draw what is long and short in each sector.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        altair.LayerChart
            Bars, a fraction of NAV in percent, with ticks of the benchmark's weights.
        """
        load_extra("altair")
        from riskmark.notebook.figures.bars import sector_figure  # noqa: PLC0415 - the same

        return sector_figure(self._portfolio, session=session)

    def correlation(self, session: "Day" = None) -> "alt.Chart | alt.LayerChart":
        """Draw the correlations of the positions, cluster by cluster.

        Parameters
        ----------
        session : str or date, optional
            The session; default: the newest.

        Returns
        -------
        altair.Chart or altair.LayerChart
            A heat map, no unit, from −1 to 1.
        """
        load_extra("altair")
        from riskmark.notebook.figures.matrix import correlation_figure  # noqa: PLC0415 - the same

        return correlation_figure(self._portfolio, session=session)
