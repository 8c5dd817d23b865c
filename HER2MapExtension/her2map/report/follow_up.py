"""The page of a follow-up: both exams side by side, one HTML file that opens offline and prints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..biomarkers import MEASURED
from ..files import write_text
from ..follow_up import FollowUp, Verdict
from ..follow_up_exams import FittedExam
from . import figures
from .follow_up_words import HEADER, cells, reasons
from .page import render_page
from .style import STYLES
from .tables import percent, plain

_CLASSES = {Verdict.REAL: "real", Verdict.WITHIN: "within", Verdict.UNKNOWN: "untold"}


@dataclass(frozen=True, eq=False)
class FollowUpReport:
    """All that the page shows.

    Attributes:
        differences: in what the exams were done differently, a sentence each.
    """

    before: FittedExam
    after: FittedExam
    found: FollowUp
    differences: tuple[str, ...]


def write_follow_up(path: Path, report: FollowUpReport) -> None:
    """Write the page, whole or not at all."""
    exams = {"before": report.before, "after": report.after}
    page = render_page(
        "follow_up.html.j2",
        {
            "header": HEADER,
            "rows": [
                {"title": STYLES[one.biomarker].title, "cells": cells(one), "kind": _CLASSES[one.verdict]}
                for one in report.found.changes
            ],
            "reasons": reasons(report.found),
            "differences": report.differences,
            "remarks": report.found.remarks,
            "exams": [_exam_facts(when, exam) for when, exam in exams.items()],
            "maps": [_map_facts(name, report) for name in MEASURED if _in_any(name, report)],
        },
    )
    write_text(path, page)


def _in_any(name: str, report: FollowUpReport) -> bool:
    return name in report.before.maps or name in report.after.maps


def _exam_facts(when: str, exam: FittedExam) -> dict[str, Any]:
    field = exam.acquired.field_strength_t
    coverages = [value.coverage for name, value in exam.values.values.items() if name in MEASURED]
    return {
        "when": when,
        "case": exam.summary["case"],
        "preset": exam.summary.get("preset", "not known"),
        "field": "not known" if field != field else f"{field:g} T",
        "area": plain(exam.roi.area_mm2, 0),
        "diameter": plain(exam.roi.longest_diameter_mm, 1),
        "thickness": plain(exam.roi.thickness_mm, 1),
        "coverage": percent(min(coverages), 0) if coverages else "–",
    }


def _map_facts(name: str, report: FollowUpReport) -> dict[str, str]:
    exams = {
        when: exam for when, exam in (("before", report.before), ("after", report.after)) if name in exam.maps
    }
    methods = dict.fromkeys(exam.summary["maps"][name]["method"] for exam in exams.values())
    pictures = [(_picture(when, name, exam), exam.roi) for when, exam in exams.items()]
    return {
        "title": STYLES[name].title,
        "methods": "; ".join(methods),
        "image": figures.to_data_uri(figures.side_by_side(pictures)),
    }


def _picture(when: str, name: str, exam: FittedExam) -> figures.Picture:
    """Usable values alone."""
    fitted, geometry = exam.maps[name]
    shown = np.where(fitted.fitted, fitted.value, np.nan)
    return replace(figures.Picture.of_map(shown, geometry, STYLES[name]), title=when)
