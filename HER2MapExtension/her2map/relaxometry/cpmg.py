"""CPMG echo trains at one refocusing angle in closed form, and their fit in many voxels at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

MAX_ITERATIONS = 30
STEP_TOLERANCE = 1e-6
"""Change of R2 (relative) and of cos(angle) below which a voxel has converged; what is left is far smaller,
for convergence is superlinear."""

SHORTEST_T2_IN_SPACINGS = 0.2
"""Below this, the second echo is under 1 % of the first and T2 is read off the first echo's noise."""
LONGEST_T2_IN_TRAINS = 10.0
"""Above this, the whole train decays by less than 10 %."""


class Curves(NamedTuple):
    """Echo amplitudes (echoes, voxels) and their derivatives (parameters, echoes, voxels)."""

    echoes: F64
    derivatives: F64


def cpmg_train(k1: F64, k2: F64, x: F64, n_echoes: int, n_parameters: int) -> Curves:
    """The echo train at one refocusing angle with cosine `x`, in closed form, with d/dk2 and d/dx.

    k1, k2 are the decays by T1 and T2 over one spacing. The amplitudes are the power series of
    (1 + sqrt(P(y)/Q(y)))/2, P and Q cubic in y (Lukzen and Savelov, J Magn Reson 2007;185:71).
    """
    total, difference, product = k1 + k2, k1 - k2, k1 * k2
    p = np.array([k2 - total * x, product - k2 * total * x, product * k2])
    q = np.array([-k2 - difference * x, k2 * difference * x - product, product * k2])
    dp = np.array([[1 - x, k1 - (total + k2) * x, 2 * product], [-total, -k2 * total, 0 * k2]])
    dq = np.array([[x - 1, (difference - k2) * x - k1, 2 * product], [-difference, k2 * difference, 0 * k2]])
    dp, dq = dp[:n_parameters], dq[:n_parameters]
    ratio = np.ones((n_echoes + 1, k2.size))  # P/Q, and its root below
    root = np.ones_like(ratio)
    d_ratio = np.zeros((n_parameters, *ratio.shape))
    d_root = np.zeros_like(d_ratio)
    for n in range(1, n_echoes + 1):
        m = min(n, 3)
        latest = slice(n - 1, n - m - 1 if n > m else None, -1)
        ratio[n] = -np.einsum("jv,jv->v", q[:m], ratio[latest])
        d_ratio[:, n] = -np.einsum("ijv,jv->iv", dq[:, :m], ratio[latest])
        d_ratio[:, n] -= np.einsum("jv,ijv->iv", q[:m], d_ratio[:, latest])
        if n <= 3:
            ratio[n] += p[n - 1]
            d_ratio[:, n] += dp[:, n - 1]
        others = slice(n - 1, 0, -1)
        root[n] = (ratio[n] - np.einsum("kv,kv->v", root[1:n], root[others])) / 2
        d_root[:, n] = d_ratio[:, n] / 2 - np.einsum("kv,ikv->iv", root[1:n], d_root[:, others])
    return Curves(root[1:] / 2, d_root[:, 1:] / 2)


class Linearised(NamedTuple):
    """The least-squares problem at theta, M0 eliminated (Kaufman's variable projection)."""

    m0: F64
    rss: F64
    gradient: F64
    """(parameters, voxels), of half the residual sum of squares, downhill."""
    normal: F64
    """(parameters, parameters, voxels), the normal matrix; its inverse times the noise variance is the
    covariance of the full fit, M0 included."""


def _linearise(y: F64, curves: Curves) -> Linearised:
    f, d = curves
    ff = np.einsum("nv,nv->v", f, f)
    m0 = np.einsum("nv,nv->v", y, f) / ff
    residual = y - m0 * f
    along = np.einsum("pnv,nv->pv", d, f)
    normal = m0**2 * (np.einsum("pnv,qnv->pqv", d, d) - along[:, None] * along / ff)
    gradient = m0 * np.einsum("pnv,nv->pv", d, residual)
    return Linearised(m0, np.einsum("nv,nv->v", residual, residual), gradient, normal)


def inverse(matrix: F64) -> F64:
    """Of symmetric (1, 1, voxels) or (2, 2, voxels)."""
    if len(matrix) == 1:
        return 1 / matrix
    (a, b), (_, c) = matrix
    return np.array([[c, -b], [-b, a]]) / (a * c - b * b)


class Solution(NamedTuple):
    """What :func:`solve` found: theta (parameters, voxels), the problem there, and where it converged."""

    theta: F64
    at: Linearised
    converged: NDArray[np.bool_]


