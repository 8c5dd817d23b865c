"""A table of a TOML file whose values are checked one by one; all mistakes are kept for one report."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from .toml_lines import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""Codes of cases and readers; they become file names on any system."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
"""Windows has no files of these names."""


def is_name(text: str) -> bool:
    """Whether `text` can be a code."""
    return NAME.fullmatch(text) is not None and not _RESERVED.fullmatch(text)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the value at `path`, in a sentence."""

    path: Path
    text: str


@dataclass
class CheckedTable:
    """Values of `content` by name. A wrong one is told in `mistakes`, and the default stands for it.

    Attributes:
        content: as tomllib read it.
        path: of the table in the file.
        mistakes: shared by all tables of the file.
    """

    content: dict[str, Any]
    path: tuple[str | int, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def mistake(self, name: str | None, text: str) -> None:
        """Tell a mistake of the value `name`, or of the table."""
        self.mistakes.append(Mistake(self.path if name is None else (*self.path, name), text))

    def text(self, name: str, default: str | None = None, among: Collection[str] = ()) -> str:
        """A text that is not empty; one of `among` if that is given. Without a default it must be there."""
        value = self._value(name, default)
        if value is default:
            return default or ""
        if not isinstance(value, str) or not value.strip():
            self.mistake(name, f"{name} must be a text in quotes")
        elif among and value not in among:
            self.mistake(name, f"{name} is '{value}'; use one of {', '.join(among)}")
        else:
            return value
        return default or ""

    def number(self, name: str, default: float, low: float, high: float = math.inf) -> float:
        """A number from `low` to `high`."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            limits = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of at least {low:g}"
            self.mistake(name, f"{name} must be a number {limits}")
            return default
        return float(value)

    def whole(self, name: str, default: int, low: int, high: int = 2**31) -> int:
        """A whole number from `low` to `high`."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.mistake(name, f"{name} must be a whole number from {low} to {high}")
            return default
        return value

    def pair(self, name: str) -> tuple[float, float] | None:
        """Two positive numbers; None where the file has none."""
        self._asked.add(name)
        value = self.content.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2 or not all(_is_positive(one) for one in value):
            self.mistake(name, f"{name} must be a list of two positive numbers")
            return None
        return float(value[0]), float(value[1])

    def yes(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            self.mistake(name, f"{name} must be true or false")
            return default
        return value

    def names(
        self, name: str, default: Sequence[str] | None = None, among: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Different texts, each one of `among` where that is given; without a default at least one."""
        value = self._value(name, default)
        if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
            if value is not None:
                self.mistake(name, f"{name} must be a list of texts in quotes")
            return tuple(default or ())
        strange = [one for one in value if among and one not in among]
        if strange:
            self.mistake(name, f"{name} has '{strange[0]}'; use some of {', '.join(among)}")
        if len({one.casefold() for one in value}) < len(value):
            self.mistake(name, f"{name} has the same entry twice")
        return tuple(value)

    def table(self, name: str) -> "CheckedTable | None":
        """The table `name`; None where the file has none."""
        self._asked.add(name)
        value = self.content.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.mistake(name, f"{name} must be a table: write [{name}] on a line of its own")
            return None
        return CheckedTable(value, (*self.path, name), self.mistakes)

    def tables(self, name: str) -> list["CheckedTable"]:
        """The tables that each begin with [[name]]."""
        self._asked.add(name)
        value = self.content.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.mistake(name, f"{name} must be tables: begin each with [[{name}]] on a line of its own")
            return []
        return [CheckedTable(one, (*self.path, name, i), self.mistakes) for i, one in enumerate(value)]

    def end(self) -> None:
        """Tell of every name that nobody asked for: a slip of the pen would else go unseen."""
        for name in self.content.keys() - self._asked:
            self.mistake(name, f"{name} is not known here; known are {', '.join(sorted(self._asked))}")

    def _value(self, name: str, default: Any) -> Any:
        self._asked.add(name)
        value = self.content.get(name, default)
        if value is None:
            self.mistake(name, f"{name} is missing")
        return value


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
