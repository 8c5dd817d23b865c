"""The score: a model card, and the probability of HER2-positive against HER2-low that it gives.

A card is JSON and holds numbers and words only, so that no card can make code run.
"""

import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from .errors import InputError

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Predictor:
    """A predictor of a model and the range of it that the training cohort covered.

    Attributes:
        name: "er_positive" (0 or 1), or a biomarker name.
        unit: "ms", or "1".
        minimum, maximum: of the training cohort; outside there is no prediction.
    """

    name: str
    unit: str
    minimum: float
    maximum: float


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
        cut_off: probability from which on the call is positive.
        cut_off_rule: how it was chosen.
        positive_call, negative_call: the words for a probability from the cut-off on, and below it.
        group_sizes: cases per group of the training cohort.
        field_strength_t: of the training cohort, in tesla.
        origin: where the training cohort comes from.
        apparent_auc: in the training cohort itself.
        corrected_auc: corrected for optimism.
        auc_method: how the two were found.
        assumptions: what was assumed where no published figure was at hand.
        warning: shown wherever the score is.
        licence: SPDX identifier.
    """

    schema_version: int
    name: str
    outcome: str
    predictors: tuple[Predictor, ...]
    coefficients: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    cut_off: float
    cut_off_rule: str
    positive_call: str
    negative_call: str
    group_sizes: dict[str, int]
    field_strength_t: float
    origin: str
    apparent_auc: float
    corrected_auc: float
    auc_method: str
    assumptions: tuple[str, ...]
    warning: str
    licence: str

    @property
    def content_hash(self) -> str:
        """SHA-256 over all fields."""
        return _content_hash(json.loads(json.dumps(asdict(self))))

    def to_json(self) -> str:
        """The card's text, content hash included."""
        return (
            json.dumps(asdict(self) | {"content_hash": self.content_hash}, indent=2, allow_nan=False) + "\n"
        )


@dataclass(frozen=True)
class Prediction:
    """The model's answer for one case.

    Attributes:
        probability: of the card's outcome; NaN where refused.
        lower, upper: 95 % interval from the uncertainty of the coefficients alone, not of the inputs.
        call: the card's words for the side of the cut-off; "" where refused.
        refused: why there is no number; "" where there is one.
    """

    probability: float
    lower: float
    upper: float
    call: str
    refused: str = ""


def demo_card() -> ModelCard:
    """The card that ships, fitted on a simulated cohort; see :mod:`her2map.phantom.cohort`."""
    with resources.as_file(resources.files("her2map") / "score_cards" / "demo.json") as path:
        return load_card(path)


def load_card(path: str | os.PathLike[str]) -> ModelCard:
    """Read a model card.

    Raises:
        InputError: no such file, no JSON, an unknown version, a field missing, unknown or of the wrong
            kind, a changed content, or a covariance that is not positive definite.
    """
    name = Path(path).name
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise InputError(f"Cannot read the model card {name} ({error.strerror}); check its path.") from None
    except ValueError:
        raise InputError(f"The model card {name} is no JSON text; export it again.") from None
    if not isinstance(content, dict):
        raise InputError(f"The model card {name} holds no JSON object; export it again.")
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
        card = _card(content)
        _check(card)
    except InputError as error:
        raise InputError(f"The model card {name} cannot be used: {error}") from None
    except (TypeError, ValueError, KeyError, AttributeError):
        raise InputError(f"The model card {name} has a field of the wrong kind; export it again.") from None
    return card


