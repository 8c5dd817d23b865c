"""Box plots of the biomarkers by HER2 group: every case a point, brackets where groups differ."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..cohort.inputs import Cohort
from ..cohort.variables import GROUPS, Variable
from .cohort_style import GROUP_FILL, GROUP_MARK, INK, SOFT, new_figure, p_value, plain_axes

Pair = tuple[str, str]
_COLUMNS = 3
_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def box_figure(cohort: Cohort, p_of: Mapping[str, Mapping[Pair, float]]) -> Figure:
    """One panel a biomarker: median, quartiles, whiskers to 1.5 times the interquartile range, all cases.

    Args:
        p_of: by biomarker, the corrected p of each pair of groups; a bracket is drawn where it is below 0.05.
    """
    groups = [group for group in GROUPS if cohort.counts[group]]
    rows = max(1, math.ceil(len(cohort.imaging) / _COLUMNS))
    figure = new_figure(7.2, 2.75 * rows + 0.5)
    panels = np.atleast_1d(figure.subplots(rows, _COLUMNS)).flat
    for axes, variable in zip(panels, cohort.imaging, strict=False):
        values = {
            group: cohort.cases.loc[cohort.cases["her2"] == group, variable.name].dropna().to_numpy()
            for group in groups
        }
        _panel(axes, variable, values, p_of.get(variable.name, {}))
    for axes in list(panels):  # what is left of the grid
        axes.axis("off")
    figure.supxlabel(
        "Line: median; box: quartiles; whiskers: to 1.5 times the interquartile range; one point a case.\n"
        "Brackets: post-hoc test of Table 3, corrected; * p < 0.05, ** p < 0.01, *** p < 0.001.",
        fontsize=7.5,
        color=SOFT,
    )
    return figure


def _panel(
    axes: Axes, variable: Variable, values: Mapping[str, np.ndarray], p_of: Mapping[Pair, float]
) -> None:
    plain_axes(axes, variable.title)
    axes.set_ylabel(f"{variable.title} ({variable.unit})" if variable.unit else variable.title, fontsize=8)
    axes.set_xticks(range(len(values)), [f"{group}\nn = {len(v)}" for group, v in values.items()], fontsize=8)
    axes.set_xlim(-0.6, len(values) - 0.4)
    rng = np.random.default_rng(1)  # where the points lie beside each other, no more
    for place, (group, numbers) in enumerate(values.items()):
        if not len(numbers):
            continue
        box = axes.boxplot(
            numbers, positions=[place], widths=0.56, showfliers=False, patch_artist=True,
            medianprops={"color": INK, "lw": 1.8}, whiskerprops={"color": INK}, capprops={"color": INK},
            boxprops={"facecolor": GROUP_FILL[group], "edgecolor": INK, "lw": 0.9},
            manage_ticks=False,
        )  # fmt: skip
        box["boxes"][0].set_zorder(1)
        spread = rng.uniform(-0.19, 0.19, len(numbers))
        axes.plot(
            place + spread,
            numbers,
            GROUP_MARK[group],
            ms=2.6,
            mfc="none",
            mec=INK,
            mew=0.5,
            alpha=0.55,
            zorder=3,
        )
    _brackets(axes, list(values), values, p_of)


def _brackets(
    axes: Axes, groups: Sequence[str], values: Mapping[str, np.ndarray], p_of: Mapping[Pair, float]
) -> None:
    """The nearest pairs lowest, so that no bracket crosses another."""
    found = [
        (groups.index(one), groups.index(other), p)
        for (one, other), p in p_of.items()
        if one in groups and other in groups and p < 0.05
    ]
    everything = np.concatenate([*values.values(), []])
    if not len(everything):
        return
    low, high = float(everything.min()), float(everything.max())
    step = 0.09 * ((high - low) or 1.0)
    level = high + 0.6 * step
    for _, first, second, p in sorted((abs(i - j), min(i, j), max(i, j), p) for i, j, p in found):
        tick = 0.25 * step
        axes.plot(
            [first, first, second, second], [level - tick, level, level, level - tick], color=INK, lw=0.8
        )
        stars = next(mark for limit, mark in _STARS if p < limit)
        axes.text(
            (first + second) / 2, level - 0.1 * step, stars, ha="center", va="bottom", fontsize=8, color=INK
        )
        level += 1.25 * step
    axes.set_ylim(low - 0.6 * step, level + 0.3 * step)


def bracket_text(p: float) -> str:
    """What a bracket stands for, in words."""
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"
