"""The tables of a card's validation, in print and at full precision."""

import math
from collections.abc import Mapping

import pandas as pd

from ..score.recalibrate import AS_IT_IS, Method
from ..score.validate import COMPLETE, LOG_ODDS, SCORED, Judged, Recalibrated, Validation, refusal_table
from ..statistics.estimate import Estimate
from .cohort_markers import share_text
from .cohort_style import interval, number, p_value, significant
from .print_table import PrintTable

PART_TITLES = {SCORED: "cases that get a number", COMPLETE: "all cases with every predictor"}
METHOD_TITLES = {
    Method.IN_THE_LARGE: "in the large (intercept)",
    Method.SLOPE: "intercept and slope",
    Method.REFIT: "refitted",
}


def judged_print(found: Validation) -> PrintTable:
    """Discrimination and calibration."""
    head = ["cases", "n (HER2-positive)", "AUC", "sensitivity, %", "specificity, %", "slope", "intercept",
            "Brier", "Hosmer-Lemeshow p"]  # fmt: skip
    lines = [head, *(_judged_line(PART_TITLES[name], one) for name, one in found.judged.items())]
    rest = found.judged[SCORED].calibration.hosmer_lemeshow
    notes = (
        f"Sensitivity and specificity: at the card's cut-off, {100 * found.card.cut_off:.1f} %.",
        f"Hosmer-Lemeshow: {rest.convention or rest.reason}.",
    )
    return PrintTable("judged", "Discrimination and calibration", lines, notes)


def _judged_line(title: str, one: Judged) -> list[str]:
    fit = one.calibration
    return [
        title,
        f"{fit.n} ({fit.events})",
        _shown(one.curve.auc, 3),
        share_text(one.calls.sensitivity),
        share_text(one.calls.specificity),
        _shown(fit.slope, 2),
        _shown(fit.intercept, 2),
        number(fit.brier, 3),
        p_value(fit.hosmer_lemeshow.p),
    ]


def _shown(one: Estimate, decimals: int) -> str:
    return interval(one.value, one.low, one.high, decimals)


def refusal_print(found: Validation) -> PrintTable:
    """How many cases get no number, by reason."""
    lines = [["why there is no number", "cases"], *([why, str(n)] for why, n in found.refused.items())]
    notes = ("A case may have several reasons; refused.csv has them case by case.",)
    return PrintTable("refused", "Cases that the card refuses", lines, notes, empty="There are none.")


def case_mix_print(found: Validation) -> PrintTable:
    """The cohort beside the training cohort."""
    lines = [["", "training: mean (SD)", "here: mean (SD)", "standardised difference", "n", "below range",
              "above range"]]  # fmt: skip
    for name, rows in found.case_mix.groupby("quantity", sort=False):
        lines.append([str(name)])
        for row in rows.itertuples():
            lines.append(
                [
                    f"  {row.group}",
                    f"{significant(row.training_mean, 4)} ({significant(row.training_sd)})",
                    f"{significant(row.mean, 4)} ({significant(row.sd)})",
                    number(row.standardised_difference, 2),
                    str(row.cases),
                    *(["–", "–"] if name == LOG_ODDS else [str(row.below), str(row.above)]),
                ]
            )
    notes = (
        "All cases with every predictor. Standardised difference: of the means, over the root of the mean of "
        "both variances. A smaller SD of the log odds than in training tells of cases that are more alike, "
        "and harder to tell apart.",
    )
    return PrintTable("case_mix", "Case mix: this cohort beside the training cohort", lines, notes)


def recalibration_print(found: Validation) -> PrintTable:
    """What each method gives."""
    lines = [["model", "intercept", "slope", "Brier", "slope, corrected", "intercept, corrected",
              "Brier, corrected", "refitted against it: p"]]  # fmt: skip
    before = found.judged[SCORED].calibration
    p: Mapping[str, float] = found.advice.p if found.advice else {}
    lines.append(["as it is", "–", "–", number(before.brier, 3), "–", "–", "–", p_value(_p(p, AS_IT_IS))])
    for method, one in found.recalibrated.items():
        lines.append([METHOD_TITLES[method], *_recalibrated_cells(one), p_value(_p(p, method))])
    reasons = dict.fromkeys(one.reason for one in found.recalibrated.values() if one.reason)
    notes = (
        "Intercept and slope: of the new log odds over the former. Corrected: for optimism, by bootstrap, "
        "what is left of them on new cases. p: likelihood-ratio tests of the closed testing procedure "
        "(Vergouwe et al. 2017), as far as they were needed.",
        *reasons,
    )
    return PrintTable("recalibration", "What recalibration to these cases gives", lines, notes)


def _p(found: Mapping[str, float], name: str) -> float:
    return found.get(str(name), math.nan)


def _recalibrated_cells(one: Recalibrated) -> list[str]:
    figures = one.corrected
    corrected = ["–"] * 3
    if figures is not None and not figures.reason:
        corrected = [
            number(figures.slope.corrected.value, 2),
            number(figures.intercept.corrected.value, 2),
            number(figures.brier.corrected.value, 3),
        ]
    brier = one.calibration.brier if one.calibration else math.nan
    return [number(one.intercept, 3), number(one.slope, 3), number(brier, 3), *corrected]


def advice_text(found: Validation) -> str:
    """Which method the data ask for, in a sentence."""
    if found.advice is None:
        return "Which recalibration the data ask for is not known, as no model could be refitted."
    if found.advice.method is None:
        return "By the closed test the card can stay as it is."
    return f"By the closed test the data ask for recalibration: {METHOD_TITLES[found.advice.method]}."


def validation_tables(found: Validation) -> dict[str, pd.DataFrame]:
    """Every table at full precision, by the name of its file."""
    scored = found.cases.part(SCORED)
    curve, fit = found.judged[SCORED].curve, found.judged[SCORED].calibration
    decision = found.decision
    return {
        "cases": found.cases.frame.rename_axis("case").reset_index(),
        "refused": refusal_table(found),
        "case_mix": found.case_mix,
        "roc_curve": pd.DataFrame(
            {"log_odds": curve.thresholds, "sensitivity": curve.sensitivity, "specificity": curve.specificity}
        ),
        "calibration_groups": pd.DataFrame(
            [
                {
                    "predicted": group.predicted, "observed": group.observed.value, "cases": group.observed.n,
                    "events": group.observed.count, "observed_low": group.observed.wilson.low,
                    "observed_high": group.observed.wilson.high,
                }
                for group in fit.groups
            ]
        ),
        "calibration_curve": pd.DataFrame(
            {name: getattr(fit.curve, name) for name in ("predicted", "observed", "low", "high")}
        ),
        "decision_curve": pd.DataFrame(
            {"threshold": decision.thresholds, "treat_all": decision.treat_all,
             "treat_none": decision.treat_none, **decision.models}
        ),
        "recalibrated": pd.DataFrame(
            {str(name): one.log_odds for name, one in found.recalibrated.items() if one.log_odds is not None},
            index=scored.index,
        ).rename_axis("case").reset_index(),
    }  # fmt: skip
