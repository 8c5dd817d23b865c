"""Least squares by variable projection: y = M f(theta), the amplitude M eliminated, theta by Newton's method.

At the best M the residual sum of squares is a function of theta alone (Golub & Pereyra, SIAM J Numer Anal
1973;10:413), and its derivatives need seven scalar products over the measurements: a Newton step costs a few
passes over a cache-sized chunk. Two steps from a good start settle nearly every voxel; the others are
followed further, then searched over the whole range of theta and bracketed.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .engine import Array, Estimate
from .parameter_map import Status

Bounds = tuple[float, float]
Voxels = NDArray[np.intp]

SETTLED = 5e-4
"""A last step below this fraction of the value leaves an error of about its square, here 3e-7."""
FOLLOW_STEPS = 2
SEARCH_STEPS = 80
SEARCH_TOLERANCE = 1e-12
TABLE_SIZE = 4096
CurveT = TypeVar("CurveT", bound="Curve")


class Moments(NamedTuple):
    """Scalar products over the measurements, each (voxels,): curve f, its derivatives g and h, residual r."""

    fg: Array
    gg: Array
    fh: Array
    rf: Array
    rg: Array
    rh: Array


class Curve(Protocol):
    """A family of curves f(theta) sampled at n measurements; theta is one number a voxel.

    The derivatives g and h are taken in a parameter of the curve's choice, in which `move` takes its steps.
    """

    @property
    def grid(self) -> Array:
        """Rising values of theta, dense enough to bracket the optimum, wider than any useful range."""

    def start(self, y: Array) -> Array:
        """A first theta (voxels,) for signals (n, voxels)."""

    def evaluate(self, theta: Array) -> Array:
        """f, (n, voxels)."""

    def match_on_grid(self, y: Array) -> Array:
        """y.f / |f| at each theta of the grid, (len(grid), voxels); the largest fits best."""

    def moments(self, theta: Array, f: Array, r: Array) -> Moments:
        """The scalar products at theta with a residual or a signal `r` (n, voxels)."""

    def move(self, theta: Array, step: Array) -> Array:
        """theta after a step, kept within the grid."""

    def value(self, theta: Array, step: Array) -> tuple[Array, Array]:
        """The physical parameter after a small step, and the length of its derivative."""

    def m0(self, m: Array, value: Array) -> Array:
        """The signal amplitude in its usual definition from the M of y = M f."""

    def take(self: CurveT, voxels: Voxels) -> CurveT:
        """The curves of some of the voxels, in double precision."""


class Newton(NamedTuple):
    """A Newton step from theta, and what is known there; every field has shape (voxels,)."""

    step: Array
    m: Array
    """At theta."""
    m_slope: Array
    convexity: Array
    """Half the second derivative of the residual sum of squares; positive at a minimum."""
    information: Array
    """Squared length of the part of M g that f cannot mimic; var(theta) = noise variance / information."""
    residual: Array
    """The residual sum of squares at theta."""

    def m_after(self) -> Array:
        """M after the step, to first order."""
        return self.m + self.m_slope * self.step

    def residual_after(self) -> Array:
        """The residual sum of squares after the step, to second order."""
        return np.maximum(self.residual - self.step * self.step * self.convexity, 0)


def dot(a: Array, b: Array) -> Array:
    """Scalar product over the measurements."""
    return np.einsum("ij,ij->j", a, b)


def newton(curve: Curve, theta: Array, y: Array) -> Newton:
    """The Newton step of the variable-projection functional for signals `y` (n, voxels).

    All terms that vanish at a perfect fit are sums over the residual, so that single precision suffices.
    """
    f = curve.evaluate(theta)
    ff = dot(f, f)
    m = dot(y, f) / ff
    r = m * f
    np.subtract(y, r, out=r)
    fg, gg, _, rf, rg, rh = curve.moments(theta, f, r)
    information = m * m * (gg - fg * fg / ff)
    bend = rg - m * fg
    convexity = m * (m * gg - rh) - bend * bend / ff
    return Newton(m * (rg - rf * fg / ff) / convexity, m, bend / ff, convexity, information, dot(r, r))


def first_step(curve: Curve, theta: Array, y: Array) -> Array:
    """The step of :func:`newton`, from the signals in place of the residuals: cheaper, and only good to some
    1e-6 in single precision."""
    f = curve.evaluate(theta)
    ff = dot(f, f)
    fg, gg, fh, yf, yg, yh = curve.moments(theta, f, y)
    m = yf / ff
    downhill = yg - m * fg
    bend = downhill - m * fg
    return m * downhill / (m * (m * (gg + fh) - yh) - bend * bend / ff)


def fit_curve(curve: Curve, y: Array, bounds: Bounds, threshold: float = 0.0) -> Estimate:
    """The least-squares fit of y = M f(theta) in every voxel.

    Args:
        y: (n, voxels).
        bounds: the physical parameter's range in which a voxel counts as fitted.
        threshold: a voxel without a measurement above it has too little signal.
    """
    theta = curve.start(y)
    theta = curve.move(theta, first_step(curve, theta, y))
    last = newton(curve, theta, y)
    value, slope = curve.value(theta, last.step)
    low = y.max(axis=0) <= threshold
    settled = slope * np.abs(last.step) <= SETTLED * value
    settled &= (last.convexity > 0) & (last.m > 0)
    rest = np.flatnonzero(~(settled | low))
    if rest.size:
        some, samples = curve.take(rest), y[:, rest].astype(np.float64)
        at, again, settled[rest] = follow(
            some, samples, curve.move(theta[rest], last.step[rest]).astype(np.float64)
        )
        value[rest], slope[rest] = some.value(at, again.step)
        for whole, part in zip(last, again, strict=True):
            whole[rest] = part
    return _estimate(curve, y, last, value, slope, bounds, low, settled)


def _estimate(
    curve: Curve,
    y: Array,
    last: Newton,
    value: Array,
    slope: Array,
    bounds: Bounds,
    low: NDArray[np.bool_],
    settled: NDArray[np.bool_],
) -> Estimate:
    residual, m0 = last.residual_after(), curve.m0(last.m_after(), value)
    standard_error = slope * np.sqrt(noise_variance(residual, len(y)) / last.information)
    r2 = r_squared(y, residual)
    return graded(value, standard_error, r2, m0, bounds=bounds, low=low, found=settled)


def graded(
    value: Array,
    standard_error: Array,
    r_squared: Array,
    m0: Array,
    *,
    bounds: Bounds,
    low: NDArray[np.bool_],
    found: NDArray[np.bool_],
) -> Estimate:
    """The estimate with the status of each voxel; NaN where there is none."""
    fitted = (value >= bounds[0]) & (value <= bounds[1]) & found & ~low
    status = fitted.view(np.uint8) * np.uint8(Status.FITTED)
    if not fitted.all():
        status[~fitted] = Status.OUT_OF_RANGE
        status[~found] = Status.NOT_CONVERGED
        status[low] = Status.LOW_SIGNAL
        none = low | ~found
        for array in (value, standard_error, r_squared, m0):
            array[none] = np.nan
    return Estimate(value, standard_error, r_squared, status, m0)


def noise_variance(residual: Array, n: int) -> Array:
    """From the least sum of squares of n measurements; NaN where n = 2 leaves no residuals."""
    return residual / (n - 2) if n > 2 else np.full_like(residual, np.nan)


def r_squared(y: Array, residual: Array) -> Array:
    """1 - residual over total sum of squares."""
    deviation = y - y.mean(axis=0)
    return 1 - residual / dot(deviation, deviation)


def follow(curve: Curve, y: Array, theta: Array) -> tuple[Array, Newton, NDArray[np.bool_]]:
    """More Newton steps from theta, then a search for the voxels that these do not settle.

    Returns:
        theta, NaN where the best fit lies beyond the grid or has M < 0; the step there; and whether it was
        found.
    """
    here = newton(curve, theta, y)
    found = _settled(curve, theta, here)
    for _ in range(FOLLOW_STEPS):
        if found.all():
            return theta, here, found
        theta = curve.move(theta, here.step)
        here = newton(curve, theta, y)
        found = _settled(curve, theta, here)
    lost = np.flatnonzero(~found)
    some, samples = curve.take(lost), y[:, lost]
    theta[lost], found[lost] = search(some, samples)
    for whole, part in zip(here, newton(some, theta[lost], samples), strict=True):
        whole[lost] = part
    return theta, here, found


def _settled(curve: Curve, theta: Array, last: Newton) -> NDArray[np.bool_]:
    value, slope = curve.value(theta, last.step)
    return (slope * np.abs(last.step) <= SETTLED * value) & (last.convexity > 0) & (last.m > 0)


def search(curve: Curve, y: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The global optimum: the best point of the grid, then Newton's method kept between its neighbours.

    Returns:
        As of :func:`follow`.
    """
    grid = curve.grid
    match = curve.match_on_grid(y)
    best = match.argmax(axis=0)
    beyond = (best == 0) | (best == len(grid) - 1) | (match.max(axis=0) <= 0)
    best = best.clip(1, len(grid) - 2)
    low, theta, high = grid[best - 1], grid[best], grid[best + 1]
    moving = np.flatnonzero(~beyond)
    for _ in range(SEARCH_STEPS):
        if not moving.size:
            break
        here = newton(curve.take(moving), theta[moving], y[:, moving])
        rising = here.step * here.convexity > 0
        low[moving] = np.where(rising, theta[moving], low[moving])
        high[moving] = np.where(rising, high[moving], theta[moving])
        there = curve.move(theta[moving], here.step)
        astray = ~((there > low[moving]) & (there < high[moving]) & (here.convexity > 0))
        there[astray] = 0.5 * (low + high)[moving[astray]]
        shift = np.abs(there - theta[moving])
        theta[moving] = there
        moving = moving[shift > SEARCH_TOLERANCE * there]
    found = np.ones(theta.size, bool)
    found[moving] = False
    theta[beyond] = np.nan
    return theta, found


