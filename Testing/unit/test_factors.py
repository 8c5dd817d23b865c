"""Factors between groups: chi-square, Fisher's exact test, and where neither is to be had."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cohort_reference import EVERYONE, TWO, assert_as_r, names_of
from her2map.statistics.factors import RANDOM_TABLES, compare_factor, fisher_exact

GROUPS = ("zero", "low", "positive")


@pytest.mark.parametrize("name", names_of("factor"))
@pytest.mark.parametrize("groups", ["two", "three"])
def test_factors_are_crossed_as_by_r(name: str, groups: str) -> None:
    data, order = (TWO, GROUPS[1:]) if groups == "two" else (EVERYONE, GROUPS)
    crossed = compare_factor(data[name], data["group"], order)
    found = {
        "chi2": crossed.chi2.statistic,
        "df": crossed.chi2.df[0],
        "p": crossed.chi2.p,
        "smallest": crossed.smallest_expected,
        "fisher_p": crossed.fisher.p,
    }
    if crossed.counts.shape == (2, 2):
        found |= {"yates": crossed.yates.statistic, "yates_p": crossed.yates.p}
    else:
        assert crossed.yates.reason == "The table is not 2 x 2."
    assert_as_r(
        {f"factor/{name}/{groups}/{figure}": value for figure, value in found.items()},
        f"factor/{name}/{groups}/",
    )
    assert (crossed.counts == pd.crosstab(data[name], data["group"])[list(order)].to_numpy()).all()
    assert crossed.missing == tuple(data.loc[data["group"] == group, name].isna().sum() for group in order)


def test_factors_with_missing_levels_and_groups() -> None:
    values = pd.Series(["IDC", None, "ILC", np.nan, "IDC", "rare"], index=list("uvwxyz"))
    groups = ["low", "low", "positive", "positive", "positive", "other"]
    crossed = compare_factor(values, groups, GROUPS, ("IDC", "ILC", "DCIS"))
    assert crossed.counts.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert crossed.missing == (0, 1, 1)
    assert crossed.left_out == ("v", "x", "z")
    assert crossed.fisher.p == 1.0
    mixed = compare_factor(["IDC", 2, "ILC"], ["a", "b", "b"], ("a", "b"))
    assert mixed.levels == (2, "IDC", "ILC")
    boolean = compare_factor(pd.Series([True, False, pd.NA], dtype="boolean"), ["a", "b", "b"], ("a", "b"))
    assert boolean.levels == (False, True)
    assert boolean.missing == (0, 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "There is no complete case."),
        ([None, None, None, None], "There is no complete case."),
        ([1, 1, 1, 1], "Only one level of the factor has cases."),
        ([1, 2, None, None], "Only one group has cases."),
    ],
)
def test_where_there_is_no_test_of_a_factor_the_reason_is_given(values: list, reason: str) -> None:
    crossed = compare_factor(values, ["a", "a", "b", "b"][: len(values)], ("a", "b"))
    for tested in (crossed.chi2, crossed.yates, crossed.fisher, crossed.chosen):
        assert tested.reason == reason
        assert not tested.known


def test_small_expected_counts_call_for_fishers_test() -> None:
    plain = compare_factor(TWO["er"], TWO["group"], ("low", "positive"))
    assert plain.chosen is plain.chi2
    few = compare_factor([1, 1, 1, 2, 2, 2], ["a", "a", "a", "b", "b", "b"], ("a", "b"))
    assert few.chosen is few.fisher
    assert few.fisher.p == pytest.approx(0.1)  # 2 of 20
    assert "a fifth" in few.rule


def every_table(rows: list[int], columns: list[int]) -> list[np.ndarray]:
    """By trying all counts."""
    found = []
    ranges = [range(min(row, column) + 1) for row, column in product(rows[:-1], columns[:-1])]
    for counts in product(*ranges):
        part = np.array(counts).reshape(len(rows) - 1, len(columns) - 1)
        last = np.array(columns[:-1]) - part.sum(axis=0)
        table = np.column_stack([np.vstack([part, last]), np.array(rows) - [*part.sum(axis=1), last.sum()]])
        if (table >= 0).all() and table[:, -1].sum() == columns[-1]:
            found.append(table)
    return found


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=3))
def test_fishers_p_is_the_sum_over_all_tables(counts: list[list[int]]) -> None:
    table = np.array(counts)
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return

    def probability(one: np.ndarray) -> float:
        return 1 / math.prod(math.factorial(count) for count in one.ravel())

    weights = [probability(one) for one in every_table([*table.sum(axis=1)], [*table.sum(axis=0)])]
    expected = sum(w for w in weights if w <= probability(table) * (1 + 1e-7)) / sum(weights)
    assert fisher_exact(table).p == pytest.approx(expected, rel=1e-9)


def test_too_many_tables_are_drawn_instead() -> None:
    rng = np.random.default_rng(4)
    table = rng.multinomial(178, np.full(20, 0.05)).reshape(4, 5)
    found = fisher_exact(table)
    assert f"from {RANDOM_TABLES} random tables" in found.convention
    assert "standard error of p" in found.convention
    assert found.p == fisher_exact(table).p
    # near the p of a chi-square test that is itself drawn at random
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / 178
    drawn = stats.random_table(table.sum(axis=1), table.sum(axis=0)).rvs(20_000, random_state=1)
    chi2 = ((drawn - expected) ** 2 / expected).sum(axis=(1, 2))
    assert found.p == pytest.approx(np.mean(chi2 >= ((table - expected) ** 2 / expected).sum()), abs=0.06)
