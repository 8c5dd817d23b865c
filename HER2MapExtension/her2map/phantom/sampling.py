"""How much of every voxel each tissue fills, and the signal that follows.

The tissues are sampled inside the voxels, and their signals - not their relaxation times - are averaged with
the filled fractions as weights. Within one tissue all values are smooth on the scale of a voxel, so their
signal is evaluated at the voxel's centre.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from ..geometry import Geometry
from ..progress import Progress, no_progress
from .anatomy import Anatomy
from .tissues import Tissue

Array = NDArray[np.float64]
_CHUNK_POINTS = 400_000


@dataclass(frozen=True)
class Motion:
    """A rigid motion of the patient in RAS mm: q = rotation (p - centre) + centre + translation."""

    rotation: Array
    translation: Array
    centre: Array

    def apply(self, ras: Array) -> Array:
        """Where the tissue from `ras` (points, 3) has moved to."""
        return (ras - self.centre) @ self.rotation.T + self.centre + self.translation

    def undo(self, ras: Array) -> Array:
        """Where the tissue now at `ras` (points, 3) came from."""
        return (ras - self.centre - self.translation) @ self.rotation + self.centre


AT_REST = Motion(np.eye(3), np.zeros(3), np.zeros(3))


@dataclass(frozen=True)
class Share:
    """One tissue on a grid: flat voxel numbers in which it lies and the fraction of each that it fills."""

    tissue: Tissue
    voxel: NDArray[np.int_]
    fraction: Array


def voxel_centres(geometry: Geometry, voxel: NDArray[np.int_]) -> Array:
    """RAS (voxels, 3) of flat voxel numbers."""
    index = np.stack(np.unravel_index(voxel, geometry.shape)[::-1], axis=1)
    return geometry.to_ras(index)


def tissue_shares(
    anatomy: Anatomy,
    geometry: Geometry,
    thickness_mm: float,
    motion: Motion = AT_REST,
    progress: Progress = no_progress,
) -> list[Share]:
    """The tissues, air left out, of every voxel of `geometry` while the patient is displaced by `motion`.

    A voxel is sampled inside where its neighbours hold another tissue, or the tumour is near; elsewhere its
    centre speaks for it. `thickness_mm` is that of the slice, which may be less than the slices' distance.
    """
    n_voxels = int(np.prod(geometry.shape))
    centre = np.empty(n_voxels, np.uint8)
    near_tumour = np.empty(n_voxels, bool)
    reach = anatomy.tumour.reach_mm + float(np.linalg.norm(geometry.spacing)) / 2
    for start in range(0, n_voxels, _CHUNK_POINTS):
        voxel = np.arange(start, min(start + _CHUNK_POINTS, n_voxels))
        tissue_points = motion.undo(voxel_centres(geometry, voxel))
        centre[voxel] = anatomy.tissue_at(tissue_points)
        near_tumour[voxel] = np.linalg.norm(tissue_points - anatomy.tumour.centre, axis=1) < reach
        progress(0.4 * start / n_voxels)
    volume = centre.reshape(geometry.shape)
    mixed = (maximum_filter(volume, 3) != minimum_filter(volume, 3)).ravel() | near_tumour
    counts = np.zeros((len(Tissue), n_voxels), np.uint8)
    offsets = _sample_offsets(anatomy.settings.oversampling, thickness_mm / geometry.spacing[2])
    steps = offsets @ geometry.affine[:3, :3].T
    todo = np.flatnonzero(mixed)
    for start in range(0, todo.size, _CHUNK_POINTS // len(steps)):
        voxel = todo[start : start + _CHUNK_POINTS // len(steps)]
        points = (voxel_centres(geometry, voxel)[:, None] + steps).reshape(-1, 3)
        found = anatomy.tissue_at(motion.undo(points)).reshape(voxel.size, -1)
        for tissue in Tissue:
            counts[tissue, voxel] = (found == tissue).sum(axis=1)
        progress(0.4 + 0.6 * start / todo.size)
    pure = np.flatnonzero(~mixed)
    counts[centre[pure], pure] = len(steps)
    return [
        Share(tissue, voxel, counts[tissue, voxel] / len(steps))
        for tissue in Tissue
        if tissue is not Tissue.AIR and (voxel := np.flatnonzero(counts[tissue])).size
    ]


def _sample_offsets(oversampling: tuple[int, int, int], thickness_ratio: float) -> Array:
    axes = [(np.arange(n) + 0.5) / n - 0.5 for n in oversampling]
    axes[2] = axes[2] * thickness_ratio
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def weighted_signal(
    shares: list[Share],
    geometry: Geometry,
    signal: Callable[[Tissue, Array], NDArray[Any]],
    n_measurements: int,
    dtype: type[np.floating[Any]] | type[np.complexfloating[Any, Any]],
) -> NDArray[Any]:
    """Mean signal of every voxel, (measurements, voxels).

    Args:
        signal: ``signal(tissue, ras)`` gives (measurements, points) at `ras` (points, 3), where the scanner
            sees them.
    """
    image = np.zeros((n_measurements, int(np.prod(geometry.shape))), dtype)
    for share in shares:
        for start in range(0, share.voxel.size, _CHUNK_POINTS):
            part = slice(start, start + _CHUNK_POINTS)
            voxel = share.voxel[part]
            image[:, voxel] += signal(share.tissue, voxel_centres(geometry, voxel)) * share.fraction[part]
    return image
