"""The catalogue of options: the greeks of each position, and those of a portfolio in money."""

from riskmark.calc.option_marks import SPAN
from riskmark.domain.reasons import NullReason
from riskmark.reports.catalogue.entry import Entry, Section, Unit, Window

_NO_DELTA = (NullReason.NEVER_PRICED,)
_MODEL = "Black & Scholes 1973; Merton 1973"


def position_greeks() -> Section:
    """Return the section ``positions[].greeks``."""

    def entry(name: str, unit: Unit, formula: str, source: str = "") -> Entry:
        return Entry(name, unit, formula, source, f"position_value.{name}", nulls=_NO_DELTA)

    return Section(
        "positions.greeks",
        "Greeks of a position",
        "Beside every option that is held; of one share's worth, as `mark` is. S is the mark of "
        "the underlying, T the days to expiry / 365; the rate r and the dividend yield q of the "
        "settings `options` are continuously compounded. d1 = (ln(S / K) + (r − q + σ² / 2) · T) "
        "/ (σ · √T), d2 = d1 − σ · √T, φ = 1 for a call and −1 for a put.",
        (
            Entry(
                "underlying",
                Unit.NAMES,
                "what the exposure is booked to",
                column="position_value.booked_to",
                nulls=_NO_DELTA,
            ),
            entry("exposure", Unit.MONEY, "e = delta · S · units; negative: short"),
            entry("units", Unit.SHARES, "quantity · m, the shares that the position is on"),
            entry("underlying_price", Unit.PRICE, "S"),
            Entry(
                "volatility",
                Unit.A_YEAR,
                "σ: implied_vol, or else the deviation of the underlying's returns · √252",
                column="position_value.volatility",
                window=Window(SPAN, SPAN),
                nulls=_NO_DELTA,
            ),
            entry("delta", Unit.RATIO, "φ · e^(−q·T) · N(φ · d1)", _MODEL),
            entry("gamma", Unit.RATIO, "e^(−q·T) · n(d1) / (S · σ · √T)", _MODEL),
            entry("vega", Unit.PRICE, "S · e^(−q·T) · n(d1) · √T / 100: of a point, 0.01", _MODEL),
            entry("theta", Unit.PRICE, "∂price / ∂time / 365: of a calendar day", _MODEL),
            entry("rho", Unit.PRICE, "φ · K · T · e^(−r·T) · N(φ · d2) / 100: of 0.01", _MODEL),
            Entry(
                "implied_vol",
                Unit.A_YEAR,
                "the σ at which the option's own last close is its price, on S of that session",
                "bracketed Newton steps",
                "position_value.implied_vol",
                nulls=(
                    NullReason.NEVER_PRICED,
                    NullReason.EXPIRED,
                    NullReason.BELOW_INTRINSIC,
                    NullReason.OUT_OF_RANGE,
                ),
            ),
        ),
    )


def greeks() -> Section:
    """Return the section ``greeks``."""

    def entry(name: str, formula: str) -> Entry:
        return Entry(name, Unit.MONEY, formula, nulls=(NullReason.ALL_EXCLUDED,))

    return Section(
        "greeks",
        "Greeks",
        "Sums over the options held, those without greeks left out; 0 without options.",
        (
            entry("delta", "Σ e: what they gain when every underlying doubles, by their deltas"),
            entry("gamma", "Σ gamma · S² · units / 100: delta gained when they rise by 1 %"),
            entry("vega", "Σ vega · units: of a volatility point"),
            entry("theta", "Σ theta · units: of a calendar day"),
            entry("rho", "Σ rho · units: of one percent"),
        ),
    )
