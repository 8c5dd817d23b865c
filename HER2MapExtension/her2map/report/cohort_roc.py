"""ROC curves of a cohort: several markers in one panel, each with its AUC."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..statistics import RocCurve
from .cohort_style import INK, LINE, SOFT, STROKES, interval, new_figure, plain_axes

Curves = Mapping[str, RocCurve]
"""By what they are called in print; the first is drawn the boldest."""


def roc_figure(panels: Sequence[tuple[str, Curves]]) -> Figure:
    """One panel for each of `panels`, its title and curves.

    Sensitivity over 1 - specificity; DeLong's intervals in the legend; Youden's cut-off as a dot.
    """
    longest = max(len(curves) for _, curves in panels)
    figure = new_figure(3.6 * len(panels), 4.1 + 0.17 * longest)
    for axes, (title, curves) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _panel(axes, title, curves)
    figure.supxlabel(
        "HER2-positive against HER2-low. In brackets: 95 % interval (DeLong); dot: Youden's cut-off.",
        fontsize=7.5,
        color=SOFT,
    )
    return figure


def _panel(axes: Axes, title: str, curves: Curves) -> None:
    plain_axes(axes, title)
    axes.plot([0, 1], [0, 1], color=LINE, lw=0.9, zorder=0)
    for stroke, (name, curve) in zip(STROKES * 3, curves.items(), strict=False):
        label = f"{name}: {interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)}"
        if not curve.auc.known:
            axes.plot(
                [], [], color=stroke.colour, ls=stroke.dashes, lw=stroke.width, label=f"{name}: no curve"
            )
            continue
        label += f", n = {curve.n_negative} + {curve.n_positive}"
        axes.plot(
            1 - curve.specificity, curve.sensitivity, color=stroke.colour, ls=stroke.dashes, lw=stroke.width,
            label=label,
        )  # fmt: skip
        if curve.cut_off:
            axes.plot(
                1 - curve.cut_off.specificity, curve.cut_off.sensitivity, "o", ms=4,
                color=stroke.colour, mec="white", mew=0.6, zorder=4,
            )  # fmt: skip
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("1 − specificity", fontsize=8.5, color=INK)
    axes.set_ylabel("sensitivity", fontsize=8.5, color=INK)
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.12, -0.17), fontsize=7, frameon=False, handlelength=3.4,
        borderaxespad=0, labelspacing=0.45,
    )  # fmt: skip
