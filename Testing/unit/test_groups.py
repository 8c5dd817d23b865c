"""Group tests, post-hoc tests and factors against R's base, car and nortest, scipy, and by hand."""

import json
import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cohort_reference import EVERYONE, OUTCOME, STORED, TWO, assert_as_r, names_of
from her2map.errors import InputError
from her2map.statistics import tested as named
from her2map.statistics.factors import compare_factor
from her2map.statistics.groups import GroupComparison, compare_groups
from her2map.statistics.normality import NormalityTest, normality
from her2map.statistics.pairs import bonferroni_pairs, dunn_pairs, tamhane_pairs

pytestmark = pytest.mark.filterwarnings("error")

GROUPS = ("zero", "low", "positive")


THREE = {name: compare_groups(EVERYONE[name], EVERYONE["group"], GROUPS) for name in names_of("compare")}


def in_double_precision(tested: named.Tested, name: str, group: str) -> named.Tested:
    """Scipy before 1.12 makes Shapiro and Wilk's test in single precision."""
    path = f"group/{name}/{group}/shapiro"
    if tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 12):
        return tested
    assert tested.p == pytest.approx(STORED[f"{path}_p"], rel=1e-3)
    return replace(tested, statistic=STORED[path], p=STORED[f"{path}_p"])


@pytest.mark.parametrize("name", names_of("group"))
def test_every_group_is_described_as_by_r(name: str) -> None:
    found = {}
    for group in THREE[name].groups:
        figures = {figure: getattr(group, figure) for figure in ("n", "mean", "sd", "q1", "median", "q3")}
        tests = {
            "ks": group.normality.kolmogorov_smirnov,
            "lilliefors": group.normality.lilliefors,
            "shapiro": in_double_precision(group.normality.shapiro_wilk, name, group.name),
        }
        for test, one in tests.items():
            figures |= {test: one.statistic, f"{test}_p": one.p}
        found |= {f"group/{name}/{group.name}/{figure}": value for figure, value in figures.items()}
        of_group = EVERYONE.loc[EVERYONE["group"] == group.name, name]
        assert (group.n, group.missing) == (of_group.notna().sum(), of_group.isna().sum())
        assert (group.minimum, group.maximum) == (of_group.min(), of_group.max())
    assert_as_r(found, f"group/{name}/")


@pytest.mark.parametrize("name", names_of("compare"))
def test_three_groups_are_compared_as_by_r(name: str) -> None:
    compared = THREE[name]
    found = {}
    for test, result in (
        ("levene_mean", compared.levene),
        ("levene_median", compared.brown_forsythe),
        ("anova", compared.equal_variances),
        ("welch", compared.unequal_variances),
        ("kruskal", compared.ranks),
    ):
        found |= {f"{test}/statistic": result.statistic, f"{test}/p": result.p}
        if test in ("anova", "welch"):
            found[f"{test}/df2"] = result.df[1]
    for pair in compared.bonferroni:
        figures = {"p": pair.p, "difference": pair.difference.value}
        figures |= {"low": pair.difference.low, "high": pair.difference.high}
        found |= {
            f"{pair.first}/{pair.second}/bonferroni/{figure}": value for figure, value in figures.items()
        }
    for pair in compared.tamhane:
        figures = {"statistic": pair.statistic, "df": pair.df, "p": pair.p}
        figures |= {"low": pair.difference.low, "high": pair.difference.high}
        found |= {f"{pair.first}/{pair.second}/tamhane/{figure}": value for figure, value in figures.items()}
    for pair in compared.dunn:
        figures = {"statistic": pair.statistic, "p": pair.p}
        found |= {f"{pair.first}/{pair.second}/dunn/{figure}": value for figure, value in figures.items()}
    assert_as_r({f"compare/{name}/{figure}": value for figure, value in found.items()}, f"compare/{name}/")


