"""Table 1: how the images were acquired, from the headers of the exams."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import InputError
from ..exam import MAP_ROLES, Exam, read_exam_as
from ..progress import Progress, no_progress
from ..series import Role, Series
from ..study.protocol import Protocol

SEQUENCES = {"DCE": Role.DCE, **MAP_ROLES}
NO_HEADERS = "A table of values holds no headers, so that Table 1 is empty; give the study's folder."
_FEW = 3
_WORDS = {"dce": "dynamic gradient echo", "vfa": "variable flip angle"}


@dataclass(frozen=True, eq=False)
class Acquisition:
    """The acquisition of all exams together.

    Attributes:
        table: a row a sequence and parameter: sequence, parameter, value (the most frequent), exams (which
            have it), of (which have the sequence), others (the other values with their numbers of exams).
        exams: how many could be read.
        unread: the cases whose exam could not be read, with why.
        reason: why there is no table; "" where there is one.
    """

    table: pd.DataFrame
    exams: int = 0
    unread: tuple[tuple[str, str], ...] = ()
    reason: str = ""


COLUMNS = ("sequence", "parameter", "value", "exams", "of", "others")


def no_acquisition(reason: str = NO_HEADERS) -> Acquisition:
    """In place of what cannot be had."""
    return Acquisition(pd.DataFrame(columns=list(COLUMNS)), reason=reason)


def read_acquisition(
    protocol: Protocol, codes: Sequence[str], progress: Progress = no_progress
) -> Acquisition:
    """Read the exams of the cases `codes` of a study; one that cannot be read is told."""
    facts, unread = [], []
    for i, code in enumerate(codes):
        case = protocol.case(code)
        try:
            exam = read_exam_as(case.folder, case.roles)
            facts.append(dict(exam_parameters(exam)))
        except InputError:  # its text may hold a patient's name
            unread.append((code, "its folder cannot be read as an exam"))
        progress((i + 1) / len(codes))
    return Acquisition(
        _table(facts), len(facts), tuple(unread), "" if facts else "No exam of the study can be read."
    )


def exam_parameters(exam: Exam) -> Iterator[tuple[tuple[str, str], str]]:
    """Every sequence's parameters in words, by sequence and parameter."""
    for name, role in SEQUENCES.items():
        group = exam.group(role)
        if not group:
            continue
        series = list(group)
        technique = next(a.technique for a in exam.assignments if a.series is series[0])
        yield (name, "technique"), _WORDS.get(technique.value, technique.value.replace("_", " "))
        for parameter, value in _parameters(series):
            if value:
                yield (name, parameter), value
    yield from _times(exam)


def _times(exam: Exam) -> Iterator[tuple[tuple[str, str], str]]:
    try:
        dce, delay = exam.dce, exam.t1_post_delay
    except InputError:  # a time is not known
        return
    if dce is not None:
        yield ("DCE", "phases"), str(len(dce.data))
    if delay is not None:
        yield ("T1_post", "after injection"), f"{round(delay.delay_s / 10) * 10:.0f} s"


def _parameters(series: Sequence[Series]) -> Iterator[tuple[str, str]]:
    first = series[0]
    yield "scanner", " ".join(part for part in (first.manufacturer, first.model) if part)
    yield "field strength (T)", _numbers([first.field_strength_t])
    for name, attribute in (
        ("TR (ms)", "tr_ms"),
        ("TE (ms)", "te_ms"),
        ("TI (ms)", "ti_ms"),
        ("flip angle (°)", "flip_angle_deg"),
    ):
        yield name, _numbers(np.concatenate([getattr(one, attribute) for one in series]))
    slices, rows, columns = first.data.shape[1:]
    across, down, apart = first.geometry.spacing
    yield "matrix", f"{columns} × {rows}"
    yield "slices", str(slices)
    yield "voxel in plane (mm)", f"{across:.4g} × {down:.4g}"
    yield "slice thickness (mm)", _numbers([first.slice_thickness_mm])
    yield "slice distance (mm)", f"{apart:.4g}"


def _numbers(values: Sequence[float] | np.ndarray) -> str:
    """The different ones, or from the first to the last and how many."""
    different = sorted({float(f"{value:.4g}") for value in values if math.isfinite(value)})
    if len(different) <= _FEW + 3 or len(set(np.diff(different).round(2))) > _FEW:
        return ", ".join(f"{value:g}" for value in different)
    return f"{different[0]:g} to {different[-1]:g} ({len(different)})"


def _table(facts: Sequence[dict[tuple[str, str], str]]) -> pd.DataFrame:
    keys = dict.fromkeys(key for exam in facts for key in exam)
    order = list(SEQUENCES)
    rows = []
    for sequence, parameter in sorted(keys, key=lambda key: order.index(key[0])):
        counts = Counter(exam[sequence, parameter] for exam in facts if (sequence, parameter) in exam)
        (value, exams), *others = counts.most_common()
        told = "; ".join(f"{other} ({n})" for other, n in others[:_FEW])
        told += f"; {len(others) - _FEW} more" if len(others) > _FEW else ""
        rows.append((sequence, parameter, value, exams, sum(counts.values()), told))
    return pd.DataFrame(rows, columns=list(COLUMNS))
