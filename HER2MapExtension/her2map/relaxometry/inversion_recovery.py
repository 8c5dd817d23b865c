"""T1 from inversion recovery: Look-Locker readouts (MOLLI) and spin echoes, magnitude signals.

The signal is ``S = |A u - B v|`` with ``v = exp(-TI/T)``; u is 1, or ``1 + exp(-TR/T)`` where TR is modelled.
Magnitude hides the sign, so each place of the null between the sorted inversion times is tried: the first k
points are taken as negative. A and B are linear and projected out (variable projection, Golub & Pereyra 1973,
doi 10.1137/0710036), which leaves one nonlinear parameter, log T. A grid over T, whose projections do not
depend on the voxel, ranks all signs; the two best are refined by Newton's method and the better one is kept.

Sources: Look-Locker correction, Deichmann & Haase 1992, doi 10.1016/0022-2364(92)90347-A; MOLLI, Messroghli
et al. 2004, doi 10.1002/mrm.20110; signs by trial, Nekolla et al. 1992, doi 10.1097/00004728-199203000-00027.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .engine import Array, Estimate, fit_voxels
from .parameter_map import ParameterMap, Status

Readout = Literal["look_locker", "spin_echo"]

GRID_RATIO = 1.35
"""Between neighbours of the search grid; the residual's wells over log T are wider."""
SHORTEST, LONGEST = 1 / 8, 10
"""T must lie between 1/8 of the first gap between inversion times (the recovery is over at the second point
beyond that) and 10 times the last inversion time (A and T can no longer be told apart)."""
FAST_STEPS = 2
"""Newton steps of both candidates in the signal's own precision before one is kept."""
MAX_STEPS = 30
CHUNK_VOXELS = 4096
"""Small enough for the cache, and for OpenBLAS to stay in the calling thread: n x n x chunk < 2^18."""
NOTE_SNR, NOTE_PRECISION, NOTE_T1 = 50, 0.1, (100.0, 5000.0)
"""The map's note names the T1 from which on, within the range, the bound on the SD is above 10 %."""
SETTLED = 1e-4
"""A Newton step in log T after which the error is of the order of its square."""


class Columns(NamedTuple):
    """u, v and their first and second derivatives in log T; (n, voxels), or (n, 1) where constant."""

    u: Array
    u1: Array
    u2: Array
    v: Array
    v1: Array
    v2: Array


class Step(NamedTuple):
    """A Newton step and what is known where it starts; every field has shape (voxels,)."""

    step: Array
    """In log T, towards the smaller residual."""
    is_newton: NDArray[np.bool_]
    """False where the residual is not convex and a Gauss-Newton step stands in."""
    a: Array
    b: Array
    a_slope: Array
    b_slope: Array
    """How a and b follow log T."""
    residual: Array
    """Sum of squares."""
    information: Array
    """Squared length of the part of the curve's slope in log T that A and B cannot mimic."""
    lean: Array
    """How much of u is in v: v - lean u is orthogonal to u."""
    uu: Array
    vv: Array
    """Squared lengths of u and of v - lean u."""
    slope_u: Array
    slope_v: Array
    """The slope's components along u and along v - lean u."""


def dot(a: Array, b: Array) -> Array:
    """Scalar product over the measurements."""
    return np.einsum("ij,ij->j", a, b)


def fit_inversion_recovery(
    signal: ArrayLike,
    ti_ms: ArrayLike,
    readout: Readout = "look_locker",
    tr_ms: ArrayLike | None = None,
    *,
    noise: ArrayLike | None = None,
    progress: Progress = no_progress,
) -> ParameterMap:
    """T1 from magnitude images at several inversion times.

    "look_locker" (MOLLI): S = |A - B exp(-TI/T1*)|, T1 = T1* (B/A - 1). "spin_echo" (one readout an
    inversion): S = |A (1 + exp(-TR/T1)) - C exp(-TI/T1)|; without `tr_ms`, S = |A - C exp(-TI/T1)|.

    The standard error is that of T1, by the delta method from the covariance of all three parameters; from
    three measurements it can be had only with `noise`. From the residuals of five measurements it is itself
    uncertain by half. It runs up to a sixth too low where the null falls on an inversion time, because the
    sign that fits better is taken there; `noise` cures that too.

    Args:
        signal: (n, ...), n >= 3, in any order of the inversion times. Signed values are fitted as well.
        ti_ms: (n,), distinct.
        readout: "look_locker" or "spin_echo".
        tr_ms: the repetition time, one number or one a measurement; for "spin_echo" alone.
        noise: SD of the signal's noise, one number or a map; the standard error then rests on it.
        progress: see :data:`~her2map.progress.Progress`.

    Returns:
        T1 in ms; `m0` is A. `OUT_OF_RANGE` where the signals do not determine T1: no null or no recovery
        seen, or T1* outside 1/8 of the first TI step to 10 times the last TI.

    Raises:
        InputError: the inversion or repetition times do not fit the signal or the readout.
        Cancelled: raised by `progress`.
    """
    recovery = _recovery(ti_ms, readout, tr_ms)
    if np.shape(signal)[:1] != recovery.order.shape:
        raise InputError(
            f"There are {recovery.order.size} inversion times for a signal of shape {np.shape(signal)}; "
            "give one a measurement, the measurements on the signal's first axis."
        )
    if noise is not None and np.any(np.ma.less_equal(noise, 0)):
        raise InputError(
            "The noise SD has values of zero or less; give it in the signal's unit, or leave it out."
        )
    return fit_voxels(
        recovery.fit,
        signal,
        noise,
        quantity="T1",
        method=f"{recovery.formula}, magnitude with sign by trial, least squares by variable projection",
        notes=recovery.notes(),
        progress=progress,
        chunk_voxels=CHUNK_VOXELS,
    )