@pytest.mark.parametrize("name", names_of("two"))
def test_two_groups_are_compared_as_by_r(name: str) -> None:
    compared = compare_groups(TWO[name], TWO["group"], ("low", "positive"))
    student, welch, ranks = compared.equal_variances, compared.unequal_variances, compared.ranks
    (pooled,), (separate,), (dunn,) = compared.bonferroni, compared.tamhane, compared.dunn
    found = {
        "student/statistic": student.statistic,
        "student/p": student.p,
        "student/low": pooled.difference.low,
        "student/high": pooled.difference.high,
        "welch/statistic": welch.statistic,
        "welch/df": welch.df[0],
        "welch/p": welch.p,
        "welch/low": separate.difference.low,
        "welch/high": separate.difference.high,
        "mann_whitney/statistic": ranks.statistic,
        "mann_whitney/p": ranks.p,
        "mann_whitney/p_continuity": compared.others[0].p,
    }
    assert_as_r({f"two/{name}/{figure}": value for figure, value in found.items()}, f"two/{name}/")
    assert pooled.p == pytest.approx(student.p)
    assert pooled.statistic == pytest.approx(student.statistic)
    assert separate.p == pytest.approx(welch.p)
    assert dunn.p == pytest.approx(ranks.p)
    assert "without continuity correction" in ranks.convention
    assert "with continuity correction" in compared.others[0].convention


def test_bonferroni_on_the_pooled_mean_square_is_not_pairwise_t_tests() -> None:
    for pair in THREE["T2"].bonferroni:
        one, other = (EVERYONE.loc[EVERYONE["group"] == group, "T2"] for group in (pair.first, pair.second))
        separate = stats.ttest_ind(one, other)
        assert pair.df == len(EVERYONE) - 3 != len(one) + len(other) - 2
        assert separate.pvalue != pytest.approx(pair.p_alone, rel=1e-3)
        assert pair.p == pytest.approx(min(1, 3 * pair.p_alone))
        assert "pooled mean square" in pair.convention


def test_tamhanes_t2_is_welch_with_sidak() -> None:
    for pair in THREE["T2"].tamhane:
        one, other = (EVERYONE.loc[EVERYONE["group"] == group, "T2"] for group in (pair.first, pair.second))
        welch = stats.ttest_ind(one, other, equal_var=False)
        assert pair.p_alone == pytest.approx(welch.pvalue)
        assert pair.p == pytest.approx(1 - (1 - welch.pvalue) ** 3)
        assert "Sidak" in pair.convention


def test_p_of_lilliefors_test_is_given_by_both_tables() -> None:
    """They differ, and the test that takes mean and SD as known hardly rejects."""
    found = THREE["grade"].groups[0].normality
    assert (
        found.lilliefors.statistic == found.lilliefors_table.statistic == found.kolmogorov_smirnov.statistic
    )
    assert abs(found.lilliefors.p / found.lilliefors_table.p - 1) > 0.01
    assert found.lilliefors.p < 0.01 < 0.15 < found.kolmogorov_smirnov.p
    assert "Dallal & Wilkinson" in found.lilliefors.convention
    assert "statsmodels" in found.lilliefors_table.convention
    assert "taken as known" in found.kolmogorov_smirnov.convention


def test_lilliefors_p_over_its_whole_range() -> None:
    """Simulated: the share of normal samples that lie further off is p, but for the fit of the formula."""
    rng = np.random.default_rng(1)
    distances = []
    for sample in rng.normal(size=(4000, 30)):
        z = np.sort((sample - sample.mean()) / sample.std(ddof=1))
        steps = np.arange(31) / 30
        distances.append(max((steps[1:] - stats.norm.cdf(z)).max(), (stats.norm.cdf(z) - steps[:-1]).max()))
    for sample in (
        rng.normal(size=(12, 30)) + rng.exponential(1.5, size=(12, 30)) * np.arange(12)[:, None] / 6
    ):
        found = normality(sample).lilliefors
        share = np.mean(np.array(distances) >= found.statistic)
        assert found.p == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize(
    ("name", "test", "chosen", "convention", "because"),
    [
        (
            "T1_pre",
            "KOLMOGOROV_SMIRNOV",
            "one-way ANOVA",
            "pooled mean square",
            "the variances do not differ",
        ),
        ("T2", "KOLMOGOROV_SMIRNOV", "Welch's ANOVA", "Tamhane", "the variances differ"),
        ("grade", "KOLMOGOROV_SMIRNOV", "Kruskal-Wallis", "Dunn", "low and positive are not normal"),
        ("T2star", "SHAPIRO_WILK", "Kruskal-Wallis", "Dunn", "positive is not normal"),
    ],
)
def test_the_rule_chooses(name: str, test: str, chosen: str, convention: str, because: str) -> None:
    compared = compare_groups(EVERYONE[name], EVERYONE["group"], GROUPS, NormalityTest[test])
    assert compared.chosen.name == chosen
    assert all(convention in pair.convention for pair in compared.chosen_pairs)
    assert compared.because.endswith(because)
    assert NormalityTest[test].value in compared.rule
    assert [(pair.first, pair.second) for pair in compared.chosen_pairs] == list(combinations(GROUPS, 2))


