"""The model card and its prediction, and the simulated cohort behind the card that ships."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from her2map.errors import InputError
from her2map.phantom import cohort
from her2map.score import ModelCard, demo_card, load_card, predict


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


@pytest.fixture(scope="module")
def population() -> cohort.Cohort:
    return cohort.simulate(1000, seed=7)


def altered(card: ModelCard, folder: Path, **changes: object) -> Path:
    """A card with `changes`, whose hash is right all the same."""
    path = folder / "card.json"
    path.write_text(replace(card, **changes).to_json())  # type: ignore[arg-type]
    return path


def test_simulated_cohort_meets_the_published_figures(population: cohort.Cohort) -> None:
    for positive, (name, n, delta, ratio) in enumerate(
        [("HER2-low", 72, (1441, 400), (0.747, 0.085)), ("HER2-positive", 86, (1208, 295), (0.669, 0.093))]
    ):
        group = population.her2_positive == positive
        difference = population.T1_pre[group] - population.T1_post[group]
        share = difference / population.T1_pre[group]
        assert n * 1000 == cohort.PUBLISHED[name].n * 1000 == np.count_nonzero(group)
        assert (difference.mean(), difference.std()) == pytest.approx(delta, rel=0.01)
        assert (share.mean(), share.std()) == pytest.approx(ratio, rel=0.01)


def test_simulated_cohort_meets_the_published_aucs(population: cohort.Cohort) -> None:
    fit = sm.Logit(population.her2_positive, population.design).fit(disp=0)
    # One standard error of an AUC from 158,000 cases is 0.001.
    for published, marker in [
        (0.800, population.T2star),
        (0.762, population.T1_post),
        (0.854, fit.predict()),
    ]:
        assert roc_auc_score(population.her2_positive, marker) == pytest.approx(published, abs=0.003)


def test_shipped_card_separates_an_unseen_population_as_published(
    card: ModelCard, population: cohort.Cohort
) -> None:
    marker = population.design @ card.coefficients
    assert roc_auc_score(population.her2_positive, marker) == pytest.approx(0.854, abs=0.003)
    assert card.corrected_auc < card.apparent_auc


def test_shipped_covariance_is_the_spread_of_refitted_cohorts(card: ModelCard) -> None:
    pool = cohort.simulate(500, seed=11)
    fits = [
        sm.Logit(one.her2_positive, one.design).fit(disp=0).params
        for one in (cohort.part(pool, index) for index in range(500))
    ]
    # An SD from 500 fits has itself an error of 3 %.
    spread = np.std(fits, axis=0, ddof=1) / np.sqrt(np.diag(card.covariance))
    assert np.all((spread > 0.88) & (spread < 1.12))


def test_shipped_card_can_be_made_again(card: ModelCard, tmp_path: Path) -> None:
    cohort.main(["--output", str(tmp_path / "card.json")])
    again = load_card(tmp_path / "card.json")
    assert np.allclose(again.coefficients, card.coefficients, rtol=1e-4)
    assert np.allclose(again.covariance, card.covariance, rtol=1e-4)
    assert again.cut_off == pytest.approx(card.cut_off, abs=0.002)
    assert again.corrected_auc == pytest.approx(card.corrected_auc, abs=0.002)
    assert again.apparent_auc == pytest.approx(card.apparent_auc, abs=0.002)
    same = [f.name for f in fields(ModelCard) if f.name not in ("coefficients", "covariance", "cut_off")]
    assert all(getattr(again, name) == getattr(card, name) for name in same if not name.endswith("_auc"))


def test_prediction_and_interval_agree_with_statsmodels(card: ModelCard) -> None:
    one = cohort.part(cohort.simulate(1, seed=3), 0)
    fit = sm.Logit(one.her2_positive, one.design).fit(disp=0)
    own = replace(card, coefficients=tuple(fit.params), covariance=tuple(map(tuple, fit.cov_params())))
    expected = fit.get_prediction(np.array([[1.0, 1.0, 27.1, 512.0]])).summary_frame(alpha=0.05)
    found = predict(own, True, 27.1, 512.0)
    assert found.probability == pytest.approx(expected["predicted"][0], rel=1e-10)
    assert found.lower == pytest.approx(expected["ci_lower"][0], rel=1e-6)
    assert found.upper == pytest.approx(expected["ci_upper"][0], rel=1e-6)


@given(st.booleans(), st.floats(15, 48), st.floats(252, 958))
def test_interval_holds_the_probability_and_the_call_its_side(
    er: bool, t2star: float, t1_post: float
) -> None:
    card = demo_card()
    found = predict(card, er, t2star, t1_post)
    assert 0 < found.lower < found.probability < found.upper < 1
    assert found.call == ("HER2-positive" if found.probability >= card.cut_off else "HER2-low")
    assert found.refused == ""


@pytest.mark.parametrize(
    ("er", "t2star", "t1_post", "reason"),
    [
        (None, 27.0, 500.0, "er_positive is missing"),
        (True, None, 500.0, "T2star is missing"),
        (True, 27.0, math.nan, "T1_post is missing"),
        (True, 90.0, 500.0, "T2star 90 ms lies outside the training range"),
        (False, 27.0, 100.0, "T1_post 100 ms lies outside the training range"),
    ],
)
def test_no_number_where_the_model_does_not_know(
    card: ModelCard, er: bool | None, t2star: float | None, t1_post: float, reason: str
) -> None:
    found = predict(card, er, t2star, t1_post)
    assert found.refused.startswith(reason)
    assert math.isnan(found.probability)
    assert math.isnan(found.lower)
    assert found.call == ""


def test_a_card_survives_writing_and_reading(card: ModelCard, tmp_path: Path) -> None:
    assert load_card(altered(card, tmp_path)) == card
    assert load_card(altered(card, tmp_path)).content_hash == card.content_hash


def test_altered_content_is_refused(card: ModelCard, tmp_path: Path) -> None:
    content = json.loads(card.to_json())
    content["coefficients"][1] *= -1
    (tmp_path / "card.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"card\.json was changed after its export"):
        load_card(tmp_path / "card.json")


@pytest.mark.parametrize("name", [field.name for field in fields(ModelCard)])
def test_a_missing_field_is_named(card: ModelCard, tmp_path: Path, name: str) -> None:
    content = json.loads(card.to_json())
    del content[name]
    (tmp_path / "card.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=name):
        load_card(tmp_path / "card.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 2}, "schema_version 2"),
        ({"covariance": ((1.0,) * 4,) * 4}, "not positive definite"),
        ({"covariance": ((1.0, 0.0), (0.0, 1.0))}, "4 x 4"),
        ({"covariance": ((1.0, 0.0), (0.0,))}, "wrong kind"),
        ({"coefficients": (1.0, "two", 3.0, 4.0)}, "wrong kind"),
        ({"name": 7}, "wrong kind"),
        ({"cut_off": 1.5}, "cut-off"),
        ({"corrected_auc": 8.5}, "corrected_auc"),
    ],
)
def test_an_unusable_card_is_refused(
    card: ModelCard, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_card(altered(card, tmp_path, **changes))


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the model card absent"):
        load_card(tmp_path / "absent.json")
    for text, message in [
        ("{", "no JSON text"),
        ("[1]", "no JSON object"),
        ('{"cut_off": NaN}', "no JSON text"),
    ]:
        (tmp_path / "card.json").write_text(text)
        with pytest.raises(InputError, match=message):
            load_card(tmp_path / "card.json")


def test_a_predictor_that_nobody_measures_is_refused(card: ModelCard) -> None:
    odd = replace(card, predictors=(replace(card.predictors[0], name="grade"), *card.predictors[1:]))
    with pytest.raises(InputError, match="grade"):
        predict(odd, True, 27.0, 500.0)
