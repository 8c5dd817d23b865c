"""The covariances of a case's values by source: against simulation, exact values and other programs."""

import math

import numpy as np
import pandas as pd
import pytest

from her2map.biomarkers import MEASURED
from her2map.errors import InputError
from her2map.score import MapValue, ReadingErrors, Readings, ScoreCase
from her2map.score.medians import median_variance
from her2map.score.predictors import derivatives
from her2map.score.reading_errors import reading_errors
from her2map.score.sources import B1, NOISE, PLACEMENT, READERS, REPEATS, exam_sources, reading_sources

VALUES = {"T1_pre": 1500.0, "T1_post": 480.0, "T2": 80.0, "T2star": 27.0}
TECHNIQUES = {
    "T1_pre": "vfa",
    "T1_post": "vfa",
    "T2": "multi_echo_spin_echo",
    "T2star": "multi_echo_gradient_echo",
}
WITHIN = np.array([[100.0, 30.0], [30.0, 25.0]])
BETWEEN = np.array([[64.0, 20.0], [20.0, 16.0]])


def case_of(**more: object) -> ScoreCase:
    maps = {
        name: MapValue(value, 0.01 * value, 0.02 * value, 1.0, TECHNIQUES[name], "")
        for name, value in VALUES.items()
    }
    return ScoreCase(True, maps, 3.0, 0.03, **more)


def test_noise_and_placement_are_each_maps_own() -> None:
    found = exam_sources(case_of())
    values = np.array(list(VALUES.values()))
    assert np.allclose(found[NOISE].covariance, np.diag((0.01 * values) ** 2))
    assert np.allclose(found[PLACEMENT].covariance, np.diag((0.02 * values) ** 2))


def test_one_b1_scales_both_t1_as_the_fit_does() -> None:
    """T1 goes with B1 to the power of -2; T2 and T2* do not feel it."""
    scale = (1 + 0.03 * np.random.default_rng(1).standard_normal(200_000)) ** -2
    drawn = np.stack([VALUES["T1_pre"] * scale, VALUES["T1_post"] * scale])
    found = exam_sources(case_of())[B1].covariance
    assert np.allclose(found[:2, :2], np.cov(drawn), rtol=0.02)
    assert not found[2:].any() and not found[:, 2:].any()


def test_b1_cancels_in_the_ratio_and_not_in_the_difference() -> None:
    covariance = exam_sources(case_of())[B1].covariance
    slopes = derivatives(VALUES)
    ratio, difference = (slopes[name] @ covariance @ slopes[name] for name in ("delta_T1_ratio", "delta_T1"))
    assert ratio == pytest.approx(0.0, abs=1e-18)
    assert math.sqrt(difference) == pytest.approx(2 * 0.03 * (1500.0 - 480.0))


def test_a_difference_has_the_errors_of_its_parts() -> None:
    slope = derivatives(VALUES)["delta_T1"]
    assert slope @ exam_sources(case_of())[NOISE].covariance @ slope == pytest.approx(15.0**2 + 4.8**2)


