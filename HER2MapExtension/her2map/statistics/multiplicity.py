"""P-values adjusted for how many tests there are of one family; missing ones are not counted."""

from collections.abc import Sequence

import numpy as np

from .estimate import Array

BONFERRONI = "Bonferroni: p x number of tests, at most 1"
HOLM = "Holm 1979: step-down Bonferroni"
SIDAK = "Sidak: 1 - (1 - p)^number of tests"


def bonferroni(p: Sequence[float] | Array) -> Array:
    """P-values (n,) times their number, at most 1; NaN stays NaN and does not count."""
    values = np.asarray(p, float)
    return np.minimum(1.0, values * _known(values))


def holm(p: Sequence[float] | Array) -> Array:
    """Holm's step-down p-values (n,), Scand J Stat 1979;6:65; NaN stays NaN and does not count."""
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")[: _known(values)]
    factors = np.arange(len(order), 0, -1)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted


def sidak(p: Sequence[float] | Array) -> Array:
    """Sidak's p-values (n,), J Am Stat Assoc 1967;62:626; NaN stays NaN and does not count."""
    values = np.asarray(p, float)
    with np.errstate(divide="ignore"):  # p = 1
        return np.asarray(-np.expm1(_known(values) * np.log1p(-values)))


def _known(values: Array) -> int:
    return int(np.count_nonzero(~np.isnan(values)))
