"""What the contrast medium does to the DCE images: the subtraction image, and a ROI's course over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .roi import Roi, measure_values, roi_weights
from .roi.measure import MINIMUM_COVERAGE
from .series import DceSeries, find_injection

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TimeCourse:
    """A ROI's mean signal in every DCE phase.

    Attributes:
        after_injection_s: (phases,), from the injection to the phase's centre of k-space.
        signal: (phases,), mean over the ROI; NaN where less than half of the ROI has a value.
        enhancement_percent: (phases,), 100 (S - S0) / S0 with S0 the signal of the first phase; NaN where S0
            is not positive.
        injection_source: where the injection time comes from, in words.
        reason: why there is no signal at all, in a sentence; "" where there is one.
    """

    after_injection_s: Array
    signal: Array
    enhancement_percent: Array
    injection_source: str
    reason: str = ""


def subtraction(dce: DceSeries, phase: int) -> NDArray[np.float32]:
    """The signal of `phase` (counted from 0) less that of the first: (slices, rows, columns).

    Raises:
        InputError: there is no such phase, or it is the first.
    """
    n_phases = len(dce.data)
    if not 1 <= phase < n_phases:
        raise InputError(
            f"DCE phase {phase + 1} shows no enhancement against the first; choose one from 2 to {n_phases}."
        )
    return np.asarray(dce.data[phase] - dce.data[0])


def time_course(dce: DceSeries, roi: Roi, injection_time_s: float | None = None) -> TimeCourse:
    """The course of a ROI's mean signal, by the ROI rule of :func:`~her2map.roi.measure_values`.

    Args:
        roi: in the space of the DCE images.
        injection_time_s: on the clock of `dce.time_s`; see :func:`~her2map.series.find_injection`.

    Raises:
        InputError: the phases have no times that order them, or the injection time is not known.
    """
    injection = find_injection(dce, injection_time_s)
    somewhere = np.broadcast_to(np.float32(0), dce.geometry.shape)  # the place alone decides
    reason = measure_values(somewhere, dce.geometry, roi).reason
    signal = np.full(len(dce.data), np.nan) if reason else _means(dce, roi)
    first = signal[0] if signal[0] > 0 else np.nan
    return TimeCourse(
        after_injection_s=dce.centre_time_s - injection.time_s,
        signal=signal,
        enhancement_percent=100 * (signal - first) / first,
        injection_source=injection.source,
        reason=reason,
    )


def _means(dce: DceSeries, roi: Roi) -> Array:
    """(phases,), weighted by the voxels' parts inside the ROI, which are computed once."""
    weights = roi_weights(dce.geometry, roi)
    box, inside = weights.box, weights.fraction > 0
    w = weights.fraction[inside]
    values = np.asarray(dce.data[:, box[0], box[1], box[2]][:, inside], float)
    usable = np.isfinite(values)
    total = usable @ w
    enough = total * dce.geometry.voxel_volume / roi.volume_mm3 >= MINIMUM_COVERAGE - 1e-9
    sums = np.where(usable, values, 0.0) @ w
    return np.where(enough, sums / np.where(total > 0, total, 1.0), np.nan)
