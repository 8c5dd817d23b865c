"""What a card says of a case: a probability, its uncertainty and where that comes from, or refusals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from scipy.special import expit, logit
from scipy.stats import norm, t

from .card import ModelCard
from .case import ScoreCase
from .points import Points
from .predictors import check_predictors, derivatives, predictor_values, values_of
from .refusal import refusals_of, remarks_of
from .sources import MODEL, READERS, REPEATS, sources_of

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

    The variance of the log odds is that of :mod:`~her2map.score.points`, summed over all sources. The
    interval is the log odds +- t sqrt(variance), with t at Welch and Satterthwaite's degrees of freedom,
    mapped to probabilities.

    Raises:
        InputError: the card wants a predictor that nobody measures.
    """
    check_predictors(card)
    refusals, remarks = refusals_of(card, case), remarks_of(card, case)
    if refusals:
        return Assessment(refusals, remarks)
    point = _point_of(card, case)
    found = {
        name: (float(point.variance(one.covariance)), one.df) for name, one in sources_of(card, case).items()
    }
    found[MODEL] = (float(point.model_variance), math.inf)
    half_width = half_width_of([variance for variance, _ in found.values()], [df for _, df in found.values()])
    total = sum(variance for variance, _ in found.values())
    log_odds = float(point.log_odds)
    bounds = [float(expit(log_odds + sign * half_width)) for sign in (-1, 1)]
    probability = float(expit(log_odds))
    return Assessment(
        remarks=remarks,
        probability=probability,
        low=bounds[0],
        high=bounds[1],
        call=card.positive_call if probability >= card.cut_off else card.negative_call,
        log_odds=log_odds,
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


def _point_of(card: ModelCard, case: ScoreCase) -> Points:
    return Points.of(card, predictor_values(case), derivatives(values_of(case)))


def _grey_zone(card: ModelCard, case: ScoreCase, point: Points) -> GreyZone:
    """Both readings stray about the same true value, so their difference has the variances of both."""
    own = sources_of(card, case)
    once = sources_of(card, replace(case, readings=replace(case.readings, readers=1, repeats=1)))
    known = card.errors is not None or case.readings.own is not None
    different = [each[name].covariance for each in (own, once) for name in (REPEATS, READERS)]
    spread = math.sqrt(sum(float(point.variance(one)) for one in different))
    cut = float(logit(card.cut_off))
    away = abs(float(point.log_odds) - cut)
    change = (float(norm.sf(away / spread)) if spread else 0.0) if known else math.nan
    reach = float(norm.isf(CHANGED_CALL)) * spread
    return GreyZone(float(expit(cut - reach)), float(expit(cut + reach)), change)


def _contributions(card: ModelCard, point: Points) -> tuple[Contribution, ...]:
    found = []
    for predictor, slope, value in zip(card.predictors, card.coefficients[1:], point.design[1:], strict=True):
        added = slope * (float(value) - training_mean(card, predictor.name))
        found.append(Contribution(predictor.name, predictor.unit, float(value), added))
    return tuple(found)


def training_mean(card: ModelCard, name: str) -> float:
    """Of a predictor, over both groups of the training cohort."""
    sizes, groups = card.cohort.groups, card.predictor(name).groups
    return sum(sizes[group] * groups[group].mean for group in sizes) / sum(sizes.values())
