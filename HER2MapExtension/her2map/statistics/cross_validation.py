"""Repeated stratified cross-validation of a model, the whole of its selection repeated in every fold."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .cases import Columns
from .estimate import Array
from .parallel import in_order
from .performance import performance, weighted_auc
from .selection import ENTRY, Candidates, build, prepare, rule_text

CROSS_VALIDATION = (
    "stratified by the outcome; area: mean over the folds of all rounds; Brier score, calibration slope and "
    "pooled area: of the held-out predictions of a round, mean over the rounds; SD: of the rounds' areas"
)
FOLDS, ROUNDS = 10, 20


@dataclass(frozen=True)
class CrossValidation:
    """Figures on cases that were held out.

    Attributes:
        n, events: the cases with an outcome, and the positive ones among them.
        folds, rounds: into how many parts the cases were split, how often.
        seed: of the splits.
        rule: how a model is built, in words.
        left_out: the cases that lack the outcome.
        reason: why there are no figures; "" where there are.
        auc: mean area within the folds.
        auc_sd: between rounds, of their mean areas; NaN for one round.
        auc_pooled: area of the held-out predictions of a round together.
        brier, slope: of the held-out predictions.
        chosen: by candidate, the share of models in which it is.
        used: the folds of all rounds with a model.
        convention: in words.
    """

    n: int
    events: int
    folds: int
    rounds: int
    seed: int
    rule: str
    left_out: tuple[Hashable, ...]
    reason: str = ""
    auc: float = math.nan
    auc_sd: float = math.nan
    auc_pooled: float = math.nan
    brier: float = math.nan
    slope: float = math.nan
    chosen: dict[str, float] = field(default_factory=dict)
    used: int = 0
    convention: str = CROSS_VALIDATION


def cross_validate(
    outcome: ArrayLike,
    candidates: Columns,
    entry: float | None = ENTRY,
    *,
    folds: int = FOLDS,
    rounds: int = ROUNDS,
    seed: int = 1,
    workers: int = 1,
    progress: Progress = no_progress,
) -> CrossValidation:
    """Cross-validated figures of the model that the rule builds.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        candidates: (n,) each, in the order in which they stay where some determine others; NaN where missing.
        entry: the p under which a candidate enters; None: all of them enter.
        folds, rounds: into how many parts the cases are split, and how often anew.
        seed: the same seed gives the same figures, whatever `workers`.
        workers: threads; for small cohorts one is as fast as two.

    Raises:
        InputError: fewer than two folds, or no round; or see :func:`~her2map.statistics.selection.select`.
        Cancelled: raised by `progress`.
    """
    if folds < 2 or rounds < 1:
        raise InputError("Cross-validation needs two folds and one round at least.")
    data = prepare(outcome, candidates, entry)
    n, events = len(data.outcome), int(data.outcome.sum())
    nothing = CrossValidation(n, events, folds, rounds, seed, rule_text(entry), data.left_out)
    if min(events, n - events) < folds:
        reason = f"{folds} folds need {folds} cases of each group; there are {events} and {n - events}."
        return replace(nothing, reason=reason)
    splits = [partial(_split, data.outcome, folds, seed, number) for number in range(rounds)]
    return cross_validation_of(data, splits, nothing, workers, progress)


def _split(outcome: Array, folds: int, seed: int, number: int) -> NDArray[np.int_]:
    """(n,) The fold of each case; the folds of a group differ by one case at most."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    fold = np.empty(len(outcome), int)
    for group in (0, 1):
        members = rng.permutation(np.flatnonzero(outcome == group))
        # From the other end for the second group, so that the folds are of one size.
        places = np.arange(len(members)) if group == 0 else folds - 1 - np.arange(len(members))
        fold[members] = places % folds
    return fold


def cross_validation_of(
    data: Candidates,
    splits: Sequence[Callable[[], NDArray[np.int_]]],
    nothing: CrossValidation,
    workers: int = 1,
    progress: Progress = no_progress,
) -> CrossValidation:
    """The same of given splits.

    Args:
        splits: each makes the folds (n,) of a round.
        nothing: the result yet without figures.
    """
    found = in_order([partial(_round, data, split) for split in splits], workers, progress)
    used = sum(one.used for one in found)
    if not used:
        return replace(nothing, reason="No model could be built without any of the folds.")
    areas = np.concatenate([one.areas for one in found])
    of_rounds = [float(np.nanmean(one.areas)) for one in found if not np.isnan(one.areas).all()]
    entered = np.sum([one.entered for one in found], axis=0)
    return replace(
        nothing,
        auc=_mean(areas),
        auc_sd=float(np.std(of_rounds, ddof=1)) if len(of_rounds) > 1 else math.nan,
        auc_pooled=_mean([one.pooled for one in found]),
        brier=_mean([one.brier for one in found]),
        slope=_mean([one.slope for one in found]),
        chosen={name: float(count) / used for name, count in zip(data.names, entered, strict=True)},
        used=used,
    )


class _Round(NamedTuple):
    """Areas (folds,) and the figures of all held-out predictions; how often each candidate entered."""

    areas: Array
    pooled: float
    brier: float
    slope: float
    entered: NDArray[np.int_]
    used: int


def _round(data: Candidates, split: Callable[[], NDArray[np.int_]]) -> _Round:
    fold = split()
    held_out = fold == np.unique(fold)[:, None]
    built = build(data, (~held_out).astype(float))
    counted = held_out & built.has_all & built.usable[:, None]
    areas = weighted_auc(data.outcome, built.log_odds, counted.astype(float))
    predicted = np.where(counted, built.log_odds, 0.0).sum(axis=0)
    together = performance(data.outcome, predicted[None], counted.any(axis=0)[None].astype(float))
    return _Round(
        areas,
        float(together.auc[0]),
        float(together.brier[0]),
        float(together.slope[0]),
        built.entered[built.usable, 1:].sum(axis=0),
        int(np.count_nonzero(built.usable)),
    )


def _mean(values: Sequence[float] | Array) -> float:
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else math.nan
