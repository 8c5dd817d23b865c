"""By how much readings of one case differ, pooled over the cases of a cohort."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..biomarkers import MEASURED
from .card import ReadingErrors
from .medians import median_variance

Array = NDArray[np.float64]


def reading_errors(readings: pd.DataFrame) -> ReadingErrors | None:
    """The covariances within and between readers, as of a nested analysis of variance.

    Within: about the mean of a reader's repeats. Between: of the readers' medians about their mean, less what
    the repeats explain of it; where that is more than there is, the eigenvalue is 0 (variances cannot be
    negative). A biomarker without any value is left out, and so are readings that lack one of the others.

    Args:
        readings: a row a reading: case, reader, and the measured biomarkers in ms.

    Returns:
        None where no reader has read any case twice.
    """
    names = tuple(name for name in MEASURED if name in readings and readings[name].notna().any())
    whole = readings.dropna(subset=list(names))
    repeats = [group[list(names)].to_numpy(float) for _, group in whole.groupby(["case", "reader"])]
    within, within_df = _pooled(repeats, len(names))
    if not within_df:
        return None
    between, between_df = _pooled(list(_medians(whole, names)), len(names))
    if between_df:
        # Medians of few repeats count by how much the repeats scatter them.
        explained = np.mean([median_variance(len(one)) for one in repeats])
        between = _positive(between - explained * within)
    return ReadingErrors(names, _rows(within), within_df, _rows(between), between_df)


def _medians(readings: pd.DataFrame, names: tuple[str, ...]) -> Iterator[Array]:
    """Of every case, a row a reader."""
    for _, case in readings.groupby("case"):
        yield case.groupby("reader")[list(names)].median().to_numpy(float)


def _pooled(groups: list[Array], k: int) -> tuple[Array, int]:
    """The covariance (k, k) of rows about the mean of their group, and its degrees of freedom."""
    total, freedom = np.zeros((k, k)), 0
    for rows in groups:
        away = rows - rows.mean(axis=0)
        total += away.T @ away
        freedom += len(rows) - 1
    return (total / freedom if freedom else total), freedom


def _positive(matrix: Array) -> Array:
    """The nearest matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _rows(matrix: Array) -> tuple[tuple[float, ...], ...]:
    symmetric = (matrix + matrix.T) / 2
    return tuple(tuple(map(float, row)) for row in symmetric)
