"""Two exams of one patient: limits, verdicts and what is said about them."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2map.biomarkers import MEASURED
from her2map.errors import InputError
from her2map.follow_up import (
    BY_CHANCE,
    LOWER_BOUND,
    UNITS,
    Change,
    Reader,
    Repeatability,
    Verdict,
    follow_up,
    read_retest,
    repeatability_of,
)
from her2map.score import MapValue, ReadingErrors, Readings, ScoreCase, demo_card
from her2map.score.exam_case import B1_NOMINAL

TRUE = {"T1_pre": 1500.0, "T1_post": 520.0, "T2": 75.0, "T2star": 28.0}
WITHIN = (
    (900.0, 120.0, 4.0, 1.0),
    (120.0, 100.0, 1.0, 0.5),
    (4.0, 1.0, 1.0, 0.1),
    (1.0, 0.5, 0.1, 0.25),
)
BETWEEN = tuple(tuple(2 * cell for cell in row) for row in WITHIN)
ERRORS = ReadingErrors(MEASURED, WITHIN, 700, BETWEEN, 170)
SE = {"T1_pre": 12.0, "T1_post": 5.0, "T2": 0.5, "T2star": 0.3}
KNOWN = Repeatability(ERRORS, "readings")


def case(values: dict[str, float], b1: float = 0.0, **more: Any) -> ScoreCase:
    technique = {"T1_pre": "vfa", "T1_post": "vfa"}
    maps = {
        name: MapValue(value, SE[name], technique=technique.get(name, ""), reason="")
        for name, value in values.items()
    }
    return ScoreCase(None, maps, b1_relative_sd=b1, **more)


def changes(before: ScoreCase, after: ScoreCase, known: Repeatability = KNOWN) -> dict[str, Change]:
    return {one.biomarker: one for one in follow_up(before, after, known).changes}


def test_the_limit_is_the_repeatability_coefficient() -> None:
    """By hand: Var = within + SE² for T2; of the ratio by its two derivatives."""
    found = changes(case(TRUE), case(TRUE))
    assert found["T2"].within_sd == pytest.approx(math.sqrt(1.0 + 0.25))
    assert found["T2"].repeatability_coefficient == pytest.approx(1.96 * math.sqrt(2) * math.sqrt(1.25))
    delta = 900 + 144 + 100 + 25 - 2 * 120
    assert found["delta_T1"].within_sd == pytest.approx(math.sqrt(delta))
    by_pre, by_post = 520 / 1500**2, -1 / 1500
    ratio = by_pre**2 * 1044 + by_post**2 * 125 + 2 * by_pre * by_post * 120
    assert found["delta_T1_ratio"].within_sd == pytest.approx(math.sqrt(ratio))


def test_repeats_readers_and_another_reader() -> None:
    single = changes(case(TRUE), case(TRUE))["T2star"].within_sd
    assert single == pytest.approx(math.sqrt(0.25 + 0.09))
    median_of_3 = Readings(readers=1, repeats=3)
    both = changes(case(TRUE, readings=median_of_3), case(TRUE, readings=median_of_3))["T2star"]
    assert both.within_sd == pytest.approx(math.sqrt(0.25 * 0.448671 + 0.09), rel=1e-5)  # of 3 normal values
    two = Readings(readers=2, repeats=1)
    other = replace(KNOWN, reader=Reader.OTHER)
    means = changes(case(TRUE, readings=two), case(TRUE, readings=two), other)["T2star"]
    assert means.within_sd == pytest.approx(math.sqrt((0.25 + 0.5) / 2 + 0.09))


def test_a_b1_error_moves_t1_but_not_its_ratio() -> None:
    plain, wrong = changes(case(TRUE), case(TRUE)), changes(case(TRUE, 0.03), case(TRUE, 0.03))
    assert wrong["T1_pre"].within_sd == pytest.approx(math.hypot(plain["T1_pre"].within_sd, 0.06 * 1500))
    assert wrong["delta_T1"].within_sd == pytest.approx(math.hypot(plain["delta_T1"].within_sd, 0.06 * 980))
    assert wrong["delta_T1_ratio"].within_sd == pytest.approx(plain["delta_T1_ratio"].within_sd)
    assert wrong["T2"] == plain["T2"]


TIMES = st.fixed_dictionaries(
    {
        "T1_pre": st.floats(600, 3000),
        "T1_post": st.floats(150, 2000),
        "T2": st.floats(30, 200),
        "T2star": st.floats(5, 100),
    }
)


@given(TIMES, TIMES, st.floats(0, 0.1), st.sampled_from(Reader))
@settings(max_examples=100, deadline=None)
def test_symmetric(first: dict[str, float], second: dict[str, float], b1: float, reader: Reader) -> None:
    known = replace(KNOWN, reader=reader)
    there = changes(case(first, b1), case(second, b1), known)
    back = changes(case(second, b1), case(first, b1), known)
    for name, one in there.items():
        assert back[name].change == -one.change
        assert back[name].repeatability_coefficient == pytest.approx(one.repeatability_coefficient)
        assert back[name].verdict is one.verdict


@given(TIMES)
@settings(max_examples=50, deadline=None)
def test_no_change_is_within(values: dict[str, float]) -> None:
    assert {one.verdict for one in changes(case(values), case(values)).values()} == {Verdict.WITHIN}


def simulated(rng: np.random.Generator, n: int, repeats: int, readers: int) -> np.ndarray:
    """(n, 4) values of an unchanged tumour in n exams, each with new readers, noise and B1."""
    true = np.array(list(TRUE.values()))
    effects = rng.multivariate_normal(np.zeros(4), BETWEEN, size=(n, readers, 1))
    drawn = effects + rng.multivariate_normal(np.zeros(4), WITHIN, size=(n, readers, repeats))
    read = np.median(drawn, axis=2).mean(axis=1)
    noisy = true + read + rng.normal(size=(n, 4)) * list(SE.values())
    scale = (1 + 0.02 * rng.normal(size=(n, 1))) ** -2.0
    return noisy * np.where([True, True, False, False], scale, 1.0)


@pytest.mark.parametrize(("repeats", "readers"), [(1, 1), (3, 2)])
def test_within_95_percent_where_nothing_has_changed(repeats: int, readers: int) -> None:
    n = 6000
    rng = np.random.default_rng(6)
    exams = [simulated(rng, n, repeats, readers) for _ in range(2)]
    known = replace(KNOWN, reader=Reader.OTHER)
    counted = dict.fromkeys(UNITS, 0)
    how = Readings(readers, repeats)
    for pair in zip(*exams, strict=True):
        cases = [case(dict(zip(MEASURED, map(float, row), strict=True)), 0.02, readings=how) for row in pair]
        for name, one in changes(*cases, known).items():
            counted[name] += one.verdict is Verdict.WITHIN
    shares = {name: count / n for name, count in counted.items()}
    assert all(0.94 <= share <= 0.96 for share in shares.values()), shares


def test_a_change_beyond_the_limit_is_real() -> None:
    limit = changes(case(TRUE), case(TRUE))["T2"].repeatability_coefficient
    for part, verdict in ((0.99, Verdict.WITHIN), (1.01, Verdict.REAL)):
        found = changes(case(TRUE), case(TRUE | {"T2": 75.0 - part * limit}))["T2"]
        assert found.verdict is verdict
        assert found.relative_change == pytest.approx(-part * limit / 75)


def test_own_test_retest_sds_replace_all_else() -> None:
    known = replace(KNOWN, retest_sd={"T1_pre": 40.0, "delta_T1": 50.0})
    found = follow_up(case(TRUE, 0.1), case(TRUE, 0.1), known)
    by = {one.biomarker: one for one in found.changes}
    assert by["T1_pre"].repeatability_coefficient == pytest.approx(1.96 * math.sqrt(2) * 40)
    assert by["delta_T1"].within_sd == 50.0
    text = " ".join(found.remarks)
    assert "T1_pre 40 ms, delta_T1 50 ms" in text and LOWER_BOUND in text
    assert "The limit of delta_T1_ratio does not follow" in text
    assert "The limit of delta_T1 does not" not in text


def test_all_retest_sds_leave_no_word_of_readings() -> None:
    known = Repeatability(retest_sd=dict.fromkeys(UNITS, 1.0))
    found = follow_up(case(TRUE), case(TRUE), known)
    assert {one.verdict for one in found.changes} == {Verdict.WITHIN}
    assert LOWER_BOUND not in found.remarks and BY_CHANCE in found.remarks


def test_what_cannot_be_told_says_why() -> None:
    without = case(TRUE)
    maps = {**without.maps, "T1_post": MapValue(reason="outside")}
    found = changes(case(TRUE), replace(without, maps=maps))
    assert found["T1_post"].reason == "no value after: outside"
    assert found["delta_T1"].verdict is Verdict.UNKNOWN and "T1_post: outside" in found["delta_T1"].reason
    assert found["T2"].verdict is Verdict.WITHIN
    nothing = changes(case(TRUE), case(TRUE), Repeatability())
    assert all("no repeated readings of" in one.reason for one in nothing.values())
    assert nothing["T2"].change == 0.0
    few = ReadingErrors(("T2",), ((1.0,),), 8, ((0.0,),), 0)
    one_reader = Repeatability(few, "a study")
    assert changes(case(TRUE), case(TRUE), one_reader)["T2"].verdict is Verdict.WITHIN
    assert changes(case(TRUE), case(TRUE), one_reader)["T2star"].verdict is Verdict.UNKNOWN
    assert "8 degrees of freedom" in " ".join(follow_up(case(TRUE), case(TRUE), one_reader).remarks)
    other = changes(case(TRUE), case(TRUE), replace(one_reader, reader=Reader.OTHER))["T2"]
    assert other.verdict is Verdict.UNKNOWN and "one reader's" in other.reason


def test_no_value_at_all() -> None:
    found = follow_up(ScoreCase(None), ScoreCase(None), KNOWN)
    assert {one.verdict for one in found.changes} == {Verdict.UNKNOWN}
    assert found.remarks == ()


def test_unknown_noise_is_said() -> None:
    plain = case(TRUE)
    maps = {**plain.maps, "T2": replace(plain.maps["T2"], standard_error=math.nan)}
    found = follow_up(plain, replace(plain, maps=maps), KNOWN)
    assert "The image noise of T2 is not known and not in the limits." in found.remarks


@pytest.mark.parametrize(
    ("b1", "said"), [(0.0, (False, False)), (0.03, (True, False)), (B1_NOMINAL, (True, True))]
)
def test_an_assumed_b1_error_is_said(b1: float, said: tuple[bool, bool]) -> None:
    text = " ".join(follow_up(case(TRUE, b1), case(TRUE, b1), KNOWN).remarks)
    assert ("variable flip angles" in text, "Without a B1 map" in text) == said
    assert f"B1 of {100 * b1:.0f} % is" in text or not said[0]


def test_b1_plays_no_part_where_no_flip_angle_does() -> None:
    plain = case(TRUE, 0.1)
    maps = {name: replace(one, technique="inversion_recovery") for name, one in plain.maps.items()}
    found = follow_up(replace(plain, maps=maps), replace(plain, maps=maps), KNOWN)
    assert "B1" not in " ".join(found.remarks)
    assert found.changes[0].within_sd == pytest.approx(math.hypot(30, 12))


def test_a_card_tells_the_errors_and_where_they_come_from() -> None:
    card = demo_card()
    known = repeatability_of(card, Reader.OTHER, {"T2": 2.0})
    assert (known.errors, known.reader, known.retest_sd) == (card.errors, Reader.OTHER, {"T2": 2.0})
    assert card.name in known.origin and "simulated readers" in known.origin
    real = replace(card, cohort=replace(card.cohort, simulated=False))
    assert "simulated" not in repeatability_of(real, Reader.SAME, {}).origin


def test_retest_texts() -> None:
    assert read_retest(["T1_pre=40", "delta_T1_ratio=0.03"]) == {"T1_pre": 40.0, "delta_T1_ratio": 0.03}
    for texts in (["T1=40"], ["T1_pre"], ["T1_pre=-1"], ["T2=nan"], ["T2=0"], ["T2=1", "T2=2"]):
        with pytest.raises(InputError):
            read_retest(texts)
