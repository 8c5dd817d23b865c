"""What is known of an exam and its fits besides the maps, as plain values for JSON; no file names."""

import math
from typing import Any

from .acquired import exam_acquired
from .errors import InputError
from .exam import Exam
from .fitting import FittedMap
from .registration import Motion
from .relaxometry import Status
from .series import choose_phase


def exam_facts(exam: Exam) -> dict[str, Any]:
    """What is known of the exam besides its maps: series and roles, DCE times, what was skipped."""
    return {
        "series": [
            {
                "key": a.key,
                "number": a.series.number,
                "description": a.series.description,
                "role": a.role.value,
                "technique": a.technique.value,
                "reason": a.reason,
                "missing": list(a.missing),
                "problems": list(a.series.problems),
            }
            for a in exam.assignments
        ],
        "dce": _dce_facts(exam),
        "t1_post_delay_s": _delay(exam),
        "acquired": exam_acquired(exam).as_facts(),
        "skipped_files": dict(exam.skipped_counts),
        "remarks": list(exam.remarks),
    }


def _delay(exam: Exam) -> float | None:
    try:
        found = exam.t1_post_delay
    except InputError:  # said where the times are: in "dce"
        return None
    return found.delay_s if found else None


def _dce_facts(exam: Exam) -> dict[str, Any] | None:
    try:
        dce = exam.dce
        if dce is None:
            return None
        phase = choose_phase(dce)
    except InputError as problem:  # maps can be fitted and measured without it
        return {"problem": str(problem)}
    return {
        "slice_thickness_mm": dce.slice_thickness_mm if dce.slice_thickness_mm > 0 else None,
        "phases": len(dce.data),
        "roi_phase": phase.index,
        "roi_phase_after_injection_s": phase.after_injection_s
        if math.isfinite(phase.after_injection_s)
        else None,
        "reason": phase.reason,
    }


def map_facts(fitted: FittedMap) -> dict[str, Any]:
    """What is known of a fit besides its maps: method, sources, share of voxels by status, motion."""
    return {
        "quantity": fitted.map.quantity,
        "unit": fitted.map.unit,
        "method": fitted.map.method,
        "technique": fitted.technique.value,
        "sources": list(fitted.sources),
        "notes": list(fitted.map.notes),
        "status_shares": {status.name: fitted.map.fraction(status) for status in list(Status)[1:]},
        "noise_sd": None if math.isnan(fitted.noise_sd) else fitted.noise_sd,
        "motion": [_motion_facts(motion) for motion in fitted.motions],
    }


def _motion_facts(motion: Motion) -> dict[str, Any]:
    return {
        "translation_mm": motion.translation_mm.tolist(),
        "rotation_deg": motion.rotation_deg.tolist(),
        "used": motion.used,
        "reason": motion.reason,
    }
