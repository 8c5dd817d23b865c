"""The analysis of a study's cohort: its tables, curves and report. It touches no scene."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from slicer.i18n import tr as _

from .study_results import Results, Table

SHOWN = {
    "table3_imaging": _("Imaging by HER2 group"),
    "table4_performance": _("Performance"),
    "models_alone": _("Factors alone"),
    "models_together": _("Models"),
}
"""The tables of `her2map.cohort.results.result_tables` that are shown; all are in the report."""
BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Roc:
    """title - Of the marker, with its area. x - False-positive fraction, (points,). y - Sensitivity."""

    title: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class CohortFound:
    """results - For the panel. tables - By name, as of `SHOWN`, pandas frames. report - The page."""

    results: Results
    tables: dict
    curves: tuple[Roc, ...]
    report: Path


def pathologyOf(folder: str) -> str:
    """The pathology table that the study names; "" where it names none, or cannot be read."""
    from her2map.errors import InputError
    from her2map.study.protocol import read_protocol

    try:
        return str(read_protocol(folder).pathology or "")
    except InputError:  # told when it is analysed
        return ""


def analysing(folder: str, pathology: str, preset: str, target: str):
    """Analyse a study, or a table of values, and write the report into `target`.

    Returns:
        a function of a progress callback: a :class:`CohortFound`.
    """

    def work(progress) -> CohortFound:
        from her2map.cohort.analysis import analyse, read_exams
        from her2map.cohort.analysis_options import AnalysisOptions
        from her2map.cohort.inputs import read_cohort
        from her2map.cohort.results import result_tables
        from her2map.files import output_folder
        from her2map.progress import part_of
        from her2map.report.cohort import write_cohort_report

        cohort = read_cohort(folder, pathology, preset)
        output_folder(Path(target))  # before the long work, not after it
        acquisition = read_exams(cohort, part_of(progress, 0.0, 0.2))
        options = AnalysisOptions(bootstraps=BOOTSTRAPS)
        found = analyse(cohort, options, acquisition, part_of(progress, 0.2, 0.9))
        written = write_cohort_report(Path(target), found, part_of(progress, 0.9, 1.0))
        tables = {name: frame for name, frame in result_tables(found).items() if name in SHOWN}
        return CohortFound(_results(found, tables, written), tables, _curves(found), written.report)

    return work


def _curves(found) -> tuple[Roc, ...]:
    return tuple(
        Roc(
            f"{one.marker.title}, {one.curve.auc.value:.2f}", 1 - one.curve.specificity, one.curve.sensitivity
        )
        for one in found.markers
        if one.curve.auc.known
    )


def _results(found, tables: dict, written) -> Results:
    cohort = found.cohort
    text = _("{name}: {count} cases ({groups}), {left} left out. Report: {file}")
    head = text.format(
        name=cohort.name,
        count=len(cohort.cases),
        groups=", ".join(f"{count} HER2-{group}" for group, count in cohort.counts.items()),
        left=len(cohort.left_out),
        file=written.report,
    )
    shown = tuple(_table(title, tables[name]) for name, title in SHOWN.items() if len(tables[name]))
    return Results(head, tuple(found.warnings), shown)


def _table(title: str, frame) -> Table:
    header = tuple(str(column).replace("_", " ") for column in frame.columns)
    rows = tuple(tuple(map(_text, row)) for row in frame.itertuples(index=False, name=None))
    return Table(title, header, rows)


def _text(value) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}" if np.isfinite(value) else "–"
    return "–" if value is None else str(value)
