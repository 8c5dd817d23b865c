"""ROC areas, their comparison, cut-offs and diagnostic figures against R's pROC, brute force and by hand."""

import math
import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort_reference import OUTCOME, STORED, TWO, assert_as_r, names_of
from her2map.errors import InputError
from her2map.statistics.auc_comparison import FITTED, NESTED, compare_aucs
from her2map.statistics.diagnosis import Direction, diagnosis
from her2map.statistics.multiplicity import bonferroni, holm, sidak
from her2map.statistics.proportions import proportion
from her2map.statistics.roc import roc

pytestmark = pytest.mark.filterwarnings("error")

DIRECTIONS = dict.fromkeys(
    ("T1_pre", "T1_post", "T2", "T2star", "ki67_high", "grade", "nearly", "quasi"),
    Direction.HIGHER,
) | dict.fromkeys(("delta_T1", "er", "pr", "age", "reversed"), Direction.LOWER)
COMPARED = ("T1_post", "T2star", "delta_T1", "er", "age")
MEASURES = (
    "sensitivity",
    "specificity",
    "accuracy",
    "positive_predictive_value",
    "negative_predictive_value",
)


@pytest.mark.parametrize("marker", names_of("roc"))
def test_every_figure_of_a_marker_is_that_of_r(marker: str) -> None:
    curve = roc(OUTCOME, TWO[marker], DIRECTIONS[marker])
    assert curve.cut_off is not None
    found = {
        "auc": curve.auc.value,
        "low": curve.auc.low,
        "high": curve.auc.high,
        "se": curve.standard_error,
        "logit_low": curve.auc_logit.low,
        "logit_high": curve.auc_logit.high,
        "z": curve.z,
        "p": curve.p,
        "n": curve.n_positive + curve.n_negative,
        "ties": len(curve.ties),
        "threshold": curve.cut_off.threshold,
        "sensitivity": curve.cut_off.sensitivity,
        "specificity": curve.cut_off.specificity,
    }
    assert_as_r({f"roc/{marker}/{name}": value for name, value in found.items()}, f"roc/{marker}/")
    called = diagnosis(OUTCOME, TWO[marker], curve.cut_off.threshold, DIRECTIONS[marker])
    figures = {}
    for name in MEASURES:
        share = getattr(called, name)
        figures |= {
            f"diagnosis/{marker}/{name}/value": share.value,
            f"diagnosis/{marker}/{name}/wilson_low": share.wilson.low,
            f"diagnosis/{marker}/{name}/wilson_high": share.wilson.high,
            f"diagnosis/{marker}/{name}/exact_low": share.exact.low,
            f"diagnosis/{marker}/{name}/exact_high": share.exact.high,
        }
    assert_as_r(figures, f"diagnosis/{marker}/")
    missing = tuple(TWO.index[TWO[marker].isna()])
    assert curve.left_out == missing
    assert called.left_out == len(missing)


def test_every_pair_is_compared_as_by_r() -> None:
    found = {}
    pairs = compare_aucs(OUTCOME, TWO[list(COMPARED)], DIRECTIONS)
    assert [(pair.first, pair.second) for pair in pairs] == list(combinations(COMPARED, 2))
    for pair in pairs:
        figures = {
            "difference": pair.difference.value,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "n": pair.n_positive + pair.n_negative,
        } | {name: getattr(pair, name) for name in ("z", "p", "p_bonferroni", "p_holm")}
        found |= {f"paired/{pair.first}/{pair.second}/{name}": value for name, value in figures.items()}
        assert pair.first_auc - pair.second_auc == pytest.approx(pair.difference.value)
        assert pair.n_positive + pair.n_negative + pair.left_out == len(TWO)
        assert pair.remark == ""
    assert_as_r(found, "paired/")


