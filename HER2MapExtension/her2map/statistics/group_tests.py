"""Tests of a number in two or more samples: of equal variances, of means, of ranks."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from .estimate import Array
from .pairs import rank_variance, welch_spread
from .tested import Tested

LEVENE = "Levene 1960: analysis of variance of the absolute deviations from the group's mean"
BROWN_FORSYTHE = "Brown & Forsythe 1974: the same from the group's median"
RANKS = "corrected for ties, chi-square approximation"
MANN_WHITNEY = "normal approximation, corrected for ties, without continuity correction, as SPSS"
MANN_WHITNEY_CONTINUITY = "normal approximation, corrected for ties, with continuity correction, as R"
MANN_WHITNEY_EXACT = "exact, for samples of fewer than 50 without ties"


def homogeneity(samples: Sequence[Array]) -> tuple[Tested, Tested]:
    """Levene's and Brown and Forsythe's test; each sample has at least one value."""
    found = []
    for name, middle, convention in (
        ("Levene", np.mean, LEVENE),
        ("Brown-Forsythe", np.median, BROWN_FORSYTHE),
    ):
        deviations = [np.abs(sample - middle(sample)) for sample in samples]
        found.append(_analysis_of_variance(deviations, name, convention))
    return found[0], found[1]


def equal_variances(samples: Sequence[Array]) -> Tested:
    """Student's t-test of two samples, one-way analysis of variance of more."""
    if len(samples) != 2:
        return _analysis_of_variance(samples, "one-way ANOVA", "")
    found = _analysis_of_variance(samples, "Student's t-test", "pooled variance")
    sign = math.copysign(1.0, samples[0].mean() - samples[1].mean())
    return Tested(
        found.name,
        sign * math.sqrt(found.statistic),
        found.p,
        found.df[1:],
        found.n,
        found.convention,
        found.reason,
    )


def unequal_variances(samples: Sequence[Array]) -> Tested:
    """Welch's t-test of two samples, his analysis of variance (Biometrika 1951;38:330) of more."""
    name = "Welch's t-test" if len(samples) == 2 else "Welch's ANOVA"
    convention = "degrees of freedom by Welch & Satterthwaite" if len(samples) == 2 else "Welch 1951"
    n = sum(len(sample) for sample in samples)
    reason = _too_few(samples)
    if not reason and min(len(sample) for sample in samples) < 2:
        reason = "A group has one case only."
    if not reason and len(samples) > 2 and min(float(np.ptp(sample)) for sample in samples) == 0:
        reason = "The values within a group do not vary."
    if reason:
        return Tested(name, n=n, convention=convention, reason=reason)
    if len(samples) == 2:
        spread, df, reason = welch_spread(*samples)
        if reason:
            return Tested(name, n=n, convention=convention, reason=reason)
        t = float(samples[0].mean() - samples[1].mean()) / spread
        return Tested(name, t, 2 * float(stats.t.sf(abs(t), df)), (df,), n, convention)
    k = len(samples)
    weights = np.array([len(sample) / sample.var(ddof=1) for sample in samples])
    means = np.array([sample.mean() for sample in samples])
    shares = weights / weights.sum()
    lack = sum((1 - share) ** 2 / (len(sample) - 1) for share, sample in zip(shares, samples, strict=True))
    between = float(weights @ (means - shares @ means) ** 2) / (k - 1)
    f = between / (1 + 2 * (k - 2) / (k**2 - 1) * lack)
    df2 = (k**2 - 1) / (3 * lack)
    return Tested(name, f, float(stats.f.sf(f, k - 1, df2)), (k - 1, df2), n, convention)


def rank_test(samples: Sequence[Array]) -> Tested:
    """The Mann-Whitney test of two samples, Kruskal and Wallis' of more."""
    name, convention = ("Mann-Whitney", MANN_WHITNEY) if len(samples) == 2 else ("Kruskal-Wallis", RANKS)
    n = sum(len(sample) for sample in samples)
    reason = _too_few(samples)
    everyone = np.concatenate(samples) if samples else np.empty(0)
    variance = rank_variance(everyone)
    if not reason and variance == 0:
        reason = "All values are the same."
    if reason:
        return Tested(name, n=n, convention=convention, reason=reason)
    ranks = np.split(stats.rankdata(everyone), np.cumsum([len(sample) for sample in samples])[:-1])
    h = sum(len(part) * (float(part.mean()) - (n + 1) / 2) ** 2 for part in ranks) / variance
    p = float(stats.chi2.sf(h, len(samples) - 1))
    if len(samples) > 2:
        return Tested(name, h, p, (len(samples) - 1,), n, convention)
    u = float(ranks[0].sum()) - len(samples[0]) * (len(samples[0]) + 1) / 2
    return Tested(name, u, p, (), n, convention)


def mann_whitney_others(samples: Sequence[Array]) -> tuple[Tested, ...]:
    """The Mann-Whitney test with continuity correction, and exact where that can be."""
    plain = rank_test(samples)
    if len(samples) != 2 or plain.reason:
        return ()
    continuous = stats.mannwhitneyu(*samples, use_continuity=True, method="asymptotic")
    found = [
        Tested(plain.name, plain.statistic, float(continuous.pvalue), (), plain.n, MANN_WHITNEY_CONTINUITY)
    ]
    everyone = np.concatenate(samples)
    if max(len(sample) for sample in samples) < 50 and len(np.unique(everyone)) == len(everyone):
        exact = stats.mannwhitneyu(*samples, method="exact")
        found.append(
            Tested(plain.name, plain.statistic, float(exact.pvalue), (), plain.n, MANN_WHITNEY_EXACT)
        )
    return tuple(found)


def _analysis_of_variance(samples: Sequence[Array], name: str, convention: str) -> Tested:
    n, k = sum(len(sample) for sample in samples), len(samples)
    reason = _too_few(samples)
    if not reason and n <= k:
        reason = "No group has two cases."
    if reason:
        return Tested(name, n=n, convention=convention, reason=reason)
    centred = [sample - sample.mean() for sample in samples]
    within = sum(float(sample @ sample) for sample in centred)
    grand = float(np.concatenate(samples).mean())
    between = sum(len(sample) * (float(sample.mean()) - grand) ** 2 for sample in samples)
    largest = max(float(np.abs(sample).max()) for sample in samples)
    if within <= n * (1e-14 * largest) ** 2:
        reason = "The values within the groups do not vary."
        return Tested(name, n=n, convention=convention, reason=reason)
    f = between / (k - 1) / (within / (n - k))
    return Tested(name, f, float(stats.f.sf(f, k - 1, n - k)), (k - 1, n - k), n, convention)


def _too_few(samples: Sequence[Array]) -> str:
    if len(samples) > 1:
        return ""
    return "Only one group has cases." if samples else "No group has a case."
