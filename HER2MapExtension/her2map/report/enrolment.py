"""The flow diagram of a study's enrolment, as a figure, as text and as rows of a table."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.font_manager import findfont as find_font
from matplotlib.patches import FancyBboxPatch

from ..enrolment import EXCLUSION, INCLUSION, Enrolment, Stage
from ..files import replacing

_INK, _INCLUDED = "#1f2933", "#e8edf2"
_SIZE_PT = 9.0
# Inches.
_WIDTH, _MARGIN, _GAP, _PADDING, _LINE = 7.2, 0.12, 0.3, 0.11, 0.17
_MAIN_WIDTH, _SIDE_LEFT = 2.55, 3.2
_INDENT = 0.1
_EAST_ASIAN = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")

_RULERS = tuple(RendererAgg(8, 8, dpi) for dpi in (110, 300, 1200))
"""They measure text on the screen, in the PNG and without hinting, which makes it wider by up to 10 %."""

_OUT = {INCLUSION: "Inclusion criteria not met", EXCLUSION: "Excluded"}
_LEFT = {INCLUSION: "Met the inclusion criteria", EXCLUSION: "Included"}


@dataclass(frozen=True)
class _Line:
    """A line of a box, as it is drawn; `indent` in inches."""

    text: str
    bold: bool = False
    indent: float = 0.0


@dataclass(frozen=True)
class _Box:
    """A box by its left and top edge, in inches; y runs upwards. It has room for `rows` lines at least."""

    left: float
    top: float
    width: float
    lines: tuple[_Line, ...]
    fill: str = "white"
    centred: bool = True
    rows: int = 0

    @property
    def height(self) -> float:
        return 2 * _PADDING + _LINE * max(self.rows, len(self.lines))

    @property
    def bottom(self) -> float:
        return self.top - self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top - self.height / 2


def flow_figure(flow: Enrolment) -> Figure:
    """The diagram: who was screened, who fell out at each stage and why, who was included, in which group.

    Every text is wrapped to its box by its measured width, and every box is as high as its text.
    """
    main, sides = _column(flow)
    groups = _group_boxes(flow, main[-1].bottom - 2 * _GAP)
    boxes = (*main, *sides, *groups)
    bottom = min(box.bottom for box in boxes) - _MARGIN
    top = main[0].top + _MARGIN
    figure = Figure(figsize=(_WIDTH, top - bottom), dpi=110)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDTH), ylim=(bottom, top))
    axes.axis("off")
    for box in boxes:
        _draw(axes, box)
    for upper, lower in pairwise(main):
        _arrow(axes, (upper.middle[0], upper.bottom), (upper.middle[0], lower.top))
    for side in sides:
        _arrow(axes, (main[0].middle[0], side.middle[1]), (side.left, side.middle[1]))
    _draw_branches(axes, main[-1], groups)
    return figure


def write_flow(folder: Path, flow: Enrolment) -> tuple[Path, Path]:
    """Write `enrolment.svg` and `enrolment.png` (300 dpi); the same flow gives the same bytes."""
    svg, png = folder / "enrolment.svg", folder / "enrolment.png"
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "her2map"}):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # told by missing_letters
        figure = flow_figure(flow)
        with replacing(svg) as temporary:
            figure.savefig(temporary, facecolor="white", metadata={"Date": None})
        with replacing(png) as temporary:
            figure.savefig(temporary, dpi=300, facecolor="white")
    return svg, png


def missing_letters(flow: Enrolment) -> str:
    """The letters for which this machine has no font; they are drawn as empty boxes."""
    known = {code for family in _families() for code in get_font(find_font(family)).get_charmap()}
    used = {letter for stage in flow.stages for reason in stage.reasons for letter in reason.text}
    return "".join(sorted(letter for letter in used if ord(letter) not in known))


def flow_rows(flow: Enrolment) -> list[tuple[str, str, int]]:
    """Stage, what is counted, number of cases; in the order of the flow."""
    rows = [("screening", "Screened", flow.screened)]
    for stage in flow.stages:
        rows += [(stage.name, reason.text, reason.cases) for reason in stage.reasons]
        rows.append((stage.name, _OUT[stage.name], stage.excluded))
    rows.append(("analysis", "Included", flow.included))
    rows += [("analysis", name, n) for name, n in _groups(flow)]
    return rows


def flow_text(flow: Enrolment) -> str:
    """The flow for a terminal."""
    width = len(str(flow.screened))
    lines = [f"{flow.screened:{width}}  screened"]
    for stage in flow.stages:
        lines.append(f"{stage.excluded:{width}}  {_OUT[stage.name].lower()}")
        lines += [f"{'':{width}}  {reason.cases:{width}}  {reason.text}" for reason in stage.reasons]
    lines.append(f"{flow.included:{width}}  included")
    lines += [f"{'':{width}}  {n:{width}}  {name}" for name, n in _groups(flow)]
    return "\n".join(lines)


def _groups(flow: Enrolment) -> list[tuple[str, int]]:
    found = [(f"HER2-{group.value}", n) for group, n in flow.groups]
    if flow.unsettled:
        found.append(("HER2 status not settled", len(flow.unsettled)))
    if flow.without_pathology:
        found.append(("Not in the pathology table", len(flow.without_pathology)))
    return found


def _column(flow: Enrolment) -> tuple[list[_Box], list[_Box]]:
    """The boxes of those who remain, and beside each step that of those who fell out."""
    main = [_main_box("Screened", flow.screened, 0.0)]
    sides = []
    for stage in flow.stages:
        side = _side_box(stage, main[-1].bottom - _GAP)
        sides.append(side)
        last = stage is flow.stages[-1]
        name = "Included" if last else _LEFT[stage.name]
        main.append(_main_box(name, stage.remaining, side.bottom - _GAP, _INCLUDED if last else "white"))
    if not flow.stages:
        main.append(_main_box("Included", flow.included, main[-1].bottom - _GAP, _INCLUDED))
    return main, sides


def _main_box(name: str, n: int, top: float, fill: str = "white") -> _Box:
    lines = _wrapped(f"{name} (n = {n})", _MAIN_WIDTH - 2 * _PADDING, bold=True)
    return _Box(_MARGIN, top, _MAIN_WIDTH, tuple(lines), fill)


def _side_box(stage: Stage, top: float) -> _Box:
    width = _WIDTH - _MARGIN - _SIDE_LEFT
    lines = list(_wrapped(f"{_OUT[stage.name]} (n = {stage.excluded})", width - 2 * _PADDING, bold=True))
    for reason in stage.reasons:
        inner = width - 2 * _PADDING - _INDENT
        first, *rest = _wrapped(f"{reason.text} (n = {reason.cases})", inner, bold=False)
        lines.append(_Line(f"– {first.text}"))
        lines += [_Line(line.text, indent=_INDENT) for line in rest]
    return _Box(_SIDE_LEFT, top, width, tuple(lines), centred=False)


def _group_boxes(flow: Enrolment, top: float) -> list[_Box]:
    groups = _groups(flow)
    if not groups:
        return []
    gap = 0.15
    width = (_WIDTH - 2 * _MARGIN - gap * (len(groups) - 1)) / len(groups)
    texts = [tuple(_wrapped(f"{name} (n = {n})", width - 2 * _PADDING, bold=False)) for name, n in groups]
    rows = max(map(len, texts))
    return [_Box(_MARGIN + i * (width + gap), top, width, lines, rows=rows) for i, lines in enumerate(texts)]


def _draw(axes: Axes, box: _Box) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (box.left, box.bottom), box.width, box.height,
            boxstyle="round,pad=0,rounding_size=0.05", fc=box.fill, ec=_INK, lw=0.9,
        )
    )  # fmt: skip
    for i, line in enumerate(box.lines):
        x = box.middle[0] if box.centred else box.left + _PADDING + line.indent
        y = box.middle[1] + (len(box.lines) / 2 - i - 0.5) * _LINE
        axes.text(
            x, y, line.text, ha="center" if box.centred else "left", va="center_baseline",
            color=_INK, fontproperties=_font(line.bold), parse_math=False,
        )  # fmt: skip


def _draw_branches(axes: Axes, included: _Box, groups: Sequence[_Box]) -> None:
    """From the included down to a line, and from it into each group."""
    if not groups:
        return
    level, stem = included.bottom - _GAP, included.middle[0]
    ends = [stem, *(group.middle[0] for group in groups)]
    axes.plot([stem, stem], [included.bottom, level], color=_INK, lw=0.9)
    axes.plot([min(ends), max(ends)], [level, level], color=_INK, lw=0.9)
    for group in groups:
        _arrow(axes, (group.middle[0], level), (group.middle[0], group.top))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": _INK, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


def _wrapped(text: str, width: float, bold: bool) -> Iterator[_Line]:
    """Lines no wider than `width` inches; a word that is wider is broken."""
    line = ""
    for word in _parts(text, width, bold):
        longer = f"{line} {word}" if line else word
        if line and _width(longer, bold) > width:
            yield _Line(line, bold)
            line = word
        else:
            line = longer
    yield _Line(line, bold)


def _parts(text: str, width: float, bold: bool) -> Iterator[str]:
    """Words; the number at the end stays together, and what is wider than the line comes in pieces."""
    name, mark, number = text.rpartition(" (n = ")
    for word in [*name.split(), f"(n = {number}"] if mark else text.split():
        piece = ""
        for letter in word:
            if piece and _width(piece + letter, bold) > width:
                yield piece
                piece = ""
            piece += letter
        yield piece


@lru_cache(4096)
def _width(text: str, bold: bool) -> float:
    """In inches, at most."""
    font = _font(bold)
    return max(
        ruler.get_text_width_height_descent(text, font, ismath=False)[0] / ruler.dpi for ruler in _RULERS
    )


def _font(bold: bool) -> FontProperties:
    return FontProperties(family=_families(), size=_SIZE_PT, weight="bold" if bold else "normal")


def _families() -> list[str]:
    """The figure's font, with one for East Asian letters behind it where the machine has one."""
    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _EAST_ASIAN if name in installed)]
