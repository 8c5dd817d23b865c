"""Cards trained on a cohort: as R and statsmodels fit them, and the one that ships from its own cohort."""

import json
import subprocess
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from test_cohort_reference import has_r_packages

from her2map.cohort.inputs import Cohort, read_cohort
from her2map.errors import Cancelled, InputError
from her2map.reproduce.card import demonstration_card
from her2map.score import ModelCard, ReadingErrors, demo_card, load_card
from her2map.score.train import Background, train

FOLDER = Path(__file__).parent / "reference" / "score"
STORED: dict[str, float] = json.loads((FOLDER / "score.json").read_text(encoding="utf-8"))
SCHEMA = json.loads(resources.files("her2map").joinpath("score/card.schema.json").read_text("utf-8"))
OWN = Background("A model", "A test")
RATIO = ("er", "T2star", "delta_T1_ratio", "T2")
PAPER = ("er", "T2star", "T1_post")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return read_cohort(FOLDER / "values.csv", FOLDER / "pathology.csv")


def changed(cohort: Cohort, **columns: pd.Series) -> Cohort:
    """With other columns of its cases."""
    return replace(cohort, cases=cohort.cases.assign(**columns))


def apart(cohort: Cohort) -> Cohort:
    """The cases that T2* separates at 27 ms."""
    cases = cohort.cases
    return replace(cohort, cases=cases[(cases["her2"] == "positive") == (cases["T2star"] > 27)])


def assert_as_r(card: ModelCard, name: str, tolerance: float) -> None:
    """Every coefficient and covariance, relative to itself and to its two standard errors."""
    n = len(card.coefficients)
    expected = np.array([STORED[f"{name}/coefficient/{i}"] for i in range(n)])
    matrix = np.array([[STORED[f"{name}/covariance/{i}/{j}"] for j in range(n)] for i in range(n)])
    assert card.coefficients == pytest.approx(expected, rel=tolerance)
    assert np.array(card.covariance) == pytest.approx(matrix, rel=tolerance)
    assert sum(card.cohort.groups.values()) == STORED[f"{name}/n"]
    assert card.cohort.groups["HER2-positive"] == STORED[f"{name}/events"]


@pytest.mark.parametrize(("name", "predictors"), [("paper", PAPER), ("ratio", RATIO)])
def test_the_model_is_that_of_r(cohort: Cohort, name: str, predictors: tuple[str, ...]) -> None:
    card = train(cohort, OWN, predictors, bootstraps=0)
    assert_as_r(card, name, 1e-8)
    assert "maximum likelihood" in card.fitted_by


@pytest.mark.parametrize("predictors", [PAPER, RATIO, ("T2star",), ("T1_pre", "T1_post", "T2", "T2star")])
def test_the_model_is_that_of_statsmodels(cohort: Cohort, predictors: tuple[str, ...]) -> None:
    card = train(cohort, OWN, predictors, bootstraps=0)
    pair = cohort.cases[cohort.cases["her2"] != "zero"]
    columns = {name: pair[name] if name != "er" else pair["er"] == "positive" for name in predictors}
    design = sm.add_constant(pd.DataFrame(columns).astype(float))
    fit = sm.Logit((pair["her2"] == "positive").astype(float), design).fit(disp=0, method="newton", tol=1e-14)
    assert card.coefficients == pytest.approx(fit.params.to_numpy(), rel=1e-8)
    assert np.array(card.covariance) == pytest.approx(fit.cov_params().to_numpy(), rel=1e-8)


def test_where_the_data_separate_the_model_is_firths_as_in_r(cohort: Cohort) -> None:
    card = train(apart(cohort), OWN, bootstraps=20)
    assert_as_r(card, "separated", 1e-6)
    assert "Firth's penalised likelihood, because the data separate the groups" in card.fitted_by
    assert "T2star" in card.fitted_by
    assert card.performance.apparent_auc == 1.0
    assert card.performance.apparent_low is None


def test_area_and_cut_off_are_those_of_r(cohort: Cohort) -> None:
    card = train(cohort, OWN, bootstraps=0)
    found = card.performance
    assert found.apparent_auc == pytest.approx(STORED["roc/auc"], rel=1e-12)
    assert found.apparent_low == pytest.approx(STORED["roc/low"], rel=1e-10)
    assert found.apparent_high == pytest.approx(STORED["roc/high"], rel=1e-10)
    assert card.cut_off == pytest.approx(STORED["roc/cut_off"], rel=1e-9)
    assert found.sensitivity == pytest.approx(STORED["roc/sensitivity"])
    assert found.specificity == pytest.approx(STORED["roc/specificity"])
    assert found.corrected_auc is None


def test_r_still_gives_the_stored_figures() -> None:
    if not has_r_packages():
        pytest.skip("needs R with pROC and brglm2")
    command = ["Rscript", *(str(FOLDER / name) for name in ("score.R", "values.csv", "pathology.csv"))]
    again = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert again.keys() == STORED.keys()
    for path, value in again.items():
        assert value == pytest.approx(STORED[path], rel=1e-7), path


