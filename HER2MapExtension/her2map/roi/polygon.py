"""Plane polygons: area, crossings, what lies inside. Arrays of (n, 2) vertices, not closed by repetition."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_CHUNK = 1 << 18
"""Edge pairs tested at once."""


def signed_area(polygon: Array) -> float:
    """Positive where the vertices run counter-clockwise (the shoelace formula)."""
    x, y = (polygon - polygon.mean(axis=0)).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def centroid(polygon: Array) -> Array:
    """The centre of mass of the area."""
    middle = polygon.mean(axis=0)
    here = polygon - middle
    following = np.roll(here, -1, axis=0)
    twice = here[:, 0] * following[:, 1] - here[:, 1] * following[:, 0]
    return np.asarray(middle + twice @ (here + following) / (3 * twice.sum()))


def contains(polygon: Array, point: Array) -> bool:
    """Whether `point` (2,) lies inside, by the number of edges that a ray from it crosses."""
    x, y = (polygon - point).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    spans = (y > 0) != (next_y > 0)
    x, y, next_x, next_y = x[spans], y[spans], next_x[spans], next_y[spans]
    return bool(np.count_nonzero(x - y * (next_x - x) / (next_y - y) > 0) % 2)


def first_crossing(polygon: Array, other: Array | None = None) -> int | None:
    """The index of the first edge of `polygon` that meets an edge of `other`, or None.

    Without `other`: that meets another edge of `polygon` itself, neighbours not counted. Touching is meeting.
    """
    itself = other is None
    start, end = polygon, np.roll(polygon, -1, axis=0)
    others = polygon if other is None else other
    n, m = len(polygon), len(others)
    rows = max(1, _CHUNK // m)
    for first in range(0, n, rows):
        meets = _meet(start[first : first + rows], end[first : first + rows], others)
        if itself:
            i = np.arange(first, first + len(meets))[:, None]
            meets &= ~np.isin((i - np.arange(m)) % n, (0, 1, n - 1))
        found = np.flatnonzero(meets.any(axis=1))
        if len(found):
            return int(first + found[0])
    return None


def _meet(start: Array, end: Array, others: Array) -> NDArray[np.bool_]:
    """Which of the edges `start` to `end` (n) meet which edges of the polygon `others` (m): (n, m)."""
    others_end = np.roll(others, -1, axis=0)

    def side(origin: Array, tip: Array, points: Array) -> Array:
        """On which side of the lines (a) the points (b) lie: (a, b)."""
        along = tip - origin
        offset = along[:, 0] * origin[:, 1] - along[:, 1] * origin[:, 0]
        return np.outer(along[:, 0], points[:, 1]) - np.outer(along[:, 1], points[:, 0]) - offset[:, None]

    of_others = side(start, end, others)
    of_edges = side(others, others_end, start).T
    of_edges_end = side(others, others_end, end).T
    meets = (of_others * np.roll(of_others, -1, axis=1) <= 0) & (of_edges * of_edges_end <= 0)
    if meets.any():  # collinear edges pass both tests however far apart they are
        low, high = np.minimum(start, end), np.maximum(start, end)
        others_low, others_high = np.minimum(others, others_end), np.maximum(others, others_end)
        i, j = np.nonzero(meets)
        meets[i, j] = ((low[i] <= others_high[j]) & (others_low[j] <= high[i])).all(axis=1)
    return meets
