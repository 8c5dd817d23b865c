"""Dice and distance of contours: shapes whose figures are known, and shapely's own arithmetic."""

import math
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from scipy.spatial.transform import Rotation

from her2map.markups import closed_curve
from her2map.roi import Roi
from her2map.roi.overlap import StoredPrism, overlap, overlaps

pytestmark = pytest.mark.filterwarnings("error")


def circle(radius: float, centre=(0.0, 0.0, 0.0), normal=(0.0, 0.0, 1.0), thickness: float = 2.0) -> Roi:
    return Roi.circle(centre, normal, radius, thickness)


def square(x: float, side: float = 10.0, z: float = 0.0, thickness: float = 2.0) -> Roi:
    return Roi.rectangle([x, 0, z], [1, 0, 0], [0, 1, 0], side, side, thickness)


def drawn(rng: np.random.Generator, radius: float = 8.0) -> np.ndarray:
    """(300, 2), a tumour's contour drawn by hand."""
    angle = 2 * np.pi * np.arange(30) / 30
    reach = radius * (1 + 0.2 * np.cos(2 * angle + rng.uniform(0, 6)) + 0.03 * rng.standard_normal(30))
    points = reach[:, None] * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    return closed_curve(points)[:, :2] + rng.normal(0, 1, 2)


def prism(flat: np.ndarray, z: float = 0.0) -> StoredPrism:
    return StoredPrism(np.c_[flat, np.full(len(flat), z)], 2.0)


def test_a_contour_and_itself() -> None:
    found = overlap(circle(8), circle(8))
    assert found.dice == pytest.approx(1.0)
    assert found.mean_surface_distance_mm == pytest.approx(0.0, abs=1e-9)
    assert found.apart_mm == 0.0
    assert found.reason == ""


def test_where_the_drawing_began_does_not_matter() -> None:
    flat = drawn(np.random.default_rng(4))
    found = overlap(prism(flat), prism(np.roll(flat, 137, axis=0)))
    assert found.dice == pytest.approx(1.0)
    assert found.mean_surface_distance_mm < 0.005


def test_circles_in_one_another() -> None:
    found = overlap(circle(10), circle(8))
    assert found.dice == pytest.approx(2 * 64 / 164)
    assert found.mean_surface_distance_mm == pytest.approx(2.0, abs=0.01)


def test_squares_half_over_one_another() -> None:
    found = overlap(square(0), square(5))
    assert found.dice == pytest.approx(0.5)
    # The far side lies 5 mm away; the near one, inside, 5 - |y|; the other two 5 to 0, then on the outline.
    assert found.mean_surface_distance_mm == pytest.approx((10 * 5 + 10 * 2.5 + 2 * 5 * 2.5) / 40, abs=0.005)


def test_a_hole_counts_for_volume_and_outline() -> None:
    ring = Roi(circle(10).outline, 2.0, (circle(4).outline,))
    found = overlap(circle(10), ring)
    assert found.dice == pytest.approx(2 * 84 / 184)
    # The hole's outline lies 6 mm from the other contour; all the rest coincides.
    assert found.mean_surface_distance_mm == pytest.approx(6 * 4 / (10 + 10 + 4), rel=0.01)
    assert overlap(ring, ring).dice == pytest.approx(1.0)


@pytest.mark.parametrize(("z", "dice"), [(0.5, 0.75), (1.0, 0.5), (2.0, 0.0), (7.0, 0.0), (-1.0, 0.5)])
def test_on_another_slice_the_shared_thickness_counts(z: float, dice: float) -> None:
    found = overlap(square(0), square(0, z=z))
    assert found.dice == pytest.approx(dice, abs=1e-12)
    assert found.apart_mm == pytest.approx(abs(z))
    assert found.mean_surface_distance_mm == pytest.approx(0.0, abs=1e-9)


def test_a_thin_slice_within_a_thick_one() -> None:
    found = overlap(square(0, thickness=4.0), square(0, z=0.5, thickness=1.0))
    assert found.dice == pytest.approx(2 * 1 / 5)


def test_contours_apart() -> None:
    found = overlap(circle(3), circle(3, (40.0, 0.0, 0.0)))
    assert found.dice == 0.0
    assert 34 < found.mean_surface_distance_mm < 40


def test_tilted_planes_have_a_reason_and_no_figures() -> None:
    found = overlap(circle(5), circle(5, normal=(0.0, 1.0, 1.0)))
    assert math.isnan(found.dice)
    assert math.isnan(found.mean_surface_distance_mm)
    assert found.reason == "The contours' planes are tilted to each other by 45°."
    slightly = math.radians(0.5)
    barely = overlap(circle(5), circle(5, normal=(0.0, math.sin(slightly), math.cos(slightly))))
    assert barely.dice > 0.999


def test_a_contour_that_crosses_itself_has_a_reason() -> None:
    bow = StoredPrism(np.array([[0.0, 0, 0], [9, 6, 0], [9, 0, 0], [0, 9, 0]]), 2.0)
    line = StoredPrism(np.array([[0.0, 0, 0], [9, 0, 0], [4, 0, 0]]), 2.0)
    for bad in (bow, line):
        for found in (overlap(circle(5), bad), overlap(bad, circle(5)), overlap(bad, bad)):
            assert math.isnan(found.dice)
            assert found.reason


def test_every_two_of_several_planes() -> None:
    rois = [circle(5), circle(6, normal=(1.0, 0, 0)), circle(4), circle(5, normal=(1.0, 0, 0)), circle(3)]
    for (i, j), found in zip(combinations(range(5), 2), overlaps(rois), strict=True):
        alone = overlap(rois[i], rois[j])
        assert found.reason == alone.reason
        assert found.dice == pytest.approx(alone.dice, nan_ok=True)
        assert bool(found.reason) == ((i % 2) != (j % 2))
    assert overlaps(rois[:1]) == overlaps([]) == []


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_pose_order_and_rotation_sense_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (Roi(np.c_[drawn(rng), np.full(300, z)], 2.0) for z in (0.0, 1.3))
    move = np.eye(4)
    move[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    move[:3, 3] = rng.uniform(-200, 200, 3)
    before = overlap(first, second)
    moved = second.transformed(move)
    turned = StoredPrism(moved.outline[::-1], moved.thickness_mm)
    for after in (overlap(second, first), overlap(first.transformed(move), turned)):
        assert after.dice == pytest.approx(before.dice, rel=1e-9, abs=1e-12)
        assert after.apart_mm == pytest.approx(1.3)
        assert after.mean_surface_distance_mm == pytest.approx(before.mean_surface_distance_mm, abs=0.01)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_drawn_contours_against_counting_and_dense_sampling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = drawn(rng, rng.uniform(3, 15)), drawn(rng, rng.uniform(3, 15))
    found = overlap(prism(first), prism(second))

    grid = np.stack(np.meshgrid(*2 * [np.arange(-22, 22, 0.1)]), axis=-1).reshape(-1, 2)
    inside, other = (Outline(flat).contains_points(grid) for flat in (first, second))
    assert found.dice == pytest.approx(2 * (inside & other).sum() / (inside.sum() + other.sum()), abs=0.005)

    outlines = [shapely.LinearRing(flat) for flat in (first, second)]
    along = np.arange(4000) / 4000
    sums = [
        one.length
        * shapely.distance(shapely.line_interpolate_point(one, along, normalized=True), another).mean()
        for one, another in (outlines, outlines[::-1])
    ]
    expected = sum(sums) / sum(one.length for one in outlines)
    assert found.mean_surface_distance_mm == pytest.approx(expected, abs=0.01)
