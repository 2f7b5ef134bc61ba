"""The catalogue of factor exposures, what they risk and what scenarios do to them."""

from riskmark.calc import clusters, correlation, factor_covariance, pairwise
from riskmark.calc.filled_returns import HISTORY
from riskmark.domain.factor_models import FactorModel
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import (
    EXPOSED,
    NO_HOLDINGS,
    OF_SHARES,
    OVER_NAV,
    Entry,
    Section,
    Unit,
    Window,
)

_SPLIT = (*EXPOSED, NullReason.UNDEFINED_DENOMINATOR)
_FEW = (NullReason.TOO_FEW_OBSERVATIONS, NullReason.NO_FACTOR_DATA, NullReason.NO_FACTOR_VARIATION)
_NONE = (*NO_HOLDINGS, NullReason.ALL_EXCLUDED)
_TIME = (NullReason.BEFORE_DATA, NullReason.NOT_OVER_YET)
_PAIRS = Window(pairwise.SPAN, pairwise.LEAST)


def factors() -> Section:
    """Return the section ``factors``: exposures to every factor of every model."""

    def entry(
        name: str, unit: Unit, formula: str, source: str, *, nulls: tuple[NullReason, ...]
    ) -> Entry:
        return Entry(name, unit, formula, source, f"factor_exposure.{name}", nulls=nulls)

    return Section(
        "factors",
        "Factor exposures",
        "One line for each factor of each model; windows and minimums are the models' (below). "
        "Positions that are stale, at cost or unfit to be filled are left out, not reweighted.",
        (
            entry("model", Unit.NAMES, "the factor model", "", nulls=()),
            entry("factor", Unit.NAMES, "the factor", "", nulls=()),
            entry(
                "exposure",
                Unit.RATIO,
                "Σ w_i · beta_if over the symbols with a fit",
                "least squares; Hoerl & Kennard 1970 for ridge",
                nulls=(*NO_HOLDINGS, *OVER_NAV, *EXPOSED[1:]),
            ),
            entry("money", Unit.MONEY, "Σ e_i · beta_if", "", nulls=EXPOSED),
            entry(
                "stderr",
                Unit.RATIO,
                "standard error of the slope of x on the model's factors; none for ridge",
                "least squares on x: residuals of holdings are correlated",
                nulls=(*NO_HOLDINGS, *OVER_NAV, *EXPOSED[1:], NullReason.NOT_DEFINED),
            ),
            entry("coverage", Unit.FRACTION, "Σ |e_i| with a fit / gross", "", nulls=OF_SHARES),
        ),
    )


def factor_risk(model: FactorModel) -> Section:
    """Return the section ``factor_risk``; ``model`` is the one by which risk is split."""
    window = Window(model.window, max(model.minimum, factor_covariance.MINIMUM))

    def share(name: str, formula: str) -> Entry:
        column = f"snapshot.{name}"
        return Entry(name, Unit.FRACTION, formula, "Rosenberg 1974", column, window, _SPLIT)

    return Section(
        "factor_risk",
        "Factor risk",
        f"The variance of x split by the model {model.name}: b are the exposures, Σ_f the "
        "covariance of the factors, s² the residual variance of x on them.",
        (
            Entry("model", Unit.NAMES, "the model by which risk is split"),
            share("factor_share", "b'Σ_f b / (b'Σ_f b + s²)"),
            share("specific_share", "1 − factor_share"),
            Entry(
                "contributions",
                Unit.FRACTION,
                "b_f · (Σ_f b)_f / (b'Σ_f b + s²), of each factor; the sum is factor_share; in "
                "SQL also not_defined, for factors of other models",
                "Tasche 1999: Euler contributions",
                "factor_exposure.risk_share",
                window,
                (*_SPLIT, NullReason.NOT_DEFINED),
            ),
        ),
    )


def stress(model: FactorModel) -> Section:
    """Return the section ``stress``; ``model`` is the one whose factors are shocked."""

    def entry(
        name: str, formula: str, source: str, *, nulls: tuple[NullReason, ...], window: Window
    ) -> Entry:
        return Entry(name, Unit.MONEY, formula, source, f"stress_result.{name}", window, nulls)

    moves = Window(HISTORY, factor_covariance.MINIMUM)
    nulls = (*EXPOSED, NullReason.NOT_DEFINED)
    return Section(
        "stress",
        "Stress",
        f"One line for each scenario (below). e_f are the exposures to the model {model.name} in "
        "money, all factors together, so that nothing is counted twice. Nothing is clipped.",
        (
            Entry("scenario", Unit.NAMES, "the scenario", column="stress_result.scenario"),
            entry(
                "direct",
                "Σ e_f · shock_f",
                "linear in exposures",
                nulls=nulls,
                window=Window(model.window, model.minimum),
            ),
            entry(
                "predictive",
                "Σ e_f · move_f; factors without a shock follow by Σ_fs · Σ_ss⁻¹ · shock",
                "Kupiec 1998: conditional expectation",
                nulls=nulls,
                window=moves,
            ),
            Entry(
                "factors",
                Unit.MONEY,
                "by factor: e_f · shock_f or e_f · move_f; they sum to direct and predictive",
                nulls=nulls,
            ),
            Entry(
                "positions",
                Unit.MONEY,
                "by position: e_i · Σ beta_if · shock_f or move_f; they sum to the same",
                nulls=(*nulls, NullReason.STALE, NullReason.NEVER_PRICED),
            ),
        ),
    )


