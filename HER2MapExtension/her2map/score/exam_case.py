"""The case that a score is given: from a ROI on an exam's maps, or from the finished readings of a study."""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..acquired import CaseAcquired
from ..biomarkers import MEASURED
from ..exam import ExamValues
from ..geometry import Geometry
from ..placement import roi_axes
from ..relaxometry import ParameterMap
from ..roi import Roi, RoiValue, measure
from ..study.readings import Reading
from .case import MapValue, Readings, ScoreCase
from .sources import VFA

Array = NDArray[np.float64]

UNREGISTERED_MM, REGISTERED_MM = 1.0, 0.3
"""Assumed SD, along each axis, of where a map lies under the ROI: as the scanner says, or as registered."""
B1_MAPPED, B1_NOMINAL = 0.03, 0.10
"""Assumed relative SD of B1 in the breast at 3 T: with a B1 map, and where the nominal angle is taken."""
NODE = math.sqrt(3.0)
"""Gauss and Hermite's three nodes lie at 0 and +- NODE SD, with weights 2/3 and 1/6: exact up to degree 5."""


def case_of_exam(
    values: ExamValues,
    er_positive: bool | None,
    acquired: CaseAcquired,
    placement_sd: Mapping[str, float] | None = None,
    er_reason: str = "",
) -> ScoreCase:
    """Of one drawing.

    Args:
        acquired: of the exam, see :func:`~her2map.acquired.exam_acquired`.
        placement_sd: by biomarker in ms, see :func:`placement_sds`; 0 where there is none.
        er_reason: why the ER status is not known.
    """
    return case_of_values(values.values, er_positive, acquired, placement_sd, er_reason)


def case_of_values(
    values: Mapping[str, RoiValue],
    er_positive: bool | None,
    acquired: CaseAcquired,
    placement_sd: Mapping[str, float] | None = None,
    er_reason: str = "",
) -> ScoreCase:
    """The same from a region's values by map."""
    placed = placement_sd or {}
    maps = {
        name: MapValue(
            found.value, found.standard_error, placed.get(name, 0.0), found.coverage,
            acquired.techniques.get(name, ""), found.reason,
        )
        for name, found in values.items()
        if name in MEASURED
    }  # fmt: skip
    return ScoreCase(
        er_positive=er_positive,
        maps=maps,
        field_strength_t=acquired.field_strength_t,
        b1_relative_sd=_b1_sd(values.get("B1")),
        er_reason=er_reason,
        assumed=_assumed(maps, "B1" in values, bool(placed)),
    )


def _assumed(maps: Mapping[str, MapValue], b1_mapped: bool, placed: bool) -> tuple[str, ...]:
    """What nobody measured and is in the interval all the same, in one sentence."""
    found = []
    if any(one.technique == VFA for one in maps.values()):
        found.append(f"that B1 is known to {100 * (B1_MAPPED if b1_mapped else B1_NOMINAL):.0f} %")
    if placed:
        found.append(
            f"that a map lies within {UNREGISTERED_MM:g} mm of its place ({REGISTERED_MM:g} mm where it was "
            "registered)"
        )
    return (f"Assumed (SD): {', and '.join(found)}.",) if found else ()


def case_of_readings(
    readings: Sequence[Reading],
    er_positive: bool | None,
    acquired: CaseAcquired,
    placement_sd: Mapping[str, float] | None = None,
    er_reason: str = "",
) -> ScoreCase:
    """Of all finished readings of one case: the mean over the readers of the median of the repeats.

    All readings lie on the same maps, so image noise does not average out: the standard error is that of a
    typical reading, the median. The coverage is the least of all.

    Args:
        readings: finished, of one case, on the same maps.
    """
    import pandas as pd  # not at the top: 3D Slicer does not bring it, and one drawing needs none

    from .reading_errors import reading_errors

    placed = placement_sd or {}
    rows = pd.DataFrame(
        [{"case": one.case, "reader": one.reader, **_times(one)} for one in readings],
        columns=["case", "reader", *MEASURED],
    )
    medians = rows.groupby("reader")[list(MEASURED)].agg(
        lambda column: column.median() if column.notna().all() else math.nan
    )
    means = medians.mean(skipna=False)
    maps = {
        name: _of_readings(name, float(means[name]), readings, placed.get(name, 0.0), acquired)
        for name in MEASURED
    }
    counts = rows.groupby("reader").size()
    b1 = [one.result["values"].get("B1") for one in readings]
    return ScoreCase(
        er_positive=er_positive,
        maps=maps,
        field_strength_t=acquired.field_strength_t,
        b1_relative_sd=B1_MAPPED if all(b1) else B1_NOMINAL,
        readings=Readings(len(counts), int(counts.min()), reading_errors(rows)),
        er_reason=er_reason,
    )


