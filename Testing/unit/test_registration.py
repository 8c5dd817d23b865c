"""Registration against motion that is known exactly: a continuous object sampled anew after every motion."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from her2map.errors import Cancelled, InputError
from her2map.geometry import Geometry
from her2map.phantom import ExamSettings, make_exam
from her2map.registration import Motion, register_echoes, register_to, resample

Array = NDArray[np.float64]
FIRST_TE, LATE_TE = 13.8, 82.8


def body() -> list[tuple[Array, Array, float, float]]:
    """Centre (mm), radii (mm), M0 and T2 (ms) of ellipsoids; later ones replace earlier ones."""
    rng = np.random.default_rng(5)
    parts = [(np.zeros(3), np.array([75.0, 55.0, 60.0]), 400.0, 110.0)]
    for side in (-1.0, 1.0):
        parts.append((np.array([side * 35.0, 5.0, 0.0]), np.array([27.0, 31.0, 40.0]), 700.0, 60.0))
    for _ in range(25):
        centre = rng.uniform([-60.0, -35.0, -35.0], [60.0, 40.0, 35.0])
        parts.append(
            (centre, rng.uniform(4.0, 11.0, 3), rng.uniform(200.0, 1000.0), rng.uniform(40.0, 150.0))
        )
    return parts


BODY = body()


def signal(points: Array, te_ms: float) -> Array:
    value = np.zeros(points.shape[:-1])
    for centre, radii, m0, t2_ms in BODY:
        near = (np.abs(points - centre) < radii + 5.0).all(axis=-1)
        depth = (np.linalg.norm((points[near] - centre) / radii, axis=-1) - 1) * radii.mean()
        share = 1 / (1 + np.exp(np.clip(depth / 0.4, -50, 50)))
        value[near] += share * (m0 * np.exp(-te_ms / t2_ms) - value[near])
    return value


def grid(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    angles: tuple[float, float, float] = (5.0, -8.0, 3.0),
    slice_sign: float = 1.0,
) -> Geometry:
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag([-1.0, -1.0, slice_sign]) * np.array(spacing)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2)
    return Geometry(shape, affine)


def rigid(translation: tuple[float, float, float], rotation_deg: tuple[float, float, float]) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation_deg, degrees=True).as_matrix()
    matrix[:3, 3] = translation
    return matrix


def scan(geometry: Geometry, te_ms: float, motion: Array, seed: int, noise: float = 10.0) -> Array:
    """The body's image after it was moved by `motion`, slices averaged over their thickness, Rician noise."""
    index = np.stack(np.indices(geometry.shape)[::-1], axis=-1).astype(float)
    back = np.linalg.inv(motion)
    clean = np.zeros(geometry.shape)
    for offset in (-1 / 3, 0.0, 1 / 3):
        points = geometry.to_ras(index + np.array([0.0, 0.0, offset]))
        clean += signal(points @ back[:3, :3].T + back[:3, 3], te_ms) / 3
    rng = np.random.default_rng(seed)
    return np.hypot(clean + rng.normal(0, noise, clean.shape), rng.normal(0, noise, clean.shape)).astype("f4")


def errors(found: Motion, truth: Array) -> tuple[float, float]:
    """Largest component in mm at the body's centre, angle in degrees."""
    shift = ((found.matrix - truth) @ [*found.centre, 1.0])[:3]
    turn = Rotation.from_matrix(found.matrix[:3, :3] @ truth[:3, :3].T)
    return float(np.abs(shift).max()), float(np.degrees(turn.magnitude()))


GRID = grid((22, 96, 96), (1.8, 1.8, 2.4))
MOTION = rigid((4.0, -5.0, 4.5), (3.0, -2.5, 3.0))  # 7.8 mm, 4.9 degrees


@pytest.fixture(scope="module")
def echoes() -> Array:
    return np.stack(
        [
            scan(GRID, FIRST_TE, np.eye(4), 1),
            scan(GRID, LATE_TE, MOTION, 2),
            scan(GRID, LATE_TE, np.eye(4), 3),
        ]
    )


@pytest.fixture(scope="module")
def registered(echoes: Array):
    return register_echoes(echoes, GRID)


