"""Tables of the histogram figures of a region: side by side for the eye, one line a figure for a file."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..roi.histogram import BITS, Figure, Histogram, MapHistogram
from .style import STYLES
from .tables import plain

HEADER = (
    "biomarker", "figure", "ibsi_code", "value", "unit", "bin_width", "first_bin_from", "voxels", "coverage",
)  # fmt: skip


@dataclass(frozen=True)
class FigureRow:
    """One figure of every map.

    Attributes:
        name, code: the IBSI's.
        texts: by map, in print; a dash where there is none.
    """

    name: str
    code: str
    texts: Mapping[str, str]


def figure_rows(found: Mapping[str, MapHistogram]) -> list[FigureRow]:
    """One row a figure."""
    columns = {name: _figures(one) for name, one in found.items()}
    rows = zip(*columns.values(), strict=True) if columns else ()
    return [
        FigureRow(
            row[0].name,
            row[0].code,
            {name: _text(name, figure) for name, figure in zip(columns, row, strict=True)},
        )
        for row in rows
    ]


def bins_text(found: Mapping[str, MapHistogram]) -> str:
    """The discretisation behind entropy and uniformity, in a sentence."""
    told = ", ".join(
        f"{one.discretisation.bin_width:g}{'' if one.unit == '1' else f' {one.unit}'} for {name}"
        for name, one in found.items()
    )
    return f"Entropy and uniformity with bins of {told}, from 0 (IBSI: fixed bin size)." if told else ""


def histograms_csv(found: Mapping[str, MapHistogram]) -> str:
    """Full precision, one line a figure of a map; an empty cell where there is no number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    for name, one in found.items():
        bins = one.discretisation
        for figure in _figures(one):
            value = "" if math.isnan(figure.value) else figure.value
            binned = (bins.bin_width, bins.lowest) if figure.code in _BINNED else ("", "")
            writer.writerow(
                (name, figure.name, figure.code, value, figure.unit, *binned, one.voxels, one.coverage)
            )
    return buffer.getvalue()


_NOTHING = Histogram(*([math.nan] * 20))
_BINNED = ("TLU2", "BJ5W")


def _figures(one: MapHistogram) -> tuple[Figure, ...]:
    return (one.histogram or _NOTHING).figures(one.unit)


def _text(name: str, figure: Figure) -> str:
    """A figure of the map's unit as the map is printed, one of its square without more digits than that."""
    style = STYLES[name]
    if figure.unit == BITS or (not figure.unit and style.unit):
        return plain(figure.value, 2)
    if figure.unit == style.unit:
        return plain(figure.value, style.decimals)
    return "–" if math.isnan(figure.value) else f"{figure.value:.4g}"
