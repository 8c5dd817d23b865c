"""What the paper had no room for: other pairs of groups, each reader, repeats, values found otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..biomarkers import MEASURED
from ..statistics import AucComparison, compare_aucs
from .inputs import Cohort
from .markers import Contrast, MarkerResult, contrast, judge, measured_markers
from .values import with_differences
from .variables import GROUPS, IMAGING

SMALL = 30
"""A group with fewer cases earns a warning."""
OTHER_PAIRS = (("positive", "zero"), ("low", "zero"))


@dataclass(frozen=True, eq=False)
class Ways:
    """The same markers for one pair of groups, found in several ways.

    Attributes:
        results: by way.
        tests: by marker, DeLong's test of every two ways on the same cases; a case without a value in either
            way is left out.
        reason: why there is nothing to compare; "" where there is.
    """

    results: Mapping[str, tuple[MarkerResult, ...]]
    tests: Mapping[str, tuple[AucComparison, ...]]
    reason: str = ""


def small_group_warnings(cohort: Cohort) -> tuple[str, ...]:
    """A sentence for each group that is empty, and one for those that are small."""
    found = [
        f"There is no HER2-{group} case; what needs this group is left out."
        for group in GROUPS
        if not cohort.counts[group]
    ]
    small = [f"{n} HER2-{group}" for group in GROUPS if 0 < (n := cohort.counts[group]) < SMALL]
    if small:
        found.append(
            f"Small groups ({', '.join(small)} cases): their intervals are wide, tests of normality find "
            "little in them, and a difference that is not found there may well exist."
        )
    return tuple(found)


def other_pairs(cohort: Cohort) -> dict[str, tuple[MarkerResult, ...]]:
    """The biomarkers for positive against zero and low against zero, by the pair's name."""
    found = {}
    for positive, negative in OTHER_PAIRS:
        pair = contrast(cohort, positive, negative)
        if pair.n_positive and pair.n_negative:
            found[pair.name] = tuple(
                judge(pair.outcome, one) for one in measured_markers(cohort.imaging, pair.frame)
            )
    return found


def by_reader(cohort: Cohort) -> Ways:
    """Each reader's own values, HER2-positive against HER2-low."""
    readers = list(dict.fromkeys(cohort.by_reader["reader"]))
    if len(readers) < 2:
        return Ways({}, {}, "The values of single readers are not known.")
    own = {
        f"{reader} alone": cohort.by_reader[cohort.by_reader["reader"] == reader].set_index("case")
        for reader in readers
    }
    return _ways(cohort, own)


def by_repeats(cohort: Cohort) -> Ways:
    """Each repeat by itself, and the mean of all in place of the median; always the mean over the readers."""
    repeats = sorted(cohort.readings["repeat"].unique())
    if len(repeats) < 2:
        return Ways({}, {}, "Single readings are not known, or there is one a case.")
    found = {"median of all (the study's value)": cohort.cases}
    for repeat in repeats:
        found[f"reading {repeat} alone"] = _mean_of_readers(
            cohort, cohort.readings[cohort.readings["repeat"] == repeat], np.mean
        )
    found["mean of all"] = _mean_of_readers(cohort, cohort.readings, np.mean)
    return _ways(cohort, found)


def by_alternative(cohort: Cohort) -> Ways:
    """The values of another fit, or of whatever else the user gave beside the cohort's own."""
    if not cohort.alternatives:
        return Ways({}, {}, "No other values of the same cases were given.")
    return _ways(cohort, {"as analysed": cohort.cases, **cohort.alternatives})


def _mean_of_readers(
    cohort: Cohort, readings: pd.DataFrame, how: Callable[[pd.Series], float]
) -> pd.DataFrame:
    """A row a case: `how` of each reader's readings, then the mean; a case that lacks one has no value."""
    readers = readings["reader"].nunique()
    own = readings.groupby(["case", "reader"], sort=False)[list(MEASURED)].agg(
        lambda values: how(values) if values.notna().all() else np.nan
    )
    groups = own.groupby("case", sort=False)
    means = groups.agg(lambda values: values.mean(skipna=False))
    means[groups.size() < readers] = np.nan
    return with_differences(means).reindex(cohort.cases.index)


def _ways(cohort: Cohort, frames: Mapping[str, pd.DataFrame]) -> Ways:
    pair = contrast(cohort)
    if not (pair.n_positive and pair.n_negative):
        return Ways({}, {}, "One of the groups HER2-positive and HER2-low has no case.")
    variables = [one for one in IMAGING if one in cohort.variables]
    markers = {
        way: measured_markers(variables, frame.reindex(pair.frame.index)) for way, frame in frames.items()
    }
    results = {way: tuple(judge(pair.outcome, one) for one in ones) for way, ones in markers.items()}
    return Ways(results, {one.name: _tests(pair, markers, i) for i, one in enumerate(variables)})


def _tests(pair: Contrast, markers: Mapping[str, tuple], index: int) -> tuple[AucComparison, ...]:
    """Of one marker, every two ways."""
    ways = {way: ones[index] for way, ones in markers.items()}
    return compare_aucs(
        pair.outcome,
        {way: one.values for way, one in ways.items()},
        {way: one.direction for way, one in ways.items()},
    )
