"""The value of a ROI on a map: the ROI rule."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..geometry import Geometry
from ..relaxometry.parameter_map import ParameterMap, Status
from .volume import Region
from .weights import RoiWeights, roi_weights

Array = NDArray[np.float64]

MINIMUM_COVERAGE = 0.5
"""A ROI with less of its volume on usable voxels gets no value."""
EDGE_TOLERANCE_MM = 0.01
"""By how much a contour may pass the grid's border, as rounding of patient coordinates makes it."""


@dataclass(frozen=True)
class RoiValue:
    """What a map says about a ROI. With a `reason`, value, median, SD and standard error are NaN.

    The weights w are the fractions of the voxels' volumes inside the ROI; usable voxels are those with status
    fitted and a finite value.

    Attributes:
        value: the mean over the usable voxels, sum(w x) / sum(w).
        median: where half of the weight lies below (the middle between two values where it is exactly half).
        sd: of the voxels' values, sqrt(sum(w (x - mean)^2) / (sum(w) - sum(w^2) / sum(w))), unbiased for
            independent voxels of any weight and the usual n - 1 form for equal ones; NaN for one voxel.
        standard_error: of `value`, from the voxels' own: sqrt(sum(w^2 se^2)) / sum(w). It holds for
            independent voxels and says nothing of how the tissue varies. NaN where a usable voxel has none.
        voxels: sum(w), the usable volume in voxels.
        effective_voxels: sum(w)^2 / sum(w^2) (Kish), so many equal voxels would average as well.
        coverage: the part of the ROI's volume on usable voxels, 0 to 1.
        fractions: the part of the ROI's volume on voxels of each status, 0 to 1.
        outside: the part of the ROI's volume outside the map's grid. With `fractions` it sums to 1.
        volume_mm3: of the ROI.
        reason: why there is no value, in a sentence; "" where there is one.
    """

    value: float
    median: float
    sd: float
    standard_error: float
    voxels: float
    effective_voxels: float
    coverage: float
    outside: float
    volume_mm3: float
    reason: str = ""
    fractions: dict[Status, float] = field(default_factory=dict)

    @property
    def excluded_by_snr(self) -> float:
        """The part of the ROI's volume that the SNR rule left out."""
        return self.fractions.get(Status.EXCLUDED_BY_SNR, 0.0)


@dataclass(frozen=True, eq=False)
class UsableVoxels:
    """The voxels of a map that a ROI's figures are taken from.

    Attributes:
        value: (n,) in the map's unit.
        weight: (n,) the parts of the voxels' volumes inside the ROI, 0 to 1.
        standard_error: (n,) of `value`; NaN where it is not known.
        fractions: the part of the ROI's volume on voxels of each status, 0 to 1.
        coverage: the part of the ROI's volume on these voxels, 0 to 1.
        outside: the part of it outside the map's grid, 0 to 1.
        reason: why no figure may be taken from them, in a sentence; "" where one may.
    """

    value: Array
    weight: Array
    standard_error: Array
    fractions: dict[Status, float]
    coverage: float
    outside: float
    reason: str


def measure(
    parameter_map: ParameterMap, geometry: Geometry, roi: Region, minimum_coverage: float = MINIMUM_COVERAGE
) -> RoiValue:
    """The value of `roi`, a ROI or a volume of several slices, on a map.

    There is none, but a reason, where the contour leaves the map's field of view (any vertex outside the
    voxels' outer borders), or where less than `minimum_coverage` of the ROI's volume lies on usable voxels.
    The thickness alone may reach beyond the first or last slice: what hangs over counts as not covered.

    Args:
        parameter_map: arrays (slices, rows, columns).
        geometry: the map's grid; its shape must be the arrays'.
        roi: in the same patient frame.
        minimum_coverage: 0 to 1.

    Raises:
        InputError: the arrays and the grid have different shapes.
    """
    return _summary(usable_voxels(parameter_map, geometry, roi, minimum_coverage), roi)


def usable_voxels(
    parameter_map: ParameterMap, geometry: Geometry, roi: Region, minimum_coverage: float = MINIMUM_COVERAGE
) -> UsableVoxels:
    """The voxels that :func:`measure` takes the value from; arguments and errors are the same."""
    weights = _weights_for(parameter_map.value.shape, geometry, roi)
    value = parameter_map.value[weights.box]
    standard_error = parameter_map.standard_error[weights.box]
    status = parameter_map.status[weights.box]
    return _usable(value, standard_error, status, weights, geometry, roi, minimum_coverage)


