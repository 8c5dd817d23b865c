"""How good a model will be on new cases, by a bootstrap that repeats its whole selection.

Apparent figures, of a model on the cases that it was chosen and fitted on, are too good. In every resample
the rule of :mod:`her2map.statistics.selection` starts anew, so that the optimism of choosing is corrected.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from ..errors import InputError
from ..progress import Progress, no_progress
from .cases import Columns
from .estimate import TAILS, Array, Estimate
from .likelihood import Mask
from .parallel import in_order
from .performance import both_groups, performance
from .selection import ENTRY, Built, Candidates, build, chosen_names, prepare, rule_text

HARRELL = (
    "Harrell's optimism bootstrap: apparent figure less the mean, over resamples with replacement, of the "
    "model's figure in its resample less that on all cases; interval: 95 % of the figures in the resamples, "
    "shifted by the optimism (Noma et al. 2021)"
)
PLUS_632 = (
    ".632+ (Efron & Tibshirani 1997; for the area Sahiner et al. 2008): the mean figure on the cases outside "
    "the resample, weighted by the relative overfitting; no information: area 0.5, Brier score of all "
    "pairings of outcome and prediction"
)
RESAMPLES = 2000
CHUNK = 100
"""Resamples that are worked on together. It, and not the number of workers, decides how they are drawn."""
CHUNK_VALUES = 2_000_000
_NO_INTERVAL = "Its interval in the resamples says nothing: there a model is calibrated by construction."


@dataclass(frozen=True)
class Corrected:
    """A figure of a model, and what remains of it on new cases.

    Attributes:
        apparent: on the cases that the model was built on.
        optimism: mean over the resamples.
        corrected: Harrell's, apparent less optimism.
        outside: mean on the cases outside the resample. This and what follows: area and Brier score only.
        overfitting: relative, 0 to 1.
        weight: of `outside` in .632+.
        corrected_632: .632+.
    """

    apparent: float = math.nan
    optimism: float = math.nan
    corrected: Estimate = field(default_factory=Estimate)
    outside: float = math.nan
    overfitting: float = math.nan
    weight: float = math.nan
    corrected_632: float = math.nan


@dataclass(frozen=True)
class BootstrapValidation:
    """Figures corrected for optimism by the bootstrap.

    Attributes:
        n, events: the cases with an outcome, and the positive ones among them.
        resamples: how many were drawn.
        seed: of the resamples.
        rule: how a model is built, in words.
        left_out: the cases that lack the outcome.
        reason: why there are no figures; "" where there are.
        names: of the predictors of the model that the rule builds on all cases; none where none entered.
        auc, brier, slope, intercept: of that model.
        chosen: by candidate, the share of resamples in whose model it is.
        used: the resamples with a model.
        empty: of these, those in which no candidate entered: area 0.5, no slope.
        separated: of these, those in which Firth's penalty was needed.
        convention: in words.
    """

    n: int
    events: int
    resamples: int
    seed: int
    rule: str
    left_out: tuple[Hashable, ...]
    reason: str = ""
    names: tuple[str, ...] = ()
    auc: Corrected = field(default_factory=Corrected)
    brier: Corrected = field(default_factory=Corrected)
    slope: Corrected = field(default_factory=Corrected)
    intercept: Corrected = field(default_factory=Corrected)
    chosen: dict[str, float] = field(default_factory=dict)
    used: int = 0
    empty: int = 0
    separated: int = 0
    convention: str = f"{HARRELL}; {PLUS_632}"


def bootstrap(
    outcome: ArrayLike,
    candidates: Columns,
    entry: float | None = ENTRY,
    *,
    resamples: int = RESAMPLES,
    seed: int = 1,
    workers: int = 1,
    progress: Progress = no_progress,
) -> BootstrapValidation:
    """Apparent, optimism-corrected and .632+ figures of the model that the rule builds.

    Harrell, Lee & Mark, Stat Med 1996;15:361; Efron & Tibshirani, J Am Stat Assoc 1997;92:548; Sahiner et
    al., Med Phys 2008;35:1559; Noma et al., Stat Med 2021;40:5691.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        candidates: (n,) each, in the order in which they stay where some determine others; NaN where missing.
        entry: the p under which a candidate enters; None: all of them enter.
        resamples: how many.
        seed: the same seed gives the same figures, whatever `workers`.
        workers: threads; for small cohorts one is as fast as two.

    Raises:
        InputError: fewer than two resamples; or see :func:`~her2map.statistics.selection.select`.
        Cancelled: raised by `progress`.
    """
    if resamples < 2:
        raise InputError("A bootstrap needs at least two resamples.")
    data = prepare(outcome, candidates, entry)
    n = len(data.outcome)
    rows = max(1, min(CHUNK, CHUNK_VALUES // max(n, 1)))
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    draws = [partial(_draw, n, size, seed, chunk) for chunk, size in enumerate(sizes)]
    nothing = BootstrapValidation(
        n, int(data.outcome.sum()), resamples, seed, rule_text(entry), data.left_out
    )
    return bootstrap_of(data, draws, nothing, workers, progress)


def _draw(n: int, size: int, seed: int, chunk: int) -> Array:
    """(size, n) How often each case was drawn."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(chunk,)))
    drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)


