"""Cases, or the voxels of one, among a model's predictors: the log odds there and their variance.

The log odds are linear in the predictors x with coefficients b, so their variance is x' V x + b' S b +
tr(V S), with V the coefficients' covariance and S that of the predictors; the last term is small and counted
to S. Differences of T1 enter S to first order.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..biomarkers import MEASURED
from .card import ModelCard

Array = NDArray[np.float64]


class Points(NamedTuple):
    """Arrays with any leading axes (...): none for one case, (n,) for n voxels.

    design: (..., k + 1) 1, then the predictors. slopes: (..., k + 1, 4) their derivatives by the measured
    biomarkers. coefficients: (k + 1,). covariance: (k + 1, k + 1) of the coefficients.
    """

    design: Array
    slopes: Array
    coefficients: Array
    covariance: Array

    @classmethod
    def of(cls, card: ModelCard, values: Mapping[str, ArrayLike], slopes: Mapping[str, Array]) -> "Points":
        """From all predictors' values (...) and derivatives (..., 4), by name; constants are repeated."""
        names = [one.name for one in card.predictors]
        columns = np.broadcast_arrays(1.0, *(np.asarray(values[name], float) for name in names))
        shape = (*columns[0].shape, len(MEASURED))
        of_one = np.zeros(len(MEASURED))
        rows = [np.broadcast_to(one, shape) for one in [of_one, *(slopes[name] for name in names)]]
        return cls(
            np.stack(columns, axis=-1),
            np.stack(rows, axis=-2),
            np.array(card.coefficients),
            np.array(card.covariance),
        )

    @property
    def log_odds(self) -> Array:
        """(...)."""
        return np.asarray(self.design @ self.coefficients)

    @property
    def model_variance(self) -> Array:
        """(...) of the log odds, from the coefficients' covariance."""
        return np.einsum("...i,ij,...j->...", self.design, self.covariance, self.design)

    def variance(self, covariance: Array) -> Array:
        """(...) of the log odds, from errors of the measured biomarkers, (..., 4, 4) in ms²."""
        of_predictors = np.einsum("...im,...mn,...jn->...ij", self.slopes, covariance, self.slopes)
        first_order = np.einsum("i,...ij,j->...", self.coefficients, of_predictors, self.coefficients)
        return np.asarray(first_order + np.sum(self.covariance * of_predictors, axis=(-2, -1)))