def measure_values(
    values: ArrayLike, geometry: Geometry, roi: Region, minimum_coverage: float = MINIMUM_COVERAGE
) -> RoiValue:
    """The same for a plain image (slices, rows, columns), every finite voxel of which is usable.

    Used for signals, e.g. the circle and the background rectangles of a lesion's SNR. The standard error is
    NaN: an image does not know its own.
    """
    image = np.asarray(values)
    weights = _weights_for(image.shape, geometry, roi)
    inside = np.asarray(image[weights.box], float)
    status = np.where(np.isfinite(inside), Status.FITTED, Status.NOT_ASKED).astype(np.uint8)
    unknown = np.full_like(inside, np.nan)
    return _summary(_usable(inside, unknown, status, weights, geometry, roi, minimum_coverage), roi)


def weighted_quantile(x: Array, w: Array, part: float) -> float:
    """Where `part` of the weight lies below; the middle between two values where it is exactly that much.

    For equal weights it is definition 2 of Hyndman and Fan (Am Stat 1996;50:361).
    """
    order = np.argsort(x, kind="stable")
    cumulative = np.cumsum(w[order])
    below, rounding = part * cumulative[-1], 1e-9 * cumulative[-1]
    first = int(np.searchsorted(cumulative, below - rounding))
    second = min(int(np.searchsorted(cumulative, below + rounding)), len(x) - 1)
    return float(x[order[first]] + x[order[second]]) / 2


def _weights_for(shape: tuple[int, ...], geometry: Geometry, roi: Region) -> RoiWeights:
    if shape != tuple(geometry.shape):
        raise InputError(f"The map's array {shape} does not fit its grid {tuple(geometry.shape)}.")
    return roi_weights(geometry, roi)


def _usable(
    value: NDArray[np.floating],
    standard_error: NDArray[np.floating],
    status: NDArray[np.uint8],
    weights: RoiWeights,
    geometry: Geometry,
    roi: Region,
    minimum_coverage: float,
) -> UsableVoxels:
    """Of the box's voxels."""
    voxels_in_roi = roi.volume_mm3 / geometry.voxel_volume
    touched = weights.fraction > 0
    w, x, states = weights.fraction[touched], value[touched].astype(float), status[touched]
    by_status = np.bincount(states, w, minlength=len(Status)) / voxels_in_roi
    usable = (states == Status.FITTED) & np.isfinite(x)
    coverage = min(float(w[usable].sum()) / voxels_in_roi, 1.0)
    outside = 1.0 - weights.inside
    return UsableVoxels(
        value=x[usable],
        weight=w[usable],
        standard_error=standard_error[touched][usable].astype(float),
        fractions={state: float(by_status[state]) for state in Status},
        coverage=coverage,
        outside=outside,
        reason=_outside_reason(geometry, roi, outside)
        or _coverage_reason(coverage, outside, minimum_coverage),
    )


def _summary(voxels: UsableVoxels, roi: Region) -> RoiValue:
    x, w = voxels.value, voxels.weight
    total = float(w.sum())
    mean = median = sd = error = float("nan")
    if not voxels.reason:
        mean = float(w @ x) / total
        median = weighted_quantile(x, w, 0.5)
        sd = _weighted_sd(x, w, mean)
        error = float(np.sqrt(w**2 @ voxels.standard_error**2)) / total
    return RoiValue(
        value=mean,
        median=median,
        sd=sd,
        standard_error=error,
        voxels=total,
        effective_voxels=total**2 / float(w @ w) if total else 0.0,
        coverage=voxels.coverage,
        outside=voxels.outside,
        volume_mm3=roi.volume_mm3,
        reason=voxels.reason,
        fractions=voxels.fractions,
    )


def _outside_reason(geometry: Geometry, roi: Region, outside: float) -> str:
    index = geometry.to_index(np.concatenate([prism.outline for prism in roi.prisms])) + 0.5
    shape = np.array(geometry.shape[::-1])
    beyond = float((np.maximum(-index, index - shape) * geometry.spacing).max())
    if beyond <= EDGE_TOLERANCE_MM:
        return ""
    return (
        f"The ROI leaves the map's field of view: {100 * outside:.1f} % of its volume lies outside, "
        f"its contour by up to {beyond:.2f} mm."
    )


def _coverage_reason(coverage: float, outside: float, minimum_coverage: float) -> str:
    if coverage > 0 and coverage >= minimum_coverage - 1e-9:
        return ""
    beyond = f", {100 * outside:.1f} % lies outside the map" if outside > 1e-9 else ""
    return (
        f"Only {100 * coverage:.1f} % of the ROI's volume has a usable value{beyond}; "
        f"at least {100 * minimum_coverage:.0f} % is needed."
    )


def _weighted_sd(x: Array, w: Array, mean: float) -> float:
    if len(x) < 2:
        return float("nan")
    total = w.sum()
    return float(np.sqrt(w @ (x - mean) ** 2 / (total - w @ w / total)))
