"""Two images compared under a rigid motion: where they overlap, and how much one tells about the other.

Prepares the images of a registration and judges its results.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..geometry import Geometry
from .resampling import array_coordinates, filled, inside

Array = NDArray[np.float64]

BINS = 32
"""Intensity bins of a histogram."""
POINTS = 200_000
"""Voxels compared, at most."""
CERTAINTY = 3.0
"""Standard errors by which a motion must improve on none."""


class ComparedImage:
    """An image ready for comparison: holes filled, the brightest voxels capped, the body marked."""

    def __init__(self, values: NDArray[np.floating[Any]], geometry: Geometry) -> None:
        self.geometry = geometry
        self.known = np.isfinite(values)
        whole = filled(np.asarray(values, np.float32), ~self.known)
        # A few bright voxels (vessels, fluid) would leave the tissues a handful of histogram bins.
        self.values = np.clip(whole, None, np.percentile(whole, 99.8))
        smooth = self.smooth(3.0)
        self.body = self.known & (smooth > smooth.min() + 0.1 * np.ptp(smooth))
        mass = np.where(self.body, smooth, 0.0)
        index = ndimage.center_of_mass(mass) if mass.sum() > 0 else (np.array(mass.shape) - 1) / 2
        self.centre = geometry.to_ras(np.array(index)[::-1])

    def smooth(self, sigma_mm: float) -> NDArray[np.float32]:
        """The values smoothed by a Gaussian, but not along an axis with wider voxels.

        Smoothing thick slices would mix what lies beyond the first and last one into them, differently
        in each image, and pull the motion found along the slices.
        """
        sigmas = sigma_mm / self.geometry.spacing[::-1]
        return ndimage.gaussian_filter(self.values, np.where(sigmas < 0.95, 0.0, sigmas))

    def detail(self) -> NDArray[np.float32]:
        """The values less their local mean, over their local SD (Gaussian, three pixels wide).

        Where tissues mix within voxels, a change of contrast shifts the optimum of mutual information by
        tenths of a pixel. Brought to the same local scale, an edge looks the same in both images.
        """
        sigmas = 3.0 * max(self.geometry.spacing[:2]) / self.geometry.spacing[::-1]
        difference = self.values - ndimage.gaussian_filter(self.values, sigmas)
        local_sd = np.sqrt(ndimage.gaussian_filter(np.square(difference), sigmas))
        return difference / (local_sd + max(0.05 * float(self.values.std()), 1e-30))

    @cached_property
    def near_body(self) -> NDArray[np.bool_]:
        """The body and 6 mm about it, whose edge tells as much as the inside."""
        distance = ndimage.distance_transform_edt(~self.body, sampling=self.geometry.spacing[::-1])
        return self.known & (distance <= 6.0)

    @property
    def featureless(self) -> bool:
        return not self.known.any() or float(np.ptp(self.values)) == 0.0


@dataclass(frozen=True, eq=False)
class Score:
    """Information per block of voxels; its mean is over all voxels."""

    sums: Array
    voxels: int

    def __sub__(self, other: "Score") -> "Score":
        return Score(self.sums - other.sums, self.voxels)

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.voxels)

    @property
    def certain(self) -> bool:
        """Whether the mean lies above zero by `CERTAINTY` standard errors, blocks being independent."""
        error = np.std(self.sums) * np.sqrt(len(self.sums)) / self.voxels
        return bool(self.mean > CERTAINTY * error)


class Comparison:
    """Held-out mutual information of two images under given motions, on the same voxels for all."""

    BLOCK = 8
    """Voxels along the rows and columns of a block; smoothing makes neighbours depend on each other."""

    def __init__(self, fixed: ComparedImage, moving: ComparedImage) -> None:
        pixel = float(max(*fixed.geometry.spacing[:2], *moving.geometry.spacing[:2]))
        self._moving_geometry, self._fixed_geometry = moving.geometry, fixed.geometry
        body = fixed.near_body
        step = int(np.ceil(np.sqrt(body.sum() / POINTS)))
        chosen = np.zeros(body.shape, bool)
        chosen[:, ::step, ::step] = body[:, ::step, ::step]
        self._voxels = np.array(np.nonzero(chosen))
        # Smoothed first, so that interpolation does not reward a shift by suppressing noise.
        self._fixed_bins = _binned(_in_all_directions(fixed, pixel)[tuple(self._voxels)])
        self._moving = ndimage.spline_filter(_in_all_directions(moving, pixel), 3, mode="mirror")
        self._unknown = ~moving.known

    def displacement_mm(self, matrix: Array) -> float:
        """How far `matrix` moves the voxels compared, root mean square."""
        points = self._fixed_geometry.to_ras(self._voxels[::-1].T)
        moved = points @ matrix[:3, :3].T + matrix[:3, 3] - points
        return float(np.sqrt((moved**2).sum(axis=1).mean()))

    def _coordinates(self, matrix: Array) -> Array:
        return array_coordinates(self._moving_geometry, matrix, self._fixed_geometry, self._voxels)

    def _seen(self, matrix: Array) -> NDArray[np.bool_]:
        coordinates = self._coordinates(matrix)
        seen = inside(coordinates, self._moving.shape)
        nearest = np.clip(np.rint(coordinates), 0, np.array(self._moving.shape)[:, None] - 1).astype(int)
        return seen & ~self._unknown[tuple(nearest)]

    def overlap(self, matrix: Array) -> float:
        """The part of the fixed body that the moving image shows."""
        return float(self._seen(matrix).mean())

    def scores(self, matrices: list[Array]) -> list[Score]:
        seen = np.logical_and.reduce([self._seen(matrix) for matrix in matrices])
        blocks = self._voxels[:, seen] // np.array([[1], [self.BLOCK], [self.BLOCK]])
        half = blocks.sum(axis=0) % 2
        number = np.unique(blocks, axis=1, return_inverse=True)[1].ravel()
        result = []
        for matrix in matrices:
            values = ndimage.map_coordinates(
                self._moving, self._coordinates(matrix)[:, seen], order=3, mode="mirror", prefilter=False
            )
            information = _held_out_information(self._fixed_bins[seen], _binned(values), half)
            result.append(Score(np.bincount(number, weights=information).astype(float), len(information)))
        return result


def _in_all_directions(image: ComparedImage, sigma_mm: float) -> NDArray[np.float32]:
    """Smoothed in the plane by `sigma_mm` at least, and by one slice along the slices."""
    smooth = image.smooth(sigma_mm)
    return ndimage.gaussian_filter1d(smooth, 1.0, axis=0, mode="nearest") if len(smooth) > 1 else smooth


def _binned(values: NDArray[Any]) -> NDArray[np.int_]:
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0.0, 1.0)
    return np.clip((values - low) / max(high - low, 1e-30) * BINS, 0, BINS - 1).astype(int)


def _held_out_information(first: NDArray[np.int_], second: NDArray[np.int_], half: NDArray[np.int_]) -> Array:
    """log p(a, b) / (p(a) p(b)) of every voxel, p from the joint histogram of the other half's voxels."""
    joint_bin = first * BINS + second
    information = np.empty(len(joint_bin))
    for part in (0, 1):
        counts = np.bincount(joint_bin[half != part], minlength=BINS**2).reshape(BINS, BINS) + 0.1
        joint = counts / counts.sum()
        ratio = np.log(joint / (joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)))
        information[half == part] = ratio.ravel()[joint_bin[half == part]]
    return information
