"""Two exams of one patient: which changes are more than a repeated measurement would show.

A change is real where it is larger than the repeatability coefficient, 1.96 sqrt(2) wSD, within which 95 % of
the differences between two measurements of an unchanged tumour lie (Bland & Altman, BMJ 1996;313:744; Raunig
et al., Stat Methods Med Res 2015;24:27). The two exams' variances add, so that wSD is the root of their mean.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .biomarkers import MEASURED, Biomarkers, Quantity, from_values
from .errors import InputError
from .score.card import ModelCard, ReadingErrors
from .score.case import ScoreCase
from .score.exam_case import B1_NOMINAL
from .score.predictors import derivatives, parts_of, values_of
from .score.sources import READERS, REPEATS, VFA, exam_sources, reading_sources

Array = NDArray[np.float64]

COVERED_SDS = 1.96
"""Of a normal variable, within which it lies in 95 %."""
FEW_DF = 20
"""With fewer degrees of freedom an SD is uncertain by more than a sixth."""
UNITS = {name: quantity.unit for name, quantity in Biomarkers()}
LOWER_BOUND = (
    "The limits come from readings of the same images. What a second scan changes - position, coil, "
    "temperature, contrast dose, the tissue from day to day - is not in them, so they are lower bounds: a "
    "change just above its limit may be none."
)
BY_CHANCE = (
    "Each limit is passed by chance in 5 % of unchanged tumours; that one of six passes is more frequent."
)


class Reader(Enum):
    """Who read the second exam."""

    SAME = "the same"
    OTHER = "another"


class Verdict(Enum):
    """What can be said of a change."""

    REAL = "real change"
    WITHIN = "within repeatability"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True)
class Repeatability:
    """What is known of how much two measurements of one tumour differ.

    Attributes:
        errors: by how much readings differ; None where no readings are at hand.
        origin: of the errors, in words.
        reader: of the second exam.
        retest_sd: by biomarker, the user's own SD of repeated examinations (wSD), in the biomarker's unit, of
            values as they are compared here; it replaces all else that is known of the biomarker.
    """

    errors: ReadingErrors | None = None
    origin: str = ""
    reader: Reader = Reader.SAME
    retest_sd: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, sd in self.retest_sd.items():
            if name not in UNITS:
                raise InputError(f"{name} is no biomarker; test-retest SDs are of {', '.join(UNITS)}.")
            if not 0 < sd < math.inf:
                raise InputError(f"The test-retest SD of {name} is {sd:g}; it is a positive number.")


@dataclass(frozen=True)
class Change:
    """Of one biomarker; numbers in `unit`, NaN where there is none.

    Attributes:
        relative_change: as a part of `before`; NaN where that is not positive.
        within_sd: of a single exam's value, the root of the mean variance of both.
        repeatability_coefficient: 1.96 sqrt(2) `within_sd`.
        reason: why it cannot be told; "" where it can.
    """

    biomarker: str
    unit: str
    before: float
    after: float
    change: float
    relative_change: float
    within_sd: float
    repeatability_coefficient: float
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class FollowUp:
    """The changes of all six biomarkers, and what must be known to judge them, a sentence each."""

    changes: tuple[Change, ...]
    remarks: tuple[str, ...]


def follow_up(before: ScoreCase, after: ScoreCase, known: Repeatability) -> FollowUp:
    """Compare two exams of one patient.

    Added are, exam by exam: the reader's own scatter (less for medians of repeats and means over readers),
    the difference between readers where another one read, the standard errors of the fits, and the B1 error,
    which T1 before and after contrast share. Differences of T1 have the errors of both their parts.

    Args:
        before, after: the two exams; ER status and field strength play no part.
    """
    values = [_biomarkers(case) for case in (before, after)]
    lacking = _not_read(before, after, known)
    variances = [_variances(case, known) for case in (before, after)]
    changes = tuple(
        _change(name, values[0][name], values[1][name], _within_sd(name, variances, known, lacking))
        for name in UNITS
    )
    return FollowUp(changes, tuple(_remarks(before, after, known, changes)))


def repeatability_of(card: ModelCard, reader: Reader, retest_sd: Mapping[str, float]) -> Repeatability:
    """As the readings of a card's training cohort tell it."""
    origin = f"the readings of the model card “{card.name}”"
    if card.cohort.simulated:
        origin += ", of simulated readers: a demonstration, no limit for patients"
    return Repeatability(card.errors, origin, reader, retest_sd)


