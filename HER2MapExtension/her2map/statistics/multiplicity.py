"""P-values adjusted for how many tests there are of one family.

Without a number of tests, those with a p are counted: a test that could not be made is none.
"""

from collections.abc import Sequence

import numpy as np

from .estimate import Array


def bonferroni(p: Sequence[float] | Array, tests: int | None = None) -> Array:
    """P-values (n,) times the number of tests, at most 1; NaN stays NaN."""
    values = np.asarray(p, float)
    return np.minimum(1.0, values * _number(values, tests))


def holm(p: Sequence[float] | Array, tests: int | None = None) -> Array:
    """Holm's step-down p-values (n,), Scand J Stat 1979;6:65; NaN stays NaN."""
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")[: int(np.count_nonzero(~np.isnan(values)))]
    factors = _number(values, tests) - np.arange(len(order))
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted


def sidak(p: Sequence[float] | Array, tests: int | None = None) -> Array:
    """Sidak's p-values (n,), 1 - (1 - p)^tests, J Am Stat Assoc 1967;62:626; NaN stays NaN."""
    values = np.asarray(p, float)
    with np.errstate(divide="ignore"):  # p = 1
        return np.asarray(-np.expm1(_number(values, tests) * np.log1p(-values)))


def _number(values: Array, tests: int | None) -> int:
    return int(np.count_nonzero(~np.isnan(values))) if tests is None else tests
