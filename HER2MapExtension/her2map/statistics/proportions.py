"""A proportion with its intervals."""

import math
from dataclasses import dataclass

from scipy.stats import binomtest

from ..errors import InputError
from .estimate import CONFIDENCE, Estimate

PROPORTION = "intervals: Wilson's score without continuity correction; Clopper & Pearson's exact one"


@dataclass(frozen=True)
class Proportion:
    """A share of cases.

    Attributes:
        count, n: so many of so many.
        value: count / n; NaN where n is 0.
        wilson: with Wilson's interval.
        exact: with Clopper & Pearson's.
        convention: of the intervals.
        reason: why there is no value; "" where there is one.
    """

    count: int
    n: int
    value: float
    wilson: Estimate
    exact: Estimate
    convention: str = PROPORTION
    reason: str = ""


def proportion(count: int, n: int, reason: str = "There are no cases.") -> Proportion:
    """`count` of `n` cases, with Wilson's (J Am Stat Assoc 1927;22:209) and the exact interval.

    Args:
        reason: to be given where `n` is 0.

    Raises:
        InputError: count and n are no such numbers.
    """
    if not 0 <= count <= n:
        raise InputError(f"{count} of {n} is no proportion; the count must lie between 0 and n.")
    if n == 0:
        nothing = Estimate(reason=reason)
        return Proportion(0, 0, math.nan, nothing, nothing, reason=reason)
    tested, value = binomtest(count, n), count / n
    wilson, exact = (tested.proportion_ci(CONFIDENCE, method) for method in ("wilson", "exact"))
    return Proportion(
        count,
        n,
        value,
        Estimate(value, float(wilson.low), float(wilson.high)),
        Estimate(value, float(exact.low), float(exact.high)),
    )
