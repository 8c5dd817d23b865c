"""A logistic model built by a rule: what is significant alone enters together. For many resamples at once.

The rule is that of Zhang et al. 2026: every candidate is tested alone, on the cases that have it, and those
with a p under the limit enter one model, on the cases that have them all.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from ..errors import InputError
from .cases import Columns, column, complete_cases
from .collinearity import dependences
from .estimate import Array, row_labels
from .likelihood import Fits, Mask, Penalty, Problem, linear, maximise, standard_errors
from .logistic import LogisticFit, logistic, univariable

ENTRY = 0.05
SELECTION = (
    "entry rule: p < {entry:g} alone (Wald; penalised likelihood ratio where the candidate separates), each "
    "on the cases that have it; then all of these together, on the cases that have them all"
)
ALL_ENTER = "all candidates enter, whatever their p, on the cases that have them all"
_SINGULAR = 1e-9


@dataclass(frozen=True, eq=False)
class Selected:
    """The model that the rule builds.

    Attributes:
        candidates: names, in order.
        alone: the model of each candidate alone.
        chosen: names of those in the model.
        dropped: why others did not enter although their p is under the limit, a sentence each.
        fit: the model; None where no candidate enters.
        rule: in words.
    """

    candidates: tuple[str, ...]
    alone: tuple[LogisticFit, ...]
    chosen: tuple[str, ...]
    dropped: tuple[str, ...]
    fit: LogisticFit | None
    rule: str


def select(outcome: ArrayLike, candidates: Columns, entry: float | None = ENTRY) -> Selected:
    """Build a model by the rule.

    Where candidates determine one another, as delta_T1 and both its parts do, the last of them stays out.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        candidates: (n,) each; NaN where missing.
        entry: the p under which a candidate enters; None for all.

    Raises:
        InputError: `entry` is no p; or see :func:`~her2map.statistics.cases.complete_cases`.
    """
    rule = rule_text(entry)
    alone = univariable(outcome, candidates)
    names = tuple(fit.names[0] for fit in alone)
    limit = np.inf if entry is None else entry
    significant = [fit.names[0] for fit in alone if not fit.reason and fit.terms[0].p < limit]
    together = complete_cases(outcome, {name: candidates[name] for name in significant})
    found = dependences(together.values, significant)
    leaving = {significant[one.column] for one in found}
    chosen = tuple(name for name in significant if name not in leaving)
    return Selected(
        names,
        alone,
        chosen,
        tuple(one.sentence for one in found),
        logistic(outcome, {name: candidates[name] for name in chosen}) if chosen else None,
        rule,
    )


def rule_text(entry: float | None) -> str:
    """The rule in words.

    Raises:
        InputError: the limit is no p.
    """
    if entry is None:
        return ALL_ENTER
    if not 0 < entry <= 1:
        raise InputError("The p under which a candidate enters the model must lie above 0 and not over 1.")
    return SELECTION.format(entry=entry)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Data for a rule that is to be repeated in resamples.

    Attributes:
        outcome: (n,) of the cases whose outcome is known.
        design: (n, p) ones and the candidates, each of mean 0 and SD 1; 0 where missing.
        known: (n, p) where they are not.
        names: (p - 1,) of the candidates.
        entry: the p under which one enters; None for all.
        left_out: the cases without an outcome.
    """

    outcome: Array
    design: Array
    known: Mask
    names: tuple[str, ...]
    entry: float | None
    left_out: tuple[Hashable, ...]
    _kept: dict[bytes, Mask] = field(default_factory=dict, repr=False)

    def keeping(self, entered: Mask) -> Mask:
        """Columns (p,) less those that the ones before them determine, on the original cases."""
        key = entered.tobytes()
        if key not in self._kept:
            kept = entered.copy()
            columns = 1 + np.flatnonzero(entered[1:])
            complete = self.known[:, columns].all(axis=1)
            values = self.design[np.ix_(complete, columns)]
            for found in dependences(values, [self.names[j - 1] for j in columns]):
                kept[columns[found.column]] = False
            self._kept[key] = kept
        return self._kept[key]


def prepare(outcome: ArrayLike, candidates: Columns, entry: float | None) -> Candidates:
    """Data for :func:`build`; see :func:`select`."""
    rule_text(entry)
    complete_cases(outcome, candidates)  # for its checks
    result = column(outcome, "outcome")
    labels = row_labels(outcome if hasattr(outcome, "iloc") else candidates, len(result))
    rows = np.flatnonzero(~np.isnan(result))
    left_out = tuple(labels[i] for i in np.flatnonzero(np.isnan(result)))
    columns = [column(candidates[name], str(name))[rows] for name in candidates]
    values = np.column_stack([np.ones(len(rows)), *columns]) if columns else np.ones((len(rows), 1))
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    counts = np.maximum(known.sum(axis=0), 1)
    centre = filled.sum(axis=0) / counts
    centre[0] = 0.0
    centred = np.where(known, filled - centre, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / np.maximum(counts - 1, 1))
    different = [len(np.unique(one[here])) for one, here in zip(values.T, known.T, strict=True)]
    constant = np.array(different) < 2
    spread = np.where(constant | (spread == 0), 1.0, spread)
    spread[0] = 1.0
    design = np.where(constant, 0.0, centred / spread)
    design[:, 0] = 1.0
    names = tuple(str(name) for name in candidates)
    return Candidates(result[rows], design, known, names, entry, left_out)


