"""Maps survive the disk, and two fits are never mixed."""

from dataclasses import fields, replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from test_fitting import SHAPE, series

from her2map.derivatives import SUMMARY, read_maps, read_summary, roi_thickness, write_fit
from her2map.errors import InputError
from her2map.exam import Exam
from her2map.fitting import FittedMap
from her2map.relaxometry import ParameterMap, Status

EXAM = Exam(())


def a_map(value: float, quantity: str = "T1", unit: str = "ms") -> FittedMap:
    rng = np.random.default_rng(int(value))
    arrays = [rng.uniform(0.5, 1.5, SHAPE).astype(np.float32) * size for size in (value, 20, 1, 500)]
    arrays[0][0, 0, 0] = np.nan
    status = rng.integers(0, len(Status), SHAPE).astype(np.uint8)
    fitted = ParameterMap(*arrays[:3], status, arrays[3], quantity, unit, "a fit", ("a note",))
    signals = series(np.ones((1, *SHAPE)))
    affine = signals.affine.copy()
    affine[:3, :3] = [[-1.9, 0.3, 0.2], [-0.3, -1.9, 0.4], [0.1, 0.2, 3.9]]  # oblique, left-handed
    affine[:3, :3] = np.linalg.qr(affine[:3, :3])[0] @ np.diag([2.0, 2.0, 4.0])
    affine[:3, 3] = [12.5, -80.25, 31.0]
    return FittedMap(fitted, replace(signals, affine=affine))


def test_every_field_comes_back(tmp_path: Path) -> None:
    maps = {"T1_pre": a_map(1500), "T1_post": a_map(500), "B1": a_map(1, "B1", "1")}
    write_fit(tmp_path, "07", EXAM, "paper", maps)
    again = read_maps(tmp_path)
    assert again.keys() == maps.keys()
    for name, (fitted, geometry) in again.items():
        for field in fields(ParameterMap):
            stored, expected = getattr(fitted, field.name), getattr(maps[name].map, field.name)
            if isinstance(expected, np.ndarray):
                assert np.allclose(stored, expected, rtol=1e-6, equal_nan=True), (name, field.name)
                assert stored.dtype == expected.dtype
            else:
                assert stored == expected
        assert geometry.matches(maps[name].geometry)


def test_units_on_disk_are_those_of_bids(tmp_path: Path) -> None:
    fitted = a_map(1500)
    write_fit(tmp_path, "07", EXAM, "paper", {"T1_pre": fitted})
    for stem, array in (("T1map", fitted.map.value), ("desc-standarderror_T1map", fitted.map.standard_error)):
        image = nibabel.load(tmp_path / f"sub-07_{stem}.nii.gz")
        assert np.allclose(np.asarray(image.dataobj).T * 1000, array, rtol=1e-6, equal_nan=True)
        assert np.allclose(image.get_qform(coded=True)[0], fitted.signals.affine, atol=1e-4)
        assert np.allclose(image.get_sform(coded=True)[0], fitted.signals.affine, atol=1e-4)


def test_a_second_fit_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    write_fit(tmp_path, "07", EXAM, "paper", {"T1_pre": a_map(1500), "T2": a_map(80, "T2")})
    write_fit(tmp_path, "07", EXAM, "paper", {"T1_pre": a_map(1400)})
    assert read_maps(tmp_path).keys() == {"T1_pre"}
    assert not list(tmp_path.glob("*T2map*"))
    assert not list(tmp_path.glob(".*"))


def test_another_case_is_refused(tmp_path: Path) -> None:
    write_fit(tmp_path, "07", EXAM, "paper", {"T1_pre": a_map(1500)})
    with pytest.raises(InputError, match="case '07'"):
        write_fit(tmp_path, "08", EXAM, "paper", {"T1_pre": a_map(1400)})
    assert read_summary(tmp_path)["case"] == "07"


def test_a_map_of_another_fit_is_refused(tmp_path: Path) -> None:
    """As after a kill in the middle of a second fit: some files new, the summary old."""
    for name, value in (("a", 1500), ("b", 1400)):
        (tmp_path / name).mkdir()
        write_fit(tmp_path / name, "07", EXAM, "paper", {"T1_pre": a_map(value)})
    (tmp_path / "b" / "sub-07_T1map.nii.gz").replace(tmp_path / "a" / "sub-07_T1map.nii.gz")
    with pytest.raises(InputError, match="another fit"):
        read_maps(tmp_path / "a")


@pytest.mark.parametrize("bit", [0, 3, 7])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_flipped_bit_is_found(tmp_path: Path, part: float, bit: int) -> None:
    write_fit(tmp_path, "07", EXAM, "paper", {"T1_pre": a_map(1500)})
    path = tmp_path / "sub-07_desc-status_T1map.nii.gz"
    content = bytearray(path.read_bytes())
    content[int(part * len(content))] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name):
        read_maps(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"case": 1, "maps": {}, "files": {}}', '{"case": "1", "maps": {"T9": {}}, "files": {}}',
     '{"case": "1", "maps": {}, "files": {"../x": "0"}}', '{"case": "1", "maps": [], "files": {}}'],
)  # fmt: skip
def test_a_damaged_summary_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / SUMMARY).write_text(content)
    with pytest.raises(InputError, match=f"{SUMMARY} is damaged"):
        read_maps(tmp_path)


def test_a_summary_that_lacks_a_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text('{"case": "1", "maps": {"T2": {}}, "files": {}}')
    with pytest.raises(InputError, match="lacks a field of T2"):
        read_maps(tmp_path)


@pytest.mark.parametrize(
    ("dce", "thickness"),
    [({"slice_thickness_mm": 2.4}, 2.4), (None, None), ([1], None), ({"problem": ""}, None)],
)
def test_thickness_of_the_summary(dce: object, thickness: float | None) -> None:
    assert roi_thickness({"dce": dce}) == thickness


@pytest.mark.parametrize("case", ["", "a b", "../x", "é"])
def test_a_case_is_a_bids_label(tmp_path: Path, case: str) -> None:
    with pytest.raises(InputError, match="letters and digits"):
        write_fit(tmp_path, case, EXAM, "paper", {})
