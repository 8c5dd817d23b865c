"""Signals of the exam's sequences at a point; times in ms, angles in radians."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..relaxometry.epg import epg_echo_amplitudes

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def spoiled_gradient_echo(t1_ms: ArrayLike, tr_ms: float, angle_rad: ArrayLike) -> Array:
    """Steady state for M0 = 1: sin(a) (1 - E1) / (1 - E1 cos(a)), E1 = exp(-TR/T1) (Ernst)."""
    e1 = np.exp(-tr_ms / np.asarray(t1_ms, float))
    return np.sin(angle_rad) * (1 - e1) / (1 - e1 * np.cos(angle_rad))


def look_locker(t1_ms: ArrayLike, ti_ms: ArrayLike, angle_rad: ArrayLike, pulse_interval_ms: float) -> Array:
    """Longitudinal magnetisation `ti_ms` after a perfect inversion, read all the while, for M0 = 1.

    The pulses add -ln(cos a)/interval to the recovery rate: 1/T1* = 1/T1 - ln(cos a)/interval, and the
    magnetisation runs from -1 to T1*/T1 (Deichmann and Haase, J Magn Reson 1992;96:608).
    """
    t1 = np.asarray(t1_ms, float)
    t1_star = 1.0 / (1.0 / t1 - np.log(np.cos(angle_rad)) / pulse_interval_ms)
    end = t1_star / t1
    return end - (1.0 + end) * np.exp(-np.asarray(ti_ms, float) / t1_star)


def spin_echo_train(
    t1_ms: ArrayLike, t2_ms: ArrayLike, b1: ArrayLike, spacing_ms: float, n_echoes: int, tr_ms: float
) -> Array:
    """Echo amplitudes (echoes, points) of a 90-180-180-... train with stimulated echoes, for M0 = 1."""
    recovered = 1.0 - np.exp(-tr_ms / np.asarray(t1_ms, float))
    return epg_echo_amplitudes(spacing_ms, n_echoes, t1_ms, t2_ms, 180.0, b1) * recovered


def through_slice_dephasing(gradient_hz_per_mm: ArrayLike, thickness_mm: float, te_ms: float) -> Array:
    """Signal left at `te_ms` in a box slice across which the frequency changes linearly (Yablonskiy 1998)."""
    return np.sinc(np.asarray(gradient_hz_per_mm, float) * thickness_mm * te_ms / 1000.0)


def chemical_shift_phase(te_ms: float, shift_hz: float) -> complex:
    """exp(i 2 pi shift TE): the phase of fat against water in a gradient echo."""
    return complex(np.exp(2j * np.pi * shift_hz * te_ms / 1000.0))
