"""Areas under the ROC curves of several markers, compared on the same cases."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from numpy.typing import ArrayLike
from scipy.stats import norm

from ..errors import InputError
from .cases import Columns, complete_cases
from .diagnosis import Direction
from .estimate import TAILS, Estimate
from .multiplicity import bonferroni, holm
from .roc import ROUNDING, Placements, covariance, placements_of

PAIRED = (
    "DeLong et al. 1988 for paired areas, two-sided; every pair on the cases that have both markers; "
    "Bonferroni and Holm over the pairs"
)
NESTED = (
    "Not a valid test: one is a model fitted to these cases with the other in it, and DeLong's p does not "
    "hold for nested models (Demler et al. 2012). Use the likelihood-ratio test of what the model adds."
)
FITTED = (
    "A model was fitted to these very cases, so that its area is optimistic and DeLong's p is not to be "
    "relied on."
)


@dataclass(frozen=True)
class AucComparison:
    """Two markers' areas on the same cases.

    Attributes:
        first, second: names of the markers.
        first_auc, second_auc: on the cases that have both.
        difference: first less second.
        z, p: of the test of no difference; NaN with the reason in `difference`.
        p_bonferroni, p_holm: for all pairs of this call that could be tested.
        n_positive, n_negative, left_out: how many cases entered, and how many lack the outcome or a marker.
        remark: why the test may not be valid; "" where it is.
        convention: in words.
    """

    first: str
    second: str
    n_positive: int
    n_negative: int
    left_out: int
    difference: Estimate
    first_auc: float = math.nan
    second_auc: float = math.nan
    z: float = math.nan
    p: float = math.nan
    p_bonferroni: float = math.nan
    p_holm: float = math.nan
    remark: str = ""
    convention: str = PAIRED


def compare_aucs(
    outcome: ArrayLike,
    markers: Columns,
    directions: Mapping[str, Direction],
    models: Mapping[str, Collection[str]] | None = None,
) -> tuple[AucComparison, ...]:
    """Every pair of markers by DeLong's paired test.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        markers: (n,) each; NaN where missing.
        directions: of every marker.
        models: which of the markers are predictions of models fitted to these very cases, and the
            predictors of each; their comparisons get a remark.

    Raises:
        InputError: a marker has no direction; or see :func:`~her2map.statistics.cases.complete_cases`.
    """
    missing = [str(name) for name in markers if name not in directions]
    if missing:
        raise InputError(
            f"The marker {missing[0]} has no direction; state which values speak for the outcome."
        )
    pairs = [
        replace(
            _compare(outcome, {name: markers[name] for name in pair}, [directions[name] for name in pair]),
            remark=_remark(*pair, models or {}),
        )
        for pair in combinations(markers, 2)
    ]
    p = [pair.p for pair in pairs]
    return tuple(
        replace(pair, p_bonferroni=float(one), p_holm=float(other))
        for pair, one, other in zip(pairs, bonferroni(p), holm(p), strict=True)
    )


def _compare(outcome: ArrayLike, markers: Columns, directions: list[Direction]) -> AucComparison:
    cases = complete_cases(outcome, markers)
    first_name, second_name = cases.names
    sizes = cases.positive, cases.n - cases.positive, len(cases.left_out)
    nothing = AucComparison(first_name, second_name, *sizes, Estimate(reason=cases.one_group))
    if cases.one_group:
        return nothing
    positive = cases.outcome == 1
    scores = [Direction(d).sign * values for d, values in zip(directions, cases.values.T, strict=True)]
    first, second = (placements_of(score[positive], score[~positive]) for score in scores)
    difference = first.area - second.area
    gap = Placements(first.positive - second.positive, first.negative - second.negative)
    variance = covariance(gap, gap)
    areas = replace(nothing, first_auc=first.area, second_auc=second.area)
    if not variance > ROUNDING**2:
        reason = (
            "A group has one case only; DeLong's test needs two in each."
            if math.isnan(variance)
            else "DeLong's variance of the difference is 0, so there is no test."
        )
        return replace(areas, difference=Estimate(difference, reason=reason))
    error = math.sqrt(variance)
    low, high = difference + norm.ppf(TAILS) * error
    z = difference / error
    return replace(
        areas,
        difference=Estimate(difference, float(low), float(high)),
        z=z,
        p=2 * float(norm.sf(abs(z))),
    )


def _remark(first: str, second: str, models: Mapping[str, Collection[str]]) -> str:
    parts = {name: set(models.get(name, {name})) for name in (first, second)}
    if first not in models and second not in models:
        return ""
    nested = parts[first] <= parts[second] or parts[second] <= parts[first]
    return NESTED if nested else FITTED