def predict(
    card: ModelCard, er_positive: bool | None, t2star_ms: float | None, t1_post_ms: float | None
) -> Prediction:
    """The probability of the card's outcome for one case.

    Args:
        er_positive: None where the status is not known.
        t2star_ms, t1_post_ms: None or NaN where there is no value.

    Returns:
        A refusal with its reason where a predictor is missing or outside the training range. The interval
        is eta +- 1.96 sqrt(x' V x) on the logit scale (V: the coefficients' covariance), mapped to
        probabilities.

    Raises:
        InputError: the card wants a predictor that this function does not take.
    """
    given = {"er_positive": er_positive, "T2star": t2star_ms, "T1_post": t1_post_ms}
    for predictor in card.predictors:
        if predictor.name not in given:
            raise InputError(
                f"The model card {card.name} wants {predictor.name}, which is not among {', '.join(given)}."
            )
    case = [1.0]
    for predictor in card.predictors:
        value = given[predictor.name]
        reason = _refusal(predictor, value)
        if value is None or reason:
            return Prediction(math.nan, math.nan, math.nan, "", reason)
        case.append(float(value))
    return _prediction(card, np.array(case))


def _prediction(card: ModelCard, case: NDArray[np.float64]) -> Prediction:
    logit = float(case @ card.coefficients)
    half_width = norm.ppf(0.975) * math.sqrt(case @ np.array(card.covariance) @ case)
    probability, lower, upper = (float(expit(x)) for x in (logit, logit - half_width, logit + half_width))
    call = card.positive_call if probability >= card.cut_off else card.negative_call
    return Prediction(probability, lower, upper, call)


def _refusal(predictor: Predictor, value: float | None) -> str:
    if value is None or math.isnan(value):
        return f"{predictor.name} is missing"
    if predictor.minimum <= value <= predictor.maximum:
        return ""
    unit = "" if predictor.unit == "1" else f" {predictor.unit}"
    return (
        f"{predictor.name} {value:g}{unit} lies outside the training range, "
        f"{predictor.minimum:g} to {predictor.maximum:g}{unit}"
    )


def _content_hash(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _card(content: dict[str, Any]) -> ModelCard:
    numbers = ("cut_off", "field_strength_t", "apparent_auc", "corrected_auc")
    words = [
        "name",
        "outcome",
        "cut_off_rule",
        "positive_call",
        "negative_call",
        "origin",
        "auc_method",
        "warning",
        "licence",
    ]
    if not all(isinstance(content[key], str) for key in words):
        raise TypeError
    plain: dict[str, Any] = {key: content[key] for key in words}
    plain |= {key: float(content[key]) for key in numbers}
    return ModelCard(
        **plain,
        schema_version=SCHEMA_VERSION,
        predictors=tuple(
            Predictor(str(p["name"]), str(p["unit"]), float(p["minimum"]), float(p["maximum"]))
            for p in content["predictors"]
        ),
        coefficients=tuple(float(x) for x in content["coefficients"]),
        covariance=tuple(tuple(float(x) for x in row) for row in content["covariance"]),
        group_sizes={str(group): int(n) for group, n in content["group_sizes"].items()},
        assumptions=tuple(str(text) for text in content["assumptions"]),
    )


def _check(card: ModelCard) -> None:
    n = len(card.predictors) + 1
    covariance = np.array(card.covariance)
    if len(card.coefficients) != n or covariance.shape != (n, n):
        raise InputError(f"it needs {n} coefficients (intercept and predictors) and a {n} x {n} covariance.")
    if not (np.isfinite(card.coefficients).all() and np.isfinite(covariance).all()):
        raise InputError("a coefficient or covariance is not a finite number.")
    scale = np.sqrt(np.abs(np.diag(covariance)))
    correlation = covariance / np.outer(scale, scale) if scale.all() else np.zeros((n, n))
    if not np.allclose(correlation, correlation.T) or np.linalg.eigvalsh(correlation).min() < 1e-10:
        raise InputError("the covariance of its coefficients is not positive definite.")
    for name in ("apparent_auc", "corrected_auc"):
        if not 0 <= getattr(card, name) <= 1:
            raise InputError(f"its {name} lies outside 0 to 1.")
    if not 0 < card.cut_off < 1:
        raise InputError(f"its cut-off {card.cut_off:g} is no probability between 0 and 1.")
    for predictor in card.predictors:
        if not predictor.minimum < predictor.maximum:
            raise InputError(f"the range of {predictor.name} is empty.")
