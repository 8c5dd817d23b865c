"""Magnitudes in noise: Rician for one channel, noncentral chi for a sum of squares over several.

A magnitude y of a true signal s, noise of unit SD in the real and the imaginary part of each of L channels,
has the density ``y**L s**(1-L) exp(-(y*y + s*s)/2) I_(L-1)(y s)`` (Constantinides et al., Magn Reson Med
1997;38:852); L = 1 is the Rician distribution.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, hyp1f1, i0e, i1e, ive

from .engine import Array

_SMALLEST_PRODUCT = 1e-6
_STRONG_SIGNAL = 40.0


def bessel_ratio(z: Array, n_channels: int) -> Array:
    """I_L(z) / I_(L-1)(z): y times this, z = y s, is the expected in-phase part of a magnitude y."""
    if n_channels == 1:
        return i1e(z) / i0e(z)
    z = np.maximum(z, _SMALLEST_PRODUCT)
    return ive(n_channels, z) / ive(n_channels - 1, z)


def log_likelihood(y: Array, signal: Array, n_channels: int) -> Array:
    """Of true signals given magnitudes, without the terms that do not depend on the signal."""
    return np.log(_scaled_bessel(y * signal, n_channels)) - 0.5 * (y - signal) ** 2


def _scaled_bessel(z: Array, n_channels: int) -> Array:
    """I_(L-1)(z) exp(-z) / z**(L-1)."""
    if n_channels == 1:
        return i0e(z)
    z = np.maximum(z, _SMALLEST_PRODUCT)
    return ive(n_channels - 1, z) / z ** (n_channels - 1)


def mean_magnitude(signal: Array, n_channels: int) -> Array:
    """The expected magnitude of a true signal."""
    factor = np.sqrt(2) * np.exp(gammaln(n_channels + 0.5) - gammaln(n_channels))
    weak = np.minimum(signal, _STRONG_SIGNAL)
    expected = factor * hyp1f1(-0.5, n_channels, -0.5 * weak * weak)
    return np.where(signal > weak, np.sqrt(signal * signal + 2 * n_channels - 1), expected)


def fisher_information(signal: Array, n_channels: int) -> Array:
    """Of one magnitude about its true signal; close to 1 for a strong signal."""
    return np.interp(signal, *_fisher_table(n_channels))


@cache
def _fisher_table(n_channels: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The variance of the score, E[(y I_L / I_(L-1))²] - s², by Gauss-Legendre quadrature over y."""
    signals = np.linspace(0, _STRONG_SIGNAL, 2001)
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
    return signals, expected - signals**2
