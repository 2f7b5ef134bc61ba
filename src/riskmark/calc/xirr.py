"""XIRR: the rate at which dated amounts of money are worth nothing together (actual/365).

    f(λ) = Σ c_k · exp(−λ · τ_k) = 0      τ_k = share of the span between first and last amount

λ is the log growth over the span, so that short spans do not overflow; the rate over any
horizon follows from it. Of several roots the one whose rate is nearest 0 counts. Many
problems are solved at once.

What spares a search for further roots are the running sums D_k = Σ_{j≤k} c_j · exp(−λ · τ_j).
Summation by parts makes f(λ') a sum of the D_k whose weights are all positive for λ' > λ. So
if all D_k are of one sign, there is no root beyond λ. If λ is itself a root, D_n is 0 and the
weights of the others are all negative for λ' < λ: then there is no other root at all. One
change of sign among the amounts (Descartes) is a case of this.

Newton's method finds most roots, and this test shows that they are the only ones; for the
rest, a grid outwards from 0 and bisection find the first root on either side.
"""

from typing import NamedTuple

import numpy as np

from riskmark.calc.arrays import BoolArray, FloatArray, IntArray

NEWTON_STEPS = 12
PRECISE = 1e-13
"""The change of λ, relative to 1 + |λ|, at which Newton's method has arrived."""
CERTAIN = 1e-10
"""Running sums at a root, relative to Σ|c|, that rounding may put on the wrong side of 0."""
CERTIFIED = 10.0
"""The largest |λ| at which the running sums are still far larger than ``CERTAIN``."""
RESIDUAL = 1e-9
"""The largest value, relative to the sizes of its terms, that is taken for 0."""
LARGEST = 1e6
"""The largest |λ|: money put in just before the end may need a growth far beyond any real one."""
FINE, COARSE = 0.05, 1.05
NEAR = 0.5
GRID = [
    *np.arange(FINE, NEAR, FINE),
    *NEAR * COARSE ** np.arange(1 + np.ceil(np.log(LARGEST / NEAR) / np.log(COARSE))),
]
"""Where a change of sign is looked for: every 0.05 near 0, then every 5 %."""
BISECTIONS = 60


class CashFlows(NamedTuple):
    """The amounts of M problems one after the other, each in ascending order of its days.

    Problem m has ``amounts[offsets[m] : offsets[m + 1]]``; money put in is negative.
    """

    amounts: FloatArray
    days: FloatArray
    offsets: IntArray


class _Problems(NamedTuple):
    """Problems that may have a root: amounts with Σ|c| = 1, and shares of their spans."""

    amounts: FloatArray
    times: FloatArray
    owner: IntArray
    starts: IntArray

    def take(self, keep: BoolArray) -> "_Problems":
        """Return the problems to ``keep``."""
        wanted = np.flatnonzero(keep[self.owner])
        owner = (np.cumsum(keep) - 1)[self.owner[wanted]]
        starts = np.searchsorted(owner, np.arange(np.count_nonzero(keep)))
        return _Problems(self.amounts[wanted], self.times[wanted], owner, starts)

    def mirrored(self) -> "_Problems":
        """Return the problems in reverse, backwards in time: their roots are −λ."""
        owner = len(self.starts) - 1 - self.owner[::-1]
        starts = np.searchsorted(owner, np.arange(len(self.starts)))
        return _Problems(self.amounts[::-1], 1.0 - self.times[::-1], owner, starts)

    def terms(self, growth: FloatArray) -> FloatArray:
        """Return c_k · exp(−λ·τ_k), times exp(λ) where λ < 0, so that nothing overflows."""
        shift = np.minimum(growth, 0.0)
        return self.amounts * np.exp(shift[self.owner] - growth[self.owner] * self.times)

    def total(self, terms: FloatArray) -> FloatArray:
        """Add terms up by problem."""
        return np.add.reduceat(terms, self.starts)

    def one_sided(self, terms: FloatArray, tolerance: float) -> BoolArray:
        """Whether the running sums of terms are all of one sign."""
        running = np.cumsum(terms)
        running -= np.append(0.0, running)[self.starts][self.owner]
        return (np.maximum.reduceat(running, self.starts) <= tolerance) | (
            np.minimum.reduceat(running, self.starts) >= -tolerance
        )


def solve_rates(flows: CashFlows, *, horizon_days: FloatArray) -> FloatArray:
    """Return the rate over ``horizon_days`` (M,) of each problem; NaN where there is no root."""
    rates = np.full(len(flows.offsets) - 1, np.nan)
    solvable, problems, span_days = _prepare(flows)
    if not len(solvable):
        return rates
    power = horizon_days[solvable] / span_days
    growth, only = _newton(problems)
    if not only.all():
        growth[~only] = _search(problems.take(~only), growth[~only], power[~only])
    terms = problems.terms(np.nan_to_num(growth))
    residual = np.abs(problems.total(terms)) / problems.total(np.abs(terms))
    growth[residual > RESIDUAL] = np.nan
    rates[solvable] = _rate(growth, power)
    return rates


