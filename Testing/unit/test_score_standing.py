"""Where a case stands in the training cohort."""

import math

import pytest

from her2map.score import MapValue, ScoreCase, assess, demo_card
from her2map.score.standing import PROBABILITY, standings


def test_a_case_stands_by_every_predictor_and_by_the_probability() -> None:
    card = demo_card()
    case = ScoreCase(True, {"T2star": MapValue(27.1), "T1_post": MapValue(512.0)})
    found = {one.name: one for one in standings(card, case, assess(card, case))}
    assert list(found) == ["er_positive", "T2star", "T1_post", PROBABILITY]
    assert (found["er_positive"].value, found["T2star"].value, found["T1_post"].value) == (1.0, 27.1, 512.0)
    assert found["T2star"].deciles["HER2-low"] == card.predictor("T2star").groups["HER2-low"].deciles
    log_odds = card.cohort.log_odds["HER2-positive"].deciles
    expected = [1 / (1 + math.exp(-one)) for one in log_odds]
    assert found[PROBABILITY].deciles["HER2-positive"] == pytest.approx(expected)
    intercept, er, t2star, t1_post = card.coefficients
    sure = intercept + er + 27.1 * t2star + 512 * t1_post
    assert found[PROBABILITY].value == pytest.approx(1 / (1 + math.exp(-sure)))


def test_a_refused_case_stands_nowhere_by_its_probability() -> None:
    card = demo_card()
    case = ScoreCase(None, {"T2star": MapValue(27.1), "T1_post": MapValue(512.0)})
    found = {one.name: one for one in standings(card, case, assess(card, case))}
    assert math.isnan(found[PROBABILITY].value) and math.isnan(found["er_positive"].value)
    assert found["T1_post"].value == 512.0
