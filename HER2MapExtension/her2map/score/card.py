"""Model cards: a logistic model with all that must be known to trust it, or not, as JSON.

A card holds numbers and words only, so that no card can make code run. Its format is described by
`card.schema.json` beside this file.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from . import card_fields as kinds

SCHEMA_VERSION = 2
DECILES = 11
"""From the smallest value, by tenths, to the largest."""
DISTINCT = 1e-10
"""The smallest eigenvalue of the coefficients' correlation matrix; under it the covariance is singular."""


@dataclass(frozen=True)
class Distribution:
    """Of one quantity in one group of the training cohort.

    Attributes:
        mean, sd: of the cases.
        deciles: (11,) from the smallest to the largest.
    """

    mean: float
    sd: float
    deciles: tuple[float, ...]


@dataclass(frozen=True)
class Predictor:
    """A predictor of a model.

    Attributes:
        name: "er_positive" (0 or 1), or a biomarker's name.
        unit: "ms", or "1".
        minimum, maximum: of the training cohort; outside there is no prediction.
        techniques: with which its maps were acquired, of :class:`~her2map.series.Technique`; empty where that
            is not known.
        groups: its distribution by group.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    techniques: tuple[str, ...]
    groups: dict[str, Distribution]


@dataclass(frozen=True)
class TrainingCohort:
    """The cases that a model was fitted to.

    Attributes:
        groups: cases by group: first the one that 0 stands for, then the one that 1 stands for.
        origin: where the cases come from.
        centre, period: where and when they were examined; "" where that is not told.
        field_strengths_t: in tesla; empty where they are not known.
        left_out: cases that lacked something or whose status is not settled.
        simulated: no patient is among them.
        log_odds: the distribution of the model's log odds by group.
    """

    groups: dict[str, int]
    origin: str
    centre: str
    period: str
    field_strengths_t: tuple[float, ...]
    left_out: int
    simulated: bool
    log_odds: dict[str, Distribution]


@dataclass(frozen=True)
class Performance:
    """What the model is worth; NaN never, a figure that is not known is None.

    Attributes:
        apparent_auc, apparent_low, apparent_high: in the training cohort, with DeLong's 95 % interval.
        corrected_auc: corrected for optimism.
        slope, intercept: of the calibration, corrected for optimism.
        brier: corrected for optimism.
        sensitivity, specificity: at the cut-off, in the training cohort.
        method: how the corrected figures were found.
    """

    apparent_auc: float
    apparent_low: float | None
    apparent_high: float | None
    corrected_auc: float | None
    slope: float | None
    intercept: float | None
    brier: float | None
    sensitivity: float | None
    specificity: float | None
    method: str


@dataclass(frozen=True)
class ReadingErrors:
    """By how much readings of one case differ, pooled over the training cohort.

    Attributes:
        names: the measured biomarkers (T1_pre, T1_post, T2, T2star) in the order of the matrices.
        within: covariance of one reading about its reader's own mean, in ms².
        within_df: its degrees of freedom.
        between: covariance of readers about the case's mean, beyond what their repeats explain, in ms².
        between_df: its degrees of freedom; 0 where there was one reader, and the covariance is zero.
    """

    names: tuple[str, ...]
    within: tuple[tuple[float, ...], ...]
    within_df: int
    between: tuple[tuple[float, ...], ...]
    between_df: int


@dataclass(frozen=True)
class ModelCard:
    """A logistic model with what a reader must know to trust it or not.

    Attributes:
        schema_version: of this format.
        name: of the model.
        outcome: what a probability of 1 stands for, and 0.
        predictors: in the order of the coefficients.
        coefficients: intercept first, then one a predictor, per unit of it.
        covariance: of the coefficients, rows in the same order.
        fitted_by: the estimator, in words.
        cut_off: probability from which on the call is positive.
        cut_off_rule: how it was chosen.
        positive_call, negative_call: the words for a probability from the cut-off on, and below it.
        minimum_coverage: of a ROI on every map that the score uses; with less there is no number.
        cohort: which the model was fitted to.
        performance: what it is worth.
        errors: of readings; None where the training values are no readings.
        assumptions: what was assumed where no figure was at hand.
        history: what was done to the model since it was fitted, a sentence each, with the former card's hash.
        warning: shown wherever the score is.
        licence: SPDX identifier.
        software: versions, by name.
    """

    schema_version: int
    name: str
    outcome: str
    predictors: tuple[Predictor, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    fitted_by: str
    cut_off: float
    cut_off_rule: str
    positive_call: str
    negative_call: str
    minimum_coverage: float
    cohort: TrainingCohort
    performance: Performance
    errors: ReadingErrors | None
    assumptions: tuple[str, ...]
    history: tuple[str, ...]
    warning: str
    licence: str
    software: dict[str, str] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """SHA-256 over all fields."""
        return _content_hash(json.loads(json.dumps(asdict(self))))

    @property
    def groups(self) -> tuple[str, str]:
        """The names of the groups that 0 and 1 stand for."""
        negative, positive = self.cohort.groups
        return negative, positive

    def predictor(self, name: str) -> Predictor:
        """Of this name."""
        return next(one for one in self.predictors if one.name == name)

    def to_json(self) -> str:
        """The card's text, content hash included."""
        content = asdict(self) | {"content_hash": self.content_hash}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def demo_card() -> ModelCard:
    """The card that ships, trained on the simulated cohort of `her2map reproduce`."""
    with resources.as_file(resources.files("her2map") / "score_cards" / "demo.json") as path:
        return load_card(path)


