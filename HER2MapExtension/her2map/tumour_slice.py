"""The slice on which a lesion is largest, suggested from one click in it: where a reader draws the ROI.

The lesion is grown from the click in the subtraction image (the 90 s phase less the first). It is a proposal
for the reader's eye and enters no value: nothing is drawn from it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from .errors import InputError
from .geometry import Geometry
from .progress import Progress, no_progress

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

REACH_MM = 60.0
"""From the click; the region is cut there."""
NEIGHBOURHOOD_MM = 4.0
"""Radius about the click in which the lesion's enhancement is told."""
LEVEL_QUANTILE = 0.75
"""Of the neighbourhood: the lesion's enhancement, also where the click lies by its border."""
THRESHOLD = 0.5
"""Of that enhancement: the region's border, where half of a voxel is lesion."""
CERTAINTY = 4.0
"""Robust SDs of the surroundings by which the lesion must stand out from their median."""
OPENING_MM = 3.0
"""What is thinner than twice this within a slice is taken for a vessel or a spicule."""
FINE_MM = 1.5
"""Wider voxels are divided within the slice, the image interpolated linearly between their centres."""


@dataclass(frozen=True, eq=False)
class SliceSuggestion:
    """Where a lesion is largest.

    Attributes:
        slice_index: along the first axis of the image, counted from 0.
        diameter_mm: the longest distance within that slice.
        plane_point: (3,) RAS in mm, the middle of the lesion on that slice.
        extents_mm: (slices,) the longest distance within each slice; 0 where the lesion does not reach.
        mask: (slices, rows, columns), the lesion as it was grown.
        remark: what to look at before the suggestion is trusted; "" where there is nothing.
    """

    slice_index: int
    diameter_mm: float
    plane_point: Array
    extents_mm: Array
    mask: Mask
    remark: str = ""


def suggest_slice(
    enhancement: ArrayLike, geometry: Geometry, seed_ras: ArrayLike, progress: Progress = no_progress
) -> SliceSuggestion:
    """The slice with the lesion's longest in-plane diameter.

    Args:
        enhancement: (slices, rows, columns), such as :func:`~her2map.enhancement.subtraction` gives; NaN is
            taken for no enhancement.
        geometry: its grid.
        seed_ras: (3,) mm, a point in the part of the lesion that enhances.

    Raises:
        InputError: the image does not fit its grid, the point lies outside, or nothing enhances there.
        Cancelled: raised by `progress`.
    """
    image = np.asarray(enhancement, np.float32)
    if image.shape != tuple(geometry.shape):
        raise InputError(f"The image's shape {image.shape} does not fit its grid {tuple(geometry.shape)}.")
    seed = _seed_index(seed_ras, geometry)
    box = _box(seed, geometry)
    values, fine = _finer(image[box], _part(geometry, box))
    distance = _distance_mm(fine, np.asarray(seed_ras, float))
    progress(0.2)
    region = _grown(values, distance, fine)
    progress(0.8)
    extents = np.zeros(len(image))
    extents[box[0]] = [_extent_mm(layer, fine) for layer in region]
    mask = np.zeros(image.shape, bool)
    mask[box] = _coarser(region, mask[box].shape)
    best = _largest(extents, mask, int(seed[0]))
    column, row = np.argwhere(region[best - box[0].start]).mean(axis=0)[::-1]
    progress(1.0)
    return SliceSuggestion(
        slice_index=best,
        diameter_mm=float(extents[best]),
        plane_point=fine.to_ras([column, row, best - box[0].start]),
        extents_mm=extents,
        mask=mask,
        remark=_remark(region, distance, extents, best, geometry),
    )


def _seed_index(seed_ras: ArrayLike, geometry: Geometry) -> NDArray[np.int_]:
    """(3,) slice, row, column of the voxel that holds the seed."""
    point = np.asarray(seed_ras, float)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError("The point in the lesion must be three finite numbers in mm.")
    index = np.rint(geometry.to_index(point)[::-1]).astype(int)
    if (index < 0).any() or (index >= np.array(geometry.shape)).any():
        raise InputError("The point lies outside the DCE images; click in the lesion.")
    return index


def _box(seed: NDArray[np.int_], geometry: Geometry) -> tuple[slice, slice, slice]:
    """What lies within reach of the seed."""
    reach = np.ceil(REACH_MM / geometry.spacing[::-1]).astype(int)
    low, high = np.maximum(seed - reach, 0), np.minimum(seed + reach + 1, geometry.shape)
    first, second, third = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return first, second, third


