"""The conventions of an analysis: what differs between programs, in words, by statistic."""

from collections.abc import Iterator

from ..statistics.factors import FactorComparison
from ..statistics.tested import Tested
from .analysis import CohortAnalysis
from .groups import Between, NumberBetween
from .models import ENTRY_RULE
from .variables import DIRECTIONS


def result_conventions(found: CohortAnalysis) -> dict[str, str]:
    """Those of all statistics that were used."""
    named: dict[str, str] = {}
    for name, text in _all(found):
        if text in named.values():
            continue
        number, key = 1, name
        while key in named:
            number += 1
            key = f"{name} ({number})"
        named[key] = text
    return named


def _all(found: CohortAnalysis) -> Iterator[tuple[str, str]]:
    yield "Directions", DIRECTIONS
    yield from _of_groups(found)
    for result in found.markers[:1]:
        yield "ROC curve", result.curve.convention
    calls = next((one.at_cut_off for one in found.markers if one.at_cut_off), None)
    if calls is not None:
        yield "Calls", calls.convention
        yield "Proportions", calls.sensitivity.convention
    for compared in found.compared[:1]:
        yield "Comparison of AUCs", compared.convention
    yield from _of_models(found)
    if found.agreement is not None:
        yield from (("Agreement", text) for text in found.agreement.conventions)


def _of_groups(found: CohortAnalysis) -> Iterator[tuple[str, str]]:
    """Of Tables 2 and 3."""
    between = (*found.patients, *found.imaging)
    for one in between:
        yield from ((test.name, test.convention) for test in _tests(one) if test.convention)
    for one in between:
        if isinstance(one, NumberBetween) and one.three.bonferroni:
            three = one.three
            for name, pairs in (
                ("Bonferroni's post-hoc test", three.bonferroni),
                ("Tamhane's T2", three.tamhane),
                ("Dunn's test", three.dunn),
            ):
                yield name, pairs[0].convention
            yield "Quartiles", three.convention
            return


def _tests(one: Between) -> Iterator[Tested]:
    for compared in (one.three, one.two):
        if isinstance(compared, FactorComparison):
            yield from (compared.chi2, compared.yates, compared.fisher)
            continue
        normal = compared.groups[0].normality
        yield from (
            normal.kolmogorov_smirnov,
            normal.lilliefors,
            normal.lilliefors_table,
            normal.shapiro_wilk,
        )
        yield from (compared.levene, compared.brown_forsythe, compared.equal_variances)
        yield from (compared.unequal_variances, compared.ranks, *compared.others)


def _of_models(found: CohortAnalysis) -> Iterator[tuple[str, str]]:
    fits = [one.fit for one in found.alone] + [one.fit for one in found.models]
    yield from (("Logistic regression", fit.convention) for fit in fits if fit.terms)
    yield "Entry into the model", ENTRY_RULE
    for validated in found.validation.values():
        if validated.bootstrap is not None:
            yield "Bootstrap", validated.bootstrap.convention
        yield "Cross-validation", validated.crossed.convention
    for calibrated in found.predictions.calibration.values():
        yield "Calibration", calibrated.convention
        yield "Hosmer-Lemeshow", calibrated.hosmer_lemeshow.convention
    if found.predictions.decision is not None:
        yield "Decision curve", found.predictions.decision.convention
