"""The biomarkers of every case, from a study's readings or from a table."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..biomarkers import MEASURED, from_values
from ..checked_csv import CheckedCsv, Row, read_checked_csv
from ..errors import InputError
from ..study.aggregate import aggregate
from ..study.protocol import FILE, Protocol, read_protocol
from ..study.readings import Reading, read_readings
from .variables import BIOMARKERS

LIMITS = {
    "T1_pre": (10.0, 20_000.0),
    "T1_post": (10.0, 20_000.0),
    "T2": (1.0, 5_000.0),
    "T2star": (0.5, 5_000.0),
}
"""What a relaxation time in ms can be."""
COLUMNS = ("case", *MEASURED, "complete", "lacking")
_OF_A_READER = re.compile(rf"({'|'.join(MEASURED)})\.([^.]+)(?:\.(\d+))?", re.IGNORECASE)
_DIFFERENCES = {"delta_T1": 1.0, "delta_T1_ratio": 0.001}
"""How far a difference that the table gives may lie from that which follows from its times: rounding."""
_SHORT = {
    "t1": "T1_pre or T1_post", "t1pre": "T1_pre", "t1_native": "T1_pre", "t1post": "T1_post",
    "t2*": "T2star", "t2s": "T2star", "t2_star": "T2star",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Values:
    """The biomarkers of every case; a missing one is NaN, never filled in.

    Attributes:
        name: of the study or the file.
        by_case: a row a case, the index its code: the six biomarkers.
        by_reader: case, reader and the six: a reader's value of the case. Empty where readers are not known.
        readings: case, reader, repeat and the six. Empty where single readings are not known.
        incomplete: cases without values, with what is lacking.
        protocol: of a study; None for a table.
        study_readings: of a study, by reader; empty for a table.
    """

    name: str
    by_case: pd.DataFrame
    by_reader: pd.DataFrame
    readings: pd.DataFrame
    incomplete: tuple[tuple[str, str], ...] = ()
    protocol: Protocol | None = None
    study_readings: dict[str, tuple[Reading, ...]] | None = None


def read_values(path: str | os.PathLike[str]) -> Values:
    """The values of a study's folder, or of a CSV with a row a case.

    The columns of the CSV are case, T1_pre, T1_post, T2, T2star in ms, as far as they were measured; delta_T1
    and its ratio are derived. `wide.csv` of `her2map study export` has also those of each reader
    (`T1_pre.<reader>`) and of each reading (`T1_pre.<reader>.<repeat>`), which are used; further columns are
    left alone.

    Raises:
        InputError: it cannot be read, or has mistakes: a line each.
    """
    place = Path(path)
    return _of_study(place) if place.is_dir() else _of_table(place)


def _of_study(folder: Path) -> Values:
    protocol = read_protocol(folder)
    readings = read_readings(protocol)
    found = aggregate(protocol, readings)
    if found.by_case.empty:
        raise InputError(
            f"No case of the study in {folder} has been finished by all readers; `her2map study status` "
            "tells who lacks what."
        )
    lacking = (sentence.removeprefix("case ").split(": ", 1) for sentence in found.incomplete)
    return Values(
        name=protocol.title,
        by_case=found.by_case.set_index("case"),
        by_reader=found.by_reader,
        readings=found.readings,
        incomplete=tuple((code, why) for code, why in lacking),
        protocol=protocol,
        study_readings=readings,
    )


def _of_table(path: Path) -> Values:
    if path.name == FILE:
        raise InputError(f"{path} is a study's protocol; name its folder, {path.parent}.")
    table = read_checked_csv(path, ("case",), COLUMNS, "table of values")
    _check_headings(table)
    own = [name for name in MEASURED if name in table.columns]
    for name in own:
        _check_unit(table, name, name)
    table.raise_mistakes()
    seen: dict[str, int] = {}
    rows = {
        table.case(row, seen): {name: _time(table, row, name, name) for name in own} for row in table.rows
    }
    by_case = with_differences(
        pd.DataFrame(rows.values(), index=pd.Index(rows, name="case"), columns=list(MEASURED))
    )
    for row, code in zip(table.rows, rows, strict=False):
        _check_differences(table, row, by_case.loc[code])
    by_reader, readings = _readers(table)
    table.raise_mistakes()
    incomplete = tuple(
        (row.cells["case"], table.text(row, "lacking") or "not complete")
        for row in table.rows
        if table.text(row, "complete").casefold() == "no"
    )
    left = {code for code, _ in incomplete}
    return Values(
        path.stem,
        by_case[~by_case.index.isin(left)],
        _without(by_reader, left),
        _without(readings, left),
        incomplete,
    )


def _without(frame: pd.DataFrame, codes: Iterable[str]) -> pd.DataFrame:
    return frame[~frame["case"].isin(set(codes))].reset_index(drop=True)


def _check_headings(table: CheckedCsv) -> None:
    for column in table.columns:
        plain = column.casefold().replace(" ", "_")
        if plain in _SHORT and column not in MEASURED:
            text = f"the column '{column}' is not known; write {_SHORT[plain]}."
            table.mistakes.append((1, f"{table.name}: {text}"))
    if not table.mistakes and not set(MEASURED) & set(table.columns):
        named = ", ".join(MEASURED)
        table.mistakes.append(
            (1, f"{table.name}: there is no column of values; add at least one of {named}, in ms.")
        )
    table.raise_mistakes()


def _check_unit(table: CheckedCsv, column: str, name: str) -> None:
    """A column of seconds is one mistake, not one a line."""
    numbers = [_plain_number(table.text(row, column)) for row in table.rows]
    given = [number for number in numbers if number > 0]
    if given and np.median(given) < LIMITS[name][0]:
        said = f"the values (median {np.median(given):.3g}) look like seconds; write milliseconds."
        table.mistakes.append((1, f"{table.name}, {column}: {said}"))


def _plain_number(cell: str) -> float:
    try:
        return float(cell.replace(",", ".", 1))
    except ValueError:
        return float("nan")


def _time(table: CheckedCsv, row: Row, column: str, name: str) -> float:
    value = table.number(row, column, *LIMITS[name])
    return float("nan") if value is None else value


def _check_differences(table: CheckedCsv, row: Row, derived: pd.Series) -> None:
    for name, rounding in _DIFFERENCES.items():
        given = _plain_number(table.text(row, name))
        if abs(given - derived[name]) > rounding:
            text = (
                f"{given:g}, but T1_pre and T1_post give {derived[name]:.6g}; correct one, or leave it out."
            )
            table.mistake(row, name, text)


def _readers(table: CheckedCsv) -> tuple[pd.DataFrame, pd.DataFrame]:
    """by_reader and readings, of the columns that `her2map study export` writes."""
    found = [(column, match) for column in table.columns if (match := _OF_A_READER.fullmatch(column))]
    cells: dict[tuple[str, ...], dict[str, float]] = {}
    for column, match in found:
        name = next(one for one in MEASURED if one.casefold() == match[1].casefold())
        _check_unit(table, column, name)
        for row in table.rows:
            key: tuple[str, ...] = (row.cells["case"], match[2], *([match[3]] if match[3] else []))
            cells.setdefault(key, {})[name] = _time(table, row, column, name)
    single = _keyed(cells, ("case", "reader", "repeat"))
    return _keyed(cells, ("case", "reader")), single.astype({"repeat": int})


def _keyed(cells: dict[tuple[str, ...], dict[str, float]], keys: tuple[str, ...]) -> pd.DataFrame:
    """A row a key of that length that has any value."""
    own = {key: values for key, values in cells.items() if len(key) == len(keys)}
    known = {key: values for key, values in own.items() if any(value == value for value in values.values())}
    frame = with_differences(pd.DataFrame(known.values(), columns=list(MEASURED), dtype=float))
    names = pd.DataFrame(list(known), columns=list(keys), dtype=object)
    return pd.concat([names, frame], axis=1)


def with_differences(measured: pd.DataFrame) -> pd.DataFrame:
    """The six biomarkers from the columns of the four measured ones, with the same index."""
    rows = [
        [quantity.value for _, quantity in from_values(row[0], row[1], row[2], row[3])]
        for row in measured[list(MEASURED)].itertuples(index=False)
    ]
    return pd.DataFrame(rows, index=measured.index, columns=list(BIOMARKERS), dtype=float)
