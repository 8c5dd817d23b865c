"""Logistic regression of a two-valued outcome, one predictor at a time or several together."""

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import chi2, norm

from ..errors import InputError
from .cases import Cases, Columns, complete_cases
from .collinearity import SUSPECT_VIF, VIF, dependences, inflation, standardised
from .estimate import TAILS, Array, Estimate
from .likelihood import Fits, Penalty, Problem, maximise, standard_errors
from .profile_likelihood import Bounds, likelihood_ratio, profile_bounds
from .separation import separating
from .tested import Tested

MAXIMUM_LIKELIHOOD = (
    "maximum likelihood; z, p and interval: Wald; beside them the likelihood-ratio test and the "
    "profile-likelihood interval; per SD: of the complete cases"
)
FIRTH = (
    "Firth's penalised likelihood (Firth 1993, Heinze & Schemper 2002), because the data separate; p: "
    "penalised likelihood ratio; interval: profile of the penalised likelihood; Wald's are given but not to "
    "be relied on; per SD: of the complete cases"
)
OVERALL = "likelihood-ratio test of the model"
FEW_EVENTS = 10
_BEYOND = "It is beyond what a number can hold; state the predictor in a larger unit, or see the other ratio."
_NO_INTERVAL = "The search for the profile-likelihood interval did not end."


