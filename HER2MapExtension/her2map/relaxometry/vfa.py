"""T1 from spoiled gradient echoes at several flip angles: S = M0 sin(a) (1 - E1)/(1 - E1 cos(a))."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .b1 import HIGHEST, LOWEST, refuse_wrong_unit
from .engine import Array, Estimate, fit_voxels
from .parameter_map import ParameterMap, Status
from .varpro import (
    Bounds,
    Moments,
    StartTable,
    Voxels,
    dot,
    fit_curve,
    graded,
    newton,
    noise_variance,
    r_squared,
)

BOUNDS_MS: Bounds = (5.0, 10_000.0)
"""T1 in which a voxel counts as fitted."""
METHODS = {
    "nonlinear": "variable flip angle, least squares (variable projection)",
    "linear": "variable flip angle, linearised Ernst equation, unweighted",
    "weighted": "variable flip angle, linearised Ernst equation with iterated weights",
}
NO_B1 = "no B1 map: T1 is not corrected for the transmit field"
WEIGHTING_STEPS = 50
WEIGHTING_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Ernst:
    """f = s/(k + t), s = sin(a), t = 1 - cos(a), k = exp(TR/T1) - 1; derivatives with respect to k.

    S = M0 k f. Written with 1 - cos(a) and k, small angles and long T1 lose no digits in single precision.

    Attributes:
        tr_ms: the repetition time.
        sine, versine: s and t, (n, 1) or (n, voxels).
        scale: k of a voxel over that of the nominal flip angles with about the same curve, (voxels,) or (1,).
        starts: see :class:`StartTable`, for nominal flip angles.
        grid: see :class:`varpro.Curve`.
    """

    tr_ms: float
    sine: Array
    versine: Array
    scale: Array
    starts: StartTable
    grid: Array

    @classmethod
    def at(cls, angles: Array, tr_ms: float) -> "Ernst":
        """The curves at nominal flip angles in radians."""
        sine, versine = np.sin(angles)[:, None], 2 * np.sin(angles / 2)[:, None] ** 2
        t1 = tr_ms * np.geomspace(0.5, 1e4, 4000)
        usual = slice(*np.searchsorted(t1, [200, 4000]))
        k = np.expm1(tr_ms / t1)
        starts = StartTable.of(sine / (k + versine), k, usual)
        return cls(tr_ms, sine, versine, np.ones(1), starts, np.expm1(1 / np.geomspace(1e5, 0.2, 96)))

    def transmitted(self, angles: Array, b1: Array) -> "Ernst":
        """The curves where the flip angles are b1 (voxels,) times nominal."""
        half = (angles / 2).astype(b1.dtype)[:, None] * b1
        versine = 2 * np.sin(half) ** 2
        sine = np.sqrt(versine * (2 - versine))
        return Ernst(self.tr_ms, sine, versine, b1 * b1, self.starts, self.grid)

    def cast(self, dtype: np.dtype[Any]) -> "Ernst":
        return Ernst(
            self.tr_ms,
            self.sine.astype(dtype),
            self.versine.astype(dtype),
            self.scale.astype(dtype),
            self.starts,
            self.grid,
        )

    def start(self, y: Array) -> Array:
        return self.starts(y) * self.scale

    @cached_property
    def cosecant(self) -> Array:
        """1 / s; f times it is 1/(k + t) without another division by every theta."""
        return 1 / self.sine

    def evaluate(self, theta: Array) -> Array:
        return self.sine / (theta + self.versine)

    def match_on_grid(self, y: Array) -> Array:
        match = np.empty((self.grid.size, y.shape[1]))
        for row, theta in zip(match, self.grid, strict=True):
            f = self.evaluate(theta)
            row[:] = (y * f).sum(axis=0) / np.sqrt((f * f).sum(axis=0))
        return match

    def moments(self, theta: Array, f: Array, r: Array) -> Moments:
        inverse = f * self.cosecant
        g = f * inverse
        fg, gg, rg = dot(f, g), dot(g, g), dot(r, g)
        g *= inverse
        return Moments(-fg, gg, 2 * gg, dot(r, f), -rg, 2 * dot(r, g))

    def move(self, theta: Array, step: Array) -> Array:
        """Newton's step in ln k, in which the problem is nearly linear, from that in k."""
        ratio = np.clip(step / theta, -4, 0.6)
        theta = theta * np.exp(ratio / (1 - ratio))
        return np.clip(theta, self.grid[0], self.grid[-1], out=theta)

    def value(self, theta: Array, step: Array) -> tuple[Array, Array]:
        k = theta + step * (1 + 1.5 * step / theta)  # the step in ln k to second order
        value = self.tr_ms / _log1p(k)
        return value, value * value / (self.tr_ms * (1 + k))

    def m0(self, m: Array, value: Array) -> Array:
        return m / np.expm1(self.tr_ms / value)

    def take(self, voxels: Voxels) -> "Ernst":
        sine, versine, scale = (
            (x if x.shape[-1] == 1 else x[..., voxels]).astype(np.float64)
            for x in (self.sine, self.versine, self.scale)
        )
        return Ernst(self.tr_ms, sine, versine, scale, self.starts, self.grid)


