"""Whether predictors separate an outcome, so that a logistic model has no maximum of its likelihood."""

from collections.abc import Sequence

import numpy as np

from .estimate import Array

_MOVES = 1e-7


def separating(design: Array, outcome: Array, names: Sequence[str]) -> tuple[str, ...]:
    """The predictors whose coefficients grow without bound; empty where the likelihood has a maximum.

    The linear programme of Konis (thesis, Oxford 2007, section 4.3), which finds complete and quasi-complete
    separation (Albert & Anderson, Biometrika 1984;71:1): among the directions of the coefficients in which no
    case's likelihood falls, that in which the linear predictors grow most, each with its outcome's sign.

    Args:
        design: (n, p) a column of ones and the predictors, each of about SD 1; of full rank.
        outcome: (n,) 0 or 1.
        names: (p - 1,) of the predictors.
    """
    from scipy.optimize import linprog  # takes a while to import; not all statistics need it

    signed = np.where(outcome == 1, 1.0, -1.0)[:, None] * design
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    if found.x is None or not found.success:
        return ()
    return tuple(name for name, move in zip(names, found.x[1:], strict=True) if abs(move) > _MOVES)
