"""Answers to checklist items that only the finished analysis has."""

from collections.abc import Mapping, Sequence

from ..study.agreement import StudyAgreement
from .comparisons import Ways
from .inputs import Cohort
from .markers import MarkerResult
from .models import Model


def result_answers(
    cohort: Cohort,
    markers: Sequence[MarkerResult],
    models: Sequence[Model],
    ways: Mapping[str, Ways],
    agreed: StudyAgreement | None,
) -> dict[str, str]:
    """By the keys of :mod:`her2map.cohort.checklist_items`; a key is missing where there is no answer.

    Args:
        ways: the further comparisons, by what they vary, in words.
    """
    answers = {
        "missing_counts": _missing(cohort),
        "performance_found": _performance(markers),
        "sensitivity": _sensitivity(ways),
        "agreement": _agreement(agreed),
    }
    if any(model.fit.terms for model in models):
        answers["specification"] = "All coefficients with intercept and standard errors: models_together.csv."
        answers["output"] = "A probability of HER2-positive; Youden's cut-off stands in Table 4."
        answers["refusal"] = (
            "A case that lacks a factor of the model gets no probability; nothing is filled in."
        )
    return {key: text for key, text in answers.items() if text}


def _missing(cohort: Cohort) -> str:
    counts = []
    for one in cohort.variables:
        values = cohort.cases[one.name]
        n = int((values == "").sum() if one.levels else values.isna().sum())
        if n:
            counts.append(f"{one.title} {n}")
    return f"Missing of {len(cohort.cases)} cases: {', '.join(counts) or 'none'}."


def _performance(markers: Sequence[MarkerResult]) -> str:
    areas = [
        f"{one.marker.title} {one.curve.auc.value:.3f} ({one.curve.auc.low:.3f} to {one.curve.auc.high:.3f})"
        for one in markers
        if one.marker.predictors and one.curve.auc.known
    ]
    return f"Apparent AUC: {'; '.join(areas)}. Corrected figures stand with the models." if areas else ""


def _sensitivity(ways: Mapping[str, Ways]) -> str:
    done = [name for name, one in ways.items() if one.results]
    return f"AUCs of all biomarkers by {', '.join(done)}." if done else ""


def _agreement(agreed: StudyAgreement | None) -> str:
    if agreed is None:
        return ""
    rows = agreed.icc[(agreed.icc["compared"] == "readers") & (agreed.icc["icc"] == "ICC(2,1)")]
    known = rows[rows["value"].notna()]
    found = ", ".join(f"{row.biomarker} {row.value:.3f}" for row in known.itertuples())
    return f"ICC(2,1) between readers: {found}; repeatability and Bland-Altman beside it." if found else ""
