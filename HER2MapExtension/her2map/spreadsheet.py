"""Tables for a spreadsheet: CSV in which no cell is taken for a formula, and columnar files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from .errors import InputError
from .files import replacing, write_text

FORMATS = ("feather", "parquet")
_FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]|[\t\r\n]")


def neutral(text: str) -> str:
    """`text`, with an apostrophe before it where a spreadsheet would take it for a formula.

    That is where it begins with = + - @, also after blanks or in full width, or with a tab or line break
    (OWASP, CSV injection).
    """
    return f"'{text}" if _FORMULA.match(text) else text


def csv_text(frame: pd.DataFrame) -> str:
    """CSV with full precision, an empty cell for what is missing; numbers stay numbers, negative ones too."""
    safe = frame.rename(columns=neutral)
    for i, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(i, [_cell(value) for value in safe.iloc[:, i]])
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _cell(value: object) -> object:
    if isinstance(value, (int, float)) or value is None:
        return value
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")  # a bare \r would go unquoted
    return neutral(text)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write :func:`csv_text` as UTF-8, whole or not at all.

    A byte order mark tells Excel that it is UTF-8; plain ASCII needs none, and R would stumble over it.
    """
    text = csv_text(frame)
    write_text(path, text if text.isascii() else f"\ufeff{text}")


def write_columnar(path: Path, frame: pd.DataFrame) -> None:
    """Write Feather or Parquet, by the suffix of `path`, whole or not at all; texts as they are.

    Raises:
        InputError: pyarrow is not installed, or the file cannot be written.
    """
    need_pyarrow(path.suffix[1:])
    with replacing(path) as temporary:
        if path.suffix == ".feather":
            frame.to_feather(temporary)
        else:
            frame.to_parquet(temporary, engine="pyarrow", index=False)


def need_pyarrow(file_format: str) -> None:
    """Raises: InputError: pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        raise InputError(
            f"The format {file_format} needs the Python package pyarrow; pip install 'her2map[export]'."
        )
