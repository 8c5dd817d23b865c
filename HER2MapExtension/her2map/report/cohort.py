"""The report of a cohort: tables as CSV, figures as SVG and PNG, results.json, and one HTML page of all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from ..cohort.analysis import CohortAnalysis
from ..cohort.conventions import result_conventions
from ..cohort.results import result_tables, results_content
from ..cohort.variables import GROUPS
from ..files import output_folder, write_json, write_text
from ..progress import Progress, no_progress
from ..software import versions
from ..spreadsheet import write_csv
from .cohort_page import Part, PrintFigure, report_parts
from .cohort_style import svg_uri, write_figure
from .page import render_page
from .print_table import PrintTable

REPORT, RESULTS = "report.html", "results.json"
_TOGETHER = re.compile(r"(?<=[<≥≤]) (?=[\d−])|(?<=\d) (?=\+ \d)|(?<=\d \+) (?=\d)|(?<=\d\u00a0\+) (?=\d)")
_BRACKETED = re.compile(r"^([^()]{0,12}\S) (\([^()]{1,40} to [^()]{1,20}\))( \[\w+\])?$")


@dataclass(frozen=True)
class Written:
    """Where everything lies."""

    report: Path
    results: Path
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]


def write_cohort_report(folder: Path, found: CohortAnalysis, progress: Progress = no_progress) -> Written:
    """Write `report.html`, `results.json`, `tables/*.csv` and `figures/*.svg`, `*.png` into `folder`.

    Raises:
        InputError: the folder cannot be written to.
        Cancelled: raised by `progress`.
    """
    folder = output_folder(folder)
    results = folder / RESULTS
    write_json(results, results_content(found, versions("numpy", "scipy", "pandas", "matplotlib")))
    places = output_folder(folder / "tables")
    tables = []
    for name, frame in result_tables(found).items():
        tables.append(places / f"{name}.csv")
        write_csv(tables[-1], frame)
    parts = report_parts(found)
    figures: dict[str, tuple[Path, Path]] = {}
    own = [item for part in parts for item in part.items if isinstance(item, PrintFigure)]
    for i, one in enumerate(own):
        figures[one.name] = write_figure(output_folder(folder / "figures"), one.name, one.figure)
        progress((i + 1) / (len(own) + 1))
    report = folder / REPORT
    write_text(report, page(found, parts, {name: svg_uri(svg) for name, (svg, _) in figures.items()}))
    progress(1.0)
    return Written(report, results, tuple(tables), tuple(path for pair in figures.values() for path in pair))


def page(found: CohortAnalysis, parts: Sequence[Part], images: Mapping[str, str]) -> str:
    """The HTML page.

    Args:
        images: by figure, what stands in `src`.
    """
    return page_of(
        parts,
        images,
        title=f"Cohort analysis: {found.cohort.name}",
        settings=settings_text(found),
        keys=[(str(found.cohort.counts[group]), f"HER2-{group}") for group in GROUPS] + _best(found),
        remarks=found.warnings,
        conventions=[f"{name}: {text}" for name, text in result_conventions(found).items()],
        numbers=RESULTS,
    )


def page_of(
    parts: Sequence[Part],
    images: Mapping[str, str],
    *,
    title: str,
    settings: str,
    keys: Sequence[tuple[str, str]],
    remarks: Sequence[str],
    conventions: Sequence[str],
    numbers: str,
) -> str:
    """An HTML page of tables and figures that opens offline.

    Args:
        images: by figure, what stands in `src`.
        keys: figures for the head of the page, each with what it is.
        numbers: the file beside it with every number.
    """
    return render_page(
        "cohort.html.j2",
        {
            "title": title,
            "settings": settings,
            "keys": keys,
            "remarks": remarks,
            "parts": [
                {
                    "name": part.name,
                    "title": part.title,
                    "text": part.text,
                    "items": [_item(item, images) for item in part.items],
                }
                for part in parts
            ],
            "conventions": conventions,
            "numbers": numbers,
        },
        ("page.css", "cohort.css"),
        {"parts": _cell},
    )


def _item(item: PrintTable | PrintFigure, images: Mapping[str, str]) -> Any:
    if isinstance(item, PrintTable):
        return item
    return {
        "name": item.name, "caption": item.caption, "image": images[item.name], "narrow": item.narrow
    }  # fmt: skip


def _cell(text: str) -> Markup:
    """A number and its interval may stand on two lines, but neither is broken."""
    text = _TOGETHER.sub("\u00a0", text)
    match = _BRACKETED.match(text)
    if match is None:
        return Markup(escape(text))
    value, ends, rest = (escape(part or "") for part in match.groups())
    return Markup(f'<span class="nowrap">{value}</span> <span class="nowrap">{ends}{rest}</span>')


def settings_text(found: CohortAnalysis) -> str:
    """How the analysis was made, in a line."""
    options, cohort = found.options, found.cohort
    named = f" Predictors named by the user: {', '.join(options.predictors)}." if options.predictors else ""
    return (
        f"HER2 status by the preset '{cohort.preset}'. {options.bootstraps:,} bootstrap samples, "
        f"seed {options.seed}.{named}"
    )


def _best(found: CohortAnalysis) -> list[tuple[str, str]]:
    """The best marker and the models, for the head of the page."""
    known = [one for one in found.markers if one.curve.auc.known]
    measured = [one for one in known if not one.marker.predictors]
    keys = []
    if measured:
        best = max(measured, key=lambda one: one.curve.auc.value)
        keys.append((f"{best.curve.auc.value:.3f}", f"{best.marker.title}, the best marker: AUC"))
    for model in found.models:
        validated = found.validation.get(model.name)
        corrected = validated.bootstrap.auc if validated and validated.bootstrap else None
        if corrected is not None and corrected.corrected.known:
            said = f"{model.title}: AUC corrected for optimism (apparent {corrected.apparent:.3f})"
            keys.append((f"{corrected.corrected.value:.3f}", said))
    return keys
