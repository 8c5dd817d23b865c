"""How well the readings of a study agree: within a reader, between readers, in value and in contour."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ..biomarkers import Biomarkers
from ..roi.overlap import StoredPrism, overlaps
from ..statistics import BlandAltman, Estimate, bland_altman, icc, repeatability
from ..statistics.agreement import BLAND_ALTMAN, ICC_AGREEMENT, ICC_CONSISTENCY, REPEATABILITY
from .aggregate import Aggregate, aggregate
from .protocol import Protocol
from .readings import FINISHED, Reading

UNITS = {name: quantity.unit for name, quantity in Biomarkers()}
CONTOUR = "contour"
"""In place of a biomarker, of what is left out of the overlap."""
OVERLAP = (
    "Dice: twice the shared volume over the sum of the volumes; distance: mean over both outlines, in the "
    "plane; median and quartiles (by linear interpolation) over all comparisons of two readings of one case"
)
CONVENTIONS = (ICC_AGREEMENT, ICC_CONSISTENCY, REPEATABILITY, BLAND_ALTMAN, OVERLAP)
ANOTHER_SLICE_MM = 0.1
"""Contours whose planes lie further apart were drawn on different slices."""
_NEGATIVE = "Negative: the cases differ less than the readings of one case."


@dataclass(frozen=True, eq=False)
class StudyAgreement:
    """The agreement of a study's readings. Every figure tells how many cases entered; none is filled in.

    `compared` says what was compared: "repeats of R1", "repeats of all readers" (pooled), "readers" (the
    medians of their repeats), or "R1 and R2". Columns in _low and _high are 95 % intervals; `left_out` counts
    the cases that lack a reading or value; `remark` says why a figure is missing.

    Attributes:
        repeatability: a row a biomarker and reader, then all readers pooled: compared, biomarker, unit,
            cases (pooled: of each reader), repeats, left_out, mean, within_sd, within_cv (a fraction),
            repeatability_coefficient, remark.
        icc: two rows a biomarker and comparison: compared, biomarker, icc ("ICC(2,1)", "ICC(3,1)"), cases,
            readings (of a case), left_out, value, low, high, F, df1, df2, p, remark.
        bland_altman: a row a biomarker and pair of readers: compared, first, second, biomarker, unit, cases,
            left_out, bias, sd, lower, upper, slope, slope_p, remark.
        differences: a row a biomarker, pair and case: compared, biomarker, unit, case, mean, difference.
        overlap: a row a reader and pair of readers: compared, cases, comparisons, left_out, other_slice (on
            different slices), without (tilted planes and the like), dice, dice_q1, dice_q3, distance_mm,
            distance_mm_q1, distance_mm_q3.
        overlaps: a row a comparison of two contours: compared, case, first, first_repeat, second,
            second_repeat, and the fields of :class:`~her2map.roi.overlap.Overlap`.
        left_out: a row a case that is left out somewhere: compared, biomarker (or "contour"), case.
        incomplete: every case that not all readers have finished, with what is lacking, a sentence each.
        conventions: definitions, in words.
    """

    repeatability: pd.DataFrame
    icc: pd.DataFrame
    bland_altman: pd.DataFrame
    differences: pd.DataFrame
    overlap: pd.DataFrame
    overlaps: pd.DataFrame
    left_out: pd.DataFrame
    incomplete: tuple[str, ...]
    conventions: tuple[str, ...] = CONVENTIONS


Tables = dict[tuple[str, str], pd.DataFrame]
"""By what is compared and biomarker: (cases, readings); all cases of the protocol, NaN without a value."""


def agreement(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> StudyAgreement:
    """The agreement of a study from its readings.

    A case enters a figure with all the readings that the figure compares, or not at all.

    Args:
        readings: by reader, of :func:`~her2map.study.readings.read_readings`.
    """
    contours = _frame(_contour_rows(protocol, readings), _OVERLAPS)
    values = value_agreement(protocol, aggregate(protocol, readings))
    without = _frame(_contours_left_out(protocol, contours), _LEFT_OUT)
    return replace(
        values,
        overlap=_frame(_overlap_rows(protocol, contours), _OVERLAP),
        overlaps=contours,
        left_out=pd.concat([values.left_out, without], ignore_index=True),
    )


def value_agreement(protocol: Protocol, values: Aggregate) -> StudyAgreement:
    """The agreement of values alone, as a table of them gives it: without the overlap of the contours.

    Args:
        protocol: of which cases, readers and repeats are used.
    """
    repeats, medians = _repeats(protocol, values), _medians(protocol, values)
    readers = {("readers", name): table for name, table in medians.items() if len(protocol.readers) > 1}
    pairs = {
        (_both(*pair), name): table[list(pair)]
        for pair in combinations(protocol.readers, 2)
        for name, table in medians.items()
    }
    compared = {key: bland_altman(*(table[reader] for reader in table)) for key, table in pairs.items()}
    return StudyAgreement(
        repeatability=_frame(_repeatability_rows(repeats | _pooled(protocol, repeats)), _REPEATABILITY),
        icc=_frame(_icc_rows(repeats | readers), _ICC),
        bland_altman=_frame(_bland_altman_rows(pairs, compared), _BLAND_ALTMAN),
        differences=_frame(_difference_rows(compared), _DIFFERENCES),
        overlap=_frame((), _OVERLAP),
        overlaps=_frame((), _OVERLAPS),
        left_out=_frame(_left_out_rows(repeats | readers | pairs), _LEFT_OUT),
        incomplete=values.incomplete,
    )


def _own(reader: str) -> str:
    return f"repeats of {reader}"


def _both(first: str, second: str) -> str:
    return f"{first} and {second}"


def _repeats(protocol: Protocol, values: Aggregate) -> Tables:
    codes, repeats = list(protocol.codes), range(1, protocol.repeats + 1)
    found = {}
    for reader in protocol.readers:
        own = values.readings[values.readings["reader"] == reader]
        for name in UNITS:
            wide = own.pivot(index="case", columns="repeat", values=name)
            found[_own(reader), name] = wide.reindex(index=codes, columns=repeats)
    return found


def _medians(protocol: Protocol, values: Aggregate) -> dict[str, pd.DataFrame]:
    """By biomarker, (cases, readers)."""
    codes, readers = list(protocol.codes), list(protocol.readers)
    wide = {name: values.by_reader.pivot(index="case", columns="reader", values=name) for name in UNITS}
    return {name: table.reindex(index=codes, columns=readers) for name, table in wide.items()}


def _pooled(protocol: Protocol, repeats: Tables) -> Tables:
    """The readers' tables stacked, for one biomarker each."""
    if len(protocol.readers) < 2:
        return {}
    stacks = {name: {reader: repeats[_own(reader), name] for reader in protocol.readers} for name in UNITS}
    return {("repeats of all readers", name): pd.concat(stack) for name, stack in stacks.items()}


