"""Reporting checklists, filled in as far as the project's own state answers them; the rest stays open."""

import pandas as pd

from ..pathology import PRESETS
from .analysis_options import AnalysisOptions
from .checklist_items import CHECKLISTS
from .inputs import Cohort
from .variables import GROUPS

ANSWERED, OPEN = "answered", "open"


def checklist_table(cohort: Cohort, options: AnalysisOptions, results: dict[str, str]) -> pd.DataFrame:
    """A row an item: checklist, number, item, state ("answered", "open"), answer ("" of an open one).

    Args:
        results: answers that only the finished analysis has, by key.
    """
    answers = _answers(cohort, options) | _of_study(cohort) | results
    rows = []
    for checklist, text in CHECKLISTS.items():
        for line in text.strip().splitlines():
            number, item, key = (part.strip() for part in line.split("|"))
            answer = answers.get(key, "")
            rows.append((checklist, number, item, ANSWERED if answer else OPEN, answer))
    return pd.DataFrame(rows, columns=["checklist", "number", "item", "state", "answer"])


def _answers(cohort: Cohort, options: AnalysisOptions) -> dict[str, str]:
    """What follows from the way the analysis is done, and from the cohort."""
    counts = cohort.counts
    groups = ", ".join(f"{counts[group]} HER2-{group}" for group in GROUPS)
    clinical = ", ".join(one.title for one in cohort.clinical)
    found = {
        "design": "Reading of imaging biomarkers against pathology at one time, without follow-up.",
        "not_matched": "Groups were not matched.",
        "no_follow_up": "There is no follow-up.",
        "variables": "Biomarkers: T1 pre, T1 post, ΔT1 = T1 pre - T1 post, its ratio to T1 pre, T2, T2*, "
        f"in ms; clinical factors by the pathology table: {clinical or 'none'}.",
        "outcome": f"HER2 status by the preset '{cohort.preset}' of immunohistochemistry and in-situ "
        "hybridisation; positive against low is the outcome.",
        "quantitative": "Biomarkers enter as they are, in ms, and straight into the logit; odds ratios are "
        "also given per SD.",
        "methods": "See 'Tests and conventions': each test and interval by its name. Intervals are at 95 %.",
        "subgroups": "No interaction was tested; positive against zero and low against zero are separate "
        "tables.",
        "missing": "Nothing is filled in. A case without a value is left out of that statistic; each table "
        "says how many entered.",
        "numbers": f"{len(cohort.cases)} analysed ({groups}); {len(cohort.left_out)} left out, listed with "
        "reasons.",
        "characteristics": "Table 2, by HER2 group.",
        "events": f"{counts['positive']} HER2-positive, {counts['low']} HER2-low in the main comparison.",
        "boundaries": _boundaries(cohort),
        "estimates": "Univariable and multivariable odds ratios with Wald and profile-likelihood intervals.",
        "objective": "Development of a model with internal validation; exploratory.",
        "partition": "All cases served for development. Internal validation by bootstrap and "
        "cross-validation; no external data.",
        "candidates": "All biomarkers and clinical factors were candidates; none was chosen by its look.",
        "building": "Logistic regression. Entry rule: significant alone (p < 0.05); the whole selection was "
        f"repeated in each of {options.bootstraps:,} bootstrap samples and each fold.",
        "performance": "AUC (DeLong), sensitivity, specificity, accuracy, predictive values (Wilson), "
        "Brier score, calibration slope and intercept, Hosmer-Lemeshow, net benefit.",
        "no_updating": "No model was updated.",
        "imbalance": "No resampling or weighting against imbalance.",
        "code": "HER2Map is open source (Apache-2.0); version and options stand in results.json.",
        "software": "HER2Map with the versions named in results.json.",
        "fitting": "Maximum likelihood by Newton's method from zero; Firth's penalty where the data "
        "separate.",
        "no_ensemble": "No ensemble.",
        "explain": "A logistic model: each coefficient is printed.",
        "accuracy": "Table 4, with 95 % intervals.",
        "deidentified": "Cases are known by study codes; tables with personal columns are refused.",
    }
    if cohort.flow is not None:
        found["flow"] = (
            f"{cohort.flow.screened} screened, {cohort.flow.included} included; reasons in the flow diagram."
        )
        found["diagram"] = "Figure: enrolment."
    return found


def _boundaries(cohort: Cohort) -> str:
    cut_off = PRESETS[cohort.preset].ki67_cut_off
    text = "ER and PR positive from 1 % of nuclei"
    return f"{text}; Ki-67 high from {cut_off:g} %." if cut_off is not None else f"{text}."


def _of_study(cohort: Cohort) -> dict[str, str]:
    """What a study's protocol answers; a table of values knows none of it."""
    protocol = cohort.values.protocol
    if protocol is None:
        return {}
    readers, repeats = len(protocol.readers), protocol.repeats
    return {
        "measurement": f"Maps fitted with the preset '{protocol.preset}'"
        + (", the ROI carried over along the motion found" if protocol.registration else "")
        + f"; each of {readers} readers drew each ROI {repeats} times on the DCE phase nearest to "
        "90 s; median of the repeats, mean over the readers.",
        "blinding": "Readers were blinded to pathology, to one another and to their earlier readings; "
        f"hidden: {', '.join(protocol.hidden)}. Each had an order of his own; at least "
        f"{protocol.minimum_interval_hours:g} h between two readings of a case.",
        "roi": "The ROI on the DCE phase nearest to 90 s after the injection, extruded by half the slice "
        "thickness, placed on each map by patient coordinates.",
        "tools": "HER2Map's Reading panel in 3D Slicer.",
        "protocol": "study.toml of the study.",
    }
