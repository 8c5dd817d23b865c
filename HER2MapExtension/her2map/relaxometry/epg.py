"""T2 from multi-echo spin echoes with imperfect refocusing: extended phase graph and its fit.

A refocusing pulse short of 180 degrees stores part of the magnetisation along z; a later pulse brings it back
as a stimulated echo, which has decayed with T1 for a while and so lengthens a mono-exponential T2. The phase
graph follows these pathways (Hennig J. J Magn Reson 1988;78:397; Weigel M. J Magn Reson Imaging 2015;41:266).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..progress import Progress, no_progress
from .b1 import usable_b1
from .cpmg import (
    F64,
    LONGEST_T2_IN_TRAINS,
    SHORTEST_T2_IN_SPACINGS,
    Linearised,
    Problem,
    Solution,
    inverse,
    solve,
)
from .engine import Array, Estimate, Kernel, fit_voxels
from .parameter_map import ParameterMap, Status

LOW_SIGNAL_FACTOR = 5.0
"""A voxel whose fitted amplitude is no more than this many residual SDs has too little signal."""

START_COSINE = -0.85
"""Of the refocusing angle, where it is fitted: 148 degrees."""


def epg_echo_amplitudes(
    te_ms: float,
    n_echoes: int,
    t1_ms: ArrayLike,
    t2_ms: ArrayLike,
    refocusing_deg: float | Sequence[float] = 180.0,
    b1: ArrayLike = 1.0,
    excitation_deg: float = 90.0,
) -> F64:
    """Echo amplitudes of a CPMG train for M0 = 1, by the extended phase graph.

    Ideal crushing, instantaneous pulses, full recovery before the excitation. Recovered magnetisation never
    reaches an echo of a CPMG train, so the excitation only scales it.

    Args:
        te_ms: echo spacing, which is also the first echo time.
        n_echoes: echoes in the train.
        t1_ms, t2_ms, b1: numbers or arrays that broadcast against each other; b1 scales every pulse.
        refocusing_deg: nominal angle of all refocusing pulses, or one for each.
        excitation_deg: nominal angle of the excitation.

    Returns:
        (n_echoes, ...), the real echo amplitudes, ... being the broadcast shape of t1_ms, t2_ms and b1.

    Raises:
        InputError: a time is not positive, or the number of angles is not that of the echoes.
    """
    t1, t2, scale = np.broadcast_arrays(*(np.asarray(x, float) for x in (t1_ms, t2_ms, b1)))
    angles = np.atleast_1d(np.asarray(refocusing_deg, float))
    if angles.size not in (1, n_echoes):
        raise InputError(f"{angles.size} refocusing angles for {n_echoes} echoes; give one, or one per echo.")
    if te_ms <= 0 or (t1 <= 0).any() or (t2 <= 0).any():
        raise InputError("Echo spacing, T1 and T2 must be positive times in ms.")
    e1, e2 = np.exp(-te_ms / t1), np.exp(-te_ms / t2)
    # Orders k = 1, 3, 5, ... in half-spacing units just before each pulse; Z is kept as its imaginary part.
    n_orders = (n_echoes + 1) // 2 + 1
    plus, minus, z = np.zeros((3, n_orders, *t1.shape))
    plus[0] = np.sin(np.deg2rad(excitation_deg) * scale) * np.sqrt(e2)
    echoes = np.empty((n_echoes, *t1.shape))
    for n, angle in enumerate(np.broadcast_to(angles, n_echoes)):
        alpha = np.deg2rad(angle) * scale
        kept = min(n + 1, n_echoes - n)  # higher orders are empty or cannot be back in time for an echo
        p, m, stored = plus[:kept], minus[:kept], z[:kept]
        exchange = np.sin(alpha / 2) ** 2 * (m - p) + np.sin(alpha) * stored
        stored += np.sin(alpha) / 2 * (m - p) - 2 * np.sin(alpha / 2) ** 2 * stored
        p += exchange
        m -= exchange
        echoes[n] = np.sqrt(e2) * minus[0]
        first = minus[0].copy()
        plus[1:] = plus[:-1] * e2
        plus[0] = first * e2
        minus[:-1] = minus[1:] * e2
        minus[-1] = 0
        z *= e1
    return echoes


def fit_t2_epg(
    signal: ArrayLike,
    te_ms: ArrayLike,
    t1_ms: ArrayLike,
    b1: ArrayLike | None = None,
    *,
    refocusing_deg: float = 180.0,
    progress: Progress = no_progress,
) -> ParameterMap:
    """T2 by least squares on extended-phase-graph echo trains; all echoes are used.

    With a B1 map, M0 and T2 are fitted. Without one, the cosine of the refocusing angle is fitted too: at
    B1 = 1 that widens the standard error by some 7 %, at 0.7 by some 40 %, while taking B1 for 1 would reduce
    the model to the mono-exponential one and its bias. The cosine is left free to pass -1 (no angle has it,
    but the echo amplitudes are polynomials in it), for a bound there would bias T2 where B1 is near 1.

    Args:
        signal: (echoes, ...), magnitude.
        te_ms: (echoes,), equally spaced and starting at the spacing.
        t1_ms: T1, a number or a map; its influence is weak: half the true T1 lengthens T2 by 0.5 % at
            B1 = 0.8 and by 1 % at 0.7 (8 echoes of 13.8 ms).
        b1: relative B1 map (1 = nominal), or None.
        refocusing_deg: nominal refocusing angle, the same for all echoes; needed with `b1` alone.
        progress: see :data:`~her2map.progress.Progress`.

    Returns:
        The map of T2 in ms; `m0` is the signal at full excitation and TE = 0.

    Raises:
        InputError: echo times not equally spaced, too few echoes, T1 not positive, a B1 map in a wrong unit.
        Cancelled: raised by `progress`.
    """
    n_echoes = np.ma.getdata(signal).shape[0] if np.ndim(signal) else 0
    spacing = _echo_spacing(te_ms, n_echoes)
    t1: F64 = np.ma.filled(np.ma.asarray(t1_ms, dtype=float), np.nan)
    if not (t1[np.isfinite(t1)] > 0).any():
        raise InputError("t1_ms holds no positive T1 in ms; give a number such as 1400 or a T1 map.")
    t1 = np.where(t1 > 0, t1, np.nan)
    notes: tuple[str, ...]
    if b1 is None:
        method = "extended phase graph, M0, T2 and refocusing angle by variable projection"
        notes = ("No B1 map: the refocusing angle was fitted in each voxel along with T2.",)
        kernel, needed = _free_angle_kernel(spacing), 4
    else:
        method = f"extended phase graph at {refocusing_deg:g} degrees x B1, M0 and T2 by variable projection"
        notes = ()
        kernel, needed = _known_b1_kernel(spacing, refocusing_deg), 3
    if n_echoes < needed:
        raise InputError(
            f"The EPG fit needs {needed} echoes here, not {n_echoes}; use the mono-exponential fit."
        )
    return fit_voxels(
        kernel,
        signal,
        t1,
        None if b1 is None else usable_b1(b1),
        quantity="T2",
        method=method,
        notes=notes,
        progress=progress,
        chunk_voxels=4096,
    )


def _echo_spacing(te_ms: ArrayLike, n_echoes: int) -> float:
    te = np.asarray(te_ms, float).ravel()
    if te.size != n_echoes or te.size < 2 or not np.isfinite(te).all():
        raise InputError(
            f"te_ms has {te.size} usable echo times for {n_echoes} echo images; give one for each."
        )
    spacing = float(te[-1] / te.size)
    if spacing <= 0 or np.abs(te - spacing * np.arange(1, te.size + 1)).max() > 0.01 * spacing:
        raise InputError(
            "The EPG fit needs echo times in ms that are 1, 2, 3 and so on times one spacing, in that order; "
            "use the mono-exponential fit for other echo times."
        )
    return spacing


def _start_rate(y: F64, spacing: float) -> F64:
    """R2 in 1/ms from the slope of the logarithm, weighted by the squared signal."""
    positive = np.maximum(y, 1e-6)
    weight, log = positive**2, np.log(positive)
    te = spacing * np.arange(1, len(y) + 1)[:, None]
    total = weight.sum(axis=0)
    mean_te, mean_log = (weight * te).sum(axis=0) / total, (weight * log).sum(axis=0) / total
    return -(weight * (te - mean_te) * (log - mean_log)).sum(axis=0) / (weight * (te - mean_te) ** 2).sum(
        axis=0
    )


def _known_b1_kernel(spacing: float, refocusing_deg: float) -> Kernel:
    def kernel(signal: Array, t1: Array, b1: Array) -> Estimate:
        y, scale = _scaled(signal)
        x = np.cos(np.deg2rad(refocusing_deg) * b1.astype(float))
        problem = Problem(y, np.exp(-spacing / t1.astype(float)), x, spacing)
        return _estimate(problem, solve(problem, _start_rate(y, spacing)[None]), scale)

    return kernel


def _free_angle_kernel(spacing: float) -> Kernel:
    def kernel(signal: Array, t1: Array) -> Estimate:
        y, scale = _scaled(signal)
        problem = Problem(y, np.exp(-spacing / t1.astype(float)), None, spacing)
        rate = _start_rate(y, spacing)
        solution = solve(problem, np.array([rate, np.full_like(rate, START_COSINE)]))
        estimate = _estimate(problem, solution, scale)
        x = solution.theta[1]
        se_x = np.sqrt(_variance(problem, solution.at)[1])
        possible = (x < 0) & (x > -1.1 - 3 * se_x)
        estimate.status[(estimate.status == Status.FITTED) & ~possible] = Status.OUT_OF_RANGE
        return estimate

    return kernel


def _scaled(signal: Array) -> tuple[F64, F64]:
    """The signal over its greatest sample, in double precision as the series cancels; that sample."""
    scale = signal.max(axis=0).astype(float)
    scale[scale <= 0] = np.nan
    return signal / scale, scale


def _variance(problem: Problem, at: Linearised) -> F64:
    """(parameters, voxels), from the residuals."""
    n_parameters = len(at.gradient)
    diagonal = np.arange(n_parameters)
    noise_variance = at.rss / (len(problem.y) - n_parameters - 1)
    return noise_variance * inverse(at.normal)[diagonal, diagonal]


def _estimate(problem: Problem, solution: Solution, scale: F64) -> Estimate:
    theta, at, converged = solution
    t2 = 1 / theta[0]
    shortest = SHORTEST_T2_IN_SPACINGS * problem.spacing
    longest = LONGEST_T2_IN_TRAINS * problem.spacing * len(problem.y)
    status = np.full(t2.size, Status.FITTED, np.uint8)
    status[(t2 < shortest) | (t2 > longest)] = Status.OUT_OF_RANGE
    status[~converged] = Status.NOT_CONVERGED
    residual_sd = np.sqrt(at.rss / (len(problem.y) - len(theta) - 1))
    hopeless = ~(at.m0 > LOW_SIGNAL_FACTOR * residual_sd)
    status[hopeless] = Status.LOW_SIGNAL
    total = ((problem.y - problem.y.mean(axis=0)) ** 2).sum(axis=0)
    fields = t2, t2**2 * np.sqrt(_variance(problem, at)[0]), 1 - at.rss / total
    value, error, r_squared = (np.where(hopeless, np.nan, field) for field in fields)
    return Estimate(value, error, r_squared, status, at.m0 * scale)
