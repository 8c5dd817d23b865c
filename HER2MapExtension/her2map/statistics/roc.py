"""ROC curves: the area with DeLong's interval, and Youden's cut-off.

Whether high or low values of a marker speak for the positive group is stated by the caller. A program that
takes the direction from the data, by comparing medians say, reads a marker such as ER backwards, and never
finds an area under 0.5.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from .cases import complete_cases
from .diagnosis import Direction
from .estimate import TAILS, Array, Estimate

AUC = (
    "area by trapezia (ties count one half), direction fixed beforehand; standard error of DeLong et al. "
    "1988; interval: AUC +- 1.96 SE, cut at 0 and 1; beside it the same on the logit scale; p: Wald test of "
    "AUC = 0.5"
)
YOUDEN = (
    "greatest sensitivity + specificity - 1; cut-off: the midpoint of two neighbouring observed values; "
    "among ties that nearest to sensitivity = specificity = 1, then the more sensitive one; chosen on these "
    "cases, on which it looks better than on others"
)
ROUNDING = 1e-12
"""A standard error of an area under this comes from rounding alone."""


class CutOff(NamedTuple):
    """A cut-off between two neighbouring observed values.

    Attributes:
        threshold: the midpoint.
        lower, upper: the values observed next to it.
        sensitivity, specificity: there.
        youden: sensitivity + specificity - 1.
    """

    threshold: float
    lower: float
    upper: float
    sensitivity: float
    specificity: float
    youden: float


@dataclass(frozen=True, eq=False)
class RocCurve:
    """A marker's ROC curve.

    Attributes:
        auc: with DeLong's interval.
        auc_logit: the same area with DeLong's interval on the logit scale.
        standard_error: DeLong's.
        z, p: of the test that the area is 0.5.
        thresholds, sensitivity, specificity: (points,) of the curve from "all called negative" on; the
            thresholds are midpoints of neighbouring observed values, infinite at both ends.
        cut_off: Youden's; None with a reason in `no_cut_off`.
        ties: all cut-offs with the same index, `cut_off` among them.
        n_positive, n_negative: cases.
        direction: of the marker.
        left_out: the cases that lack the outcome or the marker.
        convention: in words.
    """

    auc: Estimate
    auc_logit: Estimate
    standard_error: float
    z: float
    p: float
    thresholds: Array
    sensitivity: Array
    specificity: Array
    cut_off: CutOff | None
    ties: tuple[CutOff, ...]
    n_positive: int
    n_negative: int
    direction: Direction
    left_out: tuple[Hashable, ...] = ()
    no_cut_off: str = ""
    convention: str = f"{AUC}. Cut-off: {YOUDEN}"


class Placements(NamedTuple):
    """Of each positive case the share of negatives below it; of each negative that of positives above."""

    positive: Array
    negative: Array

    @property
    def area(self) -> float:
        """Under the curve."""
        return float(self.positive.mean())


def roc(outcome: ArrayLike, marker: ArrayLike, direction: Direction = Direction.HIGHER) -> RocCurve:
    """The ROC curve of a marker for the positive against the negative group.

    DeLong et al., Biometrics 1988;44:837, by midranks in O(n log n) (Sun & Xu, IEEE Signal Process Lett
    2014;21:1389); as R's pROC with a fixed direction.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        marker: (n,) NaN where missing.
        direction: which values speak for the positive group.

    Raises:
        InputError: see :func:`~her2map.statistics.cases.complete_cases`.
    """
    cases = complete_cases(outcome, {"marker": marker})
    direction = Direction(direction)
    if cases.one_group:
        nothing = Estimate(reason=cases.one_group)
        empty = np.empty(0)
        sizes = cases.positive, cases.n - cases.positive
        return RocCurve(
            *(nothing, nothing, math.nan, math.nan, math.nan),
            *(empty, empty, empty, None, ()),
            *(*sizes, direction, cases.left_out, cases.one_group),
        )
    positive = cases.outcome == 1
    score = direction.sign * cases.values[:, 0]
    placements = placements_of(score[positive], score[~positive])
    auc, logit, error = _area(placements)
    z = (auc.value - 0.5) / error if error > 0 else math.nan
    points = _points(score, positive)
    ties, reason = _youden(points, direction)
    return RocCurve(
        auc=auc,
        auc_logit=logit,
        standard_error=error,
        z=z,
        p=2 * float(norm.sf(abs(z))),
        thresholds=direction.sign * points.thresholds,
        sensitivity=points.true_positive / points.true_positive[-1],
        specificity=1 - points.false_positive / points.false_positive[-1],
        cut_off=min(ties, key=_corner) if ties else None,
        ties=ties,
        n_positive=int(points.true_positive[-1]),
        n_negative=int(points.false_positive[-1]),
        direction=direction,
        left_out=cases.left_out,
        no_cut_off=reason,
    )


def placements_of(positive: Array, negative: Array) -> Placements:
    """By midranks, of scores that are higher in positive cases."""
    everyone = rankdata(np.concatenate([positive, negative]))
    above = everyone[: len(positive)] - rankdata(positive)
    below = everyone[len(positive) :] - rankdata(negative)
    return Placements(above / len(negative), 1 - below / len(positive))


def covariance(first: Placements, second: Placements) -> float:
    """DeLong's, of two areas on the same cases; NaN where a group has one case."""
    total = 0.0
    for one, other in zip(first, second, strict=True):
        if len(one) < 2:
            return math.nan
        total += float((one - one.mean()) @ (other - other.mean())) / (len(one) - 1) / len(one)
    return total


