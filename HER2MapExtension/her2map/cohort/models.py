"""Logistic models of HER2-positive against HER2-low: each factor alone, and several together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import InputError
from ..statistics import Direction
from ..statistics.logistic import LogisticFit, logistic, nested_test
from ..statistics.selection import select
from ..statistics.tested import Tested
from .inputs import Cohort
from .markers import Contrast, Marker
from .variables import Variable, design, design_columns

ENTRY_P = 0.05
EXCLUSIVE = tuple(
    frozenset(pair)
    for pair in (
        ("delta_T1", "T1_pre"),
        ("delta_T1", "T1_post"),
        ("delta_T1_ratio", "T1_pre"),
        ("delta_T1_ratio", "T1_post"),
        ("delta_T1", "delta_T1_ratio"),
        ("ki67", "ki67_high"),
    )
)
"""What cannot be named together: a difference and what it is made of, a number and its own cut-off."""
PAPER = ("er", "T2star", "T1_post")
"""The paper's model."""
DERIVED = ("delta_T1", "delta_T1_ratio")
ENTRY_RULE = (
    f"factors that are significant alone (p < {ENTRY_P}, Wald; where the data separate, "
    "penalised likelihood ratio) enter together, and all stay. ΔT1 and its ratio say the same as T1 pre "
    "and T1 post, and of these the rule takes those that were measured; of Ki-67 the cut-off enters where "
    "the preset has one; a category of several levels is tested alone. Any can be named in a model of "
    "one's own."
)


@dataclass(frozen=True, eq=False)
class Alone:
    """A factor alone in a model.

    Attributes:
        p: by which it enters: Wald's, or the likelihood ratio's for a category of several levels; where the
            data separate, of the penalised likelihood ratio. NaN where there is no model.
    """

    variable: Variable
    fit: LogisticFit
    p: float


@dataclass(frozen=True)
class Entry:
    """What the entry rule chose.

    Attributes:
        entered: names of variables.
        aside: those that are significant alone and did not enter, with why.
    """

    entered: tuple[str, ...]
    aside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Model:
    """A multivariable model.

    Attributes:
        name: "entry", "paper" or "named".
        title, how: in print: what it is called, and how its factors were chosen.
        variables: its factors.
        fit: on the cases that have them all; with a reason where there is no model.
        marker: its linear predictor as a marker.
        adds: for each of its factors, the likelihood-ratio test of what the others add to it.
    """

    name: str
    title: str
    how: str
    variables: tuple[Variable, ...]
    fit: LogisticFit
    marker: Marker
    adds: tuple[tuple[str, Tested], ...]


def entry_candidates(variables: Collection[Variable]) -> tuple[Variable, ...]:
    """Those that may enter by :data:`ENTRY_RULE`."""
    return tuple(one for one in variables if not _kept_out(one, variables))


def _kept_out(variable: Variable, variables: Collection[Variable]) -> str:
    """Why a factor may not enter by the rule; "" where it may."""
    if variable.name in DERIVED:
        return "T1 pre and T1 post stand for it"
    if variable.name == "ki67" and any(one.name == "ki67_high" for one in variables):
        return "its cut-off stands for it"
    return "it has several levels" if len(design_columns(variable)) > 1 else ""


def fit_alone(pair: Contrast, variables: Collection[Variable]) -> tuple[Alone, ...]:
    """Each factor in a model by itself, on the cases that have it."""
    found = []
    for one in variables:
        fit = logistic(pair.outcome, design(pair.frame, [one]))
        p = fit.terms[0].p if len(fit.terms) == 1 else fit.overall.p
        found.append(Alone(one, fit, p))
    return tuple(found)


def enter(pair: Contrast, alone: Sequence[Alone]) -> Entry:
    """Apply :data:`ENTRY_RULE`."""
    variables = [one.variable for one in alone]
    found = select(pair.outcome, design(pair.frame, entry_candidates(variables)), ENTRY_P)
    aside = [
        (one.variable.name, _kept_out(one.variable, variables) or "others determine it")
        for one in alone
        if one.p < ENTRY_P and one.variable.name not in found.chosen
    ]
    return Entry(found.chosen, tuple(aside))


