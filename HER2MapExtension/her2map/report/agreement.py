"""Bland-Altman plots of a study: two readers, one panel a biomarker."""

import math
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import InputError
from ..files import output_folder, replacing
from ..study.agreement import UNITS, StudyAgreement
from .style import STYLES

_INK, _BAND, _FAINT = "#1f2933", "#d9d9d9", "#8a8f96"
_BIAS, _LIMIT = "#0b4f8a", "#a34700"
"""Blue and orange-brown differ to all eyes; in grey the lines differ by their dashes and labels."""
_COLUMNS = 3


def bland_altman_figure(found: StudyAgreement, compared: str) -> Figure:
    """Difference over mean of every case, with bias, limits of agreement and their 95 % intervals (bands).

    Args:
        compared: a pair of readers, as `found.bland_altman` calls it: "R1 and R2".

    Raises:
        InputError: there is no such pair.
    """
    rows = found.bland_altman[found.bland_altman["compared"] == compared].set_index("biomarker")
    if rows.empty:
        pairs = ", ".join(found.bland_altman["compared"].unique()) or "there is one reader only"
        raise InputError(f"No pair of readers is called '{compared}'; the pairs are: {pairs}.")
    points = found.differences[found.differences["compared"] == compared]
    count = math.ceil(len(UNITS) / _COLUMNS)
    figure = Figure(figsize=(3.7 * _COLUMNS, 3.1 * count + 0.5), dpi=110, layout="constrained")
    for axes, name in zip(figure.subplots(count, _COLUMNS).flat, UNITS, strict=True):
        _panel(axes, name, rows.loc[name], points[points["biomarker"] == name])
    figure.supxlabel(
        "One point a case: the medians of either reader's repeats. Solid: bias; dashed: limits of agreement, "
        "bias ± 1.96 SD;\nbands: their 95 % confidence intervals; dotted: no difference; "
        "slope: of the difference over the mean.",
        fontsize=8.5,
        color=_INK,
    )
    return figure


def write_bland_altman(folder: Path, found: StudyAgreement) -> tuple[Path, ...]:
    """Write `bland_altman_<first>_<second>.svg` and `.png` (300 dpi) for every pair of readers.

    The same agreement gives the same bytes.

    Raises:
        InputError: the folder cannot be written to.
    """
    output_folder(folder)
    written = []
    pairs = found.bland_altman[["compared", "first", "second"]].drop_duplicates()
    for compared, first, second in pairs.itertuples(index=False):
        figure = bland_altman_figure(found, compared)
        svg, png = (folder / f"bland_altman_{first}_{second}.{kind}" for kind in ("svg", "png"))
        with rc_context({"svg.hashsalt": "her2map"}), replacing(svg) as temporary:
            figure.savefig(temporary, facecolor="white", metadata={"Date": None})
        with replacing(png) as temporary:
            figure.savefig(temporary, dpi=300, facecolor="white")
        written += [svg, png]
    return tuple(written)


def _panel(axes: Axes, name: str, row: Any, points: pd.DataFrame) -> None:
    style = STYLES[name]
    unit = f" ({style.unit})" if style.unit else ""
    axes.set_title(style.title, fontsize=10, loc="left", color=_INK)
    axes.set_title(f"n = {row['cases']}", fontsize=9, loc="right", color=_INK)
    slope = "" if math.isnan(row["slope"]) else f";  slope {_number(row['slope'], 3)}, {_p(row['slope_p'])}"
    axes.set_xlabel(f"mean{unit}{slope}", fontsize=8.5)
    axes.set_ylabel(f"{row['first']} − {row['second']}{unit}", fontsize=8.5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.plot(points["mean"], points["difference"], "o", ms=4, mfc="none", mec=_INK, mew=0.8, alpha=0.8)
    axes.axhline(0, color=_FAINT, lw=1, ls=":", zorder=1)
    if math.isnan(row["lower"]):
        note = fill(row["remark"], 32)
        axes.text(0.5, 0.75, note, transform=axes.transAxes, ha="center", va="center", fontsize=8, color=_INK)
    else:
        _lines(axes, row, style.decimals)
        axes.set_ylim(_range(row, points["difference"]))


def _lines(axes: Axes, row: Any, decimals: int) -> None:
    limits = [("upper", "+1.96 SD"), ("lower", "−1.96 SD")] if row["sd"] else []
    for key, label in [("bias", "bias"), *limits]:
        colour, dashes = (_BIAS, "-") if key == "bias" else (_LIMIT, (0, (5, 3)))
        axes.axhspan(row[f"{key}_low"], row[f"{key}_high"], color=_BAND, lw=0, zorder=0)
        axes.axhline(row[key], color=colour, lw=1.6, ls=dashes, zorder=2)
        text = f"{label}\n{_number(row[key], min(decimals + 1, 3))}"
        beside = axes.get_yaxis_transform()
        axes.text(1.02, row[key], text, transform=beside, color=colour, fontsize=8, va="center")


def _range(row: Any, differences: pd.Series) -> tuple[float, float]:
    """Points, limits and up to 2 SD of their bands, endless for a few cases; 0 unless far."""
    sd, bias = row["sd"], row["bias"]
    low = min(differences.min(), max(row["lower_low"], row["lower"] - 2 * sd))
    high = max(differences.max(), min(row["upper_high"], row["upper"] + 2 * sd))
    if sd == 0 or abs(bias) <= 6 * sd:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _number(value: float, decimals: int) -> str:
    """With a true minus, and never "-0"."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def _p(p: float) -> str:
    if math.isnan(p):
        return "no test"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
