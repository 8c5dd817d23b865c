"""Forest plots of odds ratios: alone and together, on a logarithmic axis, with the numbers beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, NullLocator

from .cohort_style import INK, SOFT, p_value, ratio_interval

# Inches.
_WIDTH, _LEFT, _RIGHT, _P = 7.2, 2.35, 4.75, 7.1
_ROW, _HEAD, _AXIS, _FOOT = 0.27, 0.42, 0.3, 0.5
_LETTERS = 36
_WIDEST = 1000.0
_TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100, 1000)
_BLUE = "#0b4f8a"


@dataclass(frozen=True)
class ForestRow:
    """An odds ratio in a row.

    Attributes:
        title: "T2* per SD (6.1 ms)".
        value, low, high: of the odds ratio; NaN where there is none.
        p: of its test.
        remark: in place of the numbers where there are none.
    """

    title: str
    value: float
    low: float
    high: float
    p: float
    remark: str = ""


@dataclass(frozen=True)
class ForestPanel:
    """Rows under a title; `n` says what entered."""

    title: str
    n: str
    rows: tuple[ForestRow, ...]


def forest_figure(panels: Sequence[ForestPanel]) -> Figure:
    """One panel below the other, with the same axis. Squares: odds ratios; lines: their 95 % intervals."""
    shown = [panel for panel in panels if panel.rows]
    heights = [_HEAD + _ROW * len(panel.rows) + _AXIS for panel in shown]
    total = sum(heights) + _FOOT
    figure = Figure(figsize=(_WIDTH, total), dpi=110)
    limits = _limits([row for panel in shown for row in panel.rows])
    top = total
    for panel, height in zip(shown, heights, strict=True):
        inner = _ROW * len(panel.rows)
        bottom = top - _HEAD - inner
        place = (_LEFT / _WIDTH, bottom / total, (_RIGHT - _LEFT) / _WIDTH, inner / total)
        _panel(figure.add_axes(place), panel, limits)
        top -= height
    figure.text(
        0.5,
        0.08 / total,
        "Odds ratio of HER2-positive against HER2-low, logarithmic axis; lines: 95 % intervals (arrow: "
        "beyond\nthe axis); filled squares: p < 0.05.",
        fontsize=7.5,
        color=SOFT,
        ha="center",
        va="bottom",
    )
    return figure


def _limits(rows: Sequence[ForestRow]) -> tuple[float, float]:
    """The intervals, as far as they are not endless."""
    ends = [end for row in rows for end in (row.low, row.high, row.value) if 1 / _WIDEST <= end <= _WIDEST]
    low, high = min([*ends, 0.5]), max([*ends, 2.0])
    return low / 1.25, high * 1.25


def _panel(axes: Axes, panel: ForestPanel, limits: tuple[float, float]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(limits)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    axes.axvline(1, color=SOFT, lw=0.9, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in _TICKS if limits[0] <= tick <= limits[1]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="x", labelsize=8, colors=INK)
    axes.set_yticks([])
    beside = axes.get_yaxis_transform()
    end, p_place = ((x - _LEFT) / (_RIGHT - _LEFT) for x in (_RIGHT + 0.12, _P))
    start = (0.08 - _LEFT) / (_RIGHT - _LEFT)
    head: dict[str, Any] = {"transform": beside, "va": "bottom"}
    axes.text(start, -0.62, panel.title, fontsize=9.5, color=INK, **head)
    axes.text(1, -0.62, panel.n, fontsize=8, color=SOFT, ha="right", **head)
    axes.text(end, -0.62, "odds ratio (95 % interval)", fontsize=7.5, color=SOFT, **head)
    axes.text(p_place, -0.62, "p", fontsize=7.5, color=SOFT, ha="right", **head)
    cell: dict[str, Any] = {"transform": beside, "va": "center", "color": INK}
    for place, row in enumerate(panel.rows):
        if place % 2 == 0:
            corner, width = (start - 0.02, place - 0.5), p_place - start + 0.03
            axes.add_patch(
                Rectangle(corner, width, 1, transform=beside, color="#f3f5f7", lw=0, zorder=-1, clip_on=False)
            )
        lines = wrap(row.title, _LETTERS)
        axes.text(
            start, place, "\n".join(lines), fontsize=8 if len(lines) == 1 else 6.8, linespacing=0.95, **cell
        )
        text = row.remark if math.isnan(row.value) else ratio_interval(row.value, row.low, row.high)
        axes.text(end, place, text, fontsize=8, **cell)
        if not math.isnan(row.p):
            axes.text(p_place, place, p_value(row.p), fontsize=8, ha="right", **cell)
        _row(axes, place, row, limits)


def _row(axes: Axes, place: int, row: ForestRow, limits: tuple[float, float]) -> None:
    if math.isnan(row.value):
        return
    low, high = (np.clip(end, *limits) if not math.isnan(end) else math.nan for end in (row.low, row.high))
    axes.plot([low, high], [place, place], color=INK, lw=1.2, solid_capstyle="butt")
    for end, edge, mark in ((row.low, limits[0], "<"), (row.high, limits[1], ">")):
        beyond = end < limits[0] if mark == "<" else end > limits[1]
        if beyond:
            axes.plot(edge, place, mark, ms=5, color=INK, clip_on=False)
        elif not math.isnan(end):
            axes.plot([end, end], [place - 0.16, place + 0.16], color=INK, lw=1.2)
    face = _BLUE if row.p < 0.05 else "white"
    if limits[0] <= row.value <= limits[1]:
        axes.plot(row.value, place, "s", ms=5.5, mfc=face, mec=_BLUE, mew=1.1, zorder=3)
