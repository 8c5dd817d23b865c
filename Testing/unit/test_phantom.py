"""The digital breast exam: physics against formulas written here, files as other readers see them."""

import json
import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scipy.optimize import curve_fit
from scipy.stats import kstest

from her2map.errors import Cancelled, InputError
from her2map.geometry import swap_ras_lps
from her2map.markups import read_roi
from her2map.phantom import Exam, ExamSettings, TumourSettings, make_exam, write_exam
from her2map.phantom.sampling import AT_REST, tissue_shares, voxel_centres
from her2map.phantom.scans import Scan
from her2map.phantom.tissues import Tissue, contrast_concentration
from her2map.roi import Roi

SEED = 3
QUIET = replace(ExamSettings.small(), snr=math.inf, motion_mm=0.0, motion_deg=0.0)
UNIFORM = replace(
    QUIET, b1_variation=0.0, field_gradient_hz_per_mm=0.0, tumour=TumourSettings(variation=1e-9, spicules=8)
)
TINY = replace(ExamSettings.small(), matrix=24, slices=3, dce_post_phases=2, oversampling=(1, 1, 1))


@pytest.fixture(scope="module")
def uniform() -> Exam:
    """Without noise and motion, all fields and the tumour uniform."""
    return make_exam(UNIFORM, SEED)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small exam as it is by default, in a folder."""
    folder = tmp_path_factory.mktemp("phantom") / "exam"
    write_exam(folder, ExamSettings.small(), SEED)
    return folder


def pure_voxels(exam: Exam, scan: Scan, tissue: Tissue) -> np.ndarray:
    shares = tissue_shares(exam.anatomy, scan.geometry, scan.thickness_mm, AT_REST)
    share = next(s for s in shares if s.tissue is tissue)
    return share.voxel[share.fraction == 1.0]


def headers(folder: Path, series: str) -> list[pydicom.FileDataset]:
    (found,) = (folder / "dicom").glob(f"*_{series}")
    return [pydicom.dcmread(path) for path in sorted(found.iterdir())]


def tumour_signal(exam: Exam, scan: Scan) -> np.ndarray:
    """(measurements,) of the voxels that the tumour fills, which are all alike in the uniform exam."""
    signal = np.abs(exam.clean(scan)[:, pure_voxels(exam, scan, Tissue.TUMOUR)])
    assert signal.shape[1] > 20
    np.testing.assert_allclose(signal, np.broadcast_to(signal[:, :1], signal.shape), rtol=1e-4)
    return signal.mean(axis=1)


@pytest.mark.parametrize(("name", "t1"), [("vfa_pre", 1750.0), ("vfa_post", 550.0)])
def test_vfa_signal_gives_t1_by_the_two_angle_formula(uniform: Exam, name: str, t1: float) -> None:
    scan = getattr(uniform.protocol, name)
    signal = tumour_signal(uniform, scan)
    angle = np.deg2rad([m.flip_angle_deg for m in scan.measurements])
    slope = np.diff((signal / np.sin(angle))[[0, 2]]) / np.diff((signal / np.tan(angle))[[0, 2]])
    assert -scan.measurements[0].tr_ms / np.log(slope[0]) == pytest.approx(t1, rel=1e-3)
    # The absolute signal of fat, Ernst's formula spelled out: density 1, T1 367, T2* 24, TR 5, TE 2.46 ms.
    fat = np.abs(uniform.clean(uniform.protocol.vfa_pre)[:, pure_voxels(uniform, scan, Tissue.FAT)])
    e1 = math.exp(-5.0 / 367.0)
    expected = np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1) * math.exp(-2.46 / 24.0)
    assert np.median(fat, axis=1) == pytest.approx(expected, rel=0.01)  # fat's values vary by 2 %


def test_b1_scales_the_flip_angle() -> None:
    exam = make_exam(replace(UNIFORM, b1_variation=0.2), SEED)
    scan = exam.protocol.vfa_pre
    voxel = pure_voxels(exam, scan, Tissue.TUMOUR)[:5]
    b1 = exam.anatomy.fields.b1(voxel_centres(scan.geometry, voxel))
    assert np.abs(b1 - 1).min() > 0.02
    angle = np.deg2rad(20.0) * b1
    e1 = math.exp(-5.0 / 1750.0)
    expected = 0.9 * np.sin(angle) * (1 - e1) / (1 - np.cos(angle) * e1) * math.exp(-2.46 / 27.0)
    np.testing.assert_allclose(exam.clean(scan)[-1, voxel], expected, rtol=1e-4)


def test_molli_gives_t1_by_the_look_locker_formula(uniform: Exam) -> None:
    scan = uniform.protocol.molli
    ti = np.array([m.ti_ms for m in scan.measurements], float)
    (a, b, t1_star), _ = curve_fit(
        lambda t, a, b, t1: np.abs(a - b * np.exp(-t / t1)),
        ti,
        tumour_signal(uniform, scan),
        (0.6, 1.5, 1000.0),
    )
    assert 900 < t1_star < 1500
    assert t1_star * (b / a - 1) == pytest.approx(1750.0, rel=1e-3)


def test_echo_trains_decay_with_t2_and_t2star(uniform: Exam) -> None:
    for scan, expected in ((uniform.protocol.t2, 75.0), (uniform.protocol.t2star, 27.0)):
        te = np.array([m.te_ms for m in scan.measurements])
        np.testing.assert_allclose(te, te[0] * np.arange(1, 9))
        decay = np.polyfit(te, np.log(tumour_signal(uniform, scan)), 1)[0]
        assert -1 / decay == pytest.approx(expected, rel=1e-3)


def test_stimulated_echoes_and_through_slice_dephasing() -> None:
    exam = make_exam(replace(UNIFORM, b1_variation=0.3, field_gradient_hz_per_mm=3.0), SEED)
    t2, t2star = exam.protocol.t2, exam.protocol.t2star
    first, second = np.abs(exam.clean(t2)[:2, pure_voxels(exam, t2, Tissue.TUMOUR)])
    assert (second > first * math.exp(-13.8 / 75.0) * 1.005).all()
    voxel = pure_voxels(exam, t2star, Tissue.TUMOUR)
    gradient = exam.anatomy.fields.gradient(
        voxel_centres(t2star.geometry, voxel), t2star.geometry.affine[:3, 2] / t2star.geometry.spacing[2]
    )
    phase = gradient * t2star.thickness_mm * 28.32e-3
    z = np.linspace(-0.5, 0.5, 2001)[:, None]
    left = np.abs(np.exp(2j * np.pi * phase * z).mean(axis=0))
    ratio = np.abs(exam.clean(t2star))[7, voxel] / np.abs(exam.clean(t2star))[0, voxel]
    first_left = np.abs(np.exp(2j * np.pi * phase / 8 * z).mean(axis=0))
    np.testing.assert_allclose(ratio, math.exp(-7 * 3.54 / 27.0) * left / first_left, rtol=1e-3)
    assert left.min() < 0.97


def test_contrast_washes_out_of_the_tumour_and_into_the_gland() -> None:
    times = np.array([40.0, 100.0, 160.0, 280.0, 400.0])
    tumour = [contrast_concentration(Tissue.TUMOUR, QUIET, t) for t in times]
    gland = [contrast_concentration(Tissue.GLAND, QUIET, t) for t in times]
    assert np.argmax(tumour) in (1, 2)
    assert tumour[-1] < 0.75 * max(tumour)
    assert np.all(np.diff(gland) > 0)
    assert max(gland) < 0.3 * max(tumour)
    at_t1_post = contrast_concentration(Tissue.TUMOUR, QUIET, 580.0)
    assert 1000 / (1000 / 1750 + 4.5 * at_t1_post) == pytest.approx(550.0)


def test_noise_is_rician_with_the_stated_sd() -> None:
    exam = make_exam(replace(TINY, matrix=48), SEED)
    scan = exam.protocol.t2star
    images = exam.simulate(scan).reshape(4, 8, -1)
    air = np.flatnonzero(np.abs(exam.clean(scan)).max(axis=0) == 0)
    sd = exam.truth.noise_sd["T2star"]
    sample = images[2, 5, air]
    assert kstest(sample / sd, "rayleigh").pvalue > 0.01
    assert np.sqrt(np.mean(images[..., air] ** 2) / 2) == pytest.approx(sd, rel=0.005)
    # Channels and echoes have noise of their own.
    assert abs(np.corrcoef(images[0, 0, air], images[1, 0, air])[0, 1]) < 0.05
    assert abs(np.corrcoef(images[0, 0, air], images[0, 1, air])[0, 1]) < 0.05


@pytest.mark.parametrize("name", ["vfa_pre", "t2", "t2star", "dce", "molli"])
def test_quantisation_stays_below_the_noise_and_nothing_saturates(name: str) -> None:
    exam = make_exam(TINY, SEED)
    scan = getattr(exam.protocol, name)
    assert exam.noise_sd(scan) * exam.counts_per_unit(scan) > 5
    assert exam.stored(scan).max() < 4095


def test_snr_in_the_tumour_is_the_one_asked_for() -> None:
    exam = make_exam(replace(UNIFORM, snr=40.0), SEED)
    scan = exam.protocol.t2
    voxel = pure_voxels(exam, scan, Tissue.TUMOUR)
    first = exam.simulate(scan)[0, 0].ravel()[voxel]
    assert first.mean() / first.std() == pytest.approx(40.0, rel=4 / math.sqrt(2 * voxel.size))


def test_voxels_hold_the_tumours_volume_whatever_the_grid(uniform: Exam) -> None:
    tumour = uniform.anatomy.tumour
    axis = np.arange(-30.0, 30.0, 0.8)
    points = np.stack(np.meshgrid(axis, axis, axis)).reshape(3, -1) + tumour.centre[:, None]
    inside = uniform.anatomy.tissue_at(points) == Tissue.TUMOUR
    for scan in (uniform.protocol.dce, uniform.protocol.b1):
        shares = tissue_shares(uniform.anatomy, scan.geometry, scan.thickness_mm)
        share = next(s for s in shares if s.tissue is Tissue.TUMOUR)
        last = scan.geometry.to_index(points.T) + 0.5
        on_grid = np.all((last >= 0) & (last < np.array(scan.geometry.shape[::-1])), axis=1)
        expected = np.count_nonzero(inside & on_grid) * 0.8**3
        assert share.fraction.sum() * scan.geometry.voxel_volume == pytest.approx(expected, rel=0.02)


def test_echoes_move_as_the_truth_says() -> None:
    still = make_exam(UNIFORM, SEED)
    moving = make_exam(replace(UNIFORM, motion_mm=8.0, motion_deg=5.0), SEED)
    scan = still.protocol.t2
    points = voxel_centres(scan.geometry, np.arange(np.prod(scan.geometry.shape)))
    truths = [m for m in moving.truth.motion if m.series == "T2"]
    np.testing.assert_array_equal(truths[0].matrix, np.eye(4))
    for echo, motion in enumerate(moving.motions(scan)):
        truth = truths[echo]
        assert np.linalg.norm(truth.translation_mm) <= 8.0
        assert np.linalg.norm(truth.rotation_vector_deg) <= 5.0
        lps = np.array(truth.matrix) @ np.vstack([swap_ras_lps(points.T).T, np.ones(points.shape[1])])
        np.testing.assert_allclose(motion.undo(swap_ras_lps(lps[:3].T).T), points, atol=1e-6)
    # The signal at the moved place of a voxel deep in the tumour is that of the tumour.
    image = moving.clean(scan)
    assert np.corrcoef(image[0], still.clean(scan)[0])[0, 1] == pytest.approx(1.0)
    core = swap_ras_lps(moving.anatomy.tumour.calcification_centre)
    for echo in (2, 5):
        place = np.array(truths[echo].matrix) @ [*core, 1.0]
        distance = np.linalg.norm(points - swap_ras_lps(place[:3])[:, None], axis=0)
        ring = (distance > 2.5) & (distance < 6.0)
        assert image[echo, distance.argmin()] < 0.9 * np.median(image[echo, ring])


def test_every_file_is_read_alike_by_pydicom_and_gdcm(written: Path) -> None:
    exam = make_exam(ExamSettings.small(), SEED)
    (folder,) = (written / "dicom").glob("*_T2map_se_mc")
    first_echo = sorted(folder.iterdir())[: exam.protocol.t2.geometry.shape[0]]
    image = sitk.ReadImage([str(path) for path in first_echo])
    geometry = exam.protocol.t2.geometry
    for corner in ((0, 0, 0), (57, 0, 0), (0, 57, 4), (57, 57, 4)):
        assert image.TransformContinuousIndexToPhysicalPoint(corner) == pytest.approx(
            swap_ras_lps(geometry.to_ras(corner)), abs=0.01
        )
    pixels = np.stack([pydicom.dcmread(path).pixel_array for path in first_echo])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), pixels)
    np.testing.assert_array_equal(pixels, exam.stored(exam.protocol.t2)[0, 0])


def test_headers_say_what_was_scanned(written: Path) -> None:
    t2star = headers(written, "T2starmap_gre_mc")
    coils = {ds[0x0051, 0x100F].value for ds in t2star}
    assert len(coils) == 4
    assert t2star[0][0x0051, 0x0010].value == "SIEMENS MR HEADER"
    assert sorted({float(ds.EchoTime) for ds in t2star}) == pytest.approx(3.54 * np.arange(1, 9))
    molli = headers(written, "T1map_MOLLI_native")
    assert len({float(ds.InversionTime) for ds in molli}) == 8
    angles = [headers(written, f"T1map_vfa_pre_fa{a}")[0] for a in (2, 5, 9, 14, 20)]
    assert len({ds.SeriesInstanceUID for ds in angles}) == 5
    assert [ds.FlipAngle for ds in angles] == [2, 5, 9, 14, 20]
    b1 = headers(written, "B1map_tfl_tra")
    middle = b1[len(b1) // 2].pixel_array
    assert 0.7 < np.median(middle[middle > 0]) / 10 / float(b1[0].FlipAngle) < 1.3
    uids = [
        pydicom.dcmread(p, specific_tags=["SOPInstanceUID"]).SOPInstanceUID for p in written.rglob("*.dcm")
    ]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid for uid in uids)
    for ds in (t2star[0], molli[0], b1[0]):
        assert (str(ds.PatientName), ds.PatientID) == ("HER2Map^Phantom", f"PHANTOM-{SEED}")
        assert ds.PatientBirthDate == ""
        assert len({d.FrameOfReferenceUID for d in (t2star[0], molli[0], b1[0])}) == 1


def test_times_in_the_headers(written: Path) -> None:
    def seconds(text: str) -> float:
        return (datetime.strptime(text, "%H%M%S.%f") - datetime(1900, 1, 1)).total_seconds()

    truth = json.loads((written / "truth.json").read_text())
    injection = seconds(truth["injection_time"])
    dce = headers(written, "t1_fl3d_tra_dyn_fs")
    assert {seconds(ds.ContrastBolusStartTime) for ds in dce} == {injection}
    starts = sorted({seconds(ds.AcquisitionTime) - injection for ds in dce})
    assert len(starts) == 8
    assert starts[0] < 0 < starts[1]
    # The same phase lies nearest to 90 s, whether its start or its centre is taken for its time.
    assert np.argmin(np.abs(np.array(starts) - 90)) == np.argmin(np.abs(np.array(starts) + 30 - 90))
    post = headers(written, "T1map_vfa_post_fa2")[0]
    assert seconds(post.AcquisitionTime) - injection == pytest.approx(9 * 60 + 40)
    pre = headers(written, "T1map_vfa_pre_fa20")[0]
    assert seconds(pre.AcquisitionTime) < injection


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = tmp_path / "first", tmp_path / "again", tmp_path / "other"
    for folder, seed in ((first, 5), (again, 5), (other, 6)):
        write_exam(folder, TINY, seed)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in files)
    assert not any((first / name).read_bytes() == (other / name).read_bytes() for name in files)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("diameter", [15.0, 20.0, 26.0, 45.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_contour_lies_in_the_tumour_on_its_largest_slice(diameter: float, seed: int) -> None:
    exam = make_exam(replace(QUIET, tumour=TumourSettings(diameter_mm=diameter)), seed)
    contour, tumour = exam.contour, exam.anatomy.tumour
    roi = Roi(contour.outline, contour.thickness_mm, contour.holes)  # refuses holes that touch or stick out
    assert roi.volume_mm3 == pytest.approx(exam.truth.roi_volume_mm3, rel=0.01)
    assert len(contour.holes) >= 1
    for shift in (-0.5, 0.0, 0.5):
        face = contour.outline + shift * contour.thickness_mm * contour.normal
        assert tumour.in_body(face.T).all()
        for hole in contour.holes:
            edge = (hole + shift * contour.thickness_mm * contour.normal).T
            assert (exam.anatomy.tissue_at(edge) == Tissue.TUMOUR).all()
    geometry = exam.protocol.dce.geometry
    slices = geometry.to_index(contour.outline)[:, 2]
    np.testing.assert_allclose(slices, contour.slice_index, atol=1e-6)
    areas = []
    for k in range(geometry.shape[0]):
        index = np.stack(np.meshgrid(np.arange(0, 64, 0.5), np.arange(0, 64, 0.5), [k])).reshape(3, -1).T
        areas.append(np.count_nonzero(tumour.in_body(geometry.to_ras(index).T)))
    assert areas[contour.slice_index] > 0.8 * max(areas)
    assert diameter * 0.8 < contour.diameter_mm < diameter * 1.2


def test_true_means_are_the_settings_where_the_tumour_is_uniform(uniform: Exam) -> None:
    values = uniform.truth.values
    expected = {"T1_pre": 1750.0, "T1_post": 550.0, "T2": 75.0, "T2star": 27.0, "B1": 1.0, "delta_T1": 1200.0}
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=1e-6), name


def test_slicers_curve_and_the_polygon_agree(written: Path) -> None:
    truth = json.loads((written / "truth.json").read_text())
    drawn = read_roi(written / "roi.mrk.json", truth["roi_thickness_mm"])
    contour = make_exam(ExamSettings.small(), SEED).contour
    polygon = Roi(contour.outline, contour.thickness_mm, contour.holes)
    assert drawn.area_mm2 == pytest.approx(polygon.area_mm2, rel=1e-3)
    np.testing.assert_allclose(drawn.centroid, polygon.centroid, atol=0.01)
    assert len(drawn.holes) == len(contour.holes)


def test_output_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("keep me")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="not empty"):
        write_exam(tmp_path / "full", TINY, 1)
    with pytest.raises(InputError, match="exists"):
        write_exam(tmp_path / "file", TINY, 1)
    with pytest.raises(InputError, match="cannot be written"):
        write_exam(tmp_path / "file" / "below", TINY, 1)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "note.txt"]
    (tmp_path / "empty").mkdir()
    write_exam(tmp_path / "empty", TINY, 1)
    assert (tmp_path / "empty" / "truth.json").is_file()


def test_cancelling_leaves_nothing_and_progress_grows(tmp_path: Path) -> None:
    seen: list[float] = []

    def stop_half_way(fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_exam(tmp_path / "exam", TINY, 1, stop_half_way)
    assert not list(tmp_path.iterdir())
    assert seen == sorted(seen)
    write_exam(tmp_path / "exam", TINY, 1, seen.append)
    assert seen[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"snr": 0.0}, "snr"),
        ({"snr": math.nan}, "snr"),
        ({"slices": 1}, "slices"),
        ({"motion_mm": -1.0}, "motion_mm"),
        ({"oversampling": (0, 1, 1)}, "oversampling"),
        ({"dce_post_phases": 12}, "DCE phases"),
        ({"b1_variation": 0.8}, "b1_variation"),
    ],
)
def test_settings_that_make_no_exam(change: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        replace(ExamSettings.small(), **change)
    with pytest.raises(InputError, match="t1_post_ms"):
        replace(ExamSettings.small(), tumour=TumourSettings(t1_post_ms=2000.0))
    with pytest.raises(InputError, match="seed"):
        make_exam(ExamSettings.small(), -1)
