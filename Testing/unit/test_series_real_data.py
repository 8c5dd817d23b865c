"""Reading real exams of Siemens and Philips scanners, each with the trap that it holds."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.pixels import pixel_array

from her2map.errors import InputError
from her2map.geometry import LPS_FROM_RAS
from her2map.series import Series, SeriesList, read_series


def itk_affine(image: sitk.Image) -> np.ndarray:
    """Index to RAS of a SimpleITK image."""
    lps = np.eye(4)
    lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    lps[:3, 3] = image.GetOrigin()
    return LPS_FROM_RAS @ lps


def only(series: SeriesList) -> Series:
    assert len(series) == 1
    return series[0]


def test_siemens_echoes_of_one_series_and_a_stray_slice(shared_data: Path) -> None:
    folder = shared_data / "mese_siemens_dcmstack"
    read = read_series(folder)
    series = only(read)
    assert series.data.shape == (3, 2, 192, 192)
    assert series.te_ms.tolist() == [20, 40, 60]
    assert series.tr_ms.tolist() == [3000] * 3
    assert np.isnan(series.ti_ms).all()
    assert series.field_strength_t == 3
    assert series.number == 3
    assert len(series.problems) == 1
    assert "-2.2 mm" in series.problems[0]
    assert "TE 40 ms; TE 60 ms" in series.problems[0]
    assert read.skipped == ("COPYING: not a DICOM file",)
    assert read.skipped_counts == {"not a DICOM file": 1}
    for echo, te in enumerate((20, 40, 60)):
        files = [next(folder.glob(f"TE_{te}_SlcPos_-{place}*")) for place in ("33.7", "23.2")]
        image = sitk.ReadImage([str(file) for file in files])
        np.testing.assert_array_equal(series.data[echo], sitk.GetArrayFromImage(image))
        np.testing.assert_allclose(series.affine, itk_affine(image), atol=1e-4)


def test_times_are_seconds_since_midnight(shared_data: Path) -> None:
    series = only(read_series(shared_data / "mese_siemens_dcmstack"))
    assert series.time_source == "AcquisitionTime"
    first = 19 * 3600 + 45 * 60 + 16.7375  # of the lower of the two slices
    np.testing.assert_allclose(series.time_s, [first, first + 0.02, first + 0.04], atol=1e-5)


def test_siemens_inversion_recovery_with_its_growing_tr(shared_data: Path) -> None:
    read = read_series(shared_data / "nist_phantom_hazen/T1/site1_20200218")
    assert [s.ti_ms.tolist() for s in read] == [[50], [100], [200], [400], [600], [800]]
    assert [s.tr_ms.tolist() for s in read] == [[1000], [1000], [1000], [1260], [1860], [2460]]
    assert all(s.sequence["ScanningSequence"] == ("SE", "IR") for s in read)
    assert all(s.geometry.spacing[2] == pytest.approx(5) for s in read)  # the slice is 5 mm, the gap no voxel
    assert read.problems == ()


@pytest.mark.parametrize("kind", ["T1", "T2"])
def test_philips_values_are_divided_by_both_slopes(shared_data: Path, kind: str) -> None:
    folder = shared_data / f"nist_phantom_hazen/{kind}/site4_philips/plate5"
    values = {}
    for file in folder.iterdir():
        dataset = dcmread(file)
        scaled = (
            dataset.pixel_array.astype(float) * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        ) / (float(dataset.RescaleSlope) * dataset[0x2005, 0x100E].value)
        values[float(dataset.get("InversionTime") or 0), float(dataset.EchoTime)] = scaled
    read = read_series(folder)
    assert len(read) == (6 if kind == "T1" else 1)
    for series in read:
        for image, ti, te in zip(series.data, np.nan_to_num(series.ti_ms), series.te_ms, strict=True):
            np.testing.assert_allclose(image[0], values.pop((ti, te)), rtol=1e-6)
    assert not values


def test_philips_molli_inversion_times_and_scanner_map(shared_data: Path) -> None:
    read = read_series(shared_data / "molli_philips_enhanced")
    molli, scanner = sorted(read, key=lambda s: s.scanner_map)
    assert molli.ti_ms.tolist() == [106, 200, 1106, 1200, 2106, 2200, 3106, 4106]
    assert molli.data.shape == (8, 1, 128, 128)
    assert (scanner.scanner_map, scanner.unit, scanner.data.shape) == ("T1", "ms", (2, 1, 128, 128))
    stored = pixel_array(shared_data / "molli_philips_enhanced/IM_0001").astype(float)
    np.testing.assert_allclose(scanner.data[:, 0], stored[8:] * 1.0017094017094017 - 7, rtol=1e-6, atol=1e-3)
    np.testing.assert_allclose(molli.data[:, 0], stored[:8] / 0.00906811747699976, rtol=1e-6)
    # Frame time 13:04:00.82; the frame reference time is the series' start, and the trigger time a delay.
    assert (molli.time_source, molli.time_s[0]) == ("FrameAcquisitionDateTime", pytest.approx(47040.82))
    assert len(read.skipped) == 2
    assert "Presentation State" in read.skipped[0]
    assert "Raw Data" in read.skipped[1]
    assert read.problems == ()


def test_enhanced_siemens_echoes_from_functional_groups(shared_data: Path) -> None:
    folder = shared_data / "gre2_siemens_xa30_enhanced"
    series = only(read_series(folder))
    assert series.te_ms.tolist() == [10, 12.46]
    assert series.flip_angle_deg.tolist() == [90, 90]
    assert series.tr_ms.tolist() == [600, 600]
    assert series.channel.tolist() == [0, 0]
    for echo, file in enumerate(sorted(folder.glob("*/*.dcm"))):
        image = sitk.ReadImage(str(file))
        np.testing.assert_array_equal(series.data[echo], sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(series.affine[:3, 3], itk_affine(image)[:3, 3], atol=1e-3)
    np.testing.assert_allclose(
        series.affine, itk_affine(image), atol=2e-3
    )  # the header's cosines have 6 digits
    assert series.time_s[0] == pytest.approx(12 * 3600 + 9 * 60 + 41.8775)


def test_flip_angle_is_the_headers_not_the_folders(shared_data: Path, tmp_path: Path) -> None:
    source = next((shared_data / "vfa_rider_siemens/RIDER_Neuro_MRI-3369019796").iterdir())
    for angle, lie in ((5, "ax_10_flip"), (10, "ax_5_flip")):
        shutil.copytree(next(source.glob(f"*ax_{angle}_flip*")), tmp_path / lie)
    read = read_series(tmp_path)
    assert [s.flip_angle_deg.tolist() for s in read] == [[5], [10]]
    assert [s.data.shape for s in read] == [(1, 2, 256, 256)] * 2


def test_two_patients_are_refused_without_their_names(shared_data: Path) -> None:
    with pytest.raises(InputError, match="2 patients") as error:
        read_series(shared_data / "vfa_rider_siemens")
    message = str(error.value).replace(str(shared_data), "")
    for file in shared_data.glob("vfa_rider_siemens/*/*/*/1-08.dcm"):
        dataset = dcmread(file)
        assert str(dataset.PatientName) not in message
        assert dataset.PatientID not in message


def test_two_studies_of_one_patient_are_noted(shared_data: Path) -> None:
    read = read_series(shared_data / "vfa_rider_siemens/RIDER_Neuro_MRI-3369019796")
    assert len(read) == 4
    assert "2 studies of one patient" in read.notes[0]
    assert read[2].time_s[0] > 86400


def test_nifti_without_side_car_has_no_parameters(shared_data: Path) -> None:
    magnitude, phase = read_series(shared_data / "megre3_magphase_nifti")
    assert magnitude.data.shape == (3, 41, 51, 51)
    assert set(magnitude.component) == {"magnitude"}
    assert set(phase.component) == {"phase"}
    for values in (magnitude.te_ms, magnitude.tr_ms, magnitude.flip_angle_deg, magnitude.time_s):
        assert np.isnan(values).all()
    assert magnitude.problems[0].startswith("series (Mag): ")
    assert "side-car" in magnitude.problems[0]
    image = sitk.ReadImage(str(shared_data / "megre3_magphase_nifti/Mag.nii.gz"))
    np.testing.assert_allclose(magnitude.data, sitk.GetArrayFromImage(image), rtol=1e-6)
    # SimpleITK keeps only three axes of the direction of a 4-D image.
    np.testing.assert_allclose(magnitude.geometry.spacing, image.GetSpacing()[:3], rtol=1e-6)
    # Its phase fills one turn in an unknown unit, which is said.
    assert np.ptp(phase.data) == pytest.approx(2 * np.pi, rel=1e-6)
    assert "unnamed unit" in phase.problems[-1]


def test_single_nifti_file_agrees_with_simpleitk(shared_data: Path) -> None:
    file = shared_data / "irse_sepal_nifti/T1_IRSE_data/rSeries03.nii"
    series = only(read_series(file))
    image = sitk.ReadImage(str(file))
    np.testing.assert_allclose(series.data[0, 0], np.squeeze(sitk.GetArrayFromImage(image)), rtol=1e-6)
    if image.GetDimension() == 3:
        np.testing.assert_allclose(series.affine, itk_affine(image), atol=1e-4)


def test_truncated_file_is_skipped_and_the_rest_read(shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(shared_data / "mese_siemens_dcmstack", tmp_path / "exam")
    victim = next((tmp_path / "exam").glob("TE_60_SlcPos_-33*"))
    victim.chmod(0o644)
    whole = victim.read_bytes()
    for length in (200, 3000, len(whole) // 2, len(whole) - 2):
        victim.write_bytes(whole[:length])
        read = read_series(tmp_path / "exam")
        assert only(read).data.shape == (3, 1, 192, 192)
        reasons = [text for text in read.skipped if text.startswith("TE_60")]
        assert len(reasons) == 1, length
        assert "cut short" in reasons[0] or "damaged" in reasons[0] or "no image" in reasons[0]
        assert any("-33.7 mm" in p and "TE 60 ms" in p for p in read.problems)


@pytest.mark.parametrize("folder", ["osipi_t1_csv", "breast1_pyradiomics"])
def test_folder_without_images(shared_data: Path, folder: str) -> None:
    with pytest.raises(InputError, match=r"None of the \d files"):
        read_series(shared_data / folder)


def test_no_personal_data_reach_a_series(shared_data: Path) -> None:
    for series in read_series(shared_data / "nist_phantom_hazen/T1/site1_20200218"):
        assert not any(word in repr(series.sequence) for word in ("Patient's", "Birth", "PatientName"))
        assert not {"PatientID", "PatientName", "PatientBirthDate"} & set(series.sequence)
