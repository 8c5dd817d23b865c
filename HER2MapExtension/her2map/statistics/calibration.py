"""How well predicted probabilities agree with what happened: Hosmer-Lemeshow, Brier, slope and intercept."""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import chi2, norm

from ..errors import InputError
from .cases import complete_cases
from .estimate import TAILS, Array, Estimate
from .likelihood import Fits, Penalty, Problem, maximise
from .proportions import Proportion, proportion
from .tested import Tested

GROUPS = 10
HOSMER_LEMESHOW = (
    "groups between the deciles of the probability (linear interpolation), the upper end included; equal "
    "probabilities stay together, deciles that coincide make fewer groups; groups - 2 degrees of freedom, as "
    "for a model fitted to these cases"
)
BRIER = "mean squared difference; scaled: 1 - Brier / (share x (1 - share)), share the positive cases'"
RECALIBRATION = (
    "slope: of a logistic model of the outcome on the predicted log odds; intercept, in the large: the shift "
    "of the predicted log odds with the slope held at 1; intervals: Wald"
)
BY_CONSTRUCTION = (
    "On the cases that a model was fitted to, slope 1 and intercept 0 come about by themselves; see the "
    "figures corrected for optimism."
)
CURVE_POINTS = 101


@dataclass(frozen=True)
class CalibrationGroup:
    """Cases with similar predicted probabilities.

    Attributes:
        predicted: mean probability.
        expected: the sum of the probabilities.
        observed: the share of positive cases, with its intervals.
    """

    predicted: float
    expected: float
    observed: Proportion


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """The outcome's probability over the predicted one, by the logistic recalibration; no smoother.

    Attributes:
        predicted, observed, low, high: (points,) with pointwise Wald bands; empty where there is no slope.
    """

    predicted: Array
    observed: Array
    low: Array
    high: Array


