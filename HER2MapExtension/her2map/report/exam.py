"""The report of one exam and ROI: one HTML page that opens offline and prints."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..biomarkers import Biomarkers
from ..enhancement import time_course
from ..exam import Exam, ExamValues
from ..files import replacing, write_text
from ..fitting import FittedMap
from ..registration import Motion
from ..relaxometry import Status
from ..roi import Roi, measure_values
from ..score import Assessment, ModelCard
from ..series import Assignment, PhaseChoice, choose_phase
from . import figures, score_words, tables
from .curves import roi_curve
from .page import render_page
from .style import STYLES


@dataclass(frozen=True, eq=False)
class ExamReport:
    """All that the report of one exam shows.

    Attributes:
        title: of the page; no personal data.
        preset: how the maps were fitted, in words.
        er_positive: as the score was given it.
        truth: the true values of a phantom by biomarker; None for a patient.
    """

    title: str
    preset: str
    exam: Exam
    maps: Mapping[str, FittedMap]
    values: ExamValues
    card: ModelCard
    assessment: Assessment
    er_positive: bool | None
    truth: Mapping[str, float] | None = None


def write_report(path: Path, report: ExamReport) -> None:
    """Write the page, whole or not at all."""
    page = render_page(
        "exam.html.j2",
        {
            "title": report.title,
            "preset": report.preset,
            "truth": bool(report.truth),
            "rows": [_value_cells(row, report.truth or {}) for row in tables.value_rows(report.values)],
            "roi": _roi_facts(report.values.roi),
            "score": _score_facts(report),
            "remarks": remarks(report),
            "dce": _dce_facts(report),
            "maps": [_map_facts(name, fitted, report.values.roi) for name, fitted in report.maps.items()],
            "curves": _curves(report),
            "quality": [_quality_cells(name, fitted, report.values) for name, fitted in report.maps.items()],
            "series": [_series_cells(assignment) for assignment in report.exam.assignments],
        },
    )
    write_text(path, page)


def remarks(report: ExamReport) -> list[str]:
    """What the reader must know besides the numbers: of the exam, its maps and its times."""
    found = list(report.exam.remarks)
    for name, fitted in report.maps.items():
        found += [f"{STYLES[name].title}: {note}" for note in fitted.map.notes]
    return found


def _value_cells(row: tables.ValueRow, truth: Mapping[str, float]) -> dict[str, Any]:
    style = STYLES[row.biomarker]
    true = truth.get(row.biomarker, math.nan)
    return {
        "title": style.title,
        "unit": style.unit,
        "reason": row.reason,
        "value": tables.plain(row.value, style.decimals),
        "truth": tables.plain(true, style.decimals),
        "difference": tables.percent(row.value / true - 1, 1, sign=True),
        "standard_error": tables.plain(row.standard_error, style.decimals + 1),
        "median": tables.plain(row.median, style.decimals),
        "sd": tables.plain(row.sd, style.decimals),
        "voxels": tables.plain(row.effective_voxels, 0),
        "coverage": tables.percent(row.coverage, 0),
    }


def _roi_facts(roi: Roi) -> dict[str, str]:
    return {
        "area": f"{roi.area_mm2:.0f}",
        "diameter": f"{roi.longest_diameter_mm:.1f}",
        "thickness": f"{roi.thickness_mm:.1f}",
    }


def _score_facts(report: ExamReport) -> dict[str, Any]:
    found, card = report.assessment, report.card
    return {
        "refusals": found.refusals,
        "remarks": found.remarks,
        "probability": tables.percent(found.probability, 0),
        "low": tables.percent(found.low, 0),
        "high": tables.percent(found.high, 0),
        "cut_off": tables.percent(card.cut_off, 0),
        "groups": card.groups,
        "call": found.call,
        "question": score_words.QUESTION,
        "second_reading": score_words.second_reading(found),
        "shares": score_words.largest_first(found),
        "inputs": score_inputs(report.er_positive, report.values.biomarkers),
        "card": card.name,
        "warning": card.warning,
    }


def score_inputs(er_positive: bool | None, biomarkers: Biomarkers) -> str:
    """What the score was computed from, in words."""
    er = {True: "ER positive", False: "ER negative", None: "ER unknown"}[er_positive]
    return (
        f"{er}, T2* {tables.plain(biomarkers.T2star.value, 1)} ms, "
        f"T1 after contrast {tables.plain(biomarkers.T1_post.value, 0)} ms"
    )


def score_text(report: ExamReport) -> str:
    """The score for a terminal, with its warning."""
    found, card = report.assessment, report.card
    lines = [f"Score: {score_words.answer(card, found)}"]
    if not found.refusals:
        lines += [
            f"{score_words.QUESTION} {score_words.second_reading(found)}",
            score_words.uncertainty(found),
        ]
    inputs = score_inputs(report.er_positive, report.values.biomarkers)
    return "\n".join([*lines, *found.remarks, f"From {inputs}. {card.warning}"])


def _dce_facts(report: ExamReport) -> dict[str, str] | None:
    dce = report.exam.dce
    if dce is None:
        return None
    roi, phase = report.values.roi, choose_phase(dce)
    course = time_course(dce, roi)
    picture = figures.Picture.of_signal("", dce.data[phase.index], dce.geometry, roi)
    return {
        "reason": f"{phase.reason}; {_neighbours(phase)}",
        "image": figures.to_data_uri(figures.whole_and_enlarged(picture, roi)),
        "enhancement": figures.to_data_uri(
            figures.enhancement_figure(course.after_injection_s, course.signal, phase.index)
        ),
    }


def _neighbours(phase: PhaseChoice) -> str:
    times = " and ".join(f"{near.after_injection_s:.0f} s" for near in phase.neighbours)
    return f"the phases beside it lie at {times}" if times else "it is the only phase"


def _map_facts(name: str, fitted: FittedMap, roi: Roi) -> dict[str, str]:
    return {
        "title": STYLES[name].title,
        "method": fitted.map.method,
        "source": ", ".join(fitted.sources),
        "image": figures.to_data_uri(figures.whole_and_enlarged(map_picture(name, fitted), roi)),
    }


def map_picture(name: str, fitted: FittedMap) -> figures.Picture:
    """A map as it is shown: usable values alone."""
    shown = np.where(fitted.map.fitted, fitted.map.value, np.nan)
    return figures.Picture.of_map(shown, fitted.geometry, STYLES[name])


def write_overview(path: Path, report: ExamReport) -> None:
    """A picture of the DCE phase and all maps around the ROI, as PNG."""
    roi, dce = report.values.roi, report.exam.dce
    pictures = [map_picture(name, fitted) for name, fitted in report.maps.items()]
    if dce is not None:
        phase = choose_phase(dce)
        title = f"DCE, {phase.after_injection_s:.0f} s after injection"
        pictures.insert(0, figures.Picture.of_signal(title, dce.data[phase.index], dce.geometry, roi))
    with replacing(path) as temporary:
        figures.overview(pictures, roi).savefig(temporary, dpi=130, facecolor="white")


def _curves(report: ExamReport) -> list[dict[str, str]]:
    found = []
    for name, fitted in report.maps.items():
        curve = roi_curve(fitted, report.values.roi)
        if curve is not None:
            figure = figures.curve_figure(curve)
            found.append({"title": STYLES[name].title, "image": figures.to_data_uri(figure)})
    return found


def _quality_cells(name: str, fitted: FittedMap, values: ExamValues) -> dict[str, str]:
    style, roi, found = STYLES[name], values.roi, values.values[name]
    r_squared = measure_values(fitted.map.r_squared, fitted.geometry, roi, minimum_coverage=0.01)
    error = measure_values(fitted.map.standard_error, fitted.geometry, roi, minimum_coverage=0.01)
    used = [motion for motion in fitted.motions if motion.used]
    return {
        "title": style.title,
        "r_squared": tables.plain(r_squared.median, 4),
        "standard_error": " ".join([tables.plain(error.median, style.decimals + 1), style.unit]),
        "unusable": tables.percent(1 - found.fractions.get(Status.FITTED, 0.0), 1),
        "excluded": tables.percent(found.excluded_by_snr, 1),
        "motion": _motion_words(used) if fitted.motions else "not looked for",
    }


def _motion_words(used: list[Motion]) -> str:
    if not used:
        return "none found"
    distance, angle = max(m.distance_mm for m in used), max(m.angle_deg for m in used)
    return f"{distance:.2f} mm, {angle:.2f}°"


def _series_cells(assignment: Assignment) -> dict[str, str]:
    return {
        "number": assignment.key,
        "description": assignment.series.description,
        "role": tables.role_words(assignment),
        "reason": tables.reason_words(assignment),
    }
