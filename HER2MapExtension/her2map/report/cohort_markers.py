"""Tables 1, 4 and 5 of a cohort in print, and those of the further comparisons."""

import math
from collections.abc import Mapping, Sequence

from scipy.special import expit

from ..cohort.acquisition import SEQUENCES, Acquisition
from ..cohort.comparisons import Ways
from ..cohort.markers import Marker, MarkerResult
from ..cohort.models import Alone
from ..cohort.variables import Variable
from ..statistics import AucComparison, Direction, Estimate, Proportion
from .cohort_style import interval, number, p_value, ratio_interval, significant
from .print_table import Footnotes, PrintTable
from .style import STYLES

_TITLES = {"DCE": "DCE", "B1": "B1", "T1_pre": "T1 pre", "T1_post": "T1 post", "T2": "T2", "T2star": "T2*"}
_MOST = 5
CALLS = {
    "sensitivity": "sensitivity, %", "specificity": "specificity, %", "accuracy": "accuracy, %",
    "positive_predictive_value": "PPV, %", "negative_predictive_value": "NPV, %",
}  # fmt: skip


def acquisition_print(found: Acquisition) -> PrintTable:
    """Table 1: parameters by sequence."""
    table = found.table
    sequences = [name for name in SEQUENCES if name in set(table["sequence"])]
    notes = Footnotes()
    cells: dict[str, dict[str, str]] = {}
    for row in table.itertuples():
        mark = notes.mark(f"{row.exams} of {row.of} exams; others: {row.others}") if row.others else ""
        cells.setdefault(row.parameter, {})[row.sequence] = f"{row.value}{mark}"
    lines = [["parameter", *(_TITLES[name] for name in sequences)]]
    lines += [[parameter, *(own.get(name, "–") for name in sequences)] for parameter, own in cells.items()]
    unread = [f"Not read: {code}, {why}." for code, why in found.unread[:_MOST]]
    if len(found.unread) > _MOST:
        unread.append(f"Nor {len(found.unread) - _MOST} others; results.json names them.")
    return PrintTable(
        "table1_acquisition",
        f"Table 1. Acquisition, from the headers of {found.exams} exams"
        if found.exams
        else "Table 1. Acquisition",
        lines if cells else [lines[0]],
        (*notes.notes, *unread),
        tuple(range(len(sequences) + 1)),
        found.reason,
    )


def performance_print(results: Sequence[MarkerResult], alone: Sequence[Alone], groups: str) -> PrintTable:
    """Table 4: a row a marker; the models last, under a heading of their own."""
    notes = Footnotes()
    odds = {one.variable.name: one for one in alone}
    header = [
        "marker", "n", "AUC (95 % interval)", "p", "positive from", *CALLS.values(),
        "odds ratio per SD, alone",
    ]  # fmt: skip
    lines = [header]
    measured = [one for one in results if not one.marker.predictors]
    models = [one for one in results if one.marker.predictors]
    lines += [_performance(one, odds.get(one.marker.name), notes) for one in measured]
    if models:
        lines.append(["Models, on the very cases to which they were fitted (apparent)"])
        lines += [_performance(one, None, notes) for one in models]
    return PrintTable(
        "table4_performance",
        f"Table 4. Diagnostic performance, {groups}",
        lines,
        (
            "n: HER2-low + HER2-positive. AUC: DeLong's interval; p: of AUC = 0.5.",
            "Cut-off: Youden's, midpoint of two observed values, chosen on these cases, so that what follows "
            "from it is optimistic; with Wilson's interval. Cut-offs of models are "
            "probabilities.",
            *notes.notes,
        ),
        empty="No marker has a value.",
    )


def _performance(result: MarkerResult, alone: Alone | None, notes: Footnotes) -> list[str]:
    marker, curve, calls = result.marker, result.curve, result.at_cut_off
    auc = interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)
    row = [marker.title, f"{curve.n_negative} + {curve.n_positive}"]
    row += [auc + notes.mark(curve.auc.reason or curve.no_cut_off), p_value(curve.p), cut_off_text(result)]
    row += [share_text(getattr(calls, name)) if calls else "–" for name in CALLS]
    term = alone.fit.terms[0] if alone and len(alone.fit.terms) == 1 else None
    if term is None:
        return [*row, "–"]
    estimate = term.odds_ratio if alone and alone.variable.levels else term.per_sd
    return [*row, ratio_interval(estimate.value, estimate.low, estimate.high)]


