"""Reading DICOM files written here for what the real data lack: GE, phase, channels, DCE times, damage."""

import itertools
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from her2map.errors import Cancelled, InputError
from her2map.series import SeriesList, read_series

PIXELS = np.random.default_rng(1).integers(0, 4096, (12, 16), np.uint16)
SERIES = "1.2.3.4"


def image(pixels: np.ndarray = PIXELS, **fields: Any) -> Dataset:
    """A classic MR image at z = 0 of series `SERIES`; `fields` are set over it, None deletes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    defaults: dict[str, Any] = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": generate_uid(),
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "PatientID": "secret-id",
        "PatientName": "Secret^Name",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": SERIES,
        "SeriesNumber": 4,
        "SeriesDescription": "test",
        "StudyDate": "20250102",
        "StudyTime": "100000",
        "AcquisitionTime": "101500.25",
        "EchoTime": "2.5",
        "RepetitionTime": "5",
        "FlipAngle": "10",
        "SliceThickness": "3",
        "ImagePositionPatient": [-10, -20, 0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1.5, 2.0],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "BitsAllocated": pixels.itemsize * 8,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    for keyword, value in {**defaults, **fields}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    return dataset


def write(folder: Path, *datasets: Dataset) -> Path:
    """Writes the images under names that say nothing, newest first."""
    folder.mkdir(exist_ok=True)
    for number, dataset in enumerate(reversed(datasets)):
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"{len(list(folder.iterdir())):03d}{number}", enforce_file_format=True)
    return folder


def read(folder: Path, *datasets: Dataset) -> SeriesList:
    return read_series(write(folder, *datasets))


def coil(dataset: Dataset, name: str) -> Dataset:
    dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", name)
    return dataset


def slices(count: int, **fields: Any) -> list[Dataset]:
    return [image(PIXELS + z, ImagePositionPatient=[-10, -20, 3 * z], **fields) for z in range(count)]


# Stored pixels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_every_uncompressed_syntax(tmp_path: Path, syntax: str) -> None:
    dataset = image(InversionTime="150")
    coil(dataset, "H1")
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = PIXELS.astype(">u2").tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns when big endian is written
        (series,) = read(tmp_path, dataset)
    np.testing.assert_array_equal(series.data[0, 0], PIXELS)
    assert series.ti_ms.tolist() == [150]
    assert series.time_s[0] == pytest.approx(10 * 3600 + 15 * 60 + 0.25)


def test_run_length_encoding(tmp_path: Path) -> None:
    dataset = image()
    dataset.compress(RLELossless, generate_instance_uid=False)
    (series,) = read(tmp_path, dataset)
    np.testing.assert_array_equal(series.data[0, 0], PIXELS)


def test_compression_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    other = image(ImagePositionPatient=[-10, -20, 3])
    other.compress(RLELossless, generate_instance_uid=False)
    other.file_meta.TransferSyntaxUID = JPEGLosslessSV1  # the bytes are not JPEG
    series = read(tmp_path, image(), other)
    assert len(series) == 1
    assert "JPEG Lossless" in series.skipped[0]
    assert "uncompressed" in series.skipped[0]


@given(bits=st.integers(8, 16), signed=st.booleans(), seed=st.integers(0, 99))
def test_bits_beside_the_stored_ones_do_not_count(
    tmp_path_factory: pytest.TempPathFactory, bits: int, signed: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values = random.integers(low, high, (3, 4))
    mask = (1 << bits) - 1
    overlay = random.integers(0, 1 << 16, (3, 4)) & ~mask & 0xFFFF
    stored = ((values & mask) | overlay).astype(np.uint16)
    dataset = image(stored, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=int(signed))
    (series,) = read(tmp_path_factory.mktemp("bits"), dataset)
    np.testing.assert_array_equal(series.data[0, 0], values)


def test_monochrome1_changes_the_display_alone(tmp_path: Path) -> None:
    (series,) = read(tmp_path, image(PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(series.data[0, 0], PIXELS)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("with_meta", [True, False])
def test_file_without_preamble(tmp_path: Path, syntax: str, with_meta: bool) -> None:
    dataset = image()
    dataset.file_meta.TransferSyntaxUID = syntax
    write(tmp_path, dataset)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[132:] if with_meta else content[content.index(b"\x08\x00\x08\x00") :])
    (series,) = read_series(tmp_path)
    np.testing.assert_array_equal(series.data[0, 0], PIXELS)


# Scale, components, maps -----------------------------------------------------------------------------------


def test_siemens_phase_is_a_series_of_its_own_in_radians(tmp_path: Path) -> None:
    phase = image(
        ImageType=["ORIGINAL", "PRIMARY", "P", "ND"], RescaleSlope=2, RescaleIntercept=-4096, RescaleType="US"
    )
    magnitude, angle = sorted(read(tmp_path, image(), phase), key=lambda s: s.component[0])
    assert (magnitude.component[0], angle.component[0]) == ("magnitude", "phase")
    np.testing.assert_allclose(angle.data[0, 0], PIXELS / 4096 * 2 * np.pi - np.pi, atol=1e-6)


def test_ge_components_and_phase_in_thousandths(tmp_path: Path) -> None:
    stored = (PIXELS.astype(np.int16) - 2048) % 3000
    datasets = []
    for kind in range(4):
        dataset = image(
            stored, Manufacturer="GE MEDICAL SYSTEMS", InversionTime="0", BitsStored=16, HighBit=15
        )
        dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", kind)
        datasets.append(dataset)
    series = {s.component[0]: s for s in read(tmp_path, *datasets)}
    assert set(series) == {"magnitude", "phase", "real", "imaginary"}
    np.testing.assert_allclose(series["phase"].data[0, 0], stored / 1000, rtol=1e-6)
    np.testing.assert_array_equal(series["real"].data[0, 0], stored)
    assert np.isnan(series["magnitude"].ti_ms).all()  # GE writes a TI of 0 where nothing is inverted


def philips(scale_slope: float | None, **fields: Any) -> Dataset:
    dataset = image(Manufacturer="Philips Medical Systems", **fields)
    if scale_slope is not None:
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", scale_slope)
    return dataset


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_philips_floating_point_value(tmp_path: Path, syntax: str) -> None:
    dataset = philips(0.25, RescaleSlope=2, RescaleIntercept=-100)
    dataset.file_meta.TransferSyntaxUID = syntax
    (series,) = read(tmp_path, dataset)
    np.testing.assert_allclose(series.data[0, 0], (PIXELS * 2.0 - 100) / (2 * 0.25), rtol=1e-6)


def test_philips_without_its_private_scale_is_reported(tmp_path: Path) -> None:
    (series,) = read(tmp_path, philips(None, RescaleSlope=2, RescaleIntercept=0))
    np.testing.assert_allclose(series.data[0, 0], PIXELS * 2)
    assert "(2005,100E)" in series.problems[0]


def test_philips_phase_in_radians(tmp_path: Path) -> None:
    dataset = philips(
        None,
        ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"],
        RescaleSlope=6283.2 / 4095,
        RescaleIntercept=-3141.6,
    )
    (series,) = read(tmp_path, dataset)
    np.testing.assert_allclose(
        series.data[0, 0], (PIXELS * 6283.2 / 4095 - 3141.6) / 1000, atol=1e-3 * np.pi / 3.1416
    )


@pytest.mark.parametrize(
    ("image_type", "fields", "expected"),
    [
        (["DERIVED", "PRIMARY", "T1 MAP", "ND"], {"RescaleType": "ms"}, ("T1", "ms", 1)),
        (["DERIVED", "PRIMARY", "M", "ND", "T2_STAR MAP"], {"RescaleType": "ms"}, ("T2star", "ms", 1)),
        (["DERIVED", "PRIMARY", "T2 MAP"], {"RescaleType": "s"}, ("T2", "ms", 1000)),
        (["ORIGINAL", "PRIMARY", "M", "FLIP ANGLE MAP"], {}, ("B1", "flip_angle_x10", 1)),
        (["ORIGINAL", "PRIMARY", "B1", "B1"], {"RescaleType": "percent"}, ("B1", "percent", 1)),
        (["DERIVED", "PRIMARY", "OTHER"], {"SeriesDescription": "B1map 2D"}, ("B1", "", 1)),
        (["ORIGINAL", "PRIMARY", "T1", "M"], {}, ("", "", 1)),
        (["ORIGINAL", "PRIMARY", "M", "ND"], {"SeriesDescription": "t1 map flip 5"}, ("", "", 1)),
    ],
)
def test_maps_of_the_scanner(
    tmp_path: Path, image_type: list[str], fields: dict[str, str], expected: tuple[str, str, float]
) -> None:
    (series,) = read(tmp_path, image(ImageType=image_type, **fields))
    assert (series.scanner_map, series.unit) == expected[:2]
    np.testing.assert_allclose(series.data[0, 0], PIXELS * float(expected[2]))
    if series.scanner_map and not series.unit:
        assert "unit" in series.problems[0]


# Measurements ----------------------------------------------------------------------------------------------


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


# Times -----------------------------------------------------------------------------------------------------


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


# Geometry --------------------------------------------------------------------------------------------------


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


# What is no image, and who it is ---------------------------------------------------------------------------


def test_copies_are_read_once(tmp_path: Path) -> None:
    dataset = image()
    series = read(tmp_path, dataset, dataset)
    assert series[0].data.shape[0] == 1
    assert "a copy of" in series.skipped[0]
    assert series.skipped_counts == {"a copy of another file": 1}


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")  # when they are written
@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"Modality": "CT"}, "modality CT"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"PixelSpacing": [0, 0]}, "PixelSpacing"),
        ({"ImagePositionPatient": [0, 0, "nan"]}, "not a finite number"),
        ({"ImagePositionPatient": [0, 0, "inf"]}, "not a finite number"),
        ({"ImagePositionPatient": [0, 0, "1e400"]}, "not a finite number"),
        ({"ImageOrientationPatient": [1, 0, "inf", 0, 1, 0]}, "not a finite number"),
        ({"BitsAllocated": 12}, "12 bits"),
    ],
)
def test_unusable_images_are_named(tmp_path: Path, fields: dict[str, Any], word: str) -> None:
    write(tmp_path, image(), image(**fields))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = read_series(tmp_path)
    assert len(series) == 1
    assert word in series.skipped[0]
    assert "secret" not in str(series.skipped).lower()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing at"):
        read_series(tmp_path / "absent")
    with pytest.raises(InputError, match="is empty"):
        read_series(tmp_path)
    (tmp_path / "note.txt").write_text("no image")
    with pytest.raises(InputError, match=r"note.txt: not a DICOM file"):
        read_series(tmp_path)


def test_a_list_of_files_in_many_folders(tmp_path: Path) -> None:
    for z, dataset in enumerate(slices(3)):
        write(tmp_path / f"folder{z}", dataset)
    (tmp_path / "folder1" / "note.txt").write_text("no image")
    write(tmp_path / "not asked for", image(SeriesInstanceUID="1.99"))
    files = [file for z in (2, 0, 1) for file in (tmp_path / f"folder{z}").iterdir()]
    (series,) = found = read_series([*files, str(files[0]), tmp_path / "folder2" / "lost"])
    np.testing.assert_array_equal(series.data[0, :, 0, 0], PIXELS[0, 0] + np.arange(3))
    assert found.skipped == (
        f"{Path('folder1', 'note.txt')}: not a DICOM file",
        f"{Path('folder2', 'lost')}: the file cannot be opened",
    )
    (alone,) = read_series(files[:1])
    assert alone.data.shape[1] == 1


def test_a_list_reads_as_the_folder_that_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "exam", *slices(4))
    (tmp_path / "exam" / "note.txt").write_text("no image")
    by_folder = read_series(tmp_path / "exam")
    monkeypatch.chdir(tmp_path)
    by_list = read_series([str(file.relative_to(tmp_path)) for file in (tmp_path / "exam").iterdir()])
    assert by_list.skipped == by_folder.skipped
    np.testing.assert_array_equal(by_list[0].data, by_folder[0].data)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="list of files is empty"):
        read_series([])
    with pytest.raises(InputError, match="from lost: the file cannot be opened"):
        read_series([tmp_path / "lost"])
    for name in ("a", "b"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(InputError, match="None of the 2 files in the list of files"):
        read_series([tmp_path / "a", tmp_path / "b"])
    write(tmp_path / "one", image())
    write(tmp_path / "two", image(PatientID="other", StudyInstanceUID="1.9"))
    with pytest.raises(InputError, match="2 patients in the list of files") as error:
        read_series([*(tmp_path / "one").iterdir(), *(tmp_path / "two").iterdir()])
    assert str(tmp_path) not in str(error.value)


def test_patients_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 patients") as error:
        read(tmp_path / "two", image(), image(PatientID="other", StudyInstanceUID="1.9"))
    assert "secret" not in str(error.value)
    blank = {"PatientID": "", "PatientName": ""}
    assert len(read(tmp_path / "anonymous", image(**blank), image(**blank, SeriesInstanceUID="1.8"))) == 2
    with pytest.raises(InputError, match="without patient identifiers"):
        read(tmp_path / "unknown", image(**blank), image(**blank, StudyInstanceUID="1.9"))
    same = image(PatientName="SECRET^NAME^^", SeriesInstanceUID="1.8")
    assert len(read(tmp_path / "spelling", image(), same)) == 2


def test_pydicom_says_nothing_about_personal_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    write(tmp_path, image(PatientName="Secret^Name", PatientID="secret-id"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"secret-id", b"secret\x1b\xe9d"))
    assert len(read_series(tmp_path)) == 1
    assert caplog.text == ""
    assert len(recwarn) == 0
    assert not logging.getLogger("pydicom").disabled


def test_progress_runs_to_the_end_and_cancels(tmp_path: Path) -> None:
    write(tmp_path, *slices(5))
    seen: list[float] = []
    read_series(tmp_path, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(fraction: float) -> None:
        if fraction > 0.7:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_series(tmp_path, progress=cancel)


@given(st.data())
def test_damaged_bytes_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    datasets = [image(SOPInstanceUID=f"1.2.{z}", ImagePositionPatient=[-10, -20, z]) for z in (2, 5)]
    folder = write(tmp_path_factory.mktemp("damage"), *datasets)
    victim = sorted(folder.iterdir())[0]
    content = bytearray(victim.read_bytes())
    header = len(content) - PIXELS.nbytes
    for place in data.draw(st.lists(st.integers(132, header), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    victim.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        read_series(folder)
    except InputError as error:
        assert "Secret" not in str(error)  # a damaged id may look like a second patient


# Enhanced --------------------------------------------------------------------------------------------------


def item(**fields: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in fields.items():
        setattr(dataset, keyword, value)
    return dataset


def test_enhanced_dynamic_with_times_and_contrast_per_frame(tmp_path: Path) -> None:
    frames, groups = [], []
    for phase, z in itertools.product(range(3), range(2)):
        frames.append(PIXELS // 2 + 100 * phase + z)
        groups.append(
            item(
                FrameContentSequence=[
                    item(
                        FrameAcquisitionDateTime=f"202501021015{10 * phase:02d}.5+0100",
                        FrameAcquisitionDuration=9500.0,
                        TemporalPositionIndex=phase + 1,
                    )
                ],
                PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 3 * (1 - z)])],
            )
        )
    dataset = image(
        np.array(frames),
        SOPClassUID=EnhancedMRImageStorage,
        NumberOfFrames=6,
        Manufacturer="Siemens Healthineers",
        AcquisitionTime=None,
        EchoTime=None,
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[
            item(
                MREchoSequence=[item(EffectiveEchoTime=1.7)],
                MRTimingAndRelatedParametersSequence=[item(RepetitionTime="4.2", FlipAngle="12")],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness="3")],
                PixelValueTransformationSequence=[item(RescaleSlope="0.5", RescaleIntercept="3")],
            )
        ],
        ContrastBolusAgentSequence=[
            item(ContrastAdministrationProfileSequence=[item(ContrastBolusStartTime="101505")])
        ],
    )
    exam = read(tmp_path, dataset, dataset)
    (series,) = exam
    assert exam.skipped_counts == {"a copy of another file": 1}
    assert series.data.shape == (3, 2, 12, 16)
    np.testing.assert_allclose(series.data[:, 0], (np.array(frames)[1::2]) * 0.5 + 3)
    np.testing.assert_allclose(series.time_s - series.time_s[0], [0, 10, 20])
    assert series.time_source == "FrameAcquisitionDateTime"
    assert series.injection_time_s - series.time_s[0] == pytest.approx(4.5)
    assert (series.te_ms[0], series.tr_ms[0], series.flip_angle_deg[0]) == (1.7, 4.2, 12)
    assert series.sequence["FrameAcquisitionDuration"] == 9500
    assert series.problems == ()
