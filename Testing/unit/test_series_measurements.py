"""DICOM series: measurements, their times, and where they lie."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_samples import PIXELS, coil, image, read, slices, write
from her2map.series import read_series


def test_siemens_channels_become_measurements(tmp_path: Path) -> None:
    datasets = [
        coil(image(PIXELS + 10 * c + e, EchoTime=str(e)), f"H{c}")
        for c, e in itertools.product((2, 10, 1), (3, 6))
    ]
    (series,) = read(tmp_path, *datasets)
    assert series.channel.tolist() == [1, 1, 2, 2, 3, 3]
    assert series.te_ms.tolist() == [3, 6] * 3
    offsets = (series.data[:, 0] - PIXELS)[:, 0, 0].tolist()
    assert offsets == [13, 16, 23, 26, 103, 106]  # H1, H2, H10


def test_coil_selection_that_varies_by_slice_is_no_channel(tmp_path: Path) -> None:
    datasets = [coil(dataset, f"BR{z}-4") for z, dataset in enumerate(slices(3))]
    (series,) = read(tmp_path, *datasets)
    assert series.channel.tolist() == [0]


def test_slices_with_their_own_inversion_times_become_series(tmp_path: Path) -> None:
    datasets = [
        image(InversionTime=str(ti + z), ImagePositionPatient=[0, 0, 10 * z])
        for ti, z in itertools.product((100, 180, 1000), (0, 1))
    ]
    series = read(tmp_path, *datasets)
    assert [s.ti_ms.tolist() for s in series] == [[100, 180, 1000], [101, 181, 1001]]
    assert any("split into 2 parts" in p for p in series[0].problems)


@pytest.mark.parametrize(
    ("missing", "word"),
    [("EchoTime", "echo time"), ("RepetitionTime", "repetition time"), ("FlipAngle", "flip angle")],
)
def test_missing_parameter_is_named(tmp_path: Path, missing: str, word: str) -> None:
    (series,) = read(tmp_path, image(**{missing: None}))
    assert f"the {word} is missing ({missing} (0018," in series.problems[0]


def test_malformed_number_counts_as_missing(tmp_path: Path) -> None:
    write(tmp_path, image(EchoTime="77.5"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"77.5", b"ab.c"))
    (series,) = read_series(tmp_path)
    assert "echo time" in series.problems[0]


def test_a_number_of_several_values_counts_as_absent(tmp_path: Path) -> None:
    single = {"MagneticFieldStrength": "1.50", "SeriesNumber": "1234", "SliceThickness": "9.87"}
    write(tmp_path, *slices(2, **single, EchoTime="2.51"))
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        for value in (*single.values(), "2.51"):
            assert content.count(value.encode()) == 1
            content = content.replace(value.encode(), b"12\\3")
        file.write_bytes(content)
    (series,) = read_series(tmp_path)
    assert series.number is None
    assert np.isnan([series.field_strength_t, series.slice_thickness_mm, *series.te_ms]).all()
    assert "echo time is missing" in series.problems[0]


def test_b_values_and_instance_numbers_of_several_values_count_as_absent(tmp_path: Path) -> None:
    several = [image(PIXELS + i, DiffusionBValue=0.0, InstanceNumber=i) for i in (1, 2)]
    for dataset in several:
        dataset["DiffusionBValue"].value = [0.0, 500.0]
    several[0]["InstanceNumber"].value = [1, 2]
    (series,) = read(tmp_path, *several)
    assert series.data.shape[0] == 2


def phases(times: list[dict[str, Any]], count: int = 2) -> list[Dataset]:
    """A dynamic series: `count` slices per phase; the pixels of phase p are brighter by 100 p."""
    return [
        image(
            PIXELS // 2 + 100 * p,
            ImagePositionPatient=[0, 0, 3 * z],
            InstanceNumber=p * count + z + 1,
            **fields,
        )
        for p, fields in enumerate(times)
        for z in range(count)
    ]


@pytest.mark.parametrize(
    ("times", "offsets", "source"),
    [
        ([{"AcquisitionTime": f"1015{s}"} for s in ("00", "30", "55")], [0, 30, 55], "AcquisitionTime"),
        (
            [
                {"TriggerTime": str(t), "TemporalPositionIdentifier": p}
                for p, t in ((1, 0), (2, 6e4), (3, 9e4))
            ],
            [0, 60, 90],
            "TriggerTime",
        ),
        (
            [{"ContentTime": f"1016{s}"} for s in ("00", "30", "55")],
            [0, 30, 55],
            "ContentTime",
        ),
        (
            [{"TemporalPositionIdentifier": p, "TemporalResolution": 12000.0} for p in (1, 2, 3)],
            [0, 12, 24],
            "TemporalPositionIdentifier",
        ),
    ],
)
def test_phase_times_by_trust(
    tmp_path: Path, times: list[dict[str, Any]], offsets: list[float], source: str
) -> None:
    (series,) = read(tmp_path, *phases(times))
    start = {"AcquisitionTime": 36900.0, "ContentTime": 36960.0}.get(source, 36900.25)
    np.testing.assert_allclose(series.time_s, start + np.array(offsets), atol=1e-5)
    assert series.time_source == source
    assert (series.data[:, 0, 0, 0] - PIXELS[0, 0] // 2).tolist() == [0, 100, 200]
    assert series.data.shape == (3, 2, 12, 16)


def test_phases_that_nothing_tells_apart_in_time_have_none(tmp_path: Path) -> None:
    (series,) = read(tmp_path, *phases([{}, {}, {}]))
    assert np.isnan(series.time_s).all()
    assert "no header field tells when" in series.problems[0]
    assert (series.data[:, 0, 0, 0] - PIXELS[0, 0] // 2).tolist() == [0, 100, 200]  # by instance number


def test_philips_dynamics_by_private_begin_time(tmp_path: Path) -> None:
    datasets = phases([{"Manufacturer": "Philips", "TemporalPositionIdentifier": p} for p in (1, 2)])
    for dataset in datasets:
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 1.0)
        block.add_new(0xA0, "FL", 7.5 * (dataset.TemporalPositionIdentifier - 1))
    (series,) = read(tmp_path, *datasets)
    np.testing.assert_allclose(np.diff(series.time_s), [7.5])


def test_midnight_between_phases(tmp_path: Path) -> None:
    dated = [
        {"AcquisitionDate": "20250102", "AcquisitionTime": "235930"},
        {"AcquisitionDate": "20250103", "AcquisitionTime": "000030"},
    ]
    (series,) = read(tmp_path / "dated", *phases(dated))
    np.testing.assert_allclose(series.time_s, [86370, 86430])
    undated = [{"AcquisitionTime": t, "StudyTime": "233000"} for t in ("235930", "000030")]
    (series,) = read(tmp_path / "undated", *phases(undated))
    np.testing.assert_allclose(series.time_s, [86370, 86430])


def test_injection_time_on_the_same_clock(tmp_path: Path) -> None:
    (series,) = read(tmp_path, image(ContrastBolusStartTime="101400", ContrastBolusAgent="Gd"))
    assert series.injection_time_s == pytest.approx(10 * 3600 + 14 * 60)
    assert series.sequence["ContrastBolusAgent"] == "Gd"


def test_interrupted_phase_is_left_out(tmp_path: Path) -> None:
    times = [{"AcquisitionTime": f"10150{p}", "AcquisitionNumber": p} for p in range(4)]
    (series,) = read(tmp_path, *phases(times, count=5)[:-3])
    assert series.data.shape == (3, 5, 12, 16)
    assert "repetition 4 of 4 has 2 of 5 slices" in series.problems[0]


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.integers(2, 4), st.randoms(use_true_random=False))
def test_oblique_affine_agrees_with_simpleitk(
    tmp_path_factory: pytest.TempPathFactory, angles: tuple[float, float, float], count: int, random: Any
) -> None:
    transform = sitk.Euler3DTransform((0, 0, 0), *angles)
    rotation = np.reshape(transform.GetMatrix(), (3, 3))
    datasets = [
        image(
            PIXELS + z,
            ImageOrientationPatient=[float(f"{v:.10f}") for v in rotation[:, :2].T.ravel()],
            ImagePositionPatient=[float(f"{v:.8f}") for v in rotation @ [-30, 20, 2.5 * z]],
        )
        for z in range(count)
    ]
    random.shuffle(datasets)
    folder = write(tmp_path_factory.mktemp("oblique"), *datasets)
    (series,) = read_series(folder)
    reference = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    np.testing.assert_array_equal(series.data[0], sitk.GetArrayFromImage(reference))
    for index in itertools.product((0, 15), (0, 11), (0, count - 1)):
        lps = np.array(reference.TransformIndexToPhysicalPoint(index))
        np.testing.assert_allclose(series.geometry.to_ras(index), lps * [-1, -1, 1], atol=1e-4)


def test_missing_slice_splits_and_is_named(tmp_path: Path) -> None:
    datasets = slices(7)
    del datasets[4]
    series = read(tmp_path, *datasets)
    assert [s.data.shape[1] for s in series] == [4, 2]
    assert series[1].affine[2, 3] == 15
    assert all("after 9.0 mm" in s.problems[0] for s in series)


def test_localiser_planes_become_series(tmp_path: Path) -> None:
    planes = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
    series = read(tmp_path, *(image(ImageOrientationPatient=plane) for plane in planes))
    assert [s.data.shape for s in series] == [(1, 1, 12, 16)] * 3


def test_mixed_matrix_and_mixed_place_become_series(tmp_path: Path) -> None:
    shifted = [image(ImagePositionPatient=[5, -20, 3 * z]) for z in range(2)]
    smaller = [image(PIXELS[:8], ImagePositionPatient=[-10, -20, 3 * z]) for z in range(2)]
    series = read(tmp_path, *slices(2), *shifted, *smaller)
    assert sorted(s.data.shape for s in series) == [(1, 2, 8, 16), (1, 2, 12, 16), (1, 2, 12, 16)]


def test_single_slice_without_thickness_is_reported(tmp_path: Path) -> None:
    (series,) = read(tmp_path, image(SliceThickness=None))
    assert "1 mm is taken" in series.problems[0]
