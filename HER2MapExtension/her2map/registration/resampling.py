"""Images on other grids, moved."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ..geometry import Geometry

Array = NDArray[np.float64]

_ROUNDING = 1e-6
"""A neighbour with less part in a value is there by the rounding of coordinates alone."""


def resample(
    image: ArrayLike, geometry: Geometry, onto: Geometry, matrix: ArrayLike
) -> NDArray[np.floating[Any]]:
    """`image` on the grid `onto`, by cubic B-splines.

    Args:
        image: (slices, rows, columns) on the grid `geometry`.
        matrix: (4, 4), RAS: a point of `onto` is taken to the point of `image` that is shown there.

    Returns:
        Shape ``onto.shape``; NaN outside the outer voxels' edges and where a neighbour is NaN.
    """
    source = np.asarray(image)
    missing = ~np.isfinite(source)
    voxels = np.indices(onto.shape).reshape(3, -1)
    coordinates = array_coordinates(geometry, np.asarray(matrix, float), onto, voxels)
    values = ndimage.map_coordinates(filled(source, missing), coordinates, order=3, mode="mirror")
    lost = ~inside(coordinates, source.shape)
    if missing.any():
        lost |= ndimage.map_coordinates(missing.astype(np.float32), coordinates, order=1, mode="nearest") > 0
    values[lost] = np.nan
    return values.reshape(onto.shape)


def filled(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Missing voxels take their nearest neighbour's value, so that no false edge arises."""
    if not missing.any():
        return values
    if missing.all():
        return np.zeros_like(values)
    nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    return values[tuple(nearest)]


def array_coordinates(geometry: Geometry, matrix: Array, onto: Geometry, voxels: NDArray[np.int_]) -> Array:
    """Where `voxels` (3, n; slice, row, column) of `onto` lie, in the voxels of `geometry`.

    `matrix` (4, 4) takes RAS points of `onto` to RAS points of `geometry`.
    """
    to_index = np.linalg.inv(geometry.affine) @ matrix @ onto.affine
    return to_index[2::-1, 2::-1] @ voxels + to_index[2::-1, 3:]


def inside(coordinates: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which `coordinates` (3, n) lie within the outer edges of an array's voxels."""
    size = np.array(shape)[:, None]
    within = (coordinates >= -0.5 - 1e-6) & (coordinates <= size - 0.5 + 1e-6)
    return np.logical_and.reduce(within)


def interpolate_linearly(
    values: ArrayLike, variances: ArrayLike, usable: NDArray[np.bool_], coordinates: Array
) -> tuple[Array, Array]:
    """Values between voxels, and the variances that these have where the voxels' errors are independent.

    Args:
        values, variances, usable: (slices, rows, columns).
        coordinates: (3, n) as of :func:`array_coordinates`; up to half a voxel beyond the outer voxels'
            centres these are taken.

    Returns:
        (n,) the values sum(a x) and variances sum(a² v), with a the eight neighbours' parts; NaN outside the
        outer voxels' edges and where a neighbour with a part in it is not usable.
    """
    x, v = np.asarray(values), np.asarray(variances)
    limit = np.array(x.shape)[:, None] - 1
    within = np.clip(coordinates, 0, limit)
    first = np.minimum(np.floor(within).astype(int), np.maximum(limit - 1, 0))
    beyond = within - first
    value, variance = np.zeros((2, coordinates.shape[1]))
    lost = ~inside(coordinates, x.shape)
    for corner in np.ndindex(2, 2, 2):
        step = np.array(corner)[:, None]
        part = np.prod(np.where(step, beyond, 1 - beyond), axis=0)
        at = tuple(np.minimum(first + step, limit))
        counts = part > _ROUNDING
        lost |= counts & ~usable[at]
        value += np.where(counts, part * x[at], 0.0)
        variance += np.where(counts, part**2 * v[at], 0.0)
    value[lost] = variance[lost] = np.nan
    return value, variance
