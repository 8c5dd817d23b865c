"""The two exams of a follow-up as `her2map fit` left them, and in what they were done differently."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .acquired import CaseAcquired, acquired_of_facts
from .biomarkers import MEASURED
from .derivatives import read_maps, read_summary, roi_thickness
from .errors import InputError
from .exam import ExamValues, measure_maps
from .geometry import Geometry
from .markups import read_roi
from .relaxometry import ParameterMap
from .roi import Roi
from .score.case import ScoreCase
from .score.exam_case import case_of_exam

LATER_S = 60.0
"""T1 after contrast falls and rises again with time; a minute is about what an exam's protocol varies."""
SAME_FIELD_T = 0.1


@dataclass(frozen=True, eq=False)
class FittedExam:
    """One exam's maps with its ROI.

    Attributes:
        summary: of the fit, see :func:`~her2map.derivatives.write_fit`.
        maps: by biomarker, with their grids.
        roi: of this exam.
        values: of the ROI on the maps.
    """

    summary: Mapping[str, Any]
    maps: Mapping[str, tuple[ParameterMap, Geometry]]
    roi: Roi
    values: ExamValues

    @property
    def case(self) -> ScoreCase:
        """Its values with their errors."""
        return case_of_exam(self.values, None, self.acquired)

    @property
    def acquired(self) -> CaseAcquired:
        """Field strength, and the techniques of the maps."""
        return CaseAcquired(
            acquired_of_facts(self.summary).field_strength_t,
            {name: _fact(self.summary, name, "technique") for name in MEASURED if name in self.maps},
        )


def read_fitted_exam(folder: Path, roi_file: Path, thickness_mm: float | None = None) -> FittedExam:
    """Read what `her2map fit` wrote and take the values of a ROI.

    Args:
        thickness_mm: of a ROI that states none; None takes that of the DCE slices.

    Raises:
        InputError: no maps, no ROI, no thickness, or no value on any map.
    """
    maps = read_maps(folder)
    summary = read_summary(folder)
    thickness = roi_thickness(summary) if thickness_mm is None else thickness_mm
    roi = read_roi(roi_file, thickness)
    values = measure_maps(maps, roi)
    reasons = [f"{name}: {value.reason}" for name, value in values.values.items() if value.reason]
    if len(reasons) == len(values.values):
        raise InputError(f"The ROI {roi_file.name} has no value on any map of {folder}; {reasons[0]}")
    return FittedExam(summary, maps, roi, values)


def differences(before: FittedExam, after: FittedExam) -> tuple[str, ...]:
    """What makes the two exams worse to compare, a sentence each; none where all is alike."""
    return tuple(_differences(before, after))


def _differences(before: FittedExam, after: FittedExam) -> Iterator[str]:
    same = [name for name in MEASURED if _same_map(before, after, name)]
    if same:
        yield (
            f"The same exam twice: both maps of {', '.join(same)} are equal, voxel by voxel. A change is "
            "that of the ROI alone."
        )
    fields = [exam.acquired.field_strength_t for exam in (before, after)]
    if all(map(math.isfinite, fields)) and abs(fields[0] - fields[1]) > SAME_FIELD_T:
        yield (
            f"Other field strength: {fields[0]:g} T before, {fields[1]:g} T after. Relaxation times depend "
            "on it; the changes are not to be trusted."
        )
    for name in MEASURED:
        if name in before.maps and name in after.maps:
            yield from _map_differences(before, after, name)
    if ("B1" in before.maps) != ("B1" in after.maps):
        when = "before" if "B1" in before.maps else "after"
        yield f"T1: only the exam {when} has a B1 map."
    yield from _later(before.summary.get("t1_post_delay_s"), after.summary.get("t1_post_delay_s"))


def _later(before_s: float | None, after_s: float | None) -> Iterator[str]:
    if before_s is not None and after_s is not None and abs(before_s - after_s) > LATER_S:
        yield (
            f"T1_post: {before_s:.0f} s after the injection in the exam before, {after_s:.0f} s in the exam "
            "after; the time alone changes it."
        )


def _map_differences(before: FittedExam, after: FittedExam, name: str) -> Iterator[str]:
    for key, what in (("technique", "another sequence"), ("method", "another fit")):
        was, is_now = (_fact(exam.summary, name, key) for exam in (before, after))
        if was != is_now:
            yield f"{name}: {what} - {_plain(was)} before, {_plain(is_now)} after."
            return  # another sequence is always fitted otherwise


def _same_map(before: FittedExam, after: FittedExam, name: str) -> bool:
    if name not in before.maps or name not in after.maps:
        return False
    first, second = before.maps[name][0].value, after.maps[name][0].value
    return np.array_equal(first, second, equal_nan=True) and bool(np.isfinite(first).any())


def _fact(summary: Mapping[str, Any], name: str, key: str) -> str:
    """Of one map; "" where an older summary is silent."""
    return str(summary["maps"][name].get(key, ""))


def _plain(text: str) -> str:
    return text.replace("_", " ") or "not known"
