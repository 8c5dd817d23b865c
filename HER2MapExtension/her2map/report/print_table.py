"""A table as it is printed: texts, a header first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .tables import aligned


@dataclass(frozen=True)
class PrintTable:
    """A table in print.

    Attributes:
        name: of its files and its place on the page.
        lines: the header, then the rows; a row of one cell is a heading within the table.
        notes: below it.
        words: columns that are flush left.
        empty: what is said in place of a table without rows.
    """

    name: str
    title: str
    lines: Sequence[Sequence[str]]
    notes: tuple[str, ...] = ()
    words: tuple[int, ...] = (0,)
    empty: str = ""


@dataclass
class Footnotes:
    """Remarks gathered while a table is made; each gets a letter, the same text the same letter."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        """The letter in print, after a cell; "" for no remark."""
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return f" [{_letter(self.texts.index(text))}]"

    @property
    def notes(self) -> tuple[str, ...]:
        """For below the table."""
        return tuple(f"[{_letter(i)}] {text}" for i, text in enumerate(self.texts))


def _letter(index: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[index] if index < 26 else str(index + 1)


def table_text(table: PrintTable) -> str:
    """For a terminal."""
    if len(table.lines) < 2:
        return f"{table.title}\n{table.empty}"
    return "\n".join([table.title, aligned(table.lines), *table.notes])
