"""A card on another cohort: judged by other programs' figures, and recalibrated in simulation."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, roc_auc_score

from her2map.cohort.inputs import Cohort
from her2map.errors import Cancelled, InputError
from her2map.report.score_summary import card_text, validation_text
from her2map.report.score_validation import write_validation
from her2map.score import ModelCard, demo_card, load_card
from her2map.score.acquired import Acquired, CaseAcquired
from her2map.score.recalibrate import AS_IT_IS, Method, closed_test, shifted
from her2map.score.train import Background, train
from her2map.score.update import updated_card
from her2map.score.validate import (
    COMPLETE,
    LOG_ODDS,
    SCORED,
    NewCases,
    Validation,
    judge,
    new_cases,
    validate,
)
from score_data import cohort_of, population

SCHEMA = json.loads(resources.files("her2map").joinpath("score/card.schema.json").read_text("utf-8"))
OWN = Background("A model", "A test", centre="Here", period="2025")
SHIFTED = {"t2star": 1.12, "t1_post": 0.93, "blur": 0.12}
"""Another scanner, and a third of the cases HER2-positive: the card is too sure of itself, and too high."""
LARGE = 40_000


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


@pytest.fixture(scope="module")
def elsewhere() -> Cohort:
    return cohort_of(population(200, 100, seed=3, **SHIFTED))


@pytest.fixture(scope="module")
def found(card: ModelCard, elsewhere: Cohort) -> Validation:
    return validate(card, elsewhere, bootstraps=50)


def scored(cases: NewCases) -> tuple[np.ndarray, np.ndarray]:
    """Outcome and log odds."""
    part = cases.part(SCORED)
    return part["outcome"].to_numpy(), part["log_odds"].to_numpy()


def slope_and_intercept(outcome: np.ndarray, log_odds: np.ndarray) -> tuple[float, float]:
    """By statsmodels."""
    slope = sm.Logit(outcome, sm.add_constant(log_odds)).fit(disp=0).params[1]
    large = sm.GLM(outcome, np.ones(len(outcome)), family=sm.families.Binomial(), offset=log_odds).fit()
    return float(slope), float(large.params[0])


def test_discrimination_and_calibration_are_those_of_other_programs(found: Validation) -> None:
    outcome, log_odds = scored(found.cases)
    judged = found.judged[SCORED]
    slope, intercept = slope_and_intercept(outcome, log_odds)
    assert judged.curve.auc.value == pytest.approx(roc_auc_score(outcome, log_odds))
    assert judged.calibration.brier == pytest.approx(brier_score_loss(outcome, expit(log_odds)))
    assert judged.calibration.slope.value == pytest.approx(slope, rel=1e-6)
    assert judged.calibration.intercept.value == pytest.approx(intercept, rel=1e-6)
    called = log_odds >= logit(found.card.cut_off)
    assert judged.calls.sensitivity.wilson.value == pytest.approx(called[outcome == 1].mean())
    assert judged.calls.specificity.wilson.value == pytest.approx(1 - called[outcome == 0].mean())


def test_hosmer_lemeshow_has_a_degree_of_freedom_a_group(found: Validation) -> None:
    """A model that was not fitted to the cases: the statistic then has the level that it says."""
    rng = np.random.default_rng(0)
    assert found.judged[SCORED].calibration.hosmer_lemeshow.df == (10,)
    frame = found.cases.part(SCORED)
    rejected = [
        judge(
            found.card, frame.assign(outcome=(rng.random(len(frame)) < expit(frame["log_odds"])) * 1.0)
        ).calibration.hosmer_lemeshow.p
        < 0.05
        for _ in range(200)
    ]
    assert 0.02 < np.mean(rejected) < 0.09


def test_net_benefit_follows_from_its_definition(found: Validation) -> None:
    outcome, log_odds = scored(found.cases)
    called = expit(log_odds) >= 0.3
    benefit = (np.sum(called & (outcome == 1)) - np.sum(called & (outcome == 0)) * 0.3 / 0.7) / len(outcome)
    at = list(found.decision.thresholds).index(0.3)
    assert found.decision.models["score"][at] == pytest.approx(benefit)


def test_refusals_are_counted_and_such_cases_not_judged(card: ModelCard) -> None:
    cases = population(100, 100, seed=5)
    cases["T1_post"] = cases["T1_post"].clip(250, 900)
    cases["T2star"] = cases["T2star"].clip(18, 40)
    cases.loc[:2, "T2star"] = 90.0
    cases.loc[3:4, "T1_post"] = np.nan
    cases.loc[5, "er"] = ""
    away = {"C000006": CaseAcquired(1.5), "C000007": CaseAcquired(3.0, {"T2star": "scanner_map"})}
    found = validate(card, cohort_of(cases), Acquired(away, CaseAcquired(3.0)), bootstraps=0)
    assert found.counts == {"cases": 200, "with all predictors": 197, "with a number": 192}
    assert found.refused == {
        "er_positive is missing": 1,
        "T2star is outside the training range": 3,
        "T1_post is missing": 2,
        "another field strength or sequence": 2,
    }
    assert found.judged[SCORED].calibration.n == 192
    assert found.judged[COMPLETE].calibration.n == 197


def test_a_card_that_refuses_all_cases_cannot_be_judged(card: ModelCard, elsewhere: Cohort) -> None:
    with pytest.raises(InputError, match=r"0 HER2-low and 0 HER2-positive cases.*The exam was made at 1.5 T"):
        validate(card, elsewhere, Acquired(others=CaseAcquired(1.5)), bootstraps=0)


def test_case_mix_tells_what_the_cohorts_differ_in(found: Validation, card: ModelCard) -> None:
    table = found.case_mix.set_index(["quantity", "group"])
    part = found.cases.part(COMPLETE)
    row = table.loc["T2star", "both"]
    assert (row["mean"], row["sd"]) == pytest.approx((part["T2star"].mean(), part["T2star"].std()))
    one = card.predictor("T2star")
    assert row["below"] == (part["T2star"] < one.minimum).sum()
    assert row["above"] == (part["T2star"] > one.maximum).sum()
    spread = np.sqrt((row["sd"] ** 2 + row["training_sd"] ** 2) / 2)
    assert row["standardised_difference"] == pytest.approx((row["mean"] - row["training_mean"]) / spread)
    low = table.loc[LOG_ODDS, "HER2-low"]
    assert low["mean"] == pytest.approx(part.loc[part["outcome"] == 0, "log_odds"].mean())
    assert low["training_sd"] == card.cohort.log_odds["HER2-low"].sd


def test_moments_of_both_groups_together_are_those_of_the_cases() -> None:
    cases = population(30, 50, seed=2)
    card = train(cohort_of(cases), OWN, bootstraps=0)
    table = validate(card, cohort_of(cases), bootstraps=0).case_mix.set_index(["quantity", "group"])
    for name in ("T2star", "T1_post"):
        row = table.loc[name, "both"]
        assert (row["training_mean"], row["training_sd"]) == pytest.approx((row["mean"], row["sd"]))
        assert row["below"] == row["above"] == 0


@pytest.mark.parametrize("method", [Method.IN_THE_LARGE, Method.SLOPE])
def test_estimates_are_those_of_statsmodels(found: Validation, card: ModelCard, method: Method) -> None:
    outcome, log_odds = scored(found.cases)
    shift = shifted(card, found.cases.design(found.cases.part(SCORED)), outcome, method)
    if method is Method.SLOPE:
        fit = sm.Logit(outcome, sm.add_constant(log_odds)).fit(disp=0, tol=1e-12)
        assert (shift.intercept, shift.slope) == pytest.approx(tuple(fit.params), rel=1e-7)
    else:
        assert (shift.intercept, shift.slope) == (
            pytest.approx(slope_and_intercept(outcome, log_odds)[1], rel=1e-7), 1.0
        )  # fmt: skip
    design = found.cases.design(found.cases.part(SCORED))
    assert design @ shift.coefficients == pytest.approx(shift.of(log_odds))


@pytest.mark.parametrize("method", [Method.IN_THE_LARGE, Method.SLOPE])
def test_the_former_covariance_is_carried_through_the_estimates(
    found: Validation, card: ModelCard, method: Method
) -> None:
    """By differences, what the new coefficients are of other former ones."""
    part = found.cases.part(SCORED)
    design, outcome = found.cases.design(part), part["outcome"].to_numpy()
    former, covariance = np.array(card.coefficients), np.array(card.covariance)
    steps = 1e-5 * np.sqrt(np.diag(covariance))
    columns = []
    for step in np.diag(steps):
        ends = [
            shifted(replace(card, coefficients=tuple(former + sign * step)), design, outcome, method)
            for sign in (1, -1)
        ]
        columns.append((ends[0].coefficients - ends[1].coefficients) / (2 * step.sum()))
    jacobian = np.array(columns).T
    known = replace(card, covariance=tuple(map(tuple, np.zeros((4, 4)))))
    own = shifted(known, design, outcome, method).covariance
    full = shifted(card, design, outcome, method).covariance
    scale = np.sqrt(np.outer(np.diag(full), np.diag(full)))
    assert (full - jacobian @ covariance @ jacobian.T - own) / scale == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("method", [Method.IN_THE_LARGE, Method.SLOPE])
def test_the_covariance_is_that_of_repeated_recalibrations(card: ModelCard, method: Method) -> None:
    """Training and recalibration repeated on other cases, whose outcome is logistic."""
    rng = np.random.default_rng(4)
    truth = np.array(card.coefficients)

    def drawn(n: int, intercept: float, slope: float) -> tuple[np.ndarray, np.ndarray]:
        design = np.column_stack(
            [np.ones(n), rng.random(n) < 0.6, rng.normal(27, 5, n), rng.normal(520, 130, n)]
        )
        return design, (rng.random(n) < expit(intercept + slope * (design @ truth))) * 1.0

    slope = 0.6 if method is Method.SLOPE else 1.0
    coefficients, covariances = [], []
    for _ in range(500):
        design, outcome = drawn(600, 0, 1)
        fit = sm.Logit(outcome, design).fit(disp=0)
        trained = replace(
            card, coefficients=tuple(fit.params), covariance=tuple(map(tuple, fit.cov_params()))
        )
        shift = shifted(trained, *drawn(400, -0.5, slope), method)
        coefficients.append(shift.coefficients)
        covariances.append(shift.covariance)
    spread = np.cov(np.array(coefficients), rowvar=False)
    stated = np.median(covariances, axis=0)
    # An SD of 500 has an error of 3 %.
    assert np.sqrt(np.diag(spread) / np.diag(stated)) == pytest.approx(np.ones(4), abs=0.12)


@pytest.fixture(scope="module")
def recalibrated(card: ModelCard) -> dict[Method, ModelCard]:
    """Of many cases of the shifted population."""
    cohort = cohort_of(population(2 * LARGE // 3, LARGE // 3, seed=11, **SHIFTED))
    found = validate(card, cohort, bootstraps=0)
    return {method: updated_card(found, cohort, method, OWN, bootstraps=0) for method in Method}


def fresh(card: ModelCard) -> tuple[np.ndarray, np.ndarray]:
    cohort = cohort_of(population(2 * LARGE // 3, LARGE // 3, seed=12, **SHIFTED))
    return scored(new_cases(card, cohort, Acquired()))


def test_recalibration_brings_slope_to_1_and_intercept_to_0(
    card: ModelCard, recalibrated: dict[Method, ModelCard]
) -> None:
    """Judged on fresh cases of the shifted population."""
    slope, intercept = slope_and_intercept(*fresh(card))
    assert slope < 0.85
    assert abs(intercept) > 0.3
    for method, new in recalibrated.items():
        slope, intercept = slope_and_intercept(*fresh(new))
        assert intercept == pytest.approx(0, abs=0.05), method
        if method is not Method.IN_THE_LARGE:  # which leaves the slope as it is
            assert slope == pytest.approx(1, abs=0.05), method


def test_recalibration_changes_no_call_and_no_order(
    card: ModelCard, recalibrated: dict[Method, ModelCard], elsewhere: Cohort
) -> None:
    before = new_cases(card, elsewhere, Acquired()).frame["log_odds"]
    for method in (Method.IN_THE_LARGE, Method.SLOPE):
        new = recalibrated[method]
        after = new_cases(new, elsewhere, Acquired()).frame["log_odds"]
        assert (before.rank() == after.rank()).all()
        assert ((before >= logit(card.cut_off)) == (after >= logit(new.cut_off))).all()


def test_a_recalibrated_card_tells_its_history(
    card: ModelCard, recalibrated: dict[Method, ModelCard], tmp_path: Path
) -> None:
    for method, new in recalibrated.items():
        (tmp_path / "card.json").write_text(new.to_json(), encoding="utf-8")
        assert load_card(tmp_path / "card.json") == new
        jsonschema.validate(json.loads(new.to_json()), SCHEMA)
        assert card.content_hash in new.history[-1]
        assert "Here, 2025" in new.history[-1]
        assert new.name == OWN.name
        moved = new.cohort.log_odds["HER2-low"]
        if method is not Method.REFIT:
            assert new.predictors == card.predictors
            assert new.cohort.groups == card.cohort.groups
            assert new.cut_off_rule.endswith("no call changes")
            by_group = card.cohort.log_odds["HER2-low"]
            scale = moved.sd / by_group.sd
            assert moved.deciles == pytest.approx(
                moved.mean + scale * (np.array(by_group.deciles) - by_group.mean)
            )
        else:
            assert new.cohort.groups["HER2-positive"] > 1000
    again = validate(recalibrated[Method.SLOPE], cohort_of(population(80, 70, seed=1)), bootstraps=0)
    twice = updated_card(again, cohort_of(population(80, 70, seed=1)), Method.IN_THE_LARGE, OWN)
    assert len(twice.history) == 2
    assert twice.cut_off_rule == recalibrated[Method.SLOPE].cut_off_rule


def test_performance_of_a_recalibrated_card(card: ModelCard, found: Validation, elsewhere: Cohort) -> None:
    large = updated_card(found, elsewhere, Method.IN_THE_LARGE, OWN).performance
    slope = updated_card(found, elsewhere, Method.SLOPE, OWN).performance
    refit = updated_card(found, elsewhere, Method.REFIT, OWN, bootstraps=20).performance
    judged = found.judged[SCORED]
    assert large.apparent_auc == slope.apparent_auc == slope.corrected_auc == judged.curve.auc.value
    assert large.slope == pytest.approx(judged.calibration.slope.value, rel=1e-6)
    assert large.intercept is None
    assert slope.slope == found.recalibrated[Method.SLOPE].corrected.slope.corrected.value
    assert refit.corrected_auc < refit.apparent_auc


def test_a_score_that_runs_the_wrong_way_is_not_turned_over(card: ModelCard) -> None:
    cases = population(100, 100, seed=1)
    cases["her2"] = np.where(cases["her2"] == "low", "positive", "low")
    found = validate(card, cohort_of(cases), bootstraps=0)
    assert "runs the wrong way" in found.recalibrated[Method.SLOPE].reason
    with pytest.raises(InputError, match="Fit a model of their own"):
        updated_card(found, cohort_of(cases), Method.SLOPE, OWN)
    assert found.advice is not None
    assert found.advice.method is Method.REFIT


def test_the_closed_test_keeps_its_level_and_finds_what_is_needed(card: ModelCard) -> None:
    rng = np.random.default_rng(2)
    truth = np.array(card.coefficients)
    answers: dict[str, list[Method | None]] = {"as it is": [], "large": [], "slope": [], "other": []}
    for _ in range(300):
        n = 500
        design = np.column_stack(
            [np.ones(n), rng.random(n) < 0.6, rng.normal(27, 5, n), rng.normal(520, 130, n)]
        )
        former = design @ truth
        cases = {
            "as it is": former,
            "large": former + 1,
            "slope": 0.5 * former,
            "other": former - 0.3 * (design[:, 2] - 27),
        }
        for name, log_odds in cases.items():
            outcome = (rng.random(n) < expit(log_odds)) * 1.0
            new = {
                str(method): shifted(card, design, outcome, method).of(former)
                for method in (Method.IN_THE_LARGE, Method.SLOPE)
            }
            new[str(Method.REFIT)] = design @ sm.Logit(outcome, design).fit(disp=0).params
            answers[name].append(closed_test(outcome, {AS_IT_IS: former, **new}, 3).method)
    share = {
        name: pd.Series(found).value_counts(normalize=True, dropna=False) for name, found in answers.items()
    }
    assert np.mean([one is None for one in answers["as it is"]]) == pytest.approx(0.95, abs=0.04)
    assert share["large"][Method.IN_THE_LARGE] > 0.9
    assert share["slope"][Method.SLOPE] > 0.9
    assert share["other"][Method.REFIT] > 0.9


def test_the_report_is_whole_and_offline(found: Validation, tmp_path: Path) -> None:
    page = write_validation(tmp_path, found).read_text(encoding="utf-8")
    assert 'src="http' not in page
    assert found.card.warning in page
    content = json.loads((tmp_path / "validation.json").read_text(encoding="utf-8"))
    assert content["card"]["content_hash"] == found.card.content_hash
    assert content["judged"]["scored"]["curve"]["auc"]["value"] == found.judged[SCORED].curve.auc.value
    assert content["recalibrated"]["slope"]["slope"] == found.recalibrated[Method.SLOPE].slope
    refused = pd.read_csv(tmp_path / "tables" / "refused.csv")
    assert len(refused) == found.counts["cases"] - found.counts["with a number"]
    for name in ("roc", "calibration", "decision_curve", "case_mix", "recalibrated"):
        assert (tmp_path / "figures" / f"{name}.svg").stat().st_size > 1000


def test_the_terminal_gets_the_figures(found: Validation, card: ModelCard) -> None:
    text = validation_text(found)
    assert f"AUC {found.judged[SCORED].curve.auc.value:.3f}" in text
    assert "outside the training range" in text
    assert f"corrected {card.performance.corrected_auc:.3f}" in card_text(card)


def test_validation_can_be_stopped(card: ModelCard, elsewhere: Cohort) -> None:
    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        validate(card, elsewhere, progress=stop)
