"""The region of interest: a flat contour in the patient, as thick as the slice it was drawn on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist

from ..errors import InputError
from . import polygon

Array = NDArray[np.float64]

PLANARITY_TOLERANCE_MM = 0.05
"""How far a vertex may lie from the contour's plane; it is then moved onto the plane."""
TILT_TOLERANCE_DEG = 1.0
"""Planes that are less tilted to each other count as parallel; rounding tilts a small contour that much."""
_CIRCLE_SIDES = 128


@dataclass(frozen=True, eq=False)
class Roi:
    """A prism: a closed planar polygon, extruded by half the slice thickness to either side.

    Vertices that repeat their predecessor (also the last the first) are dropped, and all are moved onto the
    best plane through the outline.

    Attributes:
        outline: (n, 3), RAS in mm, either sense of rotation.
        thickness_mm: of the slice on which the contour was drawn.
        holes: polygons (m, 3) in the same plane, inside the outline; what they enclose is left out. They are
            kept running against the outline.

    Raises:
        InputError: fewer than three points, numbers that are not finite, a contour that is not flat, encloses
            nothing or meets itself, a hole that is not inside the outline or meets another hole, or a
            thickness that is not positive.
    """

    outline: Array
    thickness_mm: float
    holes: tuple[Array, ...] = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.thickness_mm) and self.thickness_mm > 0):
            raise InputError(f"The ROI's thickness must be a positive number of mm, not {self.thickness_mm}.")
        outline = _distinct_points(self.outline, "contour")
        holes = [_distinct_points(hole, f"hole {i}") for i, hole in enumerate(self.holes, 1)]
        origin, axes = _plane_of(outline)
        flat = [_in_plane(loop, origin, axes) for loop in (outline, *holes)]
        _check_loop(flat[0], "contour")
        for i, hole in enumerate(flat[1:], 1):
            _check_hole(hole, i, flat[0], flat[1:i])
        sense = polygon.signed_area(flat[0])
        flat[1:] = [hole if polygon.signed_area(hole) * sense < 0 else hole[::-1] for hole in flat[1:]]
        back = [origin + loop @ axes[:2] for loop in flat]
        object.__setattr__(self, "thickness_mm", float(self.thickness_mm))
        object.__setattr__(self, "outline", back[0])
        object.__setattr__(self, "holes", tuple(back[1:]))

    @classmethod
    def circle(cls, centre: ArrayLike, normal: ArrayLike, radius_mm: float, thickness_mm: float) -> "Roi":
        """A polygon with 128 sides whose area is the circle's; `centre` and `normal` in RAS."""
        if not (np.isfinite(radius_mm) and radius_mm > 0):
            raise InputError(f"The circle's radius must be a positive number of mm, not {radius_mm}.")
        across, along = _axes_across(_unit(normal, "circle's normal"))
        step = 2 * np.pi / _CIRCLE_SIDES
        angle = step * np.arange(_CIRCLE_SIDES)[:, None]
        radius = radius_mm * np.sqrt(step / np.sin(step))
        centre = np.asarray(centre, float)
        return cls(centre + radius * (np.cos(angle) * across + np.sin(angle) * along), thickness_mm)

    @classmethod
    def rectangle(
        cls,
        centre: ArrayLike,
        width_direction: ArrayLike,
        height_direction: ArrayLike,
        width_mm: float,
        height_mm: float,
        thickness_mm: float,
    ) -> "Roi":
        """A rectangle with its sides along two perpendicular directions in RAS."""
        across = _unit(width_direction, "rectangle's width direction")
        along = _unit(height_direction, "rectangle's height direction")
        if abs(across @ along) > 1e-4:
            raise InputError("The rectangle's two directions must be perpendicular.")
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width_mm / 2, height_mm / 2]
        return cls(np.asarray(centre, float) + corners @ np.stack([across, along]), thickness_mm)

    @cached_property
    def normal(self) -> Array:
        """(3,) unit vector; the outline runs counter-clockwise seen from its tip."""
        outline = self.outline - self.outline[0]
        area = np.cross(outline, np.roll(outline, -1, axis=0)).sum(axis=0)
        return np.asarray(area / np.linalg.norm(area))

    @cached_property
    def area_mm2(self) -> float:
        """Without the holes."""
        return float(np.sum(self._loop_areas))

    @property
    def prisms(self) -> "tuple[Roi, ...]":
        """Itself: a volume of several contours has several."""
        return (self,)

    @property
    def volume_mm3(self) -> float:
        """Of the prism."""
        return self.area_mm2 * self.thickness_mm

    @cached_property
    def centroid(self) -> Array:
        """(3,) RAS in mm, the centre of mass, holes left out."""
        loops = zip(self._loop_areas, self._loops_in_plane, strict=True)
        flat = sum(area * polygon.centroid(loop) for area, loop in loops) / self.area_mm2
        return np.asarray(self.outline[0] + flat @ np.stack(_axes_across(self.normal)))

    @cached_property
    def longest_diameter_mm(self) -> float:
        """The largest distance between two points of the contour."""
        return float(pdist(self.outline).max())

    def transformed(self, matrix: ArrayLike) -> "Roi":
        """The ROI moved by a rigid transform: `matrix` (4, 4), RAS to RAS."""
        matrix = np.asarray(matrix, float)
        turn = matrix[:3, :3] if matrix.shape == (4, 4) else np.zeros((3, 3))
        if not (np.allclose(turn @ turn.T, np.eye(3), atol=1e-5) and np.linalg.det(turn) > 0):
            raise InputError("A ROI can be moved by a rigid transform only, given as a 4 x 4 matrix.")
        outline, *holes = (loop @ turn.T + matrix[:3, 3] for loop in (self.outline, *self.holes))
        moved = object.__new__(Roi)  # a rigid motion leaves a checked contour as good as it was
        fields = {"outline": outline, "thickness_mm": self.thickness_mm, "holes": tuple(holes)}
        for name, value in fields.items():
            object.__setattr__(moved, name, value)
        return moved

    @cached_property
    def _loops_in_plane(self) -> list[Array]:
        axes = np.stack(_axes_across(self.normal))
        return [(loop - self.outline[0]) @ axes.T for loop in (self.outline, *self.holes)]

    @cached_property
    def _loop_areas(self) -> list[float]:
        """Of the outline, and minus that of each hole."""
        outline, *holes = (abs(polygon.signed_area(loop)) for loop in self._loops_in_plane)
        return [outline, *(-hole for hole in holes)]


