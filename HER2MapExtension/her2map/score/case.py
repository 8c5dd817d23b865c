"""What a case brings to a score: its values, how exact they are, and how they were acquired."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import InputError
from .card import ReadingErrors


@dataclass(frozen=True)
class MapValue:
    """A relaxation time of the ROI on one map.

    Attributes:
        value: in ms; NaN where there is none.
        standard_error: of `value` from the image noise, in ms; NaN where it is not known.
        placement_sd: SD of `value` from not knowing where exactly the map lies under the ROI, in ms;
            NaN where it is not known.
        coverage: the part of the ROI with a usable value, 0 to 1; NaN where it is not known.
        technique: of the series, of :class:`~her2map.series.Technique`; "" where it is not known.
        reason: why there is no value.
    """

    value: float = math.nan
    standard_error: float = math.nan
    placement_sd: float = 0.0
    coverage: float = math.nan
    technique: str = ""
    reason: str = "not measured"


@dataclass(frozen=True)
class Readings:
    """How the values came about: the mean over `readers` of the median of `repeats`.

    Attributes:
        own: how the case's own readings differ; None for a single one.
    """

    readers: int = 1
    repeats: int = 1
    own: ReadingErrors | None = None

    def __post_init__(self) -> None:
        """Raises: InputError: there is no reading."""
        if self.readers < 1 or self.repeats < 1:
            raise InputError(
                f"{self.readers} readers with {self.repeats} readings each give no value; take at least 1."
            )


DRAWN_ONCE = Readings()


@dataclass(frozen=True)
class ScoreCase:
    """One case.

    Attributes:
        er_positive: None where the status is not known, or undetermined by pathology.
        maps: by measured biomarker: T1_pre, T1_post, T2, T2star.
        field_strength_t: in tesla; NaN where it is not known.
        b1_relative_sd: SD of the B1 that T1 was corrected with, or should have been, as a part of it. It is
            common to T1_pre and T1_post of one exam; NaN where it is not known.
        readings: how the values came about.
        er_reason: why the ER status is not known.
        assumed: what nobody measured and was assumed, a sentence each.
    """

    er_positive: bool | None
    maps: Mapping[str, MapValue] = field(default_factory=dict)
    field_strength_t: float = math.nan
    b1_relative_sd: float = 0.0
    readings: Readings = DRAWN_ONCE
    er_reason: str = ""
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises: InputError: an error is negative."""
        errors = {"The relative SD of B1": self.b1_relative_sd}
        for name, one in self.maps.items():
            errors[f"The standard error of {name}"] = one.standard_error
            errors[f"The placement SD of {name}"] = one.placement_sd
        for name, error in errors.items():
            if error < 0:
                raise InputError(f"{name} is {error:g}; it cannot be negative.")