def fit_models(cohort: Cohort, pair: Contrast, entry: Entry, named: Sequence[str] = ()) -> tuple[Model, ...]:
    """The model of the entry rule, the paper's where its factors are known, and the one that the user names.

    Raises:
        InputError: a named factor is not known, or excludes another.
    """
    known = {one.name for one in cohort.variables}
    how = f"Entry rule: {ENTRY_RULE}"
    models = [_model(cohort, pair, "entry", "Model by the entry rule", how, entry.entered)]
    if known.issuperset(PAPER):
        how = "The factors of the paper's model, fixed beforehand."
        models.append(_model(cohort, pair, "paper", "ER + T2* + T1 post", how, PAPER))
    if named:
        check_named(cohort, named)
        titles = " + ".join(cohort.variable(name).title for name in named)
        models.append(_model(cohort, pair, "named", titles, "Named by the user.", tuple(named)))
    return tuple(models)


def check_named(cohort: Cohort, named: Sequence[str]) -> None:
    """Raises: InputError: a factor is not known, there twice, or excludes another."""
    for i, name in enumerate(named):
        cohort.variable(name)
        if name in named[:i]:
            raise InputError(f"The predictor {name} is named twice; name it once.")
        for other in named[:i]:
            if frozenset((name, other)) in EXCLUSIVE:
                raise InputError(
                    f"{name} and {other} cannot enter one model, as they say the same; name one."
                )


def _model(cohort: Cohort, pair: Contrast, name: str, title: str, how: str, chosen: Sequence[str]) -> Model:
    variables = tuple(cohort.variable(one) for one in chosen)
    columns = design(pair.frame, variables)
    fit = logistic(pair.outcome, columns)
    values = pd.Series(np.nan, index=pair.frame.index)
    if fit.terms:
        values.loc[list(fit.used)] = fit.linear_predictor
    marker = Marker(name, title, "log odds", values, Direction.HIGHER, tuple(chosen))
    return Model(name, title, how, variables, fit, marker, tuple(_adds(fit, variables)))


def _adds(fit: LogisticFit, variables: Sequence[Variable]) -> list[tuple[str, Tested]]:
    if len(variables) < 2 or not fit.terms:
        return []
    every = {one.name: design_columns(one) for one in variables}
    return [
        (name, nested_test(fit, [column for other, own in every.items() if other != name for column in own]))
        for name in every
    ]


_TERM = ("coefficient", "standard_error", "z", "p_wald", "chi2", "p_likelihood_ratio")
_RATIOS = ("odds_ratio", "odds_ratio_profile", "per_sd", "per_sd_profile")


def alone_table(alone: Sequence[Alone]) -> pd.DataFrame:
    """A row a factor and level: factor, column, n, events, then as :func:`model_table`."""
    return pd.DataFrame([row for one in alone for row in _rows({"factor": one.variable.name}, one.fit)])


def model_table(models: Sequence[Model]) -> pd.DataFrame:
    """A row a model and coefficient; odds ratios per unit and per SD, Wald's and the profile's intervals."""
    rows = []
    for model in models:
        if model.fit.terms:
            intercept = {
                "model": model.name, "column": "intercept", "coefficient": float(model.fit.coefficients[0]),
                "standard_error": float(np.sqrt(model.fit.covariance[0, 0])), "n": model.fit.n,
                "events": model.fit.events, "remark": "",
            }  # fmt: skip
            rows.append(intercept)
        rows += _rows({"model": model.name}, model.fit)
    return pd.DataFrame(rows)


def _rows(head: dict[str, object], fit: LogisticFit) -> list[dict[str, object]]:
    counts = {"n": fit.n, "events": fit.events}
    if not fit.terms:
        return [{**head, "column": " + ".join(fit.names), **counts, "remark": fit.reason}]
    rows = []
    for term in fit.terms:
        row = {**head, "column": term.name, **counts, **{key: getattr(term, key) for key in _TERM}}
        for key in _RATIOS:
            estimate = getattr(term, key)
            row |= {key: estimate.value, f"{key}_low": estimate.low, f"{key}_high": estimate.high}
        row |= {"sd": term.sd, "vif": term.vif, "p": term.p, "remark": " ".join(fit.remarks)}
        rows.append(row)
    return rows
