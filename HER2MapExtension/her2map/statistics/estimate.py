"""What all statistics share: a number with its interval, and the rows of a table that are complete."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

Array = NDArray[np.float64]

CONFIDENCE = 0.95
TAILS = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % confidence interval.

    Attributes:
        value, low, high: NaN where there is none.
        reason: what is missing, and why, in a sentence; "" where nothing is.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


class CompleteRows(NamedTuple):
    """Attributes:
    values: (n, columns), the rows in which no number is missing.
    used, left_out: what the rows are called: a frame's index, else their numbers from 0.
    """

    values: Array
    used: tuple[Hashable, ...]
    left_out: tuple[Hashable, ...]


def complete_rows(table: ArrayLike, name: str, labels: Sequence[Hashable] = ()) -> CompleteRows:
    """The complete rows of an array or frame (rows, columns); NaN is a missing number.

    Args:
        name: of the table, for the message.
        labels: what the rows are called; without them as :func:`row_labels` says.

    Raises:
        InputError: it has not two dimensions, or holds something else than finite numbers and NaN.
    """
    try:
        values = np.array(table, float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 2:
        raise InputError(f"The {name} must be a table of numbers, one row a case.")
    labels = labels or row_labels(table, len(values))
    infinite = np.isinf(values).any(axis=1)
    if infinite.any():
        raise InputError(f"The {name} of case {labels[int(infinite.argmax())]} are not finite; correct them.")
    complete = ~np.isnan(values).any(axis=1)
    used = tuple(label for label, whole in zip(labels, complete, strict=True) if whole)
    left_out = tuple(label for label, whole in zip(labels, complete, strict=True) if not whole)
    return CompleteRows(values[complete], used, left_out)


def row_labels(table: Any, count: int) -> list[Hashable]:
    """A frame's or series' index; else the numbers of the rows, from 0."""
    return list(table.index) if hasattr(table, "iloc") else list(range(count))