def _part(geometry: Geometry, box: tuple[slice, slice, slice]) -> Geometry:
    """The grid of the box."""
    first = [part.start for part in box]
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_ras(first[::-1])
    slices, rows, columns = (part.stop - part.start for part in box)
    return Geometry((slices, rows, columns), affine)


def _finer(values: NDArray[np.float32], geometry: Geometry) -> tuple[NDArray[np.float32], Geometry]:
    """The image with its voxels divided into whole parts of at most `FINE_MM` within the slice."""
    parts = np.maximum(np.ceil(geometry.spacing[:2] / FINE_MM - 1e-6), 1).astype(int)  # of column and row
    known = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    divided = ndimage.zoom(known, (1, parts[1], parts[0]), order=1, mode="nearest", grid_mode=True)
    split = np.diag([*1 / parts, 1.0, 1.0])
    split[:2, 3] = (1 / parts - 1) / 2
    slices, rows, columns = divided.shape
    return divided, Geometry((slices, rows, columns), geometry.affine @ split)


def _coarser(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The voxels of which at least half are in a mask of their parts."""
    slices, rows, columns = shape
    parts = mask.reshape(slices, rows, mask.shape[1] // rows, columns, mask.shape[2] // columns)
    return np.asarray(parts.mean(axis=(2, 4)) >= 0.5)


def _distance_mm(geometry: Geometry, seed_ras: Array) -> Array:
    """Of every voxel from the seed."""
    index = np.moveaxis(np.indices(geometry.shape)[::-1], 0, -1)  # column, row, slice
    return np.asarray(np.linalg.norm(geometry.to_ras(index) - seed_ras, axis=-1))


def _grown(values: NDArray[np.float32], distance: Array, geometry: Geometry) -> Mask:
    """The lesion about the seed, within reach of it."""
    near = distance <= max(NEIGHBOURHOOD_MM, float(distance.min()))
    level = float(np.quantile(values[near], LEVEL_QUANTILE))
    around = values[(distance <= REACH_MM) & (values != 0)]  # zeros: cut off by the scanner
    typical = float(np.median(around)) if around.size else 0.0
    scatter = 1.4826 * float(np.median(np.abs(around - typical))) if around.size else 0.0
    if not level > max(typical + CERTAINTY * scatter, 0.0):
        raise InputError(
            "The tissue at the point does not enhance more than what lies around it; click in the bright "
            "part of the lesion."
        )
    bright = (values > THRESHOLD * level) & (distance <= REACH_MM)
    opened = ndimage.binary_opening(bright, _disc(geometry))
    for candidate in (opened, bright):  # what is thin throughout is taken as it is
        labels, _ = ndimage.label(candidate)
        here = np.where((labels > 0) & near, distance, np.inf)
        if np.isfinite(here.min()):
            return np.asarray(labels == labels.flat[int(here.argmin())])
    raise AssertionError("a quarter of the neighbourhood is brighter than the threshold")


def _disc(geometry: Geometry) -> Mask:
    """(1, rows, columns), the structuring element of the opening; at least a voxel and its neighbours."""
    column_mm, row_mm, _ = geometry.spacing
    rows, columns = (max(int(OPENING_MM / mm + 1e-6), 1) for mm in (row_mm, column_mm))
    y, x = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    inside = np.hypot(y * row_mm, x * column_mm) <= OPENING_MM * (1 + 1e-6)
    return np.asarray(inside | (np.abs(x) + np.abs(y) <= 1))[None]


def _extent_mm(layer: Mask, geometry: Geometry) -> float:
    """The longest distance between the borders of a slice's voxels; 0 where there is none."""
    centres = np.argwhere(layer)[:, ::-1].astype(float)  # column, row
    if not len(centres):
        return 0.0
    to_border = 0.5 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    points = (centres[:, None] + to_border).reshape(-1, 2)
    corners = points[ConvexHull(points).vertices]
    return float(pdist(corners @ geometry.affine[:3, :2].T).max())


def _largest(extents: Array, mask: Mask, seed_slice: int) -> int:
    """By diameter, then by area, then nearest to the seed."""
    area = mask.sum(axis=(1, 2))
    away = np.abs(np.arange(len(extents)) - seed_slice)
    return int(np.lexsort((-away, area, np.round(extents, 6)))[-1])


def _remark(region: Mask, distance: Array, extents: Array, best: int, geometry: Geometry) -> str:
    if distance[region].max() > REACH_MM - geometry.spacing.max():
        return f"The region was cut {REACH_MM:g} mm from the point: it may have run into other tissue."
    last = len(extents) - 1
    if last and best in (0, last):
        return "The lesion is largest on the first or last slice of the images: it may reach beyond them."
    return ""
