"""Selection, bootstrap and cross-validation against R's loops over the same resamples, and simulation."""

import math
import threading
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from cohort_reference import OUTCOME, RESAMPLES, TWO, assert_as_r
from her2map.errors import Cancelled, InputError
from her2map.statistics.cross_validation import CrossValidation, cross_validate, cross_validation_of
from her2map.statistics.logistic import logistic
from her2map.statistics.performance import performance, weighted_auc, weighted_brier
from her2map.statistics.selection import build, prepare, select
from her2map.statistics.validation import BootstrapValidation, bootstrap, bootstrap_of

pytestmark = pytest.mark.filterwarnings("error")

NAMES = ["T1_pre", "T1_post", "T2", "T2star", "er", "pr", "ki67_high", "age"]
CANDIDATES = TWO[NAMES]
COUNTS = RESAMPLES.drop(index="fold").to_numpy(float)
FOLD = RESAMPLES.loc["fold"].to_numpy()


def given_resamples(counts: np.ndarray) -> BootstrapValidation:
    data = prepare(OUTCOME, CANDIDATES, 0.05)
    nothing = BootstrapValidation(len(OUTCOME), int(OUTCOME.sum()), len(counts), 0, "", ())
    return bootstrap_of(data, [lambda: counts[:10], lambda: counts[10:]], nothing)


def test_the_bootstrap_is_that_of_r() -> None:
    """The same resamples, every selection and fit by glm."""
    found = given_resamples(COUNTS)
    figures = {}
    for name in ("auc", "brier", "slope", "intercept"):
        corrected = getattr(found, name)
        figures |= {
            f"validation/{name}/apparent": corrected.apparent,
            f"validation/{name}/optimism": corrected.optimism,
            f"validation/{name}/corrected": corrected.corrected.value,
        }
        if name in ("auc", "brier"):
            figures |= {
                f"validation/{name}/{figure}": getattr(corrected, figure)
                for figure in ("outside", "overfitting", "weight", "corrected_632")
            }
            assert corrected.corrected.low < corrected.corrected.value < corrected.corrected.high
        else:
            assert math.isnan(corrected.corrected_632)
            assert corrected.corrected.reason
    figures |= {f"validation/chosen/{name}/share": share for name, share in found.chosen.items()}
    prefixes = [f"validation/{name}/" for name in ("auc", "brier", "slope", "intercept", "chosen")]
    assert_as_r(figures, *prefixes)
    assert (found.used, found.separated, found.empty) == (len(COUNTS), 0, 0)
    assert found.names == ("T1_post", "T2star", "er", "pr")


def test_cross_validation_is_that_of_r() -> None:
    data = prepare(OUTCOME, CANDIDATES, 0.05)
    nothing = CrossValidation(len(OUTCOME), int(OUTCOME.sum()), 5, 1, 0, "", ())
    found = cross_validation_of(data, [lambda: FOLD], nothing)
    figures = {"auc": found.auc, "pooled": found.auc_pooled, "brier": found.brier, "slope": found.slope}
    assert_as_r({f"validation/cross/{name}": value for name, value in figures.items()}, "validation/cross/")
    assert found.used == 5
    assert math.isnan(found.auc_sd)


def test_the_rule_chooses_as_its_repetition_does() -> None:
    found = select(OUTCOME, CANDIDATES)
    assert found.chosen == ("T1_post", "T2star", "er", "pr")
    assert found.candidates == tuple(NAMES)
    assert found.fit is not None
    assert found.fit.names == found.chosen
    assert [fit.terms[0].p < 0.05 for fit in found.alone] == [name in found.chosen for name in NAMES]
    assert "p < 0.05 alone (Wald" in found.rule
    built = build(prepare(OUTCOME, CANDIDATES, 0.05), np.ones((1, len(OUTCOME))))
    assert built.log_odds[0, built.has_all[0]] == pytest.approx(found.fit.linear_predictor, rel=1e-8)
    everything = select(OUTCOME, CANDIDATES, None)
    assert everything.chosen == tuple(NAMES)
    assert everything.rule.startswith("all candidates enter")
    none = select(OUTCOME, CANDIDATES, 1e-9)
    assert none.chosen == ()
    assert none.fit is None


