"""Magnitudes in noise: Rician for one channel, noncentral chi for a sum of squares over several.

A magnitude y of a true signal s, noise of unit SD in the real and the imaginary part of each of L channels,
has the density ``y**L s**(1-L) exp(-(y*y + s*s)/2) I_(L-1)(y s)`` (Constantinides et al., Magn Reson Med
1997;38:852); L = 1 is the Rician distribution.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1, ive

from .engine import Array

_SMALLEST_PRODUCT = 1e-6
_INTERVALS = 16384
_STRONG_SIGNAL = 40.0
_STEPS = 50
"""Table entries per unit of signal."""


def bessel_ratio(z: Array, n_channels: int) -> Array:
    """I_L(z) / I_(L-1)(z), to 1e-8: y times this, z = y s, is the expected in-phase part of a magnitude y."""
    return _looked_up(_bessel_tables(n_channels)[0], z, n_channels)


def log_likelihood(y: Array, signal: Array, n_channels: int) -> Array:
    """Of true signals given magnitudes, without the terms that do not depend on the signal."""
    z = y * signal
    smooth = _looked_up(_bessel_tables(n_channels)[1], z, n_channels)
    return smooth - (n_channels - 0.5) * np.log(z + n_channels) - 0.5 * (y - signal) ** 2


def _looked_up(table: NDArray[np.float64], z: Array, n_channels: int) -> Array:
    """Linear interpolation in z / (z + L), in which both tables are smooth from z = 0 to infinity."""
    return _between(table, z * (_INTERVALS / (z + n_channels)))


def _between(table: NDArray[np.float64], place: Array) -> Array:
    """Linear interpolation at fractional indices from 0 to the last; NaN for NaN."""
    left = np.fmax(np.fmin(place, len(table) - 2), 0).astype(np.intp)
    low = table[left]
    return low + (place - left) * (table[left + 1] - low)


@cache
def _bessel_tables(n_channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ratio, and ln(I_(L-1)(z) exp(-z) / z**(L-1)) + (L - 1/2) ln(z + L), at equal steps of z / (z + L).

    SciPy's Bessel functions of integer order would take most of the time of a fit.
    """
    share = np.arange(_INTERVALS) / _INTERVALS
    z = np.maximum(n_channels * share / (1 - share), _SMALLEST_PRODUCT)
    ratio = ive(n_channels, z) / ive(n_channels - 1, z)
    smooth = np.log(_scaled_bessel(z, n_channels)) + (n_channels - 0.5) * np.log(z + n_channels)
    return np.append(ratio, 1.0), np.append(smooth, -0.5 * np.log(2 * np.pi))


def _scaled_bessel(z: Array, n_channels: int) -> Array:
    """I_(L-1)(z) exp(-z) / z**(L-1)."""
    z = np.maximum(z, _SMALLEST_PRODUCT)
    return ive(n_channels - 1, z) / z ** (n_channels - 1)


def mean_magnitude(signal: Array, n_channels: int) -> Array:
    """The expected magnitude of a true signal, to 1e-4 of the noise SD."""
    weak = _between(_mean_table(n_channels), np.fmin(signal, _STRONG_SIGNAL) * _STEPS)
    return np.where(signal < _STRONG_SIGNAL, weak, np.sqrt(signal * signal + 2 * n_channels - 1))


@cache
def _mean_table(n_channels: int) -> NDArray[np.float64]:
    factor = np.sqrt(2) * np.exp(gammaln(n_channels + 0.5) - gammaln(n_channels))
    return np.asarray(factor * hyp1f1(-0.5, n_channels, -0.5 * _signals() ** 2))


def _signals() -> NDArray[np.float64]:
    """The signals of the tables' entries."""
    return np.arange(_STRONG_SIGNAL * _STEPS + 1) / _STEPS


def fisher_information(signal: Array, n_channels: int) -> Array:
    """Of one magnitude about its true signal; close to 1 for a strong signal."""
    return _between(_fisher_table(n_channels), np.fmin(signal, _STRONG_SIGNAL) * _STEPS)


@cache
def _fisher_table(n_channels: int) -> NDArray[np.float64]:
    """The variance of the score, E[(y I_L / I_(L-1))²] - s², by Gauss-Legendre quadrature over y."""
    signals = _signals()
    nodes, weights = np.polynomial.legendre.leggauss(100)
    centre = np.sqrt(signals * signals + 2 * n_channels - 1)[:, None]
    lowest = np.maximum(centre - 10, 0)
    half = (centre + 10 - lowest) / 2
    y = lowest + half * (1 + nodes)
    z = y * signals[:, None]
    density = (
        y ** (2 * n_channels - 1) * np.exp(-0.5 * (y - signals[:, None]) ** 2) * _scaled_bessel(z, n_channels)
    )
    expected = (half * weights * density * (y * bessel_ratio(z, n_channels)) ** 2).sum(axis=1)
    return np.asarray(expected - signals**2)
