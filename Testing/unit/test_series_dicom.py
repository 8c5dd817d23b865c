"""DICOM files written here for what the real data lack: their pixels, scale, components and maps."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
)

from dicom_samples import PIXELS, coil, image, read, write
from her2map.series import read_series


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
