"""A volume of several contours: what it refuses, and the laws that its voxel fractions obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.errors import InputError
from her2map.geometry import Geometry
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi, Volume, measure, roi_weights

seeds = st.integers(0, 100_000)
NUMBERS = ("value", "median", "sd", "standard_error", "voxels", "effective_voxels", "coverage", "volume_mm3")


def grid(rng: np.random.Generator) -> Geometry:
    """Turned any way, its middle anywhere."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(rng=rng).as_matrix() * rng.uniform(0.7, 2.5, 3)
    affine[:3, 3] = rng.uniform(-100, 100, 3)
    return Geometry((16, 26, 28), affine)


def star(rng: np.random.Generator, low: float = 2.0, high: float = 5.0) -> np.ndarray:
    """A contour (24, 3) about the origin in the plane z = 0."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = rng.uniform(low, high, 24)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], axis=1)


def slab(outline: np.ndarray, height: float, thickness: float, at=(0, 0, 0), turn=None) -> Roi:
    """A prism `height` mm above `at`, in planes turned by `turn`."""
    turn = np.eye(3) if turn is None else turn
    return Roi(np.asarray(at) + (outline + np.array([0, 0, height])) @ turn.T, thickness)


def noise_map(geometry: Geometry, rng: np.random.Generator) -> ParameterMap:
    value = rng.normal(80, 10, geometry.shape)
    status = rng.choice([1, 1, 1, 1, 1, 1, 3, 5], geometry.shape).astype(np.uint8)
    error, ones = rng.uniform(1, 3, geometry.shape), np.ones(geometry.shape)
    return ParameterMap(value, error, ones, status, ones, "T2", "ms", "made for this test")


def full(geometry: Geometry, roi: Roi | Volume) -> np.ndarray:
    weights = roi_weights(geometry, roi)
    out = np.zeros(geometry.shape)
    out[weights.box] = weights.fraction
    return out


def middle(geometry: Geometry) -> np.ndarray:
    return geometry.to_ras((np.array(geometry.shape[::-1]) - 1) / 2)


@given(seed=seeds)
@settings(max_examples=25)
def test_one_slice_is_its_roi(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng)
    roi = slab(star(rng), 0, 2.5, middle(geometry), Rotation.random(rng=rng).as_matrix())
    fitted = noise_map(geometry, rng)
    alone = measure(fitted, geometry, roi)
    volume = measure(fitted, geometry, Volume((roi,)))
    for name in NUMBERS:
        assert getattr(volume, name) == getattr(alone, name), name
    assert volume.fractions == alone.fractions


@given(seed=seeds, part=st.floats(0.1, 0.9))
@settings(max_examples=25)
def test_a_prism_split_in_two_slabs_is_the_whole(seed: int, part: float) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng)
    at, turn, outline = middle(geometry), Rotation.random(rng=rng).as_matrix(), star(rng)
    thickness = rng.uniform(2, 6)
    below, above = part * thickness, (1 - part) * thickness
    whole = slab(outline, 0, thickness, at, turn)
    halves = Volume(
        (
            slab(outline, (below - thickness) / 2, below, at, turn),
            slab(outline, (thickness - above) / 2, above, at, turn),
        )
    )
    assert halves.volume_mm3 == pytest.approx(whole.volume_mm3)
    assert halves.uncovered == 0
    assert halves.remark == ""
    np.testing.assert_allclose(full(geometry, halves), full(geometry, whole), atol=2e-6)
    fitted = noise_map(geometry, rng)
    one, other = measure(fitted, geometry, halves), measure(fitted, geometry, whole)
    for name in NUMBERS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-4), name


@given(seed=seeds)
@settings(max_examples=25)
def test_neither_the_order_nor_the_sense_of_the_contours_matters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng)
    at, turn = middle(geometry), Rotation.random(rng=rng).as_matrix()
    prisms = [slab(star(rng), height, 2.0, at, turn) for height in (-4.0, -2.0, 0.0, 3.0)]
    expected = sum(full(geometry, prism) for prism in prisms)
    shuffled = [prisms[i] for i in rng.permutation(4)]
    shuffled = [Roi(p.outline[::-1], p.thickness_mm) if rng.random() < 0.5 else p for p in shuffled]
    volume = Volume(tuple(shuffled))
    np.testing.assert_allclose(full(geometry, volume), expected, atol=1e-6)
    assert sorted(volume.gaps_mm) == pytest.approx([0, 0, 1.0])
    assert volume.volume_mm3 == pytest.approx(sum(prism.volume_mm3 for prism in prisms))


@given(seed=seeds)
@settings(max_examples=15)
def test_moved_with_its_map_it_says_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng)
    turn = Rotation.random(rng=rng).as_matrix()
    volume = Volume(tuple(slab(star(rng), h, 2.0, middle(geometry), turn) for h in (-2.0, 0.0, 2.0)))
    fitted = noise_map(geometry, rng)
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = Rotation.random(rng=rng).as_matrix(), rng.uniform(-50, 50, 3)
    moved = Geometry(geometry.shape, move @ geometry.affine)
    before = measure(fitted, geometry, volume)
    after = measure(fitted, moved, volume.transformed(move))
    for name in NUMBERS:
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-6), name


def test_the_value_is_that_of_the_slices_by_their_usable_volume() -> None:
    rng = np.random.default_rng(4)
    geometry = Geometry((9, 30, 30), np.diag([1.0, 1.0, 2.0, 1.0]))
    fitted = noise_map(geometry, rng)
    slices = [Roi.circle([15, 15, z], [0, 0, 1], radius, 2.0) for z, radius in ((4, 5), (6, 7), (8, 4))]
    each = [measure(fitted, geometry, roi) for roi in slices]
    found = measure(fitted, geometry, Volume(tuple(slices)))
    assert found.value == pytest.approx(np.average([e.value for e in each], weights=[e.voxels for e in each]))
    assert found.voxels == pytest.approx(sum(e.voxels for e in each))
    assert found.volume_mm3 == pytest.approx(np.pi * 2.0 * (25 + 49 + 16))
    assert found.fractions[Status.EXCLUDED_BY_SNR] > 0


def test_what_lies_between_two_slices_is_left_out_and_told() -> None:
    geometry = Geometry((9, 30, 30), np.diag([1.0, 1.0, 2.0, 1.0]))
    volume = Volume(tuple(Roi.circle([15, 15, z], [0, 0, 1], 5, 2.0) for z in (4, 6, 12)))
    per_slice = full(geometry, volume).sum(axis=(1, 2))
    assert np.flatnonzero(per_slice).tolist() == [2, 3, 6]
    assert volume.gaps_mm == (0.0, pytest.approx(4.0))
    assert volume.uncovered == pytest.approx(0.4)
    assert volume.remark == (
        "Between the contours 4.0 mm, 40 % of the way from the first slice to the last, have no contour and "
        "are left out."
    )


def test_one_slice_beyond_the_field_of_view_leaves_no_value() -> None:
    geometry = Geometry((3, 30, 30), np.diag([1.0, 1.0, 2.0, 1.0]))
    fitted = noise_map(geometry, np.random.default_rng(0))
    volume = Volume(tuple(Roi.circle([15, 15, z], [0, 0, 1], 5, 2.0) for z in (2, 4, 6)))
    found = measure(fitted, geometry, volume)
    assert np.isnan(found.value)
    assert found.reason.startswith("The ROI leaves the map's field of view: 33.3 % of its volume")
    away = volume.transformed([[1, 0, 0, 500], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert roi_weights(geometry, away).inside == 0


def circle(z: float, normal=(0, 0, 1), x: float = 0.0) -> Roi:
    return Roi.circle([x, 0, z], normal, 5, 2.0)


@pytest.mark.parametrize(
    ("prisms", "says"),
    [
        ([], "no contour"),
        ([circle(0), circle(2, (0, 0.1, 1))], r"tilted to each other by 5\.7°"),
        ([circle(0), circle(0, x=30.0)], "two contours on one slice"),
        ([circle(2), circle(0), circle(0.5)], "two contours on one slice"),
        ([circle(0), circle(1.5)], r"overlap by 0\.50 mm"),
    ],
)
def test_what_is_no_volume_is_refused_in_one_sentence(prisms: list[Roi], says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        Volume(tuple(prisms))
    assert str(refused.value).count(".") - str(refused.value).count(" mm;") <= 2
    assert str(refused.value).endswith(".")


def test_slices_that_touch_but_for_rounding_are_neighbours() -> None:
    volume = Volume((circle(0), circle(1.97), circle(4.0)))
    assert volume.gaps_mm == (0.0, 0.0)
    geometry = Geometry(
        (12, 30, 30), np.array([[1, 0, 0, -15], [0, 1, 0, -15], [0, 0, 1, -4], [0, 0, 0, 1.0]])
    )
    assert full(geometry, volume).max() == 1.0


def test_it_can_only_be_moved_rigidly() -> None:
    with pytest.raises(InputError, match="rigid transform"):
        Volume((circle(0),)).transformed(np.diag([2.0, 1, 1, 1]))