def test_delta_t1_stays_out_beside_its_parts() -> None:
    columns = {name: TWO[name] for name in ("T2star", "T1_post", "T1_pre", "delta_T1")}
    found = select(OUTCOME, columns, None)
    assert found.chosen == ("T2star", "T1_post", "T1_pre")
    assert found.dropped[0].startswith("delta_T1 is ")
    assert "cannot enter a model together" in found.dropped[0]
    validated = bootstrap(OUTCOME, columns, None, resamples=20)
    assert validated.names == found.chosen
    assert validated.chosen == {"T2star": 1.0, "T1_post": 1.0, "T1_pre": 1.0, "delta_T1": 0.0}
    alone = select(OUTCOME, {name: TWO[name] for name in ("T1_pre", "delta_T1", "T2star")}, None)
    assert alone.chosen == ("T1_pre", "delta_T1", "T2star")


def test_the_rule_where_candidates_separate_or_do_not_vary() -> None:
    columns = TWO[["separated", "constant", "T2star", "quasi"]]
    found = select(OUTCOME, columns)
    assert found.chosen == ("separated", "T2star", "quasi")
    assert found.fit is not None
    assert found.fit.separated
    validated = bootstrap(OUTCOME, columns, resamples=40)
    assert validated.names == found.chosen
    assert validated.separated == validated.used == 40
    assert validated.chosen["constant"] == 0.0
    assert validated.chosen["separated"] == 1.0
    assert validated.auc.apparent == 1.0
    assert validated.auc.corrected.value == pytest.approx(1.0, abs=0.01)
    built = build(prepare(OUTCOME, columns, 0.05), np.ones((1, len(OUTCOME))))
    assert built.separated.all()
    assert built.log_odds[0, built.has_all[0]] == pytest.approx(found.fit.linear_predictor, rel=1e-6)


def test_the_apparent_figures_are_those_of_the_model() -> None:
    found = bootstrap(OUTCOME, TWO[["er", "T2star", "T1_post"]], None, resamples=10)
    fit = logistic(OUTCOME, TWO[["er", "T2star", "T1_post"]])
    assert found.auc.apparent == pytest.approx(roc_auc_score(fit.outcome, fit.linear_predictor))
    assert found.brier.apparent == pytest.approx(brier_score_loss(fit.outcome, fit.probability))
    assert found.slope.apparent == pytest.approx(1)
    assert found.intercept.apparent == pytest.approx(0, abs=1e-9)
    assert (found.n, found.events) == (158, 86)


@pytest.mark.parametrize("workers", [2, 3])
def test_the_same_seed_gives_the_same_figures_on_any_number_of_workers(workers: int) -> None:
    run = partial(bootstrap, OUTCOME, CANDIDATES, resamples=430, seed=7)
    cross = partial(cross_validate, OUTCOME, CANDIDATES, folds=5, rounds=6, seed=7)
    assert run(workers=workers) == run(workers=1)
    assert cross(workers=workers) == cross(workers=1)
    assert run(workers=1).auc != bootstrap(OUTCOME, CANDIDATES, resamples=430, seed=8).auc


def test_progress_is_told_in_the_calling_thread_and_can_cancel() -> None:
    told = []

    def watch(fraction: float) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append(fraction)

    bootstrap(OUTCOME, CANDIDATES, resamples=350, progress=watch, workers=2)
    cross_validate(OUTCOME, CANDIDATES, rounds=4, progress=watch)
    assert told == [0.25, 0.5, 0.75, 1.0, 0.25, 0.5, 0.75, 1.0]

    def cancel(fraction: float) -> None:
        raise Cancelled

    for run in (bootstrap, cross_validate):
        with pytest.raises(Cancelled):
            run(OUTCOME, CANDIDATES, progress=cancel)


def test_two_thousand_resamples_are_fast() -> None:
    start = time.perf_counter()
    found = bootstrap(OUTCOME, CANDIDATES)
    assert found.used == found.resamples == 2000
    assert time.perf_counter() - start < 20  # on two cores at most 40 s are allowed


