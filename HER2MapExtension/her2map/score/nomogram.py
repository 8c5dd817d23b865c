"""A nomogram: the model as scales of points, whose sum reads as a probability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from .card import ModelCard

Array = NDArray[np.float64]

LARGEST = 100.0
"""Points of the predictor that can add most, over its training range."""


@dataclass(frozen=True)
class Axis:
    """The scale of one predictor, over its training range.

    Attributes:
        low, high: of the range.
        per_unit: points per unit; negative where a larger value makes the outcome less probable.
        origin: the value that gives 0 points: `low`, or `high` where points fall.
    """

    name: str
    unit: str
    low: float
    high: float
    per_unit: float
    origin: float

    def points(self, value: float) -> float:
        """Of a value; from 0 over the training range."""
        return (value - self.origin) * self.per_unit


@dataclass(frozen=True)
class Nomogram:
    """The model in points.

    Attributes:
        axes: one a predictor.
        per_point: log odds per point.
        at_zero: log odds of no points.
        total: the most points that a case inside the training range can have.
    """

    axes: tuple[Axis, ...]
    per_point: float
    at_zero: float
    total: float

    def probability(self, points: float) -> float:
        """Of a sum of points."""
        return float(expit(self.at_zero + self.per_point * points))

    def points_of(self, probability: float) -> float:
        """The sum of points that gives a probability between 0 and 1."""
        return (float(logit(probability)) - self.at_zero) / self.per_point


def nomogram(card: ModelCard) -> Nomogram:
    """Of a card: the predictor with the widest span of log odds over its range gets 100 points."""
    slopes = np.array(card.coefficients[1:])
    ranges = np.array([one.maximum - one.minimum for one in card.predictors])
    per_point = float(np.max(np.abs(slopes) * ranges)) / LARGEST
    if not per_point > 0:
        per_point = 1.0  # a model without slopes gives no points
    axes = tuple(
        Axis(
            one.name, one.unit, one.minimum, one.maximum, float(slope) / per_point,
            one.minimum if slope >= 0 else one.maximum,
        )
        for one, slope in zip(card.predictors, slopes, strict=True)
    )  # fmt: skip
    at_zero = card.coefficients[0] + sum(
        float(slope) * axis.origin for slope, axis in zip(slopes, axes, strict=True)
    )
    total = sum(max(axis.points(axis.low), axis.points(axis.high)) for axis in axes)
    return Nomogram(axes, per_point, float(at_zero), float(total))
