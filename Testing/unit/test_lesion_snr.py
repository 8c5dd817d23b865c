"""A lesion's SNR, the circle inside a contour, and rectangles in the air around a body."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.errors import InputError
from her2map.geometry import Geometry
from her2map.lesion_snr import background_rectangles, central_circle, lesion_snr
from her2map.phantom import Exam, ExamSettings, make_exam
from her2map.phantom.sampling import AT_REST, tissue_shares
from her2map.phantom.scans import Scan
from her2map.relaxometry import lesion_snr as snr_of_arrays
from her2map.roi import Roi, roi_weights

GRID = Geometry((3, 60, 50), np.diag([1.0, 1.0, 2.0, 1.0]))
ACROSS, ALONG = [1, 0, 0], [0, 1, 0]


def whole_voxels(column: int, row: int, width: int, height: int) -> Roi:
    """Some voxels of the middle slice."""
    centre = [column + (width - 1) / 2, row + (height - 1) / 2, 2.0]
    return Roi.rectangle(centre, ACROSS, ALONG, width, height, 2.0)


BACKGROUND = [whole_voxels(c, r, 6, 5) for c in (1, 42) for r in (1, 53)]


def test_snr_is_that_of_the_arrays() -> None:
    image = np.random.default_rng(1).normal(300, 20, GRID.shape)
    found = lesion_snr(image, GRID, whole_voxels(20, 25, 9, 8), BACKGROUND)
    centre = image[1, 25:33, 20:29]
    corners = [image[1, r : r + 5, c : c + 6].mean() for c in (1, 42) for r in (1, 53)]
    assert found.snr == pytest.approx(snr_of_arrays(centre, corners))
    assert found.signal == pytest.approx(centre.mean())
    assert found.sd == pytest.approx(centre.std(ddof=1))
    assert found.background == pytest.approx(np.mean(corners))
    assert found.reason == ""


@pytest.mark.parametrize(
    ("circle", "background", "reason"),
    [
        (whole_voxels(48, 25, 9, 8), BACKGROUND, "The circle: The ROI leaves"),
        (whole_voxels(20, 25, 1, 1), BACKGROUND, "fewer than two voxels"),
        (whole_voxels(20, 25, 5, 5), [*BACKGROUND, whole_voxels(-3, 2, 5, 5)], "rectangle 5: The ROI leaves"),
    ],
)
def test_no_snr_has_a_reason(circle: Roi, background: list[Roi], reason: str) -> None:
    image = np.random.default_rng(1).normal(300, 20, GRID.shape)
    found = lesion_snr(image, GRID, circle, background)
    assert math.isnan(found.snr)
    assert reason in found.reason


def test_an_even_image_has_no_snr() -> None:
    found = lesion_snr(np.ones(GRID.shape), GRID, whole_voxels(20, 25, 5, 5), BACKGROUND)
    assert "the same value in all" in found.reason


def test_a_background_is_needed() -> None:
    with pytest.raises(InputError, match="background rectangles"):
        lesion_snr(np.ones(GRID.shape), GRID, whole_voxels(20, 25, 5, 5), [])
    with pytest.raises(InputError, match="does not fit"):
        lesion_snr(np.ones((2, 2, 2)), GRID, whole_voxels(20, 25, 5, 5), BACKGROUND)


# The circle ------------------------------------------------------------------------------------------------


def star(seed: int, corners: int) -> np.ndarray:
    """(corners, 2), a jagged contour."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners) * 0.3 + 0.7 * 2 * np.pi * np.arange(corners) / corners)
    radius = rng.uniform(4, 20, corners)
    return np.stack([radius * np.cos(angle) * rng.uniform(0.3, 1), radius * np.sin(angle)], axis=1)