def test_time_grows_no_faster_than_the_cases() -> None:
    rng = np.random.default_rng(1)

    def seconds(n: int) -> float:
        predictors = {name: rng.normal(size=n) for name in "abcd"}
        outcome = rng.random(n) < 1 / (1 + np.exp(-predictors["a"]))
        start = time.perf_counter()
        bootstrap(outcome, predictors, resamples=100)
        return time.perf_counter() - start

    seconds(200)
    assert seconds(8000) < 20 * max(seconds(800), 0.03)


def test_choosing_among_noise_looks_better_than_it_is() -> None:
    """Of 20 columns of noise some are always significant; nothing is to be gained by them."""
    rng = np.random.default_rng(3)
    outcome = np.repeat([0, 1], 40)
    apparent, corrected, plus, crossed, fixed = [], [], [], [], []
    for _ in range(12):
        noise = {str(j): column for j, column in enumerate(rng.normal(size=(20, 80)))}
        found = bootstrap(outcome, noise, 0.1, resamples=100)
        if not found.names:
            continue
        apparent.append(found.auc.apparent)
        corrected.append(found.auc.corrected.value)
        plus.append(found.auc.corrected_632)
        crossed.append(cross_validate(outcome, noise, 0.1, rounds=2).auc)
        without = bootstrap(outcome, {name: noise[name] for name in found.names}, None, resamples=100)
        fixed.append(without.auc.corrected.value)
    assert np.mean(apparent) > 0.68
    assert np.mean(plus) < 0.58
    assert 0.4 < np.mean(crossed) < 0.6
    assert np.mean(corrected) < np.mean(fixed) - 0.05  # correcting the final model alone is not enough


def test_corrected_figures_are_those_of_new_cases() -> None:
    """Many cohorts from one population: what is corrected comes near to what the models reach in it."""
    rng = np.random.default_rng(5)
    effects = np.array([0.8, 0.5, 0.0, 0.0, 0.0, 0.0])

    def cohort(n: int) -> tuple[np.ndarray, pd.DataFrame]:
        predictors = rng.normal(size=(n, 6))
        outcome = rng.random(n) < 1 / (1 + np.exp(-predictors @ effects))
        return outcome.astype(float), pd.DataFrame(predictors, columns=list("abcdef"))

    many, population = cohort(20_000)
    off = []
    for seed in range(40):
        outcome, predictors = cohort(100)
        found = bootstrap(outcome, predictors, resamples=100, seed=seed)
        if not found.names:
            continue
        fit = logistic(outcome, predictors[list(found.names)])
        log_odds = fit.coefficients[0] + population[list(found.names)].to_numpy() @ fit.coefficients[1:]
        true = performance(many, log_odds[None], np.ones((1, len(many))))
        off.append(
            [
                found.auc.apparent - true.auc[0],
                found.auc.corrected.value - true.auc[0],
                found.auc.corrected_632 - true.auc[0],
                found.brier.corrected.value - true.brier[0],
                found.slope.corrected.value - true.slope[0],
            ]
        )
    apparent, harrell, plus, brier, slope = np.mean(off, axis=0)
    assert apparent > 0.02
    assert abs(harrell) < 0.02
    assert abs(plus) < 0.02
    assert abs(brier) < 0.01
    assert abs(slope) < 0.12


def test_a_model_without_any_predictor() -> None:
    found = bootstrap(OUTCOME, {"constant": TWO["constant"]}, resamples=30)
    assert found.names == ()
    assert found.empty == found.used == 30
    assert found.auc.apparent == found.auc.corrected.value == found.auc.corrected_632 == 0.5
    assert found.slope.corrected.reason == "No candidate entered the model."
    share = OUTCOME.mean()
    assert found.brier.apparent == pytest.approx(share * (1 - share))
    crossed = cross_validate(OUTCOME, {"constant": TWO["constant"]}, rounds=2)
    assert crossed.auc == 0.5
    assert crossed.chosen == {"constant": 0.0}
    nothing = bootstrap(OUTCOME, {}, resamples=5)
    assert nothing.auc.apparent == 0.5