def test_the_direction_is_not_taken_from_the_data() -> None:
    """Of binary ER both medians are 1: a program that compares them takes ER as higher in positives."""
    er = TWO["er"]
    assert er[OUTCOME == 1].median() == er[OUTCOME == 0].median()
    right, wrong = (roc(OUTCOME, er, direction) for direction in (Direction.LOWER, Direction.HIGHER))
    assert right.auc.value == pytest.approx(STORED["roc/er/auc"]) == pytest.approx(0.590116, abs=1e-6)
    assert wrong.auc.value == pytest.approx(1 - right.auc.value)
    assert wrong.auc.value < 0.5
    assert wrong.cut_off is None
    assert wrong.no_cut_off == "No cut-off is better than chance in the stated direction."
    assert right.cut_off is not None
    assert (right.cut_off.threshold, right.cut_off.lower, right.cut_off.upper) == (0.5, 0.0, 1.0)
    assert "direction fixed beforehand" in right.convention


def test_all_ties_of_youdens_index_are_listed() -> None:
    outcome = [0, 0, 1, 0, 1, 1, 0, 1]
    marker = [1, 2, 3, 4, 5, 6, 7, 8]
    curve = roc(outcome, marker)
    assert [tie.threshold for tie in curve.ties] == [4.5, 2.5]
    assert [tie.youden for tie in curve.ties] == [0.5, 0.5]
    assert curve.cut_off == curve.ties[0]  # nearer to the corner
    assert (curve.cut_off.lower, curve.cut_off.upper) == (4.0, 5.0)
    assert (curve.cut_off.sensitivity, curve.cut_off.specificity) == (0.75, 0.75)
    even = roc([0, 1, 0, 1], [1, 2, 3, 4])
    assert [tie.threshold for tie in even.ties] == [3.5, 1.5]
    assert even.cut_off == even.ties[1]  # as near, and the more sensitive
    lower = roc(outcome, [-x for x in marker], Direction.LOWER)
    assert [tie.threshold for tie in lower.ties] == [-4.5, -2.5]
    assert (lower.ties[1].lower, lower.ties[1].upper) == (-3.0, -2.0)


def test_the_cut_off_calls_as_its_curve_says() -> None:
    curve = roc(OUTCOME, TWO["T2star"])
    for at, sensitivity, specificity in zip(
        curve.thresholds, curve.sensitivity, curve.specificity, strict=True
    ):
        called = diagnosis(OUTCOME, TWO["T2star"], float(at))
        assert called.sensitivity.value == pytest.approx(sensitivity)
        assert called.specificity.value == pytest.approx(specificity)
    area = np.trapezoid(curve.sensitivity, 1 - curve.specificity) if hasattr(np, "trapezoid") else None
    assert area is None or area == pytest.approx(curve.auc.value)


def test_a_cut_off_between_neighbouring_numbers() -> None:
    """There is none between them: the midpoint would round to the lower, which is called negative."""
    lower = 1.0
    for _ in range(3):
        upper = float(np.nextafter(lower, 2))
        for direction, outcome in ((Direction.HIGHER, [0, 0, 1, 1]), (Direction.LOWER, [1, 1, 0, 0])):
            curve = roc(outcome, [lower, lower, upper, upper], direction)
            assert curve.cut_off is not None
            called = diagnosis(outcome, [lower, lower, upper, upper], curve.cut_off.threshold, direction)
            assert called.accuracy.value == 1
        lower = upper


def test_a_marker_that_is_the_same_in_all_cases() -> None:
    curve = roc([0, 1, 0, 1], [3.0, 3.0, 3.0, 3.0])
    assert curve.auc.value == 0.5
    assert math.isnan(curve.auc.low)
    assert "variance is 0" in curve.auc.reason
    assert curve.no_cut_off == "The marker has the same value in all cases, so there is no cut-off."
    assert math.isnan(curve.p)


def test_a_marker_that_is_positive_in_all_cases() -> None:
    found = diagnosis([0, 1, 0, 1, 1], [1, 1, 1, 1, 1], 0.5)
    assert (found.sensitivity.value, found.specificity.value, found.accuracy.value) == (1.0, 0.0, 0.6)
    assert found.positive_predictive_value.value == 0.6
    assert math.isnan(found.negative_predictive_value.value)
    assert found.negative_predictive_value.reason == "No case is called negative."
    assert found.sensitivity.exact.low == pytest.approx(0.025 ** (1 / 3))


