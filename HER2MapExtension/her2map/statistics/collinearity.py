"""Predictors that say the same: exact dependence in words, and variance inflation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .estimate import Array

VIF = "variance inflation factor: 1 / (1 - R2) of the predictor's linear regression on the others"
SUSPECT_VIF = 5.0
EXACT = 1e-3
"""A column of which the others leave no more than this, in its SDs, is theirs but for rounding."""


class Dependence(NamedTuple):
    """A column that others determine.

    Attributes:
        column: its index.
        others: indices of the columns before it that determine it; none where it is constant.
        sentence: what it is, and what to do.
    """

    column: int
    others: tuple[int, ...]
    sentence: str


def standardised(values: Array) -> tuple[Array, Array, Array]:
    """Columns (n, k) of mean 0 and SD 1, their means and SDs (k,); a constant column becomes 0, its SD 1."""
    centre = values.mean(axis=0)
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    constant = np.ptp(values, axis=0) == 0 if len(values) else np.ones(values.shape[1], bool)
    spread = np.where(constant | (spread == 0), 1.0, spread)
    return np.where(constant, 0.0, (values - centre) / spread), centre, spread


def dependences(values: Array, names: Sequence[str]) -> tuple[Dependence, ...]:
    """The columns (n, k) that are constant, or determined by the columns before them that are not."""
    scaled, _, spread = standardised(values)
    kept: list[int] = []
    found = []
    for j, name in enumerate(names):
        if not scaled[:, j].any():
            found.append(Dependence(j, (), f"{name} is the same in all complete cases; leave it out."))
            continue
        before = scaled[:, kept]
        weights = np.linalg.lstsq(before, scaled[:, j], rcond=None)[0]
        rest = scaled[:, j] - before @ weights
        if np.sqrt(rest @ rest / max(len(rest) - 1, 1)) > EXACT:
            kept.append(j)
            continue
        parts = [(i, w) for i, w in zip(kept, weights, strict=True) if abs(w) > EXACT]
        slopes = [float(w * spread[j] / spread[i]) for i, w in parts]
        others = tuple(i for i, _ in parts)
        found.append(Dependence(j, others, _sentence(name, [names[i] for i in others], slopes)))
    return tuple(found)


def _sentence(name: str, others: Sequence[str], slopes: Sequence[float]) -> str:
    """As a sum or difference, where it is one; else what determines it."""
    advice = "they cannot enter a model together; leave one out."
    if not all(abs(abs(slope) - 1) < 0.01 for slope in slopes):
        return f"{name} is determined by {' and '.join(others)}: {advice}"
    ordered = sorted(zip(slopes, others, strict=True), key=lambda part: -part[0])
    text = " ".join(f"{'+' if slope > 0 else '-'} {other}" for slope, other in ordered)
    return f"{name} is {text.removeprefix('+ ')}, but for a constant and rounding: {advice}"


def inflation(values: Array) -> NDArray[np.float64]:
    """Variance inflation factors of the columns (n, k) of full rank; 1 for a single column."""
    scaled = standardised(values)[0]
    correlation = scaled.T @ scaled / (len(scaled) - 1)
    return np.asarray(np.diag(np.linalg.inv(correlation)))
