"""Tables of a study as texts, a header first and then the rows: for a terminal or a window."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..study.status import ReaderStatus
from .style import STYLES
from .tables import percent, plain


def reader_lines(readers: Sequence[ReaderStatus]) -> list[list[str]]:
    """How far each reader is; the time of the last reading is local."""
    lines = [["reader", "finished", "open", "skipped", "left", "of", "last reading"]]
    for one in readers:
        left = one.total - one.finished - one.open - one.skipped
        last = f"{one.last.astimezone():%Y-%m-%d %H:%M}" if one.last else "–"
        counts = map(str, (one.finished, one.open, one.skipped, left, one.total))
        lines.append([one.reader, *counts, last])
    return lines


def skip_lines(readers: Sequence[ReaderStatus]) -> list[list[str]]:
    """What was skipped, and why."""
    lines = [["reader", "case", "repeat", "why"]]
    for one in readers:
        for slot, reason in one.skips:
            lines.append([one.reader, slot.case, str(slot.repeat), " ".join(reason.split())])
    return lines


def spread_lines(spread: pd.DataFrame) -> list[list[str]]:
    """Repeats that differ; `spread` as of :class:`~her2map.study.aggregate.Aggregate`."""
    lines = [["case", "reader", "biomarker", "lowest", "highest", "difference"]]
    for row in spread.itertuples():
        numbers = [f"{row.lowest:.1f}", f"{row.highest:.1f}", percent(row.spread, 0)]
        lines.append([row.case, row.reader, row.biomarker, *numbers])
    return lines


def repeatability_lines(frame: pd.DataFrame) -> list[list[str]]:
    """Of :class:`~her2map.study.agreement.StudyAgreement`, as all that follow; 95 % intervals in brackets."""
    lines = [["biomarker", "compared", "cases", "mean", "within SD", "wCV", "repeatability coefficient"]]
    for row in frame.to_dict("records"):
        digits = STYLES[row["biomarker"]].decimals + 1
        cv = [percent(row[f"within_cv{end}"], 1) for end in ("", "_low", "_high")]
        lines.append(
            [
                _named(row), row["compared"], str(row["cases"]), plain(row["mean"], digits),
                _with_interval(row, "within_sd", digits), _bracketed(*cv),
                _with_interval(row, "repeatability_coefficient", digits),
            ]
        )  # fmt: skip
    return lines


def icc_lines(frame: pd.DataFrame) -> list[list[str]]:
    """With what there is to remark in the last column.

    Where a comparison has no figures, as before its readings are finished, all biomarkers of which the same
    is to be said have one line.
    """
    lines = [["biomarker", "compared", "ICC", "cases", "value", "remark"]]
    everything = frame["biomarker"].nunique()
    for rows in _alike(frame):
        names, kinds = ({row[key]: None for row in rows} for key in ("biomarker", "icc"))
        named = "all" if 1 < len(names) == everything else ", ".join(names)
        kind = ", ".join(name.removeprefix("ICC") for name in kinds)
        row = rows[0]
        value = _bracketed(*(plain(row[key], 3) for key in ("value", "low", "high")))
        lines.append([named, row["compared"], kind, str(row["cases"]), value, row["remark"]])
    return lines


def _alike(frame: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """The rows; those without a value together where they differ in nothing but the biomarker and the ICC."""

    def said(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["compared"], row["cases"], row["remark"]

    rows = [(number, row) for number, row in enumerate(frame.to_dict("records"))]
    lacking = [row for _, row in rows if math.isnan(row["value"])]
    kinds: dict[tuple[Any, ...], tuple[str, ...]] = {}  # which of the two ICCs a biomarker lacks
    for row in lacking:
        key = (*said(row), row["biomarker"])
        kinds[key] = (*kinds.get(key, ()), row["icc"])
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for number, row in rows:
        alone = (number,)
        together = (*said(row), kinds.get((*said(row), row["biomarker"])))
        groups.setdefault(together if math.isnan(row["value"]) else alone, []).append(row)
    return list(groups.values())


def bland_altman_lines(frame: pd.DataFrame) -> list[list[str]]:
    """Bias and limits of agreement."""
    lines = [["biomarker", "compared", "cases", "bias", "lower limit", "upper limit"]]
    for row in frame.to_dict("records"):
        digits = STYLES[row["biomarker"]].decimals + 1
        limits = [_with_interval(row, key, digits) for key in ("bias", "lower", "upper")]
        lines.append([_named(row), row["compared"], str(row["cases"]), *limits])
    return lines


def overlap_lines(frame: pd.DataFrame) -> list[list[str]]:
    """Medians, with quartiles in brackets."""
    lines = [["compared", "cases", "pairs", "Dice", "distance / mm", "other slice"]]
    for row in frame.to_dict("records"):
        dice = _bracketed(*(plain(row[f"dice{end}"], 3) for end in ("", "_q1", "_q3")))
        distance = _bracketed(*(plain(row[f"distance_mm{end}"], 2) for end in ("", "_q1", "_q3")))
        counts = [str(row[key]) for key in ("cases", "comparisons")]
        lines.append([row["compared"], *counts, dice, distance, str(row["other_slice"])])
    return lines


def _named(row: dict[str, Any]) -> str:
    return row["biomarker"] if row["unit"] == "1" else f"{row['biomarker']} / {row['unit']}"


def _with_interval(row: dict[str, Any], name: str, digits: int) -> str:
    return _bracketed(*(plain(row[f"{name}{end}"], digits) for end in ("", "_low", "_high")))


def _bracketed(value: str, low: str, high: str) -> str:
    return f"{value} ({low} to {high})" if value != "–" else value
