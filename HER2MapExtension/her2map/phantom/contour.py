"""The ROI that a careful reader would draw on the phantom, as a Slicer markups file, and its true values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry, swap_ras_lps
from .anatomy import Anatomy
from .tissues import Tissue, contrast_concentration, t1_with_contrast
from .tumour import Tumour

Array = NDArray[np.float64]
CONTROL_POINTS = 120
"""So many that the polygon's area and that of a smooth curve through them differ by less than 0.1 %."""
_SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed polygon with holes in the plane of a DCE slice.

    Attributes:
        slice_index: of the DCE series, counted from 0 along its affine.
        outline: (points, 3) RAS in mm; the last point joins the first.
        holes: the same, for the necrotic core and the calcification where the slice cuts them.
        normal: (3,) unit vector; the ROI reaches half of `thickness_mm` to either side of its plane.
        diameter_mm: the tumour's largest, in this slice's plane, without spicules.
    """

    slice_index: int
    outline: Array
    holes: tuple[Array, ...]
    normal: Array
    thickness_mm: float
    diameter_mm: float


def draw_contour(tumour: Tumour, geometry: Geometry, thickness_mm: float) -> Contour:
    """The ROI on the slice of `geometry` in which the tumour is largest.

    It keeps within the body by 1.5 mm or three quarters of a voxel, whichever is more (but not more than 15 %
    of its radius), over the whole thickness of the slice, and nearly as far from the necrotic core and the
    calcification.
    """
    diameters = [_largest_diameter(_border(tumour, geometry, k, (0.0,))) for k in range(geometry.shape[0])]
    best = int(np.argmax(diameters))
    faces = (-thickness_mm / 2, 0.0, thickness_mm / 2)
    voxel = float(geometry.spacing[:2].max())
    margin = min(max(1.5, 0.75 * voxel), 0.15 * tumour.radius_mm)
    outline = _smooth_radius(_border(tumour, geometry, best, faces), margin)
    axes, normal, origin = _plane(geometry, best)
    middle = _project(tumour.centre.astype(float), origin, normal)
    holes = [
        _hole(centre.astype(float), radii, faces, 0.8 * margin, axes, normal, origin)
        for centre, radii in (
            (tumour.core_centre, tumour.core_radii),
            (tumour.calcification_centre, np.full(3, tumour.calcification_radius)),
        )
    ]
    return Contour(
        slice_index=best,
        outline=middle + _circle_points(outline) @ axes,
        holes=tuple(hole for hole in holes if hole is not None),
        normal=normal,
        thickness_mm=thickness_mm,
        diameter_mm=float(diameters[best]),
    )


def _plane(geometry: Geometry, slice_index: int) -> tuple[Array, Array, Array]:
    """In-plane unit axes (2, 3), the unit normal and a point of a slice's plane."""
    axes = (geometry.affine[:3, :2] / geometry.spacing[:2]).T
    normal = np.cross(axes[0], axes[1])
    return axes, normal, geometry.to_ras([0, 0, slice_index])


def _project(point: Array, origin: Array, normal: Array) -> Array:
    return point - ((point - origin) @ normal) * normal


def _circle_points(radius: Array) -> Array:
    """Points (n, 2) at `radius` (n,) over equally spaced angles."""
    angle = 2 * np.pi * np.arange(radius.size) / radius.size
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _border(tumour: Tumour, geometry: Geometry, slice_index: int, faces: tuple[float, ...]) -> Array:
    """Distance from the tumour's centre to its body's border along rays in a slice; the least of the `faces`.

    Zero where the plane misses the tumour.
    """
    axes, normal, origin = _plane(geometry, slice_index)
    middle = _project(tumour.centre.astype(float), origin, normal)
    radius = np.arange(0.0, tumour.reach_mm, 0.1)
    rays = _circle_points(np.ones(CONTROL_POINTS)) @ axes
    nearest = np.full(CONTROL_POINTS, np.inf)
    for face in faces:
        points = middle + face * normal + rays[:, None] * radius[:, None]
        outside = ~tumour.in_body(points.reshape(-1, 3).T).reshape(CONTROL_POINTS, -1)
        nearest = np.minimum(nearest, radius[outside.argmax(axis=1)])
    return nearest


def _largest_diameter(border: Array) -> float:
    points = _circle_points(border)
    return float(np.linalg.norm(points[:, None] - points, axis=2).max())


def _smooth_radius(border: Array, margin: float) -> Array:
    """`border` less `margin`, free of the search's 0.1 mm steps; nowhere closer than half the margin."""
    spectrum = np.fft.rfft(np.maximum(border - margin, 0.3 * border))
    spectrum[12:] = 0
    return np.minimum(np.fft.irfft(spectrum, border.size), border - 0.5 * margin)


