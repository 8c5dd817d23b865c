"""What every voxel-wise fit returns."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Status(IntEnum):
    """What became of a voxel. Only `FITTED` voxels enter an ROI value."""

    NOT_ASKED = 0
    """Outside the mask, or a measurement is not a number."""
    FITTED = 1
    LOW_SIGNAL = 2
    """Too little signal for a fit to mean anything."""
    NOT_CONVERGED = 3
    OUT_OF_RANGE = 4
    """The best fit lies outside the range in which the measurements determine the parameter."""
    EXCLUDED_BY_SNR = 5


@dataclass(frozen=True, eq=False)
class ParameterMap:
    """A fitted parameter with its quality, one entry a voxel; all arrays have the same shape.

    Attributes:
        value: the parameter in `unit`; NaN where there is no estimate. An estimate that is out of range
            or excluded by SNR keeps its number: `status` says that it is not to be used.
        standard_error: of `value`, same unit, from the residuals (or from the noise where the fit knows it).
        r_squared: 1 - residual over total sum of squares.
        status: :class:`Status`, uint8.
        m0: the fitted signal amplitude.
        quantity: "T1", "T2", "T2star" or "B1".
        unit: "ms", or "1" for a relative map.
        method: the signal model and the solver, in words.
        notes: what a reader of the map must know, e.g. that no B1 correction was made.
    """

    value: NDArray[np.floating[Any]]
    standard_error: NDArray[np.floating[Any]]
    r_squared: NDArray[np.floating[Any]]
    status: NDArray[np.uint8]
    m0: NDArray[np.floating[Any]]
    quantity: str
    unit: str
    method: str
    notes: tuple[str, ...] = ()

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Where the value may be used."""
        return self.status == Status.FITTED

    def fraction(self, status: Status) -> float:
        """The share of the voxels asked for that have `status`."""
        asked = int(np.count_nonzero(self.status != Status.NOT_ASKED))
        return float(np.count_nonzero(self.status == status)) / asked if asked else 0.0
