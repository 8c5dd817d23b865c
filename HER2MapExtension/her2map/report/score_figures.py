"""Pictures of a card's validation."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..score.card import Distribution
from ..score.validate import COMPLETE, Validation
from .cohort_style import GROUP_FILL, INK, SOFT, new_figure, plain_axes

_COLOURS = (GROUP_FILL["low"], GROUP_FILL["positive"])


def case_mix_figure(found: Validation) -> Figure:
    """The log odds of every case, beside the deciles of the training cohort, by group."""
    figure = new_figure(6.8, 2.6)
    axes = figure.add_subplot()
    plain_axes(axes, "Log odds", f"n = {len(found.cases.part(COMPLETE))}")
    part = found.cases.part(COMPLETE)
    for i, (group, colour) in enumerate(zip(found.card.groups, _COLOURS, strict=True)):
        _training(axes, 2 * i, found.card.cohort.log_odds[group], colour)
        values = np.sort(part.loc[part["outcome"] == i, "log_odds"].to_numpy())
        heights = 2 * i + 0.75 + 0.22 * np.sin(np.arange(len(values)) * 2.4)  # so that dots do not hide dots
        axes.plot(values, heights, "o", ms=3, mfc=colour, mec=INK, mew=0.3)
    names = [f"{group}, {which}" for group in found.card.groups for which in ("training", "here")]
    axes.set_yticks([0, 0.75, 2, 2.75], names, fontsize=8)
    axes.set_xlabel("log odds of the card", fontsize=8.5, color=INK)
    figure.supxlabel(
        "Dots: cases here. Training: the range, a box from the 1st to the 9th decile, and the median.",
        fontsize=7.5,
        color=SOFT,
    )
    return figure


def _training(axes: Axes, height: float, one: Distribution, colour: str) -> None:
    deciles = one.deciles
    axes.plot([deciles[0], deciles[-1]], [height] * 2, color=INK, lw=0.8, zorder=1)
    axes.barh(
        height, deciles[9] - deciles[1], left=deciles[1], height=0.5, color=colour, ec=INK, lw=0.8, zorder=2
    )
    axes.plot([deciles[5]] * 2, [height - 0.25, height + 0.25], color=INK, lw=1.2, zorder=3)
