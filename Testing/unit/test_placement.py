"""Readings of a ROI moved a little, against gradients whose answer is known and against single readings."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.biomarkers import Biomarkers
from her2map.errors import Cancelled, InputError
from her2map.geometry import Geometry
from her2map.placement import AXES, PlacementCheck, check_placement
from her2map.relaxometry import ParameterMap, Status
from her2map.roi import Roi, measure

BIOMARKERS = ("T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star")
MAPS = ("T1_pre", "T1_post", "T2", "T2star")
SHAPE = (14, 40, 40)
OFF_MM = 0.06
"""A map's steps from voxel to voxel shift the middle of the ROI that a linear map sees by up to this."""
CENTRE = np.array([5.0, -8.0, 12.0])
STILL = np.eye(4)


def a_map(value: np.ndarray, status: np.ndarray | None = None) -> ParameterMap:
    fitted = np.full(value.shape, Status.FITTED, np.uint8)
    return ParameterMap(
        value=value,
        standard_error=np.ones_like(value),
        r_squared=np.ones_like(value),
        status=fitted if status is None else status,
        m0=np.ones_like(value),
        quantity="T2",
        unit="ms",
        method="made for this test",
    )


def grid(seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> Geometry:
    """A grid of any direction about `CENTRE`."""
    affine = np.eye(4)
    turn = Rotation.random(random_state=seed).as_matrix() if seed else np.eye(3)
    affine[:3, :3] = turn * [1.5, 1.5, 3.0]
    affine[:3, 3] = CENTRE - affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Geometry(shape, affine)


def rigid(seed: int) -> np.ndarray:
    """A small motion about `CENTRE`."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rng.uniform(-5, 5, 3), degrees=True).as_matrix()
    matrix[:3, 3] = CENTRE + rng.uniform(-3, 3, 3) - matrix[:3, :3] @ CENTRE
    return matrix


def linear(geometry: Geometry, at_centre: float, gradient: np.ndarray, matrix: np.ndarray) -> ParameterMap:
    """Values that rise by `gradient` per mm of the DCE space, as a map of a patient moved by `matrix`."""
    index = np.moveaxis(np.indices(geometry.shape)[::-1], 0, -1)
    inverse = np.linalg.inv(matrix)
    in_dce = geometry.to_ras(index) @ inverse[:3, :3].T + inverse[:3, 3]
    return a_map(at_centre + (in_dce - CENTRE) @ gradient)


def tilted_roi(seed: int = 3) -> Roi:
    return Roi.circle(CENTRE, np.random.default_rng(seed).normal(0, 1, 3), 6.0, 3.0)


@given(seed=st.integers(1, 1000), motion=st.integers(0, 1000))
@settings(max_examples=15)
def test_a_linear_map_changes_by_its_gradient(seed: int, motion: int) -> None:
    rng = np.random.default_rng(seed)
    start = {"T1_pre": 1500.0, "T1_post": 500.0, "T2": 80.0, "T2star": 30.0}
    slope = {name: rng.uniform(-0.02, 0.02, 3) * value for name, value in start.items()}
    maps = {}
    for number, name in enumerate(MAPS):
        matrix, geometry = rigid(motion + number), grid(seed + number)
        maps[name] = (linear(geometry, start[name], slope[name], matrix), geometry, matrix)
    roi = tilted_roi(seed)
    found = check_placement(maps, roi, (0.5, 2.0))
    steepness = {name: np.linalg.norm(slope[name]) for name in MAPS}
    assert dict(found.at_rest)["T2"].value == pytest.approx(80.0, abs=OFF_MM * steepness["T2"])
    for one in found.shifted:
        if one.biomarker in MAPS:
            expected = one.shift_mm * slope[one.biomarker] @ found.directions[one.axis]
            assert one.change == pytest.approx(expected, abs=2 * OFF_MM * steepness[one.biomarker])
            at_rest = dict(found.at_rest)[one.biomarker].value
            assert one.relative_change == pytest.approx(one.change / at_rest)
        if one.biomarker == "delta_T1":
            step = (slope["T1_pre"] - slope["T1_post"]) @ found.directions[one.axis]
            off = 2 * OFF_MM * (steepness["T1_pre"] + steepness["T1_post"])
            assert one.change == pytest.approx(one.shift_mm * step, abs=off)
    steepest = max(abs(slope["T2"] @ direction) for direction in found.directions.values())
    largest = [one for one in found.largest if one.biomarker == "T2"]
    assert [one.shift_mm for one in largest] == [0.5, 2.0]
    for one in largest:
        assert one.change == pytest.approx(one.shift_mm * steepest, abs=2 * OFF_MM * steepness["T2"])
        assert one.relative_change == pytest.approx(one.change / one.value)
        assert (one.missing, one.unit) == (0, "ms")


def test_a_shift_by_whole_voxels_is_exact() -> None:
    geometry = grid()
    gradient = np.array([1.0, -2.0, 0.5])
    maps = {"T2": (linear(geometry, 50.0, gradient, STILL), geometry, STILL)}
    roi = Roi.rectangle(geometry.to_ras([20.5, 20.5, 6]), [1, 0, 0], [0, 1, 0], 9.0, 6.0, 3.0)
    for shift, axes in ((1.5, AXES[:2]), (3.0, AXES)):
        found = check_placement(maps, roi, (shift,))
        for one in found.shifted:
            if one.biomarker == "T2" and one.axis in axes:
                assert one.change == pytest.approx(one.shift_mm * gradient @ found.directions[one.axis])


def noisy() -> dict[str, tuple[ParameterMap, Geometry, np.ndarray]]:
    rng = np.random.default_rng(2)
    return {
        name: (a_map(rng.uniform(20, 90, SHAPE) * (1 + number)), grid(number), rigid(number))
        for number, name in enumerate(("T2", "T2star", "T1_post", "T1_pre"))
    }


def test_every_value_is_that_of_a_single_reading() -> None:
    maps, roi = noisy(), tilted_roi()
    found = check_placement(maps, roi)
    assert len(found.shifted) == len(BIOMARKERS) * 2 * 3 * 2
    assert [one.biomarker for one in found.largest] == [name for name in BIOMARKERS for _ in (1, 2)]
    for one in found.shifted:
        move = np.eye(4)
        move[:3, 3] = one.shift_mm * found.directions[one.axis]
        single = {
            name: measure(fitted, geometry, roi.transformed(move).transformed(matrix)).value
            for name, (fitted, geometry, matrix) in maps.items()
        }
        single["delta_T1"] = single["T1_pre"] - single["T1_post"]
        single["delta_T1_ratio"] = single["delta_T1"] / single["T1_pre"]
        assert one.value == pytest.approx(single[one.biomarker], rel=1e-6)
        rest = dict(found.at_rest)[one.biomarker].value
        assert one.change == pytest.approx(single[one.biomarker] - rest, abs=1e-5)
        assert one.reason == ""


def test_directions() -> None:
    roi = tilted_roi()
    for found in (
        check_placement(noisy(), roi),
        check_placement(noisy(), roi, in_plane=[[0.9, 0.1, 0], [0, 1, 0.2]]),
    ):
        frame = np.stack([found.directions[axis] for axis in AXES])
        np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(frame[2], roi.normal)
    axial = Roi.circle(CENTRE, [0, 0, 1], 6.0, 3.0)
    of_patient = check_placement(noisy(), axial).directions
    np.testing.assert_allclose([of_patient[a] for a in AXES[:2]], [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    given_axes = check_placement(noisy(), axial, in_plane=[[0, -2, 0], [1, 0, 0]]).directions
    np.testing.assert_allclose([given_axes[a] for a in AXES[:2]], [[0, -1, 0], [1, 0, 0]], atol=1e-12)


def at_the_border() -> PlacementCheck:
    """A ROI 1.5 mm from the border of the T2 map, towards R."""
    geometry = grid()
    border = geometry.to_ras([39.5, 0, 0])[0]
    roi = Roi.circle([border - 7.5, CENTRE[1], CENTRE[2]], [0, 0, 1], 6.0, 3.0)
    maps = {
        name: (linear(geometry, 50.0, np.array([1.0, 0, 0]), STILL), geometry, STILL) for name in MAPS[2:]
    }
    return check_placement(maps, roi)


def test_a_shift_out_of_the_map_has_no_value_but_a_reason() -> None:
    found = at_the_border()
    lost = [one for one in found.shifted if one.biomarker == "T2" and one.reason]
    assert [(one.axis, one.shift_mm) for one in lost] == [(AXES[0], 2.0)]
    assert math.isnan(lost[0].value)
    assert math.isnan(lost[0].change)
    assert "field of view" in lost[0].reason
    (near, far) = (one for one in found.largest if one.biomarker == "T2")
    assert (near.missing, far.missing) == (0, 1)
    assert far.change == pytest.approx(2.0, abs=0.01)


def test_a_map_that_is_missing_is_said() -> None:
    found = at_the_border()
    without = [one for one in found.shifted if one.biomarker == "delta_T1"]
    assert len(without) == 12
    for one in without:
        assert math.isnan(one.value)
        assert "not measured" in one.reason
    largest = next(one for one in found.largest if one.biomarker == "delta_T1_ratio")
    assert math.isnan(largest.change)
    assert (largest.missing, largest.unit) == (6, "1")


def test_no_value_at_rest_is_said() -> None:
    geometry = grid()
    status = np.full(SHAPE, Status.NOT_ASKED, np.uint8)
    status[:, :, 23:] = Status.FITTED
    maps = {"T2": (a_map(np.full(SHAPE, 50.0), status), geometry, STILL)}
    roi = Roi.circle(geometry.to_ras([22.3, 20, 7]), [0, 0, 1], 3.0, 3.0)
    found = check_placement(maps, roi, (2.0,))
    onto = next(one for one in found.shifted if one.biomarker == "T2" and one.axis == AXES[0])
    assert onto.value == pytest.approx(50)
    assert math.isnan(onto.change)
    assert onto.reason.startswith("At rest: Only")


def test_b1_is_left_out_and_bad_input_is_one_sentence() -> None:
    maps, roi = noisy(), tilted_roi()
    with_b1 = check_placement({**maps, "B1": maps["T2"]}, roi)
    assert asdict(with_b1.at_rest) == asdict(check_placement(maps, roi).at_rest)
    assert isinstance(with_b1.at_rest, Biomarkers)
    for shifts in ((), (0.0,), (1.0, -1.0), (math.nan,)):
        with pytest.raises(InputError, match="positive"):
            check_placement(maps, roi, shifts)
    with pytest.raises(InputError, match="two directions"):
        check_placement(maps, roi, in_plane=[[1, 0, 0]])
    with pytest.raises(InputError, match="span"):
        check_placement(maps, roi, in_plane=[[1, 0, 0], [2, 0, 0]])
    with pytest.raises(InputError, match="rigid"):
        check_placement({"T2": (*maps["T2"][:2], 2 * STILL)}, roi)
    with pytest.raises(InputError, match="placement of T2"):
        check_placement({"T2": (*maps["T2"][:2], np.eye(3))}, roi)


def test_progress_rises_and_cancels() -> None:
    seen: list[float] = []
    check_placement(noisy(), tilted_roi(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        check_placement(noisy(), tilted_roi(), progress=cancel)
