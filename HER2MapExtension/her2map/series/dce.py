"""DCE phases in the order of time, the phase 90 s after the injection, and the delay of T1 post contrast."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..geometry import Geometry
from .clock import is_believable_injection
from .header import number
from .model import Series
from .roles import join, label
from .technique import words

TARGET_S = 90.0
"""After the injection: the phase on which the paper's readers drew."""
PAPER_T1_POST_DELAY_S = 580.0
"""9 min 40 s after the injection, when the paper acquired T1_post."""
DELAY_TOLERANCE_S = 60.0
FROM_HEADER = "ContrastBolusStartTime"
FROM_USER = "given by the user"
FROM_ONSET = "estimated from the onset of enhancement"
_ONSET_FRACTION = 0.2
_ONSET_MARGIN = 2.5
_CENTRE_FRACTIONS = {"CENTRIC": 0.0, "LINEAR": 0.5, "REVERSE_LINEAR": 0.5}


@dataclass(frozen=True, eq=False)
class DceSeries:
    """DCE phases in the order of time.

    Attributes:
        data: (phases, slices, rows, columns).
        affine: (4, 4), index (column, row, slice) to RAS in mm.
        slice_thickness_mm: as in the header.
        time_s: (phases,), start of each acquisition on the exam's clock; NaN where the header is silent.
        time_source: the header field of `time_s`.
        phase_duration_s: of one phase; NaN where it is not known.
        centre_fraction: the part of a phase's duration that passes until the centre of k-space.
        centre_source: where the last two come from, in words.
        injection_time_s: on the clock of `time_s`; NaN where the header is silent.
        injection_source: `FROM_HEADER`, or "" where it is silent; `with_injection` names another.
        names: number and description of the series.
    """

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    slice_thickness_mm: float
    time_s: NDArray[np.float64]
    time_source: str
    phase_duration_s: float
    centre_fraction: float
    centre_source: str
    injection_time_s: float
    injection_source: str
    names: str

    @property
    def geometry(self) -> Geometry:
        """The grid of one phase."""
        return Geometry(self.data.shape[1:], self.affine)

    @property
    def centre_time_s(self) -> NDArray[np.float64]:
        """(phases,), when each phase passed the centre of k-space, on the clock of `time_s`."""
        elapsed = self.centre_fraction * self.phase_duration_s if self.centre_fraction else 0.0
        return self.time_s + elapsed

    @property
    def after_injection_s(self) -> NDArray[np.float64]:
        """(phases,), from the injection to the centre of k-space; NaN where the injection is not known."""
        return self.centre_time_s - self.injection_time_s

    def with_injection(self, injection: "Injection") -> "DceSeries":
        """The same phases with another injection time."""
        return replace(self, injection_time_s=injection.time_s, injection_source=injection.source)


class Injection(NamedTuple):
    """When the contrast was injected, and how this is known.

    Attributes:
        time_s: on the clock of the series.
        source: `FROM_HEADER`, `FROM_USER` or `FROM_ONSET`.
        remark: what to know about an estimate, else "".
    """

    time_s: float
    source: str
    remark: str = ""


@dataclass(frozen=True)
class Neighbour:
    """A phase beside the chosen one: its index and its time after the injection in seconds."""

    index: int
    after_injection_s: float


@dataclass(frozen=True)
class PhaseChoice:
    """The phase on which to draw.

    Attributes:
        index: of the phase, counted from 0 in the order of time.
        after_injection_s: from the injection to its k-space centre; NaN where a time is not known.
        source: of the injection time.
        neighbours: the phase before and the phase after, as far as there are such.
        reason: in words for the radiologist.
        overridden: whether the user chose the phase.
        estimated: whether the injection time is an estimate.
    """

    index: int
    after_injection_s: float
    source: str
    neighbours: tuple[Neighbour, ...]
    reason: str
    overridden: bool = False
    estimated: bool = False


class PostContrastDelay(NamedTuple):
    """From the injection to the start of T1 post contrast in seconds, and a remark where it is unusual."""

    delay_s: float
    remark: str