class Problem(NamedTuple):
    """The fit of one chunk: theta[0] is R2 in 1/ms; theta[1], if there, the cosine of the angle."""

    y: F64
    k1: F64
    fixed_x: F64 | None
    spacing: float

    def take(self, voxels: NDArray[np.intp]) -> "Problem":
        fixed = None if self.fixed_x is None else self.fixed_x[voxels]
        return Problem(self.y[:, voxels], self.k1[voxels], fixed, self.spacing)

    def evaluate(self, theta: F64) -> Linearised:
        k2 = np.exp(-self.spacing * theta[0])
        x = theta[1] if self.fixed_x is None else self.fixed_x
        curves = cpmg_train(self.k1, k2, x, len(self.y), len(theta))
        curves.derivatives[0] *= -self.spacing * k2
        return _linearise(self.y, curves)

    @property
    def limits(self) -> tuple[F64, F64]:
        """Twice as wide as what counts as in range, so that a voxel on the edge is seen to be outside."""
        slowest = 0.5 / (LONGEST_T2_IN_TRAINS * self.spacing * len(self.y))
        fastest = 2 / (SHORTEST_T2_IN_SPACINGS * self.spacing)
        return np.array([[slowest], [-1.6]]), np.array([[fastest], [0.6]])


def solve(problem: Problem, theta: F64) -> Solution:
    """Levenberg-Marquardt in every voxel at once; voxels that have converged leave the computation.

    Gauss-Newton alone crawls where the angle is near 180 degrees, since the curves bend strongly there;
    :func:`_bend` makes it superlinear.
    """
    limits = tuple(limit[: len(theta)] for limit in problem.limits)
    theta = np.clip(theta, *limits)
    best = problem.evaluate(theta)
    converged = np.zeros(theta.shape[1], bool)
    active = np.arange(theta.shape[1])
    at, here, curvature, damping = best, theta.copy(), best.normal, np.zeros(theta.shape[1])
    for _ in range(MAX_ITERATIONS):
        trial = np.clip(here + _step(here, at, curvature, damping, limits), *limits)
        new = problem.evaluate(trial)
        step = trial - here
        done = np.maximum(np.abs(step[0]) / here[0], np.abs(step[-1])) < STEP_TOLERANCE
        better = new.rss <= at.rss
        curvature = np.where(better, new.normal + _bend(step, at.gradient, new), at.normal)
        here = np.where(better, trial, here)
        at = Linearised(*(np.where(better, n, a) for n, a in zip(new, at, strict=True)))
        damping = np.where(better, np.where(damping > 0.01, damping / 10, 0), np.maximum(10 * damping, 0.01))
        theta[:, active] = here
        for whole, piece in zip(best, at, strict=True):
            whole[..., active] = piece
        converged[active] = done & (damping < 1)  # a step made short by damping proves nothing
        going = np.flatnonzero(~done & np.isfinite(at.rss))
        if not going.size:
            break
        problem, active, damping = problem.take(going), active[going], damping[going]
        here, curvature, at = here[:, going], curvature[..., going], Linearised(*(a[..., going] for a in at))
    return Solution(theta, best, converged)


def _step(here: F64, at: Linearised, curvature: F64, damping: F64, limits: tuple[F64, ...]) -> F64:
    """Downhill; a parameter that sits on a limit and pulls outwards stays there and leaves the other free."""
    low, high = limits
    held = ((here <= low) & (at.gradient < 0)) | ((here >= high) & (at.gradient > 0))
    damped = np.where(held[:, None] | held, 0, curvature)
    diagonal = np.arange(len(here))
    damped[diagonal, diagonal] += damping * at.normal[diagonal, diagonal] + held
    return np.einsum("pqv,qv->pv", inverse(damped), np.where(held, 0, at.gradient))


def _bend(step: F64, gradient_before: F64, now: Linearised) -> F64:
    """What the normal matrix misses of the curvature, as the last step showed it (symmetric rank one).

    Zero where the sum would not be safely positive definite.
    """
    missed = gradient_before - now.gradient - np.einsum("pqv,qv->pv", now.normal, step)
    along = np.einsum("pv,pv->v", missed, step)
    bend = missed[:, None] * missed / along
    # The determinant of a rank-one update: det(N + m m'/c) = det(N) (1 + m' N^-1 m / c).
    growth = 1 + np.einsum("pv,pqv,qv->v", missed, inverse(now.normal), missed) / along
    return np.where((growth > 0.05) & (growth < 100), bend, 0)
