"""The variance of a median, by which repeats of a reader count."""

import math
from functools import lru_cache

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm


@lru_cache
def median_variance(count: int) -> float:
    """The variance of the median of `count` independent normal values with variance 1.

    By quadrature of the density of the order statistics in the middle (David & Nagaraja, Order Statistics,
    2003, section 2.1).
    """
    return _odd(count) if count % 2 else _even(count)


def _odd(n: int) -> float:
    side = (n - 1) // 2
    weight = (side + 1) * math.comb(n, side + 1)

    def density(x: float) -> float:
        return float(x**2 * weight * (norm.cdf(x) * norm.sf(x)) ** side * norm.pdf(x))

    return float(quad(density, -10, 10, epsabs=1e-12)[0])


def _even(n: int) -> float:
    half = n // 2
    weight = math.factorial(n) / math.factorial(half - 1) ** 2
    nodes, weights = np.polynomial.legendre.leggauss(200)
    low, apart = np.meshgrid(9 * nodes, 9 * (1 + nodes), indexing="ij")
    high, area = low + apart, 81 * np.outer(weights, weights)
    density = weight * (norm.cdf(low) * norm.sf(high)) ** (half - 1) * norm.pdf(low) * norm.pdf(high)
    return float(np.sum(area * density * ((low + high) / 2) ** 2))