def dce_phases(series: Iterable[Series]) -> DceSeries:
    """Join series, or a group of them, to DCE phases in the order of time.

    Raises:
        InputError: there is none, or they differ in grid or component; see :func:`~her2map.series.join`.
    """
    members = tuple(series)
    joined = join(members)
    order = np.argsort(joined.time_s, kind="stable")
    times = joined.time_s[order]
    duration, fraction, source = _centre(joined, times)
    known = math.isfinite(joined.injection_time_s)
    return DceSeries(
        data=joined.data if np.array_equal(order, np.arange(len(order))) else joined.data[order],
        affine=joined.affine,
        slice_thickness_mm=joined.slice_thickness_mm,
        time_s=times,
        time_source=joined.time_source,
        phase_duration_s=duration,
        centre_fraction=fraction,
        centre_source=source,
        injection_time_s=joined.injection_time_s,
        injection_source=FROM_HEADER if known else "",
        names=", ".join(dict.fromkeys(label(s) for s in members)),
    )


def choose_phase(
    dce: DceSeries,
    target_s: float = TARGET_S,
    override: int | None = None,
    injection_time_s: float | None = None,
) -> PhaseChoice:
    """The phase whose k-space centre lies nearest to `target_s` after the injection.

    Args:
        override: index of the phase that the user wants, counted from 0.
        injection_time_s: on the clock of `dce.time_s`; it goes before the header's. With neither, the
            injection is estimated from the onset of enhancement, and the choice is marked so.

    Raises:
        InputError: the times do not order the phases and there is no override; the injection is not known
            and cannot be estimated; there is no phase of the number `override`.
    """
    n = len(dce.time_s)
    if override is not None and not 0 <= override < n:
        raise InputError(f"There is no DCE phase {override + 1}; choose one from 1 to {n}.")
    try:
        injection = find_injection(dce, injection_time_s)
    except InputError:
        if override is None:
            raise
        return PhaseChoice(
            override, math.nan, "", (), f"phase {override + 1} of {n}, chosen by the user", True
        )
    after = dce.centre_time_s - injection.time_s
    nearest = int(np.argmin(np.abs(after - target_s)))
    index = nearest if override is None else override
    neighbours = tuple(Neighbour(i, float(after[i])) for i in (index - 1, index + 1) if 0 <= i < n)
    parts = [
        f"phase {index + 1} of {n}, {after[index]:.0f} s after the injection"
        + (
            ""
            if override is None
            else f", chosen by the user (phase {nearest + 1} lies nearest to {target_s:g} s)"
        ),
        f"injection time {injection.source}"
        if injection.source != FROM_HEADER
        else f"injection by {FROM_HEADER}",
        injection.remark,
        f"phase times by {dce.time_source}" if dce.time_source else "",
        dce.centre_source,
        _far_off(float(after[nearest]), target_s, dce) if override is None else "",
    ]
    return PhaseChoice(
        index=index,
        after_injection_s=float(after[index]),
        source=injection.source,
        neighbours=neighbours,
        reason="; ".join(part for part in parts if part),
        overridden=override is not None,
        estimated=injection.source == FROM_ONSET,
    )


def find_injection(dce: DceSeries, injection_time_s: float | None = None) -> Injection:
    """The injection time: the user's, else the header's, else an estimate from the onset of enhancement.

    The estimate is the start of the first phase that enhances. The bolus takes some 20 s to the breast, so
    the injection may have been earlier by that, or later by the length of a phase.

    Raises:
        InputError: the phases have no times that order them, or nothing enhances; a given time is no number.
    """
    if not (np.isfinite(dce.time_s).all() and (np.diff(dce.time_s) > 0).all()):
        raise InputError(
            f"The acquisition times of the DCE series {dce.names} are missing or repeat themselves; "
            "choose the phase by its number."
        )
    if injection_time_s is not None:
        if not math.isfinite(injection_time_s):
            raise InputError("The injection time is not a number; give it in seconds on the exam's clock.")
        return Injection(float(injection_time_s), FROM_USER)
    if dce.injection_source and dce.injection_source != FROM_HEADER:
        return Injection(dce.injection_time_s, dce.injection_source)
    if is_believable_injection(dce.injection_time_s, dce.time_s):
        return Injection(dce.injection_time_s, FROM_HEADER)
    return _from_onset(dce)