def expected_precision(
    ti_ms: ArrayLike,
    t1_ms: ArrayLike,
    snr: float,
    readout: Readout = "look_locker",
    tr_ms: ArrayLike | None = None,
    *,
    inversion: float = 1.9,
) -> NDArray[np.float64]:
    """The Cramér-Rao bound of T1's relative SD: what the best fit can reach with these inversion times.

    Args:
        ti_ms, readout, tr_ms: as for :func:`fit_inversion_recovery`.
        t1_ms: any shape.
        snr: A over the noise SD.
        inversion: B/A (or C/A); 2 for a perfect inversion. A Look-Locker readout needs more than 1.

    Returns:
        SD / T1 for Gaussian noise, in the shape of `t1_ms`.

    Raises:
        InputError: as for the fit, or a T1 or SNR that is not positive.
    """
    recovery = _recovery(ti_ms, readout, tr_ms)
    t1 = np.asarray(t1_ms, float)
    if not (np.all(t1 > 0) and snr > 0 and inversion > (readout == "look_locker")):
        raise InputError("T1 and SNR must be positive, and B/A above 1 for a Look-Locker readout.")
    return recovery.precision(t1.ravel(), snr, inversion).reshape(t1.shape).astype(float)


def _recovery(ti_ms: ArrayLike, readout: Readout, tr_ms: ArrayLike | None) -> "Recovery":
    """The checked and sorted measurement times."""
    if readout not in get_args(Readout):
        raise InputError(f'Readout "{readout}" is not known; use "look_locker" or "spin_echo".')
    ti = np.asarray(ti_ms, float)
    if ti.ndim != 1 or ti.size < 3:
        raise InputError(f"Inversion recovery needs at least 3 inversion times in one row, not {ti.shape}.")
    if not (np.isfinite(ti).all() and (ti >= 0).all() and np.unique(ti).size == ti.size):
        raise InputError(
            f"The inversion times {ti.tolist()} ms must be distinct and not negative; "
            "some scanners store them in a private field only."
        )
    order = np.argsort(ti)
    ti = ti[order, None]
    if tr_ms is None:
        return Recovery(order, ti, None, readout)
    if readout == "look_locker":
        raise InputError("A Look-Locker readout is fitted without repetition times; leave tr_ms out.")
    tr = np.asarray(tr_ms, float)
    if tr.shape not in ((), order.shape):
        raise InputError(
            f"There are {tr.size} repetition times for {ti.size} inversion times; give 1 or one each."
        )
    tr = np.broadcast_to(tr, order.shape)[order, None]
    if not (np.isfinite(tr).all() and (tr > ti).all()):
        raise InputError("Each repetition time must be longer than its inversion time; give both in ms.")
    return Recovery(order, ti, tr, readout)


