"""A cohort's analysis in a few lines, for a terminal."""

from ..cohort.analysis import CohortAnalysis
from ..cohort.variables import GROUPS
from .cohort_markers import cut_off_text, share_text
from .cohort_style import interval, p_value
from .tables import aligned


def summary_text(found: CohortAnalysis) -> str:
    """Who entered, how each marker does, what the models come to, and what to know first."""
    cohort = found.cohort
    counts = ", ".join(f"{cohort.counts[group]} {group}" for group in GROUPS)
    lines = [f"{len(cohort.cases)} cases by the preset '{cohort.preset}': {counts}."]
    if len(cohort.left_out):
        lines.append(f"{len(cohort.left_out)} left out; the report says why.")
    table = [
        [found.pair.name, "n", "AUC (95 % interval)", "p", "positive from", "sensitivity", "specificity"]
    ]
    for one in found.markers:
        curve, calls = one.curve, one.at_cut_off
        shares = [share_text(calls.sensitivity), share_text(calls.specificity)] if calls else ["–", "–"]
        area = interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)
        counted = f"{curve.n_negative} + {curve.n_positive}"
        table.append([one.marker.title, counted, area, p_value(curve.p), cut_off_text(one), *shares])
    lines += ["", aligned(table, right_from=1)]
    for model in found.models:
        if not model.fit.terms:
            lines.append(f"{model.title}: no model. {model.fit.reason}")
    lines += [f"Note: {text}" for text in found.warnings]
    return "\n".join(lines)