@pytest.mark.parametrize(
    ("outcome", "values", "reason"),
    [
        ([], [], "Cases of both groups are needed."),
        ([1, 1, np.nan], [1, 2, 3], "Cases of both groups are needed."),
        ([0, 1, 0, 1], [np.nan] * 4, ""),
    ],
)
def test_where_there_is_nothing_to_validate_the_reason_is_given(outcome, values, reason: str) -> None:
    found = bootstrap(outcome, {"a": values}, resamples=10)
    assert found.reason == reason
    crossed = cross_validate(outcome, {"a": values})
    assert crossed.reason.startswith("10 folds need 10 cases of each group; there are")
    if reason:
        assert math.isnan(found.auc.apparent)
    else:
        assert found.empty == found.used


def test_a_group_of_one_is_not_in_every_resample() -> None:
    outcome = np.zeros(12)
    outcome[3] = 1
    found = bootstrap(outcome, {"a": np.arange(12.0)}, None, resamples=200)
    assert 80 < found.used < 170
    assert found.resamples == 200


def test_cases_without_an_outcome_are_left_out() -> None:
    outcome = OUTCOME.astype(float)
    outcome.iloc[[0, 5]] = np.nan
    found = bootstrap(outcome, CANDIDATES, resamples=10)
    assert found.left_out == tuple(outcome.index[[0, 5]])
    assert found.n == len(outcome) - 2
    unlabelled = bootstrap(outcome.to_numpy(), CANDIDATES, resamples=10)
    assert unlabelled.left_out == found.left_out
    rest = outcome.notna()
    assert found.auc == bootstrap(OUTCOME[rest], CANDIDATES[rest], resamples=10).auc


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(InputError, match="at least two resamples"):
        bootstrap(OUTCOME, CANDIDATES, resamples=1)
    with pytest.raises(InputError, match="two folds and one round"):
        cross_validate(OUTCOME, CANDIDATES, folds=1)
    for entry in (0.0, 1.5):
        with pytest.raises(InputError, match="p under which a candidate enters"):
            select(OUTCOME, CANDIDATES, entry)
    with pytest.raises(InputError, match="a has 2 entries, the outcome 3"):
        bootstrap([0, 1, 1], {"a": [1, 2]})


def test_folds_are_stratified() -> None:
    seen = []
    data = prepare(OUTCOME, CANDIDATES, 0.05)
    for seed in range(3):
        found = cross_validate(OUTCOME, CANDIDATES, folds=5, rounds=2, seed=seed)
        seen.append(found.auc)
        assert found.used == 10
    assert len(set(seen)) == 3
    assert max(seen) - min(seen) < 0.06
    assert data.names == tuple(NAMES)


@given(seed=st.integers(0, 10_000), n=st.integers(4, 40), levels=st.integers(1, 12))
def test_weighted_figures_are_those_of_repeated_cases(seed: int, n: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = rng.integers(0, 2, n).astype(float)
    log_odds = rng.integers(-levels, levels + 1, (3, n)) / 3
    weights = rng.integers(0, 3, (3, n)).astype(float)
    areas, briers = weighted_auc(outcome, log_odds, weights), weighted_brier(outcome, log_odds, weights)
    for row in range(3):
        drawn = np.repeat(np.arange(n), weights[row].astype(int))
        probability = 1 / (1 + np.exp(-log_odds[row, drawn]))
        if len(drawn):
            assert briers[row] == pytest.approx(np.mean((outcome[drawn] - probability) ** 2))
        if len(set(outcome[drawn])) == 2:
            assert areas[row] == pytest.approx(roc_auc_score(outcome[drawn], log_odds[row, drawn]))
        else:
            assert math.isnan(areas[row])
    performance(outcome, log_odds, weights)


@given(seed=st.integers(0, 10_000), n=st.integers(2, 25), k=st.integers(1, 4))
def test_small_and_odd_cohorts_are_answered(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = rng.integers(0, 2, n).astype(float)
    values = rng.normal(size=(k, n)) if seed % 2 else rng.integers(0, 3, (k, n)).astype(float)
    values[rng.random((k, n)) < 0.1] = np.nan
    found = bootstrap(outcome, {str(j): one for j, one in enumerate(values)}, 0.3, resamples=12, seed=seed)
    if not found.reason:
        assert found.used <= 12
        assert 0 <= found.auc.apparent <= 1
        assert 0 <= found.auc.corrected_632 <= 1
