"""NIfTI files with BIDS side-cars to series. Without a side-car the parameters stay NaN, and that is said."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .assemble import name_of
from .clock import seconds_of_day
from .header import number
from .model import Series

_ENDINGS = (".nii", ".nii.gz")
# BIDS entities, and dcm2niix's suffixes, that number the measurements of one acquisition.
_NUMBERING = re.compile(r"_(?:echo|flip|inv)-\d+|_[ei]\d+(?=_|$)", re.IGNORECASE)
_DERIVED = re.compile(r"(?:^|_)desc-")
# The subject and the session name the patient and the date; entities and suffix tell the series apart.
_SUBJECT = re.compile(r"^sub-[0-9A-Za-z]+_(?:ses-[0-9A-Za-z]+_)?(?=.)")
_PARTS = (
    ("phase", re.compile(r"(?:^|_)(?:part-phase|phase|ph)(?=_|$)", re.IGNORECASE)),
    ("real", re.compile(r"(?:^|_)(?:part-real|real)(?=_|$)", re.IGNORECASE)),
    ("imaginary", re.compile(r"(?:^|_)(?:part-imag|imag|imaginary)(?=_|$)", re.IGNORECASE)),
)
_TYPES = {"P": "phase", "PHASE": "phase", "REAL": "real", "IMAGINARY": "imaginary"}
_MAPS = {"T1map": "T1", "T2map": "T2", "T2starmap": "T2star", "TB1map": "B1"}
_MAP_UNITS = {"s": (1000.0, "ms"), "ms": (1.0, "ms"), "percent": (1.0, "percent"), "1": (1.0, "1")}
# Side-car fields worth keeping beside the standard ones; none of them is personal.
# fmt: off
_FACTS = (
    "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType", "SequenceName",
    "PulseSequenceName", "PulseSequenceType", "ProtocolName", "ImageType", "EchoTrainLength",
    "AcquisitionDuration", "TemporalResolution", "ContrastBolusIngredient",
)
# fmt: on


@dataclass(frozen=True)
class _Volume:
    """One NIfTI file with what its side-car says."""

    name: str
    stem: str
    image: Any
    card: dict[str, Any]
    has_card: bool


def _ending(file: Path) -> str:
    return next((e for e in sorted(_ENDINGS, key=len, reverse=True) if file.name.lower().endswith(e)), "")


def is_nifti(file: Path) -> bool:
    """Whether the file's name is that of a NIfTI image."""
    return bool(_ending(file))


def is_side_car(file: Path) -> bool:
    """Whether `file` is the JSON beside a NIfTI image of the same name."""
    return file.suffix.lower() == ".json" and any(file.with_suffix(e).is_file() for e in _ENDINGS)


def load_nibabel() -> Any:
    """The module nibabel, imported when it is first needed: 3D Slicer does not bring it.

    Raises:
        InputError: it is not installed.
    """
    try:
        import nibabel
    except ImportError:
        raise InputError(
            "NIfTI needs the Python package nibabel, which is not installed; install it first."
        ) from None
    return nibabel


def read_nifti(files: Sequence[tuple[Path, str]]) -> tuple[list[Series], list[tuple[str, str]]]:
    """Series of NIfTI `files` (each with the name that messages use), and the files that cannot be read.

    Files that differ only in their echo, flip or inversion number, or in that of dcm2niix, and share a grid
    are the measurements of one series.

    Raises:
        InputError: the file names are those of several BIDS subjects.
    """
    subjects: set[str] = set()
    groups: dict[tuple[Any, ...], list[Series]] = {}
    unreadable = []
    for file, name in files:
        try:
            volume = _load(file, name)
            series = _series(volume)
        except InputError as error:
            unreadable.append((name, str(error).rstrip(".")))
            continue
        except Exception as error:  # nibabel raises what it likes on damaged files
            unreadable.append((name, f"its NIfTI data are damaged ({type(error).__name__})"))
            continue
        key = (
            str(Path(name).parent / _NUMBERING.sub("", volume.stem)),
            str(series.component[0]),
            series.data.shape[1:],
            tuple(np.round(series.affine, 3).ravel()),
        )
        groups.setdefault(key, []).append(series)
        subjects |= set(re.findall(r"sub-[0-9A-Za-z]+", name)[:1])
    if len(subjects) > 1:
        raise InputError(f"There are images of {len(subjects)} subjects; give those of one subject.")
    return [_joined(members) for members in groups.values()], unreadable


