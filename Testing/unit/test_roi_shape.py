"""The ROI's own geometry, and what is refused as a ROI."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.errors import InputError
from her2map.roi import Roi

CENTRE = np.array([-61.0, 24.0, 13.5])
SQUARE = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], float)

turns = st.integers(0, 10_000).map(lambda seed: Rotation.random(random_state=seed).as_matrix())


def star(seed: int, n: int = 40) -> np.ndarray:
    """A contour (n, 2) around the origin with a radius of 6 to 12 mm."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = np.random.default_rng(seed).uniform(6, 12, n)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def flat(points: np.ndarray) -> np.ndarray:
    return np.column_stack([points, np.zeros(len(points))])


@given(seed=st.integers(0, 10_000), turn=turns)
@settings(max_examples=40)
def test_area_centroid_and_diameter_agree_with_shapely(seed: int, turn: np.ndarray) -> None:
    outline, hole = star(seed), 3 * star(seed + 1, 15) / 12
    roi = Roi(CENTRE + flat(outline) @ turn.T, 2.0, (CENTRE + flat(hole) @ turn.T,))
    reference = shapely.Polygon(outline, [hole])
    x, y = reference.centroid.coords[0]
    distances = np.linalg.norm(outline[:, None] - outline, axis=2)

    assert roi.area_mm2 == pytest.approx(reference.area, rel=1e-12)
    assert roi.volume_mm3 == pytest.approx(2 * reference.area, rel=1e-12)
    np.testing.assert_allclose(roi.centroid, CENTRE + turn @ [x, y, 0], atol=1e-11)
    assert roi.longest_diameter_mm == pytest.approx(distances.max(), rel=1e-12)
    assert abs(roi.normal @ turn[:, 2]) == pytest.approx(1, rel=1e-12)


def test_circle_and_rectangle_have_the_area_asked_for() -> None:
    circle = Roi.circle(CENTRE, [1, 2, -2], 5.0, 3.0)
    assert circle.area_mm2 == pytest.approx(np.pi * 25, rel=1e-12)
    assert circle.longest_diameter_mm == pytest.approx(10.0, rel=1e-3)
    np.testing.assert_allclose(np.abs(circle.normal @ [1 / 3, 2 / 3, -2 / 3]), 1)
    np.testing.assert_allclose(circle.centroid, CENTRE)

    rectangle = Roi.rectangle(CENTRE, [0, 1, 0], [0, 0, 2], 8.0, 6.0, 3.0)
    assert rectangle.area_mm2 == pytest.approx(48.0)
    assert rectangle.longest_diameter_mm == pytest.approx(10.0)
    np.testing.assert_allclose(np.ptp(rectangle.outline, axis=0), [0, 8, 6], atol=1e-12)


@given(seed=st.integers(0, 10_000), turn=turns)
@settings(max_examples=40)
def test_moved_rigidly_it_keeps_its_size(seed: int, turn: np.ndarray) -> None:
    roi = Roi(CENTRE + flat(star(seed)), 2.0, (CENTRE + flat(star(seed, 12) / 4),))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, [3.0, -40.0, 7.0]
    moved = roi.transformed(matrix)
    assert moved.area_mm2 == pytest.approx(roi.area_mm2, rel=1e-12)
    assert moved.thickness_mm == roi.thickness_mm
    np.testing.assert_allclose(moved.centroid, turn @ roi.centroid + matrix[:3, 3], atol=1e-10)
    np.testing.assert_allclose(moved.normal, turn @ roi.normal, atol=1e-12)


def test_repeated_points_and_small_steps_off_the_plane_are_taken_out() -> None:
    closed = np.repeat(np.vstack([SQUARE, SQUARE[:1]]), 2, axis=0)
    assert len(Roi(closed, 1.0).outline) == 4
    uneven = np.add(SQUARE, [[0, 0, 0.02], [0, 0, -0.02], [0, 0, 0.02], [0, 0, -0.02]])
    outline = Roi(uneven, 1.0).outline
    assert np.linalg.matrix_rank(outline - outline[0], tol=1e-9) == 2


