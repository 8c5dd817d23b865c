"""Simulated tumours after Zhang et al. 2026.

The paper (Quant Imaging Med Surg 16(4):288, doi 10.21037/qims-2025-1449) prints no coefficients. The cohort
meets what it does print (`PUBLISHED`, the group sizes and the AUCs); `ASSUMPTIONS` lists all the rest.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root
from scipy.stats import norm

Array = NDArray[np.float64]

SEED = 20260227


@dataclass(frozen=True)
class GroupFigures:
    """What the paper prints of a group, and what is assumed of it.

    Attributes:
        n: cases.
        delta_t1_ms, delta_t1_ratio: mean and SD, published.
        t2star_median_ms: assumed.
        er_positive: share of ER positive cases, assumed.
    """

    n: int
    delta_t1_ms: tuple[float, float]
    delta_t1_ratio: tuple[float, float]
    t2star_median_ms: float
    er_positive: float


PUBLISHED = {
    "HER2-low": GroupFigures(72, (1441, 400), (0.747, 0.085), 24.0, 0.82),
    "HER2-positive": GroupFigures(86, (1208, 295), (0.669, 0.093), 30.0, 0.58),
}
AUC_T2STAR = 0.800
AUC_T1_POST = 0.762
AUC_MODEL = 0.854
T2STAR_T1_POST_CORRELATION = 0.24
"""Within a group, on the logarithms; chosen so that the model's AUC in the population is `AUC_MODEL`."""

ASSUMPTIONS = (
    "T1_pre, T1_post and T2star are log-normal within each group.",
    "log T1_pre and log(T1_post / T1_pre) correlate alike in both groups, so that T1_post has its AUC.",
    "T2star is longer in HER2-positive tumours (of T2star only the AUC is taken from the paper): "
    "it lengthens with the histological grade (Seo et al. 2017, doi 10.3348/kjr.2017.18.1.238).",
    "Median T2star 24 ms in HER2-low and 30 ms in HER2-positive tumours, with equal spread of the logarithm.",
    "ER is positive in 82 % of HER2-low and 58 % of HER2-positive tumours, and independent of T1 and T2star.",
    f"log T2star and log T1_post correlate with {T2STAR_T1_POST_CORRELATION:g} within each group, "
    "so that the model has its AUC.",
    "Field strength 3 T.",
)


@dataclass(frozen=True, eq=False)
class Cohort:
    """Simulated cases, one entry a case.

    Attributes:
        her2_positive, er_positive: 0 or 1.
        T1_pre, T1_post, T2star: in ms.
    """

    her2_positive: Array
    er_positive: Array
    T1_pre: Array
    T1_post: Array
    T2star: Array

    @property
    def design(self) -> Array:
        """(cases, 4): 1, ER, T2star, T1_post, as the model takes them."""
        return np.column_stack([np.ones_like(self.T2star), self.er_positive, self.T2star, self.T1_post])


@dataclass(frozen=True)
class _LogT1:
    """A group's log T1_pre and log T1_post (T in ms), jointly normal."""

    pre_mean: float
    pre_sd: float
    post_mean: float
    post_sd: float
    correlation: float


def simulate(cohorts: int, seed: int = SEED) -> Cohort:
    """`cohorts` cohorts of the paper's size, one after the other; each has its HER2-low cases first."""
    rng = np.random.default_rng(seed)
    groups = [_draw(rng, name, (cohorts, figures.n)) for name, figures in PUBLISHED.items()]
    return Cohort(*(np.hstack(columns).ravel() for columns in zip(*groups, strict=True)))  # cohort by cohort


def simulate_group(name: str, count: int, rng: np.random.Generator) -> Cohort:
    """`count` cases of one group of `PUBLISHED`."""
    return Cohort(*(column.ravel() for column in _draw(rng, name, (1, count))))


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, int]) -> list[Array]:
    """her2_positive, er_positive, T1_pre, T1_post, T2star of a group; each of `shape` (cohorts, cases)."""
    positive = list(PUBLISHED).index(name)
    figures, t1 = PUBLISHED[name], _log_t1()[positive]
    z = rng.standard_normal((3, *shape))
    pre = t1.correlation * z[0] + math.sqrt(1 - t1.correlation**2) * z[1]
    rho = T2STAR_T1_POST_CORRELATION
    t2star = rho * z[0] + math.sqrt(1 - rho**2) * z[2]
    return [
        np.full(z.shape[1:], float(positive)),
        (rng.random(z.shape[1:]) < figures.er_positive).astype(float),
        np.exp(t1.pre_mean + t1.pre_sd * pre),
        np.exp(t1.post_mean + t1.post_sd * z[0]),
        figures.t2star_median_ms * np.exp(_t2star_log_sd() * t2star),
    ]


def _t2star_log_sd() -> float:
    low, positive = PUBLISHED.values()
    return math.log(positive.t2star_median_ms / low.t2star_median_ms) / (
        math.sqrt(2) * float(norm.ppf(AUC_T2STAR))
    )


@lru_cache
def _log_t1() -> tuple[_LogT1, _LogT1]:
    """The log-normal T1 of both groups that meets the published delta T1, its ratio and AUC of T1_post."""

    def of(coupling: float) -> tuple[_LogT1, _LogT1]:
        low, positive = (_log_t1_of(figures, coupling) for figures in PUBLISHED.values())
        return low, positive

    def excess(coupling: float) -> float:
        low, positive = of(coupling)
        spread = math.hypot(low.post_sd, positive.post_sd)
        return float(norm.cdf((positive.post_mean - low.post_mean) / spread)) - AUC_T1_POST

    return of(brentq(excess, -0.9, 0.0, xtol=1e-12))


def _log_t1_of(figures: GroupFigures, coupling: float) -> _LogT1:
    """`coupling`: the correlation of log T1_pre and log(T1_post / T1_pre)."""
    (delta_mean, delta_sd), (ratio_mean, ratio_sd) = figures.delta_t1_ms, figures.delta_t1_ratio
    # T1_post / T1_pre = 1 - ratio is log-normal, so its mean and SD fix it.
    rest_variance = math.log1p((ratio_sd / (1 - ratio_mean)) ** 2)
    rest_mean = math.log(1 - ratio_mean) - rest_variance / 2

    def log_t1(pre_mean: float, pre_sd: float) -> _LogT1:
        covariance = coupling * pre_sd * math.sqrt(rest_variance)
        post_sd = math.sqrt(pre_sd**2 + rest_variance + 2 * covariance)
        correlation = (pre_sd**2 + covariance) / (pre_sd * post_sd)
        return _LogT1(pre_mean, pre_sd, pre_mean + rest_mean, post_sd, correlation)

    def misfit(unknown: Array) -> list[float]:
        t1 = log_t1(*unknown)
        pre, post = (
            math.exp(m + s**2 / 2) for m, s in ((t1.pre_mean, t1.pre_sd), (t1.post_mean, t1.post_sd))
        )
        variance = (
            pre**2 * math.expm1(t1.pre_sd**2)
            + post**2 * math.expm1(t1.post_sd**2)
            - 2 * pre * post * math.expm1(t1.correlation * t1.pre_sd * t1.post_sd)
        )
        return [(pre - post) / delta_mean - 1, variance / delta_sd**2 - 1]

    return log_t1(*root(misfit, [math.log(delta_mean / ratio_mean), 0.2], tol=1e-12).x)