def _area(placements: Placements) -> tuple[Estimate, Estimate, float]:
    """The area with its interval, with that on the logit scale, and its standard error."""
    area = placements.area
    variance = covariance(placements, placements)
    if math.isnan(variance):
        alone = Estimate(area, reason="A group has one case only; DeLong's interval needs two in each.")
        return alone, alone, math.nan
    error = math.sqrt(variance)
    if error < ROUNDING:
        alone = Estimate(area, reason="DeLong's variance is 0, so that there is no interval.")
        return alone, alone, 0.0
    half = norm.ppf(TAILS) * error
    low, high = np.clip(area + half, 0, 1)
    odds = math.log(area / (1 - area))
    down, up = 1 / (1 + np.exp(-(odds + half / (area * (1 - area)))))
    return Estimate(area, float(low), float(high)), Estimate(area, float(down), float(up)), error


class _Points(NamedTuple):
    """Of a curve, on the scale of the score: counts of those called positive from the threshold on.

    `observed` are the distinct values, from high to low; threshold i lies between observed i - 1 and i.
    """

    thresholds: Array
    true_positive: Array
    false_positive: Array
    observed: Array


def _points(score: Array, positive: NDArray[np.bool_]) -> _Points:
    observed, place = np.unique(-score, return_inverse=True)
    observed = -observed
    true = np.bincount(place[positive], minlength=len(observed)).cumsum()
    false = np.bincount(place[~positive], minlength=len(observed)).cumsum()
    middle = observed[1:] + (observed[:-1] - observed[1:]) / 2
    middle = np.where(middle > observed[1:], middle, observed[:-1])  # values next to each other have none
    return _Points(
        np.concatenate([[np.inf], middle, [-np.inf]]),
        np.concatenate([[0], true]),
        np.concatenate([[0], false]),
        observed,
    )


def _youden(points: _Points, direction: Direction) -> tuple[tuple[CutOff, ...], str]:
    """All cut-offs with the greatest index, in the order of the curve, or why there is none."""
    positives, negatives = int(points.true_positive[-1]), int(points.false_positive[-1])
    if len(points.observed) < 2:
        return (), "The marker has the same value in all cases, so there is no cut-off."
    # In whole numbers, so that rounding makes no difference between ties.
    index = points.true_positive * negatives - points.false_positive * positives
    best = int(index[1:-1].max())
    if best <= 0:
        return (), "No cut-off is better than chance in the stated direction."
    found = []
    for i in 1 + np.flatnonzero(index[1:-1] == best):
        between = sorted(direction.sign * points.observed[i - 1 : i + 1])
        found.append(
            CutOff(
                threshold=float(direction.sign * points.thresholds[i]),
                lower=float(between[0]),
                upper=float(between[1]),
                sensitivity=float(points.true_positive[i] / positives),
                specificity=float(1 - points.false_positive[i] / negatives),
                youden=best / (positives * negatives),
            )
        )
    return tuple(found), ""


def _corner(cut_off: CutOff) -> tuple[float, float]:
    distance = (1 - cut_off.sensitivity) ** 2 + (1 - cut_off.specificity) ** 2
    return round(distance, 12), -cut_off.sensitivity
