"""ROC curves of a cohort: several markers in one panel, each with its AUC."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..statistics import RocCurve
from .cohort_style import INK, LINE, SOFT, STROKES, Stroke, interval, plain_axes

Curves = Mapping[str, RocCurve]
"""By what they are called in print."""

_LETTERS = 52
_NOTE = (
    "HER2-positive against HER2-low. In brackets: 95 % interval (DeLong); n: low + positive; dot: Youden's "
    "cut-off."
)
# Inches.
_PANEL, _SIDE, _LEFT, _TOP, _BELOW, _LINE, _FOOT = 3.6, 2.85, 0.6, 0.35, 0.5, 0.142, 0.28


def roc_figure(panels: Sequence[tuple[str, Curves]]) -> Figure:
    """One panel for each of `panels`, its title and curves.

    Sensitivity over 1 - specificity; DeLong's intervals in the legend; Youden's cut-off as a dot.
    """
    longest = max(sum(len(lines.splitlines()) for lines in _labels(curves).values()) for _, curves in panels)
    # One stroke a name in all panels; those of the last, the models, get the boldest.
    names = dict.fromkeys(name for _, curves in reversed(panels) for name in curves)
    strokes = dict(zip(names, STROKES * (1 + len(names) // len(STROKES)), strict=False))
    note = fill(_NOTE, _LETTERS if len(panels) == 1 else len(_NOTE))
    foot = _FOOT + 0.1 * note.count("\n")
    width, height = _PANEL * len(panels), _TOP + _SIDE + _BELOW + _LINE * longest + 0.1 + foot
    figure = Figure(figsize=(width, height), dpi=110)
    for i, (title, curves) in enumerate(panels):
        left, bottom = i * _PANEL + _LEFT, height - _TOP - _SIDE
        axes = figure.add_axes((left / width, bottom / height, _SIDE / width, _SIDE / height))
        _panel(axes, title, curves, strokes)
    figure.text(0.5, 0.09 / height, note, fontsize=7.5 if len(panels) > 1 else 6, color=SOFT, ha="center")
    return figure


def _panel(axes: Axes, title: str, curves: Curves, strokes: Mapping[str, Stroke]) -> None:
    plain_axes(axes, title, _counts(curves))
    labels = _labels(curves)
    axes.plot([0, 1], [0, 1], color=LINE, lw=0.9, zorder=0)
    for name, curve in curves.items():
        stroke = strokes[name]
        axes.plot(
            1 - curve.specificity,
            curve.sensitivity,
            color=stroke.colour,
            ls=stroke.dashes,
            lw=stroke.width,
            label=labels[name],
        )
        if curve.cut_off:
            place = (1 - curve.cut_off.specificity, curve.cut_off.sensitivity)
            axes.plot(*place, "o", ms=4.5, color=stroke.colour, mec="white", mew=0.7, zorder=4)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_xlabel("1 − specificity", fontsize=8.5, color=INK)
    axes.set_ylabel("sensitivity", fontsize=8.5, color=INK)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(-0.17, -_BELOW / _SIDE), fontsize=7, frameon=False,
        handlelength=3.6,        borderaxespad=0, borderpad=0, labelspacing=0.4, labelcolor=INK,
    )  # fmt: skip
    legend.set_zorder(5)


def _counts(curves: Curves) -> str:
    """What entered, where it is the same for all."""
    counts = {(curve.n_negative, curve.n_positive) for curve in curves.values()}
    return "n = {} + {}".format(*next(iter(counts))) if len(counts) == 1 else "n: see below"


def _labels(curves: Curves) -> dict[str, str]:
    """Of each curve, on as many lines as it needs."""
    alike = _counts(curves) != "n: see below"
    labels = {}
    for name, curve in curves.items():
        area = interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)
        counted = "" if alike else f", n = {curve.n_negative} + {curve.n_positive}"
        labels[name] = fill(f"{name}: {area}{counted}", _LETTERS)
    return labels
