"""In which line of a TOML file a value stands: tomllib tells it of mistakes in the syntax alone."""

import tomllib
from collections.abc import Sequence
from typing import Any

Path = Sequence[str | int]
"""From the outermost table inwards: keys, and numbers in arrays, counted from 0."""


def line_of(text: str, path: Path) -> int:
    """The line, counted from 1, in which the value at `path` begins.

    It is the first line after the longest beginning of the file that is TOML and does not have the value yet.
    Where there is no such value: the line of the innermost table of `path` that there is; 1 without any.

    Args:
        text: of a file that is TOML.
    """
    if not path:
        return 1
    lines, last_without = text.splitlines(), 0
    for count in range(1, len(lines) + 1):
        try:
            start = tomllib.loads("\n".join(lines[:count]) + "\n")
        except tomllib.TOMLDecodeError:  # in the middle of a value of several lines
            continue
        if _has(start, path):
            return _first_line_that_says_something(lines, last_without)
        last_without = count
    return line_of(text, path[:-1])


def _has(content: Any, path: Path) -> bool:
    for step in path:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _first_line_that_says_something(lines: Sequence[str], start: int) -> int:
    return next(
        number
        for number, line in enumerate(lines[start:], start + 1)
        if line.strip() and not line.lstrip().startswith("#")
    )
