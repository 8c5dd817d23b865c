"""A card brought to another cohort, with its history."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from ..cohort.inputs import Cohort
from ..progress import Progress, no_progress
from ..statistics.validation import RESAMPLES
from .card import Distribution, ModelCard, Performance
from .predictors import ER
from .recalibrate import Method, Shift, shifted
from .train import ER_FACTOR, Background, known, train
from .validate import SCORED, Validation

_WORDS = {
    Method.IN_THE_LARGE: "Recalibrated in the large",
    Method.SLOPE: "Recalibrated by intercept and slope",
    Method.REFIT: "Fitted anew",
}


def updated_card(
    found: Validation,
    cohort: Cohort,
    method: Method,
    background: Background,
    *,
    bootstraps: int = RESAMPLES,
    seed: int = 1,
    progress: Progress = no_progress,
) -> ModelCard:
    """The card after recalibration to the cases that it gave a number, or refitted to all complete ones.

    Args:
        found: of the same cohort.
        background: of a refitted card; one that was recalibrated takes its name from it, and tells centre
            and period in its history.
        bootstraps, seed: of a refitted card.

    Raises:
        InputError: there is no such card; see :func:`~her2map.score.recalibrate.shifted` and
            :func:`~her2map.score.train.train`.
        Cancelled: raised by `progress`.
    """
    if method is Method.REFIT:
        names = [ER_FACTOR if one.name == ER else one.name for one in found.card.predictors]
        new = train(cohort, background, names, bootstraps=bootstraps, seed=seed, progress=progress)
        told = _told(method, background, cohort.name, list(new.cohort.groups.values()))
        return replace(new, history=(*found.card.history, with_parent(told, found.card)))
    part = found.cases.part(SCORED)
    outcome = part["outcome"].to_numpy()
    shift = shifted(found.card, found.cases.design(part), outcome, method)
    sizes = [int((outcome == group).sum()) for group in (0, 1)]
    told = _told(method, background, cohort.name, sizes)
    told += f": log odds = {shift.intercept:.6g} + {shift.slope:.6g} x the former"
    new = shifted_card(found.card, shift, told)
    return replace(new, name=background.name, performance=_performance(found, method))


def _told(method: Method, background: Background, name: str, sizes: Sequence[int]) -> str:
    where = ", ".join(part for part in (name, background.centre, background.period) if part)
    return f"{_WORDS[method]} on {sizes[0]} HER2-low and {sizes[1]} HER2-positive cases ({where})"


def shifted_card(card: ModelCard, shift: Shift, told: str) -> ModelCard:
    """The card of a recalibrated model, but for its performance.

    Ranges, distributions and the cohort stay those of the training cases, whose log odds are shifted: from
    them the model knows what its predictors do. The cut-off moves with the log odds, so that no case's call
    changes: recalibration corrects probabilities, and the cut-off was chosen among cases.

    Args:
        told: what was done, a sentence; the former card's hash is added.
    """
    moved = {name: _moved(one, shift) for name, one in card.cohort.log_odds.items()}
    return replace(
        card,
        coefficients=tuple(map(float, shift.coefficients)),
        covariance=tuple(tuple(map(float, row)) for row in shift.covariance),
        cut_off=float(expit(shift.intercept + shift.slope * logit(card.cut_off))),
        cut_off_rule=_cut_off_rule(card),
        cohort=replace(card.cohort, log_odds=moved),
        history=(*card.history, with_parent(told, card)),
    )


_MOVED = "; moved by recalibration, so that no call changes"


def _cut_off_rule(card: ModelCard) -> str:
    return f"{card.cut_off_rule.removesuffix(_MOVED)}{_MOVED}"


def with_parent(told: str, card: ModelCard) -> str:
    """A sentence of a card's history."""
    return f"{told.rstrip('.')}; from the card {card.content_hash}."


def _moved(one: Distribution, shift: Shift) -> Distribution:
    deciles = shift.of(np.array(one.deciles))
    mean = shift.intercept + shift.slope * one.mean
    return Distribution(mean, shift.slope * one.sd, tuple(map(float, deciles)))


def _performance(found: Validation, method: Method) -> Performance:
    judged, after = found.judged[SCORED], found.recalibrated[method]
    fitted = "the intercept was" if method is Method.IN_THE_LARGE else "intercept and slope were"
    figures = after.corrected if after.corrected is not None and not after.corrected.reason else None
    assert after.calibration is not None  # there was a shift
    text = (
        f"in the cases of {found.name}, to which {fitted} fitted; the order of the cases was not, so that "
        "the area and what follows the cut-off need no correction"
    )
    if figures:
        text += "; slope, intercept and Brier score corrected by bootstrap"
    slope = None
    if method is Method.IN_THE_LARGE:
        slope = known(after.calibration.slope.value)
    return Performance(
        apparent_auc=judged.curve.auc.value,
        apparent_low=known(judged.curve.auc.low),
        apparent_high=known(judged.curve.auc.high),
        corrected_auc=judged.curve.auc.value,
        slope=known(figures.slope.corrected.value) if figures else slope,
        intercept=known(figures.intercept.corrected.value) if figures else None,
        brier=known(figures.brier.corrected.value if figures else after.calibration.brier),
        sensitivity=known(judged.calls.sensitivity.wilson.value),
        specificity=known(judged.calls.specificity.wilson.value),
        method=text,
    )
