"""T1 from inversion recovery: Look-Locker readouts (MOLLI) and spin echoes, magnitude signals.

Look-Locker correction: Deichmann & Haase 1992, doi 10.1016/0022-2364(92)90347-A; MOLLI: Messroghli et al.
2004, doi 10.1002/mrm.20110. The solver is in :mod:`.recovery`.
"""

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .engine import fit_voxels
from .parameter_map import ParameterMap
from .recovery import Readout, Recovery

NOTE_SNR, NOTE_PRECISION, NOTE_T1 = 50, 0.1, (50.0, 5000.0)
"""The map's note says where between 50 and 5000 ms the bound on the SD is at most 10 %."""

SAMPLES_PER_CHUNK = 2**17
"""Half the engine's: the search holds every sign pattern at every T of its grid."""


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
    uncertain by half. Where the null falls on or between close inversion times it is too low, as the sign
    that fits better is taken: at SNR 50 by up to a sixth of the true spread (root mean square over the
    voxels; a third in the median voxel) at the five TIs 100 to 800 ms, and by up to a third at MOLLI's eight
    for T1 near 260 ms, a quarter near 1400 ms. `noise` brings the five TIs to about a tenth, not MOLLI's.

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
        method=f"{_formula(recovery)}, magnitude with sign by trial, least squares by variable projection",
        notes=_notes(recovery),
        progress=progress,
        chunk_voxels=SAMPLES_PER_CHUNK // recovery.order.size,
    )


def recovery_curve(
    signal: ArrayLike,
    ti_ms: ArrayLike,
    at_ms: ArrayLike,
    readout: Readout = "look_locker",
    tr_ms: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """The magnitude curve that :func:`fit_inversion_recovery` fits to one signal, at other inversion times.

    Args:
        signal: (n,), all finite.
        at_ms: (m,), inversion times of the curve.
        ti_ms, readout, tr_ms: as for the fit; where TR varies, the curve is that of the longest.

    Returns:
        (m,), in the unit of `signal`.

    Raises:
        InputError: as for the fit.
    """
    recovery = _recovery(ti_ms, readout, tr_ms)
    magnitude = np.asarray(signal, float)[recovery.order, None]
    log_t, at, _ = recovery.converge(*recovery.choose(magnitude))
    t = np.exp(log_t)
    full = 1.0 if recovery.tr is None else 1 + np.exp(-recovery.tr.max() / t)
    return np.abs(at.a * full + at.b * np.exp(-np.asarray(at_ms, float) / t))


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
        SD / T1 for Gaussian noise, in the shape of `t1_ms`; infinite where T1 is not determined at all.

    Raises:
        InputError: as for the fit, or a T1 or SNR that is not positive.
    """
    recovery = _recovery(ti_ms, readout, tr_ms)
    t1 = np.asarray(t1_ms, float)
    if not (np.all(t1 > 0) and snr > 0 and inversion > (readout == "look_locker")):
        raise InputError("T1 and SNR must be positive, and B/A above 1 for a Look-Locker readout.")
    return recovery.precision(t1.ravel(), snr, inversion).reshape(t1.shape).astype(float)


def _recovery(ti_ms: ArrayLike, readout: Readout, tr_ms: ArrayLike | None) -> Recovery:
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


def _formula(recovery: Recovery) -> str:
    if recovery.readout == "look_locker":
        return "S = |A - B exp(-TI/T1*)|, T1 = T1* (B/A - 1)"
    return "S = |A - C exp(-TI/T1)|" if recovery.tr is None else "S = |A (1 + exp(-TR/T1)) - C exp(-TI/T1)|"


def _notes(recovery: Recovery) -> tuple[str, ...]:
    """What a reader of the map must know of the model and of the choice of inversion times."""
    t1 = np.geomspace(*NOTE_T1, 200)
    good = t1[recovery.precision(t1, NOTE_SNR, 1.9) <= NOTE_PRECISION]
    extent = f"only between {good[0]:.0f} and {good[-1]:.0f} ms" if good.size else "nowhere"
    precision = (
        f"At SNR {NOTE_SNR} the inversion times determine T1 to {NOTE_PRECISION:.0%} or better {extent}."
    )
    if recovery.readout == "spin_echo" and recovery.tr is None:
        return precision, "Incomplete recovery between the inversions is not modelled, as no TR was given."
    return (precision,)
