"""Tables of one exam: its series, and a ROI's values; as records, text or CSV."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial

from ..exam import ExamValues
from ..roi import RoiValue
from ..series import Assignment, Role
from .style import STYLES


@dataclass(frozen=True)
class ValueRow:
    """One biomarker of one ROI. Numbers are in `unit`; NaN where there is none, with the reason.

    Attributes:
        coverage: the part of the ROI with a usable value; of a difference, the smaller of its parts'.
        excluded_by_snr: the part of the ROI that the SNR rule left out.
    """

    biomarker: str
    unit: str
    value: float
    standard_error: float
    median: float
    sd: float
    effective_voxels: float
    coverage: float
    excluded_by_snr: float
    reason: str


def value_rows(exam_values: ExamValues) -> list[ValueRow]:
    """The four relaxation times and their differences, then B1; what was not measured says so."""
    rows = []
    for name, quantity in exam_values.biomarkers:
        found = exam_values.values.get(name)
        if found is not None:
            rows.append(_measured_row(name, quantity.unit, found))
        else:
            coverages = [v.coverage for k, v in exam_values.values.items() if k.startswith("T1_")]
            coverage = min(coverages) if quantity.known else math.nan
            rows.append(
                ValueRow(
                    name, quantity.unit, quantity.value, quantity.standard_error,
                    math.nan, math.nan, math.nan, coverage, math.nan, quantity.reason,
                )
            )  # fmt: skip
    if "B1" in exam_values.values:
        rows.append(_measured_row("B1", "1", exam_values.values["B1"]))
    return rows


def _measured_row(name: str, unit: str, found: RoiValue) -> ValueRow:
    return ValueRow(
        name, unit, found.value, found.standard_error, found.median, found.sd,
        found.effective_voxels, found.coverage, found.excluded_by_snr, found.reason,
    )  # fmt: skip


def values_csv(rows: Iterable[ValueRow]) -> str:
    """Full precision, one line a biomarker; an empty cell where there is no number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in fields(ValueRow)])
    for row in rows:
        writer.writerow(["" if value != value else value for value in asdict(row).values()])
    return buffer.getvalue()


def values_text(rows: Iterable[ValueRow], truth: dict[str, float] | None = None) -> str:
    """For a terminal, beside the true values where they are known."""
    header = ["biomarker", "unit", "value", "SE", "median", "SD", "voxels", "coverage"]
    if truth:
        header[3:3] = ["truth", "difference"]
    lines = [header]
    for row in rows:
        number = partial(plain, decimals=STYLES[row.biomarker].decimals)
        if math.isnan(row.value):
            lines.append([row.biomarker, row.unit, f"no value: {row.reason}"])
            continue
        cells = [
            row.biomarker, row.unit, number(row.value), number(row.standard_error), number(row.median),
            number(row.sd), plain(row.effective_voxels, 0), percent(row.coverage, 0),
        ]  # fmt: skip
        if truth:
            true = truth.get(row.biomarker, math.nan)
            cells[3:3] = [number(true), percent(row.value / true - 1, 1, sign=True)]
        lines.append(cells)
    return aligned(lines)


def series_text(assignments: Sequence[Assignment]) -> str:
    """What each series was taken for, and why."""
    lines = [["key", "series", "taken for", "why"]]
    for a in assignments:
        lines.append([a.key, a.series.description, role_words(a), reason_words(a)])
    return aligned(lines, right_from=99)


def role_words(assignment: Assignment) -> str:
    """Role and technique."""
    if assignment.role is Role.NONE:
        return "not used"
    return f"{assignment.role.value} ({assignment.technique.value.replace('_', ' ')})"


def reason_words(assignment: Assignment) -> str:
    """The reason, and what is missing or was left out."""
    return "; ".join([assignment.reason, *assignment.missing, *assignment.series.problems])


def aligned(lines: Sequence[Sequence[str]], right_from: int = 2) -> str:
    """Columns two spaces apart, from `right_from` on flush right; a short line's last cell may run over."""
    n_columns = len(lines[0])
    widths = [max(len(line[i]) for line in lines if len(line) == n_columns) for i in range(n_columns)]
    text = []
    for line in lines:
        cells = [
            cell.rjust(width) if i >= right_from and len(line) == n_columns else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=False))
        ]
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def plain(value: float, decimals: int) -> str:
    """A number for print; a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"


def percent(fraction: float, decimals: int, sign: bool = False) -> str:
    """A fraction as a percentage; a dash where there is none."""
    if math.isnan(fraction):
        return "–"
    rounded = round(100 * fraction, decimals) + 0.0  # never "-0"
    return f"{rounded:{'+' if sign else ''}.{decimals}f} %"
