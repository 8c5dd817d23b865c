"""How much a reading depends on where exactly the ROI lies: it is moved a little, and measured again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .biomarkers import Biomarkers
from .errors import InputError
from .exam import measure_maps
from .geometry import Geometry
from .progress import Progress, no_progress
from .relaxometry import ParameterMap
from .roi import Roi

Array = NDArray[np.float64]

IN_PLANE_1, IN_PLANE_2, THROUGH_PLANE = AXES = ("in plane 1", "in plane 2", "through plane")
SHIFTS_MM = (1.0, 2.0)


class PlacedMap(NamedTuple):
    """A map, its grid, and the rigid motion (4, 4) that takes RAS points of the DCE space to the map's."""

    map: ParameterMap
    geometry: Geometry
    matrix: ArrayLike


@dataclass(frozen=True)
class ShiftedValue:
    """One biomarker of the ROI moved once.

    Attributes:
        biomarker, unit: see :class:`~her2map.biomarkers.Biomarkers`.
        axis: one of `AXES`.
        shift_mm: along the axis' direction; negative against it.
        value: of the moved ROI; NaN where there is none.
        change: `value` less the value at rest; NaN where either is missing.
        relative_change: `change` over the size of the value at rest.
        reason: why there is no change, in a sentence; "" where there is one.
    """

    biomarker: str
    unit: str
    axis: str
    shift_mm: float
    value: float
    change: float
    relative_change: float
    reason: str = ""


@dataclass(frozen=True)
class LargestChange:
    """The largest change of one biomarker among all directions of one shift.

    Attributes:
        value: at rest.
        shift_mm: how far the ROI was moved, positive.
        change, relative_change: the largest absolute ones; NaN where no moved ROI had a value.
        missing: how many of the moved ROIs had no value.
    """

    biomarker: str
    unit: str
    value: float
    shift_mm: float
    change: float
    relative_change: float
    missing: int


@dataclass(frozen=True, eq=False)
class PlacementCheck:
    """What moving the ROI does to every biomarker.

    Attributes:
        at_rest: of the ROI as it was drawn.
        directions: by axis, unit vector (3,) RAS in the DCE space.
        shifted: one a biomarker, shift, axis and sense, in this order.
        largest: one a biomarker and shift, in this order.
    """

    at_rest: Biomarkers
    directions: Mapping[str, Array]
    shifted: tuple[ShiftedValue, ...]
    largest: tuple[LargestChange, ...]


def check_placement(
    maps: Mapping[str, tuple[ParameterMap, Geometry, ArrayLike]],
    roi: Roi,
    shifts_mm: Sequence[float] = SHIFTS_MM,
    in_plane: ArrayLike | None = None,
    progress: Progress = no_progress,
) -> PlacementCheck:
    """Measure the ROI moved by each shift, both ways, along two axes in its plane and along its normal.

    Args:
        maps: by biomarker: map, grid, and the rigid motion (4, 4) from the DCE space (RAS mm) to the map's,
            as :class:`PlacedMap`. B1 is left out.
        roi: in the DCE space.
        shifts_mm: positive, in mm; each is made in six directions.
        in_plane: (2, 3) RAS, the first two axes, such as the directions of the DCE image's rows and columns;
            they are laid into the ROI's plane and made perpendicular. Without them: the patient's axes that
            lie nearest to the plane, in the order R, A, S.

    Raises:
        InputError: a shift that is not positive, axes that do not span the ROI's plane; errors as
            :func:`~her2map.exam.measure_maps`.
        Cancelled: raised by `progress`.
    """
    shifts = [float(shift) for shift in shifts_mm]
    if not shifts or not all(0 < shift < math.inf for shift in shifts):
        raise InputError("The shifts of the ROI must be positive numbers of mm.")
    directions = dict(zip(AXES, roi_axes(roi, in_plane), strict=True))
    placed = {name: PlacedMap(*entry) for name, entry in maps.items() if name != "B1"}
    bad = next((name for name, entry in placed.items() if np.shape(entry.matrix) != (4, 4)), None)
    if bad:
        raise InputError(f"The placement of {bad} must be a rigid motion, given as a 4 x 4 matrix.")
    rest = _measured(placed, roi, np.zeros(3))
    moves = [(shift, axis, sense) for shift in shifts for axis in AXES for sense in (1, -1)]
    moved: dict[tuple[float, str, int], Biomarkers] = {}
    for number, (shift, axis, sense) in enumerate(moves):
        progress(number / len(moves))
        moved[shift, axis, sense] = _measured(placed, roi, sense * shift * directions[axis])
    progress(1.0)
    shifted = tuple(_shifted(rest, moved))
    return PlacementCheck(rest, directions, shifted, tuple(_largest(rest, shifted, shifts)))


def roi_axes(roi: Roi, in_plane: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """Three perpendicular unit vectors (3,) RAS, the last one the ROI's normal.

    Args:
        in_plane: see :func:`check_placement`.

    Raises:
        InputError: the axes do not span the ROI's plane.
    """
    normal = roi.normal
    if in_plane is None:
        wanted = np.delete(np.eye(3), np.abs(normal).argmax(), axis=0)
    else:
        wanted = np.asarray(in_plane, float)
    if wanted.shape != (2, 3) or not np.isfinite(wanted).all():
        raise InputError("The two axes in the ROI's plane must be given as two directions of three numbers.")
    first, second = (axis - (axis @ normal) * normal for axis in wanted)
    across = np.cross(normal, first)
    sense = float(across @ second)
    if abs(sense) <= 1e-3 * float(np.linalg.norm(wanted[0]) * np.linalg.norm(wanted[1])):
        raise InputError("The two axes do not span the ROI's plane; give directions within it.")
    across *= np.sign(sense)
    return first / np.linalg.norm(first), across / np.linalg.norm(across), normal


def _measured(maps: Mapping[str, PlacedMap], roi: Roi, offset: Array) -> Biomarkers:
    """Of the ROI moved by `offset` (3,) mm in the DCE space."""
    move = np.eye(4)
    move[:3, 3] = offset
    placements = {name: np.asarray(placed.matrix, float) @ move for name, placed in maps.items()}
    grids = {name: (placed.map, placed.geometry) for name, placed in maps.items()}
    return measure_maps(grids, roi, placements).biomarkers


def _shifted(rest: Biomarkers, moved: Mapping[tuple[float, str, int], Biomarkers]) -> Iterator[ShiftedValue]:
    for name, before in rest:
        for (shift, axis, sense), biomarkers in moved.items():
            after = dict(biomarkers)[name]
            change = after.value - before.value
            yield ShiftedValue(
                biomarker=name,
                unit=before.unit,
                axis=axis,
                shift_mm=sense * shift,
                value=after.value,
                change=change,
                relative_change=change / abs(before.value) if before.value else math.nan,
                reason=after.reason or (f"At rest: {before.reason}" if before.reason else ""),
            )


def _largest(
    rest: Biomarkers, shifted: Sequence[ShiftedValue], shifts: Sequence[float]
) -> Iterator[LargestChange]:
    for name, before in rest:
        for shift in shifts:
            changes = [s for s in shifted if s.biomarker == name and abs(s.shift_mm) == shift]
            known = [abs(s.change) for s in changes if not math.isnan(s.change)]
            largest = max(known, default=math.nan)
            yield LargestChange(
                biomarker=name,
                unit=before.unit,
                value=before.value,
                shift_mm=shift,
                change=largest,
                relative_change=largest / abs(before.value) if before.value else math.nan,
                missing=sum(math.isnan(s.value) for s in changes),
            )
