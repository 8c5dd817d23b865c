"""Where a card has no right to a number it says so, one reason at a time; what it cannot check it tells."""

import math
from dataclasses import replace

import pytest

from her2map.score import MapValue, ModelCard, ReadingErrors, ScoreCase, assess, demo_card

VALUES = {"T2star": 27.0, "T1_post": 480.0}


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


@pytest.fixture
def good(card: ModelCard) -> ScoreCase:
    maps = {
        name: MapValue(value, 1.0, 0.5, 1.0, card.predictor(name).techniques[0], "")
        for name, value in VALUES.items()
    }
    return ScoreCase(True, maps, card.cohort.field_strengths_t[0], 0.03)


def with_map(case: ScoreCase, name: str, **changes: object) -> ScoreCase:
    return replace(case, maps={**case.maps, name: replace(case.maps[name], **changes)})


def test_a_good_case_has_a_number_and_nothing_to_remark(card: ModelCard, good: ScoreCase) -> None:
    found = assess(card, good)
    assert not found.refusals and not found.remarks
    assert 0 < found.low < found.probability < found.high < 1


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"value": math.nan, "reason": "The ROI leaves the map."},
            "is missing ({name}: The ROI leaves the map).",
        ),
        ({"value": 5000.0}, "outside the training range"),
        ({"value": 1.0}, "outside the training range"),
        ({"technique": "scanner_map"}, "{name} was acquired by scanner map"),
        ({"coverage": 0.1}, "Only 10 % of the ROI has a usable {name}"),
    ],
)
def test_a_map_is_refused(
    card: ModelCard, good: ScoreCase, name: str, changes: dict[str, object], told: str
) -> None:
    found = assess(card, with_map(good, name, **changes))
    assert len(found.refusals) == 1 and told.format(name=name) in found.refusals[0]
    assert math.isnan(found.probability) and math.isnan(found.low) and math.isnan(found.high)
    assert found.call == "" and found.grey_zone is None and not found.shares


def test_the_ends_of_the_training_range_are_inside(card: ModelCard, good: ScoreCase) -> None:
    one = card.predictor("T2star")
    for value in (one.minimum, one.maximum):
        assert not assess(card, with_map(good, "T2star", value=value)).refusals
    for value in (math.nextafter(one.minimum, 0), math.nextafter(one.maximum, math.inf)):
        assert assess(card, with_map(good, "T2star", value=value)).refusals


def test_a_map_that_is_not_there_is_missing(card: ModelCard, good: ScoreCase) -> None:
    found = assess(card, replace(good, maps={"T2star": good.maps["T2star"]}))
    assert found.refusals == ("T1_post is missing (T1_post: not measured).",)


def test_an_er_status_that_pathology_leaves_undetermined_is_not_scored(
    card: ModelCard, good: ScoreCase
) -> None:
    why = "ER is undetermined by pathology: no percentage was reported."
    found = assess(card, replace(good, er_positive=None, er_reason=why))
    assert found.refusals == (f"The ER status is missing: {why}",)
    assert math.isnan(found.probability)


def test_another_field_strength_is_refused_and_a_nominal_one_is_not(card: ModelCard, good: ScoreCase) -> None:
    assert "1.5 T" in assess(card, replace(good, field_strength_t=1.5)).refusals[0]
    assert not assess(card, replace(good, field_strength_t=2.89)).refusals


def test_every_reason_is_told(card: ModelCard, good: ScoreCase) -> None:
    bad = with_map(
        replace(good, er_positive=None, field_strength_t=1.5), "T2star", value=5000.0, coverage=0.1
    )
    assert len(assess(card, bad).refusals) == 4


@pytest.mark.parametrize("unknown", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("standard_error", "The standard error of T2star is not known and not in the interval."),
        ("placement_sd", "How much T2star depends on where its map lies under the ROI is not known"),
    ],
)
def test_an_error_that_is_not_known_is_told(
    card: ModelCard, good: ScoreCase, field: str, unknown: float, told: str
) -> None:
    found = assess(card, with_map(good, "T2star", **{field: unknown}))
    assert len(found.remarks) == 1 and found.remarks[0].startswith(told)
    assert math.isfinite(found.low) and math.isfinite(found.high)


@pytest.mark.parametrize("unknown", [math.nan, math.inf])
def test_a_b1_that_is_not_known_is_told(card: ModelCard, good: ScoreCase, unknown: float) -> None:
    found = assess(card, replace(good, b1_relative_sd=unknown))
    assert found.remarks == ("How well B1 is known is not known; its error is not in the interval.",)
    assert found.shares["B1"].variance == 0.0 and math.isfinite(found.low)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("technique", "", "The sequence of T2star"), ("coverage", math.nan, "how much of the ROI")],
)
def test_what_could_not_be_compared_is_told(
    card: ModelCard, good: ScoreCase, field: str, value: object, told: str
) -> None:
    (remark,) = assess(card, with_map(good, "T2star", **{field: value})).remarks
    assert told in remark


def test_an_unknown_field_strength_is_told(card: ModelCard, good: ScoreCase) -> None:
    (remark,) = assess(card, replace(good, field_strength_t=math.nan)).remarks
    assert "field strength is not known" in remark


def test_what_is_not_known_of_readings_is_told(card: ModelCard, good: ScoreCase) -> None:
    nothing = assess(replace(card, errors=None), good)
    assert "no grey zone" in nothing.remarks[0] and math.isnan(nothing.grey_zone.change)
    assert not nothing.grey_zone.holds
    one = ReadingErrors(("T2star",), ((4.0,),), 300, ((0.0,),), 0)
    remarks = assess(replace(card, errors=one), good).remarks
    assert remarks == (
        "How much readings of T1_post differ is not known and not in the interval.",
        "How much readers differ is not known and not in the interval: there was one reader.",
    )
