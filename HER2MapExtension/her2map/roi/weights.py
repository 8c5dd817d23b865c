"""How much of each voxel a ROI, or a volume of several, fills, in closed form.

A ROI is a prism with flat faces. Along one grid axis (here z, the one along which it spans the fewest
voxels) the part of a column below a level is a sum over the faces of max(level - z_face, 0), added where
the column enters the prism and subtracted where it leaves. Over a pixel (x, y) this is the integral of a
linear function over the part of the face below the level; Green's theorem turns it into integrals along the
edges, which are cut at the pixel borders and summed. Differences between levels are the voxels. Nothing is
sampled: the result is exact but for rounding, whatever the angle between ROI and grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry
from .shape import Roi
from .volume import Region

Array = NDArray[np.float64]
Box = tuple[slice, slice, slice]

_STEEPEST = 1e7
"""Faces steeper than this (voxels along z per voxel across) are taken as parallel to z.

They then contribute nothing; the weights change by less than 1e-6, the rounding error of keeping them.
"""
_FLATTEST = 1e-10
"""Faces flatter than this lie parallel to the voxel borders: what slope they have is rounding."""
_NOTHING = 1e-9
"""Fractions of a voxel below this are rounding errors."""


@dataclass(frozen=True, eq=False)
class RoiWeights:
    """The filled fraction of every voxel in the smallest box of a grid that holds the ROI.

    Attributes:
        box: slices, rows and columns of the box, to index the map's array with; empty where the ROI misses
            the grid.
        fraction: (slices, rows, columns) of the box, 0 to 1.
        inside: the part of the ROI's volume that lies inside the grid, 0 to 1.
    """

    box: Box
    fraction: Array
    inside: float


class _Edges(NamedTuple):
    """Edges of faces; a face is the plane z = height + slope . (x, y)."""

    start: Array
    """(n, 3) x, y, z."""
    end: Array
    slope: Array
    """(n, 2)."""
    height: Array
    lowest: Array
    """(n,) the smallest z of the edge's face."""


def roi_weights(geometry: Geometry, roi: Region) -> RoiWeights:
    """The fraction of each voxel's volume that lies inside `roi`: a ROI, or the union of a volume's prisms.

    A voxel reaches half-way to its neighbours in all three directions: slices with gaps between them are
    taken to fill the gaps, and a single slice is as thick as the affine says.

    Args:
        geometry: the grid.
        roi: in the same patient frame.

    Returns:
        The fractions, exact but for rounding: below 1e-9 where ROI and grid are parallel or tilted by more
        than some degrees, below 1e-6 for the almost upright faces of smaller tilts.
    """
    box, fraction = _together([_prism_weights(geometry, prism) for prism in roi.prisms])
    inside = fraction.sum() * geometry.voxel_volume / roi.volume_mm3
    return RoiWeights(box, fraction, min(float(inside), 1.0))


def _together(parts: Sequence[tuple[Box, Array]]) -> tuple[Box, Array]:
    """Disjoint prisms in the smallest box that holds them all; a voxel may lie partly in two of them."""
    found = [part for part in parts if part[1].size]
    if len(found) < 2:
        return found[0] if found else parts[0]
    low = np.min([[axis.start for axis in box] for box, _ in found], axis=0)
    high = np.max([[axis.stop for axis in box] for box, _ in found], axis=0)
    total = np.zeros(high - low)
    for box, fraction in found:
        here = tuple(slice(a.start - n, a.stop - n) for a, n in zip(box, low, strict=True))
        total[here] += fraction
    whole = [slice(int(a), int(b)) for a, b in zip(low, high, strict=True)]
    return (whole[0], whole[1], whole[2]), np.minimum(total, 1.0)


