"""What the paper prints, beside the same figures of a simulated cohort, and what each step took from them."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..biomarkers import MEASURED, Biomarkers, from_values
from ..phantom.cohort import AUC_MODEL, AUC_T1_POST, AUC_T2STAR, PUBLISHED
from ..statistics.logistic import logistic
from ..statistics.roc import roc
from ..study.result import biomarkers_of
from .exams import SimulatedCase, SimulatedReading
from .patients import GROUPS, Patient

Array = NDArray[np.float64]

MARKERS = {"T2star": AUC_T2STAR, "T1_post": AUC_T1_POST, "ER + T2star + T1_post": AUC_MODEL}
"""The published areas under the curve, HER2-low against HER2-positive."""

STEPS = {
    "drawn": "the values drawn from the population",
    "tumour": "the mean over the contour's volume: tissue varies inside a tumour",
    "fit": "maps of raw signals without noise: partial volumes, B1, motion, stimulated echoes",
    "noise": "the same with noise",
    "one drawing": "the first drawing of the first reader in place of the true contour",
    "one reader": "the median of the first reader's drawings",
    "both readers": "the mean of both readers' medians: the study's value",
}
"""From the population to the study's value, each step with what it adds."""


@dataclass(frozen=True)
class Compared:
    """One figure: published and simulated.

    Attributes:
        name, group: of what.
        published: NaN where the paper's text, as far as it was at hand, does not say it.
        simulated: in this cohort.
        unit: "ms", "1" or "cases".
    """

    name: str
    group: str
    published: float
    simulated: float
    unit: str


@dataclass(frozen=True)
class StepAuc:
    """The areas after one step, by marker as `MARKERS`."""

    step: str
    explanation: str
    auc: dict[str, float]


def compared(cases: Sequence[SimulatedCase]) -> tuple[Compared, ...]:
    """Group sizes, means, SDs and areas of a simulated cohort beside the published ones."""
    return (*_groups(cases), *_areas(cases))


def step_areas(cases: Sequence[SimulatedCase]) -> tuple[StepAuc, ...]:
    """The areas under the curve after each of `STEPS`."""
    patients = [case.patient for case in cases]
    values = {step: [after_step(case, step) for case in cases] for step in STEPS}
    return tuple(StepAuc(step, text, marker_areas(patients, values[step])) for step, text in STEPS.items())


def after_step(case: SimulatedCase, step: str) -> Biomarkers:
    """A case's values after one of `STEPS`."""
    known = {"drawn": case.drawn, "tumour": case.truth, "fit": case.fitted, "noise": case.noisy}
    return known[step] if step in known else of_readings(case.readings, step)


def of_readings(readings: Sequence[SimulatedReading], step: str) -> Biomarkers:
    """A case's values after one of the last three of `STEPS`."""
    by_reader: dict[str, list[SimulatedReading]] = {}
    for reading in readings:
        by_reader.setdefault(reading.reader, []).append(reading)
    first, *others = by_reader.values()
    if step == "one drawing":
        return biomarkers_of(first[0].result)
    medians = [_combined((biomarkers_of(one.result) for one in ones), np.median) for ones in (first, *others)]
    return medians[0] if step == "one reader" else _combined(medians, np.mean)


def marker_areas(patients: Sequence[Patient], values: Sequence[Biomarkers]) -> dict[str, float]:
    """The areas of the two markers and the apparent one of the model, HER2-low against HER2-positive."""
    chosen = [i for i, one in enumerate(patients) if one.group != "HER2-zero"]
    positive = np.array([patients[i].group == "HER2-positive" for i in chosen], float)
    t2star = np.array([values[i].T2star.value for i in chosen])
    t1_post = np.array([values[i].T1_post.value for i in chosen])
    er = np.array([float(patients[i].pathology["er_percent"]) >= 1 for i in chosen], float)
    model = logistic(positive, {"ER": er, "T2star": t2star, "T1_post": t1_post})
    areas = (roc(positive, t2star), roc(positive, t1_post), roc(model.outcome, model.linear_predictor))
    return {name: curve.auc.value for name, curve in zip(MARKERS, areas, strict=True)}


def _groups(cases: Sequence[SimulatedCase]) -> Iterable[Compared]:
    for group in GROUPS:
        members = [after_step(case, "both readers") for case in cases if case.patient.group == group]
        yield Compared("cases", group, GROUPS[group], len(members), "cases")
        figures = PUBLISHED.get(group)
        printed = {
            "delta_T1": figures.delta_t1_ms if figures else (math.nan, math.nan),
            "delta_T1_ratio": figures.delta_t1_ratio if figures else (math.nan, math.nan),
        }
        for name, quantity in members[0]:
            values = np.array([dict(one)[name].value for one in members])
            mean, sd = printed.get(name, (math.nan, math.nan))
            yield Compared(f"{name}, mean", group, mean, float(np.nanmean(values)), quantity.unit)
            spread = float(np.nanstd(values, ddof=1)) if len(values) > 1 else math.nan
            yield Compared(f"{name}, SD", group, sd, spread, quantity.unit)


def _areas(cases: Sequence[SimulatedCase]) -> Iterable[Compared]:
    values = [after_step(case, "both readers") for case in cases]
    found = marker_areas([case.patient for case in cases], values)
    for name, printed in MARKERS.items():
        yield Compared(f"AUC of {name}", "HER2-low against HER2-positive", printed, found[name], "1")


def _combined(ones: Iterable[Biomarkers], how: Callable[..., Array]) -> Biomarkers:
    """Measured values combined; the differences follow from them, as in the study."""
    table = np.array([[getattr(one, name).value for name in MEASURED] for one in ones])
    T1_pre, T1_post, T2, T2star = map(float, how(table, axis=0))
    return from_values(T1_pre, T1_post, T2, T2star)
