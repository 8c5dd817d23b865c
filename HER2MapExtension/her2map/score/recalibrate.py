"""Bringing a model to another cohort: its intercept alone, its slope as well, or a model of its own.

Steyerberg et al., Stat Med 2004;23:2567; which of them the data ask for: Vergouwe et al., Stat Med
2017;36:4529.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2

from ..errors import InputError
from ..statistics.calibration import recalibrate
from .card import ModelCard

Array = NDArray[np.float64]

SIGNIFICANT = 0.05


class Method(StrEnum):
    """How a model is brought to another cohort."""

    IN_THE_LARGE = "in-the-large"
    SLOPE = "slope"
    REFIT = "refit"


@dataclass(frozen=True, eq=False)
class Shift:
    """A model whose log odds are intercept + slope x those of the model before.

    Attributes:
        intercept, slope: of the new log odds over the former ones.
        coefficients, covariance: (k + 1,) and (k + 1, k + 1) of the new model.
    """

    intercept: float
    slope: float
    coefficients: Array
    covariance: Array

    def of(self, log_odds: Array) -> Array:
        """The new log odds of former ones."""
        return self.intercept + self.slope * log_odds


def shifted(card: ModelCard, design: Array, outcome: Array, method: Method) -> Shift:
    """The model with an intercept, or intercept and slope, of other cases.

    Both are maximum likelihood estimates, with the former log odds as offset, or as the one predictor. The
    covariance has two parts: that of the estimates, were the former coefficients known; and that of the
    former coefficients, carried through the estimates to first order (implicit differentiation of the score
    equations; the two samples are independent).

    Args:
        design: (n, k + 1) 1, then the predictors of the new cases.
        outcome: (n,) 0 or 1.
        method: `IN_THE_LARGE` or `SLOPE`.

    Raises:
        InputError: there are no cases of both groups; or there is no slope, or one that turns the model
            over.
    """
    if not 0 < outcome.sum() < len(outcome):
        raise InputError("Recalibration needs cases of both groups that the card gives a number to.")
    former = np.array(card.coefficients)
    log_odds = design @ former
    free, held, (centre, spread) = recalibrate(outcome, log_odds[None], np.ones((1, len(outcome))))
    if method is Method.IN_THE_LARGE:
        return _in_the_large(card, design, float(held.coefficients[0, 0] - centre[0]))
    slope = float(free.coefficients[0, 1] / spread[0])
    if np.ptp(log_odds) == 0 or not free.converged[0]:
        raise InputError("These cases give no slope: the score is the same in all, or separates the groups.")
    if slope <= 0:
        raise InputError(
            f"In these cases the score runs the wrong way (slope {slope:.2g}); recalibration would turn it "
            "over. Fit a model of their own, with refit."
        )
    return _with_slope(card, design, outcome, float(free.coefficients[0, 0] - slope * centre[0]), slope)


def _in_the_large(card: ModelCard, design: Array, intercept: float) -> Shift:
    former, covariance = np.array(card.coefficients), np.array(card.covariance)
    weights = _weights(intercept + design @ former)
    information = float(weights.sum())
    carried = np.eye(len(former))
    carried[0] -= weights @ design / information
    first = np.zeros(len(former))
    first[0] = 1.0
    return Shift(
        intercept,
        1.0,
        former + intercept * first,
        _symmetric(carried @ covariance @ carried.T + np.outer(first, first) / information),
    )


def _with_slope(card: ModelCard, design: Array, outcome: Array, intercept: float, slope: float) -> Shift:
    former, covariance = np.array(card.coefficients), np.array(card.covariance)
    log_odds = design @ former
    now = intercept + slope * log_odds
    weights, rest = _weights(now), outcome - expit(now)
    both = np.column_stack([np.ones(len(log_odds)), log_odds])
    inverse = np.linalg.inv(both.T @ (weights[:, None] * both))
    moved = np.array([-slope * weights @ design, rest @ design - slope * (weights * log_odds) @ design])
    by_former = inverse @ moved  # (2, k + 1) of intercept and slope by the former coefficients
    first = np.zeros(len(former))
    first[0] = 1.0
    by_both = np.column_stack([first, former])
    carried = slope * np.eye(len(former)) + by_both @ by_former
    return Shift(
        intercept,
        slope,
        slope * former + intercept * first,
        _symmetric(carried @ covariance @ carried.T + by_both @ inverse @ by_both.T),
    )


def _weights(log_odds: Array) -> Array:
    return np.asarray(expit(log_odds) * expit(-log_odds))


def _symmetric(matrix: Array) -> Array:
    return (matrix + matrix.T) / 2


def log_likelihood(outcome: Array, log_odds: Array) -> float:
    """Of outcomes (n,) by log odds (n,)."""
    return float(np.sum(outcome * log_odds - np.logaddexp(0, log_odds)))


@dataclass(frozen=True)
class Advice:
    """Which method the data ask for.

    Attributes:
        method: None where the model can stay as it is.
        p: of the likelihood-ratio tests of the refitted model against the one as it is, with its own
            intercept, and with intercept and slope, as far as they were needed.
    """

    method: Method | None
    p: Mapping[str, float]


AS_IT_IS = "as it is"


def closed_test(outcome: Array, log_odds: Mapping[str, Array], predictors: int) -> Advice:
    """The closed testing procedure of Vergouwe et al. 2017.

    The refitted model is tested against ever freer ones; the first that is not significantly worse stays.

    Args:
        outcome: (n,) 0 or 1.
        log_odds: (n,) by `AS_IT_IS` and method.
        predictors: of the model.
    """
    best = log_likelihood(outcome, log_odds[Method.REFIT])
    found: dict[str, float] = {}
    freedom = {AS_IT_IS: predictors + 1, Method.IN_THE_LARGE: predictors, Method.SLOPE: predictors - 1}
    for name, df in freedom.items():
        if name not in log_odds:
            continue
        gain = max(0.0, 2 * (best - log_likelihood(outcome, log_odds[name])))
        found[str(name)] = float(chi2.sf(gain, df)) if df else 1.0
        if found[str(name)] >= SIGNIFICANT:
            return Advice(None if name == AS_IT_IS else Method(name), found)
    return Advice(Method.REFIT, found)
