"""Sums and variances over every window of rows of numbers, by additions only.

A window of n is put together from blocks of 1, 2, 4, … numbers. Nothing is taken away
again, so a crash that has left the window leaves no rounding error behind.
"""

import numpy as np

from riskmark.calc.arrays import FloatArray


def window_sums(values: FloatArray, n: int) -> FloatArray:
    """Sum every ``n`` consecutive values of each row: (C, L) gives (C, L − n + 1).

    NaN in a window makes its sum NaN.
    """
    width = values.shape[1] - n + 1
    found = np.zeros((len(values), width))
    block, size, taken = values, 1, 0
    while True:
        if n & size:
            found += block[:, taken : taken + width]
            taken += size
        if taken == n:
            return found
        block = block[:, :-size] + block[:, size:]
        size *= 2


def window_variances(values: FloatArray, n: int) -> FloatArray:
    """Return the variance (n − 1) of every ``n`` consecutive values of each row.

    Two neighbouring blocks make one by their means, and by their sums of squares about their
    own means; values that are all alike have a variance of exactly 0.
    """
    width = values.shape[1] - n + 1
    mean, squares = np.zeros((len(values), width)), np.zeros((len(values), width))
    block, about, size, taken = values, np.zeros(values.shape), 1, 0
    while True:
        if n & size:
            part = slice(taken, taken + width)
            apart = block[:, part] - mean
            mean += apart * (size / (taken + size))
            squares += about[:, part] + apart * apart * (taken * size / (taken + size))
            taken += size
        if taken == n:
            return squares / (n - 1)
        apart = block[:, size:] - block[:, :-size]
        about = about[:, :-size] + about[:, size:] + apart * apart * (size / 2)
        block = block[:, :-size] + apart * 0.5
        size *= 2