def _distinct_points(points: ArrayLike, name: str) -> Array:
    try:
        array = np.array(points, float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 3 or not np.isfinite(array).all():
        raise InputError(f"The {name} must be a list of points, each three finite numbers in mm.")
    array = array[(array != np.roll(array, 1, axis=0)).any(axis=1)]
    if len(array) < 3:
        raise InputError(f"The {name} needs at least three different points, it has {len(array)}.")
    return array


def _plane_of(outline: Array) -> tuple[Array, Array]:
    """The best plane through the outline: a point, and (3, 3) two directions in it and the normal."""
    origin = outline.mean(axis=0)
    _, extent, axes = np.linalg.svd(outline - origin, full_matrices=False)
    if extent[1] <= 1e-6 * extent[0]:
        raise InputError("The contour encloses no area: its points lie on one line; draw it again.")
    return origin, axes


def _in_plane(loop: Array, origin: Array, axes: Array) -> Array:
    """(n, 2) of a loop that lies in the plane."""
    local = (loop - origin) @ axes.T
    off = float(np.abs(local[:, 2]).max())
    if off > PLANARITY_TOLERANCE_MM:
        raise InputError(
            f"The ROI is not flat: a point lies {off:.2f} mm off the contour's plane "
            f"(at most {PLANARITY_TOLERANCE_MM} mm); draw it on one slice."
        )
    return local[:, :2]


def _check_loop(loop: Array, name: str) -> None:
    crossing = polygon.first_crossing(loop)
    if crossing is not None:
        raise InputError(
            f"The {name} crosses or touches itself near its point {crossing + 1} of {len(loop)}; "
            "draw it again."
        )
    extent = float(np.ptp(loop, axis=0).max())
    if abs(polygon.signed_area(loop)) <= 1e-9 * extent**2:
        raise InputError(f"The {name} encloses no area; draw it again.")


def _check_hole(hole: Array, number: int, outline: Array, others: Sequence[Array]) -> None:
    _check_loop(hole, f"hole {number}")
    if polygon.first_crossing(hole, outline) is not None or not polygon.contains(outline, hole[0]):
        raise InputError(f"Hole {number} does not lie wholly inside the contour; draw it again.")
    for other in others:
        apart = polygon.first_crossing(hole, other) is None
        if not apart or polygon.contains(other, hole[0]) or polygon.contains(hole, other[0]):
            raise InputError(f"Hole {number} overlaps another hole; draw them as one.")


def _unit(direction: ArrayLike, name: str) -> Array:
    vector = np.asarray(direction, float)
    length = float(np.linalg.norm(vector))
    if vector.shape != (3,) or not np.isfinite(length) or length == 0:
        raise InputError(f"The {name} must be three numbers, not all zero.")
    return np.asarray(vector / length)


def _axes_across(normal: Array) -> tuple[Array, Array]:
    """Two unit vectors that make a right-handed frame with `normal`."""
    across = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    across /= np.linalg.norm(across)
    return across, np.cross(normal, across)
