"""The case of one drawing, and of the readings of a study; what a map's place adds to a value."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from her2map.acquired import CaseAcquired, acquired_of_facts
from her2map.exam import ExamValues, measure_maps
from her2map.geometry import Geometry
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi
from her2map.score.exam_case import (
    B1_MAPPED,
    B1_NOMINAL,
    REGISTERED_MM,
    UNREGISTERED_MM,
    case_of_exam,
    case_of_readings,
    placement_sds,
)
from her2map.study.readings import FINISHED, Reading

GRID = Geometry((9, 40, 40), np.diag([1.0, 1.0, 3.0, 1.0]))
ROI = Roi.circle([19.5, 19.5, 12.0], [0, 0, 1], 6.0, 3.0)
ACQUIRED = CaseAcquired(3.0, {"T2star": "multi_echo_gradient_echo", "T1_post": "vfa"})


def map_of(value: np.ndarray, error: float = 1.0) -> tuple[ParameterMap, Geometry]:
    status = np.full(GRID.shape, Status.FITTED, np.uint8)
    return ParameterMap(value, np.full(GRID.shape, error), value, status, value, "T", "ms", "made here"), GRID


def flat(value: float, error: float = 1.0) -> tuple[ParameterMap, Geometry]:
    return map_of(np.full(GRID.shape, value), error)


def ramp(across: float, through: float) -> tuple[ParameterMap, Geometry]:
    """By ms a mm."""
    z, _, x = np.meshgrid(*(np.arange(n, dtype=float) for n in GRID.shape), indexing="ij")
    return map_of(30 + across * x + through * 3.0 * z)


def test_a_drawing_brings_its_values_errors_and_coverage() -> None:
    values = measure_maps({"T2star": flat(27.0), "T1_post": flat(480.0, 9.0), "B1": flat(1.1)}, ROI)
    case = case_of_exam(values, True, ACQUIRED, {"T2star": 0.5})
    star = case.maps["T2star"]
    assert star.value == pytest.approx(27.0)
    assert (star.placement_sd, star.technique) == (0.5, "multi_echo_gradient_echo")
    assert star.standard_error == values.values["T2star"].standard_error
    assert star.coverage == pytest.approx(1.0) and star.reason == ""
    assert set(case.maps) == {"T2star", "T1_post"} and case.field_strength_t == 3.0


def test_b1_is_less_certain_without_a_map() -> None:
    without = case_of_exam(measure_maps({"T1_post": flat(480.0)}, ROI), True, ACQUIRED)
    assert without.b1_relative_sd == B1_NOMINAL
    found = measure_maps({"B1": flat(0.8, 0.5)}, ROI)
    own = found.values["B1"].standard_error / 0.8
    assert case_of_exam(found, True, ACQUIRED).b1_relative_sd == pytest.approx(math.hypot(B1_MAPPED, own))


def test_an_undetermined_er_status_keeps_its_reason() -> None:
    case = case_of_exam(ExamValues(ROI, {}), None, ACQUIRED, er_reason="undetermined")
    assert case.er_positive is None and case.er_reason == "undetermined"


@pytest.mark.parametrize("placed", [False, True])
def test_on_a_ramp_the_placement_sd_is_the_slope_times_the_uncertainty(placed: bool) -> None:
    """The formula is exact there: sd = |gradient| x SD of the place."""
    sd = REGISTERED_MM if placed else UNREGISTERED_MM
    moved = {"T2star": np.eye(4)} if placed else None
    found = placement_sds({"T2star": ramp(0.4, 0.3)}, ROI, ["T2star"], moved)
    assert found["T2star"] == pytest.approx(sd * math.hypot(0.4, 0.3), rel=1e-3)


def test_only_the_wanted_maps_are_measured_again() -> None:
    maps = {"T2star": flat(27.0), "T1_post": flat(480.0)}
    assert placement_sds(maps, ROI, ["T2star", "T2"]) == {"T2star": pytest.approx(0.0, abs=1e-9)}


def test_a_roi_that_leaves_the_map_on_one_side_has_a_placement_sd() -> None:
    near = Roi.circle([5.6, 19.5, 12.0], [0, 0, 1], 6.0, 3.0)
    assert placement_sds({"T2star": ramp(0.4, 0.0)}, near, ["T2star"])["T2star"] == pytest.approx(
        0.4, rel=0.01
    )


def test_a_roi_off_the_map_has_none_and_does_not_crash() -> None:
    away = Roi.circle([500.0, 500.0, 12.0], [0, 0, 1], 6.0, 3.0)
    assert math.isnan(placement_sds({"T2star": flat(27.0)}, away, ["T2star"])["T2star"])


def reading(reader: str, repeat: int, star: float | None, *, b1: bool = True, **more: float | str) -> Reading:
    one = {"value": star, "standard_error": 1.0, "coverage": 0.9, "reason": "", **more}
    values = {"T2star": one} | ({"B1": {"value": 1.0, "standard_error": 0.01}} if b1 else {})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Reading(reader, "C1", repeat, FINISHED, now, now, finish=json.dumps({"values": values}))


TWO_BY_THREE = [
    reading(reader, i + 1, star, standard_error=error)
    for reader, stars in (("A", (25.0, 26.0, 40.0)), ("B", (28.0, 30.0, 29.0)))
    for i, (star, error) in enumerate(zip(stars, (1.0, 2.0, 3.0), strict=True))
]


def test_readings_are_medians_then_means_and_their_noise_does_not_average_out() -> None:
    case = case_of_readings(TWO_BY_THREE, False, ACQUIRED)
    assert case.maps["T2star"].value == (26.0 + 29.0) / 2
    assert case.maps["T2star"].standard_error == 2.0
    assert (case.readings.readers, case.readings.repeats) == (2, 3)
    assert case.readings.own.within_df == 4 and case.readings.own.between_df == 1


def test_the_coverage_is_the_least_and_a_reason_is_kept() -> None:
    low = reading("A", 1, 25.0, coverage=0.4)
    assert case_of_readings([low, *TWO_BY_THREE[1:]], True, ACQUIRED).maps["T2star"].coverage == 0.4
    none = reading("A", 1, None, reason="The ROI leaves the map.")
    found = case_of_readings([none, *TWO_BY_THREE[1:]], True, ACQUIRED).maps["T2star"]
    assert math.isnan(found.value) and found.reason == "The ROI leaves the map."


def test_one_reading_without_b1_makes_b1_uncertain() -> None:
    assert case_of_readings(TWO_BY_THREE, True, ACQUIRED).b1_relative_sd == B1_MAPPED
    mixed = [reading("A", 1, 25.0, b1=False), *TWO_BY_THREE[1:]]
    assert case_of_readings(mixed, True, ACQUIRED).b1_relative_sd == B1_NOMINAL


def test_how_an_exam_was_acquired_survives_as_json() -> None:
    for one in (ACQUIRED, CaseAcquired()):
        found = acquired_of_facts({"acquired": json.loads(json.dumps(one.as_facts(), allow_nan=False))})
        assert found.techniques == one.techniques
        assert found.field_strength_t == pytest.approx(one.field_strength_t, nan_ok=True)
    assert acquired_of_facts({}).techniques == {}
