"""Reading NIfTI files with BIDS side-cars, written here with nibabel, read back beside SimpleITK."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from her2map.errors import InputError
from her2map.series import read_series

VOLUME = np.random.default_rng(2).normal(100, 10, (6, 5, 4)).astype(np.float32)  # columns, rows, slices
TILT = np.array([[0.0, -2.0, 0.3, 5.0], [1.5, 0.0, 0.0, -7.0], [0.0, 0.4, 3.0, 11.0], [0.0, 0.0, 0.0, 1.0]])


def write(folder: Path, stem: str, data: np.ndarray = VOLUME, **card: Any) -> None:
    nibabel.save(nibabel.Nifti1Image(data, TILT), folder / f"{stem}.nii.gz")
    if card:
        (folder / f"{stem}.json").write_text(json.dumps(card))


def test_echoes_in_files_of_their_own_are_one_series(tmp_path: Path) -> None:
    for echo, te in ((2, 0.008), (1, 0.004)):
        for part in ("mag", "phase"):
            write(
                tmp_path,
                f"sub-01_echo-{echo}_part-{part}_MEGRE",
                VOLUME * echo if part == "mag" else np.sin(VOLUME) * np.float32(np.pi),
                EchoTime=te,
                RepetitionTime=0.05,
                FlipAngle=12,
                AcquisitionTime="10:15:00.5",
                **({"Units": "rad"} if part == "phase" else {}),
            )
    magnitude, phase = sorted(read_series(tmp_path), key=lambda s: s.component[0])
    assert magnitude.te_ms.tolist() == phase.te_ms.tolist() == [4, 8]
    assert magnitude.tr_ms.tolist() == [50, 50]
    assert magnitude.flip_angle_deg.tolist() == [12, 12]
    assert magnitude.time_s.tolist() == [36900.5] * 2
    assert set(phase.component) == {"phase"}
    assert magnitude.problems == phase.problems == ()
    np.testing.assert_array_equal(magnitude.data[1], 2 * VOLUME.T)


def test_grid_agrees_with_simpleitk_and_nibabel(tmp_path: Path) -> None:
    orthogonal = TILT.copy()
    orthogonal[:3, :3] = np.linalg.qr(TILT[:3, :3])[0] * [1.5, 2.0, 3.0]  # SimpleITK refuses a shear
    nibabel.save(nibabel.Nifti1Image(VOLUME, orthogonal), tmp_path / "t1.nii")
    (series,) = read_series(tmp_path / "t1.nii")
    image = sitk.ReadImage(str(tmp_path / "t1.nii"))
    np.testing.assert_array_equal(series.data[0], sitk.GetArrayFromImage(image))
    for index in ((0, 0, 0), (5, 4, 3), (1, 2, 3)):
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(series.geometry.to_ras(index), lps * [-1, -1, 1], atol=1e-4)
        assert series.data[(0, *index[::-1])] == VOLUME[index]


def test_flip_angles_of_one_acquisition(tmp_path: Path) -> None:
    for number, angle in enumerate((15, 2, 8), 1):
        card = {"EchoTime": 0.002, "RepetitionTimeExcitation": 0.005, "FlipAngle": angle}
        write(tmp_path, f"sub-01_flip-{number}_VFA", VOLUME + angle, **card)
    (series,) = read_series(tmp_path)
    assert series.flip_angle_deg.tolist() == [2, 8, 15]
    np.testing.assert_array_equal(series.data[:, 0, 0, 0], VOLUME[0, 0, 0] + np.float32([2, 8, 15]))


def test_dynamic_volumes_with_their_times(tmp_path: Path) -> None:
    volumes = np.stack([VOLUME, VOLUME + 1, VOLUME + 2], axis=-1)
    card = {"EchoTime": 0.002, "RepetitionTime": 0.005, "FlipAngle": 10, "AcquisitionTime": "12:00:00"}
    write(tmp_path, "dce", volumes, VolumeTiming=[0, 10, 25], **card)
    (series,) = read_series(tmp_path)
    assert series.data.shape == (3, 4, 5, 6)
    assert series.time_s.tolist() == [43200, 43210, 43225]


def test_several_echoes_in_one_file(tmp_path: Path) -> None:
    write(tmp_path, "mese", np.stack([VOLUME] * 2, axis=-1), EchoTime=[0.02, 0.04])
    (series,) = read_series(tmp_path)
    assert series.te_ms.tolist() == [20, 40]
    assert "RepetitionTime" in series.problems[0]


@pytest.mark.parametrize(
    ("stem", "unit", "expected"),
    [
        ("sub-01_T1map", "s", ("T1", "ms", 1000)),
        ("sub-01_T2starmap", "ms", ("T2star", "ms", 1)),
        ("sub-01_TB1map", "percent", ("B1", "percent", 1)),
    ],
)
def test_maps(tmp_path: Path, stem: str, unit: str, expected: tuple[str, str, float]) -> None:
    write(tmp_path, stem, Units=unit)
    (series,) = read_series(tmp_path)
    assert (series.scanner_map, series.unit) == expected[:2]
    np.testing.assert_allclose(series.data[0], VOLUME.T * expected[2], rtol=1e-6)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, "good", EchoTime=0.01)
    write(tmp_path, "lists", EchoTime=[0.01, 0.02])
    write(tmp_path, "card", EchoTime=0.01)
    (tmp_path / "card.json").write_text("{")
    (tmp_path / "cut.nii").write_bytes(b"\x5c\x01\x00\x00 not much")
    series = read_series(tmp_path)
    assert [s.description for s in series] == ["good"]
    assert {text.split(":")[0] for text in series.skipped} == {"lists.nii.gz", "card.nii.gz", "cut.nii"}
    assert "2 values of EchoTime for 1 volumes" in " ".join(series.skipped)


def test_maps_that_were_written_here_are_not_read_again(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w", EchoTime=0.01)
    write(tmp_path, "sub-case_T1map", Units="s", HER2MapBiomarker="T1_pre")
    write(tmp_path, "sub-case_desc-rsquared_T1map")
    series = read_series(tmp_path)
    assert [s.description for s in series] == ["T1w"]
    assert sorted(series.skipped_counts.items()) == [
        ("a derived image (desc- in its name), such as HER2Map writes beside its maps", 1),
        ("a map that HER2Map wrote", 1),
    ]
    with pytest.raises(InputError, match="a map that HER2Map wrote"):
        read_series(tmp_path / "sub-case_T1map.nii.gz")


def test_what_is_shared_holds_no_file_name(tmp_path: Path) -> None:
    folder = tmp_path / "Smith_Jane"
    folder.mkdir()
    for stem in ("sub-SmithJane_ses-20200101_flip-1_VFA", "T1w"):
        write(folder, stem)
    write(folder, "smith", EchoTime=[1, 2])
    write(folder, "smith2")
    (folder / "smith2.json").write_text("{")
    (folder / "smith3.nii").write_bytes(b"smith")
    (folder / "smith4.dcm").write_bytes(b"smith")
    series = read_series(tmp_path)
    assert [s.description for s in series] == ["T1w", "flip-1_VFA"]
    assert sum(series.skipped_counts.values()) == len(series.skipped) == 4
    shared = [*series.problems, *series.skipped_counts, *(s.description for s in series)]
    assert series.problems[0].startswith("series (T1w): it has no side-car")
    assert not any("smith" in text.lower() or "2020" in text for text in shared)


@pytest.mark.parametrize("field", ["MagneticFieldStrength", "SliceThickness", "SeriesNumber"])
@pytest.mark.parametrize("value", [[1.5, 3], float("inf"), float("nan"), "3"])
def test_a_field_that_is_no_single_number_counts_as_absent(tmp_path: Path, field: str, value: Any) -> None:
    write(tmp_path, "one", EchoTime=0.01, **{field: value})
    (series,) = read_series(tmp_path)
    assert series.number is None
    assert np.isnan([series.field_strength_t, series.slice_thickness_mm]).all()


def test_two_subjects_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "sub-01_T1w")
    write(tmp_path, "sub-02_T1w")
    with pytest.raises(InputError, match="2 subjects"):
        read_series(tmp_path)


def test_a_list_of_files_needs_no_side_cars_in_it(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "t1", EchoTime=0.002)
    found = read_series([tmp_path / "one" / "t1.nii.gz", tmp_path / "two" / "t1.nii.gz"])
    assert [series.te_ms.tolist() for series in found] == [[2.0], [2.0]]
    assert {series.uid for series in found} == {str(Path(name, "t1.nii.gz")) for name in ("one", "two")}