def test_remarks_tell_of_small_groups_and_of_other_choices() -> None:
    remarks = THREE["T2star"].remarks
    assert remarks[0].startswith("zero has 20 cases: its tests of normality have little power")
    assert "By Shapiro-Wilk the test would be that for ranks: positive is not normal." in remarks
    assert len(THREE["T1_pre"].remarks) == 1


def all_tests(compared: GroupComparison) -> list:
    return [
        compared.levene,
        compared.brown_forsythe,
        compared.equal_variances,
        compared.unequal_variances,
        compared.ranks,
        *compared.bonferroni,
        *compared.tamhane,
        *compared.dunn,
    ]


def test_an_empty_group_is_left_out_and_told() -> None:
    data = EVERYONE[EVERYONE["group"] != "zero"]
    compared = compare_groups(data["T2"], data["group"], GROUPS)
    assert compared.equal_variances.name == "Student's t-test"
    assert compared.remarks[0] == "zero has no case and is left out."
    assert compared.groups[0].n == 0
    assert math.isnan(compared.groups[0].mean)
    assert compared.groups[0].normality.shapiro_wilk.reason.endswith("there are 0.")
    nothing = compare_groups([], [], GROUPS)
    assert {test.reason for test in all_tests(nothing)} == {"No group has a case."}
    alone = compare_groups([1.0, 2.0, 4.0, np.nan], ["low", "low", "low", "positive"], GROUPS)
    assert {test.reason for test in all_tests(alone)} == {"Only one group has cases."}
    assert alone.groups[2].missing == 1
    assert alone.left_out == (3,)


def test_a_group_of_one() -> None:
    compared = compare_groups([5.0, 1, 2, 3.5, 4, 6, 9, 8], ["zero"] + ["low"] * 3 + ["positive"] * 4, GROUPS)
    assert compared.chosen is compared.ranks
    assert compared.because == "zero cannot be tested for normality"
    assert compared.equal_variances.known
    assert compared.unequal_variances.reason == "A group has one case only."
    assert [pair.reason for pair in compared.tamhane] == ["A group has one case only."] * 2 + [""]
    assert all(pair.p <= 1 for pair in compared.bonferroni)
    assert math.isnan(compared.groups[0].sd)
    assert compared.groups[0].normality.lilliefors.reason == (
        "A test of normality needs three cases; there is 1."
    )
    assert compared.remarks[0].startswith("zero has 1 case:")
    ones = compare_groups([1.0, 2.0, 3.0], GROUPS, GROUPS)
    assert ones.equal_variances.reason == "No group has two cases."
    assert {pair.reason for pair in ones.bonferroni} == {"No group has two cases."}


@pytest.mark.parametrize("levels", [(7.3, 7.3, 7.3), (7.1, 7.3, 7.9)])
def test_groups_that_do_not_vary(levels: tuple[float, ...]) -> None:
    compared = compare_groups(np.repeat(levels, 6), np.repeat(GROUPS, 6), GROUPS)
    assert compared.equal_variances.reason == "The values within the groups do not vary."
    assert compared.unequal_variances.reason == "The values within a group do not vary."
    assert compared.levene.reason == "The values within the groups do not vary."
    assert {pair.reason for pair in compared.bonferroni} == {"The values within the groups do not vary."}
    assert {pair.reason for pair in compared.tamhane} == {"The values within the two groups do not vary."}
    same = len(set(levels)) == 1
    assert compared.ranks.reason == ("All values are the same." if same else "")
    assert compared.chosen is compared.ranks
    assert compared.groups[0].normality.lilliefors.reason == "All values are the same."


