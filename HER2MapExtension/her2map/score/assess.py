"""What a card says of a case: a probability, its uncertainty and where that comes from, or refusals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, t

from ..biomarkers import MEASURED
from .card import ModelCard
from .case import ScoreCase
from .predictors import check_predictors, derivatives, predictor_values, values_of
from .refusal import refusals_of, remarks_of
from .sources import MODEL, READERS, REPEATS, Source, sources_of

Array = NDArray[np.float64]

CONFIDENCE = 0.95
CHANGED_CALL = 0.10
"""In the grey zone another reading would change the call with more than this probability."""


@dataclass(frozen=True)
class Share:
    """What one source adds to the uncertainty of the log odds.

    Attributes:
        variance: of the log odds.
        part: of all variance, 0 to 1.
    """

    variance: float
    part: float


@dataclass(frozen=True)
class Contribution:
    """What one predictor adds to the log odds.

    Attributes:
        value: of the predictor, in `unit`.
        log_odds: against a case with the training cohort's mean.
    """

    name: str
    unit: str
    value: float
    log_odds: float


@dataclass(frozen=True)
class GreyZone:
    """Around the cut-off, where another reading would change the call with more than a stated probability.

    Attributes:
        low, high: its ends, as probabilities of the score; both the cut-off where readings do not differ.
        change: the probability that another reading, by another reader where there are several, changes this
            case's call; NaN where it is not known how readings differ.
        stated: the probability that bounds the zone.
    """

    low: float
    high: float
    change: float
    stated: float = CHANGED_CALL

    @property
    def holds(self) -> bool:
        """Whether the case lies in it."""
        return self.change > self.stated


@dataclass(frozen=True)
class Assessment:
    """What the card says of a case.

    Attributes:
        refusals: why there is no number, a sentence each; empty where there is one.
        remarks: what could not be checked or was assumed, a sentence each.
        probability: of the card's outcome; NaN where refused, as all numbers that follow.
        low, high: 95 % interval from all sources.
        call: the card's words for the side of the cut-off; "" where refused.
        log_odds, log_odds_sd: on the scale on which the model is linear.
        shares: by source, see :data:`~her2map.score.sources.SOURCES`.
        grey_zone: None where refused.
        contributions: one a predictor.
    """

    refusals: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    probability: float = math.nan
    low: float = math.nan
    high: float = math.nan
    call: str = ""
    log_odds: float = math.nan
    log_odds_sd: float = math.nan
    shares: Mapping[str, Share] = field(default_factory=dict)
    grey_zone: GreyZone | None = None
    contributions: tuple[Contribution, ...] = ()


def assess(card: ModelCard, case: ScoreCase) -> Assessment:
    """What `card` says of `case`.

    The log odds are linear in the predictors x with coefficients b, so their variance is x' V x + b' S b +
    tr(V S), with V the coefficients' covariance and S that of the predictors from all sources; the last term
    is small and counted to the sources of S. Differences of T1 enter S to first order. The interval is the
    log odds +- t sqrt(variance), with t at Welch and Satterthwaite's degrees of freedom, mapped to
    probabilities.

    Raises:
        InputError: the card wants a predictor that nobody measures.
    """
    check_predictors(card)
    refusals, remarks = refusals_of(card, case), remarks_of(card, case)
    if refusals:
        return Assessment(refusals, remarks)
    point = _Point.of(card, case)
    found = {name: (point.variance(one), one.df) for name, one in sources_of(card, case).items()}
    found[MODEL] = (point.model_variance, math.inf)
    half_width = half_width_of([variance for variance, _ in found.values()], [df for _, df in found.values()])
    total = sum(variance for variance, _ in found.values())
    bounds = [float(expit(point.log_odds + sign * half_width)) for sign in (-1, 1)]
    probability = float(expit(point.log_odds))
    return Assessment(
        remarks=remarks,
        probability=probability,
        low=bounds[0],
        high=bounds[1],
        call=card.positive_call if probability >= card.cut_off else card.negative_call,
        log_odds=point.log_odds,
        log_odds_sd=math.sqrt(total),
        shares={
            name: Share(variance, variance / total if total else 0.0) for name, (variance, _) in found.items()
        },
        grey_zone=_grey_zone(card, case, point),
        contributions=_contributions(card, point),
    )


def half_width_of(variances: list[float], freedom: list[float]) -> float:
    """Half the 95 % interval of a sum of independent errors whose variances were estimated."""
    total = sum(variances)
    if total == 0:
        return 0.0
    inverse = sum(variance**2 / df for variance, df in zip(variances, freedom, strict=True)) / total**2
    quantile = t.ppf(0.5 + CONFIDENCE / 2, 1 / inverse) if inverse else norm.ppf(0.5 + CONFIDENCE / 2)
    return float(quantile) * math.sqrt(total)


class _Point(NamedTuple):
    """A case among the model's predictors.

    design: (k + 1,) 1, then the predictors. slopes: (k + 1, 4) their derivatives by the measured biomarkers.
    """

    design: Array
    slopes: Array
    coefficients: Array
    covariance: Array

    @classmethod
    def of(cls, card: ModelCard, case: ScoreCase) -> "_Point":
        values = predictor_values(case)
        slopes = derivatives(values_of(case))
        names = [one.name for one in card.predictors]
        return cls(
            np.array([1.0, *(values[name] for name in names)]),
            np.array([np.zeros(len(MEASURED)), *(slopes[name] for name in names)]),
            np.array(card.coefficients),
            np.array(card.covariance),
        )

    @property
    def log_odds(self) -> float:
        return float(self.design @ self.coefficients)

    @property
    def model_variance(self) -> float:
        return float(self.design @ self.covariance @ self.design)

    def variance(self, source: Source) -> float:
        of_predictors = self.slopes @ source.covariance @ self.slopes.T
        second_order = float(np.sum(self.covariance * of_predictors))
        return float(self.coefficients @ of_predictors @ self.coefficients) + second_order


def _grey_zone(card: ModelCard, case: ScoreCase, point: _Point) -> GreyZone:
    """Both readings stray about the same true value, so their difference has the variances of both."""
    own = sources_of(card, case)
    once = sources_of(card, replace(case, readings=replace(case.readings, readers=1, repeats=1)))
    known = card.errors is not None or case.readings.own is not None
    spread = math.sqrt(sum(point.variance(each[name]) for each in (own, once) for name in (REPEATS, READERS)))
    cut = float(logit(card.cut_off))
    away = abs(point.log_odds - cut)
    change = (float(norm.sf(away / spread)) if spread else 0.0) if known else math.nan
    reach = float(norm.isf(CHANGED_CALL)) * spread
    return GreyZone(float(expit(cut - reach)), float(expit(cut + reach)), change)


def _contributions(card: ModelCard, point: _Point) -> tuple[Contribution, ...]:
    found = []
    for predictor, slope, value in zip(card.predictors, card.coefficients[1:], point.design[1:], strict=True):
        added = slope * (float(value) - training_mean(card, predictor.name))
        found.append(Contribution(predictor.name, predictor.unit, float(value), added))
    return tuple(found)


def training_mean(card: ModelCard, name: str) -> float:
    """Of a predictor, over both groups of the training cohort."""
    sizes, groups = card.cohort.groups, card.predictor(name).groups
    return sum(sizes[group] * groups[group].mean for group in sizes) / sum(sizes.values())
