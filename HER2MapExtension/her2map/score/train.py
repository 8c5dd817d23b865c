"""A model card from a cohort: the logistic model of HER2-positive against HER2-low cases."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from ..cohort.inputs import Cohort
from ..cohort.markers import Contrast, contrast
from ..cohort.models import PAPER, check_named
from ..cohort.variables import IMAGING, design
from ..errors import InputError
from ..progress import Progress, no_progress
from ..roi.measure import MINIMUM_COVERAGE
from ..software import versions
from ..statistics.logistic import LogisticFit, logistic
from ..statistics.roc import CutOff, RocCurve, roc
from ..statistics.validation import RESAMPLES, BootstrapValidation, bootstrap
from .card import SCHEMA_VERSION, Distribution, ModelCard, Performance, Predictor, TrainingCohort
from .card_checks import DECILES, UNITS
from .predictors import ER, parts_of
from .reading_errors import reading_errors

Array = NDArray[np.float64]

OUTCOME = "1 = HER2-positive, 0 = HER2-low"
NEGATIVE, POSITIVE = "HER2-low", "HER2-positive"
ER_FACTOR = "er"
"""What a cohort calls the predictor that a card calls `er_positive`."""
USABLE = (ER_FACTOR, *(one.name for one in IMAGING))
RESEARCH_ONLY = "For research only; it does not replace pathology."
DEMONSTRATION_ONLY = "Demonstration: fitted on a simulated cohort, not on patients."
NOT_TOLD = "NOASSERTION"
"""In place of an SPDX identifier, where nobody named a licence."""
LEAST = 2
"""Complete cases of each group, without which a distribution has no SD and an area no interval."""


@dataclass(frozen=True)
class Background:
    """What a card says of its cohort and itself that no number of the cohort tells.

    Attributes:
        name: of the model.
        origin: where the cases come from.
        centre, period: where and when they were examined; "" where that is not told.
        field_strengths_t: in tesla; empty where they are not known.
        techniques: by measured biomarker, of :class:`~her2map.series.Technique`.
        simulated: no patient is among the cases.
        assumptions: what was assumed where no figure was at hand.
        warning: shown wherever the score is.
        licence: SPDX identifier.
        minimum_coverage: of a ROI on every map that the score uses.
    """

    name: str
    origin: str
    centre: str = ""
    period: str = ""
    field_strengths_t: tuple[float, ...] = ()
    techniques: Mapping[str, Sequence[str]] = field(default_factory=dict)
    simulated: bool = False
    assumptions: tuple[str, ...] = ()
    warning: str = RESEARCH_ONLY
    licence: str = NOT_TOLD
    minimum_coverage: float = MINIMUM_COVERAGE


def train(
    cohort: Cohort,
    background: Background,
    predictors: Sequence[str] = PAPER,
    *,
    bootstraps: int = RESAMPLES,
    seed: int = 1,
    progress: Progress = no_progress,
) -> ModelCard:
    """The model of the HER2-positive against the HER2-low cases that have all predictors.

    Maximum likelihood, or Firth's penalised likelihood where the data separate. The cut-off is Youden's on
    the log odds, midway between the observed values next to it.

    Args:
        predictors: "er" and biomarkers, by name.
        bootstraps: resamples for the figures corrected for optimism; 0 for none.
        seed: of the resamples.

    Raises:
        InputError: a predictor is unknown, none that a score can take, or says the same as others; there are
            too few cases; or the model is no better than chance.
        Cancelled: raised by `progress`.
    """
    names = tuple(ER_FACTOR if name == ER else name for name in predictors)
    _check_names(cohort, names)
    pair = contrast(cohort)
    columns = design(pair.frame, [cohort.variable(name) for name in names])
    columns = columns.rename(columns={ER_FACTOR: ER})
    fit = fitted(pair, columns)
    curve = roc(fit.outcome, fit.linear_predictor)
    cut_off = youden(curve)
    resampled = None
    if bootstraps:
        resampled = bootstrap(pair.outcome, columns, None, resamples=bootstraps, seed=seed, progress=progress)
    return ModelCard(
        schema_version=SCHEMA_VERSION,
        name=background.name,
        outcome=OUTCOME,
        predictors=_predictors(fit, columns.loc[list(fit.used)], background.techniques),
        coefficients=tuple(map(float, fit.coefficients)),
        covariance=tuple(tuple(map(float, row)) for row in fit.covariance),
        fitted_by=_estimator(fit),
        cut_off=float(expit(cut_off.threshold)),
        cut_off_rule="largest Youden index (sensitivity + specificity - 1) in the training cohort, midway "
        "between the neighbouring log odds",
        positive_call=POSITIVE,
        negative_call=NEGATIVE,
        minimum_coverage=background.minimum_coverage,
        cohort=_training_cohort(cohort, fit, background),
        performance=_performance(curve, cut_off, resampled),
        errors=reading_errors(cohort.readings),
        assumptions=background.assumptions,
        history=(),
        warning=background.warning,
        licence=background.licence,
        software=versions("numpy", "scipy"),
    )


def _check_names(cohort: Cohort, names: Sequence[str]) -> None:
    if not names:
        raise InputError(f"No predictor was named; a score takes {', '.join(USABLE)}.")
    for name in names:
        if name not in USABLE:
            raise InputError(f"A score cannot take '{name}'; it takes {', '.join(USABLE)}.")
    check_named(cohort, names)


def fitted(pair: Contrast, columns: pd.DataFrame) -> LogisticFit:
    """The model on the complete cases.

    Raises:
        InputError: there is none.
    """
    fit = logistic(pair.outcome, columns)
    counts = {NEGATIVE: fit.n - fit.events, POSITIVE: fit.events}
    for group, count in counts.items():
        if count < LEAST:
            raise InputError(
                f"There are {count} {group} cases with all of {', '.join(columns)}; a model needs at least "
                f"{LEAST}, and many more to be worth anything."
            )
    if fit.reason:
        raise InputError(f"No model can be fitted: {fit.reason}")
    return fit


def youden(curve: RocCurve) -> CutOff:
    """Raises: InputError: there is no cut-off."""
    if curve.cut_off is None:
        raise InputError(f"The model has no cut-off: {curve.no_cut_off}")
    return curve.cut_off


def _estimator(fit: LogisticFit) -> str:
    if not fit.separated:
        return "logistic regression by maximum likelihood"
    return (
        "logistic regression by Firth's penalised likelihood, because the data separate the groups "
        f"({', '.join(fit.separated)})"
    )


def _predictors(
    fit: LogisticFit, values: pd.DataFrame, techniques: Mapping[str, Sequence[str]]
) -> tuple[Predictor, ...]:
    found = []
    for name in fit.names:
        own = values[name].to_numpy()
        used = dict.fromkeys(one for part in parts_of(name) for one in techniques.get(part, ()))
        found.append(
            Predictor(name, UNITS[name], float(own.min()), float(own.max()), tuple(used), by_group(fit, own))
        )
    return tuple(found)


def by_group(fit: LogisticFit, values: Array) -> dict[str, Distribution]:
    """The distributions of a quantity (n,) of the model's cases."""
    return {
        NEGATIVE: distribution(values[fit.outcome == 0]),
        POSITIVE: distribution(values[fit.outcome == 1]),
    }


