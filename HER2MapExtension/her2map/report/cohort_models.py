"""The logistic models of a cohort in print, and the rows of their forest plot."""

import math
from collections.abc import Sequence

from ..cohort.models import Alone, Model
from ..cohort.variables import Variable, design_columns, design_titles
from ..statistics import Estimate
from ..statistics.logistic import LogisticFit, Term
from .cohort_forest import ForestPanel, ForestRow
from .cohort_style import decimals_of, interval, number, p_value, ratio_interval, significant
from .print_table import Footnotes, PrintTable

_HEADER = (
    "factor", "odds ratio per unit (Wald)", "per unit (profile likelihood)", "per SD (Wald)", "p, Wald",
    "p, likelihood ratio",
)  # fmt: skip
_PER = (
    "Per unit: of a number, 1 ms (of the ratio, 1), 1 year, 1 %; of a category, the level against the one "
    "named last. SD: of the cases of the model."
)


def alone_print(alone: Sequence[Alone]) -> PrintTable:
    """Every factor alone."""
    notes = Footnotes()
    lines = [[_HEADER[0], "n (events)", *_HEADER[1:]]]
    for one in alone:
        titles = design_titles([one.variable])
        counts = f"{one.fit.n} ({one.fit.events})"
        if not one.fit.terms:
            lines.append(
                [_heading(one.variable), counts + notes.mark(one.fit.reason), "–", "–", "–", "–", "–"]
            )
            continue
        if len(one.fit.terms) > 1:
            lines.append([one.variable.title, counts, "", "", "", "", p_value(one.p)])
        for term in one.fit.terms:
            single = len(one.fit.terms) == 1
            title = _heading(one.variable) if single and not one.variable.levels else titles[term.name]
            mark = notes.mark(" ".join(one.fit.remarks))
            lines.append(
                [
                    title if single else f"  {title}",
                    (counts if single else "") + mark,
                    *_term(term, one.variable),
                ]
            )
    return PrintTable(
        "models_alone",
        "Each factor alone, HER2-positive against HER2-low",
        lines,
        (_PER, "n: complete cases; events: HER2-positive.", *notes.notes),
    )


def together_print(model: Model) -> PrintTable:
    """One multivariable model."""
    fit = model.fit
    lines = [["factor", "coefficient (SE)", *_HEADER[1:], "VIF"]]
    titles = design_titles(model.variables)
    if fit.terms:
        error = math.sqrt(fit.covariance[0, 0])
        constant = f"{significant(float(fit.coefficients[0]))} ({significant(error)})"
        lines.append(["constant", constant, *["–"] * 6])
    for variable in model.variables:
        for term in (one for one in fit.terms if one.name in design_columns(variable)):
            title = _heading(variable) if not variable.levels else titles[term.name]
            coefficient = f"{significant(term.coefficient)} ({significant(term.standard_error)})"
            lines.append([title, coefficient, *_term(term, variable), number(term.vif, 2)])
    notes = [model.how, *fit.remarks]
    if fit.terms:
        notes.append(
            f"n = {fit.n}, {fit.events} HER2-positive; left out for a missing value: {len(fit.left_out)}. "
            f"All factors: {_tested(fit)}. {_PER}"
        )
    adds = "; ".join(
        f"to {_title(model, name)} alone {_chi2(test.statistic, test.df[0], test.p)}"
        for name, test in model.adds
        if test.known
    )
    if adds:
        notes.append(f"What the other factors add (likelihood ratio, not DeLong's test): {adds}.")
    reason = fit.reason or "No factor entered."
    return PrintTable(
        f"model_{model.name}", f"Several together: {model.title}", lines, tuple(notes), empty=reason
    )


def _heading(variable: Variable) -> str:
    return f"{variable.title} ({variable.unit})" if variable.unit else variable.title


def _title(model: Model, name: str) -> str:
    return next(one.title for one in model.variables if one.name == name)


def _tested(fit: LogisticFit) -> str:
    return _chi2(fit.overall.statistic, fit.overall.df[0], fit.overall.p) if fit.overall.known else "no test"


def _chi2(statistic: float, df: float, p: float) -> str:
    shown = p_value(p)
    return f"χ² = {statistic:.1f}, df = {df:g}, p {shown if shown.startswith('<') else '= ' + shown}"


def _term(term: Term, variable: Variable) -> list[str]:
    per_sd = "–" if variable.levels else _ratio(term.per_sd)
    return [
        _ratio(term.odds_ratio), _ratio(term.odds_ratio_profile), per_sd, p_value(term.p_wald),
        p_value(term.p_likelihood_ratio),
    ]  # fmt: skip


def _ratio(estimate: Estimate) -> str:
    return ratio_interval(estimate.value, estimate.low, estimate.high)


def forest_panels(alone: Sequence[Alone], models: Sequence[Model]) -> tuple[ForestPanel, ...]:
    """For the forest plot: each factor alone, then each model that there is."""
    counts = sorted({one.fit.n for one in alone})
    n = f"n = {counts[0]}" if counts[0] == counts[-1] else f"n = {counts[0]} to {counts[-1]}"
    panels = [ForestPanel("a  Each alone", n, tuple(row for one in alone for row in _alone_rows(one)))]
    for letter, model in zip("bcd", (one for one in models if one.fit.terms), strict=False):
        rows = tuple(_model_rows(model))
        panels.append(ForestPanel(f"{letter}  Together: {_short(model)}", f"n = {model.fit.n}", rows))
    return tuple(panels)


def _short(model: Model) -> str:
    return "entry rule" if model.name == "entry" else model.title


def _alone_rows(one: Alone) -> list[ForestRow]:
    if not one.fit.terms:
        nan = math.nan
        return [ForestRow(one.variable.title, nan, nan, nan, nan, "no model")]
    return [_forest_row(term, one.variable) for term in one.fit.terms]


def _model_rows(model: Model) -> list[ForestRow]:
    owner = {column: one for one in model.variables for column in design_columns(one)}
    return [_forest_row(term, owner[term.name]) for term in model.fit.terms]


def _forest_row(term: Term, variable: Variable) -> ForestRow:
    if variable.levels:
        estimate, title = term.odds_ratio, design_titles([variable])[term.name]
    else:
        unit = f" {variable.unit}" if variable.unit else ""
        estimate = term.per_sd
        title = f"{variable.title} per SD ({number(term.sd, decimals_of(variable))}{unit})"
    return ForestRow(title, estimate.value, estimate.low, estimate.high, term.p)


def interval_text(estimate: Estimate, decimals: int = 3) -> str:
    """A number with its interval."""
    return interval(estimate.value, estimate.low, estimate.high, decimals)
