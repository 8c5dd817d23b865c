"""What is kept of a finished reading, as plain values: enough to check every number afterwards."""

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import scipy
import SimpleITK as sitk

from .. import __version__
from ..biomarkers import Biomarkers, from_values
from ..exam import ExamValues
from ..roi import Roi, RoiValue
from ..series import choose_phase
from .prepared import PreparedCase
from .protocol import Protocol
from .readings import Drawing


def result_of(
    protocol: Protocol,
    case: PreparedCase,
    values: ExamValues,
    drawing: Drawing,
    confidence: int,
    remark: str,
) -> dict[str, Any]:
    """The content of the event that finishes a reading.

    Keys: drawing, roi (outline, holes: RAS in mm; thickness_mm), slice (of the DCE, from 0), phase (index,
    time after the injection in s, why), values (by map: all of :class:`~her2map.roi.RoiValue`, fractions by
    status), fit (preset, options, methods by map, registration, placements), pixels_sha256, software,
    confidence, remark.
    """
    phase = choose_phase(case.dce, override=drawing.phase)
    return {
        "drawing": drawing.as_content(),
        "roi": _roi(values.roi),
        "slice": round(float(case.dce.geometry.to_index(values.roi.centroid)[2])),
        "phase": {
            "index": phase.index,
            "after_injection_s": _or_none(phase.after_injection_s),
            "reason": phase.reason,
        },
        "values": {name: _value(value) for name, value in values.values.items()},
        "fit": {
            "preset": protocol.preset,
            "options": asdict(protocol.fit),
            "methods": {name: fitted.method for name, (fitted, _) in case.maps.items()},
            "registration": protocol.registration,
            "placements": {name: np.asarray(matrix).tolist() for name, matrix in case.placements.items()},
        },
        "pixels_sha256": case.pixels_sha256,
        "software": software(),
        "confidence": confidence,
        "remark": remark,
    }


def software() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {
        "her2map": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "SimpleITK": sitk.Version.VersionString(),
    }


def roi_of(result: Mapping[str, Any]) -> Roi:
    """The ROI of a finished reading."""
    roi = result["roi"]
    return Roi(np.array(roi["outline"]), roi["thickness_mm"], tuple(np.array(hole) for hole in roi["holes"]))


def biomarkers_of(result: Mapping[str, Any]) -> Biomarkers:
    """The biomarkers of a finished reading; what it has no value of says why."""
    measured = {name: value for name, value in result["values"].items() if name != "B1"}

    def column(key: str) -> dict[str, Any]:
        return {name: math.nan if value[key] is None else value[key] for name, value in measured.items()}

    return from_values(**column("value"), standard_errors=column("standard_error"), reasons=column("reason"))


def _roi(roi: Roi) -> dict[str, Any]:
    holes = [hole.tolist() for hole in roi.holes]
    return {"outline": roi.outline.tolist(), "holes": holes, "thickness_mm": roi.thickness_mm}


def _value(value: RoiValue) -> dict[str, Any]:
    numbers = {name: _or_none(number) for name, number in asdict(value).items() if isinstance(number, float)}
    fractions = {status.name: fraction for status, fraction in value.fractions.items()}
    return {**numbers, "fractions": fractions, "reason": value.reason}


def _or_none(number: float) -> float | None:
    """JSON has no NaN."""
    return float(number) if math.isfinite(number) else None
