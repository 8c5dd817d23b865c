"""Reading a table that people keep in a spreadsheet: every mistake is told, with its line, all at once."""

import csv
import io
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from .errors import InputError

T = TypeVar("T")
MISSING = frozenset({"", "na", "n/a", "nan"})
"""Cells that say that there is no value, in lower case."""
CASE_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""What a case may be called: no space and no comma, so that no name of a person slips in."""
_PERSONAL = {
    "name", "nom", "prenom", "vorname", "nachname", "firstname", "lastname", "surname", "birthday",
    "birthdate", "dob", "dateofbirth", "geburtsdatum", "geburtstag", "mrn", "ssn", "patientid", "hospitalid",
    "姓名", "患者姓名", "病人姓名", "出生日期", "生日", "住院号", "病历号", "身份证号",
}  # fmt: skip
_PERSONAL_WORDS = {"surname", "birth", "birthday", "birthdate", "dob", "mrn", "ssn", "phone", "email"}
_OF_A_PERSON = {"patient", "first", "last", "full", "family", "given", "middle", "maiden"}


@dataclass(frozen=True)
class Row:
    """One line of the table: `line` counts from 1 in the file, `cells` are stripped, by column."""

    line: int
    cells: Mapping[str, str]


@dataclass
class CheckedCsv:
    """The rows of a file, and the mistakes found in them so far.

    Attributes:
        name: of the file, without its folder.
        columns: in the file's order; those that are known under their known names, others as written.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    mistakes: list[tuple[int, str]] = field(default_factory=list)

    def mistake(self, row: Row, column: str, text: str) -> None:
        """Tell a mistake: what is wrong and what to write."""
        self.mistakes.append((row.line, f"{self.name} line {row.line}, {column}: {text}"))

    def raise_mistakes(self) -> None:
        """Raises: InputError: there were mistakes; a line for each, in the file's order."""
        if self.mistakes:
            raise InputError("\n".join(text for _, text in sorted(self.mistakes)))

    def text(self, row: Row, column: str) -> str:
        """The cell; "" where it is missing."""
        cell = row.cells.get(column, "")
        return "" if cell.casefold() in MISSING else cell

    def choice(self, row: Row, column: str, words: Mapping[str, T]) -> T | None:
        """What one of `words` stands for, in any case; None where the cell is missing or a mistake."""
        cell = self.text(row, column)
        if not cell:
            return None
        if cell.casefold() not in words:
            spellings = {value: word for word, value in reversed(list(words.items()))}
            *most, last = [word for word, value in words.items() if spellings[value] == word]
            allowed = f"{', '.join(most)} or {last}"
            self.mistake(row, column, f"'{cell}' is not known; write {allowed}, or leave the cell empty.")
            return None
        return words[cell.casefold()]

    def number(self, row: Row, column: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`, with decimal point or comma; None where missing or a mistake."""
        cell = self.text(row, column)
        if not cell:
            return None
        try:
            value = float(cell.replace(",", ".", 1))
        except ValueError:
            value = math.nan
        if not low <= value <= high or "_" in cell:
            text = f"'{cell}' is no number from {low:g} to {high:g}; write one, or leave the cell empty."
            self.mistake(row, column, text)
            return None
        return value

    def case(self, row: Row, seen: dict[str, int]) -> str:
        """The cell `case`; `seen` holds the lines of those before."""
        code = row.cells["case"]
        if not CASE_CODE.fullmatch(code):
            wrong = "is no code" if code else "is empty"  # not shown, as it may be a person's name
            text = f"the cell {wrong}; write letters, digits, - and _, up to 32, and no name of a person."
            self.mistake(row, "case", text)
        elif code.casefold() in seen:
            before = seen[code.casefold()]
            self.mistake(row, "case", f"{code} is already in line {before}; keep one line a case.")
        seen.setdefault(code.casefold(), row.line)
        return code


def read_checked_csv(
    path: str | os.PathLike[str], required: Collection[str], known: Collection[str], where: str
) -> CheckedCsv:
    """Read a CSV with a header line; comma, semicolon or tab between the cells, UTF-8 with or without BOM.

    Args:
        required: columns that must be there.
        known: columns that mean something; a column spelt nearly like one of them is a mistake.
        where: what the table is, for a sentence: "pathology table".

    Raises:
        InputError: no such file, not UTF-8 text, no header, a column that is missing, there twice, misspelt
            or personal, or no line at all.
    """
    name = Path(path).name
    lines = [line for line in _lines(_text(Path(path), where), name) if any(line[1])]
    if not lines:
        raise InputError(
            f"The {where} {name} is empty; its first line names the columns: {', '.join(known)}."
        )
    (header_line, header), *body = lines
    columns = _columns(header, known)
    _check_columns(f"{name} line {header_line}", columns, required, known)
    if not body:
        raise InputError(f"The {where} {name} has no line below its header; write one a case.")
    table = CheckedCsv(name, columns, tuple(_row(number, cells, columns) for number, cells in body))
    for number, cells in body:
        if len(cells) > len(columns):
            said = f"{len(cells)} cells under {len(columns)} columns; put a cell with a comma into quotes."
            table.mistakes.append((number, f"{name} line {number}: {said}"))
    return table


def _text(path: Path, where: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the {where} {path.name} ({error.strerror}); check its path.") from None
    try:
        if content[:2] == b"PK":
            raise ValueError
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise InputError(
            f"The {where} {path.name} is no UTF-8 text; in the spreadsheet, save it as 'CSV UTF-8'."
        ) from None
    return text


def _lines(text: str, name: str) -> Iterable[tuple[int, list[str]]]:
    """The lines' numbers and stripped cells; an empty cell at the end is no cell."""
    first = text.lstrip().splitlines()[:1]
    mark = re.fullmatch(r"sep=(.)", first[0].strip()) if first else None  # Excel's own first line
    heading = next((line for line in text.splitlines() if line.strip() and not line.startswith("sep=")), "")
    delimiter = mark[1] if mark else max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        before = 0
        for cells in reader:
            number, before = before + 1, reader.line_num
            cells = [cell.strip() for cell in cells]
            while cells and not cells[-1]:
                cells.pop()
            if number > 1 or not mark:
                yield number, cells
    except csv.Error as error:
        said = "a quote is not closed" if "unexpected end" in str(error) else str(error)
        raise InputError(
            f"{name} line {reader.line_num}: {said}; a quote inside a cell is written twice."
        ) from None


def _columns(header: list[str], known: Collection[str]) -> tuple[str, ...]:
    plain = {_plain(name): name for name in known}
    return tuple(plain.get(_plain(column), column) for column in header)


def _plain(column: str) -> str:
    return re.sub(r"[\s_-]+", "_", column.strip().casefold())


def _check_columns(
    place: str, columns: tuple[str, ...], required: Collection[str], known: Collection[str]
) -> None:
    problems = [f"the column {name} is missing; add it." for name in required if name not in columns]
    for i, column in enumerate(columns):
        if not column:
            problems.append(f"column {i + 1} has no name; name it or remove it.")
        elif _personal(column):
            problems.append(
                f"the column '{column}' looks like personal data, which does not belong here; remove it."
            )
        elif column in columns[:i]:
            problems.append(f"the column {column} is there twice; keep one.")
        elif column not in known and (near := get_close_matches(_plain(column), known, 1, 0.8)):
            problems.append(f"the column '{column}' is not known; write {near[0]}, or name it otherwise.")
    if problems:
        raise InputError("\n".join(f"{place}: {problem}" for problem in problems))


def _personal(column: str) -> bool:
    """Whether a heading names what identifies a person."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).casefold())
    joined = re.sub(r"[\W_]+", "", column.casefold())
    named = "name" in words and not _OF_A_PERSON.isdisjoint(words)
    return joined in _PERSONAL or named or not _PERSONAL_WORDS.isdisjoint(words)


def _row(number: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    filled = cells + [""] * (len(columns) - len(cells))
    return Row(number, dict(zip(columns, filled, strict=False)))
