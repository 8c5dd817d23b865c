"""What is left of a cohort's models on new cases, in print."""

from collections.abc import Mapping, Sequence

from ..cohort.models import Model
from ..cohort.validated import Validated
from ..cohort.variables import Variable, design_titles
from .cohort_style import interval, number
from .print_table import Footnotes, PrintTable
from .tables import percent

_DIGITS = {"auc": 3, "brier": 3, "slope": 2, "intercept": 2}
_NAMES = {
    "auc": "AUC",
    "brier": "Brier score",
    "slope": "calibration slope",
    "intercept": "calibration intercept",
}


def validation_print(found: Mapping[str, Validated], models: Sequence[Model]) -> PrintTable:
    """Apparent, corrected and cross-validated figures of each model."""
    notes = Footnotes()
    lines = [["", "apparent", "optimism", "corrected, Harrell", "corrected, .632+", "cross-validated"]]
    for model in models:
        one = found.get(model.name)
        if one is None:
            continue
        lines.append([_heading(model, one)])
        for name, digits in _DIGITS.items():
            crossed = getattr(one.crossed, name, float("nan"))
            spread = (
                f" ± {number(one.crossed.auc_sd, 3)}" if name == "auc" and one.crossed.auc == crossed else ""
            )
            held = number(crossed, digits) + (spread if crossed == crossed else "")
            held += notes.mark(one.crossed.reason if name == "auc" else "")
            lines.append([_NAMES[name], *_corrected(one, name, digits, notes), held])
    crossed = next(iter(found.values())).crossed if found else None
    about = f"{crossed.folds} folds, {crossed.rounds} rounds; ±: SD between rounds. " if crossed else ""
    return PrintTable(
        "validation",
        "Internal validation, the whole selection repeated in every resample and fold",
        lines,
        (f"Cross-validation: {about}Interval of the corrected figure: see the conventions.", *notes.notes)
        if found
        else (),
        empty="There is no model.",
    )


def _heading(model: Model, one: Validated) -> str:
    if one.bootstrap is None:
        return f"{model.title} (no bootstrap was asked for)"
    told = one.bootstrap
    extra = f", {told.separated} with Firth's penalty" if told.separated else ""
    extra += f", {told.empty} without any factor" if told.empty else ""
    return f"{model.title}: {told.used:,} of {told.resamples:,} bootstrap samples gave a model{extra}"


def _corrected(one: Validated, name: str, digits: int, notes: Footnotes) -> list[str]:
    if one.bootstrap is None:
        return ["–"] * 4
    figure = getattr(one.bootstrap, name)
    value = figure.corrected
    reason = one.bootstrap.reason if name == "auc" else ""
    return [
        number(figure.apparent, digits) + notes.mark(reason), number(figure.optimism, digits),
        interval(value.value, value.low, value.high, digits), number(figure.corrected_632, digits),
    ]  # fmt: skip


def chosen_print(found: Mapping[str, Validated], variables: Sequence[Variable]) -> PrintTable:
    """How often each candidate enters the model of the entry rule."""
    titles = design_titles(variables)
    lines = [["candidate", "in bootstrap samples", "in cross-validation"]]
    one = found.get("entry")
    if one is not None:
        resampled = one.bootstrap.chosen if one.bootstrap else {}
        names = dict.fromkeys([*resampled, *one.crossed.chosen])
        shares = {name: resampled.get(name, float("nan")) for name in names}
        for name in sorted(names, key=lambda name: -shares[name]):
            held = one.crossed.chosen.get(name, float("nan"))
            lines.append([titles.get(name, name), percent(shares[name], 0), percent(held, 0)])
    return PrintTable(
        "chosen", "How often the entry rule chooses each factor", lines, empty="The entry rule gave no model."
    )
