"""The figures of a ROI on a map, and when there are none."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.errors import InputError
from her2map.geometry import Geometry
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi, RoiValue, measure, measure_values, roi_weights

FIGURES = ("value", "median", "sd", "standard_error", "voxels", "effective_voxels", "coverage", "volume_mm3")


def grid(spacing=(1.0, 1.0, 2.0), shape=(12, 30, 30)) -> Geometry:
    """Axes along R, A, S; voxel (0, 0, 0) at the origin."""
    return Geometry(shape, np.diag([*spacing, 1.0]))


def a_map(value: np.ndarray, standard_error: float | np.ndarray = 2.0, status: np.ndarray | None = None):
    value = np.asarray(value, np.float32)
    return ParameterMap(
        value=value,
        standard_error=np.broadcast_to(np.asarray(standard_error, np.float32), value.shape),
        r_squared=np.ones_like(value),
        status=np.full(value.shape, Status.FITTED, np.uint8) if status is None else status,
        m0=np.ones_like(value),
        quantity="T2",
        unit="ms",
        method="made for this test",
    )


def noise_map(geometry: Geometry, seed: int = 0) -> ParameterMap:
    rng = np.random.default_rng(seed)
    status = rng.choice([1, 1, 1, 1, 1, 0, 2, 3, 4, 5], geometry.shape).astype(np.uint8)
    value = np.where(status == Status.NOT_ASKED, np.nan, rng.normal(80, 10, geometry.shape))
    return a_map(value, rng.uniform(1, 3, geometry.shape), status)


# Four whole voxels and four halves, on one slice: columns 10 to 12.5, rows 5 to 6.
BLOCK = Roi.rectangle([10.75, 5.5, 8.0], [1, 0, 0], [0, 1, 0], 2.5, 2.0, 2.0)
COLUMNS, WEIGHTS = np.array([10, 11, 12]), np.array([1.0, 1.0, 0.5])


def test_figures_of_a_small_block_by_hand() -> None:
    geometry = grid()
    value = np.zeros(geometry.shape) + np.arange(30) ** 2.0
    found = measure(a_map(value, 3.0), geometry, BLOCK)

    x, w = np.tile(COLUMNS**2.0, 2), np.tile(WEIGHTS, 2)
    mean = np.average(x, weights=w)
    assert found.value == pytest.approx(mean)
    assert found.median == 121.0
    assert found.sd == pytest.approx(math.sqrt(w @ (x - mean) ** 2 / (5 - (w @ w) / 5)))
    assert found.standard_error == pytest.approx(3.0 * math.sqrt(w @ w) / 5)
    assert found.voxels == pytest.approx(5.0)
    assert found.effective_voxels == pytest.approx(25 / 4.5)
    assert found.coverage == pytest.approx(1.0)
    assert found.outside == pytest.approx(0.0, abs=1e-12)
    assert found.volume_mm3 == pytest.approx(10.0)
    assert found.reason == ""


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_whole_voxels_give_numpys_statistics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng.uniform(0.5, 3, 3))
    rows, columns = rng.integers(1, 9, 2)
    first = np.array([3, 4, 5])
    centre = geometry.to_ras(first + (np.array([columns, rows, 1]) - 1) / 2)
    size = geometry.spacing * [columns, rows, 1]
    roi = Roi.rectangle(centre, [1, 0, 0], [0, 1, 0], *size)
    image = rng.normal(100, 15, geometry.shape)
    found = measure_values(image, geometry, roi)
    inside = image[5, 4 : 4 + rows, 3 : 3 + columns]

    assert found.value == pytest.approx(inside.mean(), rel=1e-9)
    assert found.median == pytest.approx(np.median(inside), rel=1e-9)
    if inside.size > 1:
        assert found.sd == pytest.approx(inside.std(ddof=1), rel=1e-6)
    else:
        assert math.isnan(found.sd)
    assert found.effective_voxels == pytest.approx(inside.size)
    assert math.isnan(found.standard_error)


def test_the_standard_error_is_the_spread_of_repeated_measurements() -> None:
    geometry = grid(shape=(6, 12, 12))
    roi = Roi.circle(geometry.to_ras([5.3, 6.1, 2.2]), [0.2, 0.1, 1.0], 4.0, 3.0)
    rng = np.random.default_rng(1)
    errors = rng.uniform(1, 6, geometry.shape)
    found = [
        measure(a_map(80 + errors * rng.normal(size=geometry.shape), errors), geometry, roi)
        for _ in range(450)
    ]
    spread = np.std([one.value for one in found], ddof=1)
    assert found[0].standard_error == pytest.approx(spread, rel=0.1)  # 3 SD of a spread from 450


def test_only_fitted_voxels_enter_and_every_other_status_is_accounted_for() -> None:
    geometry = grid()
    status = np.full(geometry.shape, Status.FITTED, np.uint8)
    value = np.full(geometry.shape, 70.0)
    for row, column, state in ((5, 10, Status.EXCLUDED_BY_SNR), (6, 12, Status.NOT_CONVERGED)):
        status[4, row, column] = state
        value[4, row, column] = 9e9
    found = measure(a_map(value, 1.0, status), geometry, BLOCK)
    assert found.value == pytest.approx(70.0)
    assert found.coverage == pytest.approx(0.7)
    assert found.excluded_by_snr == pytest.approx(0.2)
    assert found.fractions[Status.NOT_CONVERGED] == pytest.approx(0.1)
    assert sum(found.fractions.values()) + found.outside == pytest.approx(1.0)

    value[4, 5, 11] = np.nan  # fitted by its status, but without a number
    assert measure(a_map(value, 1.0, status), geometry, BLOCK).coverage == pytest.approx(0.5)


def test_too_little_coverage_gives_a_reason_and_no_value() -> None:
    geometry = grid()
    status = np.full(geometry.shape, Status.FITTED, np.uint8)
    status[4, 5:7, 10:12] = Status.LOW_SIGNAL
    fitted = a_map(np.full(geometry.shape, 70.0), 1.0, status)
    found = measure(fitted, geometry, BLOCK)
    assert math.isnan(found.value)
    assert math.isnan(found.median)
    assert math.isnan(found.standard_error)
    assert found.coverage == pytest.approx(0.2)
    assert found.reason == ("Only 20.0 % of the ROI's volume has a usable value; at least 50 % is needed.")
    assert measure(fitted, geometry, BLOCK, minimum_coverage=0.2).value == pytest.approx(70.0)

    nothing = replace(fitted, status=np.zeros_like(status))
    assert "Only 0.0 %" in measure(nothing, geometry, BLOCK, minimum_coverage=0.0).reason


def test_a_contour_that_leaves_the_field_of_view_has_no_value() -> None:
    geometry = grid()
    fitted = a_map(np.full(geometry.shape, 70.0))

    def at(ras: list[float], radius: float = 4.0) -> RoiValue:
        return measure(fitted, geometry, Roi.circle(ras, [0, 0, 1], radius, 2.0))

    partly = at([-0.5, 15.0, 8.0])
    assert math.isnan(partly.value)
    assert partly.outside == pytest.approx(0.5, abs=1e-6)
    assert partly.reason.startswith("The ROI leaves the map's field of view: 50.0 % of its volume")
    assert partly.reason.endswith("its contour by up to 4.00 mm.")
    wholly = at([-300.0, 15.0, 8.0])
    assert wholly.reason.startswith("The ROI leaves the map's field of view: 100.0 % of its volume")
    assert wholly.coverage == wholly.voxels == wholly.effective_voxels == 0.0
    assert at([15.0, 15.0, 24.0]).reason.startswith("The ROI leaves")  # above the last slice
    assert at([3.5 + 0.005, 15.0, 8.0], 4.0).reason == ""  # touching the border from inside


def test_what_hangs_over_the_last_slice_is_not_covered_but_no_reason_to_refuse() -> None:
    geometry = grid()  # the last slice ends at z = 23
    fitted = a_map(np.full(geometry.shape, 70.0))
    roi = Roi.circle([15.0, 15.0, 22.5], [0, 0, 1], 5.0, 2.0)
    found = measure(fitted, geometry, roi)
    assert found.value == pytest.approx(70.0)
    assert found.outside == pytest.approx(0.25)
    assert found.coverage == pytest.approx(0.75)
    refused = measure(fitted, geometry, roi, minimum_coverage=0.8)
    assert "25.0 % lies outside the map" in refused.reason


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_pose_flips_and_axis_order_leave_every_figure_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    geometry = grid(rng.uniform(0.8, 2.5, 3))
    fitted = noise_map(geometry, seed)
    tilt = Rotation.from_euler("xyz", rng.uniform(-0.3, 0.3, 3)).as_matrix()
    angle = np.linspace(0, 2 * np.pi, 25, endpoint=False)
    ring = rng.uniform(2, 4, 25)[:, None] * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    roi = Roi(geometry.to_ras([14.5, 15.2, 5.5]) + ring @ tilt.T, 2.0)

    move = np.eye(4)
    move[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    move[:3, 3] = rng.uniform(-200, 200, 3)
    flipped = np.diag([-1.0, 1.0, -1.0, 1.0])  # columns and slices run backwards
    flipped[0, 3], flipped[2, 3] = geometry.shape[2] - 1, geometry.shape[0] - 1
    swapped = np.eye(4)[[1, 2, 0, 3]]  # slice, row, column become row, column, slice
    affine = move @ geometry.affine @ flipped @ np.linalg.inv(swapped)

    def turned(array: np.ndarray) -> np.ndarray:
        return np.transpose(array[::-1, :, ::-1], (2, 0, 1))

    moved = replace(
        fitted,
        **{
            name: turned(getattr(fitted, name))
            for name in ("value", "standard_error", "r_squared", "status", "m0")
        },
    )
    before = measure(fitted, geometry, roi, minimum_coverage=0.0)
    after = measure(moved, Geometry(moved.value.shape, affine), roi.transformed(move), minimum_coverage=0.0)
    for name in FIGURES:
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-7, nan_ok=True), name
    for state in Status:
        assert after.fractions[state] == pytest.approx(before.fractions[state], abs=1e-7)


def test_a_point_where_every_figure_is_known_on_a_linear_ramp() -> None:
    """The mean of a ramp over a centred shape is its value in the middle, however oblique the shape."""
    geometry = grid((1.1, 0.9, 2.5), (20, 50, 50))
    k, r, c = np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij")
    slope = np.array([0.4, -0.3, 0.5])
    ramp = 100 + geometry.to_ras(np.stack([c, r, k], -1)) @ slope
    for normal in ([0, 0, 1], [0.3, 0.2, 1.0], [1, 1, 1], [1, 0, 0]):
        centre = geometry.to_ras(
            [24.5, 24.5, 9.5]
        )  # a corner of eight voxels: the grid is symmetric about it
        found = measure(a_map(ramp), geometry, Roi.circle(centre, normal, 7.0, 3.0))
        assert found.value == pytest.approx(100 + centre @ slope, rel=1e-6)
        off_centre = np.add(centre, [0.37, 0.21, -0.9])
        found = measure(a_map(ramp), geometry, Roi.circle(off_centre, normal, 7.0, 3.0))
        assert found.value == pytest.approx(100 + off_centre @ slope, rel=0.005)


def test_background_rectangles_and_lesion_circle_give_the_snr() -> None:
    """SNR = (S - Sb) / SD on an image whose three numbers are known."""
    rng = np.random.default_rng(3)
    geometry = grid((1.0, 1.0, 3.0), (3, 120, 120))
    image = rng.normal(10, 2, geometry.shape)
    image[:, 40:80, 40:80] = rng.normal(200, 8, (3, 40, 40))
    lesion = measure_values(image, geometry, Roi.circle([60, 60, 3], [0, 0, 1], 15, 3.0))
    corners = [
        measure_values(image, geometry, Roi.rectangle([x, y, 3], [1, 0, 0], [0, 1, 0], 20, 20, 3.0))
        for x in (15, 105)
        for y in (15, 105)
    ]
    background = np.mean([corner.value for corner in corners])
    assert (lesion.value - background) / lesion.sd == pytest.approx(190 / 8, rel=0.06)
    assert all(corner.sd == pytest.approx(2, rel=0.12) for corner in corners)


def test_an_array_that_does_not_fit_its_grid_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 30, 30\) does not fit its grid \(12, 30, 30\)"):
        measure_values(np.zeros((2, 30, 30)), grid(), BLOCK)


def test_the_tumour_mask_of_a_real_breast_mri(shared_data) -> None:
    """The mask's outline on its largest slice, as a ROI, gives the mask's own mean (PyRadiomics' data)."""
    folder = shared_data / "breast1_pyradiomics"
    image_file, mask_file = (next(folder.glob(f"*{kind}*.nrrd")) for kind in ("image", "label"))
    image, mask = SimpleITK.ReadImage(str(image_file)), SimpleITK.ReadImage(str(mask_file))
    values, inside = SimpleITK.GetArrayFromImage(image), SimpleITK.GetArrayFromImage(mask) > 0
    direction = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = direction, image.GetOrigin()
    geometry = Geometry(values.shape, np.diag([-1.0, -1, 1, 1]) @ affine)

    k = int(inside.sum(axis=(1, 2)).argmax())
    shape = shapely.unary_union(
        [shapely.box(c - 0.5, r - 0.5, c + 0.5, r + 0.5) for r, c in np.argwhere(inside[k])]
    )
    assert shape.geom_type == "Polygon"
    loops = [np.array(ring.coords)[:-1] for ring in (shape.exterior, *shape.interiors)]
    outline, *holes = (geometry.to_ras(np.c_[loop, np.full(len(loop), k)]) for loop in loops)
    roi = Roi(outline, float(geometry.spacing[2]), tuple(holes))
    found = measure_values(values, geometry, roi)
    expected = values[k][inside[k]].astype(float)
    assert found.voxels == pytest.approx(expected.size, rel=1e-6)
    assert found.value == pytest.approx(expected.mean(), rel=1e-6)
    assert found.sd == pytest.approx(expected.std(ddof=1), rel=1e-6)
    assert found.median == pytest.approx(np.median(expected))
    assert roi_weights(geometry, roi).fraction.max() == pytest.approx(1.0)
