"""A series as the rest of the library sees it: pixels, place and acquisition parameters."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry


@dataclass(eq=False)
class Series:
    """Measurements of one grid: the echoes, flip angles, inversion times or phases of a series.

    Attributes:
        data: (measurements, slices, rows, columns), float32, true scale (radians for phase).
        affine: (4, 4), index (column, row, slice) to RAS in mm.
        te_ms, tr_ms, ti_ms, flip_angle_deg: (measurements,), NaN where the header is silent.
        time_s: (measurements,), acquisition time in seconds on the exam's own clock (seconds since the
            midnight before the exam's first acquisition); NaN where the header is silent.
        time_source: which header field `time_s` came from.
        channel: (measurements,) receive channel, 0 where channels were combined by the scanner.
        component: (measurements,) "magnitude", "phase", "real" or "imaginary".
        uid: SeriesInstanceUID, or the file's name for NIfTI. The scanner may split or join series; the
            reader splits by geometry and component, so several series can share a uid.
        number: SeriesNumber, or None.
        description: SeriesDescription or the file's name.
        manufacturer, model: of the scanner, as in the header.
        field_strength_t: in tesla, NaN where the header is silent.
        scanner_map: "T1", "T2", "T2star", "B1" where the scanner computed a map, else "".
        unit: of `data` where the series is a map and the header names it ("ms", "1", "percent"), else "".
        injection_time_s: contrast bolus start on the clock of `time_s`; NaN where the header is silent.
        slice_thickness_mm: as in the header (may differ from the slice spacing).
        problems: what was left out or could not be read, each a sentence.
        sequence: facts by which a role is proposed (sequence name, scanning sequence, echo train length,
            protocol name, image type, ...), by DICOM keyword. No personal fields.
    """

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    te_ms: NDArray[np.float64]
    tr_ms: NDArray[np.float64]
    ti_ms: NDArray[np.float64]
    flip_angle_deg: NDArray[np.float64]
    time_s: NDArray[np.float64]
    channel: NDArray[np.int_]
    component: NDArray[np.str_]
    uid: str
    description: str
    number: int | None = None
    time_source: str = ""
    manufacturer: str = ""
    model: str = ""
    field_strength_t: float = float("nan")
    scanner_map: str = ""
    unit: str = ""
    injection_time_s: float = float("nan")
    slice_thickness_mm: float = float("nan")
    problems: tuple[str, ...] = ()
    sequence: dict[str, Any] = field(default_factory=dict)

    @property
    def geometry(self) -> Geometry:
        """The grid of one measurement."""
        return Geometry(self.data.shape[1:], self.affine)