@dataclass(frozen=True)
class StartTable:
    """Reads a start value off a table.

    The ratio of a signal's coefficients on the first two principal components of a family of curves rises
    or falls steadily with theta for totally positive families, such as exponentials and Ernst curves.

    Attributes:
        axes: (2, n), the principal components.
        ratio_range: lowest and highest ratio in the table.
        thetas: at equally spaced ratios.
    """

    axes: Array
    ratio_range: Bounds
    thetas: Array

    @classmethod
    def of(cls, curves: Array, thetas: Array, typical: slice) -> "StartTable":
        """From sampled curves (n, m) at m values of theta; the axes are those of the `typical` ones."""
        usual = curves[:, typical]
        usual = usual / np.linalg.norm(usual, axis=0)
        axes = np.linalg.eigh(usual @ usual.T)[1][:, :-3:-1].T
        first, second = axes @ curves
        ratio = second / first
        order = np.argsort(ratio)
        lowest, highest = ratio[order[[0, -1]]]
        steps = np.linspace(lowest, highest, TABLE_SIZE)
        return cls(axes * np.sign(first[0]), (lowest, highest), np.interp(steps, ratio[order], thetas[order]))

    def __call__(self, y: Array) -> Array:
        """theta (voxels,) for signals (n, voxels)."""
        first, second = self.axes.astype(y.dtype) @ y
        lowest, highest = self.ratio_range
        second /= np.maximum(first, np.finfo(y.dtype).tiny)
        second -= lowest
        second *= (TABLE_SIZE - 1) / (highest - lowest)
        np.clip(second, 0, TABLE_SIZE - 1, out=second)
        return self.thetas.astype(y.dtype)[second.astype(np.intp)]
