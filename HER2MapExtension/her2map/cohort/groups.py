"""Tables 2 and 3: every factor and every biomarker between the HER2 groups."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from ..statistics.factors import FactorComparison, compare_factor
from ..statistics.groups import GroupComparison, compare_groups
from ..statistics.pairs import Pair
from ..statistics.tested import Tested
from .inputs import Cohort
from .variables import GROUPS, Variable

MAIN_PAIR = ("low", "positive")


@dataclass(frozen=True, eq=False)
class NumberBetween:
    """A number between the groups: all three, with each pair, and HER2-low and positive alone."""

    variable: Variable
    three: GroupComparison
    two: GroupComparison


@dataclass(frozen=True, eq=False)
class FactorBetween:
    """A factor crossed with the groups: all three, and HER2-low and positive alone."""

    variable: Variable
    three: FactorComparison
    two: FactorComparison


Between = NumberBetween | FactorBetween


def between_groups(cohort: Cohort, variables: Iterable[Variable]) -> tuple[Between, ...]:
    """Each variable between the HER2 groups, on the cases that have it."""
    return tuple(_between(cohort, one) for one in variables)


def _between(cohort: Cohort, variable: Variable) -> Between:
    values, groups = cohort.cases[variable.name], cohort.cases["her2"]
    if variable.levels:
        known = values.where(values.isin(variable.levels), None)
        three, two = (compare_factor(known, groups, order, variable.levels) for order in (GROUPS, MAIN_PAIR))
        return FactorBetween(variable, three, two)
    return NumberBetween(
        variable, compare_groups(values, groups, GROUPS), compare_groups(values, groups, MAIN_PAIR)
    )


def post_hoc(found: NumberBetween) -> dict[tuple[str, str], float]:
    """The corrected p of each pair, by the post-hoc test that belongs to the chosen test."""
    return {(pair.first, pair.second): pair.p for pair in found.three.chosen_pairs}


def patients_table(found: Sequence[Between]) -> pd.DataFrame:
    """Table 2: a row a level of a factor (cases of each group) and a row a number (mean, SD, quartiles)."""
    rows: list[dict[str, object]] = []
    for one in found:
        tests = {"test_low_positive": one.two.chosen.name, "p_low_positive": one.two.chosen.p}
        tests |= {"test_three_groups": one.three.chosen.name, "p_three_groups": one.three.chosen.p}
        if isinstance(one, FactorBetween):
            for level, counts in zip(one.three.levels, one.three.counts, strict=True):
                cells = {f"n_{group}": int(n) for group, n in zip(one.three.groups, counts, strict=True)}
                rows.append({"factor": one.variable.name, "level": level, **cells, **tests})
        else:
            rows.append({"factor": one.variable.name, "level": "", **_numbers(one), **tests})
    return pd.DataFrame(rows)


def _numbers(one: NumberBetween) -> dict[str, object]:
    keys = ("n", "mean", "sd", "median", "q1", "q3")
    return {f"{key}_{group.name}": getattr(group, key) for group in one.three.groups for key in keys}


def imaging_table(found: Sequence[Between]) -> pd.DataFrame:
    """Table 3: a row a biomarker: each group's figures and normality, and every overall test."""
    rows = []
    for one in found:
        if not isinstance(one, NumberBetween):
            continue
        row: dict[str, object] = {"biomarker": one.variable.name, "unit": one.variable.unit, **_numbers(one)}
        for group in one.three.groups:
            for key in ("kolmogorov_smirnov", "lilliefors", "shapiro_wilk"):
                row[f"p_{key}_{group.name}"] = getattr(group.normality, key).p
        for name, test in _tests(one.three).items():
            row |= {f"{name}_statistic": test.statistic, f"{name}_p": test.p}
        row |= {"chosen": one.three.chosen.name, "p": one.three.chosen.p, "because": one.three.because}
        row |= {"chosen_low_positive": one.two.chosen.name, "p_low_positive": one.two.chosen.p}
        rows.append(row)
    return pd.DataFrame(rows)


def _tests(found: GroupComparison) -> dict[str, Tested]:
    return {
        "levene": found.levene,
        "brown_forsythe": found.brown_forsythe,
        "anova": found.equal_variances,
        "welch": found.unequal_variances,
        "kruskal_wallis": found.ranks,
    }


def post_hoc_table(found: Sequence[Between]) -> pd.DataFrame:
    """All three post-hoc tests of every biomarker and pair; `chosen`: that which belongs to its test."""
    columns = (
        "biomarker", "test", "chosen", "first", "second", "difference", "difference_low", "difference_high",
        "statistic", "df", "p", "p_alone", "reason",
    )  # fmt: skip
    rows = [
        (one.variable.name, name, pairs == one.three.chosen_pairs, *_pair(pair))
        for one in found
        if isinstance(one, NumberBetween)
        for name, pairs in (
            ("Bonferroni", one.three.bonferroni),
            ("Tamhane's T2", one.three.tamhane),
            ("Dunn", one.three.dunn),
        )
        for pair in pairs
    ]
    return pd.DataFrame(rows, columns=list(columns))


def _pair(pair: Pair) -> tuple[object, ...]:
    gap = pair.difference
    return (
        pair.first, pair.second, gap.value, gap.low, gap.high, pair.statistic, pair.df, pair.p, pair.p_alone,
        pair.reason,
    )  # fmt: skip
