"""A factor, such as ER status or grade, crossed with groups of cases: chi-square and Fisher's exact test."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from .estimate import Array, row_labels
from .grouped import group_names
from .tested import Tested

PEARSON = "Pearson, without continuity correction"
YATES = (
    "with Yates' continuity correction (never more than the difference itself), as R; for 2 x 2 tables alone"
)
EXACT = "two-sided: all tables with these margins that are as probable or less"
MONTE_CARLO = (
    "two-sided, from {tables} random tables with these margins (seed {seed}), as there are too many to list; "
    "standard error of p {error:.2g}"
)
RULE = "chi-square where no expected count is under 1 and at most a fifth are under 5, otherwise Fisher's"
MOST_TABLES = 3_000_000
RANDOM_TABLES = 100_000
SEED = 20261
_SLACK = 1e-7
"""Tables whose probability differs by no more than this part of it are taken as equally probable, as in R."""


@dataclass(frozen=True, eq=False)
class FactorComparison:
    """A factor crossed with groups.

    Attributes:
        levels, groups: the names of the rows and columns of `counts`, also of those without a case.
        counts: (levels, groups) cases.
        missing: of each group, how many cases lack the factor.
        chi2, yates, fisher: tests, of the rows and columns that have cases.
        smallest_expected: count, of the chi-square test; NaN without it.
        chosen: chi-square or Fisher's, by the rule.
        rule: in words.
        left_out: the cases that lack the factor or are in none of the groups.
    """

    levels: tuple[Hashable, ...]
    groups: tuple[str, ...]
    counts: NDArray[np.int_]
    missing: tuple[int, ...]
    chi2: Tested
    yates: Tested
    fisher: Tested
    smallest_expected: float
    chosen: Tested
    left_out: tuple[Hashable, ...]
    rule: str = RULE


def compare_factor(
    values: Sequence[Any], groups: Sequence[Any], order: Sequence[str], levels: Sequence[Hashable] = ()
) -> FactorComparison:
    """Cross a factor with groups of cases.

    Args:
        values: (n,) each case's level; None or NaN where missing.
        groups: (n,) each case's group; cases in none of those in `order` are left out.
        order: of the groups.
        levels: of the factor, in order; without them those that occur, sorted. Any other value counts as
            missing.

    Raises:
        InputError: the two are not of the same cases.
    """
    n = len(values)
    names = group_names(values, groups, n)
    found = np.empty(n, object)
    found[:] = [None if _missing(value) else value for value in values]
    inside = [names == name for name in order]
    grouped = np.any(inside, axis=0) if len(inside) and n else np.zeros(n, bool)
    rows = tuple(levels) or _sorted({value for value in found[grouped] if value is not None})
    at = [found == level for level in rows]
    known = np.any(at, axis=0) if len(at) and n else np.zeros(n, bool)
    counts = np.array([[np.count_nonzero(one & other) for other in inside] for one in at], int)
    counts = counts.reshape(len(rows), len(order))
    chi2, yates, fisher, smallest, chosen = table_tests(counts)
    labels = row_labels(values, n)
    return FactorComparison(
        rows,
        tuple(order),
        counts,
        tuple(int(np.count_nonzero(group & ~known)) for group in inside),
        chi2,
        yates,
        fisher,
        smallest,
        chosen,
        tuple(label for label, used in zip(labels, known & grouped, strict=True) if not used),
    )


def _sorted(levels: set[Any]) -> tuple[Hashable, ...]:
    try:
        return tuple(sorted(levels))
    except TypeError:  # of several kinds
        return tuple(sorted(levels, key=str))


def _missing(value: Any) -> bool:
    """None, NaN, NaT and NA: what does not equal itself, or cannot say so."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True