def motion_errors(scan_name: str, seed: int) -> Array:
    """(echoes - 1, 2): mm and degrees, of an exam in which the patient moved by up to 8 mm and 5 degrees."""
    exam = make_exam(replace(ExamSettings.standard(), motion_mm=8.0, motion_deg=5.0), seed=seed)
    moved = getattr(exam.protocol, scan_name)
    channels = exam.simulate(moved)
    result = register_echoes(np.sqrt(np.square(channels).sum(axis=0)), moved.geometry)
    found = []
    for motion, true in zip(result.motions[1:], exam.motions(moved)[1:], strict=True):
        matrix = np.eye(4)
        matrix[:3, :3] = true.rotation
        matrix[:3, 3] = true.centre + true.translation - true.rotation @ true.centre
        assert motion.used
        found.append(errors(motion, matrix))
    return np.array(found)


def test_motion_of_the_phantom_is_recovered_in_every_spin_echo():
    assert (motion_errors("t2", seed=1) <= 0.1).all()


def test_motion_of_the_phantom_is_recovered_where_fat_and_water_interfere():
    """Gradient echoes: fat turns against water, so no echo has the first one's contrast."""
    found = motion_errors("t2star", seed=2)
    assert (np.median(found, axis=0) <= 0.1).all()
    assert (found.max(axis=0) <= [0.1, 0.25]).all()


def test_known_motion_is_recovered(registered):
    """Late, dim echo; T2 from 40 to 150 ms turns the contrast of many edges round."""
    motion = registered.motions[1]
    assert motion.used and motion.metric_after > motion.metric_before
    shift, turn = errors(motion, MOTION)
    assert shift <= 0.1
    assert turn <= 0.1
    truth = (MOTION @ [*motion.centre, 1.0])[:3] - motion.centre
    np.testing.assert_allclose(motion.translation_mm, truth, atol=0.1)
    np.testing.assert_allclose(motion.rotation_deg, (3.0, -2.5, 3.0), atol=0.1)


def test_a_still_echo_is_returned_bit_for_bit(registered, echoes):
    assert not registered.motions[2].used
    np.testing.assert_array_equal(registered.motions[2].matrix, np.eye(4))
    np.testing.assert_array_equal(registered.data[[0, 2]], echoes[[0, 2]])


def test_moved_echo_lies_on_the_first(registered, echoes):
    """Beside an image of the still body at the same echo time; NaN only near the field's edge."""
    still, before, after = echoes[2], echoes[1], registered.data[1]
    seen = np.isfinite(after)
    assert 0.7 < seen.mean() < 1.0
    assert seen[6:-6, 12:-12, 12:-12].all()
    assert np.std((after - still)[seen]) < 0.4 * np.std((before - still)[seen])


def test_same_motion_on_any_number_of_threads():
    small = grid((10, 48, 48), (3.6, 3.6, 4.8))
    pair = np.stack([scan(small, FIRST_TE, np.eye(4), 1), scan(small, LATE_TE, MOTION, 2)])
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        found = []
        for number in (1, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(number)
            found.append(register_echoes(pair, small))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    first, second = (result.motions[1].matrix for result in found)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-5)


def test_map_space_to_dce_space_on_other_flipped_oblique_grids():
    """The matrix takes a point of the DCE image to the map's image, whichever of the grids is left-handed."""
    dce = grid((32, 80, 80), (2.0, 2.0, 2.4), angles=(0.0, 0.0, 0.0))
    target = scan(dce, FIRST_TE, np.eye(4), 1)
    for angles, sign, seed in (((5.0, -8.0, 3.0), 1.0, 2), ((-6.0, 4.0, 2.0), -1.0, 4)):
        series = grid((18, 80, 80), (2.0, 2.0, 3.0), angles, sign)
        motion = register_to(scan(series, 55.0, MOTION, seed), series, target, dce)
        assert motion.used
        shift, turn = errors(motion, MOTION)
        assert shift <= 0.2 and turn <= 0.3
        np.testing.assert_allclose(motion.inverse @ motion.matrix, np.eye(4), atol=1e-12)


