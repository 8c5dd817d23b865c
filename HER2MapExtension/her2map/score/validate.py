"""A card judged on another cohort: discrimination, calibration, use, case mix, what recalibration gives."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import chi2

from ..biomarkers import MEASURED
from ..cohort.inputs import Cohort
from ..cohort.markers import contrast
from ..cohort.variables import design
from ..errors import InputError
from ..progress import Progress, no_progress, part_of
from ..statistics.calibration import Calibration, calibration
from ..statistics.decision import DecisionCurve, decision_curve
from ..statistics.diagnosis import Diagnosis, diagnosis
from ..statistics.logistic import logistic
from ..statistics.roc import RocCurve, roc
from ..statistics.tested import Tested
from ..statistics.validation import RESAMPLES, BootstrapValidation, bootstrap
from .acquired import Acquired
from .card import Distribution, ModelCard
from .case import MapValue, ScoreCase
from .predictors import ER, check_predictors
from .recalibrate import AS_IT_IS, Advice, Method, closed_test, shifted
from .refusal import refusals_of

Array = NDArray[np.float64]

SCORED, COMPLETE = "scored", "complete"
LOG_ODDS = "log odds"
BOTH = "both"
EXTERNAL = "groups degrees of freedom, as the model was not fitted to these cases"


@dataclass(frozen=True, eq=False)
class NewCases:
    """The HER2-low and HER2-positive cases of a cohort, with what a card says of them.

    Attributes:
        frame: a row a case, the index its code: outcome (1 HER2-positive, 0 HER2-low), a column a predictor
            of the card, log_odds (NaN where a predictor is missing), why (the card's refusals; "" for none).
    """

    card: ModelCard
    frame: pd.DataFrame

    def part(self, name: str) -> pd.DataFrame:
        """The cases that get a number (`SCORED`), or all that have every predictor (`COMPLETE`)."""
        complete = self.frame[self.frame["log_odds"].notna()]
        return complete if name == COMPLETE else complete[complete["why"] == ""]

    def design(self, part: pd.DataFrame) -> Array:
        """(n, k + 1) 1, then the predictors."""
        values = part[[one.name for one in self.card.predictors]].to_numpy(float)
        return np.column_stack([np.ones(len(part)), values])


def new_cases(card: ModelCard, cohort: Cohort, acquired: Acquired) -> NewCases:
    """What the card says of a cohort.

    Raises:
        InputError: the cohort lacks a predictor altogether, or the card wants one that nobody measures.
    """
    check_predictors(card)
    pair = contrast(cohort)
    names = [one.name for one in card.predictors]
    variables = [cohort.variable("er" if name == ER else name) for name in names]
    columns = design(pair.frame, variables).rename(columns={"er": ER})
    log_odds = np.column_stack([np.ones(len(columns)), columns[names].to_numpy()]) @ np.array(
        card.coefficients
    )
    why = [
        " ".join(refusals_of(card, _score_case(case, row, columns, acquired)))
        for case, row in pair.frame.iterrows()
    ]
    return NewCases(card, columns.assign(outcome=pair.outcome, log_odds=log_odds, why=why))


def _score_case(case: str, row: pd.Series, columns: pd.DataFrame, acquired: Acquired) -> ScoreCase:
    known = acquired.of(case)
    maps = {
        name: MapValue(float(row[name]), technique=known.techniques.get(name, ""))
        for name in MEASURED
        if name in row.index
    }
    er = columns.at[case, ER] if ER in columns else math.nan
    return ScoreCase(None if math.isnan(er) else bool(er), maps, known.field_strength_t)


@dataclass(frozen=True, eq=False)
class Judged:
    """Figures of a model on some cases.

    Attributes:
        curve: ROC curve of the log odds.
        calls: at the card's cut-off, on the scale of the log odds.
        calibration: Hosmer-Lemeshow with as many degrees of freedom as groups.
    """

    curve: RocCurve
    calls: Diagnosis
    calibration: Calibration


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """What the model would be after recalibration, on the cases that it was recalibrated to.

    Attributes:
        intercept, slope: of the new log odds over the former ones; NaN of a refitted model.
        log_odds: (n,) of the scored cases.
        calibration: of these very cases, hence apparent.
        corrected: by bootstrap, for what is estimated here; None in the large, where it is one shift.
        reason: why there is none; "" where there is.
    """

    intercept: float = math.nan
    slope: float = math.nan
    log_odds: Array | None = None
    calibration: Calibration | None = None
    corrected: BootstrapValidation | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Validation:
    """A card on another cohort.

    Attributes:
        cases: all of them.
        counts: cases, those with all predictors, and those that get a number.
        refused: how many get none, by reason; a case may have several.
        judged: by `SCORED` and `COMPLETE`, the second where it has more cases.
        decision: of the score as it is, on the scored cases.
        case_mix: a row a quantity (log odds, predictors) and group (HER2-low, HER2-positive, both): mean and
            SD in the training cohort and here, standardised difference; for both groups also how many cases
            lie below and above the training range.
        recalibrated: by method.
        advice: which method the data ask for; None where no model could be refitted.
    """

    card: ModelCard
    name: str
    cases: NewCases
    counts: Mapping[str, int]
    refused: Mapping[str, int]
    judged: Mapping[str, Judged]
    decision: DecisionCurve
    case_mix: pd.DataFrame
    recalibrated: Mapping[Method, Recalibrated]
    advice: Advice | None
    notes: tuple[str, ...]


def validate(
    card: ModelCard,
    cohort: Cohort,
    acquired: Acquired = Acquired(),  # noqa: B008 - it cannot change
    *,
    bootstraps: int = RESAMPLES,
    seed: int = 1,
    progress: Progress = no_progress,
) -> Validation:
    """Judge a card on the HER2-positive against the HER2-low cases of a cohort that it was not fitted to.

    Args:
        acquired: how the cases were examined; what is not known is not compared.
        bootstraps: resamples for what recalibration estimates; 0 for none.

    Raises:
        InputError: the cohort lacks a predictor; or no case, or only cases of one group, get a number.
        Cancelled: raised by `progress`.
    """
    cases = new_cases(card, cohort, acquired)
    scored, complete = cases.part(SCORED), cases.part(COMPLETE)
    if scored["outcome"].nunique() < 2:
        raise InputError(_nothing(cases))
    judged = {SCORED: judge(card, scored)}
    if len(complete) > len(scored):
        judged[COMPLETE] = judge(card, complete)
    recalibrated = {
        method: _recalibrated(cases, method, bootstraps, seed, part_of(progress, i / 3, (i + 1) / 3))
        for i, method in enumerate(Method)
    }
    probability = {"score": expit(scored["log_odds"])}
    return Validation(
        card=card,
        name=cohort.name,
        cases=cases,
        counts=_counts(cases),
        refused=_refused(cases),
        judged=judged,
        decision=decision_curve(scored["outcome"], probability),
        case_mix=case_mix(card, complete),
        recalibrated=recalibrated,
        advice=_advice(card, scored, recalibrated),
        notes=acquired.notes,
    )


def judge(card: ModelCard, part: pd.DataFrame) -> Judged:
    """Discrimination, calls and calibration of cases with log odds."""
    found = calibration(part["outcome"], expit(part["log_odds"]))
    return Judged(
        curve=roc(part["outcome"], part["log_odds"]),
        calls=diagnosis(part["outcome"], part["log_odds"], float(logit(card.cut_off))),
        calibration=replace(found, hosmer_lemeshow=_external(found.hosmer_lemeshow)),
    )


def _external(test: Tested) -> Tested:
    if not test.known:
        return test
    df = test.df[0] + 2
    return replace(test, df=(df,), p=float(chi2.sf(test.statistic, df)), convention=EXTERNAL)


def _nothing(cases: NewCases) -> str:
    told = Counter(text for text in cases.frame["why"] if text)
    often = f"; most often: {told.most_common(1)[0][0]}" if told else ""
    sizes = cases.part(SCORED)["outcome"].value_counts()
    return (
        f"The card gives a number to {int(sizes.get(0.0, 0))} HER2-low and {int(sizes.get(1.0, 0))} "
        f"HER2-positive cases; it cannot be judged without cases of both{often}"
    )


def _counts(cases: NewCases) -> dict[str, int]:
    complete, scored = cases.part(COMPLETE), cases.part(SCORED)
    return {
        "cases": len(cases.frame), "with all predictors": len(complete), "with a number": len(scored),
    }  # fmt: skip


def _refused(cases: NewCases) -> dict[str, int]:
    """How many cases get no number, by reason; a case may have several."""
    frame = cases.frame
    inside = frame["log_odds"].notna()
    found = {}
    for one in cases.card.predictors:
        values = frame[one.name]
        outside = (values < one.minimum) | (values > one.maximum)
        found[f"{one.name} is missing"] = int(values.isna().sum())
        found[f"{one.name} is outside the training range"] = int(outside.sum())
        inside &= ~outside
    found["another field strength or sequence"] = int((inside & (frame["why"] != "")).sum())
    return {reason: count for reason, count in found.items() if count}


def case_mix(card: ModelCard, part: pd.DataFrame) -> pd.DataFrame:
    """The cohort beside the training cohort; see :class:`Validation`.

    The standardised difference is that of the means over the root of the mean of both variances. A log odds
    whose SD is smaller here tells of cases that are more alike, and harder to tell apart (Debray et al., J
    Clin Epidemiol 2015;68:279).
    """
    quantities = {LOG_ODDS: (card.cohort.log_odds, part["log_odds"], -math.inf, math.inf)}
    for one in card.predictors:
        quantities[one.name] = (one.groups, part[one.name], one.minimum, one.maximum)
    negative, positive = card.groups
    rows = []
    for name, (groups, values, low, high) in quantities.items():
        own = {negative: values[part["outcome"] == 0], positive: values[part["outcome"] == 1], BOTH: values}
        for group, here in own.items():
            before = training_moments(card, groups, group)
            outside = {"below": int((here < low).sum()), "above": int((here > high).sum())}
            rows.append({"quantity": name, "group": group, **_beside(before, here), **outside})
    return pd.DataFrame(rows)


def _beside(before: tuple[float, float], here: pd.Series) -> dict[str, float]:
    (mean_before, sd_before), n = before, len(here)
    mean = float(here.mean())
    sd = float(here.std(ddof=1)) if n > 1 else math.nan
    spread = math.sqrt((sd**2 + sd_before**2) / 2)
    return {
        "training_mean": mean_before,
        "training_sd": sd_before,
        "mean": mean,
        "sd": sd,
        "standardised_difference": (mean - mean_before) / spread if spread > 0 else math.nan,
        "cases": n,
    }


def training_moments(card: ModelCard, groups: Mapping[str, Distribution], group: str) -> tuple[float, float]:
    """Mean and SD of a group of the training cohort, or of `BOTH` together."""
    if group != BOTH:
        return groups[group].mean, groups[group].sd
    sizes = card.cohort.groups
    n = sum(sizes.values())
    mean = sum(sizes[name] * groups[name].mean for name in sizes) / n
    squares = sum(
        (sizes[name] - 1) * groups[name].sd ** 2 + sizes[name] * (groups[name].mean - mean) ** 2
        for name in sizes
    )
    return mean, math.sqrt(squares / (n - 1)) if n > 1 else math.nan


def _recalibrated(
    cases: NewCases, method: Method, bootstraps: int, seed: int, progress: Progress
) -> Recalibrated:
    part = cases.part(SCORED)
    names = [one.name for one in cases.card.predictors]
    columns = part[["log_odds"]] if method is Method.SLOPE else part[names]
    corrected = None
    try:
        if method is Method.REFIT:
            fit = logistic(part["outcome"], columns)
            if fit.reason:
                raise InputError(fit.reason)
            found = Recalibrated(log_odds=fit.linear_predictor)
        else:
            shift = shifted(cases.card, cases.design(part), part["outcome"].to_numpy(), method)
            found = Recalibrated(shift.intercept, shift.slope, shift.of(part["log_odds"].to_numpy()))
    except InputError as problem:
        return Recalibrated(reason=str(problem))
    if bootstraps and method is not Method.IN_THE_LARGE:
        corrected = bootstrap(
            part["outcome"], columns, None, resamples=bootstraps, seed=seed, progress=progress
        )
    judged = calibration(part["outcome"], expit(found.log_odds))
    return replace(found, calibration=judged, corrected=corrected)


def _advice(
    card: ModelCard, scored: pd.DataFrame, recalibrated: Mapping[Method, Recalibrated]
) -> Advice | None:
    known = {str(name): one.log_odds for name, one in recalibrated.items() if one.log_odds is not None}
    if Method.REFIT not in known:
        return None
    outcome = scored["outcome"].to_numpy()
    return closed_test(outcome, {AS_IT_IS: scored["log_odds"].to_numpy(), **known}, len(card.predictors))


def refusal_table(found: Validation) -> pd.DataFrame:
    """The cases without a number: case, why."""
    frame = found.cases.frame
    return frame.loc[frame["why"] != "", ["why"]].rename_axis("case").reset_index()
