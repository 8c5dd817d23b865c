"""How far two contours of one tumour coincide: Dice, and the distance between their outlines."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .shape import TILT_TOLERANCE_DEG

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_STEP_MM = 0.25
_FEWEST_STEPS = 64
_TINY = float(np.finfo(float).tiny)
"""In place of a length or volume of nothing; what is divided by it is 0, or not used."""


class Prism(Protocol):
    """What is measured here: a :class:`~her2map.roi.Roi`, or another object with its fields."""

    @property
    def outline(self) -> Array:
        """(n, 3), RAS in mm."""

    @property
    def thickness_mm(self) -> float:
        """Half of it to either side of the outline's plane."""

    @property
    def holes(self) -> Sequence[Array]:
        """(m, 3) each, in the outline's plane."""


@dataclass(frozen=True)
class StoredPrism:
    """A ROI whose contour was checked when it was drawn; :class:`~her2map.roi.Roi` takes ms to do it again.

    Attributes:
        outline: (n, 3), RAS in mm, flat.
        thickness_mm: positive.
        holes: (m, 3) each, in the same plane.
    """

    outline: Array
    thickness_mm: float
    holes: tuple[Array, ...] = ()


@dataclass(frozen=True)
class Overlap:
    """What two ROIs have in common.

    Attributes:
        dice: twice the shared volume over the sum of the volumes, 0 to 1. Exact for the polygons.
        mean_surface_distance_mm: the mean over both outlines (holes' too) of the distance to the other one,
            each mm of outline alike; within the plane, as if both lay on one slice. To 0.01 mm.
        apart_mm: how far one plane lies from the other; 0 on the same slice.
        reason: why there are no figures, in a sentence; "" where there are.
    """

    dice: float = math.nan
    mean_surface_distance_mm: float = math.nan
    apart_mm: float = math.nan
    reason: str = ""


def overlap(first: Prism, second: Prism) -> Overlap:
    """What two ROIs, drawn on parallel planes of one image, have in common.

    Planes that are tilted to each other by more than `TILT_TOLERANCE_DEG`, or a contour that crosses itself,
    give a reason and no figures.
    """
    return overlaps([first, second])[0]


def overlaps(prisms: Sequence[Prism]) -> list[Overlap]:
    """Every two of some ROIs, in the order of `itertools.combinations`; see :func:`overlap`."""
    found: dict[tuple[int, int], Overlap] = {}
    normals = np.array([_normal(prism.outline) for prism in prisms]).reshape(-1, 3)
    left = np.arange(len(prisms))
    while len(left):
        cosines = np.abs(normals[left] @ normals[left[0]])
        parallel = cosines >= math.cos(math.radians(TILT_TOLERANCE_DEG))
        parallel[0] = True  # also where rounding, or a contour without an area, says otherwise
        group, left = left[parallel], left[~parallel]
        pairs = combinations(group.tolist(), 2)
        found |= zip(pairs, _of_parallel([prisms[i] for i in group], normals[group[0]]), strict=True)
    every = combinations(range(len(prisms)), 2)
    return [found[pair] if pair in found else _tilted(*normals[list(pair)]) for pair in every]


def _normal(outline: Array) -> Array:
    """A unit vector to either side; zero for a contour that encloses nothing."""
    points = outline - outline[0]
    area = np.cross(points[:-1], points[1:]).sum(axis=0)
    return np.asarray(area / (np.linalg.norm(area) or 1.0))


def _tilted(normal: Array, other: Array) -> Overlap:
    angle = math.degrees(math.acos(min(1.0, abs(float(normal @ other)))))
    return Overlap(reason=f"The contours' planes are tilted to each other by {angle:.0f}°.")


