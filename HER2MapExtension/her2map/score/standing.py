"""Where a case stands in the training cohort: by predictor and by the score itself."""

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import expit

from .assess import Assessment
from .card import ModelCard
from .case import ScoreCase
from .predictors import predictor_values

PROBABILITY = "probability"


@dataclass(frozen=True)
class Standing:
    """One quantity of the training cohort, with a case.

    Attributes:
        name: of a predictor, or `PROBABILITY`.
        unit: "ms", or "1".
        value: of the case; NaN where there is none.
        deciles: by group, (11,) from the smallest to the largest.
        means: by group; of `PROBABILITY` that of the mean log odds.
    """

    name: str
    unit: str
    value: float
    deciles: Mapping[str, tuple[float, ...]]
    means: Mapping[str, float]


def standings(card: ModelCard, case: ScoreCase, found: Assessment) -> tuple[Standing, ...]:
    """Of every predictor, then of the probability, which a refused case has not."""
    values = predictor_values(case)
    rows = [
        Standing(
            one.name,
            one.unit,
            values[one.name],
            {group: known.deciles for group, known in one.groups.items()},
            {group: known.mean for group, known in one.groups.items()},
        )
        for one in card.predictors
    ]
    log_odds = card.cohort.log_odds
    rows.append(
        Standing(
            PROBABILITY,
            "1",
            found.probability,
            {group: tuple(float(expit(x)) for x in known.deciles) for group, known in log_odds.items()},
            {group: float(expit(known.mean)) for group, known in log_odds.items()},
        )
    )
    return tuple(rows)
