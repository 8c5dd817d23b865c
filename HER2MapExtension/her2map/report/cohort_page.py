"""The parts of a cohort's report: which tables and figures stand where, with what is said of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from ..cohort.analysis import CohortAnalysis
from ..cohort.groups import NumberBetween, post_hoc
from ..cohort.variables import DIRECTIONS, GROUPS, IMAGING
from .agreement import bland_altman_figure
from .cohort_boxes import box_figure
from .cohort_forest import forest_figure
from .cohort_groups import imaging_print, normality_print, other_tests_print, patients_print
from .cohort_markers import (
    acquisition_print,
    comparison_print,
    marker_titles,
    pairs_print,
    performance_print,
    ways_print,
)
from .cohort_models import alone_print, forest_panels, together_print
from .cohort_predictions import calibration_figure, calibration_print, decision_figure
from .cohort_roc import Curves, roc_figure
from .cohort_validation import chosen_print, validation_print
from .enrolment import flow_figure
from .print_table import PrintTable
from .study_tables import bland_altman_lines, icc_lines, overlap_lines, repeatability_lines

_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


@dataclass(frozen=True, eq=False)
class PrintFigure:
    """A figure: `name` is that of its files; `narrow` where it needs no full width."""

    name: str
    caption: str
    figure: Figure
    narrow: bool = False


@dataclass(frozen=True)
class Part:
    """A part of the report."""

    name: str
    title: str
    items: Sequence[PrintTable | PrintFigure]
    text: Sequence[str] = field(default_factory=tuple)


def report_parts(found: CohortAnalysis) -> tuple[Part, ...]:
    """All parts, in order."""
    return (
        _cohort_part(found),
        _patients_part(found),
        _imaging_part(found),
        _performance_part(found),
        _models_part(found),
        _agreement_part(found),
        _further_part(found),
        _checklist_part(found),
    )


def _cohort_part(found: CohortAnalysis) -> Part:
    items: list[PrintTable | PrintFigure] = []
    cohort = found.cohort
    if cohort.flow is not None:
        items.append(PrintFigure("enrolment", "Enrolment", flow_figure(cohort.flow), narrow=True))
    if len(cohort.left_out):
        lines = [["case", "why"], *cohort.left_out.astype(str).to_numpy().tolist()]
        items.append(PrintTable("left_out", "Cases that are left out", lines, words=(0, 1)))
    items.append(acquisition_print(found.acquisition))
    counts = ", ".join(f"{cohort.counts[group]} HER2-{group}" for group in GROUPS)
    text = f"{len(cohort.cases)} cases with values and a settled HER2 status: {counts}."
    return Part("cohort", "Cohort and acquisition", items, (text,))


def _patients_part(found: CohortAnalysis) -> Part:
    return Part("patients", "Patients", [patients_print(found.patients, found.cohort.counts)])


def _imaging_part(found: CohortAnalysis) -> Part:
    cohort = found.cohort
    items: list[PrintTable | PrintFigure] = [imaging_print(found.imaging, cohort.counts)]
    if cohort.imaging:
        p_of = {one.variable.name: post_hoc(one) for one in found.imaging if isinstance(one, NumberBetween)}
        items.append(PrintFigure("boxes", "Imaging parameters by HER2 group.", box_figure(cohort, p_of)))
    items += [other_tests_print(found.imaging), normality_print(found.imaging)]
    return Part("imaging", "Imaging parameters", items)


def _performance_part(found: CohortAnalysis) -> Part:
    groups = found.pair.name
    titles = marker_titles([one.marker for one in found.markers])
    items: list[PrintTable | PrintFigure] = [performance_print(found.markers, found.alone, groups)]
    panels = _roc_panels(found)
    if panels:
        caption = f"ROC curves, {groups}."
        items.append(PrintFigure("roc", caption, roc_figure(panels)))
    items.append(
        comparison_print(
            found.compared, titles, "table5_delong", f"Table 5. Pairwise comparison of AUCs, {groups}"
        )
    )
    return Part("performance", "Diagnostic performance", items, (DIRECTIONS,))


def _roc_panels(found: CohortAnalysis) -> list[tuple[str, Curves]]:
    known = [one for one in found.markers if one.curve.auc.known]
    measured = sorted(
        (one for one in known if not one.marker.predictors), key=lambda one: -one.curve.auc.value
    )
    models = [one for one in known if one.marker.predictors]
    panels: list[tuple[str, Curves]] = []
    if measured:
        panels.append(("a  Markers", {one.marker.title: one.curve for one in measured}))
    if models:
        best = {one.marker.title: one.curve for one in [*models, *measured[:2]]}
        panels.append(("b  Models (apparent)", best))
    return panels


def _models_part(found: CohortAnalysis) -> Part:
    items: list[PrintTable | PrintFigure] = [alone_print(found.alone)]
    items += [together_print(model) for model in found.models]
    panels = forest_panels(found.alone, found.models)
    items.append(PrintFigure("forest", "Odds ratios, each factor alone and together.", forest_figure(panels)))
    items += [
        validation_print(found.validation, found.models),
        chosen_print(found.validation, found.cohort.variables),
        *_prediction_items(found),
    ]
    title = {one.name: one.title for one in found.cohort.variables}
    aside = [
        f"{title[name]} is significant alone, but did not enter: {why}." for name, why in found.entry.aside
    ]
    return Part("models", "Logistic models", items, tuple(aside))


def _prediction_items(found: CohortAnalysis) -> list[PrintTable | PrintFigure]:
    judged = found.predictions
    titles = {model.name: model.title for model in found.models}
    titles |= {one.variable.name: f"{one.variable.title} alone" for one in found.alone}
    items: list[PrintTable | PrintFigure] = [calibration_print(judged, found.models)]
    if judged.calibration:
        figure = calibration_figure(judged.calibration, titles)
        items.append(PrintFigure("calibration", "Calibration (apparent).", figure))
    if judged.decision is not None and judged.decision.n:
        figure = decision_figure(judged.decision, titles)
        items.append(PrintFigure("decision_curve", "Decision curve (apparent).", figure, narrow=True))
    return items


def _agreement_part(found: CohortAnalysis) -> Part:
    agreed = found.agreement
    if agreed is None:
        text = "The table of values names no readers; give the study's folder, or the wide.csv of its export."
        return Part("agreement", "Agreement of the readings", (), (text,))
    items: list[PrintTable | PrintFigure] = [
        PrintTable(
            "repeatability",
            "Repeatability",
            _printed(repeatability_lines(agreed.repeatability)),
            words=(0, 1),
        ),
        PrintTable("icc", "Intraclass correlation", _printed(icc_lines(agreed.icc)), words=(0, 1, 2, 5)),
        PrintTable(
            "bland_altman", "Bland-Altman", _printed(bland_altman_lines(agreed.bland_altman)), words=(0, 1)
        ),
    ]
    if len(agreed.overlap):
        items.append(PrintTable("overlap", "Overlap of the contours", overlap_lines(agreed.overlap)))
    for compared in agreed.bland_altman["compared"].unique():
        name = f"bland_altman_{compared.replace(' and ', '_')}"
        items.append(PrintFigure(name, f"Bland-Altman, {compared}.", bland_altman_figure(agreed, compared)))
    return Part("agreement", "Agreement of the readings", items, agreed.incomplete)


def _printed(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """With the biomarkers' titles, and a true minus before numbers."""
    titles = {one.name: one.title for one in IMAGING}
    rows = []
    for first, *rest in lines:
        name, _, unit = first.partition(" / ")
        head = f"{titles[name]}, {unit}" if unit and name in titles else titles.get(name, first)
        rows.append([head, *(_MINUS.sub("−", cell) for cell in rest)])
    return rows


def _further_part(found: CohortAnalysis) -> Part:
    variables = found.cohort.imaging
    items = [
        pairs_print(found.pairs),
        ways_print(found.readers, "readers", "The readers one by one", variables),
        ways_print(found.repeats, "repeats", "Sensitivity to the repeats", variables),
        ways_print(found.alternatives, "alternatives", "Sensitivity to how the values were found", variables),
    ]
    return Part("further", "Further comparisons", items)


def _checklist_part(found: CohortAnalysis) -> Part:
    table = found.checklists
    items = []
    for name in table["checklist"].unique():
        own = table[table["checklist"] == name]
        lines = [["item", "asks for", "state", "answer"], *own.iloc[:, 1:].to_numpy().tolist()]
        done = int((own["state"] == "answered").sum())
        items.append(
            PrintTable(
                f"checklist_{name.lower().replace('+', '_')}",
                f"{name}: {done} of {len(own)} items answered from the project's own state",
                lines,
                words=(0, 1, 2, 3),
            )
        )
    text = "The wording of the items is shortened; open ones, and page numbers, are the authors' to give."
    return Part("checklists", "Reporting checklists", items, (text,))