@given(seed=st.integers(0, 10_000), corners=st.integers(5, 60), holed=st.booleans())
@settings(max_examples=60)
def test_circle_is_the_largest_that_fits(seed: int, corners: int, holed: bool) -> None:
    flat = star(seed, corners)
    shape = shapely.Polygon(flat)
    if not shape.is_valid:
        return
    holes = []
    if holed:
        hole = shapely.maximum_inscribed_circle(shape)
        hole = shapely.Point(hole.coords[0]).buffer(0.3 * hole.length, quad_segs=4)
        holes = [np.array(hole.exterior.coords[:-1])]
        shape = shape.difference(hole)
    turn = Rotation.random(random_state=seed).as_matrix()[:2]
    roi = Roi(flat @ turn, 3.0, tuple(hole @ turn for hole in holes))

    circle = central_circle(roi)
    disc = shapely.Polygon(circle.outline @ turn.T)
    expected = shapely.maximum_inscribed_circle(shape, tolerance=1e-3).length
    extent = np.ptp(flat, axis=0).max()
    radius = math.sqrt(circle.area_mm2 / math.pi)
    assert radius == pytest.approx(expected, abs=3e-3 * extent)
    assert shape.buffer(1e-9).contains(disc)
    assert circle.thickness_mm == 3.0
    assert abs(circle.normal @ roi.normal) == pytest.approx(1)


def test_circle_in_a_square_and_up_to_a_radius() -> None:
    square = whole_voxels(10, 10, 20, 20)
    circle = central_circle(square)
    np.testing.assert_allclose(circle.centroid, square.centroid, atol=0.05)
    assert math.sqrt(circle.area_mm2 / math.pi) == pytest.approx(10, rel=3e-3)
    smaller = central_circle(square, 4.0)
    assert smaller.area_mm2 == pytest.approx(16 * math.pi)
    with pytest.raises(InputError, match="positive"):
        central_circle(square, 0.0)


# The rectangles --------------------------------------------------------------------------------------------


def simulated(exam: Exam, scan: Scan, measurement: int = 0) -> np.ndarray:
    """(slices, rows, columns), channels combined."""
    return np.sqrt((exam.simulate(scan)[:, measurement].astype(float) ** 2).sum(axis=0))


def body_share(exam: Exam, scan: Scan) -> np.ndarray:
    share = np.zeros(np.prod(scan.geometry.shape))
    for tissue in tissue_shares(exam.anatomy, scan.geometry, scan.thickness_mm, AT_REST):
        share[tissue.voxel] += tissue.fraction
    return share.reshape(scan.geometry.shape)


def contour(exam: Exam) -> Roi:
    return Roi(exam.contour.outline, exam.contour.thickness_mm, exam.contour.holes)


@pytest.mark.parametrize(("size", "seed"), [("small", 1), ("small", 2), ("small", 3), ("standard", 1)])
def test_phantoms_rectangles_hold_air_alone(size: str, seed: int) -> None:
    exam = make_exam(getattr(ExamSettings, size)(), seed)
    roi = contour(exam)
    for scan in exam.protocol.scans:
        if scan.name not in ("VFA_pre", "T2", "T2star", "DCE"):
            continue
        image, body, geometry = simulated(exam, scan), body_share(exam, scan), scan.geometry
        rectangles = background_rectangles(image, geometry, roi)
        taken = np.zeros(geometry.shape)
        for rectangle in rectangles:
            weights = roi_weights(geometry, rectangle)
            whole = weights.fraction[weights.fraction > 0]
            np.testing.assert_allclose(whole, 1.0, atol=1e-6)
            assert whole.size >= 25
            taken[weights.box] += weights.fraction
        assert len(rectangles) == 4
        assert taken.max() == pytest.approx(1.0)
        slices = np.flatnonzero(taken.any(axis=(1, 2)))
        assert slices.tolist() == [round(geometry.to_index(roi.centroid)[2])]
        assert not body[taken > 0].any()


def test_phantoms_snr_is_what_was_asked_for() -> None:
    """Of a uniform tumour: the signal over the noise SD, less the floor of the magnitude's noise."""
    settings = replace(
        ExamSettings.standard(), snr=30.0, tumour=replace(ExamSettings().tumour, variation=1e-9)
    )
    exam = make_exam(settings, 1)
    scan = next(s for s in exam.protocol.scans if s.name == "VFA_pre")
    image = simulated(exam, scan, 1)
    roi = contour(exam)
    found = lesion_snr(
        image, scan.geometry, central_circle(roi), background_rectangles(image, scan.geometry, roi)
    )
    sd = exam.noise_sd(scan) * exam.counts_per_unit(scan)
    assert found.background == pytest.approx(sd * math.sqrt(math.pi / 2), rel=0.05)
    assert found.snr == pytest.approx((found.signal - found.background) / found.sd)
    assert found.sd == pytest.approx(sd, rel=0.35)


