"""The Rician distribution: magnitude of a signal with Gaussian noise of unit SD in both channels."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, i1e

from .engine import Array


def bessel_ratio(z: Array) -> Array:
    """I1(z) / I0(z)."""
    return i1e(z) / i0e(z)


def rician_mean(signal: Array) -> Array:
    """Expected magnitude of `signal` in noise of unit SD (Koay & Basser, J Magn Reson 2006;179:317)."""
    half = signal * signal / 4
    return np.sqrt(np.pi / 2) * ((1 + 2 * half) * i0e(half) + 2 * half * i1e(half))


def fisher_information(signal: Array) -> Array:
    """Of one magnitude sample about its true `signal`, noise SD 1; close to 1 for a strong signal."""
    signals, values = _fisher_table()
    return np.interp(signal, signals, values)


@cache
def _fisher_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """E[(y I1/I0(y s))²] - s² by Gauss-Legendre quadrature over the Rician density of y."""
    signals = np.linspace(0, 40, 4001)
    nodes, weights = np.polynomial.legendre.leggauss(100)
    lowest = np.maximum(signals - 10, 0)[:, None]
    half = (signals[:, None] + 10 - lowest) / 2
    y = lowest + half * (1 + nodes)
    z = y * signals[:, None]
    density = half * weights * y * np.exp(-0.5 * (y - signals[:, None]) ** 2) * i0e(z)
    return signals, (density * (y * bessel_ratio(z)) ** 2).sum(axis=1) - signals**2
