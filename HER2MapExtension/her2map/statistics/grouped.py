"""Values that belong to groups of cases: which of them enter, and what is missing."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .cases import column
from .estimate import Array, row_labels


@dataclass(frozen=True, eq=False)
class Grouped:
    """Values by group.

    Attributes:
        names: of all groups that were asked for.
        values: of each group, without the missing ones.
        missing: of each group, how many cases lack the value.
        left_out: the cases that lack the value or are in none of the groups.
    """

    names: tuple[str, ...]
    values: tuple[Array, ...]
    missing: tuple[int, ...]
    left_out: tuple[Hashable, ...]

    def filled(self) -> tuple[tuple[str, ...], tuple[Array, ...]]:
        """Names and values of the groups that have any."""
        kept = [i for i, values in enumerate(self.values) if len(values)]
        return tuple(self.names[i] for i in kept), tuple(self.values[i] for i in kept)


def group_values(values: ArrayLike, groups: Sequence[Any], order: Sequence[str]) -> Grouped:
    """Values (n,) sorted into their groups.

    Args:
        values: NaN where missing.
        groups: (n,) the name of each case's group; a case whose name is not in `order` is left out.
        order: of the groups.

    Raises:
        InputError: the two are not of the same cases, or the values are not finite numbers.
    """
    numbers = column(values, "values")
    names = group_names(values, groups, len(numbers))
    labels = row_labels(values, len(numbers))
    infinite = np.isinf(numbers)
    if infinite.any():
        raise InputError(f"The value of case {labels[int(infinite.argmax())]} is not finite; correct it.")
    known = ~np.isnan(numbers)
    inside = [names == name for name in order]
    entered = known & np.any(inside, axis=0) if len(inside) else np.zeros(len(numbers), bool)
    return Grouped(
        tuple(order),
        tuple(numbers[group & known] for group in inside),
        tuple(int(np.count_nonzero(group & ~known)) for group in inside),
        tuple(label for label, used in zip(labels, entered, strict=True) if not used),
    )


def group_names(values: Any, groups: Sequence[Any], n: int) -> NDArray[np.object_]:
    """The groups (n,) of the cases.

    Raises:
        InputError: they are not as many as the values, or not of the same cases.
    """
    if len(groups) != n:
        raise InputError(f"There are {n} values and {len(groups)} groups; give one of each a case.")
    if hasattr(values, "iloc") and hasattr(groups, "iloc") and row_labels(values, n) != row_labels(groups, n):
        raise InputError("The values and the groups are not of the same cases in the same order.")
    names = np.empty(n, object)
    names[:] = list(groups)
    return names
