"""Images to series: which images share a grid, which are echoes, channels or repetitions of one another."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clock import DAY_S, acquired, injected, measurement_times
from .dicom import Image
from .header import number
from .model import Series
from .stacks import Stack, stacks_of, uniform_runs
from .tags import FACTS, PRIVATE_FACTS
from .vendors import image_type

# Fields that can number the repetitions of a series, most explicit first.
_REPETITION_FIELDS = (
    "TemporalPositionIdentifier",
    "TemporalPositionTimeOffset",
    "DynamicScanBeginTime",
    "TriggerTime",
    "AcquisitionNumber",
    "FrameAcquisitionDateTime",
    "AcquisitionTime",
    "ContentTime",
)


@dataclass(frozen=True, order=True)
class Measurement:
    """What tells one measurement of a series from another; the order is that of the data."""

    repetition: int
    channel: int
    flip_angle_deg: float
    tr_ms: float
    ti_ms: float
    te_ms: float
    b_value: float

    def label(self, others: Iterable["Measurement"]) -> str:
        """What tells it from `others`, in words, for messages."""
        words = {
            "repetition": f"repetition {self.repetition + 1}",
            "channel": f"channel {self.channel}",
            "flip_angle_deg": f"flip angle {self.flip_angle_deg:g} degrees",
            "tr_ms": f"TR {self.tr_ms:g} ms",
            "ti_ms": f"TI {self.ti_ms:g} ms",
            "te_ms": f"TE {self.te_ms:g} ms",
            "b_value": f"b value {self.b_value:g}",
        }
        differing = {
            name for other in others for name in words if getattr(other, name) != getattr(self, name)
        }
        return ", ".join(text for name, text in words.items() if name in differing)


def assemble(images: Sequence[Image], fill: Callable[[Image, NDArray[np.float32]], None]) -> list[Series]:
    """All series of an exam, in the order of their acquisition.

    Args:
        images: of one patient.
        fill: writes one image's true values to an array (rows, columns).
    """
    known = [moment for moment in map(_acquired, images) if np.isfinite(moment)]
    midnight = np.floor(min(known) / DAY_S) * DAY_S if known else 0.0
    series = [
        one
        for group in _grouped(images, _series_key).values()
        for stack in stacks_of(group)
        for one in _series_of_stack(stack, midnight, fill)
    ]
    return sorted(series, key=lambda s: (np.nan_to_num(np.min(s.time_s), nan=np.inf), s.number or 0))


def _acquired(image: Image) -> float:
    return acquired(image.header)


def _grouped(images: Iterable[Image], key: Callable[[Image], Hashable]) -> dict[Hashable, list[Image]]:
    groups: dict[Hashable, list[Image]] = defaultdict(list)
    for image in images:
        groups[key(image)].append(image)
    return groups


def _series_key(image: Image) -> Hashable:
    header = image.header
    return (
        header.get("SeriesInstanceUID"),
        image.component,
        image.scanner_map,
        image.scale.unit,
        image_type(header),
        image.pixels.shape,
        tuple(round(s, 4) for s in image.spacing),
    )


def _series_of_stack(
    stack: Stack, midnight: float, fill: Callable[[Image, NDArray[np.float32]], None]
) -> list[Series]:
    """One series a run of evenly spaced slices; what cannot be part of one is named in `problems`."""
    problems: list[str] = []
    table = _measurements(stack)
    result = []
    for part in _complete_parts(table, stack, problems):
        slices = sorted({s for cells in part.values() for s in cells})
        runs = uniform_runs(stack.positions[slices])
        if len(runs) > 1:
            problems.append(
                f"slices are missing or unevenly spaced, so it is split into {len(runs)} evenly spaced parts "
                f"(it breaks after {_places(stack, [slices[run[-1]] for run in runs[:-1]])})"
            )
        for run in runs:
            chosen = [slices[i] for i in run]
            grid = {m: [cells[s] for s in chosen] for m, cells in part.items()}
            result.append(_series(grid, stack, chosen, midnight, fill))
    for one in result:
        one.problems = tuple(dict.fromkeys(f"{name_of(one)}: {p}." for p in (*problems, *one.problems)))
    return result


def name_of(series: Series) -> str:
    """What messages call a series."""
    number = "" if series.number is None else f"{series.number} "
    return f"series {number}({series.description or 'no description'})"


def _value(number: float) -> float:
    """A number that compares equal to itself: NaN (silent header) becomes -1."""
    return round(number, 3) if np.isfinite(number) else -1.0


Cells = dict[Measurement, dict[int, Image]]


def _measurements(stack: Stack) -> Cells:
    """Measurement -> slice -> image; equal images of one slice are channels or repetitions."""
    contrast = [
        (
            _value(i.flip_angle_deg),
            _value(i.tr_ms),
            _value(i.ti_ms),
            _value(i.te_ms),
            _value(number(i.header, "DiffusionBValue")),
        )
        for i in stack.images
    ]
    places: list[Hashable] = list(zip(stack.slice_index, contrast, strict=True))
    channel = _channels(stack.images, places)
    places = list(zip(places, channel, strict=True))
    repetition = _repetitions(stack.images, places)
    table: Cells = defaultdict(dict)
    for image, s, c, ch, r in zip(
        stack.images, stack.slice_index, contrast, channel, repetition, strict=True
    ):
        key = Measurement(r, ch, *c)
        table[key][s] = image
    return dict(sorted(table.items()))


def _channels(images: Sequence[Image], places: Sequence[Hashable]) -> list[int]:
    """Receive channel of every image: 0 unless images that agree in all else differ in their coil element."""
    coils = [str(image.header.get("CoilString", "")) for image in images]
    at_place: dict[Hashable, list[str]] = defaultdict(list)
    for place, coil in zip(places, coils, strict=True):
        at_place[place].append(coil)
    if not any(len(set(here)) > 1 for here in at_place.values()):
        return [0] * len(images)
    order = {coil: number for number, coil in enumerate(sorted(set(coils), key=_natural), 1)}
    return [order[coil] for coil in coils]


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """Sorts "H2" before "H10"."""
    digits, out = "", []
    for character in f"{text} ":
        if character.isdigit():
            digits += character
            continue
        if digits:
            out.append((int(digits), ""))
            digits = ""
        out.append((-1, character))
    return tuple(out)


def _repetitions(images: Sequence[Image], places: Sequence[Hashable]) -> list[int]:
    """Repetition (DCE phase) of every image, counted from 0 in order of time.

    The number comes from the first field that tells apart all images of one place and has no more values
    than there are repetitions; failing that, from the order of the instance numbers at each place.
    """
    most = max(Counter(places).values())
    if most == 1:
        return [0] * len(images)
    for field in _REPETITION_FIELDS:
        labels = [image.header.get(field) for image in images]
        if any(label is None or isinstance(label, tuple) for label in labels) or len(set(labels)) != most:
            continue
        if len(set(zip(places, labels, strict=True))) == len(images):
            return _ranked_by_time(images, labels)
    order = sorted(
        range(len(images)),
        key=lambda i: (np.nan_to_num(_acquired(images[i])), number(images[i].header, "InstanceNumber", 0), i),
    )
    seen: Counter[Hashable] = Counter()
    repetition = [0] * len(images)
    for i in order:
        repetition[i] = seen[places[i]]
        seen[places[i]] += 1
    return repetition


def _ranked_by_time(images: Sequence[Image], labels: Sequence[Hashable]) -> list[int]:
    """Number of each label when the labels are sorted by their earliest image, then by themselves."""
    start: dict[Hashable, float] = {}
    for image, label in zip(images, labels, strict=True):
        start[label] = min(start.get(label, np.inf), np.nan_to_num(_acquired(image)))
    rank = {label: n for n, label in enumerate(sorted(start, key=lambda k: (start[k], k)))}
    return [rank[label] for label in labels]


def _complete_parts(table: Cells, stack: Stack, problems: list[str]) -> list[Cells]:
    """`table` without slices that lack a measurement; several parts where slices share no measurement.

    Where a series repeats itself, a repetition that lacks slices goes instead if that loses fewer images
    (a scan that was stopped early). Nothing is padded.
    """
    table = _without_short_repetitions(table, stack, problems)
    has = {s: frozenset(m for m, cells in table.items() if s in cells) for s in stack.slices}
    full_sets = [f for f in set(has.values()) if f and not any(f < other for other in has.values())]
    parts = []
    for full in sorted(full_sets, key=sorted):
        parts.append({m: {s: i for s, i in table[m].items() if has[s] == full} for m in sorted(full)})
    strays = [s for s in stack.slices if has[s] and has[s] not in full_sets]
    for s in strays:
        bigger = next(f for f in full_sets if has[s] < f)
        problems.append(
            f"the slice at {_places(stack, [s])} has {len(has[s])} of {len(bigger)} measurements "
            f"(missing: {'; '.join(m.label(table) for m in sorted(bigger - has[s]))}) and is left out"
        )
    if len(parts) > 1:
        problems.append(f"its slices differ in their measurements, so it is split into {len(parts)} parts")
    return parts


def _without_short_repetitions(table: Cells, stack: Stack, problems: list[str]) -> Cells:
    """`table` without repetitions that lack slices, where leaving out those slices would lose more images."""
    slices_of: dict[int, set[int]] = defaultdict(set)
    for measurement, cells in table.items():
        slices_of[measurement.repetition] |= set(cells)
    every: set[int] = set().union(*slices_of.values())
    short = {r for r, slices in slices_of.items() if slices != every}
    if not short or len(short) == len(slices_of):
        return table
    lost_slices = every - every.intersection(*slices_of.values())
    images_in_slices = sum(s in lost_slices for cells in table.values() for s in cells)
    images_in_short = sum(len(cells) for m, cells in table.items() if m.repetition in short)
    if images_in_short >= images_in_slices:
        return table
    for r in sorted(short):
        problems.append(
            f"repetition {r + 1} of {len(slices_of)} has {len(slices_of[r])} of {len(every)} slices "
            "and is left out"
        )
    return {m: cells for m, cells in table.items() if m.repetition not in short}


def _places(stack: Stack, slices: Sequence[int]) -> str:
    return ", ".join(f"{stack.along_normal[s]:.1f} mm" for s in slices)


def _series(
    grid: dict[Measurement, list[Image]],
    stack: Stack,
    slices: Sequence[int],
    midnight: float,
    fill: Callable[[Image, NDArray[np.float32]], None],
) -> Series:
    """The series of a full grid: measurement -> its images, in the order of `slices`."""
    rows = list(grid.values())
    first = rows[0][0]
    header = first.header
    series_number = number(header, "SeriesNumber")
    data = np.empty((len(rows), len(slices), *first.pixels.shape), np.float32)
    for measurement, images in enumerate(rows):
        for s, image in enumerate(images):
            fill(image, data[measurement, s])
    affine, doubt = stack.affine(slices, header)
    repetition = [0 if first.scanner_map else m.repetition for m in grid]
    times, source = measurement_times([[image.header for image in row] for row in rows], repetition)
    series = Series(
        data=data,
        affine=affine,
        te_ms=np.array([row[0].te_ms for row in rows]),
        tr_ms=np.array([row[0].tr_ms for row in rows]),
        ti_ms=np.array([row[0].ti_ms for row in rows]),
        flip_angle_deg=np.array([row[0].flip_angle_deg for row in rows]),
        time_s=times - midnight,
        channel=np.array([m.channel for m in grid]),
        component=np.array([first.component] * len(rows)),
        uid=str(header.get("SeriesInstanceUID", "")),
        description=str(header.get("SeriesDescription", "")),
        number=int(series_number) if np.isfinite(series_number) else None,
        time_source=source,
        manufacturer=str(header.get("Manufacturer", "")),
        model=str(header.get("ManufacturerModelName", "")),
        field_strength_t=number(header, "MagneticFieldStrength"),
        scanner_map=first.scanner_map,
        unit=first.scale.unit if first.scanner_map else "",
        injection_time_s=injected(header) - midnight,
        slice_thickness_mm=number(header, "SliceThickness"),
        sequence={name: header[name] for name in (*FACTS, *PRIVATE_FACTS) if name in header},
    )
    scale_problems = {image.scale.problem for row in rows for image in row}
    series.problems = tuple(filter(None, (*missing_parameters(series), *sorted(scale_problems), doubt)))
    return series


def missing_parameters(series: Series) -> list[str]:
    """Acquisition parameters that a fit would need and the header does not have, each named by its field."""
    if series.scanner_map:
        return []
    inverted = "IR" in np.atleast_1d(series.sequence.get("ScanningSequence", ())) or (
        series.sequence.get("InversionRecovery") == "YES"
    )
    wanted = [
        ("echo time", "EchoTime (0018,0081)", series.te_ms),
        ("repetition time", "RepetitionTime (0018,0080)", series.tr_ms),
        ("flip angle", "FlipAngle (0018,1314)", series.flip_angle_deg),
        *([("inversion time", "InversionTime (0018,0082)", series.ti_ms)] if inverted else []),
    ]
    missing = [f"the {name} is missing ({field})" for name, field, values in wanted if np.isnan(values).any()]
    if np.isnan(series.time_s).any():
        missing.append("no header field tells when its measurements were acquired")
    return missing
