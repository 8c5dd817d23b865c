"""Tables 4 and 5: how well each marker tells two HER2 groups apart, and which tells them apart better."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..statistics import AucComparison, Diagnosis, Direction, RocCurve, compare_aucs, diagnosis, roc
from .inputs import Cohort
from .variables import Variable, design


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two groups of a cohort.

    Attributes:
        positive, negative: HER2 groups.
        outcome: 1 for the positive group, 0 for the negative one; the index is the cases'.
        frame: the cohort's cases of both groups.
    """

    positive: str
    negative: str
    outcome: pd.Series
    frame: pd.DataFrame

    @property
    def name(self) -> str:
        """In print."""
        return f"HER2-{self.positive} against HER2-{self.negative}"

    @property
    def n_positive(self) -> int:
        """Cases of the positive group."""
        return int(self.outcome.sum())

    @property
    def n_negative(self) -> int:
        """Cases of the other."""
        return len(self.outcome) - self.n_positive


def contrast(cohort: Cohort, positive: str = "positive", negative: str = "low") -> Contrast:
    """Two groups of the cohort, each of "zero", "low" and "positive"; either may have no case."""
    frame = cohort.cases[cohort.cases["her2"].isin([positive, negative])]
    return Contrast(positive, negative, (frame["her2"] == positive).astype(float), frame)


@dataclass(frozen=True, eq=False)
class Marker:
    """A number a case that may tell the groups apart: a biomarker, ER, or a model's prediction.

    Attributes:
        title, unit: in print.
        direction: which values speak for the positive group, fixed beforehand.
        predictors: of a model fitted to these very cases; empty for what was measured.
    """

    name: str
    title: str
    unit: str
    values: pd.Series
    direction: Direction
    predictors: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MarkerResult:
    """A marker's curve, and its calls at Youden's cut-off; None where there is no cut-off."""

    marker: Marker
    curve: RocCurve
    at_cut_off: Diagnosis | None


def measured_markers(variables: Collection[Variable], frame: pd.DataFrame) -> tuple[Marker, ...]:
    """Those of `variables` that have a direction, as markers."""
    return tuple(
        Marker(one.name, one.title, one.unit, design(frame, [one])[one.name], _direction(one))
        for one in variables
        if one.higher_in_positive is not None and len(one.levels) in (0, 2)
    )


def _direction(variable: Variable) -> Direction:
    return Direction.HIGHER if variable.higher_in_positive else Direction.LOWER


def judge(outcome: pd.Series, marker: Marker) -> MarkerResult:
    """Curve and calls of one marker; a marker without a curve has the reason in it."""
    curve = roc(outcome, marker.values, marker.direction)
    calls = None
    if curve.cut_off is not None:
        calls = diagnosis(outcome, marker.values, curve.cut_off.threshold, marker.direction)
    return MarkerResult(marker, curve, calls)


def compare_markers(outcome: pd.Series, markers: Collection[Marker]) -> tuple[AucComparison, ...]:
    """Table 5: every pair by DeLong's test, with what there is to remark of models."""
    return compare_aucs(
        outcome,
        {one.name: one.values for one in markers},
        {one.name: one.direction for one in markers},
        {one.name: one.predictors for one in markers if one.predictors},
    )


_CALLS = ("sensitivity", "specificity", "accuracy", "positive_predictive_value", "negative_predictive_value")


def performance_table(results: Collection[MarkerResult]) -> pd.DataFrame:
    """Table 4 without odds ratios: a row a marker; columns in _low and _high are 95 % intervals.

    Sensitivity and its like are at Youden's cut-off, with Wilson's interval; `rule` says which side is called
    positive.
    """
    return pd.DataFrame([_performance_row(one) for one in results])


def _performance_row(result: MarkerResult) -> dict[str, object]:
    marker, curve, calls = result.marker, result.curve, result.at_cut_off
    row: dict[str, object] = {
        "marker": marker.name,
        "n_positive": curve.n_positive,
        "n_negative": curve.n_negative,
        "auc": curve.auc.value,
        "auc_low": curve.auc.low,
        "auc_high": curve.auc.high,
        "p": curve.p,
        "rule": "≥" if marker.direction is Direction.HIGHER else "≤",
        "cut_off": curve.cut_off.threshold if curve.cut_off else np.nan,
    }
    for name in _CALLS:
        share = getattr(calls, name).wilson if calls else None
        for end, key in (("", "value"), ("_low", "low"), ("_high", "high")):
            row[name + end] = getattr(share, key) if share else np.nan
    row["remark"] = curve.auc.reason or curve.no_cut_off
    return row


def comparison_table(found: Collection[AucComparison]) -> pd.DataFrame:
    """Table 5: a row a pair of markers."""
    columns = (
        "first", "second", "first_auc", "second_auc", "difference", "difference_low", "difference_high", "z",
        "p", "p_holm", "p_bonferroni", "n_positive", "n_negative", "remark",
    )  # fmt: skip
    rows = [
        (
            one.first, one.second, one.first_auc, one.second_auc, one.difference.value, one.difference.low,
            one.difference.high, one.z, one.p, one.p_holm, one.p_bonferroni, one.n_positive, one.n_negative,
            one.remark or one.difference.reason,
        )
        for one in found
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns))


def area_table(rows: Mapping[str, Collection[MarkerResult]], key: str) -> pd.DataFrame:
    """Areas of the same markers found in several ways, a row a way and marker; `key` heads the ways."""
    return pd.DataFrame(
        [{key: way, **_performance_row(one)} for way, results in rows.items() for one in results]
    )
