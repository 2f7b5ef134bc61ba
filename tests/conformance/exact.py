"""Least squares in fractions: no rounding at all, for factors that almost determine each other."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

Matrix = list[list[Fraction]]


def hac_errors(y: Sequence[float], factors: Sequence[Sequence[float]], *, lags: int) -> list[float]:
    """Return the standard errors of Newey and West of a regression with intercept.

    Numbers count as they are written in decimals.
    """
    x = [[Fraction(1), *(Fraction(str(value)) for value in row)] for row in factors]
    target = [Fraction(str(value)) for value in y]
    places, sessions = range(len(x[0])), range(len(x))
    inverse = inverse_of([[sum(row[i] * row[j] for row in x) for j in places] for i in places])
    influence = [[dot(inverse[i], row) for i in places] for row in x]
    beta = [sum(influence[t][i] * target[t] for t in sessions) for i in places]
    residual = [target[t] - dot(beta, x[t]) for t in sessions]
    errors = []
    for i in places[1:]:
        u = [influence[t][i] * residual[t] for t in sessions]
        variance = dot(u, u)
        for lag in range(1, lags + 1):
            variance += 2 * (1 - Fraction(lag, lags + 1)) * dot(u[lag:], u[:-lag])
        errors.append(sqrt(variance))
    return errors


def dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    """Return the sum of products."""
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def inverse_of(matrix: Matrix) -> Matrix:
    """Invert by Gauss and Jordan; the matrix is positive definite, so no pivot is 0."""
    size = range(len(matrix))
    rows = [[*row, *(Fraction(int(i == j)) for j in size)] for i, row in enumerate(matrix)]
    for column in size:
        pivot = rows[column][column]
        rows[column] = [value / pivot for value in rows[column]]
        for other in size:
            if other != column and (factor := rows[other][column]):
                pairs = zip(rows[other], rows[column], strict=True)
                rows[other] = [value - factor * swept for value, swept in pairs]
    return [row[len(matrix) :] for row in rows]