def test_few_cases_have_no_lilliefors_p() -> None:
    found = normality(np.array([1.0, 2.0, 4.0, 4.5]))
    assert found.lilliefors.reason == found.lilliefors_table.reason == "Lilliefors' test needs five cases."
    assert math.isnan(found.lilliefors.p)
    assert found.kolmogorov_smirnov.known
    assert found.shapiro_wilk.known


def test_small_samples_without_ties_get_the_exact_mann_whitney_test() -> None:
    compared = compare_groups([1.0, 2, 3, 7, 4, 5, 6, 8], ["a"] * 4 + ["b"] * 4, ("a", "b"))
    exact = compared.others[1]
    assert "exact" in exact.convention
    assert exact.p == pytest.approx(14 / 70)  # 7 of the 70 orders have a rank sum of 13 or less
    assert exact.statistic == compared.ranks.statistic == 3
    tied = compare_groups([1.0, 2, 3, 7, 4, 5, 6, 7], ["a"] * 4 + ["b"] * 4, ("a", "b"))
    assert len(tied.others) == 1


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="3 values and 2 groups"):
        compare_groups([1, 2, 3], ["a", "b"], ("a", "b"))
    with pytest.raises(InputError, match="value of case 1 is not finite"):
        compare_groups([1, np.inf], ["a", "b"], ("a", "b"))
    with pytest.raises(InputError, match="not of the same cases"):
        compare_factor(pd.Series([1, 2], index=["x", "y"]), pd.Series(["a", "b"], index=["y", "x"]), ("a",))


samples = st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=9), min_size=2, max_size=4)


@given(samples)
def test_whatever_the_groups_there_is_a_p_or_a_reason(values: list[list[int]]) -> None:
    names = [str(i) for i in range(len(values))]
    groups = np.repeat(names, [len(part) for part in values])
    compared = compare_groups(np.concatenate(values), groups, names)
    for tested in all_tests(compared):
        assert bool(tested.reason) == math.isnan(tested.p)
        assert tested.reason or 0 <= tested.p <= 1
    for pairs in (compared.bonferroni, compared.tamhane, compared.dunn):
        assert len(pairs) == len(values) * (len(values) - 1) // 2
        for pair in pairs:
            if pair.reason:
                continue
            assert pair.p_alone - 1e-12 <= pair.p <= min(1, len(pairs) * pair.p_alone) + 1e-12
            if pairs is not compared.dunn:
                inside = pair.difference.low < 0 < pair.difference.high
                assert inside == (pair.p > 0.05) or pair.p == pytest.approx(0.05, abs=1e-6)


@given(samples)
def test_tests_of_ranks_and_variances_are_those_of_scipy(values: list[list[int]]) -> None:
    parts = [np.array(part, float) for part in values]
    names = [str(i) for i in range(len(values))]
    compared = compare_groups(np.concatenate(parts), np.repeat(names, [len(part) for part in parts]), names)
    if len(parts) > 2 and compared.ranks.known:
        assert compared.ranks.p == pytest.approx(stats.kruskal(*parts).pvalue, rel=1e-9)
    if compared.brown_forsythe.known:
        assert compared.brown_forsythe.p == pytest.approx(
            stats.levene(*parts, center="median").pvalue, rel=1e-6
        )
    if compared.equal_variances.known:
        assert compared.equal_variances.p == pytest.approx(stats.f_oneway(*parts).pvalue, rel=1e-6)


def test_units_do_not_matter() -> None:
    parts = [EVERYONE.loc[EVERYONE["group"] == group, "T2"].to_numpy() for group in GROUPS]
    for pairs in (bonferroni_pairs, tamhane_pairs, dunn_pairs):
        for one, other in zip(
            pairs(GROUPS, parts), pairs(GROUPS, [p * 1e-3 + 4 for p in parts]), strict=True
        ):
            assert other.p == pytest.approx(one.p, rel=1e-8)
            assert other.difference.value == pytest.approx(
                one.difference.value * (1 if pairs is dunn_pairs else 1e-3)
            )


def test_outcome_and_groups_agree() -> None:
    """The helper of these tests: positive is 1."""
    assert json.dumps(compare_factor(OUTCOME, TWO["group"], ("low", "positive")).counts.tolist()) == (
        "[[72, 0], [0, 86]]"
    )
