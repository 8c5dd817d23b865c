"""Every pair of several groups: three post-hoc tests, each for its own assumptions.

Of two groups, they are Student's, Welch's and the Mann-Whitney test.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from .estimate import CONFIDENCE, Array, Estimate
from .multiplicity import bonferroni, sidak

BONFERRONI = (
    "t of each pair on the pooled mean square of the analysis of variance, p and interval for all pairs by "
    "Bonferroni, as SPSS's ONEWAY; not the same as separate t-tests"
)
TAMHANE = "Tamhane's T2: Welch's t of each pair, p and interval for all pairs by Sidak, as SPSS's ONEWAY"
DUNN = "Dunn 1964: mean ranks over all groups, corrected for ties; p for all pairs by Bonferroni"


@dataclass(frozen=True)
class Pair:
    """Two groups of several.

    Attributes:
        first, second: names.
        difference: of the means, first less second, with its simultaneous interval; Dunn's is of mean ranks
            and has none.
        convention: in words.
        statistic: t, or Dunn's z; NaN with a reason.
        df: of t; NaN for z.
        p: for all pairs together.
        p_alone: of this pair taken alone.
        reason: why there is no p; "" where there is one.
    """

    first: str
    second: str
    difference: Estimate
    convention: str
    statistic: float = math.nan
    df: float = math.nan
    p: float = math.nan
    p_alone: float = math.nan
    reason: str = ""


def bonferroni_pairs(names: Sequence[str], groups: Sequence[Array]) -> tuple[Pair, ...]:
    """T-tests on the pooled variance within all groups; each group has at least one value."""
    within = np.concatenate([values - values.mean() for values in groups])
    df = len(within) - len(groups)
    square = float(within @ within) / df if df > 0 else 0.0
    reason = "The values within the groups do not vary." if df > 0 else "No group has two cases."
    pairs = _pairs(names, groups, BONFERRONI)
    quantile = float(stats.t.ppf(1 - (1 - CONFIDENCE) / 2 / len(pairs), max(df, 1)))
    found = []
    for pair, one, other in pairs:
        spread = math.sqrt(square * (1 / len(one) + 1 / len(other)))
        if _no_spread(spread, one, other):
            found.append(replace(pair, reason=reason))
        else:
            found.append(_t_test(pair, spread, df, quantile))
    return _adjusted(found, bonferroni)


def tamhane_pairs(names: Sequence[str], groups: Sequence[Array]) -> tuple[Pair, ...]:
    """Tamhane's T2 (J Am Stat Assoc 1979;74:471), without the assumption of equal variances."""
    pairs = _pairs(names, groups, TAMHANE)
    level = CONFIDENCE ** (1 / len(pairs))
    found = []
    for pair, one, other in pairs:
        spread, df, reason = welch_spread(one, other)
        if reason:
            found.append(replace(pair, reason=reason))
        else:
            found.append(_t_test(pair, spread, df, float(stats.t.ppf((1 + level) / 2, df))))
    return _adjusted(found, sidak)


def welch_spread(first: Array, second: Array) -> tuple[float, float, str]:
    """Standard error of the difference of means, its degrees of freedom; or why there are none."""
    if min(len(first), len(second)) < 2:
        return 0.0, math.nan, "A group has one case only."
    one, other = (float(values.var(ddof=1)) / len(values) for values in (first, second))
    if _no_spread(math.sqrt(one + other), first, second):
        return 0.0, math.nan, "The values within the two groups do not vary."
    df = (one + other) ** 2 / (one**2 / (len(first) - 1) + other**2 / (len(second) - 1))
    return math.sqrt(one + other), df, ""


def dunn_pairs(names: Sequence[str], groups: Sequence[Array]) -> tuple[Pair, ...]:
    """Dunn's test (Technometrics 1964;6:241), after that of Kruskal and Wallis."""
    everyone = np.concatenate(groups)
    variance = rank_variance(everyone)
    ranks = np.split(stats.rankdata(everyone), np.cumsum([len(values) for values in groups])[:-1])
    pairs = _pairs(names, ranks, DUNN)
    found = []
    for pair, one, other in pairs:
        pair = replace(pair, difference=replace(pair.difference, reason="Dunn's test has no interval."))
        if variance == 0:
            found.append(replace(pair, reason="All values are the same."))
            continue
        z = pair.difference.value / math.sqrt(variance * (1 / len(one) + 1 / len(other)))
        found.append(replace(pair, statistic=z, p_alone=2 * float(stats.norm.sf(abs(z)))))
    return _adjusted(found, bonferroni)


def rank_variance(everyone: Array) -> float:
    """Of the ranks of (n,) values, n (n + 1) / 12 where none tie; 0 where all are the same."""
    n = len(everyone)
    ties = np.unique(everyone, return_counts=True)[1]
    return max(0.0, (n * (n + 1) - float((ties**3 - ties).sum()) / (n - 1)) / 12) if n > 1 else 0.0


def _pairs(names: Sequence[str], groups: Sequence[Array], convention: str) -> list[tuple[Pair, Array, Array]]:
    """The pairs, yet untested, and the values of both groups."""
    return [
        (
            Pair(names[i], names[j], Estimate(float(groups[i].mean() - groups[j].mean())), convention),
            groups[i],
            groups[j],
        )
        for i, j in combinations(range(len(groups)), 2)
    ]


def _adjusted(pairs: Sequence[Pair], adjust: Callable[[Array, int], Array]) -> tuple[Pair, ...]:
    """For all pairs, also those that could not be tested."""
    p = adjust(np.array([pair.p_alone for pair in pairs]), len(pairs))
    return tuple(replace(pair, p=float(one)) for pair, one in zip(pairs, p, strict=True))


def _no_spread(spread: float, one: Array, other: Array) -> bool:
    return spread <= 1e-14 * max(float(np.abs(one).max()), float(np.abs(other).max()))


def _t_test(pair: Pair, spread: float, df: float, quantile: float) -> Pair:
    difference = pair.difference.value
    t, half = difference / spread, quantile * spread
    alone = 2 * float(stats.t.sf(abs(t), df))
    interval = Estimate(difference, difference - half, difference + half)
    return replace(pair, difference=interval, statistic=t, df=df, p_alone=alone)