@dataclass(frozen=True, eq=False)
class Recovery:
    """Sorted inversion times and the recovery curves that they sample.

    Attributes:
        order: (n,), sorts the measurements by TI.
        ti: (n, 1) in ms, ascending.
        tr: (n, 1) in ms, or None where u is 1.
        readout: what T1 is made of.
    """

    order: NDArray[np.intp]
    ti: Array
    tr: Array | None
    readout: Readout

    @cached_property
    def log_grid(self) -> NDArray[np.float64]:
        """The grid over log T, limits included."""
        lowest, highest = SHORTEST * (self.ti[1, 0] - self.ti[0, 0]), LONGEST * self.ti[-1, 0]
        count = int(np.ceil(np.log(highest / lowest) / np.log(GRID_RATIO))) + 1
        return np.linspace(np.log(lowest), np.log(highest), count)

    @cached_property
    def projectors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What takes a magnitude signal to its coordinates in the plane of u and v, for each sign pattern.

        Pattern k has its first k points negative, k < n; all negative is pattern 0 with A and B negated.

        Returns:
            (n, n) for the direction that all of the grid shares, u = 1 (of no rows where TR is modelled), and
            (grid, n or 2 n, n) for the others.
        """
        n = len(self.ti)
        signs = np.where(np.arange(n) < np.arange(n)[:, None], -1.0, 1.0)
        planes = [np.linalg.qr(np.hstack(self.columns(np.array([t]))[::3]))[0].T for t in self.log_grid]
        coordinates = np.array(planes)[:, :, None, :] * signs
        if self.tr is None:
            return coordinates[0, 0], coordinates[:, 1]
        return coordinates[0, 0] * 0, coordinates.reshape(len(planes), 2 * n, n)

    @property
    def formula(self) -> str:
        if self.readout == "look_locker":
            return "S = |A - B exp(-TI/T1*)|, T1 = T1* (B/A - 1)"
        return "S = |A - C exp(-TI/T1)|" if self.tr is None else "S = |A (1 + exp(-TR/T1)) - C exp(-TI/T1)|"

    def notes(self) -> tuple[str, ...]:
        """What a reader of the map must know of the model and of the choice of inversion times."""
        t1 = np.geomspace(NOTE_T1[0], NOTE_T1[1], 200)
        poor = t1[self.precision(t1, NOTE_SNR, 1.9) > NOTE_PRECISION]
        poor = poor[poor > self.ti[0, 0]]
        found = []
        if poor.size:
            found.append(
                f"At SNR {NOTE_SNR} these inversion times determine T1 to {NOTE_PRECISION:.0%} or better "
                f"only below {poor[0]:.0f} ms."
            )
        if self.readout == "spin_echo" and self.tr is None:
            found.append("Incomplete recovery between the inversions is not modelled, as no TR was given.")
        return tuple(found)

    def precision(self, t1: Array, snr: float, inversion: float) -> Array:
        """See :func:`expected_precision`; `t1` (k,)."""
        log_t = np.log(t1 / (inversion - 1)) if self.readout == "look_locker" else np.log(t1)
        at = self.columns(log_t)
        value, variance = self.t1(log_t, self.newton(snr * (at.u - inversion * at.v), log_t))
        return np.sqrt(variance) / value

    def columns(self, log_t: Array) -> Columns:
        dtype = log_t.dtype
        rate = np.exp(-log_t)
        x = self.ti.astype(dtype) * rate
        v = np.exp(-x)
        v1 = x * v
        v2 = (x - 1) * v1
        if self.tr is None:
            one = np.ones((len(self.ti), 1), dtype)
            return Columns(one, 0 * one, 0 * one, v, v1, v2)
        y = self.tr.astype(dtype) * rate
        e = np.exp(-y)
        return Columns(1 + e, y * e, (y - 1) * y * e, v, v1, v2)

    def best_signs(self, magnitude: Array) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The two sign patterns that fit best on the grid, and their log T; (2, voxels) each."""
        n, voxels = magnitude.shape
        explained = np.full((n, voxels), -1, magnitude.dtype)
        where = np.zeros((n, voxels), np.uint8)
        shared, others = (matrix.astype(magnitude.dtype) for matrix in self.projectors)
        for index, other in enumerate(others):
            here = np.square(other @ magnitude)
            if len(here) > n:
                here = here[:n] + here[n:]
            np.copyto(where, np.uint8(index), where=here > explained)
            np.maximum(explained, here, out=explained)
        explained += np.square(shared @ magnitude)
        each = np.arange(voxels)
        first = explained.argmax(axis=0)
        explained[first, each] = -1
        patterns = np.stack([first, explained.argmax(axis=0)])
        return patterns, self.log_grid[where[patterns, each]]

    def newton(self, s: Array, log_t: Array) -> Step:
        """The step of the variable-projection functional for signed signals `s` (n, voxels)."""
        u, u1, u2, v, v1, v2 = self.columns(log_t)
        uu, su = (u * u).sum(axis=0) * np.ones_like(log_t), (s * u).sum(axis=0)
        lean = (u * v).sum(axis=0) / uu
        across = v - lean * u
        vv = dot(across, across)
        b = dot(s, across) / vv
        a = su / uu - lean * b
        r = s - a * u
        r -= b * v
        slope = a * u1 + b * v1
        slope_u, slope_v = (u * slope).sum(axis=0) / uu, dot(across, slope) / vv
        free = slope - slope_u * u
        free -= slope_v * across
        information = dot(free, free)
        downhill = dot(r, free)
        turn_u = (u1 * r).sum(axis=0)
        q_u = uu * slope_u - turn_u
        q_v = vv * slope_v - dot(v1, r) + lean * turn_u
        bend = dot(r, a * u2 + b * v2)
        convexity = information + uu * slope_u**2 + vv * slope_v**2 - q_u**2 / uu - q_v**2 / vv - bend
        is_newton = convexity > 0.1 * information
        step = downhill / np.where(is_newton, convexity, information)
        b_slope = -q_v / vv
        a_slope = -q_u / uu - lean * b_slope
        return Step(
            step, is_newton, a, b, a_slope, b_slope, dot(r, r), information, lean, uu, vv, slope_u, slope_v
        )

    def move(self, log_t: Array, step: Array) -> Array:
        """At most one grid point further, within the grid."""
        longest = self.log_grid[1] - self.log_grid[0]
        moved = log_t + np.clip(step, -longest, longest)
        return np.clip(moved, self.log_grid[0], self.log_grid[-1])

    def t1(self, log_t: Array, at: Step) -> tuple[Array, Array]:
        """T1 and its variance for a noise variance of 1, by the delta method from all three parameters."""
        t = np.exp(log_t)
        if self.readout == "spin_echo":
            return t, t * t / at.information
        value = t * (-at.b / at.a - 1)
        by_u, by_b = t * at.b / at.a**2, -t / at.a
        by_v = by_b - at.lean * by_u
        by_log_t = value - by_u * at.slope_u - by_v * at.slope_v
        return value, by_u**2 / at.uu + by_v**2 / at.vv + by_log_t**2 / at.information

    def fit(self, magnitude: Array, noise: Array | None = None) -> Estimate:
        """The kernel: `magnitude` (n, voxels) in the order of acquisition, `noise` its SD (voxels,)."""
        magnitude = magnitude[self.order]
        n = len(magnitude)
        s, log_t = self.choose(magnitude)
        log_t, at, converged = self.converge(s.astype(np.float64), log_t.astype(np.float64))
        value, variance = self.t1(log_t, at)
        value[~(value > 0)] = np.nan
        if noise is None:
            noise = np.sqrt(at.residual / (n - 3)) if n > 3 else np.full_like(value, np.nan)
        inside = (log_t > self.log_grid[0]) & (log_t < self.log_grid[-1])
        inside &= (at.a > 0) == (at.b < 0)
        inside &= np.isfinite(value) & np.isfinite(variance)
        status = np.full(value.shape, Status.FITTED, np.uint8)
        status[~inside] = Status.OUT_OF_RANGE
        status[~converged] = Status.NOT_CONVERGED
        low = magnitude.max(axis=0) <= 0
        status[low], value[low] = Status.LOW_SIGNAL, np.nan
        r_squared = 1 - at.residual / (n * s.var(axis=0, dtype=np.float64))
        return Estimate(value, noise * np.sqrt(variance), r_squared, status, np.abs(at.a))

    def choose(self, magnitude: Array) -> tuple[Array, Array]:
        """The signed signal with the smallest residual, and log T close to its optimum."""
        dtype = magnitude.dtype
        patterns, starts = self.best_signs(magnitude)
        rank = np.arange(len(magnitude))[:, None]
        tried = []
        for pattern, start in zip(patterns, starts, strict=True):
            s, log_t = np.where(rank < pattern, -magnitude, magnitude), start.astype(dtype)
            for _ in range(FAST_STEPS):
                at = self.newton(s, log_t)
                log_t = self.move(log_t, at.step)
            tried.append((at.residual - at.step**2 * at.information, s, log_t))
        (one, s, log_t), (two, other, other_log_t) = tried
        return np.where(two < one, other, s), np.where(two < one, other_log_t, log_t)

    def converge(self, s: Array, log_t: Array) -> tuple[Array, Step, NDArray[np.bool_]]:
        """Newton steps until log T rests at an optimum or at a limit of the grid."""
        at = self.newton(s, log_t)
        taken = np.zeros_like(log_t)
        rest, here = np.arange(len(log_t)), at
        for _ in range(MAX_STEPS):
            moved = self.move(log_t[rest], here.step)
            done = (np.abs(here.step) <= SETTLED) & here.is_newton
            done |= moved == log_t[rest]
            taken[rest], log_t[rest] = moved - log_t[rest], moved
            rest = rest[~done]
            if not rest.size:
                break
            here = self.newton(s[:, rest], log_t[rest])
            for whole, part in zip(at, here, strict=True):
                whole[rest] = part
        converged = np.ones(len(log_t), bool)
        converged[rest] = False
        return log_t, at._replace(a=at.a + at.a_slope * taken, b=at.b + at.b_slope * taken), converged
