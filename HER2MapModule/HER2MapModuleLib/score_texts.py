"""Names and facts of a model card and of a case, in words."""

import math

from slicer.i18n import tr as _

from . import map_nodes

ER = "er_positive"


def nameOf(predictor: str) -> str:
    if predictor == ER:
        return _("ER")
    return map_nodes.NAMES.get(predictor, _("Probability"))


def valueText(predictor: str, value: float) -> str:
    """With its unit; a dash where there is none."""
    from her2map.report.style import STYLES
    from her2map.report.tables import percent, plain

    if predictor == ER and not math.isnan(value):
        return _("positive") if value > 0.5 else _("negative")
    if predictor not in STYLES:
        return percent(value, 0)
    style = STYLES[predictor]
    text = plain(value, style.decimals)
    return f"{text} {style.unit}" if style.unit and not math.isnan(value) else text


def markText(predictor: str, value: float) -> str:
    """Of a tick: without the unit."""
    return valueText(predictor, value) if predictor == ER else f"{value:g}"


def factRows(card) -> list[tuple[str, str]]:
    """What a reader must know of a card to trust it or not: label and text."""
    cohort = card.cohort
    groups = ", ".join(f"{name} (n = {count})" for name, count in cohort.groups.items())
    rows = [
        (_("Model"), card.name),
        (_("It tells"), card.outcome),
        (_("Cohort"), cohort.origin),
        (_("Groups"), groups),
        (_("Left out"), _("{count} cases").format(count=cohort.left_out)),
        (_("Centre"), cohort.centre),
        (_("Period"), cohort.period),
        (_("Field strength"), " T, ".join(f"{one:g}" for one in cohort.field_strengths_t)),
        (_("Predictors"), "\n".join(map(_predictorText, card.predictors))),
        (_("Fitted by"), card.fitted_by),
        *_performanceRows(card.performance),
        (_("Cut-off"), f"{_percent(card.cut_off, 1)} ({card.cut_off_rule})"),
        (_("Coverage"), _("at least {part} of the ROI").format(part=_percent(card.minimum_coverage, 0))),
        (_("Readings"), _errorsText(card.errors)),
        (_("Assumed"), "\n".join(card.assumptions)),
        (_("History"), "\n".join(card.history) or _("as it was fitted")),
        (_("Software"), ", ".join(f"{name} {version}" for name, version in card.software.items())),
        (_("Licence"), card.licence),
        (_("SHA-256"), " ".join(card.content_hash[at : at + 16] for at in range(0, 64, 16))),
    ]
    told = [(label, text or _("not told")) for label, text in rows]
    return [
        (label, f"{text} T" if label == _("Field strength") and cohort.field_strengths_t else text)
        for label, text in told
    ]


def _predictorText(one) -> str:
    low, high = (valueText(one.name, end) for end in (one.minimum, one.maximum))
    by = ", ".join(technique.replace("_", " ") for technique in one.techniques)
    text = _("{name}: {low} to {high}").format(name=nameOf(one.name), low=low, high=high)
    return _("{text}; by {by}").format(text=text, by=by) if by else text


def _performanceRows(found) -> list[tuple[str, str]]:
    interval = ""
    if found.apparent_low is not None and found.apparent_high is not None:
        interval = _(" (95 % interval {low} to {high})").format(
            low=_number(found.apparent_low, 3), high=_number(found.apparent_high, 3)
        )
    calibration = _("slope {slope}, intercept {intercept}, Brier score {brier}, corrected for optimism")
    calls = _("sensitivity {sensitivity}, specificity {specificity} in the training cohort")
    return [
        (_("AUC, apparent"), _number(found.apparent_auc, 3) + interval),
        (_("AUC, corrected"), _number(found.corrected_auc, 3)),
        (
            _("Calibration"),
            calibration.format(
                slope=_number(found.slope, 2),
                intercept=_number(found.intercept, 2),
                brier=_number(found.brier, 3),
            ),
        ),
        (
            _("Calls"),
            calls.format(
                sensitivity=_percent(found.sensitivity, 0), specificity=_percent(found.specificity, 0)
            ),
        ),
        (_("Method"), found.method),
    ]


def _errorsText(errors) -> str:
    if errors is None:
        return _("how much readings differ is not known")
    text = _("differences between readings from {within} repeats and {between} differences between readers")
    return text.format(within=errors.within_df, between=errors.between_df)


def _number(value, decimals: int) -> str:
    from her2map.report.tables import plain

    return _("not known") if value is None else plain(round(value, decimals) + 0.0, decimals)  # never -0


def _percent(value, decimals: int) -> str:
    from her2map.report.tables import percent

    return _("not known") if value is None else percent(value, decimals)
