"""An exam's values as the Values panel and `her2map measure` save them, read back for a follow-up."""

import math
import os
from collections.abc import Mapping
from dataclasses import fields

from .biomarkers import MEASURED, Biomarkers
from .checked_csv import CheckedCsv, Row, read_checked_csv
from .errors import InputError
from .report.tables import ValueRow
from .score.case import MapValue, ScoreCase
from .score.exam_case import b1_relative_sd

LONGEST_MS = 1e5
UNTOLD = (
    "The saved values do not tell how they were acquired and fitted. They can be compared only if sequences, "
    "fits and the time after the injection were those of this exam."
)
EQUAL = "The earlier values are those of this exam, to the last digit: was it saved from this very exam?"
_B1 = "B1"
_KNOWN = tuple(field.name for field in fields(ValueRow))
_NAMES = {name.casefold(): name for name in (*(name for name, _ in Biomarkers()), _B1)}


def read_saved_case(path: str | os.PathLike[str], techniques: Mapping[str, str]) -> ScoreCase:
    """The measured values of a file with their standard errors; differences follow from them.

    Args:
        techniques: of the maps by biomarker, which the file does not tell.

    Raises:
        InputError: the file cannot be read, or is no table of values; every mistake with its line.
    """
    table = read_checked_csv(path, ("biomarker", "value"), _KNOWN, "table of values")
    found: dict[str, MapValue] = {}
    for row in table.rows:
        name = table.choice(row, "biomarker", _NAMES)
        if name is None:
            continue
        if name in found:
            table.mistake(row, "biomarker", f"{name} is there twice; keep one exam's values in a file.")
        found[name] = _value(table, row, name, techniques)
    table.raise_mistakes()
    if not any(math.isfinite(found[name].value) for name in MEASURED if name in found):
        raise InputError(f"{table.name} holds no value of {', '.join(MEASURED)}; save the values again.")
    b1 = found.get(_B1, MapValue())
    return ScoreCase(
        er_positive=None,
        maps={name: found[name] for name in MEASURED if name in found},
        b1_relative_sd=b1_relative_sd(b1.value, b1.standard_error),
    )


def saved_remarks(before: ScoreCase, after: ScoreCase) -> tuple[str, ...]:
    """What is to be known of a comparison with saved values, a sentence each."""
    if before.maps.keys() == after.maps.keys() and all(
        math.isclose(before.maps[name].value, after.maps[name].value, rel_tol=1e-9)
        for name in before.maps
        if math.isfinite(before.maps[name].value)
    ):
        return (EQUAL,)
    return (UNTOLD,)


def _value(table: CheckedCsv, row: Row, name: str, techniques: Mapping[str, str]) -> MapValue:
    in_ms = name in MEASURED
    unit = table.text(row, "unit")
    if in_ms and unit not in ("", "ms"):
        table.mistake(row, "unit", f"'{unit}' is not read; write ms.")
    value = table.number(row, "value", 0.0 if in_ms else -LONGEST_MS, LONGEST_MS)
    if in_ms and value == 0:
        table.mistake(row, "value", "a relaxation time is more than 0.")
    error = table.number(row, "standard_error", 0.0, LONGEST_MS)
    coverage = table.number(row, "coverage", 0.0, 1.0)
    return MapValue(
        value=math.nan if value is None else value,
        standard_error=math.nan if error is None else error,
        coverage=math.nan if coverage is None else coverage,
        technique=techniques.get(name, ""),
        reason=table.text(row, "reason") or ("" if value is not None else "not measured"),
    )
