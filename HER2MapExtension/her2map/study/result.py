"""What is kept of a finished reading, as plain values: enough to check every number afterwards."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..biomarkers import Biomarkers, from_values
from ..errors import InputError
from ..exam import ExamValues, measure_maps
from ..roi import Roi, RoiValue
from ..series import choose_phase
from ..software import versions
from .prepared import PreparedCase
from .protocol import Protocol
from .readings import Drawing

Array = NDArray[np.float64]

SAME_PLACE_MM = 0.2
"""A smooth curve goes through its control points, but for the polygon's chords and the plane's flatness."""
SAME_VALUE = 1e-5
"""The scene and the case hold the maps in single precision."""


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
        "software": versions("numpy", "scipy", "SimpleITK"),
        "confidence": confidence,
        "remark": remark,
    }


def check_own(case: PreparedCase, values: ExamValues, drawing: Drawing) -> None:
    """See that values are those of the drawing on the case's own maps, whatever was done to the scene.

    Raises:
        InputError: the contour that was measured is not the one that was drawn, or the maps are others.
    """
    if _away(np.array(drawing.contour), values.roi) > SAME_PLACE_MM:
        raise InputError(
            "The contour on the screen is not the one that was measured; move one of its points, then finish."
        )
    own = measure_maps(case.maps, values.roi, case.placements or None).values
    if own.keys() != values.values.keys() or not all(
        np.isclose(own[name].value, value.value, rtol=SAME_VALUE, atol=0, equal_nan=True)
        for name, value in values.values.items()
    ):
        raise InputError(
            "The maps on the screen are not those of the case: they were changed or moved. Press *Show "
            "again*, then finish."
        )


def _away(points: Array, roi: Roi) -> float:
    """The largest distance in mm of a point (n, 3) to the outline."""
    start = roi.outline
    edge = np.roll(start, -1, axis=0) - start
    along = ((points[:, None] - start) * edge).sum(axis=2) / (edge**2).sum(axis=1)
    foot = start + np.clip(along, 0.0, 1.0)[..., None] * edge
    return float(np.linalg.norm(points[:, None] - foot, axis=2).min(axis=1).max())


class Basis(NamedTuple):
    """What the values of a reading follow from besides its contour; only readings with one are repeats."""

    pixels_sha256: str
    fit: str


def basis_of(result: Mapping[str, Any]) -> Basis:
    """Of a finished reading."""
    return _basis(result["pixels_sha256"], result["fit"]["options"], result["fit"]["registration"])


def basis_of_case(protocol: Protocol, case: PreparedCase) -> Basis:
    """Of the readings that are made of a case now."""
    return _basis(case.pixels_sha256, asdict(protocol.fit), protocol.registration)


def _basis(pixels: str, options: Mapping[str, Any], registration: bool) -> Basis:
    return Basis(pixels, json.dumps([options, registration], sort_keys=True))


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
