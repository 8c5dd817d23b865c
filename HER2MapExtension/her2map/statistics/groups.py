"""A number compared between groups of cases: what each is like, which test fits, the others beside it."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .estimate import Array
from .group_tests import equal_variances, homogeneity, mann_whitney_others, rank_test, unequal_variances
from .grouped import group_values
from .normality import Normality, NormalityTest, normality
from .pairs import Pair, bonferroni_pairs, dunn_pairs, tamhane_pairs
from .tested import Tested

QUARTILES = "quartiles by linear interpolation (type 7, as R and numpy)"
RULE = (
    "all groups normal (p > 0.05, {test}) and variances equal (p > 0.05, Levene): {equal}; all normal, "
    "variances unequal: {unequal}; otherwise, or with fewer than three cases in a group: {ranks}"
)
SMALL_GROUP = 30


@dataclass(frozen=True)
class GroupSummary:
    """A group.

    Attributes:
        name: of the group.
        n, missing: cases with and without the value.
        mean, sd, median, q1, q3, minimum, maximum: NaN where there is none.
        normality: tests.
    """

    name: str
    n: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    minimum: float
    maximum: float
    normality: Normality


@dataclass(frozen=True)
class GroupComparison:
    """A number compared between groups.

    Attributes:
        groups: each group.
        levene, brown_forsythe: tests of equal variances.
        equal_variances: Student's t-test, or one-way analysis of variance.
        unequal_variances: Welch's.
        ranks: Mann-Whitney, or Kruskal-Wallis.
        others: further versions of the Mann-Whitney test.
        bonferroni, tamhane, dunn: every pair by the post-hoc test that belongs to each of the three.
        chosen: one of the three, by the rule.
        chosen_pairs: of the post-hoc tests, that which belongs to it.
        rule: in words.
        because: what led to the choice, in words.
        remarks: what to know before the figures are used, a sentence each.
        left_out: the cases that lack the value or are in none of the groups.
        convention: of the quartiles.
    """

    groups: tuple[GroupSummary, ...]
    levene: Tested
    brown_forsythe: Tested
    equal_variances: Tested
    unequal_variances: Tested
    ranks: Tested
    others: tuple[Tested, ...]
    bonferroni: tuple[Pair, ...]
    tamhane: tuple[Pair, ...]
    dunn: tuple[Pair, ...]
    chosen: Tested
    chosen_pairs: tuple[Pair, ...]
    rule: str
    because: str
    remarks: tuple[str, ...]
    left_out: tuple[Hashable, ...]
    convention: str = QUARTILES


def compare_groups(
    values: ArrayLike,
    groups: Sequence[Any],
    order: Sequence[str],
    test: NormalityTest = NormalityTest.KOLMOGOROV_SMIRNOV,
) -> GroupComparison:
    """Compare a number between two or more groups.

    Args:
        values: (n,) NaN where missing.
        groups: (n,) each case's group; cases in none of those in `order` are left out.
        order: of the groups.
        test: which says whether a group is normal; that of Zhang et al. 2026 is Kolmogorov-Smirnov's.

    Raises:
        InputError: see :func:`~her2map.statistics.grouped.group_values`.
    """
    sorted_values = group_values(values, groups, order)
    described = tuple(
        _summary(*group)
        for group in zip(sorted_values.names, sorted_values.values, sorted_values.missing, strict=True)
    )
    names, samples = sorted_values.filled()
    levene, brown_forsythe = homogeneity(samples)
    equal, unequal, ranks = equal_variances(samples), unequal_variances(samples), rank_test(samples)
    several = (equal, unequal, ranks)
    bonferroni, tamhane, dunn = (
        pairs(names, samples) if len(names) > 1 else ()
        for pairs in (bonferroni_pairs, tamhane_pairs, dunn_pairs)
    )
    entered = [group for group in described if group.n]
    choice, because = _choice(entered, levene, test)
    return GroupComparison(
        groups=described,
        levene=levene,
        brown_forsythe=brown_forsythe,
        equal_variances=equal,
        unequal_variances=unequal,
        ranks=ranks,
        others=mann_whitney_others(samples),
        bonferroni=bonferroni,
        tamhane=tamhane,
        dunn=dunn,
        chosen=several[choice],
        chosen_pairs=(bonferroni, tamhane, dunn)[choice],
        rule=RULE.format(test=test.value, equal=equal.name, unequal=unequal.name, ranks=ranks.name),
        because=because,
        remarks=_remarks(described, entered, levene, choice, test),
        left_out=sorted_values.left_out,
    )


def _summary(name: str, values: Array, missing: int) -> GroupSummary:
    n = len(values)
    quartiles = np.quantile(values, [0.25, 0.5, 0.75, 0, 1]) if n else np.full(5, np.nan)
    q1, median, q3, minimum, maximum = (float(q) for q in quartiles)
    mean = float(values.mean()) if n else math.nan
    sd = float(values.std(ddof=1)) if n > 1 else math.nan
    return GroupSummary(name, n, missing, mean, sd, median, q1, q3, minimum, maximum, normality(values))


def _choice(entered: Sequence[GroupSummary], levene: Tested, test: NormalityTest) -> tuple[int, str]:
    """Which of the three tests, and why."""
    untested = [group.name for group in entered if not group.normality.by(test).known]
    if untested:
        return 2, f"{_listed(untested)} cannot be tested for normality"
    other = [group.name for group in entered if group.normality.by(test).p <= 0.05]
    if other:
        return 2, f"{_listed(other)} {'is' if len(other) == 1 else 'are'} not normal"
    if levene.known and levene.p <= 0.05:
        return 1, "all groups are normal, the variances differ"
    return 0, "all groups are normal, the variances do not differ"


def _remarks(
    described: Sequence[GroupSummary],
    entered: Sequence[GroupSummary],
    levene: Tested,
    choice: int,
    test: NormalityTest,
) -> tuple[str, ...]:
    remarks = [f"{group.name} has no case and is left out." for group in described if not group.n]
    remarks += [
        f"{group.name} has {group.n} case{'' if group.n == 1 else 's'}: its tests of normality have little "
        "power, and its differences are uncertain."
        for group in entered
        if group.n < SMALL_GROUP
    ]
    names = ("equal variances", "unequal variances", "ranks")
    for other in NormalityTest:
        elsewhere, because = _choice(entered, levene, other)
        if other is not test and elsewhere != choice:
            remarks.append(f"By {other.value} the test would be that for {names[elsewhere]}: {because}.")
    return tuple(remarks)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
