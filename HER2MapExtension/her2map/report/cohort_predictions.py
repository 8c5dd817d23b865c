"""Calibration and decision curves of a cohort's models."""

import math
from collections.abc import Mapping, Sequence
from textwrap import fill, shorten

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..cohort.models import Model
from ..cohort.predictions import Predictions
from ..statistics import Estimate
from ..statistics.calibration import Calibration
from ..statistics.decision import DecisionCurve
from .cohort_style import INK, LINE, SOFT, STROKES, interval, new_figure, number, p_value, plain_axes
from .print_table import Footnotes, PrintTable

_BLUE = "#0b4f8a"
# Inches.
_PANEL, _SIDE, _LEFT, _TOP, _FOOT = 3.6, 2.8, 0.6, 0.3, 0.5


FITTED = "the cases that the model was fitted to"
OPTIMISTIC = "On the cases that the models were fitted to, hence optimistic."


def calibration_figure(
    found: Mapping[str, Calibration], titles: Mapping[str, str], cases: str = FITTED
) -> Figure:
    """Observed over predicted probability: groups of cases with intervals, and the fitted curve.

    Args:
        cases: of which the curve is, in words.
    """
    columns = min(2, len(found))
    rows = math.ceil(len(found) / columns)
    width, height = _PANEL * columns, _PANEL * rows + _FOOT
    figure = Figure(figsize=(width, height), dpi=110)
    for i, (name, one) in enumerate(found.items()):
        left = (i % columns) * _PANEL + _LEFT
        bottom = height - (i // columns) * _PANEL - _TOP - _SIDE
        axes = figure.add_axes((left / width, bottom / height, _SIDE / width, _SIDE / height))
        _calibration_panel(axes, titles.get(name, name), one)
    note = (
        "Points: groups between deciles of the predicted probability, with 95 % intervals (Wilson). Blue "
        f"line and band: logistic recalibration with its 95 % band, of {cases}. Grey: perfect."
    )
    figure.text(0.5, 0.08 / height, fill(note, 62 * columns), fontsize=7.5, color=SOFT, ha="center")
    return figure


def _calibration_panel(axes: Axes, title: str, one: Calibration) -> None:
    plain_axes(axes, shorten(title, 30, placeholder=" ..."), f"n = {one.n}")
    axes.plot([0, 1], [0, 1], color=LINE, lw=1, zorder=0)
    curve = one.curve
    axes.fill_between(curve.predicted, curve.low, curve.high, color=_BLUE, alpha=0.14, lw=0, zorder=1)
    axes.plot(curve.predicted, curve.observed, color=_BLUE, lw=1.4, zorder=2)
    for group in one.groups:
        share = group.observed.wilson
        axes.plot([group.predicted] * 2, [share.low, share.high], color=INK, lw=0.9, zorder=3)
        axes.plot(group.predicted, share.value, "o", ms=4.5, mfc="white", mec=INK, mew=1.1, zorder=4)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xlabel("predicted probability of HER2-positive", fontsize=8, color=INK)
    axes.set_ylabel("observed share", fontsize=8, color=INK)
    test = one.hosmer_lemeshow
    said = [f"Brier {number(one.brier, 3)}"]
    if test.known:
        shown = p_value(test.p)
        said.append(f"Hosmer-Lemeshow p {shown if shown[0] == '<' else '= ' + shown}")
    axes.text(0.98, 0.03, "\n".join(said), transform=axes.transAxes, ha="right", fontsize=7.5, color=INK)


def decision_figure(curve: DecisionCurve, titles: Mapping[str, str], note: str = OPTIMISTIC) -> Figure:
    """Net benefit of each model over the threshold probability, beside calling all or none positive.

    Args:
        note: below it.
    """
    figure = new_figure(6.2, 3.9)
    axes = figure.add_subplot()
    plain_axes(axes, "", f"n = {curve.n}, {curve.events} HER2-positive")
    axes.plot(
        curve.thresholds, curve.treat_all, color=SOFT, lw=1.1, ls=(0, (1, 1.5)), label="all called positive"
    )
    axes.plot(curve.thresholds, curve.treat_none, color=SOFT, lw=1.1, label="none called positive")
    for stroke, (name, benefit) in zip(STROKES, curve.models.items(), strict=False):
        axes.plot(
            curve.thresholds, benefit, color=stroke.colour, ls=stroke.dashes, lw=stroke.width,
            label=titles.get(name, name),
        )  # fmt: skip
    top = max(0.05, *(float(np.nanmax(values)) for values in (*curve.models.values(), curve.treat_all)))
    axes.set(xlim=(0, 1), ylim=(-0.12 * top, 1.08 * top))
    axes.set_xlabel("threshold probability of HER2-positive", fontsize=8.5, color=INK)
    axes.set_ylabel("net benefit per case", fontsize=8.5, color=INK)
    axes.legend(fontsize=7.5, frameon=False, handlelength=3.6, loc="upper right", labelcolor=INK)
    figure.supxlabel(note, fontsize=7.5, color=SOFT)
    return figure


def calibration_print(found: Predictions, models: Sequence[Model]) -> PrintTable:
    """A row a model: Brier score, slope, intercept, Hosmer-Lemeshow."""
    notes = Footnotes()
    lines = [
        [
            "model",
            "n (events)",
            "Brier",
            "Brier, scaled",
            "slope",
            "intercept",
            "Hosmer-Lemeshow χ² (df)",
            "p",
        ]
    ]
    for model in models:
        one = found.calibration.get(model.name)
        if one is None:
            continue
        test = one.hosmer_lemeshow
        statistic = f"{number(test.statistic, 2)} ({test.df[0]:g})" if test.known else "–"
        lines.append(
            [
                model.title, f"{one.n} ({one.events})", number(one.brier, 3), number(one.brier_scaled, 3),
                _with(one.slope, notes), _with(one.intercept, notes), statistic + notes.mark(test.reason),
                p_value(test.p),
            ]
        )  # fmt: skip
    remarks = dict.fromkeys(text for one in found.calibration.values() for text in one.remarks)
    return PrintTable(
        "calibration",
        "Calibration on the cases that the models were fitted to (apparent)",
        lines,
        (*remarks, *notes.notes) if lines[1:] else (),
        empty="There is no model.",
    )


def _with(estimate: Estimate, notes: Footnotes) -> str:
    return interval(estimate.value, estimate.low, estimate.high, 2) + notes.mark(estimate.reason)