_REPEATABILITY = (
    "compared", "biomarker", "unit", "cases", "repeats", "left_out", "mean",
    "within_sd", "within_sd_low", "within_sd_high", "within_cv", "within_cv_low", "within_cv_high",
    "repeatability_coefficient", "repeatability_coefficient_low", "repeatability_coefficient_high", "remark",
)  # fmt: skip


def _repeatability_rows(tables: Tables) -> Iterator[dict[str, Any]]:
    for (compared, name), table in tables.items():
        found = repeatability(table)
        yield {
            "compared": compared,
            "biomarker": name,
            "unit": UNITS[name],
            "cases": found.n,
            "repeats": found.k,
            "left_out": len(found.left_out),
            "mean": found.mean,
            **_interval("within_sd", found.within_sd),
            **_interval("within_cv", found.within_cv),
            **_interval("repeatability_coefficient", found.repeatability_coefficient),
            "remark": found.within_sd.reason or found.within_cv.reason,
        }


_ICC = (
    "compared", "biomarker", "icc", "cases", "readings", "left_out",
    "value", "low", "high", "F", "df1", "df2", "p", "remark",
)  # fmt: skip


def _icc_rows(tables: Tables) -> Iterator[dict[str, Any]]:
    for (compared, name), table in tables.items():
        for found in icc(table):
            remark = found.reason or (_NEGATIVE if found.value < 0 else "")
            yield {
                "compared": compared,
                "biomarker": name,
                "icc": found.convention.partition(":")[0],
                "cases": found.n,
                "readings": found.k,
                "left_out": len(found.left_out),
                "remark": remark,
                **{key: getattr(found, key) for key in ("value", "low", "high", "F", "df1", "df2", "p")},
            }


_BLAND_ALTMAN = (
    "compared", "first", "second", "biomarker", "unit", "cases", "left_out", "bias", "bias_low", "bias_high",
    "sd", "lower", "lower_low", "lower_high", "upper", "upper_low", "upper_high",
    "slope", "slope_low", "slope_high", "slope_p", "remark",
)  # fmt: skip