@pytest.mark.parametrize("name", ["delta_T1", "delta_T1_ratio"])
def test_the_derivatives_are_those_of_finite_differences(name: str) -> None:
    formula = {
        "delta_T1": lambda pre, post: pre - post,
        "delta_T1_ratio": lambda pre, post: (pre - post) / pre,
    }[name]
    pre, post, step = VALUES["T1_pre"], VALUES["T1_post"], 1e-2
    by_pre = (formula(pre + step, post) - formula(pre - step, post)) / (2 * step)
    by_post = (formula(pre, post + step) - formula(pre, post - step)) / (2 * step)
    assert np.allclose(derivatives(VALUES)[name], [by_pre, by_post, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("count", "exact"),
    # Three: 1 - sqrt(3) / pi; two: the mean. Five: Teichroew's table of normal order statistics (1956).
    [(1, 1.0), (2, 0.5), (3, 1 - math.sqrt(3) / math.pi), (5, 0.28683)],
)
def test_the_variance_of_a_median(count: int, exact: float) -> None:
    assert median_variance(count) == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("count", [4, 6, 7])
def test_the_variance_of_a_median_is_that_of_draws(count: int) -> None:
    drawn = np.median(np.random.default_rng(count).standard_normal((200_000, count)), axis=1)
    assert median_variance(count) == pytest.approx(drawn.var(), rel=0.02)


def errors_of(names: tuple[str, ...], within, within_df: int, between, between_df: int) -> ReadingErrors:
    def rows(matrix):
        return tuple(map(tuple, np.atleast_2d(matrix)))

    return ReadingErrors(names, rows(within), within_df, rows(between), between_df)


def test_readings_average_out_as_medians_and_means_do() -> None:
    known = errors_of(("T1_post", "T2star"), WITHIN, 700, BETWEEN, 170)
    rng = np.random.default_rng(3)
    habits = rng.multivariate_normal([0, 0], BETWEEN, (100_000, 2))
    drawn = habits[:, :, None] + rng.multivariate_normal([0, 0], WITHIN, (100_000, 2, 3))
    spread = np.cov(np.median(drawn, axis=2).mean(axis=1).T)
    found = reading_sources(known, Readings(2, 3))
    at = np.ix_([1, 3], [1, 3])
    total = (found[REPEATS].covariance + found[READERS].covariance)[at]
    # Medians, each of its own biomarker, are a little less correlated than the repeats; that is not modelled.
    assert np.allclose(np.diag(total), np.diag(spread), rtol=0.02)
    assert total[0, 1] == pytest.approx(spread[0, 1], rel=0.12)
    assert (found[REPEATS].df, found[READERS].df) == (700, 170)


def test_a_cases_own_readings_are_pooled_with_the_cohorts_by_their_freedom() -> None:
    cohort, own = (errors_of(("T2star",), v, df, v, df) for v, df in ((4.0, 300), (9.0, 100)))
    found = reading_sources(cohort, Readings(1, 1, own))[REPEATS]
    assert found.covariance[3, 3] == pytest.approx((300 * 4.0 + 100 * 9.0) / 400)
    assert found.df == 400


def test_a_biomarker_that_one_of_both_knows_is_not_diluted() -> None:
    cohort = errors_of(("T2star",), 4.0, 300, 1.0, 100)
    own = errors_of(("T1_post",), 100.0, 4, 50.0, 1)
    found = reading_sources(cohort, Readings(1, 1, own))[REPEATS]
    assert np.allclose(np.diag(found.covariance), [0, 100, 0, 4])
    assert found.df == 4


def readings_frame(cases: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        truth = [480.0, 27.0] + 50 * rng.standard_normal(2)
        for reader in ("A", "B"):
            habit = truth + rng.multivariate_normal([0, 0], BETWEEN)
            rows += [(case, reader, *(habit + rng.multivariate_normal([0, 0], WITHIN))) for _ in range(3)]
    return pd.DataFrame(rows, columns=["case", "reader", "T1_post", "T2star"])


def test_the_errors_of_readings_are_those_that_they_were_drawn_with() -> None:
    found = reading_errors(readings_frame(3000, 1))
    assert found.names == ("T1_post", "T2star")
    assert (found.within_df, found.between_df) == (3000 * 2 * 2, 3000)
    assert np.allclose(found.within, WITHIN, rtol=0.05)
    assert np.allclose(np.diag(found.between), np.diag(BETWEEN), rtol=0.10)
    # The covariance of medians is less than is taken off for the repeats; see the test above.
    assert found.between[0][1] == pytest.approx(BETWEEN[0, 1], rel=0.20)


def test_the_within_errors_are_those_of_statsmodels_anova() -> None:
    anova = pytest.importorskip("statsmodels.formula.api")
    frame = readings_frame(12, 2)
    fit = anova.ols("T2star ~ C(case):C(reader)", frame).fit()
    found = reading_errors(frame)
    assert found.within[1][1] == pytest.approx(fit.mse_resid, rel=1e-9)
    assert found.within_df == fit.df_resid


def test_readers_that_differ_by_less_than_their_repeats_have_no_variance_of_their_own() -> None:
    rng = np.random.default_rng(5)
    rows = [(c, r, 27 + rng.standard_normal()) for c in range(40) for r in "AB" for _ in range(3)]
    frame = pd.DataFrame(rows, columns=["case", "reader", "T2star"])
    frame.loc[frame["reader"] == "B", "T2star"] = (
        frame.loc[frame["reader"] == "A", "T2star"].to_numpy() + 1e-3
    )
    assert reading_errors(frame).between[0][0] == 0.0


def test_incomplete_readings_and_empty_biomarkers_are_left_out() -> None:
    frame = readings_frame(20, 3)
    full = reading_errors(frame)
    frame["T2"] = math.nan
    assert reading_errors(frame) == full
    frame.loc[0, "T2star"] = math.nan
    assert reading_errors(frame).within_df == full.within_df - 1


def test_single_readings_tell_nothing() -> None:
    assert reading_errors(readings_frame(20, 3).groupby(["case", "reader"]).head(1)) is None
    assert reading_errors(readings_frame(20, 3).iloc[:0]) is None


def test_one_reader_has_repeats_and_no_difference_between_readers() -> None:
    found = reading_errors(readings_frame(20, 3).query("reader == 'A'"))
    assert found.within_df == 40 and found.between_df == 0
    assert not np.any(found.between)


@pytest.mark.parametrize("bad", [{"standard_error": -1.0}, {"placement_sd": -1.0}])
def test_a_negative_error_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="T2star is -1; it cannot be negative"):
        ScoreCase(True, {"T2star": MapValue(27.0, **bad)})


def test_a_negative_b1_error_and_no_readings_are_refused() -> None:
    with pytest.raises(InputError, match=r"B1 is -0\.03"):
        ScoreCase(True, {}, 3.0, -0.03)
    for readers, repeats in ((0, 3), (2, 0)):
        with pytest.raises(InputError, match="at least 1"):
            Readings(readers, repeats)


def test_all_four_are_in_the_order_of_the_biomarkers() -> None:
    assert tuple(VALUES) == MEASURED
