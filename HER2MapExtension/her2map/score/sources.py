"""Where the uncertainty of a score comes from: a covariance of the measured biomarkers for each source.

Errors that several biomarkers share stay shared: one B1 map scales T1 before and after contrast alike, one
contour is carried over to all maps, and a difference has the errors of both its parts.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..biomarkers import MEASURED
from .card import ModelCard, ReadingErrors
from .case import Readings, ScoreCase
from .medians import median_variance

Array = NDArray[np.float64]

NOISE, B1, PLACEMENT, REPEATS, READERS, MODEL = SOURCES = (
    "noise", "B1", "placement", "repeats", "readers", "model",
)  # fmt: skip
VFA = "vfa"
B1_POWER = -2.0
"""T1 of a variable flip angle fit goes with B1 to this power: small angles a = B1 x nominal enter as a²."""


@dataclass(frozen=True, eq=False)
class Source:
    """One source of error.

    Attributes:
        covariance: (4, 4) of T1_pre, T1_post, T2, T2star, in ms².
        df: degrees of freedom of its estimate; infinite where it is taken as known.
    """

    covariance: Array
    df: float = math.inf


def sources_of(card: ModelCard, case: ScoreCase) -> dict[str, Source]:
    """The sources that a case's values have, without the model's own; see `SOURCES`."""
    return exam_sources(case) | reading_sources(card.errors, case.readings)


def exam_sources(case: ScoreCase) -> dict[str, Source]:
    """What the images and maps of one exam leave in the case's values: noise, B1, placement."""
    maps = [case.maps.get(name) for name in MEASURED]

    def each(attribute: str) -> Array:
        found = np.array([getattr(one, attribute) if one else math.nan for one in maps], float)
        return np.where(np.isfinite(found), found, 0.0)

    return {
        NOISE: Source(independent(each("standard_error"))),
        B1: Source(b1_covariance(case, each("value"))),
        PLACEMENT: Source(independent(each("placement_sd"))),
    }


def independent(sd: Array) -> Array:
    """(..., 4, 4) in ms², of errors of the measured biomarkers with SD (..., 4) in ms, each its own."""
    return np.asarray(sd[..., None] ** 2 * np.eye(len(MEASURED)))


def b1_covariance(case: ScoreCase, values: Array) -> Array:
    """(..., 4, 4) in ms², of values (..., 4) in ms that one B1 scales alike."""
    scaled = [name in case.maps and case.maps[name].technique == VFA for name in MEASURED]
    sd = case.b1_relative_sd if math.isfinite(case.b1_relative_sd) else 0.0
    b1 = np.where(scaled, B1_POWER * sd * values, 0.0)
    return np.asarray(b1[..., :, None] * b1[..., None, :])


def reading_sources(errors: ReadingErrors | None, readings: Readings) -> dict[str, Source]:
    """What the repeats of a reader and the difference between readers leave in the case's values.

    The variances are those of the training cohort's readings and of the case's own, pooled by their degrees
    of freedom: a case's own few readings alone hardly tell.
    """
    within, within_df = _pooled("within", errors, readings.own)
    between, between_df = _pooled("between", errors, readings.own)
    of_a_reader = within * median_variance(readings.repeats)
    return {
        REPEATS: Source(of_a_reader / readings.readers, within_df),
        READERS: Source(between / readings.readers, between_df),
    }


def _pooled(name: str, *errors: ReadingErrors | None) -> tuple[Array, float]:
    """The covariance (4, 4) in ms², and its degrees of freedom: the fewest of any biomarker that has some.

    Each biomarker is pooled over those who know it. Where they know different ones, an element is scaled by
    the root of its two biomarkers' freedoms, which leaves the matrix positive semidefinite.
    """
    total, freedom = np.zeros((len(MEASURED), len(MEASURED))), np.zeros(len(MEASURED))
    for one in errors:
        df = getattr(one, f"{name}_df") if one is not None else 0
        if one is not None and df:
            at = [MEASURED.index(biomarker) for biomarker in one.names]
            total[np.ix_(at, at)] += df * np.array(getattr(one, name))
            freedom[at] += df
    if not freedom.any():
        return total, math.inf
    scale = 1 / np.sqrt(np.maximum(freedom, 1))
    return total * np.outer(scale, scale), float(freedom[freedom > 0].min())
