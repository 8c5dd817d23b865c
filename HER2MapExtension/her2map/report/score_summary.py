"""A model card, and its validation, in a few lines for a terminal."""

from ..score.card import ModelCard, Performance
from ..score.validate import SCORED, Validation
from ..statistics.logistic import FEW_EVENTS
from .cohort_style import interval, number, p_value, significant
from .print_table import table_text
from .score_tables import advice_text, case_mix_print, recalibration_print, refusal_print
from .tables import aligned


def card_text(card: ModelCard) -> str:
    """Cases, coefficients, cut-off and what the model is worth."""
    sizes = card.cohort.groups
    counts = ", ".join(f"{count} {name}" for name, count in sizes.items())
    lines = [["", "coefficient", "standard error", "training range"]]
    ranges = ["", *(f"{significant(one.minimum)} to {significant(one.maximum)}" for one in card.predictors)]
    names = ["intercept", *(one.name for one in card.predictors)]
    for i, (name, trained) in enumerate(zip(names, ranges, strict=True)):
        error = card.covariance[i][i] ** 0.5
        lines.append([name, significant(card.coefficients[i], 4), significant(error, 3), trained])
    told = [f"{card.name}: {counts}; {card.cohort.left_out} left out.", f"{card.fitted_by.capitalize()}."]
    fewer = min(sizes.values()) / len(card.predictors)
    if fewer < FEW_EVENTS:
        told.append(
            f"Note: the smaller group has {fewer:.1f} cases a predictor; under {FEW_EVENTS} the model "
            "is unstable, and looks better than it is."
        )
    return "\n".join(
        [
            *told,
            "",
            aligned(lines, right_from=1),
            "",
            _worth(card.performance),
            f"Cut-off: {100 * card.cut_off:.1f} % ({card.cut_off_rule}).",
            card.warning,
        ]
    )


def _worth(found: Performance) -> str:
    def known(value: float | None) -> float:
        return float("nan") if value is None else value

    area = interval(found.apparent_auc, known(found.apparent_low), known(found.apparent_high), 3)
    if found.corrected_auc is None:
        return f"AUC {area}, not corrected for optimism."
    return (
        f"AUC {area}; corrected {number(found.corrected_auc, 3)}; calibration slope "
        f"{number(known(found.slope), 2)}, intercept {number(known(found.intercept), 2)}, Brier score "
        f"{number(known(found.brier), 3)}."
    )


def validation_text(found: Validation) -> str:
    """Who got a number, how well it does, and what recalibration gives."""
    counts, one = found.counts, found.judged[SCORED]
    curve, fit = one.curve, one.calibration
    test = fit.hosmer_lemeshow
    notes = [f"Note: {text}" for text in (*found.notes, *fit.remarks)]
    lines = [
        f"{found.card.name} on {found.name}: {counts['cases']} HER2-low and HER2-positive cases, "
        f"{counts['with all predictors']} with all predictors, {counts['with a number']} with a number.",
        f"AUC {interval(curve.auc.value, curve.auc.low, curve.auc.high, 3)}; calibration slope "
        f"{interval(fit.slope.value, fit.slope.low, fit.slope.high, 2)}, intercept "
        f"{interval(fit.intercept.value, fit.intercept.low, fit.intercept.high, 2)}; Brier score "
        f"{number(fit.brier, 3)}; Hosmer-Lemeshow p {p_value(test.p)}.",
        *notes,
    ]
    tables = [refusal_print(found), case_mix_print(found), recalibration_print(found)]
    shown = [table_text(table) for table in tables if len(table.lines) > 1]
    return "\n\n".join(["\n".join(lines), *shown, advice_text(found)])
