"""ROIs in files: Slicer markups (.mrk.json) and a plain JSON polygon."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from .errors import InputError
from .files import write_json
from .geometry import swap_ras_lps
from .roi import Roi

Array = NDArray[np.float64]

_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/"
    "Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#"
)
_POINTS_PER_SEGMENT = 10
_WRITTEN_SPACING_MM = 1.0
"""Control points are written at most this far apart, so that Slicer's spline through them keeps the shape."""


def closed_curve(control_points: ArrayLike) -> Array:
    """The points that Slicer draws for a closed curve markup with its default settings.

    Slicer's cardinal spline is the periodic cubic spline through the control points, parametrised by their
    index and sampled ten times a segment (vtkMRMLMarkupsCurveNode, vtkCardinalSpline).

    Args:
        control_points: (n, 3).

    Returns:
        (10 n, 3), the first not repeated.
    """
    points = np.asarray(control_points, float)
    if len(points) < 3:
        return points
    spline = CubicSpline(np.arange(len(points) + 1), np.vstack([points, points[:1]]), bc_type="periodic")
    return np.asarray(spline(np.arange(len(points) * _POINTS_PER_SEGMENT) / _POINTS_PER_SEGMENT))


def read_roi(path: str | os.PathLike[str], thickness_mm: float | None = None) -> Roi:
    """A ROI from a Slicer markups file or a plain JSON polygon.

    A markups file holds one ClosedCurve, drawn as Slicer draws it, or one Plane, taken as a rectangle;
    further closed curves whose names (or, where Slicer left the name out, point labels) start with "hole"
    are left out of it. A plain file is ``{"coordinate_system": "LPS" or "RAS", "points": [[x, y, z], ...],
    "thickness_mm": 2.0, "holes": [[[x, y, z], ...], ...]}``, the last two optional.

    Args:
        path: the file.
        thickness_mm: of the slice on which the ROI was drawn; used where the file states none.

    Raises:
        InputError: the file cannot be read, a field is missing or wrong, or no thickness is known.
    """
    file = Path(path)
    content = _read_json(file)
    try:
        if "markups" in content:
            outline, holes, stated = _from_markups(content)
        else:
            outline, holes, stated = _from_polygon(content)
        thickness = thickness_mm if stated is None else stated
        if thickness is None:
            raise InputError("it states no 'thickness_mm'; give the thickness of the slice it was drawn on.")
        if isinstance(thickness, bool) or not isinstance(thickness, (int, float)):
            raise InputError("the field 'thickness_mm' must be a number.")
        return Roi(outline, thickness, tuple(holes))
    except InputError as error:
        raise InputError(f"ROI file {file.name}: {error}") from None


def write_roi(path: str | os.PathLike[str], roi: Roi) -> None:
    """Writes `roi` as a Slicer markups file, whole or not at all.

    The format has no straight-edged curves: control points are set densely, so that Slicer shows the shape
    within 0.1 mm, at sharp corners too. A field of our own, which Slicer passes over, lets :func:`read_roi`
    return the exact polygon and thickness.

    Raises:
        InputError: the file cannot be written.
    """
    names = ["ROI", *(f"hole_{i}" for i in range(1, len(roi.holes) + 1))]
    markups = [
        _markup(name, loop, roi.thickness_mm)
        for name, loop in zip(names, (roi.outline, *roi.holes), strict=True)
    ]
    write_json(Path(path), {"@schema": _SCHEMA, "markups": markups})


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"ROI file {file.name} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise InputError(f"ROI file {file.name} is not valid JSON; save it again from Slicer.") from None
    if not isinstance(content, dict):
        raise InputError(f"ROI file {file.name} must hold a JSON object with 'markups' or 'points'.")
    return content


def _from_polygon(content: dict[str, Any]) -> tuple[Array, list[Array], Any]:
    if "points" not in content:
        raise InputError("it has neither the field 'markups' nor the field 'points'.")
    system = content.get("coordinate_system")
    holes = content.get("holes", [])
    if not isinstance(holes, list):
        raise InputError("the field 'holes' must be a list of polygons.")
    outline = _to_ras(content["points"], system, "points", "coordinate_system")
    loops = [_to_ras(hole, system, f"holes[{i}]", "coordinate_system") for i, hole in enumerate(holes)]
    return outline, loops, content.get("thickness_mm")