def distribution(values: Array) -> Distribution:
    """Of values (n,), at least two."""
    deciles = np.quantile(values, np.linspace(0, 1, DECILES))
    return Distribution(
        float(values.mean()), float(values.std(ddof=1)), tuple(map(float, np.maximum.accumulate(deciles)))
    )


def _training_cohort(cohort: Cohort, fit: LogisticFit, background: Background) -> TrainingCohort:
    return TrainingCohort(
        groups={NEGATIVE: fit.n - fit.events, POSITIVE: fit.events},
        origin=background.origin,
        centre=background.centre,
        period=background.period,
        field_strengths_t=tuple(background.field_strengths_t),
        left_out=len(cohort.left_out) + len(fit.left_out),
        simulated=background.simulated,
        log_odds=by_group(fit, fit.linear_predictor),
    )


def _performance(curve: RocCurve, cut_off: CutOff, found: BootstrapValidation | None) -> Performance:
    figures = found if found is not None and not found.reason else None
    method = "in the training cohort alone, with DeLong's interval; not corrected for optimism"
    if figures:
        method = (
            f"apparent with DeLong's interval; corrected by {figures.used} bootstrap resamples, in each of "
            "which the model was fitted anew (Harrell's optimism)"
        )
    return Performance(
        apparent_auc=curve.auc.value,
        apparent_low=known(curve.auc.low),
        apparent_high=known(curve.auc.high),
        corrected_auc=known(figures.auc.corrected.value) if figures else None,
        slope=known(figures.slope.corrected.value) if figures else None,
        intercept=known(figures.intercept.corrected.value) if figures else None,
        brier=known(figures.brier.corrected.value) if figures else None,
        sensitivity=cut_off.sensitivity,
        specificity=cut_off.specificity,
        method=method,
    )


def known(value: float) -> float | None:
    """NaN as None."""
    return float(value) if math.isfinite(value) else None
