"""A cohort's analysis in a few lines, for a terminal."""

from ..cohort.analysis import CohortAnalysis
from ..cohort.models import Model
from ..cohort.variables import GROUPS
from .cohort_markers import cut_off_text, share_text
from .cohort_style import interval, number, p_value
from .tables import aligned


def summary_text(found: CohortAnalysis) -> str:
    """Who entered, how each marker does, what the models come to, and what to know first."""
    cohort = found.cohort
    counts = ", ".join(f"{cohort.counts[group]} {group}" for group in GROUPS)
    lines = [f"{len(cohort.cases)} cases by the preset '{cohort.preset}': {counts}."]
    if len(cohort.left_out):
        lines.append(f"{len(cohort.left_out)} left out; the report says why.")
    table = [
        [
            found.pair.name,
            "n",
            "AUC (95 % interval)",
            "p",
            "positive from",
            "sensitivity, %",
            "specificity, %",
        ]
    ]
    for one in found.markers:
        curve, calls = one.curve, one.at_cut_off
        shares = [share_text(calls.sensitivity), share_text(calls.specificity)] if calls else ["–", "–"]
        area = interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)
        counted = f"{curve.n_negative} + {curve.n_positive}"
        table.append([one.marker.title, counted, area, p_value(curve.p), cut_off_text(one), *shares])
    lines += ["", aligned(table, right_from=1)]
    lines.append("")
    lines += [_model_line(found, model) for model in found.models]
    lines += [f"Note: {text}" for text in found.warnings]
    return "\n".join(lines)


def _model_line(found: CohortAnalysis, model: Model) -> str:
    """A model's factors, and what is left of its area on new cases."""
    if not model.fit.terms:
        return f"{model.title}: no model. {model.fit.reason}"
    factors = ", ".join(one.title for one in model.variables)
    one = found.validation[model.name]
    said = [f"{model.title} ({factors})" if model.name == "entry" else model.title]
    if one.bootstrap is not None and one.bootstrap.auc.corrected.known:
        area = one.bootstrap.auc
        said.append(
            f"AUC {number(area.apparent, 3)}, corrected for optimism {number(area.corrected.value, 3)}"
        )
    if one.crossed.auc == one.crossed.auc:
        said.append(f"cross-validated {number(one.crossed.auc, 3)}")
    return f"{said[0]}: {', '.join(said[1:]) or 'not validated'}."
