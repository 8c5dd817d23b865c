"""Where voxels lie in the patient: the one place in which index, RAS and LPS coordinates meet.

Arrays are indexed ``[slice, row, column]``; an affine takes ``(column, row, slice, 1)`` to patient
coordinates in mm, RAS as in NIfTI and Slicer's IJK-to-RAS matrix. DICOM and SimpleITK use LPS.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Swaps RAS and LPS; it is its own inverse, so it serves both ways."""


def swap_ras_lps(points: ArrayLike) -> NDArray[np.float64]:
    """`points` (..., 3) in mm, from RAS to LPS or back."""
    return np.asarray(points, float) * np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Geometry:
    """A voxel grid in the patient.

    Attributes:
        shape: slices, rows, columns.
        affine: (4, 4), index (column, row, slice) to RAS in mm; voxel centres at whole indices.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance in mm between voxel centres along column index, row index and slice index."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_volume(self) -> float:
        """In mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_ras(self, index: ArrayLike) -> NDArray[np.float64]:
        """RAS coordinates in mm of `index` (..., 3), each column, row, slice."""
        return np.asarray(index, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, ras: ArrayLike) -> NDArray[np.float64]:
        """Fractional index (column, row, slice) of `ras` (..., 3) in mm."""
        return (np.asarray(ras, float) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T

    def matches(self, other: "Geometry", tolerance_mm: float = 0.01) -> bool:
        """Whether both grids have the same shape and no corner further apart than `tolerance_mm`."""
        if self.shape != other.shape:
            return False
        last = np.array(self.shape[::-1]) - 1
        corners = np.array(np.meshgrid(*[(0, n) for n in last])).reshape(3, -1).T
        return bool(np.abs(self.to_ras(corners) - other.to_ras(corners)).max() <= tolerance_mm)
