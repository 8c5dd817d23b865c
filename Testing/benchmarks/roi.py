"""Time of a ROI's value as it is asked for on every mouse drag, beside masks of the whole map.

Run from the project's root: python Testing/benchmarks/roi.py
One table: ms a call (median of repeats), ratio to `measure`, and the error of the ROI's volume and mean.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from her2map.geometry import Geometry
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi, measure, roi_weights
from matplotlib.path import Path as PlanePath

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


def sampled_mask(geometry: Geometry, roi: Roi, samples: int) -> np.ndarray:
    """The ROI's fractions on the whole map by testing `samples`^3 points a voxel against the contour."""
    across = roi.outline[0] - roi.outline.mean(axis=0)
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(roi.normal, across), roi.normal])
    contour = PlanePath((roi.outline - roi.outline[0]) @ frame[:2].T)
    steps = (np.arange(samples) + 0.5) / samples - 0.5
    rows, columns = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[2]), indexing="ij")
    fraction = np.zeros(SHAPE, np.float32)
    for k in range(SHAPE[0]):
        for dk, dr, dc in np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3):
            index = np.stack([columns + dc, rows + dr, np.full(rows.shape, k + dk)], axis=-1)
            local = (geometry.to_ras(index) - roi.outline[0]) @ frame.T
            inside = contour.contains_points(local[..., :2].reshape(-1, 2)).reshape(rows.shape)
            fraction[k] += inside & (np.abs(local[..., 2]) <= roi.thickness_mm / 2)
    return fraction / samples**3


def milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median time of `call`."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def truth(roi: Roi) -> float:
    """The ramp's mean over the ROI: its value at the centroid."""
    return float(80 + 0.5 * (roi.centroid - CENTRE).sum())


def main() -> None:
    """Print the table."""
    roi = a_roi()
    parallel, oblique = a_geometry(0.0), a_geometry(TILT_DEG)
    lines: list[tuple[str, float, float, float]] = []

    def add(name: str, call: Callable[[], object], repeats: int, volume: float, mean: float) -> None:
        lines.append((name, milliseconds(call, repeats), volume / roi.volume_mm3 - 1, mean / truth(roi) - 1))

    for name, geometry in (("parallel", parallel), (f"{TILT_DEG:g} deg oblique", oblique)):
        fitted = ramp_map(geometry)
        found = measure(fitted, geometry, roi)
        volume = roi_weights(geometry, roi).fraction.sum() * geometry.voxel_volume
        add(f"measure, {name}", lambda f=fitted, g=geometry: measure(f, g, roi), 60, volume, found.value)

    fitted = ramp_map(oblique)
    found = measure(fitted, oblique, roi)
    volume = roi_weights(oblique, roi).fraction.sum() * oblique.voxel_volume

    def drag() -> None:
        moved = Roi(roi.outline, roi.thickness_mm)
        for _ in range(6):
            measure(fitted, oblique, moved)

    add("a drag: new Roi, six oblique maps", drag, 20, volume, found.value)
    mask = sampled_mask(oblique, roi, 1)
    add(
        "whole-map mask of voxel centres (matplotlib)",
        lambda: sampled_mask(oblique, roi, 1),
        1,
        mask.sum() * oblique.voxel_volume,
        float(np.average(fitted.value, weights=mask)),
    )
    single = lines[1][1]
    print(f"{'320 x 320 x 40 map, 60-point ROI':46} {'ms':>9} {'ratio':>8} {'volume':>10} {'mean':>10}")
    for name, ms, volume_error, mean_error in lines:
        print(f"{name:46} {ms:9.2f} {ms / single:8.1f} {volume_error:+10.1e} {mean_error:+10.1e}")


if __name__ == "__main__":
    main()
