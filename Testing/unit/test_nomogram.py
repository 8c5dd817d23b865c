"""The nomogram: its points give the probability of the score."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from her2map.score import MapValue, ModelCard, ScoreCase, assess, demo_card
from her2map.score.nomogram import LARGEST, nomogram

CARD = demo_card()
SLOPES = st.floats(-5, 5).filter(lambda one: abs(one) > 1e-3)


def with_slopes(slopes: tuple[float, ...]) -> ModelCard:
    """The card with other slopes: log odds per range of each predictor."""
    ranges = [one.maximum - one.minimum for one in CARD.predictors]
    new = [slope / width for slope, width in zip(slopes, ranges, strict=True)]
    return replace(CARD, coefficients=(CARD.coefficients[0], *new))


@given(st.booleans(), st.floats(0, 1), st.floats(0, 1))
def test_points_give_the_probability_of_the_score(er: bool, part: float, other: float) -> None:
    """To the printed precision, and further."""
    _, t2star, t1_post = CARD.predictors
    values = [
        float(er),
        t2star.minimum + part * (t2star.maximum - t2star.minimum),
        t1_post.minimum + other * (t1_post.maximum - t1_post.minimum),
    ]
    found = assess(CARD, ScoreCase(er, {"T2star": MapValue(values[1]), "T1_post": MapValue(values[2])}, 3.0))
    scales = nomogram(CARD)
    points = sum(axis.points(value) for axis, value in zip(scales.axes, values, strict=True))
    assert scales.probability(points) == pytest.approx(found.probability, rel=1e-9)
    assert f"{scales.probability(points):.3f}" == f"{found.probability:.3f}"
    # What somebody reads off a printed scale of whole points is off by half a point an axis at the most.
    read = sum(round(axis.points(value)) for axis, value in zip(scales.axes, values, strict=True))
    assert abs(read - points) <= 1.5


@given(st.tuples(SLOPES, SLOPES, SLOPES))
def test_scales_run_from_0_and_the_longest_to_100(slopes: tuple[float, float, float]) -> None:
    card = with_slopes(slopes)
    scales = nomogram(card)
    ends = [sorted((axis.points(axis.low), axis.points(axis.high))) for axis in scales.axes]
    assert [low for low, _ in ends] == pytest.approx([0.0] * 3, abs=1e-9)
    assert max(high for _, high in ends) == pytest.approx(LARGEST)
    assert scales.total == pytest.approx(sum(high for _, high in ends))
    lengths = [high for _, high in ends]
    assert (
        np.argsort(lengths).tolist() == np.argsort(np.abs(slopes)).tolist() or len(set(map(abs, slopes))) < 3
    )
    for axis, slope in zip(scales.axes, slopes, strict=True):
        assert (axis.points(axis.high) > axis.points(axis.low)) == (slope > 0)


@given(st.tuples(SLOPES, SLOPES, SLOPES), st.floats(0.001, 0.999))
def test_probability_and_points_are_each_others_inverse(
    slopes: tuple[float, float, float], probability: float
) -> None:
    scales = nomogram(with_slopes(slopes))
    assert scales.probability(scales.points_of(probability)) == pytest.approx(probability, rel=1e-9)


def test_no_points_are_the_least_probable_case() -> None:
    scales = nomogram(CARD)
    worst = np.array([1.0, *(axis.origin for axis in scales.axes)])
    assert scales.probability(0) == pytest.approx(expit(worst @ CARD.coefficients))
    assert scales.probability(scales.total) > 0.99


def test_a_model_without_slopes_has_no_points() -> None:
    flat = replace(CARD, coefficients=(0.4, 0.0, 0.0, 0.0))
    scales = nomogram(flat)
    assert [axis.points(axis.high) for axis in scales.axes] == [0.0] * 3
    assert scales.probability(0.0) == pytest.approx(expit(0.4))