def test_a_single_slice_moves_in_its_plane_only():
    flat = grid((1, 128, 128), (1.4, 1.4, 5.0), angles=(0.0, 0.0, 0.0))
    truth = rigid((4.0, -5.0, 0.0), (0.0, 0.0, 3.0))
    pair = np.stack([scan(flat, FIRST_TE, np.eye(4), 1), scan(flat, LATE_TE, truth, 2)])
    result = register_echoes(pair, flat)
    motion = result.motions[1]
    assert motion.used
    np.testing.assert_allclose(motion.matrix[2], [0.0, 0.0, 1.0, 0.0], atol=1e-12)
    shift, turn = errors(motion, truth)
    assert shift <= 0.1 and turn <= 0.1
    assert np.isfinite(result.data[1][0, 20:-20, 20:-20]).all()


def test_few_thick_slices_moved_in_their_plane_stay_in_it():
    stack = grid((4, 96, 96), (1.8, 1.8, 5.0), angles=(0.0, 0.0, 0.0))
    truth = rigid((4.0, -5.0, 0.0), (0.0, 0.0, 3.0))
    pair = np.stack([scan(stack, FIRST_TE, np.eye(4), 1), scan(stack, LATE_TE, truth, 2)])
    motion = register_echoes(pair, stack).motions[1]
    assert motion.used
    shift, turn = errors(motion, truth)
    assert shift <= 0.15 and turn <= 0.15


def test_a_thin_map_is_placed_in_a_thick_dce():
    """Few slices: whichever way round the search runs, the matrix goes from the DCE to the map."""
    dce = grid((24, 80, 80), (2.0, 2.0, 3.0), angles=(0.0, 0.0, 0.0))
    stack = grid((5, 80, 80), (2.0, 2.0, 5.0), angles=(0.0, 0.0, 0.0))
    truth = rigid((4.0, -5.0, 0.0), (0.0, 0.0, 3.0))
    moved = scan(stack, 55.0, truth, 2)
    motion = register_to(moved, stack, scan(dce, FIRST_TE, np.eye(4), 1), dce)
    assert motion.used
    shift, turn = errors(motion, truth)
    assert shift <= 0.3 and turn <= 0.5


@pytest.mark.parametrize("shape", [(1, 64, 64), (4, 48, 48), (12, 48, 48)])
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_has_no_motion(shape, seed):
    noise = np.abs(np.random.default_rng(seed).normal(size=(2, *shape))).astype("f4")
    result = register_echoes(noise, grid(shape, (2.0, 2.0, 3.0)))
    assert not result.motions[1].used and result.motions[1].reason
    np.testing.assert_array_equal(result.data, noise)


def test_images_without_structure_have_no_motion():
    plain = np.ones((3, 8, 32, 32), "f4")
    plain[2] = np.nan
    result = register_echoes(plain, grid((8, 32, 32), (3.0, 3.0, 3.0)))
    assert [motion.used for motion in result.motions] == [False] * 3
    np.testing.assert_array_equal(result.data, plain)


def test_fields_of_view_that_do_not_meet():
    here = grid((8, 32, 32), (4.0, 4.0, 5.0))
    there = Geometry(here.shape, rigid((500.0, 0.0, 0.0), (0.0, 0.0, 0.0)) @ here.affine)
    image = scan(here, FIRST_TE, np.eye(4), 1)
    motion = register_to(image, there, image, here)
    assert not motion.used and "overlap" in motion.reason


def test_holes_do_not_hold_the_image_back():
    """Missing voxels at the same place in both images must not pass for structure that stays put."""
    small = grid((16, 64, 64), (2.7, 2.7, 3.2))
    pair = np.stack([scan(small, FIRST_TE, np.eye(4), 1), scan(small, LATE_TE, MOTION, 2)])
    pair[:, 4:9, 20:34, 20:34] = np.nan
    result = register_echoes(pair, small)
    shift, turn = errors(result.motions[1], MOTION)
    assert shift <= 0.1 and turn <= 0.15
    assert np.isnan(result.data[1, 4:9, 20:34, 20:34]).mean() > 0.5


