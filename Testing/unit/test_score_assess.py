"""The probability, its interval and grey zone: against simulation, statsmodels and scipy."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm, ttest_ind

from her2map.score import MapValue, ModelCard, Readings, ScoreCase, assess, demo_card
from her2map.score.assess import half_width_of
from her2map.statistics.logistic import logistic

VALUES = {"T2star": 27.0, "T1_post": 480.0}
DRAWS = 200_000


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


def case_of(card: ModelCard, values: dict[str, float] = VALUES, **more: object) -> ScoreCase:
    errors = {"T2star": (0.8, 1.1), "T1_post": (9.0, 14.0)}
    maps = {
        name: MapValue(value, *errors[name], 1.0, card.predictor(name).techniques[0], "")
        for name, value in values.items()
    }
    return ScoreCase(True, maps, card.cohort.field_strengths_t[0], 0.03, **more)


def exact_case(card: ModelCard, values: dict[str, float] = VALUES) -> ScoreCase:
    """Without any error but those of readings."""
    case = case_of(card, values)
    maps = {
        name: replace(one, standard_error=0.0, placement_sd=0.0, coverage=1.0)
        for name, one in case.maps.items()
    }
    return replace(case, maps=maps, b1_relative_sd=0.0)


@pytest.mark.parametrize("readings", [Readings(1, 1), Readings(2, 3), Readings(1, 4)])
def test_the_variance_is_that_of_draws_from_every_source(card: ModelCard, readings: Readings) -> None:
    """Errors are drawn as they come about, not from the covariances: B1 scales T1, readers have repeats."""
    rng = np.random.default_rng(1)
    case = case_of(card, readings=readings)
    at = [card.errors.names.index(name) for name in VALUES]
    within, between = (np.array(one)[np.ix_(at, at)] for one in (card.errors.within, card.errors.between))
    count = DRAWS // 4
    x = np.tile(list(VALUES.values()), (count, 1))
    x[:, 1] *= (1 + 0.03 * rng.standard_normal(count)) ** -2
    for field in ("standard_error", "placement_sd"):
        x += rng.standard_normal((count, 2)) * [getattr(case.maps[name], field) for name in VALUES]
    habits = rng.multivariate_normal([0, 0], between, (count, readings.readers))
    shape = (count, readings.readers, readings.repeats)
    x += np.median(habits[:, :, None] + rng.multivariate_normal([0, 0], within, shape), axis=2).mean(axis=1)
    b = rng.multivariate_normal(card.coefficients, card.covariance, count)
    drawn = b[:, 0] + b[:, 1] + (b[:, 2:] * x).sum(axis=1)
    assert [one.name for one in card.predictors] == ["er_positive", *VALUES]
    assert assess(card, case).log_odds_sd ** 2 == pytest.approx(drawn.var(), rel=0.03)


def test_the_coefficients_interval_is_that_of_statsmodels(card: ModelCard) -> None:
    models = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(2)
    n = 160
    columns = {
        "er_positive": (rng.random(n) < 0.7).astype(float),
        "T2star": rng.normal(27, 4, n),
        "T1_post": rng.normal(500, 80, n),
    }
    x = models.add_constant(np.column_stack(list(columns.values())))
    outcome = (rng.random(n) < expit(x @ [-7, -1, 0.2, 0.004])).astype(float)
    fit = logistic(outcome, columns)
    own = replace(
        card, coefficients=tuple(fit.coefficients), covariance=tuple(map(tuple, fit.covariance)), errors=None
    )
    found = assess(own, exact_case(card))
    theirs = models.GLM(outcome, x, family=models.families.Binomial()).fit(tol=1e-12, maxiter=100)
    (expected,) = theirs.get_prediction([[1.0, 1.0, 27.0, 480.0]]).summary_frame().to_numpy()
    mean, _, low, high = expected
    assert [found.probability, found.low, found.high] == pytest.approx([mean, low, high], abs=1e-6)
    assert found.shares["model"].part == 1.0


def test_the_degrees_of_freedom_are_welchs() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, 6), rng.normal(0, 4, 9)
    theirs = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    own = half_width_of([first.var(ddof=1) / 6, second.var(ddof=1) / 9], [5, 8])
    assert own == pytest.approx((theirs.high - theirs.low) / 2, rel=1e-9)


def test_known_variances_have_the_normal_interval_and_no_variance_none() -> None:
    assert half_width_of([9.0, 16.0], [math.inf, math.inf]) == pytest.approx(norm.isf(0.025) * 5)
    assert half_width_of([0.0, 0.0], [3, math.inf]) == 0.0


def test_the_shares_are_all_and_sum_to_one(card: ModelCard) -> None:
    found = assess(card, case_of(card))
    assert list(found.shares) == ["noise", "B1", "placement", "repeats", "readers", "model"]
    assert sum(one.part for one in found.shares.values()) == pytest.approx(1.0)
    assert all(one.variance > 0 for one in found.shares.values())
    assert sum(one.variance for one in found.shares.values()) == pytest.approx(found.log_odds_sd**2)


@pytest.mark.parametrize("away", [-0.6, -0.1, 0.05, 0.3])
def test_the_change_of_a_call_is_that_of_pairs_of_readings(card: ModelCard, away: float) -> None:
    """Pairs of readings of cases spread evenly; of those whose first reading is this one, how many change."""
    own = replace(card, covariance=tuple((0.0,) * 4 for _ in range(4)))
    cut, slope = float(logit(card.cut_off)), card.coefficients[2]
    at_cut = (cut - card.coefficients[0] - card.coefficients[1] - card.coefficients[3] * 480.0) / slope
    values = {"T2star": at_cut + away / slope, "T1_post": 480.0}
    found = assess(own, exact_case(card, values)).grey_zone
    at = [card.errors.names.index(name) for name in values]
    once = sum(np.array(one)[np.ix_(at, at)] for one in (card.errors.within, card.errors.between))
    sd = math.sqrt(np.array(card.coefficients[2:]) @ once @ np.array(card.coefficients[2:]))
    rng = np.random.default_rng(4)
    true = rng.uniform(-2 - 8 * sd, 2 + 8 * sd, 20 * DRAWS)
    first, second = true + sd * rng.standard_normal((2, len(true)))
    alike = np.abs(first - away) < 0.02
    changed = np.mean((second[alike] >= 0) != (first[alike] >= 0))
    assert found.change == pytest.approx(changed, abs=0.02)
    assert found.holds == (found.change > 0.10)


def test_at_the_ends_of_the_grey_zone_one_call_in_ten_changes(card: ModelCard) -> None:
    own = replace(card, covariance=tuple((0.0,) * 4 for _ in range(4)))
    zone = assess(own, exact_case(card)).grey_zone
    rest = card.coefficients[0] + card.coefficients[1] + card.coefficients[3] * 480.0
    for end in (zone.low, zone.high):
        values = {"T2star": (float(logit(end)) - rest) / card.coefficients[2], "T1_post": 480.0}
        there = assess(own, exact_case(card, values))
        assert there.probability == pytest.approx(end)
        assert there.grey_zone.change == pytest.approx(0.10, abs=1e-9)
    assert zone.low < card.cut_off < zone.high


def test_the_call_is_positive_from_the_cut_off_on(card: ModelCard) -> None:
    found = assess(card, exact_case(card))
    assert assess(replace(card, cut_off=found.probability), exact_case(card)).call == card.positive_call
    above = math.nextafter(found.probability, 1)
    assert assess(replace(card, cut_off=above), exact_case(card)).call == card.negative_call


def test_contributions_and_the_mean_case_make_the_log_odds(card: ModelCard) -> None:
    found = assess(card, case_of(card))
    sizes = card.cohort.groups
    means = [
        sum(sizes[g] * one.groups[g].mean for g in sizes) / sum(sizes.values()) for one in card.predictors
    ]
    of_mean = card.coefficients[0] + float(np.dot(card.coefficients[1:], means))
    assert of_mean + sum(one.log_odds for one in found.contributions) == pytest.approx(found.log_odds)
