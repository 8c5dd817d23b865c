"""The magnitude recovery curve |A u - B v| and its least-squares fit, the signs unknown.

Magnitude hides the sign, so each place of the null between the sorted inversion times is tried: the first k
points are taken as negative. A and B are linear and projected out (variable projection, Golub & Pereyra 1973,
doi 10.1137/0710036), which leaves one nonlinear parameter, log T. A grid over T, whose projections do not
depend on the voxel, ranks all signs, and a parabola places the optimum between its points; where up to three
are close, Newton's method decides.
Signs by trial: Nekolla et al. 1992, J Comput Assist Tomogr 16:327.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .engine import Array, Estimate
from .parameter_map import Status

Readout = Literal["look_locker", "spin_echo"]

GRID_ANGLE, GRID_RATIO_TR = 0.1, 1.15
"""Between neighbours of the search grid: without TR in the model the turn of the curve in radians, with it
the ratio of T, as one pattern may then have several optima."""
TABLE_STEPS = 64
"""The table of log T has so many entries a grid step."""
BETWEEN, OFF = 0.25, 0.05
"""How far below the best a pattern may be and still be tried, on the grid and interpolated, over the bend of
the parabola. Half a step off, a parabola has lost an eighth of its bend."""
LONGEST_STEP = 0.3
"""Of Newton's method, in log T."""
SHORTEST, LONGEST = 1 / 8, 10
"""T must lie between 1/8 of the first gap between inversion times (the recovery is over at the second point
beyond that) and 10 times the last inversion time (A and T can no longer be told apart)."""
CANDIDATES = 3
MAX_STEPS = 30
FLAT = 1e-12
"""A signal whose variance is a smaller part of its power does not recover."""
SETTLED = 5e-4
"""A Newton step in log T after which the error is of the order of its square, here 3e-7."""


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


def signed(magnitude: Array, pattern: Array) -> Array:
    """The first `pattern` points negated."""
    number = np.arange(len(magnitude), dtype=magnitude.dtype)[:, None]
    return magnitude * np.sign(number + 0.5 - pattern)


