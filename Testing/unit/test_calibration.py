"""Calibration and decision curves against R's glm and base, and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cohort_reference import OUTCOME, PREDICTION, TWO, assert_as_r, names_of
from her2map.errors import InputError
from her2map.statistics.calibration import BY_CONSTRUCTION, Calibration, calibration
from her2map.statistics.decision import THRESHOLDS, decision_curve
from her2map.statistics.logistic import logistic

pytestmark = pytest.mark.filterwarnings("error")

MODEL = logistic(OUTCOME, TWO[["er", "T2star", "T1_post"]])
PREDICTIONS = {"given": (OUTCOME, PREDICTION), "model": (MODEL.outcome, MODEL.probability)}


@pytest.mark.parametrize("name", names_of("calibration"))
def test_every_figure_is_that_of_r(name: str) -> None:
    outcome, probability = PREDICTIONS[name]
    found = calibration(outcome, probability)
    figures = {
        "chi2": found.hosmer_lemeshow.statistic,
        "df": found.hosmer_lemeshow.df[0],
        "p": found.hosmer_lemeshow.p,
        "brier": found.brier,
        "scaled": found.brier_scaled,
    }
    for figure, estimate in (("slope", found.slope), ("intercept", found.intercept)):
        figures |= {figure: estimate.value, f"{figure}_low": estimate.low, f"{figure}_high": estimate.high}
    assert_as_r(
        {f"calibration/{name}/{figure}": value for figure, value in figures.items()}, f"calibration/{name}/"
    )
    curve = decision_curve(outcome, {"model": probability}, [0.1, 0.35, 0.5, 0.8])
    benefits = {}
    for i, threshold in enumerate(curve.thresholds):
        benefits[f"decision/{name}/{threshold:.2f}/model"] = curve.models["model"][i]
        benefits[f"decision/{name}/{threshold:.2f}/all"] = curve.treat_all[i]
    assert_as_r(benefits, f"decision/{name}/")
    assert (found.n, len(found.left_out)) == (154, 4 if name == "given" else 0)
    assert found.remarks == ((BY_CONSTRUCTION,) if name == "model" else ())


def test_the_groups_are_those_of_the_test() -> None:
    found = calibration(OUTCOME, PREDICTION)
    assert len(found.groups) == 10
    assert sum(group.observed.n for group in found.groups) == found.n
    assert sum(group.observed.count for group in found.groups) == found.events
    assert sum(group.expected for group in found.groups) == pytest.approx(PREDICTION.sum())
    assert [group.predicted for group in found.groups] == sorted(group.predicted for group in found.groups)
    for group in found.groups:
        assert group.observed.wilson.low <= group.observed.value <= group.observed.wilson.high


def test_equal_probabilities_stay_together() -> None:
    outcome = np.tile([0, 1, 1, 0, 1], 12)
    found = calibration(outcome, np.repeat([0.2, 0.4, 0.6, 0.7, 0.9], 12))
    assert [group.observed.n for group in found.groups] == [12] * 5
    assert found.hosmer_lemeshow.df == (3,)
    assert "equal probabilities stay together" in found.hosmer_lemeshow.convention
    two = calibration(outcome, np.repeat([0.2, 0.7], 30))
    assert two.hosmer_lemeshow.reason == "The test needs three groups of probabilities; there are 2."


def test_a_case_at_a_decile_is_in_the_lower_group() -> None:
    """101 cases: the deciles are observed values, and rounding must not move a case."""
    probability = np.arange(1, 102) / 103
    found = calibration((np.arange(101) % 3 == 0).astype(int), probability)
    assert [group.observed.n for group in found.groups] == [11] + [10] * 9


def test_the_curve_is_the_recalibration() -> None:
    found = calibration(OUTCOME, PREDICTION)
    curve = found.curve
    assert curve.predicted[0] == pytest.approx(PREDICTION.min())
    assert curve.predicted[-1] == pytest.approx(PREDICTION.max())
    log_odds = np.log(curve.observed / (1 - curve.observed))
    slopes = np.diff(log_odds) / np.diff(np.log(curve.predicted / (1 - curve.predicted)))
    assert slopes == pytest.approx(np.full(len(slopes), found.slope.value), rel=1e-6)
    assert ((curve.low < curve.observed) & (curve.observed < curve.high)).all()
    own = calibration(MODEL.outcome, MODEL.probability).curve
    assert own.observed == pytest.approx(own.predicted, abs=1e-8)


def test_too_extreme_predictions_have_a_slope_under_one() -> None:
    rng = np.random.default_rng(1)
    log_odds = rng.normal(0.4, 1.2, 20_000)
    outcome = rng.random(20_000) < 1 / (1 + np.exp(-log_odds))
    found = calibration(outcome, 1 / (1 + np.exp(-(2 * log_odds - 0.5))))
    assert found.slope.value == pytest.approx(0.5, abs=0.03)
    assert found.slope.high < 1
    right = calibration(outcome, 1 / (1 + np.exp(-log_odds)))
    assert right.slope.low < 1 < right.slope.high
    assert right.intercept.low < 0 < right.intercept.high
    low = calibration(outcome, 1 / (1 + np.exp(-(log_odds - 0.7))))
    assert low.intercept.value == pytest.approx(0.7, abs=0.05)


def nothing(found: Calibration, reason: str) -> bool:
    return found.slope.reason == found.intercept.reason == reason and len(found.curve.predicted) == 0


def test_where_there_is_no_slope_the_reason_is_given() -> None:
    empty = calibration([], [])
    assert nothing(empty, "There is no complete case.")
    assert math.isnan(empty.brier)
    assert empty.hosmer_lemeshow.reason.endswith("there are 0.")
    one = calibration([1, 1, 1], [0.2, 0.5, 0.6])
    assert nothing(one, "All complete cases (3) are positive; cases of both groups are needed.")
    assert one.brier == pytest.approx((0.64 + 0.25 + 0.16) / 3)
    assert math.isnan(one.brier_scaled)
    certain = calibration([0, 1, 1, 0], [0.0, 0.5, 1.0, 0.2])
    assert nothing(certain, "A probability of 0 or 1 has no log odds.")
    assert (
        "probabilities of 0 or 1 only"
        in calibration([0, 0, 1, 1], [0.0, 0.2, 0.5, 0.8]).hosmer_lemeshow.reason
    )
    apart = calibration([0, 0, 1, 1], [0.1, 0.2, 0.5, 0.8])
    assert apart.slope.reason == "The probabilities separate the groups, so the slope has no bound."
    assert apart.intercept.known
    same = calibration([0, 0, 1, 1, 1], [0.5] * 5)
    assert same.slope.reason == "All probabilities are the same, so there is no slope."
    assert same.intercept.value == pytest.approx(math.log(1.5))
    assert same.intercept.high - same.intercept.value == pytest.approx(stats.norm.ppf(0.975) / math.sqrt(1.2))


@pytest.mark.parametrize("function", [calibration, lambda y, p: decision_curve(y, {"p": p})])
def test_log_odds_and_percent_are_refused(function) -> None:
    with pytest.raises(InputError, match="probability lies outside 0 to 1"):
        function([0, 1], [0.5, 1.2])
    with pytest.raises(InputError, match="probability lies outside 0 to 1"):
        function([0, 1], [-0.3, 0.2])


def test_decision_curve_by_hand() -> None:
    curve = decision_curve([1, 1, 0, 0, 0], {"p": [0.9, 0.4, 0.4, 0.2, 0.1]}, [0.2, 0.4, 0.5])
    assert curve.models["p"] == pytest.approx([2 / 5 - 2 / 5 * 0.2 / 0.8, 2 / 5 - 1 / 5 * 0.4 / 0.6, 1 / 5])
    assert curve.treat_all == pytest.approx([2 / 5 - 3 / 5 * 0.25, 2 / 5 - 3 / 5 * 2 / 3, -1 / 5])
    assert curve.treat_none.tolist() == [0, 0, 0]
    assert (curve.n, curve.events) == (5, 2)
    assert len(THRESHOLDS) == 99
    assert "optimistic" in curve.convention


def test_decision_curve_of_several_models_is_on_common_cases() -> None:
    curve = decision_curve(OUTCOME, {"given": PREDICTION, "age": TWO["age"] / 100})
    missing = TWO[["T2star", "age"]].isna().any(axis=1)
    assert curve.left_out == tuple(TWO.index[missing])
    assert curve.n == (~missing).sum()
    empty = decision_curve([], {"p": []})
    assert empty.reason == "There is no complete case."
    assert np.isnan(empty.models["p"]).all()
    for bad in ([0.0], [1.0], [[0.5]]):
        with pytest.raises(InputError, match="Thresholds of a decision curve"):
            decision_curve([0, 1], {"p": [0.1, 0.9]}, bad)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), levels=st.integers(1, 40))
def test_whatever_the_predictions_there_are_figures_or_reasons(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    outcome, probability = rng.integers(0, 2, n), rng.integers(0, levels + 1, n) / levels
    found = calibration(outcome, probability)
    assert bool(found.hosmer_lemeshow.reason) == math.isnan(found.hosmer_lemeshow.p)
    assert sum(group.observed.n for group in found.groups) == n
    assert 0 <= found.brier <= 1
    for estimate in (found.slope, found.intercept):
        assert estimate.reason or estimate.low <= estimate.value <= estimate.high
    curve = decision_curve(outcome, {"p": probability})
    assert (curve.models["p"] <= outcome.mean() + 1e-12).all()
    every = decision_curve(outcome, {"p": np.ones(n)})
    assert every.models["p"] == pytest.approx(curve.treat_all)