def fit_vfa(
    signal: ArrayLike,
    flip_angle_deg: ArrayLike,
    tr_ms: float,
    b1: ArrayLike | None = None,
    method: str = "nonlinear",
    *,
    bounds_ms: Bounds = BOUNDS_MS,
    progress: Progress = no_progress,
) -> ParameterMap:
    """Fit the spoiled gradient echo (Ernst) equation in every voxel.

    Args:
        signal: (flip angles, ...), magnitude; masked and NaN voxels are left out. A voxel without a positive
            measurement gets `LOW_SIGNAL`.
        flip_angle_deg: (flip angles,) nominal, at least two of them different.
        tr_ms: repetition time.
        b1: relative transmit field (1 = nominal) that broadcasts to signal.shape[1:]. Voxels where it is
            not a positive number count as not measured; where it is positive but outside 0.3 to 2 they get
            `OUT_OF_RANGE`.
        method: "nonlinear" minimises the squared residuals of S. "linear" is the straight line through
            S/sin(a) over S/tan(a), unweighted (Gupta, J Magn Reson 1977;25:231). "weighted" gives its points
            the weights (sin(a)/(1 - E1 cos(a)))², iterated (Chang et al., Magn Reson Med 2008;60:496).
        bounds_ms: T1 outside gets `OUT_OF_RANGE` and keeps its number, which is NaN where no positive T1
            fits best.
        progress: see :data:`~her2map.progress.Progress`.

    Returns:
        T1 in ms. Its standard error comes from the signal's residuals (n - 2 degrees of freedom, NaN for two
        flip angles), propagated through the chosen estimator.

    Raises:
        InputError: flip angles or TR that cannot be, an unknown method, a B1 map in another unit.
    """
    angles = np.radians(_flip_angles(flip_angle_deg, np.shape(signal)))
    if not (np.ndim(tr_ms) == 0 and 0 < tr_ms < np.inf):
        raise InputError(f"tr_ms must be one positive number of milliseconds, not {tr_ms!r}.")
    if method not in METHODS:
        raise InputError(f"Unknown method {method!r}; choose one of {', '.join(METHODS)}.")
    fit = {"nonlinear": fit_curve, "linear": _linear, "weighted": _weighted}
    kernel = partial(_kernel, fit[method], Ernst.at(angles, float(tr_ms)), angles, bounds_ms)
    return fit_voxels(
        kernel,
        signal,
        None if b1 is None else _positive_b1(b1),
        quantity="T1",
        method=METHODS[method],
        notes=(NO_B1,) if b1 is None else (),
        progress=progress,
    )


def _log1p(k: Array) -> Array:
    """ln(1 + k) to full precision for k > 0 (Kahan); NumPy's own is ten times slower in single precision."""
    one_more = 1 + k
    return np.log(one_more) * (k / (one_more - 1))