@pytest.mark.parametrize("sides", [400, 2000])
def test_a_crossing_is_found_in_long_contours_too(sides: int) -> None:
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    Roi(flat(ring), 1.0)
    ring[[sides // 2, sides // 2 + 3]] = ring[[sides // 2 + 3, sides // 2]]
    with pytest.raises(InputError, match="crosses or touches itself"):
        Roi(flat(ring), 1.0)


BOW_TIE = SQUARE[[0, 2, 1, 3]]
FIGURE_EIGHT = np.array([[0, 0, 0], [5, 5, 0], [10, 0, 0], [10, 10, 0], [5, 5, 0], [0, 10, 0]], float)
INNER = SQUARE * 0.2 + [2, 2, 0]


@pytest.mark.parametrize(
    ("outline", "thickness", "holes", "says"),
    [
        (SQUARE[:2], 1.0, (), "at least three different points, it has 2"),
        (SQUARE[[0, 1, 1, 0, 0]], 1.0, (), "at least three different points"),
        (SQUARE[:, :2], 1.0, (), "three finite numbers"),
        ([[0, 0, 0], [1, 0], [1, 1, 1]], 1.0, (), "three finite numbers"),
        (SQUARE * np.nan, 1.0, (), "three finite numbers"),
        (np.linspace([0, 0, 0], [9, 9, 9], 5), 1.0, (), "no area"),
        (np.add(SQUARE, [[0, 0, 0], [0, 0, 0], [0, 0, 3], [0, 0, 0]]), 1.0, (), "not flat.*mm off"),
        (BOW_TIE, 1.0, (), "crosses or touches itself near its point"),
        (FIGURE_EIGHT, 1.0, (), "crosses or touches itself"),
        (SQUARE, 0.0, (), "thickness must be a positive number"),
        (SQUARE, float("nan"), (), "thickness must be a positive number"),
        (SQUARE, 1.0, (np.add(SQUARE, [20, 0, 0]),), "Hole 1 does not lie wholly inside"),
        (SQUARE, 1.0, (np.add(SQUARE, [5, 5, 0]),), "Hole 1 does not lie wholly inside"),
        (SQUARE, 1.0, (SQUARE * 2 - [5, 5, 0],), "Hole 1 does not lie wholly inside"),
        (SQUARE, 1.0, (np.add(INNER, [0, 0, 1]),), "not flat"),
        (SQUARE, 1.0, (INNER, np.add(INNER, [1, 1, 0])), "Hole 2 overlaps another"),
        (SQUARE, 1.0, (INNER, SQUARE * 0.1 + [2.5, 2.5, 0]), "Hole 2 overlaps another"),
        (SQUARE, 1.0, (INNER[[0, 2, 1, 3]],), "hole 1 crosses or touches itself"),
    ],
)
def test_what_is_no_roi_is_refused_in_one_sentence(outline, thickness, holes, says) -> None:
    with pytest.raises(InputError, match=says) as caught:
        Roi(outline, thickness, holes)
    assert "\n" not in str(caught.value)


def test_wrong_circles_rectangles_and_transforms_are_refused() -> None:
    with pytest.raises(InputError, match="radius"):
        Roi.circle(CENTRE, [0, 0, 1], 0.0, 1.0)
    with pytest.raises(InputError, match="normal"):
        Roi.circle(CENTRE, [0, 0, 0], 1.0, 1.0)
    with pytest.raises(InputError, match="perpendicular"):
        Roi.rectangle(CENTRE, [1, 0, 0], [1, 1, 0], 1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="different points"):
        Roi.rectangle(CENTRE, [1, 0, 0], [0, 1, 0], 1.0, 0.0, 1.0)
    for matrix in (np.diag([1, 1, 1.1, 1]), np.diag([-1, 1, 1, 1]), np.eye(3)):
        with pytest.raises(InputError, match="rigid"):
            Roi(SQUARE, 1.0).transformed(matrix)
