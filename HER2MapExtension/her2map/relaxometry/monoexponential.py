"""T2 and T2* from the echoes of a decay: S = M0 exp(-TE/T)."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .engine import Array, Estimate, fit_voxels
from .parameter_map import ParameterMap
from .rician import bessel_ratio, fisher_information, log_likelihood, mean_magnitude
from .varpro import (
    Bounds,
    Moments,
    StartTable,
    Voxels,
    fit_curve,
    graded,
    newton,
    noise_variance,
    r_squared,
)

BOUNDS_MS: Bounds = (0.5, 5000.0)
"""T2 and T2* in which a voxel counts as fitted."""
LOW_SIGNAL_SNR = 5.0
"""With a known noise SD, a voxel none of whose echoes has this SNR has too little signal: it may be air."""
METHODS = {
    "least_squares": "mono-exponential, least squares (variable projection)",
    "rician": "mono-exponential, maximum likelihood for Rician noise of known SD",
    "loglinear": "mono-exponential, straight line through ln S weighted with S²",
}
RICIAN_STEPS = 60
RICIAN_TOLERANCE = 1e-7


@dataclass(frozen=True)
class Decay:
    """f = x**p with x = exp(-step/T) and p = (TE - first TE)/step; derivatives with respect to ln x.

    Attributes:
        first_ms: the first echo time.
        step_ms: the shortest time between two echoes.
        powers: p, (n,).
        weights: (3, n), rows 1, p and p².
        starts: see :class:`StartTable`.
        grid: see :class:`varpro.Curve`.
    """

    first_ms: float
    step_ms: float
    powers: Array
    weights: Array
    starts: StartTable
    grid: Array

    @classmethod
    def at(cls, te_ms: Array) -> "Decay":
        """The decays sampled at rising echo times."""
        step = float(np.diff(te_ms).min())
        span = te_ms[-1] - te_ms[0]
        powers = (te_ms - te_ms[0]) / step
        whole = np.rint(powers)
        if np.abs(powers - whole).max() < 1e-9:
            powers = whole
        t = np.geomspace(step / 5, 30 * span, 2000)
        usual = slice(*np.searchsorted(t, [step, 5 * span]))
        x = np.exp(-step / t)
        return cls(
            float(te_ms[0]),
            step,
            powers,
            np.stack([powers**0, powers, powers**2]),
            StartTable.of(x ** powers[:, None], x, usual),
            np.exp(-step / np.geomspace(step / 20, 1000 * span, 64)),
        )

    def start(self, y: Array) -> Array:
        """See :class:`varpro.Curve`, as for the other methods."""
        return self.starts(y)

    def evaluate(self, theta: Array) -> Array:
        n = len(self.powers)
        f = np.empty((n, theta.size), theta.dtype)
        if not np.array_equal(self.powers, np.arange(n)):
            np.multiply(self.powers[:, None].astype(theta.dtype), np.log(theta), out=f)
            return np.exp(f, out=f)
        f[0], f[1] = 1, theta
        done = 2
        while done < n:  # x**k for k up to 2 done - 2 from the powers already there
            more = min(done - 1, n - done)
            np.multiply(f[1 : 1 + more], f[done - 1], out=f[done : done + more])
            done += more
        return f

    def match_on_grid(self, y: Array) -> Array:
        f = self.evaluate(self.grid)
        return (f / np.linalg.norm(f, axis=0)).T @ y

    def moments(self, theta: Array, f: Array, r: Array) -> Moments:
        weights = self.weights.astype(f.dtype)
        fg, gg = weights[1:] @ (f * f)
        return Moments(fg, gg, gg, *(weights @ (r * f)))

    def move(self, theta: Array, step: Array) -> Array:
        theta = theta * np.exp(np.clip(step, -2, 2))
        return np.clip(theta, self.grid[0], self.grid[-1], out=theta)

    def value(self, theta: Array, step: Array) -> tuple[Array, Array]:
        value = -self.step_ms / (np.log(theta) + step)
        return value, value * value / self.step_ms

    def m0(self, m: Array, value: Array) -> Array:
        return m * np.exp(self.first_ms / value)

    def take(self, voxels: Voxels) -> "Decay":
        return self


def fit_monoexponential(
    signal: ArrayLike,
    te_ms: ArrayLike,
    noise: float | None = None,
    method: str = "least_squares",
    *,
    n_channels: int = 1,
    quantity: str = "T2",
    bounds_ms: Bounds = BOUNDS_MS,
    progress: Progress = no_progress,
) -> ParameterMap:
    """Fit S = M0 exp(-TE/T) in every voxel.

    Args:
        signal: (echoes, ...), magnitude; masked and NaN voxels are left out.
        te_ms: (echoes,) rising echo times; equal spacing is fastest.
        noise: SD of the noise in one channel of the complex signal, in units of `signal`. With it, voxels
            without an echo of SNR 5 get `LOW_SIGNAL`; without it, those without a positive echo.
        method: "least_squares" minimises the squared residuals. "rician" maximises the likelihood of
            magnitude data with noise SD `noise`: echoes in the noise floor do not lengthen T. "loglinear"
            is the closed form, a straight line through ln S with weights S² (echoes <= 0 have none).
        n_channels: receive channels that a sum of squares combined, 1 for a Rician magnitude; matters only
            together with `noise`.
        quantity: "T2" or "T2star", the map's name.
        bounds_ms: T outside gets `OUT_OF_RANGE` and keeps its number, which is NaN for signals that do not
            decay at all.
        progress: see :data:`~her2map.progress.Progress`.

    Returns:
        T in ms. Its standard error comes from the residuals (n - 2 degrees of freedom, NaN for two echoes),
        for "rician" from the Fisher information at the known noise.

    Raises:
        InputError: echo times that do not fit the signal or do not rise, an unknown method, no noise SD for
            "rician".
    """
    te = _echo_times(te_ms, np.shape(signal))
    if method not in METHODS:
        raise InputError(f"Unknown method {method!r}; choose one of {', '.join(METHODS)}.")
    if method == "rician" and noise is None:
        raise InputError('The method "rician" needs the noise SD; give noise, e.g. from a background region.')
    if noise is not None and not (np.ndim(noise) == 0 and 0 < noise < np.inf):
        raise InputError(f"The noise SD must be one positive number, not {noise!r}.")
    # The magnitude whose SNR, corrected for the noise floor, is LOW_SIGNAL_SNR; see noise.voxel_snr.
    floor = float(np.hypot(LOW_SIGNAL_SNR, np.sqrt(2 * n_channels - 1)))
    threshold = 0.0 if noise is None else floor * float(noise)
    decay = Decay.at(te)
    kernels = {
        "least_squares": partial(_least_squares, decay, bounds_ms, threshold),
        "loglinear": partial(_loglinear, decay, bounds_ms, threshold),
        "rician": partial(_rician, decay, bounds_ms, threshold, float(noise or 0), n_channels),
    }
    return fit_voxels(
        kernels[method],
        signal,
        quantity=quantity,
        method=METHODS[method],
        progress=progress,
    )


def _echo_times(te_ms: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    te = np.asarray(te_ms, float)
    echoes = shape[0] if shape else 0
    if te.ndim != 1 or te.size != echoes:
        raise InputError(f"The signal has {echoes} echoes but te_ms has {te.size} values; give one an echo.")
    if te.size < 2:
        raise InputError("A decay needs at least two echoes; this series has one.")
    if not (te[0] > 0 and np.all(np.diff(te) > 0) and np.isfinite(te[-1])):
        raise InputError(f"te_ms must be positive and rise from echo to echo; it is {te.tolist()}.")
    return te


def _least_squares(decay: Decay, bounds: Bounds, threshold: float, y: Array) -> Estimate:
    return fit_curve(decay, y, bounds, threshold)


def _loglinear(decay: Decay, bounds: Bounds, threshold: float, y: Array) -> Estimate:
    y = y.astype(np.float64)
    low = y.max(axis=0) <= threshold
    positive = np.maximum(y, 0)
    weight = positive * positive
    s0, s1, s2 = decay.weights @ weight
    l0, l1 = decay.weights[:2] @ (weight * np.log(np.where(positive > 0, positive, 1)))
    slope = (s0 * l1 - s1 * l0) / (s0 * s2 - s1 * s1)
    intercept = (l0 - slope * s1) / s0
    theta = np.exp(np.where(slope < 0, slope, np.nan))
    at = newton(decay, theta, y)
    value, derivative = decay.value(theta, np.zeros_like(theta))
    standard_error = derivative * np.sqrt(noise_variance(at.residual_after(), len(y)) / at.information)
    m = np.exp(intercept)
    residual = np.sum((y - m * decay.evaluate(theta)) ** 2, axis=0)
    r2, m0 = r_squared(y, residual), decay.m0(m, value)
    return graded(value, standard_error, r2, m0, bounds=bounds, low=low, found=np.ones_like(low))


def _rician(
    decay: Decay, bounds: Bounds, threshold: float, noise: float, n_channels: int, y: Array
) -> Estimate:
    # Echoes that were interpolated for registration can overshoot below zero, where no magnitude lies.
    y = np.maximum(y.astype(np.float64), 0) / noise
    low = y.max(axis=0) <= threshold / noise
    log_m, log_x = np.full((2, y.shape[1]), np.nan)
    found = np.zeros(y.shape[1], bool)
    some = np.flatnonzero(~low)
    log_m[some], log_x[some], found[some] = _most_likely(decay, n_channels, y[:, some])
    signal = np.exp(log_m + decay.powers[:, None] * log_x)
    i0, i1, i2 = decay.weights @ (fisher_information(signal, n_channels) * signal**2)
    beyond = np.exp(log_x) >= decay.grid[-1]
    value, derivative = decay.value(np.where(beyond, np.nan, np.exp(log_x)), np.zeros_like(log_x))
    standard_error = derivative * np.sqrt(i0 / (i0 * i2 - i1 * i1))
    residual = np.sum((y - mean_magnitude(signal, n_channels)) ** 2, axis=0)
    r2, m0 = r_squared(y, residual), decay.m0(noise * np.exp(log_m), value)
    return graded(value, standard_error, r2, m0, bounds=bounds, low=low, found=found | low)


def _most_likely(decay: Decay, n_channels: int, y: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """ln M, ln x of the largest likelihood for unit noise, by Fisher scoring with step halving."""

    def likelihood(at: Array, voxels: Voxels) -> Array:
        return log_likelihood(y[:, voxels], _decaying(decay, at), n_channels).sum(axis=0)

    theta = decay.start(y)
    f = decay.evaluate(theta)
    at = np.stack([np.log(np.maximum((y * f).sum(axis=0) / (f * f).sum(axis=0), 0.1)), np.log(theta)])
    found = np.zeros(y.shape[1], bool)
    limits = np.log(decay.grid[[0, -1]])
    moving = np.arange(y.shape[1])
    level = likelihood(at, moving)
    for _ in range(RICIAN_STEPS):
        step = _scoring_step(decay, n_channels, at[:, moving], y[:, moving])
        for _ in range(8):
            there = at[:, moving] + step
            there[1] = np.clip(there[1], *limits)
            reached = likelihood(there, moving)
            worse = reached < level[moving] - 1e-9
            if not worse.any():
                break
            step[:, worse] /= 2
        at[:, moving], level[moving] = there, reached
        done = np.abs(step[1]) <= RICIAN_TOLERANCE * np.abs(there[1])
        done |= there[1] >= limits[1]
        found[moving[done]] = True
        moving = moving[~done]
        if not moving.size:
            break
    return at[0], at[1], found


def _scoring_step(decay: Decay, n_channels: int, at: Array, y: Array) -> Array:
    signal = _decaying(decay, at)
    score = signal * (y * bessel_ratio(y * signal, n_channels) - signal)
    g0, g1 = decay.weights[:2] @ score
    i0, i1, i2 = decay.weights @ (fisher_information(signal, n_channels) * signal**2)
    determinant = i0 * i2 - i1 * i1
    step = np.stack([i2 * g0 - i1 * g1, i0 * g1 - i1 * g0]) / determinant
    return np.clip(np.nan_to_num(step), -1, 1)


def _decaying(decay: Decay, at: Array) -> Array:
    """Signals (echoes, voxels) at rows ln M, ln x of `at`."""
    return np.exp(at[0] + decay.powers[:, None] * at[1])