def air_image(body: np.ndarray, seed: int = 0) -> np.ndarray:
    """A magnitude image with noise of SD 10 around a body of 300."""
    rng = np.random.default_rng(seed)
    return np.abs(300 * body + rng.normal(0, 10, body.shape) + 1j * rng.normal(0, 10, body.shape))


WIDE = Geometry((2, 120, 160), np.diag([1.0, 1.0, 2.0, 1.0]))
LESION = Roi.circle([80, 60, 2], [0, 0, 1], 5, 2)


def disc(radius: float) -> np.ndarray:
    rows, columns = np.indices(WIDE.shape[1:])
    return np.broadcast_to((rows - 60) ** 2 + (columns - 80) ** 2 < radius**2, WIDE.shape)


def test_rectangles_lie_in_the_corners_and_keep_their_size() -> None:
    found = background_rectangles(air_image(disc(40)), WIDE, LESION)
    centres = np.array([WIDE.to_index(r.centroid) for r in found])
    assert {(c[0] < 80, c[1] < 60) for c in centres} == {(a, b) for a in (True, False) for b in (True, False)}
    np.testing.assert_array_equal(np.round(centres[:, 2]), 1)
    sizes = [np.ptp(r.outline, axis=0)[:2] for r in found]
    np.testing.assert_allclose(sizes, np.broadcast_to([26, 20], (4, 2)))


def test_a_corner_in_the_body_moves_its_rectangle() -> None:
    body = disc(40).copy()
    body[:, 70:, :] = True
    for rectangle in background_rectangles(air_image(body), WIDE, LESION):
        weights = roi_weights(WIDE, rectangle)
        assert not body[weights.box][weights.fraction > 0].any()


def test_air_that_the_scanner_cut_off_is_avoided() -> None:
    image = air_image(disc(30))
    image[:, :30, :] = 0
    for rectangle in background_rectangles(image, WIDE, LESION):
        weights = roi_weights(WIDE, rectangle)
        assert image[weights.box][weights.fraction > 0].min() > 0


@pytest.mark.parametrize("flip", [1, 2])
def test_rectangles_follow_a_flipped_image(flip: int) -> None:
    image = air_image(disc(40))
    mirror = np.eye(4)
    mirror[2 - flip, 2 - flip], mirror[2 - flip, 3] = -1, image.shape[flip] - 1
    flipped = Geometry(WIDE.shape, WIDE.affine @ mirror)
    found = background_rectangles(np.flip(image, flip), flipped, LESION)
    expected = background_rectangles(image, WIDE, LESION)
    centres = [sorted(np.round(r.centroid, 6).tolist() for r in rois) for rois in (found, expected)]
    np.testing.assert_allclose(*centres)


def test_the_number_of_channels_may_be_given() -> None:
    image = np.sqrt(sum(air_image(disc(40), seed) ** 2 for seed in range(4)))
    tried, given_ = (background_rectangles(image, WIDE, LESION, n) for n in (None, 4))
    np.testing.assert_allclose([r.centroid for r in tried], [r.centroid for r in given_])
    with pytest.raises(InputError, match="No air"):
        background_rectangles(image, WIDE, LESION, 1)


def test_no_air_is_said() -> None:
    with pytest.raises(InputError, match="No air"):
        background_rectangles(np.where(disc(40), air_image(disc(40)), 0), WIDE, LESION)
    with pytest.raises(InputError, match="too little air"):
        background_rectangles(air_image(np.stack([~disc(3)[0], disc(3)[0]])[::-1] > 0), WIDE, LESION)


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(InputError, match="does not fit"):
        background_rectangles(np.ones((2, 3, 4)), WIDE, LESION)
    with pytest.raises(InputError, match="beyond the image's slices"):
        background_rectangles(air_image(disc(40)), WIDE, Roi.circle([80, 60, 20], [0, 0, 1], 5, 2))


def test_air_inside_the_body_does_not_count() -> None:
    body = disc(55)
    for rectangle in background_rectangles(air_image(body & ~disc(20)), WIDE, LESION):
        weights = roi_weights(WIDE, rectangle)
        assert not body[weights.box][weights.fraction > 0].any()