def test_a_marker_that_separates() -> None:
    curve = roc(OUTCOME, TWO["separated"])
    assert curve.auc.value == 1.0
    assert not math.isnan(curve.standard_error)
    assert "variance is 0" in curve.auc.reason
    assert curve.cut_off is not None
    assert (curve.cut_off.sensitivity, curve.cut_off.specificity) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ([], "There is no complete case."),
        ([1, 1, 1], "All complete cases (3) are positive; cases of both groups are needed."),
        ([0, np.nan], "All complete cases (1) are negative; cases of both groups are needed."),
    ],
)
def test_without_both_groups_the_reason_is_given(outcome: list[float], reason: str) -> None:
    marker = np.arange(len(outcome))
    curve = roc(outcome, marker)
    assert curve.auc.reason == curve.no_cut_off == reason
    (pair,) = compare_aucs(outcome, {"a": marker, "b": marker}, dict.fromkeys("ab", Direction.HIGHER))
    assert pair.difference.reason == reason
    called = diagnosis(outcome, marker, 1.0)
    assert called.sensitivity.reason or called.specificity.reason


def test_a_group_of_one_has_an_area_without_interval() -> None:
    curve = roc([0, 0, 0, 1], [1, 2, 4, 3])
    assert curve.auc.value == pytest.approx(2 / 3)
    assert curve.auc.reason == "A group has one case only; DeLong's interval needs two in each."
    (pair,) = compare_aucs([0, 0, 1], {"a": [1, 2, 3], "b": [3, 1, 2]}, dict.fromkeys("ab", Direction.HIGHER))
    assert pair.difference.value == pytest.approx(0.5)
    assert "one case only" in pair.difference.reason


