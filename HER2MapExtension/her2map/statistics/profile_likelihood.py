"""Profile-likelihood intervals and likelihood-ratio tests of a logistic model's coefficients."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from .estimate import CONFIDENCE, Array
from .likelihood import Fits, Problem, maximise

FALL = float(chi2.ppf(CONFIDENCE, 1))
STEPS = 60


class Bounds(NamedTuple):
    """Of each of the coefficients (k,); NaN where the search did not end."""

    low: Array
    high: Array


def likelihood_ratio(problem: Problem, fits: Fits, held: NDArray[np.intp]) -> float:
    """Twice the fall of the (penalised) log likelihood when these coefficients are held at 0.

    Args:
        problem, fits: of one weighting, and its maximum.
        held: indices of coefficients.
    """
    start = fits.coefficients.copy()
    free = np.ones(start.shape, bool)
    start[:, held], free[:, held] = 0.0, False
    without = maximise(problem, start, free)
    return max(0.0, 2 * float(fits.log_likelihood[0] - without.log_likelihood[0]))


def profile_bounds(problem: Problem, fits: Fits, errors: Array) -> Bounds:
    """Where the profile of the (penalised) log likelihood has fallen by half the 95 % quantile of chi2(1).

    Newton's method on that fall, all bounds at once, from Wald's: the slope of a profile is the score at the
    coefficient that is held (Venzon & Moolgavkar, Appl Stat 1988;37:87). Where a step leads out of what is
    known of the bound, as can happen with a penalty and few cases, the search halves the way.

    Args:
        problem, fits: of one weighting, and its maximum.
        errors: (p,) standard errors; the intercept, first, gets no bounds.
    """
    k = problem.design.shape[1] - 1
    held = np.tile(np.arange(1, k + 1), 2)
    side = np.repeat([-1.0, 1.0], k)
    rows = np.arange(2 * k)
    every = Problem(
        problem.design,
        problem.outcome,
        np.repeat(problem.weights, 2 * k, axis=0),
        np.repeat(problem.entered, 2 * k, axis=0),
        problem.penalty,
    )
    at = np.repeat(fits.coefficients, 2 * k, axis=0)
    away = np.sqrt(FALL) * errors[held]
    near, far = np.zeros(2 * k), np.full(2 * k, np.inf)  # where it has not fallen so far, and has
    free = np.ones(at.shape, bool)
    free[rows, held] = False
    active, ends = rows, np.full(2 * k, np.nan)
    for _ in range(STEPS):
        at[active, held[active]] = fits.coefficients[0, held[active]] + side[active] * away[active]
        found = maximise(every.part(active), at[active], free[active])
        at[active] = found.coefficients
        fall = 2 * (fits.log_likelihood[0] - found.log_likelihood) - FALL
        slope = -2 * found.score[np.arange(len(active)), held[active]] * side[active]
        here = away[active]
        near[active] = np.where(fall < 0, here, near[active])
        far[active] = np.where(fall < 0, far[active], here)
        away[active] = _next(here, fall, slope, near[active], far[active])
        done = np.abs(away[active] - here) < 1e-10 * here
        ended = active[done]
        ends[ended] = fits.coefficients[0, held[ended]] + side[ended] * away[ended]
        active = active[~done]
        if not len(active):
            break
    return Bounds(ends[:k], ends[k:])


def _next(here: Array, fall: Array, slope: Array, near: Array, far: Array) -> Array:
    """Newton's step where it stays between `near` and `far`, else half of the way, or twice as far."""
    with np.errstate(divide="ignore", invalid="ignore"):
        step = here - fall / slope
    within = (slope > 0) & (step >= near) & (step <= far) & (step <= 3 * here)
    return np.where(within, step, np.where(np.isinf(far), 2 * here, (near + far) / 2))