def test_the_card_that_ships_is_trained_on_the_cohort_of_reproduce(cohort: Cohort) -> None:
    """Values of another machine differ in the last digits; the readings here are rounded."""
    again, shipped = demonstration_card(cohort), demo_card()
    for field in fields(ModelCard):
        if field.name not in ("software", "errors"):
            assert_alike(getattr(again, field.name), getattr(shipped, field.name), field.name, 1e-9)
    assert again.errors is not None
    assert shipped.errors is not None
    assert again.errors.names == shipped.errors.names
    assert (again.errors.within_df, again.errors.between_df) == (712, 178)
    for name in ("within", "between"):
        assert np.allclose(
            getattr(again.errors, name), getattr(shipped.errors, name), rtol=2e-3, atol=2e-3
        ), name


def assert_alike(found: object, expected: object, where: str, tolerance: float) -> None:
    assert type(found) is type(expected), where
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=tolerance, abs=1e-12), where
    elif isinstance(expected, (tuple, list)):
        assert len(found) == len(expected), where  # type: ignore[arg-type]
        for one, other in zip(found, expected, strict=True):  # type: ignore[call-overload]
            assert_alike(one, other, where, tolerance)
    elif hasattr(expected, "__dict__"):
        assert_alike(vars(found), vars(expected), where, tolerance)
    elif isinstance(expected, dict):
        assert list(found) == list(expected), where  # type: ignore[call-overload]
        assert_alike([*found.values()], [*expected.values()], where, tolerance)  # type: ignore[attr-defined]
    else:
        assert found == expected, where


def test_a_trained_card_survives_writing_and_reading(cohort: Cohort, tmp_path: Path) -> None:
    for card in (train(cohort, OWN, bootstraps=10), train(apart(cohort), OWN, bootstraps=10)):
        (tmp_path / "card.json").write_text(card.to_json(), encoding="utf-8")
        assert load_card(tmp_path / "card.json") == card
        jsonschema.validate(json.loads(card.to_json()), SCHEMA)


def test_the_card_tells_its_cohort(cohort: Cohort) -> None:
    missing = cohort.cases["T2star"].copy()
    missing[cohort.cases.index[cohort.cases["her2"] == "low"][:2]] = np.nan
    told = replace(
        OWN, centre="Here", period="2024", field_strengths_t=(1.5, 3.0), techniques={"T1_post": ("vfa",)}
    )
    card = train(changed(cohort, T2star=missing), told, bootstraps=0)
    assert card.cohort.groups == {"HER2-low": 70, "HER2-positive": 86}
    assert card.cohort.left_out == 2
    assert card.cohort.field_strengths_t == (1.5, 3.0)
    assert (card.cohort.centre, card.cohort.period, card.cohort.simulated) == ("Here", "2024", False)
    assert card.predictor("T1_post").techniques == ("vfa",)
    assert card.predictor("T2star").techniques == ()
    low = cohort.cases.loc[(cohort.cases["her2"] == "low") & missing.notna(), "T1_post"]
    found = card.predictor("T1_post").groups["HER2-low"]
    assert (found.mean, found.sd) == pytest.approx((low.mean(), low.std()))
    assert found.deciles == pytest.approx(low.quantile(np.linspace(0, 1, 11)).to_numpy())


def test_techniques_of_a_difference_are_those_of_both_its_parts(cohort: Cohort) -> None:
    told = replace(OWN, techniques={"T1_pre": ("look_locker",), "T1_post": ("vfa",), "T2": ("none",)})
    card = train(cohort, told, ("er", "delta_T1"), bootstraps=0)
    assert card.predictor("delta_T1").techniques == ("look_locker", "vfa")


def test_readings_give_the_card_its_reading_errors(cohort: Cohort) -> None:
    card = train(cohort, OWN, bootstraps=0)
    assert isinstance(card.errors, ReadingErrors)
    without = replace(cohort, readings=cohort.readings.iloc[:0])
    assert train(without, OWN, bootstraps=0).errors is None


@pytest.mark.parametrize(
    ("predictors", "message"),
    [
        ((), "No predictor was named"),
        (("er", "age"), "cannot take 'age'; it takes er, T1_pre"),
        (("er", "er_positive"), "er is named twice"),
        (("delta_T1", "T1_post"), "T1_post and delta_T1 cannot enter one model|delta_T1 and T1_post"),
    ],
)
def test_predictors_that_make_no_score_are_refused(
    cohort: Cohort, predictors: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(cohort, OWN, predictors, bootstraps=0)


def test_cohorts_that_make_no_model_are_refused(cohort: Cohort) -> None:
    cases = cohort.cases
    with pytest.raises(InputError, match="There are 0 HER2-positive cases"):
        train(replace(cohort, cases=cases[cases["her2"] != "positive"]), OWN, bootstraps=0)
    with pytest.raises(InputError, match="There are 0 HER2-low cases"):
        train(changed(cohort, T2star=cases["T2star"] * np.nan), OWN, bootstraps=0)
    with pytest.raises(InputError, match=r"No model can be fitted: .*T1_post"):
        train(changed(cohort, T1_post=3 * cases["T2star"] + 1), OWN, bootstraps=0)
    with pytest.raises(InputError, match="is the same in all complete cases"):
        train(changed(cohort, er="positive"), OWN, bootstraps=0)
    few = cases.groupby("her2").head(2)
    with pytest.raises(InputError, match="There are 4 complete cases for 4 coefficients"):
        train(replace(cohort, cases=few), OWN, bootstraps=0)


def test_training_can_be_stopped(cohort: Cohort) -> None:
    def stop(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        train(cohort, OWN, progress=stop)