def _prepare(flows: CashFlows) -> tuple[IntArray, _Problems, FloatArray]:
    """Keep the problems with amounts of both signs; return which, they, and their spans."""
    count = len(flows.offsets) - 1
    owner = np.repeat(np.arange(count), np.diff(flows.offsets))
    both = np.ones(count, np.bool_)
    for sign in (1.0, -1.0):
        both &= np.bincount(owner[sign * flows.amounts > 0.0], minlength=count) > 0
    solvable = np.flatnonzero(both)
    used = np.flatnonzero(both[owner] & (flows.amounts != 0.0))
    owner = (np.cumsum(both) - 1)[owner[used]]
    amounts, days = flows.amounts[used], flows.days[used]
    starts = np.searchsorted(owner, np.arange(len(solvable)))
    ends = np.searchsorted(owner, np.arange(len(solvable)), side="right") - 1
    span_days = days[ends] - days[starts]
    times = (days - days[starts][owner]) / span_days[owner]
    amounts = amounts / np.bincount(owner, np.abs(amounts), len(starts))[owner]
    return solvable, _Problems(amounts, times, owner, starts), span_days


def _newton(problems: _Problems) -> tuple[FloatArray, BoolArray]:
    """Return the root that Newton's method finds, NaN if none, and whether it is the only one.

    It starts from the rate of Dietz: the gain over the capital weighted by time.
    """
    gain = problems.total(problems.amounts)
    capital = -problems.total(problems.amounts * (1.0 - problems.times))
    simple = np.divide(gain, capital, out=np.zeros(len(gain)), where=capital != 0.0)
    growth = np.log1p(np.clip(simple, -0.9, 9.0))
    moving, active = np.arange(len(growth)), problems
    for _ in range(NEWTON_STEPS):
        terms = active.terms(growth[moving])
        slope = active.total(terms * active.times)
        step = np.divide(active.total(terms), slope, out=np.ones(len(slope)), where=slope != 0.0)
        growth[moving] += np.clip(step, -1.0, 1.0)
        far = np.abs(step) > PRECISE * (1.0 + np.abs(growth[moving]))
        if not far.any():
            moving = moving[:0]
            break
        if np.count_nonzero(far) < len(far) / 2:
            moving, active = moving[far], active.take(far)
    growth[moving] = np.nan
    near = np.abs(growth) <= CERTIFIED
    terms = problems.terms(np.where(near, growth, 0.0))
    return growth, near & problems.one_sided(terms, CERTAIN)


def _search(problems: _Problems, known: FloatArray, power: FloatArray) -> FloatArray:
    """Return the root with the rate nearest 0: ``known`` or the first on either side of 0.

    A root further away than ``known`` is not looked for.
    """
    reach = np.abs(_rate(known, power))
    reach[np.isnan(reach)] = np.inf
    below = np.full(len(reach), np.inf)
    np.log1p(-reach, out=below, where=reach < 1.0)
    above = _first_root(problems, np.log1p(reach) / power)
    mirrored = _first_root(problems.mirrored(), np.abs(below / power)[::-1])
    candidates = np.stack([known, above, -mirrored[::-1]])
    distance = np.abs(_rate(candidates, power))
    distance[np.isnan(distance)] = np.inf
    nearest = np.argmin(distance, axis=0)
    best: FloatArray = candidates[nearest, np.arange(len(known))]
    return best


def _first_root(problems: _Problems, limit: FloatArray) -> FloatArray:
    """Return the smallest root λ ≥ 0 that the grid shows up to ``limit``; NaN if none."""
    low, high = np.full((2, len(problems.starts)), np.nan)
    place, active = np.arange(len(low)), problems
    last, last_point = problems.total(problems.amounts), 0.0
    for point in GRID:
        terms = active.terms(np.full(len(place), point))
        value = active.total(terms)
        changed = np.sign(value) != np.sign(last)
        low[place[changed]], high[place[changed]] = last_point, point
        going = ~changed & (point < limit[place])
        if point >= NEAR:
            going &= ~active.one_sided(terms, 0.0)
        if not going.any():
            break
        place, active, last, last_point = place[going], active.take(going), value[going], point
    found = ~np.isnan(low)
    if found.any():
        low[found] = _bisect(problems.take(found), low[found], high[found])
    return low


def _bisect(problems: _Problems, low: FloatArray, high: FloatArray) -> FloatArray:
    """Halve the brackets until they are points."""
    at_low = np.sign(problems.total(problems.terms(low)))
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        same = np.sign(problems.total(problems.terms(middle))) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return 0.5 * (low + high)


def _rate(growth: FloatArray, power: FloatArray) -> FloatArray:
    """Return the rate over another horizon; NaN if it is no float."""
    with np.errstate(over="ignore"):
        rate = np.expm1(growth * power)
    return np.where(np.isfinite(rate), rate, np.nan)