def bootstrap_of(
    data: Candidates,
    draws: Sequence[Callable[[], Array]],
    nothing: BootstrapValidation,
    workers: int = 1,
    progress: Progress = no_progress,
) -> BootstrapValidation:
    """The same of given resamples.

    Args:
        draws: each makes the counts (rows, n) of some of them.
        nothing: the result yet without figures.
    """
    if not both_groups(data.outcome, np.ones((1, nothing.n)))[0]:
        return replace(nothing, reason="Cases of both groups are needed.")
    built = build(data, np.ones((1, nothing.n)))
    if not built.usable[0]:
        return replace(nothing, reason="No model can be built: too few cases have all of its predictors.")
    parts = in_order([partial(_resampled, data, draw) for draw in draws], workers, progress)
    found = _Resampled(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    if len(found.inside) < 2:
        return replace(nothing, reason="No model could be built in the resamples.")
    entered = found.entered[:, 1:]
    figures = _corrected(data, built, found)
    return replace(
        nothing,
        auc=figures["auc"],
        brier=figures["brier"],
        slope=figures["slope"],
        intercept=figures["intercept"],
        names=chosen_names(data.names, built.entered[0]),
        chosen={name: float(share) for name, share in zip(data.names, entered.mean(axis=0), strict=True)},
        used=len(entered),
        empty=int(np.count_nonzero(~entered.any(axis=1))),
        separated=int(np.count_nonzero(found.separated)),
    )


class _Resampled(NamedTuple):
    """Of the resamples with a model.

    Attributes:
        inside, whole: (m, 4) figures in the resample and on all cases.
        outside: (m, 2) area and Brier score on the cases outside it.
        entered: (m, p) predictors.
        separated: (m,)
    """

    inside: Array
    whole: Array
    outside: Array
    entered: Mask
    separated: Mask


def _resampled(data: Candidates, draw: Callable[[], Array]) -> _Resampled:
    weights = draw()
    built = build(data, weights)
    kept = built.usable
    log_odds, has_all, weights = built.log_odds[kept], built.has_all[kept], weights[kept]
    inside, whole, outside = (
        np.column_stack(performance(data.outcome, log_odds, counted * has_all))
        for counted in (weights, np.ones(weights.shape), (weights == 0).astype(float))
    )
    return _Resampled(inside, whole, outside[:, :2], built.entered[kept], built.separated[kept])


def _corrected(data: Candidates, built: Built, found: _Resampled) -> dict[str, Corrected]:
    counted = built.has_all.astype(float)
    apparent = np.column_stack(performance(data.outcome, built.log_odds, counted))[0]
    optimism = _means(found.inside - found.whole)
    low, high = np.quantile(found.inside[:, :2], TAILS, axis=0) - optimism[:2]
    outside = _means(found.outside)
    none = (0.5, _pairings_brier(data.outcome[built.has_all[0]], built.log_odds[0, built.has_all[0]]))
    figures = {}
    for i, name in enumerate(("auc", "brier")):
        value = float(apparent[i] - optimism[i])
        interval = Estimate(value, max(0.0, float(low[i])), min(1.0, float(high[i])))
        plain = Corrected(float(apparent[i]), float(optimism[i]), interval)
        figures[name] = _plus_632(plain, float(outside[i]), none[i])
    for i, name in ((2, "slope"), (3, "intercept")):
        value = float(apparent[i] - optimism[i])
        reason = "No candidate entered the model." if math.isnan(value) else _NO_INTERVAL
        figures[name] = Corrected(float(apparent[i]), float(optimism[i]), Estimate(value, reason=reason))
    return figures


def _means(values: Array) -> Array:
    """(k,) Over the rows (m, k) that have a number; NaN where none has."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _plus_632(figure: Corrected, outside: float, none: float) -> Corrected:
    """Adds .632+; `none`, the figure without information, is less than an area and more than a score."""
    apparent = figure.apparent
    toward = 1.0 if none <= apparent else -1.0
    held = none + toward * max(0.0, toward * (outside - none))  # no worse than without information
    gained = apparent - none
    rate = (apparent - held) / gained if gained != 0 and (apparent - held) / gained > 0 else 0.0
    weight = 0.632 / (1 - 0.368 * rate)
    return replace(
        figure,
        outside=outside,
        overfitting=rate,
        weight=weight,
        corrected_632=(1 - weight) * apparent + weight * held,
    )


def _pairings_brier(outcome: Array, log_odds: Array) -> float:
    """Mean squared difference over all pairings of an outcome with a prediction."""
    predicted, share = expit(log_odds), outcome.mean()
    return float(share * ((1 - predicted) ** 2).mean() + (1 - share) * (predicted**2).mean())