def read_retest(texts: Iterable[str]) -> dict[str, float]:
    """Test-retest SDs from BIOMARKER=SD each.

    Raises:
        InputError: a text is something else, or a biomarker is there twice; see also :class:`Repeatability`.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        name = name.strip()
        try:
            sd = float(number)
        except ValueError:
            raise InputError(
                f"The test-retest SD '{text}': write BIOMARKER=SD in ms (delta_T1_ratio: a fraction), e.g. "
                "T1_pre=40."
            ) from None
        if name in found:
            raise InputError(f"The test-retest SD of {name} is given twice; keep one.")
        found[name] = sd
    return dict(Repeatability(retest_sd=found).retest_sd)


def _biomarkers(case: ScoreCase) -> dict[str, Quantity]:
    reasons = {name: case.maps[name].reason for name in MEASURED if name in case.maps}
    T1_pre, T1_post, T2, T2star = values_of(case).values()
    return dict(from_values(T1_pre, T1_post, T2, T2star, reasons=reasons))


def _variances(case: ScoreCase, known: Repeatability) -> dict[str, float]:
    """Of every biomarker of one exam, in its unit squared, as far as images and readings tell."""
    readings = reading_sources(known.errors, case.readings)
    covariance = sum(
        (source.covariance for source in exam_sources(case).values()), readings[REPEATS].covariance
    )
    if known.reader is Reader.OTHER:
        covariance = covariance + readings[READERS].covariance
    by = derivatives(values_of(case))
    return {name: float(by[name] @ covariance @ by[name]) for name in UNITS}


@dataclass(frozen=True)
class _Within:
    sd: float = math.nan
    reason: str = ""


def _within_sd(
    name: str, variances: list[dict[str, float]], known: Repeatability, lacking: Mapping[str, str]
) -> _Within:
    if name in known.retest_sd:
        return _Within(known.retest_sd[name])
    reason = next((lacking[part] for part in parts_of(name) if part in lacking), "")
    if reason:
        return _Within(reason=reason)
    return _Within(math.sqrt(sum(one[name] for one in variances) / len(variances)))


def _not_read(before: ScoreCase, after: ScoreCase, known: Repeatability) -> dict[str, str]:
    """Why readings do not tell the error of a measured biomarker."""
    found = {}
    for name in MEASURED:
        for case in (before, after):
            told = [one for one in (known.errors, case.readings.own) if one and name in one.names]
            if not any(one.within_df for one in told):
                found[name] = f"no repeated readings of {name} are known, and no test-retest SD is given"
            elif known.reader is Reader.OTHER and not any(one.between_df for one in told):
                found[name] = f"the readings of {name} are one reader's, and another read the second exam"
    return found


def _change(name: str, before: Quantity, after: Quantity, within: _Within) -> Change:
    both = (("before", before), ("after", after))
    missing = [f"no value {when}: {one.reason}" for when, one in both if not one.known]
    change = after.value - before.value
    limit = COVERED_SDS * math.sqrt(2) * within.sd
    reason = "; ".join(missing) or within.reason
    return Change(
        biomarker=name,
        unit=UNITS[name],
        before=before.value,
        after=after.value,
        change=change,
        relative_change=change / before.value if before.value > 0 else math.nan,
        within_sd=within.sd,
        repeatability_coefficient=limit,
        verdict=Verdict.UNKNOWN if reason else Verdict.REAL if abs(change) > limit else Verdict.WITHIN,
        reason=reason,
    )


def _remarks(
    before: ScoreCase, after: ScoreCase, known: Repeatability, changes: tuple[Change, ...]
) -> Iterator[str]:
    told = [one for one in changes if one.verdict is not Verdict.UNKNOWN]
    from_readings = [one.biomarker for one in told if one.biomarker not in known.retest_sd]
    if from_readings:
        yield LOWER_BOUND
        yield f"Limits of {', '.join(from_readings)}: from {known.origin or 'the exams’ own readings'}."
        yield from _of_readings(before, after, known, from_readings)
    if known.retest_sd:
        given = ", ".join(f"{name} {sd:g} {UNITS[name]}" for name, sd in known.retest_sd.items())
        yield f"Test-retest SD as given: {given}."
        for name in ("delta_T1", "delta_T1_ratio"):
            if name in from_readings and not known.retest_sd.keys().isdisjoint(parts_of(name)):
                yield (
                    f"The limit of {name} does not follow from test-retest SDs of T1, whose errors are "
                    "correlated in an unknown way; give its own."
                )
    if told:
        yield BY_CHANCE


def _of_readings(
    before: ScoreCase, after: ScoreCase, known: Repeatability, names: list[str]
) -> Iterator[str]:
    parts = {part for name in names for part in parts_of(name)}
    unknown = [
        name
        for name in MEASURED
        if name in parts
        and not all(math.isfinite(case.maps[name].standard_error) for case in (before, after))
    ]
    if unknown:
        yield f"The image noise of {', '.join(unknown)} is not known and not in the limits."
    scaled = [
        case.b1_relative_sd
        for case in (before, after)
        if any(case.maps[name].technique == VFA for name in parts & {"T1_pre", "T1_post"})
    ]
    if any(scaled):
        percent = " and ".join(dict.fromkeys(f"{100 * sd:.0f} %" for sd in scaled if sd))
        yield (
            f"T1 of variable flip angles: an error of B1 of {percent} is assumed that is new in each exam "
            "and common to T1 before and after contrast; their ratio is free of it."
        )
    if B1_NOMINAL in scaled:
        yield (
            "Without a B1 map much of that error is the same in both exams, so that the limits of T1 are "
            "wider than they need be: a B1 map would narrow them."
        )
    df = known.errors.within_df if known.errors else 0
    if 0 < df < FEW_DF:
        yield f"The readings are few ({df} degrees of freedom), so that the limits are uncertain."
