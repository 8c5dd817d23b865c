"""The cases of an analysis: a two-valued outcome and columns of numbers; those that are complete enter."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from .estimate import Array, complete_rows, row_labels

Columns = Mapping[str, ArrayLike]
"""Columns by name, one entry a case; a pandas frame will do as well."""


@dataclass(frozen=True, eq=False)
class Cases:
    """The complete cases.

    Attributes:
        outcome: (n,) 1 for the positive group, else 0.
        values: (n, columns).
        names: of the columns.
        used, left_out: what the cases are called: a frame's or series' index, else their numbers from 0.
    """

    outcome: Array
    values: Array
    names: tuple[str, ...]
    used: tuple[Hashable, ...]
    left_out: tuple[Hashable, ...]

    @property
    def n(self) -> int:
        """Cases."""
        return len(self.outcome)

    @property
    def positive(self) -> int:
        """Cases of the positive group."""
        return int(self.outcome.sum())

    @property
    def one_group(self) -> str:
        """Why the two groups cannot be told apart, in a sentence; "" where both have a case."""
        if not self.n:
            return "There is no complete case."
        if 0 < self.positive < self.n:
            return ""
        group = "positive" if self.positive else "negative"
        return f"All complete cases ({self.n}) are {group}; cases of both groups are needed."


def complete_cases(outcome: ArrayLike, columns: Columns) -> Cases:
    """The cases whose outcome and columns are all known; NaN is a missing number.

    Raises:
        InputError: an outcome is neither 0 nor 1, a column is not numeric, finite, or as long as the others,
            or outcome and columns are not of the same cases in the same order.
    """
    named = {str(name): column(columns[name], str(name)) for name in columns}
    result = column(outcome, "outcome")
    labels = row_labels(outcome, len(result))
    for name in columns:
        if len(named[str(name)]) != len(result):
            raise InputError(
                f"{name} has {len(named[str(name)])} entries, the outcome {len(result)}; give one a case."
            )
        both_labelled = hasattr(outcome, "iloc") and hasattr(columns[name], "iloc")
        if both_labelled and row_labels(columns[name], len(result)) != labels:
            raise InputError(f"The outcome and {name} are not of the same cases in the same order.")
    if not hasattr(outcome, "iloc") and hasattr(columns, "iloc"):
        labels = row_labels(columns, len(result))
    if not np.isin(result[~np.isnan(result)], (0, 1)).all():
        raise InputError("The outcome must be 1 for the positive group and 0 for the other, or missing.")
    table = np.column_stack([result, *named.values()])
    rows = complete_rows(table, "values", labels)
    return Cases(rows.values[:, 0], rows.values[:, 1:], tuple(named), rows.used, rows.left_out)


def column(values: Any, name: str) -> Array:
    """Numbers (n,), NaN where one is missing.

    Raises:
        InputError: it is no list of numbers.
    """
    try:
        if hasattr(values, "to_numpy"):
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
        else:
            numbers = np.array(values, float)
    except (TypeError, ValueError):
        numbers = np.empty((0, 0))
    if numbers.ndim != 1:
        raise InputError(f"{name} must be a list of numbers, one a case.")
    return numbers