def test_resampling_agrees_with_simpleitk():
    rng = np.random.default_rng(1)
    geometry, onto = grid((9, 20, 24), (1.5, 1.2, 2.5)), grid((8, 18, 15), (1.7, 1.4, 2.2), (0.0, 9.0, -4.0))
    image = rng.normal(size=geometry.shape)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])

    def as_sitk(values, place):
        out = sitk.GetImageFromArray(values)
        affine = lps @ place.affine
        out.SetSpacing(place.spacing.tolist())
        out.SetDirection((affine[:3, :3] / place.spacing).ravel().tolist())
        out.SetOrigin(affine[:3, 3].tolist())
        return out

    matrix = lps @ MOTION @ lps
    transform = sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist())
    target = as_sitk(np.zeros(onto.shape), onto)
    theirs = sitk.GetArrayFromImage(
        sitk.Resample(as_sitk(image, geometry), target, transform, sitk.sitkBSpline, np.nan)
    )
    ours = resample(image, geometry, onto, MOTION)
    index = geometry.to_index(
        (onto.to_ras(np.stack(np.indices(onto.shape)[::-1], -1)) @ MOTION[:3, :3].T) + MOTION[:3, 3]
    )
    within = ((index >= 0) & (index <= np.array(geometry.shape[::-1]) - 1)).all(axis=-1)
    assert within.sum() > 300
    np.testing.assert_allclose(ours[within], theirs[within], atol=1e-4)
    outside = ((index < -0.5) | (index > np.array(geometry.shape[::-1]) - 0.5)).any(axis=-1)
    np.testing.assert_array_equal(np.isnan(ours), outside)


def test_cancel_stops_the_optimiser_and_reaches_the_caller(echoes):
    heard = []

    def progress(fraction: float) -> None:
        heard.append(fraction)
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        register_echoes(echoes, GRID, progress)
    assert heard[-1] < 0.1
    with pytest.raises(Cancelled):
        register_to(echoes[1], GRID, echoes[0], GRID, progress)


def test_nothing_of_a_registration_stays_behind():
    """The optimiser and its callback refer to each other through C++."""
    small = grid((8, 32, 32), (5.0, 5.0, 6.0))
    pair = np.stack([scan(small, FIRST_TE, np.eye(4), 1), scan(small, LATE_TE, MOTION, 2)])

    class Watch:
        def __call__(self, fraction: float) -> None:
            pass

    watch = Watch()
    kept = weakref.ref(watch)
    register_echoes(pair, small, watch)
    del watch
    gc.collect()
    assert kept() is None


def test_progress_rises_to_one():
    small = grid((8, 32, 32), (5.0, 5.0, 6.0))
    pair = np.stack([scan(small, FIRST_TE, np.eye(4), 1), scan(small, LATE_TE, MOTION, 2)])
    heard: list[float] = []
    register_echoes(pair, small, heard.append)
    assert heard[-1] == 1.0 and heard == sorted(heard)
    heard.clear()
    register_to(pair[1], small, pair[0], small, heard.append)
    assert heard[-1] == 1.0 and heard == sorted(heard)


def test_one_echo_is_left_as_it_is():
    one = np.random.default_rng(1).normal(size=(1, 4, 8, 8)).astype("f4")
    result = register_echoes(one, grid((4, 8, 8), (1.0, 1.0, 1.0)))
    np.testing.assert_array_equal(result.data, one)
    assert len(result.motions) == 1


def test_bad_input_is_one_sentence():
    geometry = grid((4, 8, 8), (1.0, 1.0, 1.0))
    good = np.ones((2, 4, 8, 8))
    sheared = Geometry(geometry.shape, geometry.affine @ (np.eye(4) + 0.2 * np.eye(4, k=1)))
    for data, place in (
        (good[0], geometry),
        (good[:, :3], geometry),
        (good[:0], geometry),
        (good * 1j, geometry),
        (good, sheared),
    ):
        with pytest.raises(InputError, match=r"^[^\n]+\.$"):
            register_echoes(data, place)
    with pytest.raises(InputError, match="moving"):
        register_to(good, geometry, good[0], geometry)
