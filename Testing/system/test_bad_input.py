"""Input that cannot be used: one clear sentence, exit status 2, and nothing that was stored is lost."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from her2map.cli import main


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command, checks that it is refused with one line, and returns the line."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line]
        assert lines[-1].startswith("her2map: ")
        assert all(line.startswith("her2map: note: ") for line in lines[:-1]), lines
        assert "Traceback" not in lines[-1]
        return lines[-1]

    return run


def of_series(exam: Path, number: int) -> list[Path]:
    """The files of one series."""
    files = [path for path in sorted(exam.rglob("*")) if path.is_file()]
    return [
        path for path in files if int(pydicom.dcmread(path, stop_before_pixels=True).SeriesNumber) == number
    ]


def keep_only(exam: Path, number: int) -> list[Path]:
    kept = of_series(exam, number)
    for path in exam.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    return kept


def rewrite(path: Path, change: Callable[[pydicom.Dataset], None]) -> None:
    """Change one file; as a new file, for the others are hard links to a shared copy."""
    dataset = pydicom.dcmread(path)
    change(dataset)
    path.unlink()
    dataset.save_as(path)


def test_absent_folder(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "nowhere" in refused("series", tmp_path / "nowhere")


def test_empty_folder(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert str(tmp_path) in refused("series", tmp_path)


def test_folder_without_images(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    assert "no" in refused("fit", tmp_path, "--output", tmp_path / "out")


def test_truncated_file_is_skipped_and_named(exam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = of_series(exam, 9)[0]
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])
    assert main(["series", str(exam)]) == 0
    assert path.name in capsys.readouterr().err


def test_half_a_series_is_reported(exam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = of_series(exam, 9)
    for path in files[: len(files) // 2 + 1]:
        path.unlink()
    assert main(["series", str(exam), "--json"]) == 0
    series = json.loads(capsys.readouterr().out)["series"]
    assert any(s["problems"] for s in series if s["number"] == 9)


def test_two_patients(exam: Path, refused: Callable[..., str]) -> None:
    for path in of_series(exam, 9):
        rewrite(path, lambda dataset: dataset.update({"PatientID": "SECRET-7", "PatientName": "Doe^Jane"}))
    line = refused("fit", exam, "--output", exam / "out")
    assert "patient" in line
    assert "SECRET" not in line
    assert "Doe" not in line


def test_missing_echo_time_is_named(exam: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    for path in keep_only(exam, 9):
        rewrite(path, lambda dataset: dataset.pop("EchoTime", None))
    assert "T2map_se_mc" in refused("fit", exam, "--output", tmp_path / "out", "--role", "9=T2")


def test_one_echo_only(exam: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    for path in keep_only(exam, 9):
        if float(pydicom.dcmread(path).EchoTime) > 14:
            path.unlink()
    line = refused("fit", exam, "--output", tmp_path / "out", "--role", "9=T2")
    assert "T2map_se_mc" in line
    assert "echo" in line


def test_b1_map_in_a_wrong_unit(exam: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    def scale(dataset: pydicom.Dataset) -> None:
        pixels = dataset.pixel_array // 100
        dataset.PixelData = pixels.astype("<u2").tobytes()

    for path in of_series(exam, 2):
        rewrite(path, scale)
    line = refused("fit", exam, "--output", tmp_path / "out")
    assert "B1map_tfl_tra" in line
    assert "unit" in line


def test_roi_outside_the_maps(demo: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    roi = tmp_path / "far.json"
    points = [[900, 0, 0], [910, 0, 0], [910, 10, 0], [900, 10, 0]]
    roi.write_text(json.dumps({"coordinate_system": "RAS", "points": points}))
    assert "field of view" in refused("measure", demo / "maps", "--roi", roi)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "JSON"),
        ("{}", "points"),
        ('{"coordinate_system": "XYZ", "points": [[0,0,0],[1,0,0],[1,1,0]]}', "coordinate_system"),
        ('{"coordinate_system": "RAS", "points": [[0,0,0],[1,0,0]]}', "three"),
        ('{"coordinate_system": "RAS", "points": [[0,0,0],[9,9,0],[9,0,0],[0,9,0]]}', "cross"),
    ],
)
def test_roi_file_that_is_none(
    demo: Path, tmp_path: Path, refused: Callable[..., str], content: str, named: str
) -> None:
    roi = tmp_path / "roi.json"
    roi.write_text(content)
    line = refused("measure", demo / "maps", "--roi", roi)
    assert "roi.json" in line
    assert named in line


def test_measure_without_maps(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "her2map fit" in refused("measure", tmp_path, "--roi", tmp_path / "roi.json")


def test_damaged_map(demo: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    maps = Path(shutil.copytree(demo / "maps", tmp_path / "maps"))
    (maps / "sub-demo_T2map.nii.gz").write_bytes(b"not a map")
    line = refused("measure", maps, "--roi", demo / "exam" / "roi.mrk.json")
    assert "sub-demo_T2map.nii.gz" in line


@pytest.mark.parametrize("command", [["fit", "EXAM"], ["phantom"], ["demo"]])
def test_output_that_cannot_be_written(
    demo: Path, tmp_path: Path, refused: Callable[..., str], command: list[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = [str(demo / "exam" / "dicom") if word == "EXAM" else word for word in command]
    assert "file" in refused(*arguments, "--output", tmp_path / "file" / "out")


def test_full_disk_leaves_what_was_there(
    demo: Path, tmp_path: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills while the new values are written; the old ones stay, and no part of a file is left."""
    output = tmp_path / "values.csv"
    output.write_text("old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    line = refused("measure", demo / "maps", "--roi", demo / "exam" / "roi.mrk.json", "--output", output)
    assert "No space left" in line
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["values.csv"]


@pytest.mark.parametrize("role", ["9", "9=T9", "99=T2", "9=T2:magic"])
def test_role_that_is_none(demo: Path, refused: Callable[..., str], role: str) -> None:
    assert f"The role '{role}'" in refused("series", demo / "exam" / "dicom", "--role", role)


def test_fit_says_what_was_left_out(exam: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slice that lacks an echo, and a file that is no image: said on the terminal and in the summary."""
    keep_only(exam, 9)[0].unlink()
    (exam / "Doe_Jane.pdf").write_text("a letter")
    assert main(["fit", str(exam), "--output", str(tmp_path / "out")]) == 0
    assert "left out" in capsys.readouterr().err
    summary = (tmp_path / "out" / "summary.json").read_text()
    assert any("left out" in remark for remark in json.loads(summary)["remarks"])
    assert sum(json.loads(summary)["skipped_files"].values()) == 1
    assert "Doe" not in summary


def test_a_second_case_in_the_same_folder(demo: Path, refused: Callable[..., str], tmp_path: Path) -> None:
    maps = Path(shutil.copytree(demo / "maps", tmp_path / "maps"))
    before = {path.name: path.read_bytes() for path in maps.iterdir()}
    line = refused("fit", demo / "exam" / "dicom", "--output", maps, "--case", "02", "--role", "9=none")
    assert "case 'demo'" in line
    assert {path.name: path.read_bytes() for path in maps.iterdir()} == before


def test_output_that_is_a_device(demo: Path, refused: Callable[..., str]) -> None:
    roi = demo / "exam" / "roi.mrk.json"
    assert "/dev/null" in refused("measure", demo / "maps", "--roi", roi, "--output", "/dev/null")
