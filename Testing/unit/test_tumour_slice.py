"""The slice on which a lesion is largest, against the phantom's truth and shapes of known size."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.errors import Cancelled, InputError
from her2map.geometry import Geometry
from her2map.phantom import ExamSettings, TumourSettings, make_exam
from her2map.tumour_slice import REACH_MM, suggest_slice

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Lesion:
    """The 90 s subtraction image of a phantom, and what is true of its tumour."""

    image: Array
    geometry: Geometry
    centre: Array
    slice_index: int
    diameter_mm: float


@lru_cache
def phantom(size: str, seed: int, diameter_mm: float = 26.0) -> Lesion:
    exam = make_exam(
        replace(getattr(ExamSettings, size)(), tumour=TumourSettings(diameter_mm=diameter_mm)), seed
    )
    (phases,) = exam.simulate(exam.protocol.dce)
    truth = exam.truth
    return Lesion(
        phases[2] - phases[0],
        exam.protocol.dce.geometry,
        np.asarray(exam.anatomy.tumour.centre, float),
        truth.largest_slice,
        truth.tumour_diameter_mm,
    )


def clicks(lesion: Lesion, count: int, part: float = 0.75) -> Array:
    """Points inside the tumour, up to `part` of its radius from the centre."""
    rng = np.random.default_rng(1)
    direction = rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    reach = part * lesion.diameter_mm / 2 * rng.uniform(0, 1, (count, 1)) ** (1 / 3)
    return lesion.centre + direction * reach


@pytest.mark.parametrize(
    ("size", "seed", "diameter_mm"),
    [
        *(("small", seed, 26.0) for seed in range(1, 9)),
        *(("standard", seed, 26.0) for seed in (1, 2, 3)),
        ("standard", 1, 45.0),
    ],
)
def test_phantoms_largest_slice_is_found(size: str, seed: int, diameter_mm: float) -> None:
    lesion = phantom(size, seed, diameter_mm)
    for click in clicks(lesion, 5):
        found = suggest_slice(lesion.image, lesion.geometry, click)
        assert abs(found.slice_index - lesion.slice_index) <= 1
        assert found.diameter_mm == pytest.approx(lesion.diameter_mm, rel=0.15)
        assert found.remark == ""
        assert found.extents_mm[found.slice_index] == found.extents_mm.max() == found.diameter_mm
        assert lesion.geometry.to_index(found.plane_point)[2] == pytest.approx(found.slice_index)
        assert np.linalg.norm(found.plane_point - lesion.centre) < 0.3 * lesion.diameter_mm
        np.testing.assert_array_equal(found.mask.any(axis=(1, 2)), found.extents_mm > 0)


def test_tissue_that_does_not_enhance_is_refused() -> None:
    lesion = phantom("small", 1)
    away = lesion.centre + np.array([-35.0, 0.0, 0.0])
    assert np.linalg.norm(away - lesion.centre) > lesion.diameter_mm
    with pytest.raises(InputError, match="does not enhance"):
        suggest_slice(lesion.image, lesion.geometry, away)


@given(
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    transpose=st.booleans(),
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
)
@settings(max_examples=15)
def test_neither_array_order_nor_position_matters(
    flips: tuple[bool, bool, bool], transpose: bool, angles: tuple[float, float, float]
) -> None:
    lesion = phantom("small", 2)
    click = lesion.centre + np.array([2.0, -3.0, 1.0])
    expected = suggest_slice(lesion.image, lesion.geometry, click)

    image, affine = lesion.image, lesion.geometry.affine
    for axis, flip in enumerate(flips):
        if flip:
            column = 2 - axis
            mirror = np.eye(4)
            mirror[column, column], mirror[column, 3] = -1, image.shape[axis] - 1
            image, affine = np.flip(image, axis), affine @ mirror
    if transpose:
        image, affine = image.swapaxes(1, 2), affine[:, [1, 0, 2, 3]]
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    turn[:3, 3] = [10.0, -20.0, 30.0]
    geometry = Geometry(image.shape, turn @ affine)
    found = suggest_slice(image, geometry, turn[:3, :3] @ click + turn[:3, 3])

    index = found.slice_index if not flips[0] else len(image) - 1 - found.slice_index
    assert index == expected.slice_index
    assert found.diameter_mm == pytest.approx(expected.diameter_mm, rel=1e-6)
    extents = found.extents_mm[::-1] if flips[0] else found.extents_mm
    np.testing.assert_allclose(extents, expected.extents_mm, rtol=1e-6)
    moved = turn[:3, :3] @ expected.plane_point + turn[:3, 3]
    np.testing.assert_allclose(found.plane_point, moved, atol=1e-3)


def drawn(*parts: tuple[Array, Array], spacing: tuple[float, float, float] = (1.0, 1.0, 2.0)) -> Array:
    """Ellipsoids (centre, radii; column, row, slice in mm) of enhancement 100 in noise, 40 x 80 x 80."""
    place = np.stack(np.indices((40, 80, 80))[::-1], axis=-1) * np.array(spacing)
    inside = np.zeros(place.shape[:3], bool)
    for centre, radii in parts:
        inside |= (((place - centre) / radii) ** 2).sum(axis=-1) < 1
    return np.where(inside, 100.0, 0.0) + np.random.default_rng(0).normal(0, 3, inside.shape)


GRID = Geometry((40, 80, 80), np.diag([1.0, 1.0, 2.0, 1.0]))
MIDDLE = np.array([40.0, 40.0, 40.0])


def test_an_ellipsoid_has_its_own_size() -> None:
    image = drawn((MIDDLE, np.array([18.0, 9.0, 12.0])))
    found = suggest_slice(image, GRID, MIDDLE + np.array([6, 2, 4]))
    assert (found.slice_index, found.remark) == (20, "")
    assert found.diameter_mm == pytest.approx(36, abs=1.5)
    height = np.arange(40) * 2.0 - 40
    sections = 36 * np.sqrt(np.maximum(1 - (height / 12) ** 2, 0))
    inner = np.abs(height) <= 8
    np.testing.assert_allclose(found.extents_mm[inner], sections[inner], atol=2.0)
    assert not found.extents_mm[np.abs(height) > 12].any()


def test_a_vessel_does_not_leak() -> None:
    lesion = (MIDDLE, np.array([12.0, 12.0, 10.0]))
    vessel = (MIDDLE + np.array([20, 0, 0]), np.array([40.0, 1.6, 2.5]))
    alone, fed = (suggest_slice(drawn(*parts), GRID, MIDDLE) for parts in ([lesion], [lesion, vessel]))
    assert fed.slice_index == alone.slice_index
    assert fed.diameter_mm == pytest.approx(alone.diameter_mm, abs=3.0)


def test_what_is_thin_throughout_is_still_measured() -> None:
    image = drawn((MIDDLE, np.array([2.4, 2.4, 3.0])))
    found = suggest_slice(image, GRID, MIDDLE)
    assert found.slice_index == 20
    assert found.diameter_mm == pytest.approx(4.8, abs=1.1)


def test_a_click_beside_the_rim_of_a_hollow_lesion_takes_the_rim() -> None:
    image = drawn((MIDDLE, np.array([18.0, 18.0, 14.0])))
    core = drawn((MIDDLE, np.array([7.0, 7.0, 7.0]))) > 50
    found = suggest_slice(np.where(core, 0.5, image), GRID, MIDDLE + np.array([6.5, 0, 0]))
    assert found.diameter_mm == pytest.approx(36, abs=2)


def test_a_region_without_a_border_is_cut_and_said() -> None:
    wide = Geometry((40, 80, 80), np.diag([2.0, 2.0, 2.0, 1.0]))
    image = drawn((np.array([40.0, 40.0, 40.0]), np.array([90.0, 12.0, 12.0])))
    found = suggest_slice(image, wide, [80.0, 80.0, 40.0])
    assert "60 mm" in found.remark
    assert found.diameter_mm <= 2 * REACH_MM + 2


def test_a_lesion_on_the_border_is_said() -> None:
    found = suggest_slice(
        drawn((np.array([40.0, 40.0, -4.0]), np.array([12.0, 12.0, 10.0]))), GRID, [40, 40, 2]
    )
    assert found.slice_index == 0
    assert "first or last" in found.remark


def test_unknown_voxels_do_not_enhance() -> None:
    image = drawn((MIDDLE, np.array([12.0, 12.0, 10.0])))
    image[:, :, :10] = np.nan
    assert suggest_slice(image, GRID, MIDDLE).slice_index == 20


@pytest.mark.parametrize("point", [[-1.0, 40, 40], [40, 40, 90.0]])
def test_a_point_outside_is_refused(point: list[float]) -> None:
    with pytest.raises(InputError, match="outside"):
        suggest_slice(drawn(), GRID, point)


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match="three finite numbers"):
        suggest_slice(drawn(), GRID, [1.0, np.nan, 2.0])
    with pytest.raises(InputError, match="does not fit"):
        suggest_slice(drawn()[1:], GRID, MIDDLE)
    with pytest.raises(InputError, match="does not enhance"):
        suggest_slice(np.zeros((40, 80, 80)), GRID, MIDDLE)
    with pytest.raises(InputError, match="does not enhance"):
        suggest_slice(np.full((40, 80, 80), np.nan), GRID, MIDDLE)


def test_progress_rises_and_cancels() -> None:
    lesion, seen = phantom("small", 1), []
    suggest_slice(lesion.image, lesion.geometry, lesion.centre + np.array([0, 6, 0]), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        suggest_slice(lesion.image, lesion.geometry, lesion.centre, cancel)