def _flip_angles(flip_angle_deg: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    angles = np.asarray(flip_angle_deg, float)
    n = shape[0] if shape else 0
    if angles.ndim != 1 or angles.size != n:
        raise InputError(
            f"The signal has {n} measurements but flip_angle_deg has {angles.size} values; give one each."
        )
    if not np.all((angles > 0) & (angles < 90)):
        raise InputError(f"Flip angles must lie between 0 and 90 degrees; they are {angles.tolist()}.")
    if np.unique(angles).size < 2:
        raise InputError("T1 needs at least two different flip angles; this series has one.")
    return angles


def _positive_b1(b1: ArrayLike) -> NDArray[np.floating[Any]]:
    """`b1` with NaN where it is masked or not positive, in its own precision; refused in a wrong unit."""
    data = np.asarray(np.ma.getdata(b1))
    usable = (data > 0) & ~np.ma.getmaskarray(np.ma.asarray(b1))
    values = np.where(usable, data, np.nan).astype(np.result_type(data, np.float32), copy=False)
    refuse_wrong_unit(values)
    return values


def _kernel(
    fit: Callable[[Ernst, Array, Bounds], Estimate],
    nominal: Ernst,
    angles: Array,
    bounds: Bounds,
    y: Array,
    b1: Array | None = None,
) -> Estimate:
    if b1 is None:
        return fit(nominal.cast(y.dtype), y, bounds)
    found = fit(nominal.transmitted(angles, b1), y, bounds)
    impossible = (b1 < LOWEST) | (b1 > HIGHEST)
    if impossible.any():
        found.status[impossible] = Status.OUT_OF_RANGE
        for array in (found.value, found.standard_error, found.r_squared, found.m0):
            array[impossible] = np.nan
    return found


def _line(curve: Ernst, y: Array, weight: Array) -> tuple[Array, Array, Array]:
    """k, M0 and the standard error of E1/E1 for unit noise in S, each (voxels,); NaN where no T1 fits."""
    d, x = y * curve.versine / curve.sine, y * (1 - curve.versine) / curve.sine
    total = weight.sum(axis=0)
    deviation = x - dot(weight, x) / total
    length = dot(weight * deviation, deviation)
    slope = dot(weight * deviation, d) / length
    intercept = (dot(weight, d) - slope * dot(weight, x)) / total
    k = np.where((slope < 0) & (slope > -1), -slope / (1 + slope), np.nan)
    lever = weight * deviation / curve.evaluate(k)
    return k, intercept / -slope, np.sqrt(dot(lever, lever)) / length


def _linear(curve: Ernst, y: Array, bounds: Bounds) -> Estimate:
    curve, y = curve.take(np.arange(y.shape[1])), y.astype(np.float64)
    k, m0, error = _line(curve, y, np.ones_like(y))
    return _line_estimate(curve, y, bounds, k, m0, error, np.ones(k.size, bool))


def _weighted(curve: Ernst, y: Array, bounds: Bounds) -> Estimate:
    curve, y = curve.take(np.arange(y.shape[1])), y.astype(np.float64)
    k, m0, error = _line(curve, y, np.ones_like(y))
    for _ in range(WEIGHTING_STEPS):
        before = k
        k, m0, error = _line(curve, y, curve.evaluate(before) ** 2)
        found = ~(np.abs(k - before) > WEIGHTING_TOLERANCE * k)
        if found.all():
            break
    return _line_estimate(curve, y, bounds, k, m0, error, found)


def _line_estimate(
    curve: Ernst, y: Array, bounds: Bounds, k: Array, m0: Array, error: Array, found: NDArray[np.bool_]
) -> Estimate:
    at = newton(curve, k, y)
    value = curve.tr_ms / np.log1p(k)
    standard_error = (
        value * value / curve.tr_ms * error * np.sqrt(noise_variance(at.residual_after(), len(y)))
    )
    r2 = r_squared(y, np.sum((y - m0 * k * curve.evaluate(k)) ** 2, axis=0))
    return graded(value, standard_error, r2, m0, bounds=bounds, low=y.max(axis=0) <= 0, found=found)