def _prism_weights(geometry: Geometry, roi: Roi) -> tuple[Box, Array]:
    # Voxel i reaches from i to i + 1 in these coordinates (column, row, slice).
    loops = [geometry.to_index(loop) + 0.5 for loop in (roi.outline, *roi.holes)]
    tip, origin = geometry.to_index(np.stack([roi.normal * roi.thickness_mm, np.zeros(3)]))
    extrusion = tip - origin
    lower = loops[0].min(axis=0) - np.abs(extrusion) / 2
    upper = loops[0].max(axis=0) + np.abs(extrusion) / 2
    shape = np.array(geometry.shape[::-1])
    first = np.clip(np.floor(lower), 0, shape).astype(int)
    last = np.clip(np.ceil(upper), first, shape).astype(int)
    size = last - first

    z = int(np.argmin(upper - lower))
    order = [axis for axis in (0, 1, 2) if axis != z] + [z]
    fraction = np.zeros(size[::-1])
    if size.all():
        edges = _prism_edges([(loop - first)[:, order] for loop in loops], extrusion[order])
        volumes = _voxel_volumes(edges, size[order])
        # From axes (z, y, x) to (slice, row, column).
        fraction = np.transpose(volumes, [order[::-1].index(axis) for axis in (2, 1, 0)])
    row_box = [slice(int(a), int(b)) for a, b in zip(first[::-1], last[::-1], strict=True)]
    return (row_box[0], row_box[1], row_box[2]), fraction


def _prism_edges(loops: list[Array], extrusion: Array) -> _Edges:
    """The edges of the prism's faces, each face with the same sense of rotation seen from outside."""
    faces: list[tuple[Array, Array]] = []  # vertices (faces, corners, 3) and normals (faces, 3)
    outline = loops[0] - loops[0].mean(axis=0)
    plane_normal = np.cross(outline, np.roll(outline, -1, axis=0)).sum(axis=0)
    for loop in loops:
        bottom, top = loop - extrusion / 2, loop + extrusion / 2
        faces.append((np.stack([bottom, top[::-1]]), np.stack([plane_normal] * 2)))
        next_bottom, next_top = np.roll(bottom, -1, axis=0), np.roll(top, -1, axis=0)
        sides = np.stack([next_bottom, bottom, top, next_top], axis=1)
        faces.append((sides, np.cross(next_bottom - bottom, extrusion)))
    return _Edges(*map(np.concatenate, zip(*(_face_edges(*group) for group in faces), strict=True)))


def _face_edges(corners: Array, normals: Array) -> _Edges:
    """The edges of flat faces, without the faces that stand upright."""
    flat = np.abs(normals[:, 2]) * _STEEPEST > np.abs(normals[:, :2]).max(axis=1)
    corners, normals = corners[flat], normals[flat]
    slope = -normals[:, :2] / normals[:, 2:]
    slope[np.abs(slope).max(axis=1) < _FLATTEST] = 0.0
    height = corners[:, 0, 2] - (slope * corners[:, 0, :2]).sum(axis=1)
    n = corners.shape[1]
    return _Edges(
        corners.reshape(-1, 3),
        np.roll(corners, -1, axis=1).reshape(-1, 3),
        np.repeat(slope, n, axis=0),
        np.repeat(height, n),
        np.repeat(corners[:, :, 2].min(axis=1), n),
    )


