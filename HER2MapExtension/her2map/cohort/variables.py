"""What a cohort knows of each case: the six biomarkers, and the clinical factors of the pathology table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..checked_csv import MISSING

BIOMARKERS = ("T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star")
GROUPS = ("zero", "low", "positive")
MANY_LEVELS = 8
"""A column of words with more different ones is a description, not a category."""
FEW_NUMBERS = 5
"""A further column with so many different numbers or fewer is a category: a grade, a stage."""

_HIGHER_IN_POSITIVE = {
    "T1_pre": False,
    "T1_post": True,
    "delta_T1": False,
    "delta_T1_ratio": False,
    "T2": True,
    "T2star": True,
    "er": False,
}
DIRECTIONS = (
    "The direction of every ROC curve was fixed beforehand: T1 post, T2 and T2* are taken as higher, T1 pre, "
    "ΔT1, its ratio and ER as lower in HER2-positive tumours. Those of T1 post, ΔT1 and the ratio are "
    "published (Zhang et al. 2026), that of T1 pre follows from them; those of T2 and T2* are assumed. "
    "An AUC below 0.5 says that the data run the other way."
)


@dataclass(frozen=True)
class Variable:
    """A column of the cohort.

    Attributes:
        title: in print.
        unit: in print; "" where there is none.
        levels: of a category, the reference first; empty for a number.
        imaging: whether it is one of the six biomarkers.
    """

    name: str
    title: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    imaging: bool = False

    @property
    def higher_in_positive(self) -> bool | None:
        """The direction of its ROC curve, fixed beforehand; None where it gets none."""
        return _HIGHER_IN_POSITIVE.get(self.name)

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


IMAGING = (
    Variable("T1_pre", "T1 pre", "ms", imaging=True),
    Variable("T1_post", "T1 post", "ms", imaging=True),
    Variable("delta_T1", "ΔT1", "ms", imaging=True),
    Variable("delta_T1_ratio", "ΔT1 ratio", imaging=True),
    Variable("T2", "T2", "ms", imaging=True),
    Variable("T2star", "T2*", "ms", imaging=True),
)
CLINICAL = (
    Variable("age", "Age", "years"),
    Variable("menopause", "Menopause", levels=("pre", "post")),
    Variable("er", "ER", levels=("negative", "positive")),
    Variable("pr", "PR", levels=("negative", "positive")),
    Variable("ki67", "Ki-67", "%"),
    Variable("ki67_high", "Ki-67 by cut-off", levels=("low", "high")),
)


def further_variable(name: str, cells: "pd.Series[str]") -> tuple[Variable | None, pd.Series]:
    """What a further column is: numbers where all its cells are and more than a few differ, else a category.

    Args:
        cells: texts, "" where there is none.

    Returns:
        The variable and its column: float with NaN, or text with "". None where it is neither, as a column
        of remarks is.
    """
    cells = cells.where(~cells.str.casefold().isin(MISSING), "")
    given = cells[cells != ""]
    numbers = pd.to_numeric(given.str.replace(",", ".", regex=False), errors="coerce")
    title = name.replace("_", " ").strip()
    title = title[:1].upper() + title[1:]
    finite = bool(np.isfinite(numbers).all())
    if len(given) and finite and numbers.nunique() > FEW_NUMBERS:
        return Variable(name, title), numbers.reindex(cells.index).astype(float)
    levels = tuple(sorted(given.unique(), key=_level_order))
    if not levels or len(levels) > MANY_LEVELS:
        return None, cells
    return Variable(name, title, levels=levels), cells


def _level_order(level: str) -> tuple[float, str]:
    """Numbers by size, then words."""
    try:
        return float(level), ""
    except ValueError:
        return np.inf, level.casefold()


def design_columns(variable: Variable) -> tuple[str, ...]:
    """The columns that a model gets of a variable; a category of k levels gives k - 1, of one a constant."""
    if not variable.levels:
        return (variable.name,)
    if len(variable.levels) <= 2:
        return (variable.name,)
    return tuple(f"{variable.name}={level}" for level in variable.levels[1:])


def design(frame: pd.DataFrame, variables: Iterable[Variable]) -> pd.DataFrame:
    """The columns of a model as numbers, NaN where a value is missing; a level is 1, its reference 0."""
    columns: dict[str, pd.Series] = {}
    for variable in variables:
        values = frame[variable.name]
        if not variable.levels:
            columns[variable.name] = values.astype(float)
            continue
        known = values.isin(variable.levels)
        for column, level in zip(
            design_columns(variable), variable.levels[1:] or variable.levels, strict=True
        ):
            columns[column] = (values == level).astype(float).where(known)
    return pd.DataFrame(columns, index=frame.index, dtype=float)


def design_titles(variables: Sequence[Variable]) -> dict[str, str]:
    """What the columns of :func:`design` are called in print, by column."""
    titles = {}
    for variable in variables:
        for column, level in zip(design_columns(variable), variable.levels[1:] or ("",), strict=True):
            against = (
                f": {level} against {variable.levels[0]}" if level else ""
            )  # else a number, or one level
            titles[column] = f"{variable.title}{against}"
    return titles
