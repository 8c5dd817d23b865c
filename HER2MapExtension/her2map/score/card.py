"""Model cards: a logistic model with all that must be known to trust it, or not, as JSON.

A card holds numbers and words only, so that no card can make code run. Its format is described by
`card.schema.json` beside this file.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import InputError
from . import card_fields as kinds
from .card_checks import check_card

SCHEMA_VERSION = 2
LARGEST_FILE = 1_000_000
"""In bytes; a card has some ten thousand."""


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
        """SHA-256 over all fields; the order of the groups counts, as it says which is which."""
        canonical = json.dumps(_alike(asdict(self)), separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

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
            kind, a changed content, or figures that cannot be right, as a covariance that is not positive
            definite.
    """
    name = Path(path).name
    content = _content(Path(path), name)
    version = content.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        given = (
            f"schema_version {kinds.shown(version)}" if "schema_version" in content else "no schema_version"
        )
        raise InputError(f"The model card {name} has {given}; only {SCHEMA_VERSION} can be read here.")
    told = content.pop("content_hash", None)
    try:
        card = kinds.read(ModelCard, content, "the card")
        if told is None:
            raise InputError("the card lacks content_hash.")
        if told != card.content_hash:
            raise InputError("it was changed after its export; get the original.")
        check_card(card)
    except InputError as error:
        raise InputError(f"The model card {name} cannot be used: {error}") from None
    return card


def _content(path: Path, name: str) -> dict[str, Any]:
    text = _text(path, name)
    try:
        content = json.loads(text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise InputError(f"The model card {name} is no JSON text; export it again.") from None
    if not isinstance(content, dict):
        raise InputError(f"The model card {name} holds no JSON object; export it again.")
    return content


def _text(path: Path, name: str) -> bytes:
    try:
        special = path.exists() and not path.is_file()
        text = b"" if special else _start_of(path)
    except OSError as error:
        raise InputError(f"Cannot read the model card {name} ({error.strerror}); check its path.") from None
    except ValueError:  # a character that no path can have
        raise InputError(f"Cannot read the model card {name!r}; check its path.") from None
    if special:
        raise InputError(f"The model card {name} is no file; name the JSON file of a card.")
    if len(text) > LARGEST_FILE:
        raise InputError(f"The model card {name} is too large for a card; name the JSON file of a card.")
    return text


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _alike(content: Any) -> Any:
    """The same with every number as a float: 3 and 3.0 are one number in JSON."""
    if isinstance(content, dict):
        return {name: _alike(one) for name, one in content.items()}
    if isinstance(content, (list, tuple)):
        return [_alike(one) for one in content]
    return float(content) if type(content) is int else content


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
