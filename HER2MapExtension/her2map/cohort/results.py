"""What an analysis found, as tables and as plain values: for files, and for other programs."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from .analysis import CohortAnalysis
from .comparisons import Ways
from .conventions import result_conventions
from .groups import imaging_table, patients_table, post_hoc_table
from .markers import area_table, comparison_table, performance_table
from .models import ENTRY_RULE, alone_table, model_table
from .plain import plain
from .predictions import calibration_table, decision_table
from .validated import chosen_table, validation_table
from .variables import DIRECTIONS

SCHEMA_VERSION = 1


def result_tables(found: CohortAnalysis) -> dict[str, pd.DataFrame]:
    """Every table at full precision, by the name of its file; a missing number is NaN."""
    tables = {
        "cases": found.cohort.cases.reset_index(),
        "left_out": found.cohort.left_out,
        "table1_acquisition": found.acquisition.table,
        "table2_patients": patients_table(found.patients),
        "table3_imaging": imaging_table(found.imaging),
        "table3_post_hoc": post_hoc_table(found.imaging),
        "table4_performance": performance_table(found.markers),
        "table5_delong": comparison_table(found.compared),
        "models_alone": alone_table(found.alone),
        "models_together": model_table(found.models),
        "calibration": calibration_table(found.predictions),
        "decision_curve": decision_table(found.predictions),
        "validation": validation_table(found.validation),
        "chosen": chosen_table(found.validation),
        "other_pairs": area_table(found.pairs, "groups"),
        "roc_curves": roc_points(found),
        "checklists": found.checklists,
    }
    for name in ("readers", "repeats", "alternatives"):
        ways: Ways = getattr(found, name)
        tables[name] = area_table(ways.results, "way")
        tables[f"{name}_delong"] = _tests(ways)
    if found.agreement is not None:
        for name in ("repeatability", "icc", "bland_altman", "overlap"):
            tables[f"agreement_{name}"] = getattr(found.agreement, name)
    return tables


def roc_points(found: CohortAnalysis) -> pd.DataFrame:
    """The points of every ROC curve: marker, threshold (infinite at the ends), sensitivity, specificity."""
    frames = [
        pd.DataFrame(
            {
                "marker": one.marker.name,
                "threshold": one.curve.thresholds,
                "sensitivity": one.curve.sensitivity,
                "specificity": one.curve.specificity,
            }
        )
        for one in found.markers
        if one.curve.auc.known
    ]
    empty = pd.DataFrame(columns=["marker", "threshold", "sensitivity", "specificity"])
    return pd.concat(frames, ignore_index=True) if frames else empty


def _tests(ways: Ways) -> pd.DataFrame:
    frames = [comparison_table(tests).assign(marker=name) for name, tests in ways.tests.items() if tests]
    return pd.concat(frames, ignore_index=True) if frames else comparison_table([])


def results_content(found: CohortAnalysis, software: dict[str, str]) -> dict[str, Any]:
    """All numbers for `results.json`, each with the name of its test and convention; no NaN in it."""
    cohort = found.cohort
    content = {
        "schema_version": SCHEMA_VERSION,
        "software": software,
        "options": {**asdict(found.options), "preset": cohort.preset},
        "cohort": {
            "name": cohort.name,
            "cases": len(cohort.cases),
            "groups": cohort.counts,
            "left_out": cohort.left_out,
            "variables": cohort.variables,
            "enrolment": cohort.flow,
        },
        "warnings": found.warnings,
        "acquisition": found.acquisition,
        "patients": {
            one.variable.name: {"three_groups": one.three, "low_positive": one.two} for one in found.patients
        },
        "imaging": {
            one.variable.name: {"three_groups": one.three, "low_positive": one.two} for one in found.imaging
        },
        "performance": {
            "groups": found.pair.name,
            "direction": DIRECTIONS,
            "markers": {one.marker.name: _marker(one) for one in found.markers},
            "comparisons": found.compared,
        },
        "models": {
            "alone": {one.variable.name: {"p": one.p, **_fit(one.fit)} for one in found.alone},
            "entry_rule": ENTRY_RULE,
            "entry": found.entry,
            "together": {
                one.name: {"title": one.title, "how": one.how, **_fit(one.fit), "others_add": dict(one.adds)}
                for one in found.models
            },
        },
        "predictions": {
            "apparent": {
                "calibration": found.predictions.calibration,
                "decision_curve": found.predictions.decision,
            },
        },
        "validation": found.validation,
        "further": {
            "pairs": {pair: [_marker(one) for one in ones] for pair, ones in found.pairs.items()},
            **{name: _ways(getattr(found, name)) for name in ("readers", "repeats", "alternatives")},
        },
        "agreement": _agreement(found),
        "checklists": found.checklists,
    }
    content["conventions"] = result_conventions(found)
    return dict(plain(content))


def _marker(one: Any) -> dict[str, Any]:
    marker = one.marker
    described = {key: getattr(marker, key) for key in ("name", "title", "unit", "direction", "predictors")}
    return {**described, "roc": one.curve, "at_cut_off": one.at_cut_off}


def _fit(fit: Any) -> dict[str, Any]:
    """A model without what only further tests need."""
    left = ("solved", "linear_predictor", "outcome", "used")
    return {key: value for key, value in vars(fit).items() if key not in left}


def _ways(ways: Ways) -> dict[str, Any]:
    return {
        "results": {way: [_marker(one) for one in ones] for way, ones in ways.results.items()},
        "tests": ways.tests,
        "reason": ways.reason,
    }


def _agreement(found: CohortAnalysis) -> dict[str, Any] | None:
    if found.agreement is None:
        return None
    names = ("repeatability", "icc", "bland_altman", "overlap", "left_out", "incomplete", "conventions")
    return {name: getattr(found.agreement, name) for name in names}
