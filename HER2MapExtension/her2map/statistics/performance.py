"""How good predictions are, for many of them at once: area, Brier score, calibration."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .calibration import recalibrate
from .estimate import Array
from .likelihood import Mask


class Performance(NamedTuple):
    """Of each of m predictions; NaN where there is none.

    Attributes:
        auc, brier: (m,)
        slope, intercept: (m,) of calibration; no slope where predictions do not vary, or separate the groups.
    """

    auc: Array
    brier: Array
    slope: Array
    intercept: Array


def performance(outcome: Array, log_odds: Array, weights: Array) -> Performance:
    """Of predictions.

    Args:
        outcome: (n,) 0 or 1.
        log_odds: (m, n) predicted.
        weights: (m, n) how often each case counts.
    """
    m = len(log_odds)
    rows = np.flatnonzero(both_groups(outcome, weights))
    slope, intercept = np.full(m, np.nan), np.full(m, np.nan)
    if len(rows):
        counts = weights[rows] > 0
        some = np.take_along_axis(log_odds[rows], counts.argmax(axis=1)[:, None], axis=1)
        counted = np.where(counts, log_odds[rows], some)
        free, held, (centre, spread) = recalibrate(outcome, counted, weights[rows])
        varies = np.ptp(counted, axis=1) > 0
        slope[rows] = np.where(free.converged & varies, free.coefficients[:, 1] / spread, np.nan)
        intercept[rows] = np.where(held.converged, held.coefficients[:, 0] - centre, np.nan)
    return Performance(
        weighted_auc(outcome, log_odds, weights),
        weighted_brier(outcome, log_odds, weights),
        slope,
        intercept,
    )


def both_groups(outcome: Array, weights: Array) -> Mask:
    """(m,) Whether cases of both groups count."""
    positive = weights @ outcome
    return np.asarray((positive > 0) & (positive < weights.sum(axis=1)))


def weighted_brier(outcome: Array, log_odds: Array, weights: Array) -> Array:
    """(m,) Mean squared difference of outcome and probability."""
    total = weights.sum(axis=1)
    squares = (weights * (outcome - expit(log_odds)) ** 2).sum(axis=1)
    return np.where(total > 0, squares / np.where(total > 0, total, 1.0), np.nan)


def weighted_auc(outcome: Array, scores: Array, weights: Array) -> Array:
    """(m,) Area under the ROC curve, ties counting one half; by sorting, in O(n log n)."""
    order = np.argsort(scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    counted = np.take_along_axis(weights, order, axis=1)
    positive = counted * outcome[order]
    negative = counted - positive
    upto = negative.cumsum(axis=1)
    first = np.ones(ordered.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    last = np.ones(ordered.shape, bool)
    last[:, :-1] = first[:, 1:]
    # Of each case, the negative ones with a lower score, and those with its own or a lower one.
    below = np.maximum.accumulate(np.where(first, upto - negative, 0.0), axis=1)
    within = np.where(last, upto, np.inf)
    within = np.minimum.accumulate(within[:, ::-1], axis=1)[:, ::-1]
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    won = (positive * (below + within) / 2).sum(axis=1)
    return np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1.0), np.nan)
