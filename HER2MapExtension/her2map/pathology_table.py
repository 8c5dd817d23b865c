"""The pathology table of a study: a CSV that the coordinator keeps apart from the readings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .checked_csv import CheckedCsv, Row, read_checked_csv
from .pathology import (
    Assessment,
    Group,
    Ish,
    Preset,
    Receptor,
    Tissue,
    assess,
    er_status,
    guideline_her2,
    paper_her2,
    pr_status,
)

GROUPS = {group.value: group for group in Group}
SCORES = {"0": 0, "1+": 1, "2+": 2, "3+": 3, "1": 1, "2": 2, "3": 3, "0+": 0}
RECEPTORS = {"positive": Receptor.POSITIVE, "negative": Receptor.NEGATIVE}
MENOPAUSE = {"pre": "pre", "post": "post"}
NUMBERS = {
    "her2_ish_ratio": (0.0, 50.0),
    "her2_copies": (0.0, 100.0),
    "her2_recount_ratio": (0.0, 50.0),
    "her2_recount_copies": (0.0, 100.0),
    "er_percent": (0.0, 100.0),
    "pr_percent": (0.0, 100.0),
    "ki67_percent": (0.0, 100.0),
    "age": (0.0, 120.0),
}
"""Columns of numbers with what can be true: a ratio or copy number beyond it is a slip of the pen."""
COLUMNS = (
    "case", "her2_status", "her2_ihc", "her2_ish_ratio", "her2_copies", "her2_recount_ratio",
    "her2_recount_copies", "er_status", "er_percent", "pr_status", "pr_percent", "ki67_percent", "age",
    "menopause",
)  # fmt: skip
_SHORT = {
    "her2": "her2_status or her2_ihc", "ihc": "her2_ihc", "ish": "her2_ish_ratio and her2_copies",
    "fish": "her2_ish_ratio and her2_copies", "er": "er_status or er_percent",
    "pr": "pr_status or pr_percent", "pgr": "pr_status or pr_percent", "ki67": "ki67_percent",
    "ki-67": "ki67_percent",
}  # fmt: skip


@dataclass(frozen=True)
class PathologyCase:
    """One line of the table.

    Attributes:
        line: in the file, from 1.
        age: in years; None where it is not given.
        menopause: "pre", "post" or "".
        further: the cells of the columns that mean nothing here, by the file's names.
    """

    case: str
    line: int
    tissue: Tissue
    age: float | None
    menopause: str
    further: Mapping[str, str]


@dataclass(frozen=True)
class PathologyTable:
    """The whole table; `further`: its columns beyond :data:`COLUMNS`."""

    name: str
    cases: tuple[PathologyCase, ...]
    further: tuple[str, ...]


def read_pathology(path: str | os.PathLike[str]) -> PathologyTable:
    """Read the table. Columns: see :data:`COLUMNS`; `case` must be there, the rest as far as it is known.

    `her2_status` is zero, low or positive; or `her2_ihc` is 0, 1+, 2+ or 3+ with `her2_ish_ratio`
    (HER2/CEP17) and `her2_copies` (HER2 signals a cell), and those of the blinded recount. `er_status` and
    `pr_status` are positive or negative, percentages 0 to 100, `menopause` pre or post. An empty cell is not
    known.

    Raises:
        InputError: as :func:`~her2map.checked_csv.read_checked_csv`, or a line for every cell that is wrong
            or contradicts another.
    """
    table = read_checked_csv(path, ("case",), COLUMNS, "pathology table")
    for column in table.columns:
        if column.casefold() in _SHORT:
            text = f"is not known; write {_SHORT[column.casefold()]}."
            table.mistakes.append((1, f"{table.name}: the column '{column}' {text}"))
    if not {"her2_status", "her2_ihc"} & set(table.columns):
        table.mistakes.append((1, f"{table.name}: there is neither her2_status nor her2_ihc; add one."))
    further = tuple(column for column in table.columns if column not in COLUMNS)
    seen: dict[str, int] = {}
    cases = tuple(_case(table, row, further, seen) for row in table.rows)
    table.raise_mistakes()
    return PathologyTable(table.name, cases, further)


def _case(table: CheckedCsv, row: Row, further: tuple[str, ...], seen: dict[str, int]) -> PathologyCase:
    numbers = {column: table.number(row, column, *limits) for column, limits in NUMBERS.items()}
    tissue = Tissue(
        her2_stated=table.choice(row, "her2_status", GROUPS),
        her2_ihc=table.choice(row, "her2_ihc", SCORES),
        ish=Ish(numbers["her2_ish_ratio"], numbers["her2_copies"]),
        recount=Ish(numbers["her2_recount_ratio"], numbers["her2_recount_copies"]),
        er_stated=table.choice(row, "er_status", RECEPTORS),
        er_percent=numbers["er_percent"],
        pr_stated=table.choice(row, "pr_status", RECEPTORS),
        pr_percent=numbers["pr_percent"],
        ki67_percent=numbers["ki67_percent"],
    )
    _check_contradictions(table, row, tissue)
    return PathologyCase(
        case=table.case(row, seen),
        line=row.line,
        tissue=tissue,
        age=numbers["age"],
        menopause=table.choice(row, "menopause", MENOPAUSE) or "",
        further={column: row.cells[column] for column in further},
    )


def _check_contradictions(table: CheckedCsv, row: Row, tissue: Tissue) -> None:
    if tissue.recount.given and not tissue.ish.given:
        table.mistake(row, "her2_recount_ratio", "there is a recount without a first count; give both.")
    rules = [rule(tissue.her2_ihc, tissue.ish, tissue.recount) for rule in (paper_her2, guideline_her2)]
    measured = {her2.group for her2 in rules if her2.group}
    settled = all(her2.group for her2 in rules)  # else someone may have settled it since
    if tissue.her2_stated and settled and tissue.her2_stated not in measured:
        give = " or ".join(sorted(group.value for group in measured))
        said = f"{tissue.her2_stated.value}, but the measurements give {give}; correct one of them."
        table.mistake(row, "her2_status", said)
    for name, stated, percent, rule in (
        ("er", tissue.er_stated, tissue.er_percent, er_status),
        ("pr", tissue.pr_stated, tissue.pr_percent, pr_status),
    ):
        if stated and percent is not None and stated.positive is not rule(percent).positive:
            said = f"{stated.value}, but {name}_percent is {percent:g} (positive from 1)"
            table.mistake(row, f"{name}_status", f"{said}; correct one of them.")


def assess_table(table: PathologyTable, preset: Preset) -> dict[str, Assessment]:
    """Every case under one preset, by its code, in the table's order."""
    return {case.case: assess(case.tissue, preset) for case in table.cases}


