"""How much of every voxel each tissue fills, and the signal that follows.

The tissues are sampled inside the voxels, and their signals - not their relaxation times - are averaged with
the filled fractions as weights. Within one tissue all values are smooth on the scale of a voxel, so their
signal is evaluated at the voxel's centre.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from ..geometry import Geometry
from ..progress import Progress, no_progress
from .anatomy import Anatomy
from .fields import rotate
from .tissues import Tissue

Array = NDArray[np.float64]
_CHUNK_POINTS = 20_000


@dataclass(frozen=True)
class Motion:
    """A rigid motion of the patient in RAS mm: q = rotation (p - centre) + centre + translation."""

    rotation: Array
    translation: Array
    centre: Array

    def undo(self, ras: Array) -> Array:
        """Where the tissue now at `ras` (3, points) came from."""
        moved = ras - (self.centre + self.translation)[:, None]
        return rotate(self.rotation.T, moved) + self.centre[:, None]


AT_REST = Motion(np.eye(3), np.zeros(3), np.zeros(3))


@dataclass(frozen=True)
class Share:
    """One tissue on a grid: flat voxel numbers in which it lies and the fraction of each that it fills."""

    tissue: Tissue
    voxel: NDArray[np.int_]
    fraction: NDArray[np.float32]


def voxel_centres(geometry: Geometry, voxel: NDArray[np.int_]) -> Array:
    """RAS (3, voxels) of flat voxel numbers."""
    index = np.stack(np.unravel_index(voxel, geometry.shape)[::-1]).astype(float)
    return rotate(geometry.affine[:3, :3], index) + geometry.affine[:3, 3:]


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
    mixed = np.empty(n_voxels, bool)
    half_diagonal = float(np.linalg.norm(geometry.spacing)) / 2
    for voxel in _chunks(np.arange(n_voxels)):
        points = motion.undo(voxel_centres(geometry, voxel)).astype(np.float32)
        centre[voxel] = anatomy.tissue_at(points)
        mixed[voxel] = anatomy.tumour.near(points, half_diagonal)
        progress(0.2 * voxel[0] / n_voxels)
    volume = centre.reshape(geometry.shape)
    mixed |= (maximum_filter(volume, 3) != minimum_filter(volume, 3)).ravel()
    offsets = _sample_offsets(anatomy.settings.oversampling, thickness_mm / geometry.spacing[2])
    steps = (motion.rotation.T @ geometry.affine[:3, :3] @ offsets.T).astype(np.float32)
    counts = np.zeros((len(Tissue), n_voxels), np.uint8)
    counts[centre, np.arange(n_voxels)] = offsets.shape[0] * ~mixed
    todo = np.flatnonzero(mixed)
    for voxel in _chunks(todo):
        points = motion.undo(voxel_centres(geometry, voxel)).astype(np.float32)
        for step in steps.T:
            counts[anatomy.tissue_at(points + step[:, None]), voxel] += 1
        progress(0.2 + 0.8 * np.searchsorted(todo, voxel[0]) / todo.size)
    return [
        Share(tissue, voxel, counts[tissue, voxel] / np.float32(offsets.shape[0]))
        for tissue in Tissue
        if tissue is not Tissue.AIR and (voxel := np.flatnonzero(counts[tissue])).size
    ]


def _chunks(voxel: NDArray[np.int_]) -> Iterator[NDArray[np.int_]]:
    """Parts so small that what is computed from them stays in the cache."""
    return (voxel[start : start + _CHUNK_POINTS] for start in range(0, voxel.size, _CHUNK_POINTS))


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
        signal: ``signal(tissue, ras)`` gives (measurements, points) at `ras` (3, points), where the scanner
            sees them.
    """
    image = np.zeros((n_measurements, int(np.prod(geometry.shape))), dtype)
    for share in shares:
        for start in range(0, share.voxel.size, _CHUNK_POINTS):
            part = slice(start, start + _CHUNK_POINTS)
            voxel = share.voxel[part]
            image[:, voxel] += signal(share.tissue, voxel_centres(geometry, voxel)) * share.fraction[part]
    return image