def load_card(path: str | os.PathLike[str]) -> ModelCard:
    """Read a model card.

    Raises:
        InputError: no such file, no JSON, an unknown version, a field missing, unknown or of the wrong
            kind, a changed content, or a covariance that is not positive definite.
    """
    name = Path(path).name
    content = _content(Path(path), name)
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"The model card {name} has schema_version {version!r}; only {SCHEMA_VERSION} can be read here."
        )
    expected = {field.name for field in fields(ModelCard)} | {"content_hash"}
    for problem, names in (
        ("lacks", expected - content.keys()),
        ("has the unknown field", content.keys() - expected),
    ):
        if names:
            raise InputError(f"The model card {name} {problem} {min(names)}; export it again.")
    if content.pop("content_hash") != _content_hash(content):
        raise InputError(f"The model card {name} was changed after its export; get the original.")
    try:
        card = kinds.read(ModelCard, content, "the card")
        _check(card)
    except InputError as error:
        raise InputError(f"The model card {name} cannot be used: {error}") from None
    return card


def _content(path: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise InputError(f"Cannot read the model card {name} ({error.strerror}); check its path.") from None
    except (ValueError, RecursionError):
        raise InputError(f"The model card {name} is no JSON text; export it again.") from None
    if not isinstance(content, dict):
        raise InputError(f"The model card {name} holds no JSON object; export it again.")
    return content


def _content_hash(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _check(card: ModelCard) -> None:
    """Raises: InputError: what cannot be right though every field is there."""
    n = len(card.predictors) + 1
    if len(card.coefficients) != n:
        raise InputError(f"it needs {n} coefficients, the intercept and one a predictor.")
    _check_covariance("covariance", card.covariance, n, DISTINCT)
    names = [one.name for one in card.predictors]
    if len(set(names)) < len(names) or not names:
        raise InputError("it has no predictors, or one twice.")
    if not 0 < card.cut_off < 1:
        raise InputError(f"its cut-off {card.cut_off:g} is no probability between 0 and 1.")
    if not 0 < card.minimum_coverage <= 1:
        raise InputError(f"its minimum_coverage {card.minimum_coverage:g} is no part of a whole.")
    for name in ("apparent_auc", "corrected_auc", "sensitivity", "specificity"):
        value = getattr(card.performance, name)
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"its {name} lies outside 0 to 1.")
    if len(card.cohort.groups) != 2:
        raise InputError("its cohort needs two groups.")
    for predictor in card.predictors:
        if not predictor.minimum < predictor.maximum:
            raise InputError(f"the range of {predictor.name} is empty.")
        _check_groups(card, predictor.name, predictor.groups)
    _check_groups(card, "the log odds", card.cohort.log_odds)
    if card.errors is not None:
        _check_errors(card.errors)


def _check_groups(card: ModelCard, name: str, groups: Mapping[str, Distribution]) -> None:
    if set(groups) != set(card.cohort.groups):
        raise InputError(f"the distribution of {name} is not that of its two groups.")
    if any(
        len(one.deciles) != DECILES or list(one.deciles) != sorted(one.deciles) for one in groups.values()
    ):
        raise InputError(f"the distribution of {name} needs {DECILES} deciles that rise.")


def _check_errors(errors: ReadingErrors) -> None:
    if errors.within_df < 0 or errors.between_df < 0:
        raise InputError("the degrees of freedom of its reading errors are negative.")
    for name in ("within", "between"):
        _check_covariance(name, getattr(errors, name), len(errors.names), -DISTINCT)


def _check_covariance(name: str, rows: tuple[tuple[float, ...], ...], n: int, smallest: float) -> None:
    """`smallest`: the least that an eigenvalue of the correlation matrix may be."""
    if len(rows) != n or any(len(row) != n for row in rows):
        raise InputError(f"its {name} must be {n} x {n}.")
    matrix = np.array(rows)
    variances = np.diag(matrix)
    scale = np.sqrt(np.where(variances > 0, variances, 1.0))
    correlation = matrix / np.outer(scale, scale)
    symmetric = np.allclose(correlation, correlation.T)
    if not symmetric or (variances < 0).any() or np.linalg.eigvalsh(correlation).min() < smallest:
        raise InputError(f"its {name} is not positive definite, or not symmetric.")
