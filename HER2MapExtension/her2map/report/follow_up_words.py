"""A follow-up in texts: for the terminal, the page, the module, and as CSV."""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import asdict, fields

from ..follow_up import Change, FollowUp, Verdict
from .style import STYLES
from .tables import aligned, percent, plain

HEADER = ("Biomarker", "Unit", "Before", "After", "Change", "in %", "Repeatability ±", "Verdict")


def cells(change: Change) -> tuple[str, ...]:
    """A row under `HEADER`."""
    decimals = STYLES[change.biomarker].decimals
    return (
        change.biomarker,
        change.unit,
        plain(change.before, decimals),
        plain(change.after, decimals),
        signed(change.change, decimals),
        percent(change.relative_change, 1, sign=True),
        plain(change.repeatability_coefficient, decimals),
        change.verdict.value,
    )


def signed(value: float, decimals: int) -> str:
    """With its sign; a dash where there is none."""
    if math.isnan(value):
        return "–"
    return f"{round(value, decimals) + 0.0:+.{decimals}f}"


def follow_up_text(found: FollowUp) -> str:
    """For a terminal."""
    lines = [HEADER, *(cells(change) for change in found.changes)]
    table = aligned([line[:-1] for line in lines]).splitlines()
    verdicts = [line[-1] for line in lines]
    text = [f"{row}  {verdict}".rstrip() for row, verdict in zip(table, verdicts, strict=True)]
    return "\n".join([*text, *reasons(found), *(f"Note: {remark}" for remark in found.remarks)])


def reasons(found: FollowUp) -> list[str]:
    """Why some verdicts cannot be told."""
    return [f"{one.biomarker}: {one.reason}." for one in found.changes if one.verdict is Verdict.UNKNOWN]


def changes_csv(changes: Iterable[Change]) -> str:
    """Full precision, a line a biomarker; an empty cell where there is no number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in fields(Change)])
    for change in changes:
        row = asdict(change) | {"verdict": change.verdict.value}
        writer.writerow(["" if value != value else value for value in row.values()])
    return buffer.getvalue()