def cut_off_text(result: MarkerResult) -> str:
    """From which value on a case is called positive."""
    if result.curve.cut_off is None:
        return "–"
    marker, threshold = result.marker, result.curve.cut_off.threshold
    sign = "≥" if marker.direction is Direction.HIGHER else "≤"
    if marker.predictors:
        return f"{sign} {number(float(expit(threshold)), 3)}"
    if marker.name == "er":
        return "negative"
    style = STYLES.get(marker.name)
    text = number(threshold, style.decimals) if style else significant(threshold)
    return f"{sign} {text} {marker.unit}".rstrip()


def share_text(share: Proportion) -> str:
    """In percent, with Wilson's interval."""
    return interval(100 * share.value, 100 * share.wilson.low, 100 * share.wilson.high, 0)


def comparison_print(
    found: Sequence[AucComparison], titles: Mapping[str, str], name: str, title: str
) -> PrintTable:
    """Table 5 and its like: every pair with DeLong's test, with and without correction."""
    notes = Footnotes()
    lines = [["first", "second", "AUC", "AUC", "difference (95 % interval)", "p", "p, Holm", "p, Bonferroni"]]
    for one in found:
        first, second = (titles.get(key, key) for key in (one.first, one.second))
        mark = notes.mark(one.remark or one.difference.reason)
        lines.append(
            [
                first, second, number(one.first_auc, 3), number(one.second_auc, 3),
                _difference(one.difference),
                p_value(one.p) + mark, p_value(one.p_holm), p_value(one.p_bonferroni),
            ]
        )  # fmt: skip
    note = f"DeLong's paired test, two-sided; corrected over the {len(found)} pairs."
    return PrintTable(
        name, title, lines, (note, *notes.notes), (0, 1), "There are no two markers to compare."
    )


def _difference(estimate: Estimate) -> str:
    return interval(estimate.value, estimate.low, estimate.high, 3)


def pairs_print(pairs: Mapping[str, Sequence[MarkerResult]]) -> PrintTable:
    """The biomarkers for the other pairs of groups."""
    notes = Footnotes()
    lines = [["marker", "n", "AUC (95 % interval)", "p", "positive from", "sensitivity, %", "specificity, %"]]
    for name, results in pairs.items():
        lines.append([name])
        for one in results:
            curve, calls = one.curve, one.at_cut_off
            auc = interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)
            shares = [share_text(calls.sensitivity), share_text(calls.specificity)] if calls else ["–", "–"]
            lines.append(
                [
                    one.marker.title, f"{curve.n_negative} + {curve.n_positive}",
                    auc + notes.mark(curve.auc.reason or curve.no_cut_off), p_value(curve.p),
                    cut_off_text(one), *shares,
                ]
            )  # fmt: skip
    return PrintTable(
        "other_pairs",
        "The other pairs of groups",
        lines,
        ("n: the second group + the first. The directions are those of Table 4.", *notes.notes),
        empty="One of the groups has no case.",
    )


def ways_print(ways: Ways, name: str, title: str, variables: Sequence[Variable]) -> PrintTable:
    """Areas of the biomarkers in several ways, a column a biomarker, and the least p of DeLong's tests."""
    shown = [one for one in variables if one.name in ways.tests]
    lines = [["AUC (95 % interval)", *(one.title for one in shown)]]
    for way, results in ways.results.items():
        curves = [result.curve for result in results]
        lines.append([way, *(interval(c.auc.value, c.auc.low, c.auc.high, 3) for c in curves)])
    if lines[1:]:
        lines.append(["least p of any two ways, Holm", *(_least(ways.tests[one.name]) for one in shown)])
    note = (
        "HER2-positive against HER2-low; DeLong's paired test of every two ways, on the cases that have both."
    )
    return PrintTable(name, title, lines, (note,) if lines[1:] else (), empty=ways.reason)


def _least(tests: Sequence[AucComparison]) -> str:
    known = [one.p_holm for one in tests if not math.isnan(one.p_holm)]
    return p_value(min(known)) if known else "–"


def marker_titles(markers: Sequence[Marker]) -> dict[str, str]:
    """By name."""
    return {one.name: one.title for one in markers}
