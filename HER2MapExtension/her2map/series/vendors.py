"""What vendors write in their own way: magnitude or phase, ready-made maps, inversion times, scaling."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .header import Header, number

_COMPONENTS = {
    "M": "magnitude",
    "P": "phase",
    "R": "real",
    "I": "imaginary",
    "MAGNITUDE": "magnitude",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "REAL": "real",
    "IMAGINARY": "imaginary",
}
_GE_COMPONENTS = ("magnitude", "phase", "real", "imaginary")  # (0043,102F), values 0 to 3
_QUANTITIES = {"T1": "T1", "T2": "T2", "T2 STAR": "T2star", "T2STAR": "T2star", "T2*": "T2star", "B1": "B1"}
_NAMED_MAP = re.compile(r"(T1|T2 ?STAR|T2\*|T2|B1)[ _-]?(MAP|IMAGES?)")
_UNITS = {
    "ms": "ms",
    "msec": "ms",
    "milliseconds": "ms",
    "s": "s",
    "sec": "s",
    "%": "percent",
    "percent": "percent",
    "1": "1",
    "{ratio}": "1",
    "deg": "degree",
    "degree": "degree",
    "degrees": "degree",
}
FLIP_ANGLE_X10 = "flip_angle_x10"
"""The unit of Siemens' and GE's B1 maps: the measured flip angle, times ten."""


@dataclass(frozen=True)
class Scale:
    """True value = slope * stored + intercept, in `unit` ("" if unnamed); `problem` says what lacks."""

    slope: float
    intercept: float
    unit: str = ""
    problem: str = ""


def image_type(header: Header) -> tuple[str, ...]:
    """ImageType in upper case; Siemens XA's echo labels (TE1, TE2) left out, since they split no series."""
    values = header.get("ImageType", ())
    return _upper((values,) if isinstance(values, str) else values)


@lru_cache(maxsize=1024)
def _upper(values: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(v for v in (str(value).upper() for value in values) if not re.fullmatch(r"TE\d+", v))


def component(header: Header) -> str:
    """ "magnitude", "phase", "real" or "imaginary"; magnitude where the header does not say otherwise."""
    raw = number(header, "RawImageType")
    if 0 <= raw <= 3:
        return _GE_COMPONENTS[int(raw)]
    named = _COMPONENTS.get(str(header.get("ComplexImageComponent", "")).upper(), "magnitude")
    if named != "magnitude":
        return named
    for value in image_type(header)[2:]:
        if value in _COMPONENTS:
            return _COMPONENTS[value]
    return named


def scanner_map(header: Header) -> str:
    """Which map the scanner computed: "T1", "T2", "T2star", "B1", or "" for an ordinary image.

    A bare "T1" counts from the fourth value of ImageType on, where Philips names the pixels' meaning; as the
    third value of an enhanced image it is only the contrast.
    """
    return _map_quantity(image_type(header), str(header.get("SeriesDescription", "")))


@lru_cache(maxsize=1024)
def _map_quantity(types: tuple[str, ...], series_description: str) -> str:
    for position, value in enumerate(types):
        if value == "FLIP ANGLE MAP":
            return "B1"
        named = _NAMED_MAP.fullmatch(value.replace("_", " "))
        bare = value.replace("_", " ") if position >= 3 else ""
        quantity = _QUANTITIES.get(named.group(1) if named else bare, "")
        if quantity:
            return quantity
    description = _NAMED_MAP.search(series_description.upper().replace("_", " "))
    if description and types[:1] == ("DERIVED",):
        return _QUANTITIES[description.group(1)]
    return ""


def inversion_time_ms(header: Header) -> float:
    """TI in ms, NaN where none is given; zero is what scanners write for "no inversion".

    Philips MOLLI writes zero in the public field and the true time in (2005,1572).
    """
    for field in ("InversionTime", "PrivateInversionTime"):
        value = number(header, field)
        if value > 0:
            return value
    return math.nan


def _is_from(header: Header, vendor: str) -> bool:
    return str(header.get("Manufacturer", "")).lower().startswith(vendor)


def _unit(value: Any) -> str:
    return _UNITS.get(str(value).strip().lower(), "")


def _map_scale(header: Header, slope: float, intercept: float) -> Scale:
    """A map's own physical value; seconds become milliseconds, flip angles in degrees ten times that."""
    unit = _unit(header.get("RealWorldValueUnit")) or _unit(header.get("RescaleType"))
    if "RealWorldValueSlope" in header:
        slope = number(header, "RealWorldValueSlope", slope)
        intercept = number(header, "RealWorldValueIntercept", intercept)
    if unit == "s":
        return Scale(1000 * slope, 1000 * intercept, "ms")
    if unit == "degree":
        return Scale(10 * slope, 10 * intercept, FLIP_ANGLE_X10)
    if unit:
        return Scale(slope, intercept, unit)
    if "FLIP ANGLE MAP" in image_type(header):
        return Scale(slope, intercept, FLIP_ANGLE_X10)
    return Scale(slope, intercept, "", "its header does not name the unit of the map")


def _phase_scale(header: Header, slope: float, intercept: float) -> Scale:
    """Phase in radians.

    Siemens and Philips store -π to π over the whole range of the stored values, which the rescaling makes
    symmetric about zero (Siemens -4096 to 4096, Philips -3142 to 3142); GE stores thousandths of a radian.
    """
    stored_span = 2.0 ** number(header, "BitsStored", 16) - 1
    half_span = slope * stored_span / 2
    named = str(header.get("RescaleType", "")).lower()
    if _is_from(header, "ge") or named in ("mrad", "milliradials", "milliradians"):
        return Scale(slope / 1000, intercept / 1000, "rad")
    if named in ("rad", "radian", "radians"):
        return Scale(slope, intercept, "rad")
    if intercept < 0 and abs(intercept + half_span) <= 0.01 * half_span:
        return Scale(slope * math.pi / -intercept, -math.pi, "rad")
    if _is_from(header, "siemens") and slope == 1 and intercept == 0:
        return Scale(2 * math.pi / (stored_span + 1), -math.pi, "rad")
    return Scale(slope, intercept, "", "its header does not say how its phase values become radians")


def true_scale(header: Header) -> Scale:
    """How stored values become true values.

    Philips scales every image on its own so that it fills the stored range; the values of different images
    compare only as (stored * RescaleSlope + RescaleIntercept) / (RescaleSlope * ScaleSlope), ScaleSlope being
    the private (2005,100E) (Chenevert et al., Transl Oncol 2014;7:65-71).
    """
    slope = number(header, "RescaleSlope", 1.0)
    intercept = number(header, "RescaleIntercept", 0.0)
    if scanner_map(header):
        return _map_scale(header, slope, intercept)
    if component(header) == "phase":
        return _phase_scale(header, slope, intercept)
    if _is_from(header, "philips"):
        scale_slope = number(header, "ScaleSlope", 0.0)
        if scale_slope > 0 and slope:
            return Scale(1 / scale_slope, intercept / (slope * scale_slope))
        return Scale(
            slope,
            intercept,
            "",
            "Philips' private scale slope (2005,100E) is missing, so its images may differ in scale",
        )
    return Scale(slope, intercept)