def _bland_altman_rows(
    tables: Tables, compared: Mapping[tuple[str, str], BlandAltman]
) -> Iterator[dict[str, Any]]:
    for (pair, name), found in compared.items():
        first, second = tables[pair, name]
        yield {
            "compared": pair,
            "first": first,
            "second": second,
            "biomarker": name,
            "unit": UNITS[name],
            "cases": found.n,
            "left_out": len(found.left_out),
            **_interval("bias", found.bias),
            "sd": found.sd,
            **_interval("lower", found.lower),
            **_interval("upper", found.upper),
            **_interval("slope", found.slope),
            "slope_p": found.slope_p,
            "remark": found.lower.reason or found.slope.reason,
        }


_DIFFERENCES = ("compared", "biomarker", "unit", "case", "mean", "difference")


def _difference_rows(compared: Mapping[tuple[str, str], BlandAltman]) -> Iterator[tuple[Any, ...]]:
    for (pair, name), found in compared.items():
        for row in zip(found.cases, found.mean, found.difference, strict=True):
            yield (pair, name, UNITS[name], *row)


_OVERLAPS = (
    "compared", "case", "first", "first_repeat", "second", "second_repeat",
    "dice", "mean_surface_distance_mm", "apart_mm", "reason",
)  # fmt: skip


def _contour_rows(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> Iterator[tuple[Any, ...]]:
    """Every two contours of a case, of the readers who have finished all its repeats."""
    finished = {
        (one.case, one.reader, one.repeat): one
        for reader in protocol.readers
        for one in readings[reader]
        if one.state == FINISHED
    }
    repeats = range(1, protocol.repeats + 1)
    for code in protocol.codes:
        rows = [[(code, reader, repeat) for repeat in repeats] for reader in protocol.readers]
        keys = [key for row in rows if all(key in finished for key in row) for key in row]
        found = overlaps([_prism(finished[key].result) for key in keys])
        for ((_, first, i), (_, second, j)), figures in zip(combinations(keys, 2), found, strict=True):
            compared = _own(first) if first == second else _both(first, second)
            yield (compared, code, first, i, second, j, *astuple(figures))


def _prism(result: Mapping[str, Any]) -> StoredPrism:
    roi = result["roi"]
    holes = tuple(np.array(hole, float) for hole in roi["holes"])
    return StoredPrism(np.array(roi["outline"], float), roi["thickness_mm"], holes)


_OVERLAP = (
    "compared", "cases", "left_out", "comparisons", "other_slice", "without",
    "dice", "dice_q1", "dice_q3", "distance_mm", "distance_mm_q1", "distance_mm_q3",
)  # fmt: skip


def _overlap_rows(protocol: Protocol, contours: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for compared in _contour_comparisons(protocol):
        part = contours[contours["compared"] == compared]
        cases = part["case"].nunique()
        yield {
            "compared": compared,
            "cases": cases,
            "left_out": len(protocol.codes) - cases,
            "comparisons": len(part),
            "other_slice": int((part["apart_mm"] > ANOTHER_SLICE_MM).sum()),
            "without": int((part["reason"] != "").sum()),
            **_quartiles("dice", part["dice"]),
            **_quartiles("distance_mm", part["mean_surface_distance_mm"]),
        }


def _contour_comparisons(protocol: Protocol) -> list[str]:
    """What can be compared: with one repeat, no reader with himself."""
    own = [_own(reader) for reader in protocol.readers if protocol.repeats > 1]
    return own + [_both(*pair) for pair in combinations(protocol.readers, 2)]


_LEFT_OUT = ("compared", "biomarker", "case")


def _left_out_rows(tables: Tables) -> Iterator[tuple[str, str, Hashable]]:
    for (compared, name), table in tables.items():
        for case in table.index[table.isna().any(axis=1)]:
            yield compared, name, case


def _contours_left_out(protocol: Protocol, contours: pd.DataFrame) -> Iterator[tuple[str, str, Hashable]]:
    for compared in _contour_comparisons(protocol):
        there = set(contours.loc[contours["compared"] == compared, "case"])
        yield from ((compared, CONTOUR, code) for code in protocol.codes if code not in there)


def _frame(rows: Iterable[Any], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _interval(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _quartiles(name: str, values: pd.Series) -> dict[str, float]:
    low, middle, high = values.astype(float).quantile([0.25, 0.5, 0.75])
    return {name: middle, f"{name}_q1": low, f"{name}_q3": high}