class Search(NamedTuple):
    """How much of the squared signal each sign pattern explains."""

    explained: Array
    """(grid, n, voxels), without the direction that all of the grid shares."""
    peak: Array
    """The maximum over the grid, with the shared direction; (n, voxels)."""
    where: NDArray[np.uint8]
    """Its index."""

    def keep(self, voxels: NDArray[np.intp]) -> "Search":
        """The search of some of the voxels."""
        return Search(
            self.explained.take(voxels, axis=-1),
            self.peak.take(voxels, axis=-1),
            self.where.take(voxels, axis=-1),
        )

    def take_best(self, log_table: Array) -> tuple[Array, Array, Array, Array]:
        """The best pattern that is left, and strikes it off; log T at the top of the parabola through three
        points; its height there; its bend, the negative second difference. Each has shape (voxels,)."""
        pattern = self.peak.argmax(axis=0)
        _, n, stride = self.explained.shape
        voxels = np.arange(stride)
        place = pattern * stride + voxels
        peak, at = self.peak.ravel().take(place), self.where.ravel().take(place).astype(np.intp)
        self.peak[pattern, voxels] = -1
        middle = at.clip(1, len(self.explained) - 2)
        place += middle * (n * stride)
        left, here, right = (self.explained.ravel().take(place + i * n * stride) for i in (-1, 0, 1))
        bend, tilt = 2 * here - left - right, 0.5 * (right - left)
        inside = bend > np.abs(tilt)
        offset = np.where(inside, tilt / bend, at - middle)
        height = np.where(inside, peak + 0.5 * tilt * offset, peak)
        start = log_table[(TABLE_STEPS * (middle + offset) + 0.5).astype(np.intp)]
        return pattern.astype(peak.dtype), start.astype(peak.dtype), height, np.maximum(bend, 0)


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
    def log_table(self) -> NDArray[np.float64]:
        """log T, limits included; every TABLE_STEPS-th entry is searched.

        Without TR, each step turns the curve by the same angle: the explained sum of squares is
        then close to a parabola between any three neighbours.
        """
        lowest, highest = SHORTEST * (self.ti[1, 0] - self.ti[0, 0]), LONGEST * self.ti[-1, 0]
        fine = np.linspace(np.log(lowest), np.log(highest), 1000)
        if self.tr is None:
            v = self.columns(fine).v
            across = v - v.mean(axis=0)
            across /= np.linalg.norm(across, axis=0)
            turn = np.linalg.norm(np.diff(across), axis=0)
            way = np.append(0, np.cumsum(turn)) / GRID_ANGLE
        else:
            way = (fine - fine[0]) / np.log(GRID_RATIO_TR)
        count = int(np.ceil(way[-1])) * TABLE_STEPS + 1
        return np.interp(np.linspace(0, way[-1], count), way, fine)

    @cached_property
    def log_grid(self) -> NDArray[np.float64]:
        return self.log_table[::TABLE_STEPS]

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

    def precision(self, t1: Array, snr: float, inversion: float) -> Array:
        """See :func:`expected_precision`; `t1` (k,)."""
        log_t = np.log(t1 / (inversion - 1)) if self.readout == "look_locker" else np.log(t1)
        with np.errstate(all="ignore"):  # a T1 that is over before the second point has no finite bound
            at = self.columns(log_t)
            value, variance = self.t1(log_t, self.newton(snr * (at.u - inversion * at.v), log_t))
            relative = np.sqrt(variance) / value
        return np.where(np.isfinite(relative), relative, np.inf)

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

    def search(self, magnitude: Array) -> "Search":
        """Every sign pattern at every T of the grid."""
        n, voxels = magnitude.shape
        shared, others = (matrix.astype(magnitude.dtype) for matrix in self.projectors)
        explained = np.empty((len(others), n, voxels), magnitude.dtype)
        peak, where = np.full((n, voxels), -1, magnitude.dtype), np.zeros((n, voxels), np.uint8)
        better = np.empty((n, voxels), bool)
        for index, other in enumerate(others):
            here = explained[index]
            for part in range(0, len(other), n):
                squared = np.square(other[part : part + n] @ magnitude, out=None if part else here)
                if part:
                    here += squared
            np.greater(here, peak, out=better)
            np.maximum(where, better.view(np.uint8) * np.uint8(index), out=where)  # a masked copy is slow
            np.maximum(peak, here, out=peak)
        peak += np.square(shared @ magnitude)
        return Search(explained, peak, where)

    def newton(self, s: Array, log_t: Array) -> Step:
        """The step of the variable-projection functional for signed signals `s` (n, voxels)."""
        u, u1, u2, v, v1, v2 = self.columns(log_t)
        uu = dot(u, u) + 0 * log_t
        lean = dot(u, v) / uu
        across = v - lean * u
        vv = dot(across, across)
        b = dot(s, across) / vv
        a = dot(s, u) / uu - lean * b
        r = s - a * u
        r -= b * v
        slope = b * v1
        if self.tr is not None:
            slope += a * u1
        slope_u, slope_v = dot(u, slope) / uu, dot(across, slope) / vv
        turn_u = dot(u1, r)
        q_u = uu * slope_u - turn_u
        q_v = vv * slope_v - dot(v1, r) + lean * turn_u
        bend = a * dot(u2, r) + b * dot(v2, r)
        slope -= slope_u * u
        slope -= slope_v * across
        information = dot(slope, slope)
        downhill = dot(r, slope)
        convexity = information + uu * slope_u**2 + vv * slope_v**2 - q_u**2 / uu - q_v**2 / vv - bend
        is_newton = convexity > 0.1 * information
        step = downhill / np.where(is_newton, convexity, information)
        b_slope = -q_v / vv
        a_slope = -q_u / uu - lean * b_slope
        return Step(
            step, is_newton, a, b, a_slope, b_slope, dot(r, r), information, lean, uu, vv, slope_u, slope_v
        )

    def move(self, log_t: Array, step: Array) -> Array:
        """At most LONGEST_STEP further, within the grid."""
        moved = log_t + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        return np.clip(moved, float(self.log_grid[0]), float(self.log_grid[-1]))

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
        signed, start = self.choose(magnitude)
        s = signed.astype(np.float64)
        log_t, at, converged = self.converge(s, start.astype(np.float64))
        value, variance = self.t1(log_t, at)
        value[~(value > 0)] = np.nan
        if noise is None:
            noise = np.sqrt(at.residual / (n - 3)) if n > 3 else np.full_like(value, np.nan)
        spread = dot(s, s) - s.sum(axis=0) ** 2 / n
        inside = spread > FLAT * dot(s, s)
        inside &= (log_t > self.log_grid[0]) & (log_t < self.log_grid[-1])
        inside &= (at.a > 0) == (at.b < 0)
        inside &= np.isfinite(value) & np.isfinite(variance)
        status = np.full(value.shape, Status.FITTED, np.uint8)
        status[~converged] = Status.NOT_CONVERGED
        status[~inside] = Status.OUT_OF_RANGE
        low = magnitude.max(axis=0) <= 0
        status[low], value[low] = Status.LOW_SIGNAL, np.nan
        r_squared = 1 - at.residual / spread
        return Estimate(value, noise * np.sqrt(variance), r_squared, status, np.abs(at.a))

    def choose(self, magnitude: Array) -> tuple[Array, Array]:
        """The signed signal with the smallest residual, and log T close to its optimum.

        The second and third patterns are tried only where they could still be the best. Of patterns that fit
        equally well, as three points often allow, the one that led on the grid is kept.
        """
        found = self.search(magnitude)
        pattern, log_t, top, bend = found.take_best(self.log_table)
        rivals = np.flatnonzero(found.peak.max(axis=0) > top - BETWEEN * bend)
        found = found.keep(rivals)  # the whole table would be most of a chunk's memory
        s = signed(magnitude, pattern)
        log_t, least = self.refine(s, log_t)
        rounding = 4 * np.finfo(magnitude.dtype).eps * dot(s, s)
        for _ in range(CANDIDATES - 1):
            pattern, start, height, _ = found.take_best(self.log_table)
            close = height > (top - OFF * bend)[rivals]
            near = rivals[close]
            other = signed(magnitude[:, near], pattern[close])
            at, left = self.refine(other, self.refine(other, start[close])[0])
            log_t[near], least[near] = self.refine(s[:, near], log_t[near])
            better = left < (least - rounding)[near]
            win = near[better]
            s[:, win], log_t[win], least[win] = other[:, better], at[better], left[better]
            more = np.flatnonzero(found.peak.max(axis=0) > (top - BETWEEN * bend)[rivals])
            rivals, found = rivals[more], found.keep(more)
        return s, log_t

    def refine(self, s: Array, log_t: Array) -> tuple[Array, Array]:
        """log T after a step, and the residual there."""
        at = self.newton(s, log_t)
        return self.move(log_t, at.step), at.residual - at.step**2 * at.information

    def converge(self, s: Array, log_t: Array) -> tuple[Array, Step, NDArray[np.bool_]]:
        """Newton steps until log T rests at an optimum or at a limit of the grid."""
        at = self.newton(s, log_t)
        taken = np.zeros_like(log_t)
        rest, here = np.arange(len(log_t)), at
        for _ in range(MAX_STEPS):
            moved = self.move(log_t[rest], here.step)
            done = (np.abs(here.step) <= SETTLED) & here.is_newton
            done |= (moved == log_t[rest]) | np.isnan(moved)
            taken[rest], log_t[rest] = moved - log_t[rest], moved
            rest = rest[~done]
            if not rest.size:
                break
            here = self.newton(s[:, rest], log_t[rest])
            for whole, part in zip(at, here, strict=True):
                whole[rest] = part
        converged = np.ones(len(log_t), bool)
        converged[rest] = False
        moved_along = at._replace(
            a=at.a + at.a_slope * taken,
            b=at.b + at.b_slope * taken,
            residual=np.maximum(at.residual - taken**2 * at.information, 0),
        )
        return log_t, moved_along, converged
