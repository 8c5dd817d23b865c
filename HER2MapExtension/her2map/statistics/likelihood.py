"""The likelihood of logistic models and its maximum, for many weightings of the same cases at once.

A resample is a weighting: how often each case was drawn. No BLAS: its sums depend on the number of threads.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .estimate import Array

Mask = NDArray[np.bool_]

STEP = 1e-10
"""A search ends when no coefficient moves by more; of columns with SD 1."""
LONGEST_STEP = 5.0
HALVINGS = 30


class Penalty(Enum):
    """What is maximised, and within how many Newton steps the search must end.

    Without a penalty, each of Newton's steps doubles the right digits; where the data separate, they go on
    for ever by about 1. With Firth's they shorten by a constant factor.
    """

    NONE = 30
    FIRTH = 400


class Fits(NamedTuple):
    """Maxima, one a weighting.

    Attributes:
        coefficients: (m, p); 0 where a column is not in the model.
        log_likelihood: (m,), with the penalty.
        score: (m, p), with the penalty; 0 but where a coefficient was held.
        information: (m, p, p), Fisher's, without the penalty; the unit matrix for columns that are not in the
            model.
        curvature: (m, p, p) what the steps are taken with: the information, with Firth's penalty that of the
            cases and of the half cases that it amounts to; by the information alone steps may swing for
            ever.
        converged: (m,)
    """

    coefficients: Array
    log_likelihood: Array
    score: Array
    information: Array
    curvature: Array
    converged: Mask

    def part(self, rows: NDArray[np.intp]) -> "Fits":
        """Of some of the weightings."""
        return Fits(
            self.coefficients[rows],
            self.log_likelihood[rows],
            self.score[rows],
            self.information[rows],
            self.curvature[rows],
            self.converged[rows],
        )

    def put(self, rows: NDArray[np.intp], other: "Fits") -> None:
        """Replaces those of some of the weightings."""
        for mine, theirs in zip(self, other, strict=True):
            mine[rows] = theirs


class Problem(NamedTuple):
    """Models to be fitted.

    Attributes:
        design: (n, p) a column of ones and the predictors, each of about mean 0 and SD 1; or (m, n, p), one a
            weighting.
        outcome: (n,) 0 or 1.
        weights: (m, n) how often each case counts.
        entered: (m, p) which columns are in the model.
        penalty: what is maximised.
    """

    design: Array
    outcome: Array
    weights: Array
    entered: Mask
    penalty: Penalty

    def part(self, rows: NDArray[np.intp]) -> "Problem":
        """Of some of the weightings."""
        design = self.design if self.design.ndim == 2 else self.design[rows]
        return self._replace(design=design, weights=self.weights[rows], entered=self.entered[rows])


def maximise(problem: Problem, start: Array | None = None, free: Mask | None = None) -> Fits:
    """Newton's method with halved steps, for all weightings at once.

    Firth's penalty is half the log determinant of the information (Firth, Biometrika 1993;80:27) of the whole
    model, also where some of its coefficients are held (Heinze & Schemper, Stat Med 2002;21:2409).

    Args:
        start: (m, p) where the search begins; 0 without.
        free: (m, p) the coefficients that are searched; the others stay as in `start`.
    """
    m, p = problem.entered.shape
    free = problem.entered if free is None else problem.entered & free
    found = _at(problem, np.zeros((m, p)) if start is None else np.where(problem.entered, start, 0.0))
    active = np.arange(m)
    for _ in range(problem.penalty.value):
        here = found.part(active)
        step = _newton(here, free[active])
        after = _climb(problem.part(active), here, step)
        moved = np.abs(after.coefficients - here.coefficients).max(axis=1)
        found.put(active, after)
        ended = moved < STEP
        found.converged[active] = ended
        active = active[~ended]
        if not len(active):
            break
    return found


def linear(coefficients: Array, design: Array) -> Array:
    """(m, n) The linear predictors; equal cases have equal ones to the last digit, so that ties stay ties."""
    total = coefficients[:, :1] * design[..., 0]
    for j in range(1, design.shape[-1]):
        total = total + coefficients[:, j : j + 1] * design[..., j]
    return total


def standard_errors(fits: Fits) -> Array:
    """(m, p) From the inverse information; NaN where it has none."""
    inverse = _inverse(fits.information)
    variances = np.einsum("mpp->mp", inverse)
    return np.sqrt(np.where(variances > 0, variances, np.nan))


def _at(problem: Problem, coefficients: Array) -> Fits:
    design, outcome, weights, entered, penalty = problem
    m, p = coefficients.shape
    eta = linear(coefficients, design)
    tail = np.exp(-np.abs(eta))
    mu = np.where(eta >= 0, 1.0, tail) / (1 + tail)
    spread = weights * (tail / (1 + tail) ** 2)
    likelihood = (weights * (outcome * eta - np.maximum(eta, 0) - np.log1p(tail))).sum(axis=1)
    products = (design[..., :, None] * design[..., None, :]).reshape(*design.shape[:-1], p * p)
    both = entered[:, :, None] & entered[:, None, :]
    information = _information(spread, products, both)
    curvature = information
    pull = weights * (outcome - mu)
    if penalty is Penalty.FIRTH:
        inverse = np.where(both, _inverse(information), 0.0).reshape(m, p * p)
        subscripts = "mk,nk->mn" if products.ndim == 2 else "mk,mnk->mn"
        leverage = spread * np.einsum(subscripts, inverse, products)
        pull = pull + leverage * (0.5 - mu)
        curvature = _information(spread * (1 + leverage / np.maximum(weights, 1)), products, both)
        likelihood = likelihood + np.linalg.slogdet(information)[1] / 2
    score = np.where(entered, _sums(pull, design), 0.0)
    return Fits(coefficients, likelihood, score, information, curvature, np.zeros(m, bool))


def _information(spread: Array, products: Array, both: Mask) -> Array:
    p = both.shape[1]
    found = _sums(spread, products).reshape(len(spread), p, p)
    return np.where(both, found, np.eye(p))


def _sums(weights: Array, columns: Array) -> Array:
    """(m, k) Over the cases, of columns (n, k) or (m, n, k)."""
    return np.einsum("mn,nk->mk" if columns.ndim == 2 else "mn,mnk->mk", weights, columns)


def _newton(here: Fits, free: Mask) -> Array:
    both = free[:, :, None] & free[:, None, :]
    matrix = np.where(both, here.curvature, np.eye(free.shape[1]))
    step = np.einsum("mpq,mq->mp", _inverse(matrix), np.where(free, here.score, 0.0))
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, LONGEST_STEP)))


def _climb(problem: Problem, here: Fits, step: Array) -> Fits:
    """The step, halved until the likelihood does not fall."""
    after = _at(problem, here.coefficients + step)
    slack = 1e-12 * (1 + np.abs(here.log_likelihood))
    for _ in range(HALVINGS):
        fell = np.flatnonzero(~(after.log_likelihood >= here.log_likelihood - slack))
        if not len(fell):
            break
        step[fell] /= 2
        again = _at(problem.part(fell), here.coefficients[fell] + step[fell])
        after.put(fell, again)
    return after


def _inverse(matrices: Array) -> Array:
    """Of symmetric matrices (m, p, p); the pseudo-inverse where one is singular."""
    try:
        return np.asarray(np.linalg.inv(matrices), float)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrices, hermitian=True), float)