def replays(model: FactorModel) -> Section:
    """Return the section ``replays``; ``model`` stands in for returns that are missing."""

    def share(name: str, formula: str) -> Entry:
        nulls = (*NO_HOLDINGS, *_TIME, NullReason.UNDEFINED_DENOMINATOR)
        return Entry(name, Unit.FRACTION, formula, nulls=nulls)

    return Section(
        "replays",
        "Historical replays",
        "What an episode (below) would do to the holdings of today, from the close of its first "
        "date to that of its last.",
        (
            Entry("scenario", Unit.NAMES, "the episode"),
            Entry("first", Unit.DATE, "the session from whose close on it runs"),
            Entry("last", Unit.DATE, "the session to whose close it runs"),
            Entry(
                "pnl",
                Unit.MONEY,
                "Σ e_i · R_i; R_i: own returns compounded, else those of Σ beta_if · f "
                f"({model.name})",
                "historical simulation",
                nulls=(*_NONE, *_TIME),
            ),
            share("own_share", "share of gross that is replayed by its own returns"),
            share("proxied_share", "share of gross that is replayed by its factors' returns"),
            share("replayed_share", "own_share + proxied_share"),
        ),
    )


def correlations(default: FactorModel) -> tuple[Section, Section]:
    """Return the sections ``correlation`` and ``factor_correlation``."""
    least, most = correlation.LEAST_SHARE, correlation.MOST
    linkage = f"average linkage on √((1 − ρ) / 2), cut at ρ = {clusters.ALIKE:g}"
    alone = (*_NONE, NullReason.NOT_DEFINED)

    def entry(
        name: str, unit: Unit, formula: str, source: str, *, nulls: tuple[NullReason, ...]
    ) -> Entry:
        stored = {"mean": "corr_mean", "mean_abs": "corr_mean_abs", "effective_rank": name}
        column = f"snapshot.{stored[name]}" if name in stored else None
        return Entry(name, unit, formula, source, column, _PAIRS, nulls)

    of_holdings = Section(
        "correlation",
        "Correlation",
        f"Of observed returns, without fills, each pair on its common sessions; the {most} "
        f"largest holdings of at least {100 * least:g} % of gross. Summaries are stored; "
        "matrix and clusters are computed when they are shown.",
        (
            entry("symbols", Unit.NAMES, "the symbols of rows and columns", "", nulls=_NONE),
            entry(
                "matrix",
                Unit.CORRELATION,
                "Pearson's correlation; if not positive semi-definite: eigenvalues clipped at 0, "
                "diagonal rescaled to 1",
                "Rebonato & Jäckel 1999",
                nulls=_NONE,
            ),
            entry("mean", Unit.CORRELATION, "mean off the diagonal", "", nulls=alone),
            entry("mean_abs", Unit.CORRELATION, "mean of |ρ| off the diagonal", "", nulls=alone),
            entry(
                "effective_rank",
                Unit.RATIO,
                "exp(−Σ q_k · ln q_k), q_k = λ_k / n",
                "Roy & Vetterli 2007",
                nulls=_NONE,
            ),
            entry("clusters", Unit.NAMES, linkage, "Sokal & Michener 1958; scipy", nulls=_NONE),
            entry(
                "left_out", Unit.NAMES, "holdings without a row, and why (below)", "", nulls=_NONE
            ),
        ),
    )
    of_factors = Section(
        "factor_correlation",
        "Factor correlation",
        f"Of the factors of the default model ({default.name}), on complete sessions.",
        (
            Entry("model", Unit.NAMES, "the model"),
            Entry("factors", Unit.NAMES, "the factors of rows and columns"),
            Entry(
                "matrix",
                Unit.CORRELATION,
                "Pearson's correlation",
                "Pearson 1895",
                window=Window(default.window, max(default.minimum, factor_covariance.MINIMUM)),
                nulls=_FEW,
            ),
        ),
    )
    return of_holdings, of_factors