def _voxel_volumes(edges: _Edges, size: NDArray[np.int_]) -> Array:
    """The filled part of each voxel of a box; `size` is its x, y, z, the result (z, y, x)."""
    width, rows, slices = (int(n) for n in size)
    start, end, edge, level = _below_levels(edges, slices + 1)
    for axis in (1, 0):
        start, end, parent = _cut_at_whole_numbers(start, end, axis)
        edge, level = edge[parent], level[parent]

    # Each piece now lies in one pixel. What lies left of the box still counts for the columns to its right.
    column, row = np.floor((start + end) / 2).astype(int).T
    rise = end[:, 1] - start[:, 1]
    kept = (row >= 0) & (row < rows) & (column < width) & (rise != 0)
    start, end, edge, level, column, row, rise = (
        a[kept] for a in (start, end, edge, level, column, row, rise)
    )
    column = np.maximum(column, -1)

    # max(level - z, 0) on the face below the level is constant + a x + b y.
    constant = level - edges.height[edge]
    a, b = -edges.slope[edge].T
    middle = (start + end) / 2
    own = np.zeros(len(rise))
    for side in (-1, 1):  # two Gauss points: exact, the integrand is quadratic along the piece
        x, y = (middle + side / np.sqrt(12) * (end - start)).T
        own += rise / 2 * (column + 1 - x) * (constant + b * y + a * (x + column + 1) / 2)

    bins = (level * rows + row) * (width + 1) + column + 1
    shape = (slices + 1, rows, width + 1)

    def summed(values: Array) -> Array:
        counts = np.bincount(bins, values, minlength=shape[0] * rows * shape[2])
        return np.asarray(counts, float).reshape(shape)

    # Pixels to the right of a piece take the function at their own middle.
    right_constant = np.cumsum(summed(rise * (constant + b * middle[:, 1])), axis=2)[:, :, :-1]
    right_slope = np.cumsum(summed(rise * a), axis=2)[:, :, :-1]
    below = summed(own)[:, :, 1:] + right_constant + right_slope * (np.arange(width) + 0.5)
    volumes: Array = np.minimum(
        np.abs(np.diff(below, axis=0)), 1.0
    )  # the sign is only the outline's direction
    volumes[volumes < _NOTHING] = 0.0
    return volumes


def _below_levels(edges: _Edges, levels: int) -> tuple[Array, Array, NDArray[np.int_], NDArray[np.int_]]:
    """The outlines (x, y) of the parts of the faces below z = 0, 1, ... `levels` - 1.

    Whatever lies above a level is moved down its face onto the level, where it encloses nothing.

    Returns:
        start and end (n, 2), the index of the edge and the level of each piece.
    """
    edge, level = np.nonzero(edges.lowest[:, None] < np.arange(levels))
    start, end, slope = edges.start[edge], edges.end[edge], edges.slope[edge]
    above_start, above_end = start[:, 2] - level, end[:, 2] - level
    crosses = above_start * above_end < 0
    squared = (slope**2).sum(axis=1, keepdims=True)
    downhill = np.divide(slope, squared, out=np.zeros_like(slope), where=squared > 0)
    low_start = start[:, :2] - np.maximum(above_start, 0)[:, None] * downhill
    low_end = end[:, :2] - np.maximum(above_end, 0)[:, None] * downhill
    part = np.divide(above_start, above_start - above_end, out=np.ones(len(edge)), where=crosses)[:, None]
    crossing = np.where(crosses[:, None], start[:, :2] + part * (end - start)[:, :2], low_end)
    return (
        np.concatenate([low_start, crossing[crosses]]),
        np.concatenate([crossing, low_end[crosses]]),
        np.concatenate([edge, edge[crosses]]),
        np.concatenate([level, level[crosses]]),
    )


def _cut_at_whole_numbers(start: Array, end: Array, axis: int) -> tuple[Array, Array, NDArray[np.int_]]:
    """Segments cut wherever coordinate `axis` is a whole number; also which segment each piece is of."""
    s, e = start[:, axis], end[:, axis]
    low, high = np.floor(np.minimum(s, e)) + 1, np.ceil(np.maximum(s, e)) - 1
    pieces = np.maximum(high - low + 1, 0).astype(int) + 1
    parent = np.repeat(np.arange(len(s)), pieces)
    after = np.cumsum(pieces)
    step = np.arange(len(parent)) - (after - pieces)[parent]
    inner = np.flatnonzero(step)
    of, nth = parent[inner], step[inner] - 1
    line = np.where(e[of] > s[of], low[of] + nth, high[of] - nth)
    starts = start[parent]
    starts[inner] += ((line - s[of]) / (e[of] - s[of]))[:, None] * (end - start)[of]
    ends = np.empty_like(starts)
    ends[:-1] = starts[1:]
    ends[after - 1] = end
    return starts, ends, parent