def pathology_records(table: PathologyTable, preset: Preset) -> list[dict[str, object]]:
    """A record a case, with the same keys for all: a table of status, receptors, Ki-67 and subtype.

    Text is "" and a number NaN where nothing is known. `her2_group` is zero, low, positive or "" where it is
    not settled, `her2` the group or what is lacking, `her2_reason` why; `er`, `pr`, `ki67` (high, low) and
    `subtype` are in words; then age, menopause, the further columns, and `pathology_preset`.
    """
    assessed = assess_table(table, preset)
    return [_record(case, assessed[case.case], preset) for case in table.cases]


def _record(case: PathologyCase, found: Assessment, preset: Preset) -> dict[str, object]:
    tissue, nan = case.tissue, float("nan")
    return {
        "case": case.case,
        "her2": found.her2.state,
        "her2_group": found.her2.group.value if found.her2.group else "",
        "her2_reason": found.her2.reason,
        "her2_ish_group": "" if found.her2.ish_group is None else str(found.her2.ish_group),
        "er": found.er.value if found.er else "",
        "er_percent": nan if tissue.er_percent is None else tissue.er_percent,
        "pr": found.pr.value if found.pr else "",
        "pr_percent": nan if tissue.pr_percent is None else tissue.pr_percent,
        "ki67": {True: "high", False: "low", None: ""}[found.ki67_high],
        "ki67_percent": nan if tissue.ki67_percent is None else tissue.ki67_percent,
        "subtype": found.subtype.value if found.subtype else "",
        "age": nan if case.age is None else case.age,
        "menopause": case.menopause,
        **case.further,
        "pathology_preset": preset.name,
    }
