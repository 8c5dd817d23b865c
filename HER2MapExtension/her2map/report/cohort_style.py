"""How a cohort's figures and tables look: group colours, lines, numbers in print, and saving."""

import base64
import io
import math
from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..cohort.variables import Variable
from ..files import replacing
from .style import STYLES

INK, SOFT, LINE = "#1f2933", "#52606d", "#b8c0c8"
GROUP_FILL = {"zero": "#f4f4f2", "low": "#a9cbe6", "positive": "#d0743c"}
"""They differ in lightness as well, so that grey print and colour-blind readers tell them apart."""
GROUP_MARK = {"zero": "s", "low": "o", "positive": "^"}


_NEARLY_1 = 0.05


class Stroke(NamedTuple):
    """A line's colour, dashes and width; no two have the same dashes."""

    colour: str
    dashes: object
    width: float


STROKES = (
    Stroke("#000000", "-", 2.2),
    Stroke("#0b4f8a", "-", 1.3),
    Stroke("#c2410c", (0, (6, 2)), 1.5),
    Stroke("#0f766e", (0, (1.2, 1.2)), 1.8),
    Stroke("#7a3e9d", (0, (7, 2, 1.5, 2)), 1.4),
    Stroke("#8a6d00", (0, (3, 1.5)), 1.3),
    Stroke("#6b7280", (0, (6, 1.5, 1.2, 1.5, 1.2, 1.5)), 1.3),
    Stroke("#b0005a", (0, (10, 3)), 1.3),
    Stroke("#2563eb", (0, (2, 2, 6, 2)), 1.3),
    Stroke("#3f6212", (0, (4, 1, 1, 1)), 1.4),
    Stroke("#9f1239", (0, (1, 3)), 1.6),
)
"""For several curves in one panel, the most important one first."""


def plain_axes(axes: Axes, title: str = "", n: str = "") -> None:
    """Thin axes with a title on the left and what entered on the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=8, colors=INK)
    if title:
        axes.set_title(title, fontsize=9.5, loc="left", color=INK)
    if n:
        axes.set_title(n, fontsize=8, loc="right", color=SOFT)


def new_figure(width: float, height: float) -> Figure:
    """In inches; the width of a page is 7.2."""
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def write_figure(folder: Path, name: str, figure: Figure) -> tuple[Path, Path]:
    """Write `name`.svg and .png (300 dpi); the same figure gives the same bytes."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    with rc_context({"svg.hashsalt": "her2map"}), replacing(svg) as temporary:
        figure.savefig(temporary, facecolor="white", metadata={"Date": None})
    with replacing(png) as temporary:
        figure.savefig(temporary, dpi=300, facecolor="white")
    return svg, png


def svg_uri(path: Path) -> str:
    """An SVG file for the page itself."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"


def number(value: float, decimals: int) -> str:
    """With a true minus, never "-0"; a dash where there is none, a sign for what is without end."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def significant(value: float, digits: int = 3) -> str:
    """So many digits that mean something, without exponents unless far from 1."""
    if not math.isfinite(value) or value == 0:
        return number(value, 2)
    size = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))  # 0.09998 is 0.100
    if not -5 <= size <= 6:
        return f"{value:.{digits - 1}e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")
    return number(value, max(0, digits - 1 - size))


def interval(value: float, low: float, high: float, decimals: int) -> str:
    """A number with its 95 % interval; a dash where there is none."""
    if math.isnan(value):
        return "–"
    if math.isnan(low) and math.isnan(high):
        return number(value, decimals)
    return f"{number(value, decimals)} ({number(low, decimals)} to {number(high, decimals)})"


def ratio_interval(value: float, low: float, high: float) -> str:
    """An odds ratio with its interval: three digits that mean something, more where it is nearly 1."""
    if math.isnan(value):
        return "–"
    if abs(value - 1) < _NEARLY_1 and high - low < 4 * _NEARLY_1:
        return interval(value, low, high, 4)
    if math.isnan(low) and math.isnan(high):
        return significant(value)
    return f"{significant(value)} ({significant(low)} to {significant(high)})"


def p_value(p: float) -> str:
    """As journals print it."""
    if math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def decimals_of(variable: Variable) -> int:
    """Of a number in its unit."""
    return STYLES[variable.name].decimals if variable.imaging else 1


def buffer_png(figure: Figure, dpi: int = 100) -> bytes:
    """The figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white")
    return buffer.getvalue()