def table_tests(counts: NDArray[np.int_]) -> tuple[Tested, Tested, Tested, float, Tested]:
    """Chi-square, Yates, Fisher, the smallest expected count, the chosen test; of counts (rows, columns)."""
    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0] if counts.size else counts
    n = int(table.sum())
    reason = ""
    if min(table.shape, default=0) < 2:
        what = "group" if table.shape[1] < 2 else "level of the factor"
        reason = f"Only one {what} has cases." if n else "There is no complete case."
    if reason:
        chi2, yates, fisher = (
            Tested(name, n=n, convention=convention, reason=reason)
            for name, convention in (
                ("chi-square", PEARSON),
                ("chi-square", YATES),
                ("Fisher's exact", EXACT),
            )
        )
        return chi2, yates, fisher, math.nan, chi2
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / n
    chi2 = _pearson(table, expected, 0.0, PEARSON)
    if table.shape == (2, 2):
        yates = _pearson(table, expected, 0.5, YATES)
    else:
        yates = Tested("chi-square", n=n, convention=YATES, reason="The table is not 2 x 2.")
    fisher = fisher_exact(table)
    few = expected.min() < 1 or (expected < 5).mean() > 0.2
    return chi2, yates, fisher, float(expected.min()), fisher if few else chi2


def _pearson(table: NDArray[np.int_], expected: Array, correction: float, convention: str) -> Tested:
    off = np.abs(table - expected)
    off = off - np.minimum(correction, off)
    statistic = float((off**2 / expected).sum())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return Tested(
        "chi-square", statistic, float(stats.chi2.sf(statistic, df)), (df,), int(table.sum()), convention
    )


def fisher_exact(table: NDArray[np.int_]) -> Tested:
    """Fisher's exact test of a table of counts, of any size by Freeman & Halton, Biometrika 1951;38:141.

    All tables with the same margins are listed; where there are more than `MOST_TABLES`, some are drawn.
    """
    if table.shape[0] > table.shape[1]:
        table = table.T
    observed = -float(gammaln(table + 1).sum())
    rows, columns = table.sum(axis=1), np.sort(table.sum(axis=0))
    n = int(table.sum())
    weights = _listed(rows, columns)
    if weights is None:
        drawn = stats.random_table(rows, columns).rvs(RANDOM_TABLES, random_state=np.random.default_rng(SEED))
        likely = -gammaln(drawn + 1).sum(axis=(1, 2))
        p = float(1 + np.count_nonzero(likely <= observed + _SLACK)) / (RANDOM_TABLES + 1)
        error = math.sqrt(p * (1 - p) / RANDOM_TABLES)
        return Tested(
            "Fisher's exact",
            p=p,
            n=n,
            convention=MONTE_CARLO.format(tables=RANDOM_TABLES, seed=SEED, error=error),
        )
    probability = np.exp(weights - weights.max())
    p = float(probability[weights <= observed + _SLACK].sum() / probability.sum())
    return Tested("Fisher's exact", p=min(1.0, p), n=n, convention=EXACT)


def _listed(rows: NDArray[np.int_], columns: NDArray[np.int_]) -> Array | None:
    """Of all tables, the logarithm of the probability but for a constant; None where they are too many."""
    left, weights = rows[None, :], np.zeros(1)  # what is left of the rows, after each column
    for total in columns[:-1]:
        parts = _compositions(int(total), rows)
        if parts is None or len(parts) * len(left) > MOST_TABLES:
            return None
        rest = left[:, None, :] - parts
        fits = (rest >= 0).all(axis=2)
        weights = (weights[:, None] - gammaln(parts + 1).sum(axis=1))[fits]
        left = rest[fits]
    return np.asarray(weights - gammaln(left + 1).sum(axis=1))


def _compositions(total: int, most: NDArray[np.int_]) -> NDArray[np.int_] | None:
    """All ways (ways, rows) to spread a total over the rows; None where there are too many."""
    found = np.zeros((1, 0), int)
    left = np.array([total])
    for limit in most[:-1]:
        choices = np.arange(min(int(limit), total) + 1)
        if len(found) * len(choices) > MOST_TABLES:
            return None
        fits = choices <= left[:, None]
        origin, choice = np.nonzero(fits)
        found = np.column_stack([found[origin], choices[choice]])
        left = left[origin] - choices[choice]
    kept = left <= most[-1]
    return np.column_stack([found[kept], left[kept]])