def post_contrast_delay(
    t1_post: Iterable[Series], dce: DceSeries, injection_time_s: float | None = None
) -> PostContrastDelay:
    """From the injection to the start of T1 post contrast, with a remark if it is not the paper's.

    Args:
        t1_post: the series of the T1 measurement, of which the earliest start counts.
        injection_time_s: see :func:`choose_phase`.

    Raises:
        InputError: a time is not known.
    """
    members = tuple(t1_post)
    starts = np.concatenate([s.time_s for s in members]) if members else np.array([])
    if not np.isfinite(starts).any():
        names = ", ".join(label(s) for s in members) or "T1_post"
        raise InputError(f"The acquisition time of {names} is missing, so its delay cannot be told.")
    injection = find_injection(dce, injection_time_s)
    delay = float(np.nanmin(starts) - injection.time_s)
    remark = ""
    if abs(delay - PAPER_T1_POST_DELAY_S) > DELAY_TOLERANCE_S:
        remark = (
            f"T1_post was acquired {_minutes(delay)} after the injection ({injection.source}); "
            f"the paper acquired it at {_minutes(PAPER_T1_POST_DELAY_S)}"
        )
    return PostContrastDelay(delay, remark)


def _centre(series: Series, times: NDArray[np.float64]) -> tuple[float, float, str]:
    """Duration of a phase in s, part of it until the k-space centre, and where both come from."""
    if "Reference" in series.time_source:
        return math.nan, 0.0, "the header's reference time is taken for the centre of k-space"
    interval = float(np.median(np.diff(times))) if len(times) > 1 else math.nan
    duration, source = interval, "the interval between phases"
    for keyword, scale in (("FrameAcquisitionDuration", 1e-3), ("AcquisitionDuration", 1.0)):
        stated = number(series.sequence, keyword) * scale
        # A duration longer than the interval is that of the whole series.
        if stated > 0 and not stated > 1.05 * interval:
            duration, source = stated, keyword
            break
    if not math.isfinite(duration):
        return duration, 0.0, "k-space centre taken at the start, since the duration of a phase is not known"
    order = words(series, "RectilinearPhaseEncodeReordering") & _CENTRE_FRACTIONS.keys()
    if order:
        name = order.pop()
        return duration, _CENTRE_FRACTIONS[name], f"k-space centre by {source} and {name.lower()} ordering"
    return duration, 0.5, f"k-space centre taken half-way through a phase ({duration:.0f} s by {source})"


def _from_onset(dce: DceSeries) -> Injection:
    first = _first_enhancing(dce.data)
    if first is None:
        raise InputError(
            f"The DCE series {dce.names} has no usable {FROM_HEADER} and no phase that begins to enhance; "
            "give the injection time, or choose the phase by its number."
        )
    ignored = math.isfinite(dce.injection_time_s)
    remark = (
        f"the start of phase {first + 1}, the first to enhance; the injection may lie some 20 s earlier, "
        f"or later by up to {dce.time_s[first] - dce.time_s[first - 1]:.0f} s"
        + (f"; the header's {FROM_HEADER} lies outside the series and is left aside" if ignored else "")
    )
    return Injection(float(dce.time_s[first]), FROM_ONSET, remark)


def _first_enhancing(data: NDArray[np.float32]) -> int | None:
    """Index of the first enhancing phase, None where nothing enhances.

    The curve is the mean over the percent of the voxels that rise most between the first phase and the
    mean of the rest, so that a spike in one phase selects no voxel. A phase enhances if its curve has risen
    by `_ONSET_FRACTION` of the highest rise, which must exceed `_ONSET_MARGIN` times the fall of the percent
    that falls most: noise and motion raise and lower alike.
    """
    if len(data) < 2:
        return None
    step = max(1, round((data[0].size / 200_000) ** (1 / 3)))
    curves = data[:, ::step, ::step, ::step].reshape(len(data), -1).astype(np.float64)
    rise = curves - curves[0]
    mean_rise = rise[1:].mean(axis=0)
    most = mean_rise >= np.quantile(mean_rise, 0.99)
    fall = max(-float(np.quantile(mean_rise, 0.01)), 0.0)
    curve = rise[:, most].mean(axis=1)
    peak = float(curve.max())
    if not peak > _ONSET_MARGIN * fall:
        return None
    return int(np.argmax(curve > _ONSET_FRACTION * peak))


def _far_off(after_s: float, target_s: float, dce: DceSeries) -> str:
    interval = float(np.diff(dce.time_s).max()) if len(dce.time_s) > 1 else 0.0
    off = abs(after_s - target_s)
    return (
        f"it lies {off:.0f} s from the wanted {target_s:g} s, so please check"
        if off > max(interval, 30.0)
        else ""
    )


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(abs(round(seconds)), 60)
    return f"{'-' if seconds < 0 else ''}{minutes} min {rest:02d} s"
