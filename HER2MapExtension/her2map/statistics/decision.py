"""Decision curves: what acting on a prediction is worth, over how much a missed case weighs."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from .cases import Columns, complete_cases
from .estimate import Array

NET_BENEFIT = (
    "net benefit, per case: true positives - false positives x t / (1 - t), called positive from the "
    "probability t on (Vickers & Elkin 2006); of a model on the cases it was fitted to it is optimistic"
)
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over the threshold probability.

    Attributes:
        thresholds: (t,)
        models: (t,) each, by name.
        treat_all, treat_none: (t,) calling every case positive, or none.
        n, events: complete cases, and the positive ones among them.
        left_out: the cases that lack something.
        convention: in words.
        reason: why there is none; "" where there is one.
    """

    thresholds: Array
    models: dict[str, Array]
    treat_all: Array
    treat_none: Array
    n: int
    events: int
    left_out: tuple[Hashable, ...] = ()
    convention: str = NET_BENEFIT
    reason: str = ""


def decision_curve(
    outcome: ArrayLike, probabilities: Columns, thresholds: ArrayLike = THRESHOLDS
) -> DecisionCurve:
    """Net benefit of one or more predictions, on the cases that have them all (Med Decis Making 2006;26:565).

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        probabilities: (n,) 0 to 1 each; NaN where missing.
        thresholds: (t,) above 0 and under 1.

    Raises:
        InputError: a probability or threshold is outside its range; or see
            :func:`~her2map.statistics.cases.complete_cases`.
    """
    cases = complete_cases(outcome, probabilities)
    at = np.asarray(thresholds, float)
    if ((cases.values < 0) | (cases.values > 1)).any():
        raise InputError("A probability lies outside 0 to 1; give probabilities, not log odds or percent.")
    if at.ndim != 1 or not ((at > 0) & (at < 1)).all():
        raise InputError("Thresholds of a decision curve must lie above 0 and under 1.")
    n, positive = cases.n, cases.outcome == 1
    if n == 0:
        nothing = np.full(len(at), np.nan)
        models = dict.fromkeys(cases.names, nothing)
        return DecisionCurve(at, models, nothing, nothing, 0, 0, cases.left_out, reason=cases.one_group)

    def benefit(probability: Array) -> Array:
        true, false = (
            (len(group) - np.searchsorted(np.sort(group), at, side="left")) / n
            for group in (probability[positive], probability[~positive])
        )
        return np.asarray(true - false * at / (1 - at))

    return DecisionCurve(
        at,
        {name: benefit(values) for name, values in zip(cases.names, cases.values.T, strict=True)},
        benefit(np.ones(n)),
        np.zeros(len(at)),
        n,
        cases.positive,
        cases.left_out,
    )