@pytest.mark.parametrize(
    ("outcome", "marker", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "outcome must be 1 for the positive group and 0"),
        ([0, 1, 1], [1, 2, np.inf], "case 2 are not finite"),
        ([0, 1, 1], [1, 2], "marker has 2 entries, the outcome 3"),
        ([0, 1, 1], ["a", "b", "c"], "marker must be a list of numbers"),
        (
            pd.Series([0, 1], index=["P1", "P2"]),
            pd.Series([0.0, 1.0], index=["P2", "P1"]),
            "outcome and marker are not of the same cases",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(outcome, marker, message: str) -> None:
    with pytest.raises(InputError, match=message):
        roc(outcome, marker)


def test_missing_in_every_guise() -> None:
    outcome = pd.Series([0, 1, None, 1, 0], dtype="Int64")
    marker = pd.Series([1.0, 2.0, 3.0, None, 1.5])
    curve = roc(outcome, marker)
    assert curve.left_out == (2, 3)
    assert (curve.n_positive, curve.n_negative) == (1, 2)
    assert roc([False, True, True, False], [1, 3, 2, None]).auc.value == 1.0


def test_markers_need_a_direction_and_a_cut_off_a_number() -> None:
    with pytest.raises(InputError, match="marker b has no direction"):
        compare_aucs([0, 1], {"a": [1, 2], "b": [1, 2]}, {"a": Direction.HIGHER})
    with pytest.raises(InputError, match="cut-off of a marker must be a number"):
        diagnosis([0, 1], [1, 2], math.nan)


def test_markers_that_rank_alike_cannot_be_compared() -> None:
    (pair,) = compare_aucs(
        OUTCOME,
        {"T2star": TWO["T2star"], "reversed": TWO["reversed"]},
        {"T2star": Direction.HIGHER, "reversed": Direction.LOWER},
    )
    assert pair.difference.value == 0
    assert math.isnan(pair.p)
    assert math.isnan(pair.p_holm)
    assert "variance of the difference is 0" in pair.difference.reason


def test_a_model_against_its_own_predictor_gets_a_remark() -> None:
    markers = {name: TWO[name] for name in ("T2star", "T1_post", "age")}
    markers |= {"model": TWO["T2star"] * 0.1 + TWO["T1_post"] * 0.003, "other": TWO["T1_pre"]}
    pairs = compare_aucs(
        OUTCOME,
        markers,
        dict.fromkeys(markers, Direction.HIGHER),
        models={"model": ("T2star", "T1_post"), "other": ("T1_pre",)},
    )
    remarks = {(pair.first, pair.second): pair.remark for pair in pairs}
    assert remarks["T2star", "model"] == remarks["T1_post", "model"] == NESTED
    assert "likelihood-ratio" in NESTED
    assert remarks["age", "model"] == remarks["model", "other"] == FITTED
    assert remarks["T2star", "T1_post"] == ""


def test_adjusted_p_values() -> None:
    p = [0.01, math.nan, 0.04, 0.03]
    assert bonferroni(p) == pytest.approx([0.03, math.nan, 0.12, 0.09], nan_ok=True)
    assert holm(p) == pytest.approx([0.03, math.nan, 0.06, 0.06], nan_ok=True)
    assert sidak(p) == pytest.approx([1 - 0.99**3, math.nan, 1 - 0.96**3, 1 - 0.97**3], nan_ok=True)
    assert bonferroni([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert sidak([1.0, 0.5]).tolist() == [1.0, 0.75]
    assert bonferroni(p, 5) == pytest.approx([0.05, math.nan, 0.2, 0.15], nan_ok=True)
    assert holm(p, 5) == pytest.approx([0.05, math.nan, 0.12, 0.12], nan_ok=True)
    assert sidak([1e-20], 3)[0] == pytest.approx(3e-20)


def test_proportions() -> None:
    none, every = proportion(0, 20), proportion(20, 20)
    assert none.exact.low == none.wilson.low == 0
    assert none.exact.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert every.exact.high == every.wilson.high == 1
    assert proportion(0, 0).reason == "There are no cases."
    with pytest.raises(InputError, match="3 of 2 is no proportion"):
        proportion(3, 2)


def test_it_is_fast_on_many_cases() -> None:
    rng = np.random.default_rng(1)
    outcome = rng.integers(0, 2, 200_000)
    start = time.perf_counter()
    roc(outcome, rng.normal(size=200_000) + outcome)
    assert time.perf_counter() - start < 3


def by_definition(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float]:
    """Area and DeLong's variance from all pairs of cases, as in the paper of 1988."""
    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return float(kernel.mean()), float(
        kernel.mean(axis=1).var(ddof=1) / len(positive) + kernel.mean(axis=0).var(ddof=1) / len(negative)
    )


whole_numbers = st.lists(st.integers(-6, 6), min_size=2, max_size=25)


@given(whole_numbers, whole_numbers)
def test_area_and_variance_are_those_of_the_definition(positive: list[int], negative: list[int]) -> None:
    outcome = [1] * len(positive) + [0] * len(negative)
    marker = np.array(positive + negative, float)
    curve = roc(outcome, marker)
    area, variance = by_definition(np.array(positive), np.array(negative))
    assert curve.auc.value == pytest.approx(area, abs=1e-14)
    assert curve.standard_error**2 == pytest.approx(variance, abs=1e-14)
    flipped = roc(outcome, marker, Direction.LOWER)
    assert flipped.auc.value == pytest.approx(1 - area, abs=1e-14)
    assert flipped.standard_error == pytest.approx(curve.standard_error, abs=1e-14)
    stretched = roc(outcome, np.exp(marker / 3) * 100 - 7)
    assert stretched.auc.value == curve.auc.value
    assert stretched.auc.low == pytest.approx(curve.auc.low, nan_ok=True)
    assert len(stretched.ties) == len(curve.ties)
    for estimate in (curve.auc, curve.auc_logit):
        assert estimate.reason or 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjustments_are_ordered(p: list[float]) -> None:
    one, other, third = bonferroni(p), holm(p), sidak(p)
    assert ((np.array(p) <= other + 1e-15) & (other <= one + 1e-15) & (one <= 1)).all()
    assert (third <= one + 1e-12).all()
    assert (np.argsort(other, kind="stable")[np.argsort(p, kind="stable")].shape) == (len(p),)


@given(seed=st.integers(0, 10_000))
def test_a_comparison_reversed_is_the_same_with_its_sign_turned(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.repeat([0, 1], [9, 12])
    markers = {name: rng.integers(0, 6, 21) + outcome for name in "ab"}
    directions = {"a": Direction.HIGHER, "b": Direction.LOWER}
    (there,) = compare_aucs(outcome, markers, directions)
    (back,) = compare_aucs(outcome, {name: markers[name] for name in "ba"}, directions)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert there.difference.low == pytest.approx(-back.difference.high, nan_ok=True)
    assert there.p == pytest.approx(back.p, nan_ok=True)