class Built(NamedTuple):
    """Models, one a resample.

    Attributes:
        log_odds: (m, n) of all cases; of those that lack a predictor, without meaning.
        has_all: (m, n) the cases that have all predictors of the model.
        entered: (m, p) the predictors.
        separated: (m,) where Firth's penalty was used.
        usable: (m,) whether there is a model.
    """

    log_odds: Array
    has_all: Mask
    entered: Mask
    separated: Mask
    usable: Mask


def build(data: Candidates, weights: Array) -> Built:
    """The rule, for resamples of the cases.

    Args:
        weights: (m, n) how often each case was drawn.
    """
    entered = np.array([data.keeping(row) for row in _entering(data, weights)])
    has_all = ~((~data.known).astype(float) @ entered.T.astype(float) > 0).T
    drawn = weights * has_all
    positive = drawn @ data.outcome
    usable = (positive > 0) & (positive < drawn.sum(axis=1)) & ~_singular(data.design, drawn, entered)
    fits, separated = _fitted(data, drawn, entered, usable)
    return Built(linear(fits.coefficients, data.design), has_all, entered, separated, usable & fits.converged)


def _entering(data: Candidates, weights: Array) -> Mask:
    """(m, p) Which candidates enter by their p."""
    m, p = len(weights), data.design.shape[1]
    entered = np.zeros((m, p), bool)
    entered[:, 0] = True
    both = np.ones((m, 2), bool)
    for j in range(1, p):
        drawn = weights * data.known[:, j]
        design = data.design[:, [0, j]]
        positive = drawn @ data.outcome
        can = (positive > 0) & (positive < drawn.sum(axis=1)) & ~_singular(design, drawn, both)
        rows = np.flatnonzero(can)
        if data.entry is None:
            entered[rows, j] = True
        elif len(rows):
            problem = Problem(design, data.outcome, drawn[rows], both[rows], Penalty.NONE)
            entered[rows, j] = _p_alone(problem) < data.entry
    return entered


def _p_alone(problem: Problem) -> Array:
    """(m,) Of the second coefficient: Wald's, or of the penalised likelihood ratio where data separate."""
    fits = maximise(problem)
    with np.errstate(invalid="ignore"):
        p = 2 * norm.sf(np.abs(fits.coefficients[:, 1] / standard_errors(fits)[:, 1]))
    apart = np.flatnonzero(~fits.converged)
    if len(apart):
        penalised = problem.part(apart)._replace(penalty=Penalty.FIRTH)
        free = np.tile([True, False], (len(apart), 1))
        full, null = maximise(penalised), maximise(penalised, np.zeros((len(apart), 2)), free)
        p[apart] = chi2.sf(np.maximum(2 * (full.log_likelihood - null.log_likelihood), 0), 1)
    return np.asarray(p)


def _singular(design: Array, weights: Array, entered: Mask) -> Mask:
    """(m,) Where the drawn cases cannot tell the columns apart."""
    p = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), p * p)
    total = np.maximum(weights.sum(axis=1), 1.0)
    gram = np.einsum("mn,nk->mk", weights, products).reshape(-1, p, p) / total[:, None, None]
    gram = np.where(entered[:, :, None] & entered[:, None, :], gram, np.eye(p))
    return np.asarray(np.linalg.eigvalsh(gram)[:, 0] < _SINGULAR)


def _fitted(data: Candidates, drawn: Array, entered: Mask, usable: Mask) -> tuple[Fits, Mask]:
    """Maximum likelihood; Firth's estimates where the search for it does not end: there the data separate."""
    rows: NDArray[np.intp] = np.flatnonzero(usable)
    problem = Problem(data.design, data.outcome, drawn, entered, Penalty.NONE)
    fits = maximise(problem.part(rows))
    apart = np.flatnonzero(~fits.converged)
    if len(apart):
        fits.put(apart, maximise(problem.part(rows[apart])._replace(penalty=Penalty.FIRTH)))
    m, p = entered.shape
    empty = np.zeros((m, p, p))
    every = Fits(empty[:, 0].copy(), np.zeros(m), empty[:, 0].copy(), empty, empty.copy(), np.zeros(m, bool))
    every.put(rows, fits)
    separated = np.zeros(m, bool)
    separated[rows[apart]] = True
    return every, separated


def chosen_names(names: Sequence[str], entered: Mask) -> tuple[str, ...]:
    """Of the predictors in a model (p,)."""
    return tuple(name for name, inside in zip(names, entered[1:], strict=True) if inside)