def placement_sds(
    maps: Mapping[str, tuple[ParameterMap, Geometry]],
    roi: Roi,
    names: Collection[str],
    placements: Mapping[str, ArrayLike] | None = None,
) -> dict[str, float]:
    """The SD in ms that a value has because nobody knows exactly where its map lies under the ROI.

    The ROI is moved along two axes in its plane and along its normal to the nodes of Gauss and Hermite's
    quadrature; the SD is the root of the second moment of the change, summed over the axes. Where a moved ROI
    has no value, the move to the other side stands for it.

    Args:
        maps: by biomarker, map and grid.
        roi: in the DCE space.
        names: of the maps to be looked at; those that are not there are left out.
        placements: by map, the rigid motion (4, 4) from the DCE space to the map's.

    Returns:
        By biomarker; NaN where no moved ROI has a value.
    """
    moved = placements or {}
    return {
        name: _placement_sd(
            *maps[name], roi.transformed(moved[name]) if name in moved else roi, name in moved
        )
        for name in names
        if name in maps
    }


def _placement_sd(fitted: ParameterMap, geometry: Geometry, roi: Roi, registered: bool) -> float:
    rest = measure(fitted, geometry, roi).value
    step = NODE * (REGISTERED_MM if registered else UNREGISTERED_MM)
    variance = 0.0
    for axis in roi_axes(roi):
        changes = np.array(
            [measure(fitted, geometry, _shifted(roi, side * step * axis)).value - rest for side in (1, -1)]
        )
        known = changes[np.isfinite(changes)]
        if not len(known):
            return math.nan
        variance += float(np.mean(known**2)) / 3  # both sides, 1/6 each
    return math.sqrt(variance)


def _shifted(roi: Roi, offset: Array) -> Roi:
    move = np.eye(4)
    move[:3, 3] = offset
    return roi.transformed(move)


def _b1_sd(found: RoiValue | None) -> float:
    return B1_NOMINAL if found is None else b1_relative_sd(found.value, found.standard_error)


def b1_relative_sd(value: float, standard_error: float) -> float:
    """Of the B1 that T1 was corrected with, or should have been, as a part of it.

    Args:
        value, standard_error: of B1 in the ROI, relative to the nominal one; NaN where there is none.
    """
    if not value > 0:
        return B1_NOMINAL
    own = standard_error / value
    return math.hypot(B1_MAPPED, own if math.isfinite(own) else 0.0)


def _times(reading: Reading) -> dict[str, float]:
    return {name: _number(reading, name, "value") for name in MEASURED}


def _number(reading: Reading, name: str, key: str) -> float:
    value = reading.result["values"].get(name, {}).get(key)
    return math.nan if value is None else float(value)


def _of_readings(
    name: str, value: float, readings: Sequence[Reading], placement_sd: float, acquired: CaseAcquired
) -> MapValue:
    reasons = [one.result["values"].get(name, {}).get("reason", "not measured") for one in readings]
    return MapValue(
        value,
        float(np.median([_number(one, name, "standard_error") for one in readings])),
        placement_sd,
        float(np.min([_number(one, name, "coverage") for one in readings])),
        acquired.techniques.get(name, ""),
        next((reason for reason in reasons if reason), ""),
    )
