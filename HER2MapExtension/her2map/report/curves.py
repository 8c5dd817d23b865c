"""The ROI's mean signal and the curve that was fitted to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..fitting import FittedMap
from ..relaxometry import fit_monoexponential, fit_vfa, recovery_curve
from ..roi import Roi, measure_values
from ..series import Series, Technique

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RoiCurve:
    """Mean and SD over the ROI's voxels of each measurement, and the curve fitted to the means.

    Attributes:
        x: (measurements,) what was varied; `x_label` names it with its unit.
        mean, sd: (measurements,).
        model_x, model: the curve, finely sampled.
    """

    x: Array
    mean: Array
    sd: Array
    model_x: Array
    model: Array
    x_label: str


def roi_curve(fitted: FittedMap, roi: Roi) -> RoiCurve | None:
    """The ROI's signals with the fit to their means; None for a map that was not fitted to signals."""
    if fitted.technique not in _CURVES:
        return None
    name, label, model = _CURVES[fitted.technique]
    x = getattr(fitted.signals, name)
    found = [
        measure_values(image, fitted.geometry, roi, minimum_coverage=0.0) for image in fitted.signals.data
    ]
    mean = np.array([value.value for value in found])
    if not np.isfinite(mean).all():
        return None
    at = np.linspace(0, 1.05 * x.max(), 200)
    sd = np.array([value.sd for value in found])
    return RoiCurve(x, mean, sd, at, model(fitted.signals, mean, at), label)


def _ernst(signals: Series, mean: Array, angle_deg: Array) -> Array:
    tr = signals.tr_ms[0]
    fitted = fit_vfa(mean, signals.flip_angle_deg, tr)
    e1, angle = np.exp(-tr / fitted.value), np.radians(angle_deg)
    return np.asarray(fitted.m0 * np.sin(angle) * (1 - e1) / (1 - e1 * np.cos(angle)))


def _decay(signals: Series, mean: Array, te_ms: Array) -> Array:
    fitted = fit_monoexponential(mean, signals.te_ms)
    return np.asarray(fitted.m0 * np.exp(-te_ms / fitted.value))


def _look_locker(signals: Series, mean: Array, ti_ms: Array) -> Array:
    return recovery_curve(mean, signals.ti_ms, ti_ms)


def _spin_echo_ir(signals: Series, mean: Array, ti_ms: Array) -> Array:
    return recovery_curve(mean, signals.ti_ms, ti_ms, "spin_echo", signals.tr_ms)


_CURVES = {
    Technique.VFA: ("flip_angle_deg", "nominal flip angle (°)", _ernst),
    Technique.LOOK_LOCKER: ("ti_ms", "inversion time (ms)", _look_locker),
    Technique.SPIN_ECHO_IR: ("ti_ms", "inversion time (ms)", _spin_echo_ir),
    Technique.MULTI_ECHO_SPIN_ECHO: ("te_ms", "echo time (ms)", _decay),
    Technique.MULTI_ECHO_GRADIENT_ECHO: ("te_ms", "echo time (ms)", _decay),
}
"""Which parameter a technique varies, its label, and the curve at other values of it."""