@dataclass(frozen=True)
class Term:
    """A predictor in a model.

    Attributes:
        name: of the predictor.
        coefficient: change of the log odds per unit.
        standard_error, z, p_wald: Wald's.
        chi2, p_likelihood_ratio: of the (penalised) likelihood-ratio test of leaving it out.
        odds_ratio: per unit, with Wald's interval.
        odds_ratio_profile: per unit, with the profile-likelihood interval.
        sd: of the predictor in the cases of the model.
        per_sd, per_sd_profile: odds ratio per SD, with either interval.
        vif: variance inflation factor; 1 in a model of one predictor.
        p: Wald's, or that of the penalised likelihood ratio where the data separate.
    """

    name: str
    coefficient: float
    standard_error: float
    z: float
    p_wald: float
    chi2: float
    p_likelihood_ratio: float
    odds_ratio: Estimate
    odds_ratio_profile: Estimate
    sd: float
    per_sd: Estimate
    per_sd_profile: Estimate
    vif: float
    p: float


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A logistic model of the complete cases.

    Attributes:
        names: of the predictors.
        terms: one a predictor; empty where there is no model.
        coefficients, covariance: (k + 1,) and (k + 1, k + 1), the intercept first, per unit.
        log_likelihood: penalised where Firth's penalty was used.
        aic: NaN where Firth's penalty was used.
        overall: the likelihood-ratio test of all predictors.
        n, events: complete cases, and the positive ones among them.
        separated: the predictors whose coefficients would grow without bound; then Firth's penalty was used.
        remarks: what to know before the figures are used, a sentence each.
        linear_predictor, probability: (n,) of the complete cases.
        outcome: (n,) theirs.
        used, left_out: the cases that entered, and those that lack something.
        convention: in words.
        reason: why there is no model, in a sentence; "" where there is one.
        solved: the search, from which further tests start.
    """

    names: tuple[str, ...]
    n: int
    events: int
    used: tuple[Hashable, ...]
    left_out: tuple[Hashable, ...]
    outcome: Array
    reason: str = ""
    terms: tuple[Term, ...] = ()
    coefficients: Array = field(default_factory=lambda: np.empty(0))
    covariance: Array = field(default_factory=lambda: np.empty((0, 0)))
    log_likelihood: float = math.nan
    aic: float = math.nan
    overall: Tested = field(default_factory=lambda: Tested(OVERALL))
    separated: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    linear_predictor: Array = field(default_factory=lambda: np.empty(0))
    convention: str = ""
    solved: "Solved | None" = field(default=None, repr=False)

    @property
    def probability(self) -> Array:
        """(n,) of the positive group."""
        return np.asarray(expit(self.linear_predictor))

    def term(self, name: str) -> Term:
        """Of this predictor."""
        return next(term for term in self.terms if term.name == name)


class Solved(NamedTuple):
    """A model in columns of mean 0 and SD 1, from which further tests start."""

    problem: Problem
    fits: Fits
    centre: Array
    spread: Array


def logistic(outcome: ArrayLike, predictors: Columns) -> LogisticFit:
    """The logistic model of an outcome on all predictors, on the cases that have them all.

    Where the predictors separate the outcome, there is no maximum of the likelihood, and Firth's penalty is
    used; the result says so.

    Args:
        outcome: (n,) 1 for the positive group, else 0; NaN where missing.
        predictors: (n,) each; NaN where missing.

    Raises:
        InputError: see :func:`~her2map.statistics.cases.complete_cases`.
    """
    cases = complete_cases(outcome, predictors)
    nothing = LogisticFit(
        cases.names, cases.n, cases.positive, cases.used, cases.left_out, cases.outcome, _no_model(cases)
    )
    if nothing.reason:
        return nothing
    scaled, centre, spread = standardised(cases.values)
    design = np.column_stack([np.ones(cases.n), scaled])
    separated = separating(design, cases.outcome, cases.names)
    penalty = Penalty.FIRTH if separated else Penalty.NONE
    problem = Problem(
        design, cases.outcome, np.ones((1, cases.n)), np.ones((1, design.shape[1]), bool), penalty
    )
    fits = maximise(problem)
    if not fits.converged[0]:  # overlap by a hair: the maximum exists, but lies out of a number's reach
        separated = cases.names
        problem = problem._replace(penalty=Penalty.FIRTH)
        fits = maximise(problem)
    if not fits.converged[0]:
        return replace(nothing, reason="The search for the estimates did not end; look for extreme values.")
    return _described(cases, Solved(problem, fits, centre, spread), separated)


def univariable(outcome: ArrayLike, predictors: Columns) -> tuple[LogisticFit, ...]:
    """One model a predictor, each on the cases that have it."""
    return tuple(logistic(outcome, {name: predictors[name]}) for name in predictors)


def nested_test(fit: LogisticFit, without: Collection[str]) -> Tested:
    """The likelihood-ratio test of a model against the same without some predictors, on the same cases.

    This, not DeLong's test, tells whether a model fitted to these cases is better than one of its own parts.

    Raises:
        InputError: a name is none of the model's predictors.
    """
    name = f"likelihood-ratio test of {', '.join(without)}"
    for unknown in set(without) - set(fit.names):
        raise InputError(f"{unknown} is no predictor of the model; it has {', '.join(fit.names)}.")
    if fit.solved is None:
        return Tested(name, n=fit.n, reason=fit.reason)
    if not without:
        return Tested(name, n=fit.n, reason="The two models are the same.")
    held = np.array([1 + fit.names.index(one) for one in without])
    statistic = likelihood_ratio(fit.solved.problem, fit.solved.fits, held)
    p = float(chi2.sf(statistic, len(held)))
    convention = "penalised likelihoods, with the penalty of the larger model" if fit.separated else ""
    return Tested(name, statistic, p, (len(held),), fit.n, convention)


def _no_model(cases: Cases) -> str:
    if cases.one_group:
        return cases.one_group
    if not cases.names:
        return "No predictor was named."
    dependent = dependences(cases.values, cases.names)
    if dependent:
        return " ".join(found.sentence for found in dependent)
    if cases.n <= len(cases.names) + 1:
        return f"There are {cases.n} complete cases for {len(cases.names) + 1} coefficients."
    return ""


def _described(cases: Cases, solved: Solved, separated: tuple[str, ...]) -> LogisticFit:
    problem, fits, centre, spread = solved
    k = len(cases.names)
    back = np.diag(np.concatenate([[1.0], 1 / spread]))
    back[0, 1:] = -centre / spread
    covariance = back @ np.linalg.inv(fits.information[0]) @ back.T
    log_likelihood = float(fits.log_likelihood[0])
    if separated:  # the penalty is half the log determinant per unit, not per SD
        log_likelihood += float(np.log(spread).sum())
    factors = inflation(cases.values)
    ratio = likelihood_ratio(problem, fits, np.arange(1, k + 1))
    overall = Tested(OVERALL, ratio, float(chi2.sf(ratio, k)), (k,), cases.n)
    return LogisticFit(
        cases.names,
        cases.n,
        cases.positive,
        cases.used,
        cases.left_out,
        cases.outcome,
        terms=_terms(cases.names, solved, factors),
        coefficients=back @ fits.coefficients[0],
        covariance=covariance,
        log_likelihood=log_likelihood,
        aic=math.nan if separated else 2 * (k + 1) - 2 * log_likelihood,
        overall=overall,
        separated=separated,
        remarks=_remarks(cases, factors, separated),
        linear_predictor=problem.design @ fits.coefficients[0],
        convention=f"{FIRTH if separated else MAXIMUM_LIKELIHOOD}; {VIF}",
        solved=solved,
    )


def _terms(names: tuple[str, ...], solved: Solved, factors: Array) -> tuple[Term, ...]:
    problem, fits, _, spread = solved
    errors = standard_errors(fits)[0]
    bounds = profile_bounds(problem, fits, errors)
    return tuple(
        _term(name, j, solved, errors, bounds, float(factors[j]), float(spread[j]))
        for j, name in enumerate(names)
    )


def _term(name: str, j: int, solved: Solved, errors: Array, bounds: Bounds, vif: float, sd: float) -> Term:
    slope, error = float(solved.fits.coefficients[0, j + 1]), float(errors[j + 1])  # per SD
    z = slope / error
    p_wald = 2 * float(norm.sf(abs(z)))
    ratio = likelihood_ratio(solved.problem, solved.fits, np.array([j + 1]))
    p_ratio = float(chi2.sf(ratio, 1))
    wald = slope + norm.ppf(TAILS) * error
    profile = np.array([bounds.low[j], bounds.high[j]])
    return Term(
        name=name,
        coefficient=slope / sd,
        standard_error=error / sd,
        z=z,
        p_wald=p_wald,
        chi2=ratio,
        p_likelihood_ratio=p_ratio,
        odds_ratio=_odds(slope / sd, wald / sd),
        odds_ratio_profile=_odds(slope / sd, profile / sd),
        sd=sd,
        per_sd=_odds(slope, wald),
        per_sd_profile=_odds(slope, profile),
        vif=vif,
        p=p_ratio if solved.problem.penalty is Penalty.FIRTH else p_wald,
    )


def _odds(slope: float, bounds: Array) -> Estimate:
    with np.errstate(over="ignore"):
        value, low, high = np.exp([slope, *bounds])
    if np.isinf([value, low, high]).any():
        return Estimate(reason=_BEYOND)
    return Estimate(float(value), float(low), float(high), _NO_INTERVAL if np.isnan(bounds).any() else "")


def _remarks(cases: Cases, factors: Array, separated: tuple[str, ...]) -> tuple[str, ...]:
    remarks = []
    if separated:
        remarks.append(
            f"{' and '.join(separated)} separate{'s' if len(separated) == 1 else ''} the groups: maximum "
            "likelihood has no estimate, and Firth's penalty was used."
        )
    fewer = min(cases.positive, cases.n - cases.positive)
    per_variable = fewer / len(cases.names)
    if per_variable < FEW_EVENTS:
        remarks.append(
            f"The smaller group has {fewer} of the cases, {per_variable:.1f} a predictor; "
            f"under {FEW_EVENTS} the estimates are unstable and look better than they are."
        )
    remarks += [
        f"{name} is largely told by the other predictors (VIF {factor:.1f})."
        for name, factor in zip(cases.names, factors, strict=True)
        if factor > SUSPECT_VIF
    ]
    return tuple(remarks)