def _from_markups(content: dict[str, Any]) -> tuple[Array, list[Array], Any]:
    markups = content["markups"]
    if not isinstance(markups, list) or not all(isinstance(markup, dict) for markup in markups):
        raise InputError("the field 'markups' must be a list of markups.")
    curves = [markup for markup in markups if markup.get("type") == "ClosedCurve"]
    holes = [curve for curve in curves if _name(curve).lower().startswith("hole")]
    outlines = [curve for curve in curves if curve not in holes]
    outlines += [markup for markup in markups if markup.get("type") == "Plane"]
    if not outlines:
        found = ", ".join(sorted({str(markup.get("type")) for markup in markups})) or "nothing"
        raise InputError(f"it needs a ClosedCurve (or Plane) markup as outline, its 'markups' hold {found}.")
    if len(outlines) > 1:
        raise InputError(
            f"its 'markups' hold {len(outlines)} outlines; keep one, and name the holes 'hole...'."
        )
    outline = outlines[0]
    own = outline.get("her2map")
    stated = own.get("thickness_mm") if isinstance(own, dict) else None
    return _loop(outline), [_loop(hole) for hole in holes], stated


def _name(markup: dict[str, Any]) -> str:
    """The markup's name; Slicer itself leaves it out, but labels the points with it."""
    points = markup.get("controlPoints")
    first = points[0] if isinstance(points, list) and points and isinstance(points[0], dict) else {}
    return str(markup.get("name") or first.get("label") or "")


def _loop(markup: dict[str, Any]) -> Array:
    """The polygon of a markup, RAS."""
    units = markup.get("coordinateUnits", "mm")
    if units != "mm" and not (isinstance(units, list) and units[:2] == ["mm", "UCUM"]):
        raise InputError("the field 'coordinateUnits' must be mm.")
    if markup["type"] == "Plane":
        return _plane_corners(markup)
    points = markup.get("controlPoints")
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise InputError("the markup's field 'controlPoints' is missing or not a list of points.")
    placed = [point for point in points if point.get("positionStatus", "defined") == "defined"]
    positions = [point.get("position") for point in placed]
    control = _to_ras(positions, markup.get("coordinateSystem", "LPS"), "position", "coordinateSystem")
    own = markup.get("her2map")
    exact = isinstance(own, dict) and own.get("curveType") == "linear"
    return control if exact else closed_curve(control)


def _plane_corners(markup: dict[str, Any]) -> Array:
    system = markup.get("coordinateSystem", "LPS")
    centre = _numbers(markup, "center", 3)
    directions = _numbers(markup, "orientation", 9).reshape(3, 3).T[:2]  # as columns in the file
    half = _numbers(markup, "size", 3)[:2, None] / 2 * directions
    corners = [centre + i * half[0] + j * half[1] for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return _to_ras(corners, system, "center", "coordinateSystem")


def _numbers(markup: dict[str, Any], field: str, count: int) -> Array:
    try:
        numbers = np.array(markup[field], float)
    except (KeyError, TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,):
        raise InputError(f"the Plane markup's field '{field}' is missing or not {count} numbers.")
    return numbers


def _to_ras(points: Any, system: Any, field: str, system_field: str) -> Array:
    if system not in ("LPS", "RAS"):
        raise InputError(f'the field \'{system_field}\' must be "LPS" or "RAS".')
    try:
        array = np.array(points, float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.size and (array.ndim != 2 or array.shape[1] != 3):
        array = np.empty(0)
    if not array.size or not np.isfinite(array).all():
        raise InputError(f"the field '{field}' must give points of three finite numbers in mm.")
    return swap_ras_lps(array) if system == "LPS" else array


def _markup(name: str, loop: Array, thickness_mm: float) -> dict[str, Any]:
    points = swap_ras_lps(_densely(loop))
    return {
        "type": "ClosedCurve",
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "controlPoints": [
            {"id": str(i), "label": f"{name}-{i}", "position": point, "positionStatus": "defined"}
            for i, point in enumerate(points.tolist(), 1)
        ],
        "display": {"pointLabelsVisibility": False, "glyphScale": 0.5},
        "her2map": {"curveType": "linear", "thickness_mm": thickness_mm},
    }


def _densely(loop: Array) -> Array:
    """The loop with points put on its edges, none further apart than `_WRITTEN_SPACING_MM`."""
    along = np.roll(loop, -1, axis=0) - loop
    parts = np.maximum(np.ceil(np.linalg.norm(along, axis=1) / _WRITTEN_SPACING_MM), 1).astype(int)
    step = np.concatenate([np.arange(n) / n for n in parts])
    return np.repeat(loop, parts, axis=0) + step[:, None] * np.repeat(along, parts, axis=0)
