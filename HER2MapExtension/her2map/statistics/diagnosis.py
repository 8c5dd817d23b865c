"""Calls by a marker's cut-off against the truth."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from .cases import complete_cases
from .proportions import Proportion, proportion

CALL = "called positive: a marker at the cut-off or beyond it in the stated direction"


class Direction(StrEnum):
    """Which values of a marker speak for the positive group; stated beforehand, never taken from the data."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """+1, or -1: what turns the marker into one that is higher in positive cases."""
        return 1 if self is Direction.HIGHER else -1


@dataclass(frozen=True)
class Diagnosis:
    """How often a call by a marker is right. The predictive values hold for the share of positive cases here.

    Attributes:
        cut_off: of the marker, in its unit.
        direction: of the marker.
        true_positive, false_positive, true_negative, false_negative: cases.
        sensitivity, specificity, accuracy: of all positive cases, all negative cases, all cases.
        positive_predictive_value, negative_predictive_value: of those called positive, called negative.
        left_out: how many cases lack the outcome or the marker.
        convention: which cases are called positive.
    """

    cut_off: float
    direction: Direction
    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    sensitivity: Proportion
    specificity: Proportion
    accuracy: Proportion
    positive_predictive_value: Proportion
    negative_predictive_value: Proportion
    left_out: int
    convention: str = CALL


def diagnosis(
    outcome: ArrayLike, marker: ArrayLike, cut_off: float, direction: Direction = Direction.HIGHER
) -> Diagnosis:
    """Calls by a marker against the outcome.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        marker: (n,) NaN where missing.

    Raises:
        InputError: see :func:`~her2map.statistics.cases.complete_cases`; or the cut-off is not a number.
    """
    if math.isnan(cut_off):
        raise InputError("The cut-off of a marker must be a number.")
    cases = complete_cases(outcome, {"marker": marker})
    called = direction.sign * cases.values[:, 0] >= direction.sign * cut_off
    positive = cases.outcome == 1
    tp, fp, fn, tn = (
        int(np.count_nonzero(cell))
        for cell in (called & positive, called & ~positive, ~called & positive, ~called & ~positive)
    )
    return Diagnosis(
        cut_off=cut_off,
        direction=direction,
        true_positive=tp,
        false_positive=fp,
        true_negative=tn,
        false_negative=fn,
        sensitivity=proportion(tp, tp + fn, "There is no positive case."),
        specificity=proportion(tn, tn + fp, "There is no negative case."),
        accuracy=proportion(tp + tn, cases.n, "There is no complete case."),
        positive_predictive_value=proportion(tp, tp + fp, "No case is called positive."),
        negative_predictive_value=proportion(tn, tn + fn, "No case is called negative."),
        left_out=len(cases.left_out),
    )
