"""Time of a ROI's value as it is asked for on every mouse drag, beside masks of the whole map.

Run from the project's root: python Testing/benchmarks/roi.py
One table: ms of processor time a call (best of the repeats), ratio to `measure` on an oblique map, and the
relative errors of the ROI's volume and mean.
"""

import time
from collections.abc import Callable

import numpy as np
from matplotlib.path import Path as PlanePath

from her2map.geometry import Geometry
from her2map.markups import closed_curve
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi, measure

SHAPE = (40, 320, 320)
CENTRE = np.array([-62.0, 31.0, 14.0])
TILT_DEG = 8.0


def a_geometry(tilt_deg: float) -> Geometry:
    """A clinical grid of 320 x 320 x 40, 1.0 x 1.0 x 3.0 mm, around the ROI."""
    a = np.deg2rad(tilt_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    affine = np.eye(4)
    affine[:3, :3] = turn * [1.0, 1.0, 3.0]
    affine[:3, 3] = CENTRE - affine[:3, :3] @ [150.3, 171.8, 21.2]
    return Geometry(SHAPE, affine)


def a_roi() -> Roi:
    """A hand-drawn looking contour of 60 points, some 24 mm across."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 12 + 1.5 * np.sin(5 * angle) + np.random.default_rng(4).normal(0, 0.3, 60)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], axis=1)
    return Roi(CENTRE + ring, 2.0)


def ramp_map(geometry: Geometry) -> ParameterMap:
    """A map that rises by 0.5 ms/mm along each axis, 80 ms in the ROI's middle."""
    k, r, c = np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij")
    ras = geometry.to_ras(np.stack([c, r, k], axis=-1))
    value = (80 + 0.5 * (ras - CENTRE).sum(axis=-1)).astype(np.float32)
    ones = np.ones_like(value)
    status = np.full(SHAPE, Status.FITTED, np.uint8)
    return ParameterMap(value, ones, ones, status, ones, "T2", "ms", "linear ramp")


def sampled_mask(geometry: Geometry, roi: Roi) -> np.ndarray:
    """Which voxel centres of the whole map lie inside the ROI, each tested against the contour."""
    across = roi.outline[0] - roi.outline.mean(axis=0)
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(roi.normal, across), roi.normal])
    contour = PlanePath((roi.outline - roi.outline[0]) @ frame[:2].T)
    rows, columns = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[2]), indexing="ij")
    mask = np.zeros(SHAPE, bool)
    for k in range(SHAPE[0]):
        centres = geometry.to_ras(np.stack([columns, rows, np.full(rows.shape, k)], axis=-1))
        local = (centres - roi.outline[0]) @ frame.T
        mask[k] = contour.contains_points(local[..., :2].reshape(-1, 2)).reshape(rows.shape)
        mask[k] &= np.abs(local[..., 2]) <= roi.thickness_mm / 2
    return mask


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """The shortest processor time of `call`: other work on the machine counts least."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def line(name: str, ms: float, reference_ms: float, volume_mm3: float, mean: float, roi: Roi) -> str:
    """A line of the table; the true mean of the ramp is its value at the ROI's centroid."""
    true_mean = float(80 + 0.5 * (roi.centroid - CENTRE).sum())
    errors = f"{volume_mm3 / roi.volume_mm3 - 1:+10.1e} {mean / true_mean - 1:+10.1e}"
    return f"{name:50} {ms:9.2f} {ms / reference_ms:8.1f} {errors}"


def main() -> None:
    """Print the table."""
    roi = a_roi()
    # As Slicer hands over a curve of 20 control points.
    spline = Roi(closed_curve(roi.outline[::3]), roi.thickness_mm)
    grids = {"parallel": a_geometry(0.0), f"{TILT_DEG:g} degrees oblique": a_geometry(TILT_DEG)}
    maps = {name: ramp_map(geometry) for name, geometry in grids.items()}
    oblique, fitted = list(grids.values())[1], list(maps.values())[1]
    reference = milliseconds(lambda: measure(fitted, oblique, roi), 100)

    def drag() -> None:
        moved = Roi(spline.outline, spline.thickness_mm)
        for _ in range(6):
            measure(fitted, oblique, moved)

    print(f"{'320 x 320 x 40 map, 60-point ROI':50} {'ms':>9} {'ratio':>8} {'volume':>10} {'mean':>10}")
    for name, geometry in grids.items():
        ms = milliseconds(lambda m=maps[name], g=geometry: measure(m, g, roi), 100)
        found = measure(maps[name], geometry, roi)
        volume = found.voxels * geometry.voxel_volume
        print(line(f"measure, {name}", ms, reference, volume, found.value, roi))

    ms = milliseconds(lambda: [measure(fitted, oblique, roi) for _ in range(6)], 30)
    found = measure(fitted, oblique, roi)
    volume = found.voxels * oblique.voxel_volume
    print(line("six maps, oblique", ms, reference, volume, found.value, roi))

    found = measure(fitted, oblique, spline)
    volume = found.voxels * oblique.voxel_volume
    name = "a drag: new ROI of 200 spline points, six maps"
    print(line(name, milliseconds(drag, 30), reference, volume, found.value, spline))

    mask = sampled_mask(oblique, roi)
    mean = float(np.average(fitted.value, weights=mask))
    name = "mask of the whole map at voxel centres (matplotlib)"
    ms = milliseconds(lambda: sampled_mask(oblique, roi), 2)
    print(line(name, ms, reference, np.count_nonzero(mask) * oblique.voxel_volume, mean, roi))


if __name__ == "__main__":
    main()
