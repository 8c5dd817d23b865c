"""What cannot be right in a model card though every field is there and of its kind."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..biomarkers import MEASURED
from ..errors import InputError

if TYPE_CHECKING:
    from .card import Distribution, ModelCard, ReadingErrors

UNITS = {"er_positive": "1"} | dict.fromkeys(("T1_pre", "T1_post", "delta_T1"), "ms")
UNITS |= {"delta_T1_ratio": "1", "T2": "ms", "T2star": "ms"}
"""The predictors that a card can have, each with its unit."""
DECILES = 11
"""From the smallest value, by tenths, to the largest."""
DISTINCT = 1e-10
"""The smallest eigenvalue of the coefficients' correlation matrix; under it the covariance is singular."""
STRONGEST_T = 30.0
Rows = tuple[tuple[float, ...], ...]


def check_card(card: "ModelCard") -> None:
    """Raises: InputError: the first problem, as the rest of a sentence."""
    for problem in _problems(card):
        raise InputError(problem)


def _problems(card: "ModelCard") -> Iterator[str]:
    n = len(card.predictors) + 1
    if len(card.coefficients) != n:
        yield f"it needs {n} coefficients, the intercept and one a predictor."
    yield from _covariance("covariance", card.covariance, n)
    yield from _predictors(card)
    if not 0 < card.cut_off < 1:
        yield f"its cut-off {card.cut_off:g} is no probability between 0 and 1."
    if not 0 < card.minimum_coverage <= 1:
        yield f"its minimum_coverage {card.minimum_coverage:g} is no part of a whole."
    yield from _performance(card)
    yield from _cohort(card)
    if card.errors is not None:
        yield from _errors(card.errors)


def _predictors(card: "ModelCard") -> Iterator[str]:
    names = [one.name for one in card.predictors]
    if not names or len(set(names)) < len(names):
        yield "it has no predictors, or one twice."
    for predictor in card.predictors:
        if predictor.name not in UNITS:
            yield f"a predictor is none of {', '.join(UNITS)}."
        if predictor.unit != UNITS[predictor.name]:
            yield f"the unit of {predictor.name} must be {UNITS[predictor.name]}."
        if not predictor.minimum < predictor.maximum:
            yield f"the range of {predictor.name} is empty."
        yield from _groups(card.cohort.groups, predictor.name, predictor.groups)


def _performance(card: "ModelCard") -> Iterator[str]:
    shares = (
        "apparent_auc", "apparent_low", "apparent_high", "corrected_auc", "brier", "sensitivity",
        "specificity",
    )  # fmt: skip
    for name in shares:
        value = getattr(card.performance, name)
        if value is not None and not 0 <= value <= 1:
            yield f"its {name} lies outside 0 to 1."


def _cohort(card: "ModelCard") -> Iterator[str]:
    cohort = card.cohort
    if len(cohort.groups) != 2:
        yield "its cohort needs two groups."
    if min(cohort.groups.values()) < 1 or cohort.left_out < 0:
        yield "its cohort has a group without cases, or a negative number of them."
    if any(not 0 < one <= STRONGEST_T for one in cohort.field_strengths_t):
        yield "a field strength of its cohort is none in tesla."
    yield from _groups(cohort.groups, "the log odds", cohort.log_odds)


def _groups(wanted: Collection[str], name: str, groups: "Mapping[str, Distribution]") -> Iterator[str]:
    if set(groups) != set(wanted):
        yield f"the distribution of {name} is not that of its two groups."
    for one in groups.values():
        if len(one.deciles) != DECILES or list(one.deciles) != sorted(one.deciles):
            yield f"the distribution of {name} needs {DECILES} deciles that rise."
        if one.sd < 0:
            yield f"an SD of {name} is negative."


def _errors(errors: "ReadingErrors") -> Iterator[str]:
    names = errors.names
    if len(set(names)) < len(names) or not set(names) <= set(MEASURED):
        yield f"its reading errors must be of {', '.join(MEASURED)}, each at most once."
    if errors.within_df < 0 or errors.between_df < 0:
        yield "the degrees of freedom of its reading errors are negative."
    for name in ("within", "between"):
        yield from _semidefinite(name, getattr(errors, name), len(names))


def _covariance(name: str, rows: Rows, n: int) -> Iterator[str]:
    """Positive definite, by its correlations: the variances differ by powers of ten."""
    if _shape(rows) != (n, n):
        yield f"its {name} must be {n} x {n}."
    matrix = np.array(rows)
    variances = np.diag(matrix)
    if not (variances > 0).all():
        yield f"its {name} is not positive definite: a variance is not positive."
    scale = np.sqrt(variances)
    correlation = matrix / scale / scale[:, None]
    if not (np.abs(correlation) <= 1 + DISTINCT).all() or not np.allclose(
        correlation, correlation.T, atol=1e-9
    ):
        yield f"its {name} is not positive definite, or not symmetric."
    if not np.linalg.eigvalsh(correlation).min() >= DISTINCT:
        yield f"its {name} is not positive definite."


def _semidefinite(name: str, rows: Rows, n: int) -> Iterator[str]:
    """No variance is negative; some may be 0, but for rounding."""
    if _shape(rows) != (n, n):
        yield f"its {name} must be {n} x {n}."
    matrix = np.array(rows).reshape(n, n)
    rounding = DISTINCT * float(np.abs(matrix).max(initial=0.0))
    if not np.allclose(matrix, matrix.T, rtol=0, atol=rounding):
        yield f"its {name} is not symmetric."
    if n and not np.linalg.eigvalsh(matrix).min() >= -n * rounding:
        yield f"its {name} is no covariance: it has a negative variance."


def _shape(rows: Rows) -> tuple[int, int]:
    """Of rows of equal length, else with -1."""
    lengths = {len(row) for row in rows} or {0}
    return len(rows), lengths.pop() if len(lengths) == 1 else -1