def _load(file: Path, name: str) -> _Volume:
    stem = file.name[: -len(_ending(file))]
    card_file = file.with_name(f"{stem}.json")
    card: dict[str, Any] = {}
    if card_file.is_file():
        try:
            card = json.loads(card_file.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError("its side-car is not valid JSON") from None
        if not isinstance(card, dict):
            raise InputError("its side-car is not a JSON object")
    if "HER2MapBiomarker" in card:
        raise InputError("a map that HER2Map wrote")
    if _DERIVED.search(stem):
        raise InputError("a derived image (desc- in its name), such as HER2Map writes beside its maps")
    return _Volume(name, stem, load_nibabel().load(file), card, bool(card))


def _series(volume: _Volume) -> Series:
    """One file's series."""
    data = np.asarray(volume.image.dataobj, np.float32)
    if not 2 <= data.ndim <= 4:
        raise InputError(f"it has {data.ndim} dimensions; 2 to 4 are read")
    data = data.reshape(data.shape + (1,) * (4 - data.ndim)).transpose(3, 2, 1, 0)
    count, card, problems = len(data), volume.card, []
    if not volume.has_card:
        problems.append(
            "it has no side-car (.json), so its echo time, TR, TI, flip angle and time are unknown"
        )
    component = _component(volume)
    quantity = _MAPS.get(volume.stem.rpartition("_")[2], "")
    data, unit = _in_true_scale(data, component, quantity, str(card.get("Units", "")), problems)
    tr = card.get("RepetitionTimeExcitation", card.get("RepetitionTime"))
    series = Series(
        data=np.ascontiguousarray(data),
        affine=np.asarray(volume.image.affine, float),
        te_ms=_per_measurement(card.get("EchoTime"), count, 1000, "EchoTime"),
        tr_ms=_per_measurement(tr, count, 1000, "RepetitionTime"),
        ti_ms=_per_measurement(card.get("InversionTime"), count, 1000, "InversionTime"),
        flip_angle_deg=_per_measurement(card.get("FlipAngle"), count, 1, "FlipAngle"),
        time_s=_times(card, count),
        channel=np.zeros(count, int),
        component=np.array([component] * count),
        uid=volume.name,
        description=str(card.get("SeriesDescription", _SUBJECT.sub("", volume.stem))),
        number=_integer(card),
        time_source="AcquisitionTime" if "AcquisitionTime" in card else "",
        manufacturer=str(card.get("Manufacturer", "")),
        model=str(card.get("ManufacturersModelName", "")),
        field_strength_t=number(card, "MagneticFieldStrength"),
        scanner_map=quantity,
        unit=unit,
        injection_time_s=seconds_of_day(card.get("ContrastBolusStartTime")),
        slice_thickness_mm=number(card, "SliceThickness"),
        sequence={name: _plain(card[name]) for name in _FACTS if name in card},
    )
    if volume.has_card and not quantity:
        problems += [
            f"its side-car does not give {field}"
            for field, values in (
                ("EchoTime", series.te_ms),
                ("RepetitionTime", series.tr_ms),
                ("FlipAngle", series.flip_angle_deg),
            )
            if np.isnan(values).any()
        ]
    series.problems = tuple(f"{name_of(series)}: {problem}." for problem in problems)
    return series


def _component(volume: _Volume) -> str:
    for value in np.atleast_1d(volume.card.get("ImageType", [])):
        if str(value).upper() in _TYPES:
            return _TYPES[str(value).upper()]
    return next((part for part, pattern in _PARTS if pattern.search(volume.stem)), "magnitude")


def _in_true_scale(
    data: NDArray[np.float32], component: str, quantity: str, unit: str, problems: list[str]
) -> tuple[NDArray[np.float32], str]:
    """Maps in ms where their unit is a time, phase in radians; what had to be assumed is a problem."""
    if quantity:
        factor, name = _MAP_UNITS.get({"%": "percent"}.get(unit, unit), (1.0, ""))
        if not name:
            problems.append("its side-car does not name the unit of the map (Units)")
        return data * np.float32(factor), name
    if component != "phase" or unit.lower() in ("rad", "radian", "radians"):
        return data, ""
    low, high = float(np.nanmin(data)), float(np.nanmax(data))
    if high > low and not (0.9 * math.pi <= max(-low, high) <= 1.001 * math.pi):
        problems.append(
            f"its phase runs from {low:g} to {high:g} in an unnamed unit; that range is taken for one turn"
        )
        data = (data - np.float32((low + high) / 2)) * np.float32(2 * math.pi / (high - low))
    return data, ""


def _scalar(value: Any) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else math.nan


def _integer(card: dict[str, Any]) -> int | None:
    value = number(card, "SeriesNumber")
    return int(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _per_measurement(value: Any, count: int, factor: float, field: str) -> NDArray[np.float64]:
    """One number for all measurements, or a list of one each; NaN where there is none."""
    if isinstance(value, list):
        if len(value) != count:
            raise InputError(f"its side-car gives {len(value)} values of {field} for {count} volumes")
        return np.array([_scalar(v) for v in value]) * factor
    return np.full(count, _scalar(value) * factor)


def _times(card: dict[str, Any], count: int) -> NDArray[np.float64]:
    """Seconds since midnight of every volume: the acquisition's start, and the volumes' offsets from it."""
    start = seconds_of_day(card.get("AcquisitionTime"))
    offsets = card.get("VolumeTiming", card.get("FrameTimesStart"))
    if isinstance(offsets, list) and len(offsets) == count:
        return start + np.array([_scalar(v) for v in offsets])
    return (
        np.full(count, start)
        if count == 1 or isinstance(card.get("EchoTime"), list)
        else np.full(count, np.nan)
    )


def _joined(members: Sequence[Series]) -> Series:
    """Files of one acquisition as one series, sorted by flip angle, TI and TE."""
    first = members[0]
    if len(members) == 1:
        return first
    te, tr, ti, flip, time, channel, component = (
        np.concatenate([getattr(m, name) for m in members])
        for name in ("te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s", "channel", "component")
    )
    order = np.lexsort((te, ti, flip))
    first.data = np.concatenate([m.data for m in members])[order]
    first.te_ms, first.tr_ms, first.ti_ms, first.flip_angle_deg = te[order], tr[order], ti[order], flip[order]
    first.time_s, first.channel, first.component = time[order], channel[order], component[order]
    first.problems = tuple(problem for m in members for problem in m.problems)
    return first
