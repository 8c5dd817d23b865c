"""When a measurement was acquired: DICOM's many times on one clock, the most trustworthy one chosen."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .header import Header, number

DAY_S = 86400.0
_EPOCH = date(2000, 1, 1).toordinal()  # near to today, so that seconds keep their microseconds in a double
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?")
_DATE = re.compile(r"(\d{4})[.:-]?(\d{2})[.:-]?(\d{2})")


@lru_cache(maxsize=16384)
def seconds_of_day(time: object) -> float:
    """Seconds since midnight of a DICOM TM ("HHMMSS.ffffff") or ISO time; NaN where it is none."""
    match = _TIME.match(str(time)) if time is not None else None
    if not match:
        return math.nan
    hours, minutes, seconds, fraction = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds + fraction


@lru_cache(maxsize=1024)
def day_of(date_text: object) -> float:
    """The start of a DICOM DA ("YYYYMMDD") in seconds on an absolute clock; NaN where it is none."""
    match = _DATE.match(str(date_text)) if date_text is not None else None
    try:
        return (date(*map(int, match.groups())).toordinal() - _EPOCH) * DAY_S if match else math.nan
    except ValueError:
        return math.nan


def _moment(value: object) -> float:
    """A DICOM DT ("YYYYMMDDHHMMSS.ffffff&ZZXX"), local time, on the absolute clock."""
    text = str(value)
    return day_of(text[:8]) + seconds_of_day(text[8:]) if len(text) > 8 else math.nan


def _dated(header: Header, time_field: str, date_fields: Sequence[str]) -> float:
    """`time_field` on the day that the first present of `date_fields` names, else the study's.

    With the study's date alone, a time that lies far before the study's start is past midnight.
    """
    time = seconds_of_day(header.get(time_field))
    for field in date_fields:
        if field in header:
            return day_of(header[field]) + time
    started = seconds_of_day(header.get("StudyTime"))
    past_midnight = DAY_S if time + DAY_S / 2 < started else 0.0
    return day_of(header.get("StudyDate")) + time + past_midnight


def _frame_acquisition(header: Header) -> float:
    return _moment(header.get("FrameAcquisitionDateTime"))


def _frame_reference(header: Header) -> float:
    return _moment(header.get("FrameReferenceDateTime"))


def _acquisition(header: Header) -> float:
    moment = _moment(header.get("AcquisitionDateTime"))
    return (
        _dated(header, "AcquisitionTime", ("AcquisitionDate", "ContentDate", "SeriesDate"))
        if math.isnan(moment)
        else moment
    )


def _content(header: Header) -> float:
    return _dated(header, "ContentTime", ("ContentDate", "AcquisitionDate", "SeriesDate"))


def acquired(header: Header) -> float:
    """When one image was acquired, on the absolute clock, by its own fields; NaN where they are silent."""
    for read in (_frame_acquisition, _acquisition, _frame_reference, _content):
        moment = read(header)
        if not math.isnan(moment):
            return moment
    return math.nan


def injected(header: Header) -> float:
    """Start of the contrast bolus on the absolute clock; NaN where the header is silent."""
    return _dated(header, "ContrastBolusStartTime", ("AcquisitionDate", "ContentDate", "SeriesDate"))


def is_believable_injection(injection_s: float, phases_s: NDArray[np.float64]) -> bool:
    """Whether an injection time fits the DCE phases that began at `phases_s`, on the same clock.

    Some consoles copy the planned or the previous patient's time: the bolus of these phases came at most ten
    minutes before the first of them and not after the last. Where no phase is known, it is believed.
    """
    known = phases_s[np.isfinite(phases_s)]
    return math.isfinite(injection_s) and (
        not len(known) or bool(known.min() - 600 <= injection_s <= known.max())
    )


def _by_temporal_position(header: Header) -> float:
    duration_ms = number(header, "TemporalResolution")
    if not duration_ms > 0:
        duration_ms = number(header, "FrameAcquisitionDuration")
    return (number(header, "TemporalPositionIdentifier") - 1) * duration_ms / 1000


# Trusted in this order. A relative source counts from the acquisition time of the first phase.
_Source = tuple[str, Callable[[Header], float], bool]
_SOURCES: tuple[_Source, ...] = (
    ("FrameAcquisitionDateTime", _frame_acquisition, False),
    ("TemporalPositionTimeOffset", lambda h: number(h, "TemporalPositionTimeOffset"), True),
    ("DynamicScanBeginTime (2005,10A0)", lambda h: number(h, "DynamicScanBeginTime"), True),
    ("TriggerTime", lambda h: number(h, "TriggerTime") / 1000, True),
    ("AcquisitionTime", _acquisition, False),
    ("FrameReferenceDateTime", _frame_reference, False),
    ("ContentTime", _content, False),
    ("TemporalPositionIdentifier", _by_temporal_position, True),
)


def _earliest(
    measurements: Sequence[Sequence[Header]], read: Callable[[Header], float]
) -> NDArray[np.float64]:
    return np.array([min(map(read, headers)) for headers in measurements])


def measurement_times(
    measurements: Sequence[Sequence[Header]], repetition: Sequence[int]
) -> tuple[NDArray[np.float64], str]:
    """Acquisition time of every measurement, on the absolute clock, and the field it came from.

    A source is used if every measurement has it and, where the series repeats itself (DCE), if it tells the
    repetitions apart: many scanners copy the time of the first phase into all of them. A trigger time is a
    time only in such a series; in a heart-triggered one (MOLLI) it is a delay after the R wave.

    Args:
        measurements: headers of the images (slices) of every measurement; the earliest counts.
        repetition: of every measurement, counted from 0; all 0 where nothing repeats.

    Returns:
        Seconds (measurements,), NaN where there is no time at all, and the source's name, "" without one.
    """
    first_of = [list(repetition).index(r) for r in sorted(set(repetition))]
    dynamic = len(first_of) > 1
    start = float(np.min(_earliest(measurements, acquired)))
    for name, read, relative in _SOURCES:
        if relative and not dynamic:
            continue
        times = _earliest(measurements, read)
        if not np.isfinite(times).all() or len(set(times[first_of])) < len(first_of):
            continue
        if relative:
            times = times - times.min() + start
        if np.isfinite(times).all():
            return times, name
    return np.full(len(measurements), np.nan if dynamic else start), ""