def _of_parallel(prisms: Sequence[Prism], normal: Array) -> Iterator[Overlap]:
    """Every two of some ROIs with one normal."""
    origin = prisms[0].outline[0]
    across = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    across /= np.linalg.norm(across) or 1.0
    axes = np.stack([across, np.cross(normal, across)], axis=1)
    loops = [[(loop - origin) @ axes for loop in (prism.outline, *prism.holes)] for prism in prisms]
    flat = np.array([shapely.Polygon(outline, holes) for outline, *holes in loops])
    valid = shapely.is_valid(flat)
    height = np.array([(prism.outline.mean(axis=0) - origin) @ normal for prism in prisms])
    thickness = np.array([prism.thickness_mm for prism in prisms])
    area = shapely.area(flat)
    first, second = np.array(list(combinations(range(len(prisms)), 2)), int).reshape(-1, 2).T
    both = valid[first] & valid[second]
    common = np.zeros(len(first))
    common[both] = shapely.area(shapely.intersection(flat[first[both]], flat[second[both]]))
    apart = np.abs(height[first] - height[second])
    reach = (thickness[first] + thickness[second]) / 2 - apart
    shared = np.clip(reach, 0, np.minimum(thickness[first], thickness[second]))
    volume = area * thickness
    dice = 2 * common * shared / np.maximum(volume[first] + volume[second], _TINY)
    distance = _mean_distances(loops)[first, second]
    for one in range(len(first)):
        if both[one]:
            yield Overlap(float(dice[one]), float(distance[one]), float(apart[one]))
        else:
            yield Overlap(reason="One of the contours crosses itself or encloses nothing.")


class _Samples(NamedTuple):
    """Points evenly spaced along the loops of a ROI, an even number on each.

    Attributes:
        points: (n, 2).
        weights: (n,) mm of outline that each stands for.
        before, after: (n,) the neighbours' numbers.
    """

    points: Array
    weights: Array
    before: Indices
    after: Indices


def _mean_distances(shapes: Sequence[Sequence[Array]]) -> Array:
    """(n, n) between every two outlines, from both of them."""
    samples = [_along(loops) for loops in shapes]
    # Every second point will do to measure from: the outline itself needs them all.
    ends = np.cumsum([len(one.weights) // 2 for one in samples])[:-1]
    everywhere = np.concatenate([one.points[::2] for one in samples])
    weights = np.concatenate([2 * one.weights[::2] for one in samples])
    along = [weights * _distance(everywhere, one) for one in samples]
    total = np.array([[part.sum() for part in np.split(distances, ends)] for distances in along])
    length = np.array([one.weights.sum() for one in samples])
    return np.asarray((total + total.T) / np.maximum(length + length[:, None], _TINY))


def _along(loops: Sequence[Array]) -> _Samples:
    parts, first = [], 0
    for loop in loops:
        closed = np.vstack([loop, loop[:1]])
        reached = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
        count = 2 * max(_FEWEST_STEPS // 2, math.ceil(reached[-1] / _STEP_MM / 2))
        at = np.arange(count) / count * reached[-1]
        points = np.stack([np.interp(at, reached, side) for side in closed.T], axis=1)
        number = np.arange(first, first + count)
        weights = np.full(count, reached[-1] / count)
        parts.append(_Samples(points, weights, np.roll(number, 1), np.roll(number, -1)))
        first += count
    return _Samples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _distance(points: Array, samples: _Samples) -> Array:
    """(n,) from the points to the outline: to the two pieces that meet in its nearest sample."""
    _, nearest = cKDTree(samples.points).query(points)
    start = samples.points[nearest]
    found = [
        _to_piece(points - start, samples.points[neighbour[nearest]] - start)
        for neighbour in (samples.before, samples.after)
    ]
    return np.sqrt(np.minimum(*found))


def _to_piece(point: Array, piece: Array) -> Array:
    """(n,) squared, from `point` to the nearest of the piece from the origin to its end."""
    length = np.maximum((piece**2).sum(axis=1), _TINY)
    part = np.clip((point * piece).sum(axis=1) / length, 0.0, 1.0)
    return np.asarray(((point - part[:, None] * piece) ** 2).sum(axis=1))