def _no_curve() -> CalibrationCurve:
    nothing = np.empty(0)
    return CalibrationCurve(nothing, nothing, nothing, nothing)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Agreement of probabilities with the outcome.

    Attributes:
        n, events: complete cases, and the positive ones among them.
        hosmer_lemeshow: test.
        groups: its groups.
        brier, brier_scaled: NaN without a case, the second also where all cases are of one group.
        slope: of the predicted log odds; 1 is right, under 1 they are too extreme.
        intercept: in the large; 0 is right, over 0 the probabilities are too low.
        curve: over the range of the probabilities.
        remarks: what to know before the figures are used.
        left_out: the cases that lack something.
        convention: in words.
    """

    n: int
    events: int
    hosmer_lemeshow: Tested
    groups: tuple[CalibrationGroup, ...]
    brier: float
    brier_scaled: float
    slope: Estimate
    intercept: Estimate
    curve: CalibrationCurve = field(default_factory=_no_curve)
    remarks: tuple[str, ...] = ()
    left_out: tuple[Hashable, ...] = ()
    convention: str = f"Brier: {BRIER}; {RECALIBRATION}"


def calibration(outcome: ArrayLike, probability: ArrayLike) -> Calibration:
    """How well predicted probabilities of the positive group agree with the outcome.

    Hosmer & Lemeshow, Commun Stat 1980;A9:1043; Cox, Biometrika 1958;45:562; Van Calster et al., J Clin
    Epidemiol 2016;74:167.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        probability: (n,) 0 to 1; NaN where missing.

    Raises:
        InputError: a probability is outside 0 to 1; or see :func:`~her2map.statistics.cases.complete_cases`.
    """
    cases = complete_cases(outcome, {"probability": probability})
    predicted = cases.values[:, 0]
    if ((predicted < 0) | (predicted > 1)).any():
        raise InputError("A probability lies outside 0 to 1; give probabilities, not log odds or percent.")
    groups = calibration_groups(cases.outcome, predicted)
    share = cases.positive / cases.n if cases.n else math.nan
    brier = float(((cases.outcome - predicted) ** 2).mean()) if cases.n else math.nan
    slope, intercept, curve = _recalibrated(cases.outcome, predicted, cases.one_group)
    fitted = slope.known and abs(slope.value - 1) < 1e-6 and abs(intercept.value) < 1e-6
    return Calibration(
        n=cases.n,
        events=cases.positive,
        hosmer_lemeshow=hosmer_lemeshow(groups),
        groups=groups,
        brier=brier,
        brier_scaled=1 - brier / (share * (1 - share)) if 0 < share < 1 else math.nan,
        slope=slope,
        intercept=intercept,
        curve=curve,
        remarks=(BY_CONSTRUCTION,) if fitted else (),
        left_out=cases.left_out,
    )


def calibration_groups(outcome: Array, probability: Array) -> tuple[CalibrationGroup, ...]:
    """The groups between the deciles of probabilities (n,)."""
    n = len(probability)
    if n == 0:
        return ()
    ordered = np.append(np.sort(probability), np.inf)
    at, part = np.divmod((n - 1) * np.arange(1, GROUPS), GROUPS)  # whole numbers: no case strays by rounding
    step = np.where(part > 0, ordered[at + 1] - ordered[at], 0.0)
    place = np.searchsorted(np.unique(ordered[at] + part / GROUPS * step), probability, side="left")
    return tuple(
        CalibrationGroup(
            float(probability[place == group].mean()),
            float(probability[place == group].sum()),
            proportion(int(outcome[place == group].sum()), int(np.count_nonzero(place == group))),
        )
        for group in np.unique(place)
    )


def hosmer_lemeshow(groups: tuple[CalibrationGroup, ...]) -> Tested:
    """Chi-square of observed and expected counts of both outcomes, over the groups."""
    name, n = "Hosmer-Lemeshow", sum(group.observed.n for group in groups)
    if len(groups) < 3:
        counted = "is 1" if len(groups) == 1 else f"are {len(groups)}"
        reason = f"The test needs three groups of probabilities; there {counted}."
        return Tested(name, n=n, convention=HOSMER_LEMESHOW, reason=reason)
    statistic = 0.0
    for group in groups:
        expected, size = group.expected, group.observed.n
        if not 0 < expected < size:
            reason = "A group has probabilities of 0 or 1 only, of which the test can make nothing."
            return Tested(name, n=n, convention=HOSMER_LEMESHOW, reason=reason)
        off = group.observed.count - expected
        statistic += off**2 / expected + off**2 / (size - expected)
    df = len(groups) - 2
    return Tested(name, statistic, float(chi2.sf(statistic, df)), (df,), n, HOSMER_LEMESHOW)


def recalibrate(outcome: Array, log_odds: Array, weights: Array) -> tuple[Fits, Fits, Array]:
    """The models behind slope and intercept, for many predictions at once.

    Args:
        outcome: (n,).
        log_odds: (m, n) predicted; where they do not vary, there is no slope.
        weights: (m, n).

    Returns:
        The model with a free slope; that with the slope held at 1; and (2, m) mean and SD of the log odds, by
        which both are scaled: slope = second coefficient / SD, intercept = first coefficient of the second
        model less the mean.
    """
    centre, spread = log_odds.mean(axis=1), log_odds.std(axis=1)
    varies = np.ptp(log_odds, axis=1) > 0
    spread = np.where(varies, spread, 1.0)
    scaled = (log_odds - centre[:, None]) / spread[:, None]
    design = np.stack([np.ones(scaled.shape), scaled], axis=2)
    entered = np.column_stack([np.ones(len(scaled), bool), varies])
    problem = Problem(design, outcome, weights, entered, Penalty.NONE)
    held = np.column_stack([centre, spread])
    shifted = maximise(problem, held, np.tile([True, False], (len(scaled), 1)))
    return maximise(problem), shifted, np.array([centre, spread])


def _recalibrated(
    outcome: Array, probability: Array, reason: str
) -> tuple[Estimate, Estimate, CalibrationCurve]:
    if not reason and ((probability == 0) | (probability == 1)).any():
        reason = "A probability of 0 or 1 has no log odds."
    if reason:
        return Estimate(reason=reason), Estimate(reason=reason), _no_curve()
    log_odds = logit(probability)
    if np.ptp(log_odds) == 0:
        reason = "All probabilities are the same, so there is no slope."
        error = 1 / math.sqrt(len(outcome) * outcome.mean() * (1 - outcome.mean()))
        intercept = _wald(float(logit(outcome.mean()) - log_odds[0]), error)
        return Estimate(reason=reason), intercept, _no_curve()
    free, held, (centre, spread) = recalibrate(outcome, log_odds[None], np.ones((1, len(outcome))))
    intercept = _wald(float(held.coefficients[0, 0] - centre[0]), 1 / math.sqrt(held.information[0, 0, 0]))
    if not free.converged[0]:
        reason = "The probabilities separate the groups, so the slope has no bound."
        return Estimate(reason=reason), intercept, _no_curve()
    covariance = np.linalg.inv(free.information[0])
    slope = _wald(float(free.coefficients[0, 1] / spread[0]), math.sqrt(covariance[1, 1]) / spread[0])
    grid = np.linspace(probability.min(), probability.max(), CURVE_POINTS)
    at = np.column_stack([np.ones(len(grid)), (logit(grid) - centre[0]) / spread[0]])
    middle = at @ free.coefficients[0]
    half = norm.ppf(TAILS[1]) * np.sqrt(np.einsum("ni,ij,nj->n", at, covariance, at))
    curve = CalibrationCurve(grid, expit(middle), expit(middle - half), expit(middle + half))
    return slope, intercept, curve


def _wald(value: float, error: float) -> Estimate:
    low, high = value + norm.ppf(TAILS) * error
    return Estimate(value, float(low), float(high))