def _hole(
    centre: Array,
    radii: NDArray[np.floating[Any]],
    faces: tuple[float, ...],
    margin: float,
    axes: Array,
    normal: Array,
    origin: Array,
) -> Array | None:
    """The outline (points, 3) about an ellipsoid, or None where the slice does not reach it."""
    middle = _project(centre, origin, normal)
    distance = float((centre - origin) @ normal)
    rays = _circle_points(np.ones(CONTROL_POINTS)) @ axes
    across = float(1.0 / np.linalg.norm(normal / radii))
    nearest_face = min(max(distance, faces[0]), faces[-1])
    left = 1.0 - ((distance - nearest_face) / across) ** 2
    if left <= 0:
        return None
    radius = np.sqrt(left) / np.linalg.norm(rays / radii, axis=1) + margin
    return middle + rays * radius[:, None]


def true_means(anatomy: Anatomy, contour: Contour) -> tuple[dict[str, float], float]:
    """Means over the ROI of the true values, by dense sampling, and its volume in mm³.

    The means are keyed by biomarker name, and B1.
    """
    points, point_volume = _points_inside(contour)
    tissue = anatomy.tissue_at(points)
    settings = anatomy.settings
    total = dict.fromkeys(("T1_pre", "T1_post", "T2", "T2star"), 0.0)
    for kind in np.unique(tissue):
        here = points[:, tissue == kind]
        values = anatomy.values_at(Tissue(kind), here)
        concentration = contrast_concentration(Tissue(kind), settings, settings.t1_post_delay_s)
        total["T1_pre"] += values.t1_ms.sum()
        total["T1_post"] += t1_with_contrast(values, concentration, settings.r1_relaxivity).sum()
        total["T2"] += values.t2_ms.sum()
        total["T2star"] += values.t2star_ms.sum()
    means = {name: float(value / points.shape[1]) for name, value in total.items()}
    means["B1"] = float(anatomy.fields.b1(points).mean())
    means["delta_T1"] = means["T1_pre"] - means["T1_post"]
    means["delta_T1_ratio"] = means["delta_T1"] / means["T1_pre"]
    return means, points.shape[1] * point_volume


def _inside(polygon: Array, points: Array) -> NDArray[np.bool_]:
    """Which `points` (n, 2) lie in `polygon` (m, 2): a ray from them crosses an odd number of edges."""
    x, y = points.T
    odd = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < x1 + (x2 - x1) * (y - y1) / (y2 - y1))
    return odd


def _points_inside(contour: Contour, across: int = 160, layers: int = 9) -> tuple[Array, float]:
    """A dense, regular set of points (3, n) in the ROI's volume, and the volume for which each stands."""
    first = contour.outline[0]
    along = (contour.outline[1] - first) / np.linalg.norm(contour.outline[1] - first)
    axes = np.stack([along, np.cross(contour.normal, along)])
    flat = (contour.outline - first) @ axes.T
    spacing_mm = float(np.ptp(flat, axis=0).max()) / across
    grid = [np.arange(low, high, spacing_mm) for low, high in zip(flat.min(0), flat.max(0), strict=True)]
    points = np.stack(np.meshgrid(*grid), axis=-1).reshape(-1, 2)
    inside = _inside(flat, points)
    for hole in contour.holes:
        inside &= ~_inside((hole - first) @ axes.T, points)
    depth = ((np.arange(layers) + 0.5) / layers - 0.5) * contour.thickness_mm
    plane = first + points[inside] @ axes
    filled = (plane[:, None] + depth[:, None] * contour.normal).reshape(-1, 3)
    return filled.T, spacing_mm**2 * contour.thickness_mm / layers


def contour_markups(contour: Contour) -> dict[str, Any]:
    """The ROI as Slicer's markups JSON, LPS: the outline first, then the holes, closed curves all."""
    curves = [("tumour", contour.outline)]
    curves += [(f"hole {number}", hole) for number, hole in enumerate(contour.holes, 1)]
    return {"@schema": _SCHEMA, "markups": [_closed_curve(name, points) for name, points in curves]}


def _closed_curve(name: str, ras: Array) -> dict[str, Any]:
    points = [
        {
            "id": str(number),
            "label": f"{name}-{number}",
            "position": [round(float(x), 5) for x in position],
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined",
        }
        for number, position in enumerate(swap_ras_lps(ras), 1)
    ]
    return {
        "type": "ClosedCurve",
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": points,
    }
